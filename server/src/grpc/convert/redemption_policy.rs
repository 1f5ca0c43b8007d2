//! What points are worth and how they are spent.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::decimal;
use super::program::{PERCENT, rounding_of, rounding_to_wire, value_per_point};
use super::reward::VAT_PERCENT;
use crate::domain::number::Rounding;
use crate::domain::program::{RedemptionLimits, RedemptionPolicy};
use crate::grpc::fields::{Bounds, Fields};

const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// The policy of a program.
pub(super) fn policy(fields: &mut Fields, given: wire::RedemptionPolicy) -> RedemptionPolicy {
    let rounding = fields.choice("program.redemption.points_rounding", given.points_rounding);
    let mut points = |name: &str, given| {
        let bounds = Bounds::up_to(BILLION, 4).positive();
        fields.decimal(&format!("program.redemption.{name}"), given, bounds)
    };
    let (minimum_points, points_step, max_points_per_sale, reminder_points) = (
        points("minimum_points", given.minimum_points),
        points("points_step", given.points_step),
        points("max_points_per_sale", given.max_points_per_sale),
        points("reminder_points", given.reminder_points),
    );
    RedemptionPolicy {
        value_per_point: value_per_point(fields, "program.redemption.value_per_point", given.value_per_point),
        points_rounding: rounding.map_or(Rounding::Ceiling, rounding_of),
        same_sale_points_can_pay: given.same_sale_points_can_pay,
        cover_remainder: given.cover_remainder,
        limits: RedemptionLimits {
            minimum_points,
            points_step,
            max_points_per_sale,
            max_percent_of_sale: fields.decimal(
                "program.redemption.max_percent_of_sale",
                given.max_percent_of_sale,
                PERCENT.positive(),
            ),
        },
        reminder_points,
        vat_percent: fields.decimal("program.redemption.vat_percent", given.vat_percent, VAT_PERCENT),
        print_quantity: given.print_quantity,
    }
}

/// The policy on the wire.
pub(super) fn to_wire(policy: &RedemptionPolicy) -> wire::RedemptionPolicy {
    let limits = &policy.limits;
    wire::RedemptionPolicy {
        value_per_point: policy.value_per_point.and_then(decimal),
        points_rounding: rounding_to_wire(policy.points_rounding).into(),
        same_sale_points_can_pay: policy.same_sale_points_can_pay,
        cover_remainder: policy.cover_remainder,
        minimum_points: limits.minimum_points.and_then(decimal),
        points_step: limits.points_step.and_then(decimal),
        max_points_per_sale: limits.max_points_per_sale.and_then(decimal),
        max_percent_of_sale: limits.max_percent_of_sale.and_then(decimal),
        reminder_points: policy.reminder_points.and_then(decimal),
        vat_percent: policy.vat_percent.and_then(decimal),
        print_quantity: policy.print_quantity,
    }
}
