//! What members get for their birthdays, on the wire.

use loyalty_api::v1;

use super::{decimal, decimal_message};
use crate::{birthday_bonus::BirthdayBonus, error::Error, program::ExpiryPolicy};

impl BirthdayBonus {
    pub(crate) fn to_wire(self) -> v1::BirthdayBonus {
        v1::BirthdayBonus {
            points: Some(decimal_message(self.points)),
            expiry: self.expiry.map(ExpiryPolicy::to_wire),
        }
    }

    pub(crate) fn from_wire(bonus: v1::BirthdayBonus) -> Result<Self, Error> {
        Ok(Self {
            points: decimal("birthday_bonus.points", bonus.points)?,
            expiry: bonus.expiry.map(ExpiryPolicy::from_wire),
        })
    }
}
