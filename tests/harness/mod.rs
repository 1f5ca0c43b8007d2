//! What the tests are told with: a shop with its own database and server, its members, and the clock they live by.

pub(crate) mod any_call;
pub(crate) mod books;
pub(crate) mod database;
pub(crate) mod faults;
pub(crate) mod feed;
pub(crate) mod frames;
pub(crate) mod guarded;
pub(crate) mod keys;
mod member;
pub(crate) mod plans;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod raw;
mod shop;
pub(crate) mod web;

pub(crate) use member::ShopMember;
pub(crate) use shop::{MERCHANT, PROGRAM, Shop};

use rust_decimal::Decimal;

/// A number as tests write it.
pub(crate) fn dec(text: &str) -> Decimal {
    text.parse()
        .unwrap_or_else(|error| panic!("{text} is no number: {error}"))
}

/// An instant as tests write it.
pub(crate) fn instant(text: &str) -> chrono::DateTime<chrono::Utc> {
    text.parse()
        .unwrap_or_else(|error| panic!("{text} is no instant: {error}"))
}

/// A day as tests write it.
pub(crate) fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text} is no day: {error}"))
}

/// The fields that a call was refused for.
pub(crate) fn wrong_fields(error: &loyalty_sdk::Error) -> Vec<&str> {
    match error {
        loyalty_sdk::Error::InvalidFields(violations) => {
            violations.iter().map(|violation| violation.field.as_str()).collect()
        }
        other => panic!("not refused for its fields: {other}"),
    }
}
