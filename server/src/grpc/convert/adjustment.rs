//! Adjustments.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::member::{balance, member_key, optional_program};
use super::{decimal, timestamp};
use crate::domain::adjustment::{Adjustment, AdjustmentOutcome};
use crate::grpc::fields::{Bounds, Fields};

const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// What is to be adjusted.
pub(in crate::grpc) fn adjustment(fields: &mut Fields, given: wire::AdjustPointsRequest) -> Adjustment {
    let (store_id, terminal_id) = fields.optional_place("", given.store_id, given.terminal_id);
    Adjustment {
        program_id: optional_program(fields, "program_id", given.program_id),
        member: member_key(fields, "member", given.member),
        reason_id: fields.slug("reason_id", given.reason_id),
        points: fields.required_decimal("points", given.points, Bounds::up_to(BILLION, 4).positive()),
        note: fields.text("note", given.note, 0, 200),
        expires_at: fields.instant("expires_at", given.expires_at),
        store_id,
        terminal_id,
        cashier_id: fields.text("cashier_id", given.cashier_id, 0, 64),
    }
}

/// An adjustment on the wire.
pub(in crate::grpc) fn outcome(outcome: AdjustmentOutcome) -> wire::Adjustment {
    wire::Adjustment {
        adjustment_id: outcome.adjustment_id.to_string(),
        member_id: outcome.member_id.to_string(),
        program_id: outcome.program_id,
        program_version: outcome.program_version,
        reason_id: outcome.reason_id,
        points: decimal(outcome.points),
        points_expire_at: outcome.points_expire_at.map(timestamp),
        balance_before: decimal(outcome.balance_before),
        balance: Some(balance(outcome.balance, &outcome.currency)),
        recorded_at: Some(timestamp(outcome.recorded_at)),
    }
}
