//! Features, told through the public door: the SDK against a real server on a real database.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also where the harness tells it"
)]

mod harness;

mod access;
mod accounting;
mod adjustments;
mod assigned_rules;
mod bad_input;
mod bad_requests;
mod bad_returns;
mod bought_with_points;
mod campaigns;
mod cancellations;
mod cancelled_callers;
mod carry;
mod concurrency;
mod configuration_history;
mod consumption;
mod discounts;
mod drain;
mod earning;
mod enrolment;
mod error_reasons;
mod every_call;
mod examples_of_the_field;
mod expiry;
mod expiry_ends;
mod expiry_entries;
mod expiry_runs;
mod failure_reasons;
mod feed;
mod feed_queries;
mod history;
mod hold_races;
mod holds;
mod hostile;
mod identifiers;
mod keys;
mod latency;
mod lost_cards;
mod member_blocks;
mod member_lists;
mod member_records;
mod member_updates;
mod members;
mod model;
mod opt_in;
mod outages;
mod overload;
mod pending;
mod places;
mod points_given_back;
mod posting;
mod presets;
mod process;
mod process_tenants;
mod product_earning;
mod product_limits;
mod products;
mod program_changes;
mod program_limits;
mod program_periods;
mod program_versions;
mod programs;
mod rating;
mod reasons;
mod redemption_limits;
mod redemption_quotes;
mod redemption_reversals;
mod redemptions;
mod reflection_and_health;
mod repetitions;
mod repository;
mod return_grounds;
mod return_repetitions;
mod returns;
mod rewards;
mod rule_ceilings;
mod rule_limits;
mod rule_selection;
mod rules;
mod sales;
mod same_sale_points;
mod schema;
mod sealing;
mod stand_alone;
mod tier_windows;
mod tiers;
mod tls;
mod verification;
mod version_history;
