//! The only room that knows SQL. A file per table; rows stay in here.

pub(crate) mod account;
pub(crate) mod administration;
pub(crate) mod books;
pub(crate) mod configuration_change;
pub(crate) mod connection;
pub(crate) mod durability;
pub(crate) mod entry;
pub(crate) mod error;
pub(crate) mod lot;
pub(crate) mod member;
pub(crate) mod member_list;
pub(crate) mod merchant;
pub(crate) mod migration;
mod one_of;
pub(crate) mod pending;
pub(crate) mod posting_batch;
pub(crate) mod product;
pub(crate) mod product_change;
pub(crate) mod program;
pub(crate) mod program_cache;
pub(crate) mod request;
pub(crate) mod rule;
pub(crate) mod rule_usage;
pub(crate) mod sale;
mod schema;
pub(crate) mod statement;
mod value;
