//! What members get for their birthdays.

use loyalty_api::v1 as wire;

use super::decimal;
use super::enrolment_policy::BILLION;
use super::expiry_policy::{expiry, expiry_to_wire};
use crate::domain::birthday::BirthdayBonus;
use crate::grpc::fields::{Bounds, Fields};

/// A bonus; `None` when the field is empty or wrong.
pub(super) fn bonus(fields: &mut Fields, at: &str, given: Option<wire::BirthdayBonus>) -> Option<BirthdayBonus> {
    let given = given?;
    let field = format!("{at}.points");
    let is_said = given.points.is_some();
    let points = fields.decimal(&field, given.points, Bounds::up_to(BILLION, 4).positive());
    if !is_said {
        fields.wrong(&field, "must be given");
    }
    let expiry = expiry(fields, &format!("{at}.expiry"), given.expiry);
    points.map(|points| BirthdayBonus { points, expiry })
}

/// A bonus on the wire.
pub(super) fn to_wire(bonus: BirthdayBonus) -> wire::BirthdayBonus {
    wire::BirthdayBonus {
        points: decimal(bonus.points),
        expiry: bonus.expiry.map(expiry_to_wire),
    }
}
