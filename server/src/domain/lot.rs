//! Lots: points that arrived together and expire together.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Place of a lot in the order of consumption: earliest expiry first, never-expiring last, oldest first among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LotKey {
    pub(crate) expires_at: DateTime<Utc>,
    /// Sequence of the entry that created the lot.
    pub(crate) sequence: u64,
}

/// A lot among those of all members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LotPlace {
    pub(crate) member_id: Uuid,
    pub(crate) lot: LotKey,
}

/// What is left of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lot {
    /// Points that arrived.
    pub(crate) points: Decimal,
    /// Points not yet taken, 0 to `points`.
    pub(crate) remaining: Decimal,
    /// Points that were written off when the lot lapsed.
    pub(crate) lapsed: Decimal,
}

/// What an entry put back into (positive) or took out of (negative) a lot that another entry created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub(crate) entry_sequence: u64,
    pub(crate) lot: LotKey,
    pub(crate) points: Decimal,
}
