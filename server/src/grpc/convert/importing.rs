//! Members who come from another system.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::{member, member_edit};
use crate::domain::enrolment::Enrolment;
use crate::domain::entry::Lifetime;
use crate::domain::importing::{Opening, OpeningExpiry, OpeningLot, OpeningSpend};
use crate::grpc::fields::{Bounds, Fields};

const MOST_LOTS: usize = 100;
/// Days of spend: more than the year that the longest windows look back.
const MOST_DAYS: usize = 400;
/// What is said to lie before it is a slip.
const EARLIEST_YEAR: i32 = 1900;

const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// 10^12.
const TRILLION: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// A row of an import.
pub(in crate::grpc) fn imported_member(
    fields: &mut Fields,
    program_id: &str,
    given: wire::ImportedMember,
) -> (Enrolment, Opening) {
    if given.member.is_none() {
        fields.wrong("member", "is missing");
    }
    let enrolment = given.member.unwrap_or_default();
    for (field, text) in [
        ("request_id", &enrolment.request_id),
        ("program_id", &enrolment.program_id),
    ] {
        if !text.is_empty() {
            fields.wrong(field, "is that of the import");
        }
    }
    let enrolment = wire::EnrollMemberRequest {
        program_id: program_id.to_owned(),
        ..enrolment
    };
    let mut total = |field, value| {
        let total = fields.decimal(field, value, Bounds::up_to(TRILLION, 4));
        total.unwrap_or_default()
    };
    let lifetime = Lifetime {
        earned: total("lifetime_earned", given.lifetime_earned),
        redeemed: total("lifetime_redeemed", given.lifetime_redeemed),
        expired: total("lifetime_expired", given.lifetime_expired),
    };
    let opening = Opening {
        enrolled_at: instant(fields, "enrolled_at", given.enrolled_at),
        lots: lots(fields, given.lots),
        tier_spend: tier_spend(fields, given.tier_spend),
        lifetime,
        debt: fields
            .decimal("debt", given.debt, Bounds::up_to(BILLION, 4))
            .unwrap_or_default(),
        block_reason: fields.text("block_reason", given.block_reason, 0, member_edit::REASON_LENGTH),
        opted_out: given.opted_out,
    };
    (member::enrolment(fields, enrolment), opening)
}

fn lots(fields: &mut Fields, given: Vec<wire::OpeningLot>) -> Vec<OpeningLot> {
    use wire::opening_lot::Expiry;
    if !fields.at_most("lots", &given, MOST_LOTS) {
        return Vec::new();
    }
    let lot = |(place, given): (usize, wire::OpeningLot)| {
        let at = |name: &str| format!("lots[{place}].{name}");
        let expiry = match given.expiry {
            None => OpeningExpiry::AsProgram,
            Some(Expiry::NeverExpires(true)) => OpeningExpiry::Never,
            Some(Expiry::NeverExpires(false)) => {
                fields.wrong(at("never_expires"), "is true where it is said");
                OpeningExpiry::Never
            }
            Some(Expiry::ExpiresAt(instant_given)) => {
                let instant = instant(fields, &at("expires_at"), Some(instant_given));
                instant.map_or(OpeningExpiry::AsProgram, OpeningExpiry::At)
            }
        };
        OpeningLot {
            points: fields.required_decimal(&at("points"), given.points, Bounds::up_to(BILLION, 4).positive()),
            accrued_at: instant(fields, &at("accrued_at"), given.accrued_at),
            expiry,
            pending_until: instant(fields, &at("pending_until"), given.pending_until),
        }
    };
    given.into_iter().enumerate().map(lot).collect()
}

fn tier_spend(fields: &mut Fields, given: Vec<wire::OpeningSpend>) -> Vec<OpeningSpend> {
    if !fields.at_most("tier_spend", &given, MOST_DAYS) {
        return Vec::new();
    }
    let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
    let mut spends = Vec::with_capacity(given.len());
    for (place, given) in given.into_iter().enumerate() {
        let at = |name: &str| format!("tier_spend[{place}].{name}");
        let bounds = Bounds::up_to(BILLION, 4).positive();
        let amount = fields.required_decimal(&at("amount"), given.amount, bounds);
        if given.day.is_empty() {
            fields.wrong(at("day"), "is missing");
        }
        let Some(day) = fields.date(&at("day"), &given.day) else {
            continue;
        };
        if day.year() < EARLIEST_YEAR {
            fields.wrong(at("day"), format!("lies before the year {EARLIEST_YEAR}"));
        }
        if !days.insert(day) {
            fields.wrong(at("day"), "is there twice");
        }
        spends.push(OpeningSpend { day, amount });
    }
    spends
}

fn instant(fields: &mut Fields, field: &str, given: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
    let instant = fields.instant(field, given)?;
    if instant.year() < EARLIEST_YEAR {
        fields.wrong(field, format!("lies before the year {EARLIEST_YEAR}"));
    }
    Some(instant)
}
