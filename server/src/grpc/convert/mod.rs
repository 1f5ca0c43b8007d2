//! Between protobuf and the domain.

pub(super) mod adjustment;
mod birthday_bonus;
pub(super) mod configuration_change;
pub(super) mod drift;
mod enrolment_policy;
pub(super) mod entry;
pub(super) mod expiry;
mod expiry_policy;
mod field_changes;
pub(super) mod importing;
pub(super) mod member;
pub(super) mod member_edit;
pub(super) mod offline;
pub(super) mod outcome;
pub(super) mod person;
pub(super) mod product;
pub(super) mod program;
pub(super) mod reason;
pub(super) mod receipt;
pub(super) mod redemption;
mod redemption_policy;
pub(super) mod reward;
pub(super) mod rule;
pub(super) mod sale;
pub(super) mod sale_record;
pub(super) mod sale_return;
mod tier;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use crate::domain::number::Currency;

/// A number on the wire.
pub(super) fn decimal(value: Decimal) -> Option<wire::Decimal> {
    Some(wire::Decimal {
        value: value.normalize().to_string(),
    })
}

/// Money on the wire, with all decimals of its currency.
pub(super) fn money(currency: &Currency, amount: Decimal) -> Option<wire::Money> {
    let mut amount = amount;
    if amount.scale() < currency.minor_units || amount.normalize().scale() <= currency.minor_units {
        amount.rescale(currency.minor_units);
    }
    Some(wire::Money {
        currency_code: currency.code.clone(),
        amount: Some(wire::Decimal {
            value: amount.to_string(),
        }),
    })
}

/// An instant on the wire.
pub(super) fn timestamp(instant: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: instant.timestamp(),
        nanos: i32::try_from(instant.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}
