//! An amount of money.

use std::fmt;

use rust_decimal::Decimal;

/// An amount of money in one currency; prints as `2900.00 EUR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// The amount, with at most as many decimals as the currency has minor units (EUR 2, JPY 0, KWD 3).
    pub amount: Decimal,
    /// ISO 4217 code, three capital letters.
    pub currency_code: String,
}

impl Money {
    /// `amount` of a currency.
    pub fn new(currency_code: impl Into<String>, amount: impl Into<Decimal>) -> Self {
        Self {
            amount: amount.into(),
            currency_code: currency_code.into(),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency_code)
    }
}
