//! What the product exists for, as values and pure functions: programs, tiers, earning, redemption, lots and the
//! decision of each command. No clock, no randomness, no database, no protobuf: time and ids are arguments.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod answer;
pub(crate) mod chain;
pub(crate) mod configuration;
pub(crate) mod configuration_change;
pub(crate) mod counting;
#[cfg(test)]
pub(crate) mod dice;
pub(crate) mod earning;
pub(crate) mod enrolment;
pub(crate) mod entry;
pub(crate) mod expiry;
pub(crate) mod hold;
pub(crate) mod holding;
pub(crate) mod identifiers;
pub(crate) mod kept_goods;
pub(crate) mod lot;
pub(crate) mod member;
pub(crate) mod member_change;
pub(crate) mod member_status;
pub(crate) mod number;
pub(crate) mod opt_in;
pub(crate) mod outcome;
pub(crate) mod path;
pub(crate) mod pending;
pub(crate) mod product;
pub(crate) mod program;
pub(crate) mod redeeming;
pub(crate) mod redemption;
pub(crate) mod rejection;
pub(crate) mod return_outcome;
pub(crate) mod reversing;
pub(crate) mod reward;
pub(crate) mod rule;
pub(crate) mod rule_usage;
pub(crate) mod sale;
pub(crate) mod sale_recording;
pub(crate) mod sale_return;
pub(crate) mod sale_state;
pub(crate) mod sealing;
pub(crate) mod shortfall;
pub(crate) mod tier;
pub(crate) mod verification;
