//! Features, told through the public door: the SDK against a real server on a real database.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, also where the harness tells it"
)]

mod harness;

mod bad_input;
mod bad_requests;
mod consumption;
mod error_reasons;
mod examples_of_the_field;
mod rating;
mod redemptions;
mod repetitions;
mod sales;
mod same_sale_points;
mod smoke;
