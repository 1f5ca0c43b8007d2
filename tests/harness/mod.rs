//! What the tests are told with: a shop with its own database and server, its members, and the clock they live by.

mod database;
mod member;
pub(crate) mod raw;
mod shop;

pub(crate) use member::ShopMember;
pub(crate) use shop::Shop;

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
