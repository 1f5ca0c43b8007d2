//! Features, told through the public door: the SDK against a real server on a real database.

mod harness;

mod consumption;
mod examples_of_the_field;
mod rating;
mod redemptions;
mod repetitions;
mod sales;
mod same_sale_points;
mod smoke;
