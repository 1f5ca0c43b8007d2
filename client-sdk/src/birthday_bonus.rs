//! What members get for their birthdays.

use rust_decimal::Decimal;

use crate::program::ExpiryPolicy;

/// Points for a birthday, given by themselves once a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BirthdayBonus {
    /// Above 0.
    pub points: Decimal,
    /// When they lapse, counted from the birthday; `None`: as other points of the member.
    pub expiry: Option<ExpiryPolicy>,
}

impl BirthdayBonus {
    /// So many points.
    pub fn points(points: impl Into<Decimal>) -> Self {
        Self {
            points: points.into(),
            expiry: None,
        }
    }

    /// They lapse at a time of their own.
    #[must_use]
    pub fn expiry(mut self, expiry: ExpiryPolicy) -> Self {
        self.expiry = Some(expiry);
        self
    }
}
