//! Verification: what a member's entries come to, beside what is stored of it.
//!
//! What an entry does follows from its numbers and not from its kind: it creates a lot where it says so, moves what its
//! allocations say, and whatever of its points no lot bears is a change of the debt.

mod comparison;
mod link;
mod moves;
mod replay;
#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

pub(crate) use link::{StoredLink, check_head, check_link, missing_links};
pub(crate) use moves::StoredMove;
pub(crate) use replay::Replay;

use super::chain::Hash;
use super::entry::{EntryKind, Lifetime};
use super::hold::HoldTerms;
use super::lot::{Allocation, Lot, LotKey};
use super::pending::PendingLot;

/// What of an entry does something to the books, or shows that somebody meddled with it.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) sequence: u64,
    /// Or the number that is no kind.
    pub(crate) kind: Result<EntryKind, u8>,
    pub(crate) points: Decimal,
    pub(crate) balance_after: Decimal,
    pub(crate) tier_spend: Decimal,
    pub(crate) lot_expires_at: Option<DateTime<Utc>>,
    /// What an opening tells of the time before.
    pub(crate) lifetime_before: Lifetime,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) inactive_at: Option<DateTime<Utc>>,
    /// Of a merger: the member whom points came from or went to.
    pub(crate) other_member: Option<Uuid>,
    pub(crate) allocations: Vec<Allocation>,
}

/// The stored state of a member's books, as far as the entries can rebuild it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredState {
    pub(crate) last_sequence: u64,
    pub(crate) points: Decimal,
    pub(crate) debt: Decimal,
    pub(crate) pending: Decimal,
    pub(crate) pending_until: Option<DateTime<Utc>>,
    pub(crate) held: Decimal,
    pub(crate) hold_lapses_at: Option<DateTime<Utc>>,
    pub(crate) first_open_lot: Option<LotKey>,
    pub(crate) inactive_at: Option<DateTime<Utc>>,
    pub(crate) tier_spend: Decimal,
    pub(crate) lifetime_earned: Decimal,
    pub(crate) lifetime_redeemed: Decimal,
    pub(crate) lifetime_expired: Decimal,
}

/// What is stored of a member's books beside the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredRows {
    pub(crate) lots: Vec<(LotKey, Lot)>,
    /// Where lots say that their points went, of those that say so.
    pub(crate) moves: Vec<(LotKey, StoredMove)>,
    pub(crate) pending: Vec<(LotKey, PendingLot)>,
    /// Those that are open; `None`: one that cannot be read.
    pub(crate) holds: Vec<Option<HoldTerms>>,
    /// Allocations of entries that are not there.
    pub(crate) orphans: Vec<Allocation>,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DriftKind {
    /// An entry contradicts the entries beside it.
    Entry,
    /// Entries are missing, or the account counts others.
    Sequence,
    /// An allocation is missing, too many, or not what its entry and its lot need.
    Allocation,
    /// A lot is missing, too many, or not what its entries left of it.
    Lot,
    /// The points of the account are not those of the lots.
    Balance,
    Debt,
    /// What is pending is not what the account or the lots say.
    Pending,
    /// What is held is not what the account or the lots say.
    Held,
    FirstOpenLot,
    /// When points lapse for want of activity is not what the newest entry says.
    Inactivity,
    LifetimeTotals,
    TierSpend,
    /// The account of a member with entries is missing.
    Account,
    /// An entry is not what was sealed, or a link of the chain is missing or another.
    HashChain,
    /// No batch of the server announced the entry.
    Unannounced,
}

/// A difference between what the ledger says and what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) kind: DriftKind,
    /// None: of no member.
    pub(crate) member_id: Option<Uuid>,
    /// Of the entry.
    pub(crate) sequence: Option<u64>,
    pub(crate) lot: Option<LotKey>,
    /// Shard and position in the feed.
    pub(crate) place: Option<(u8, u64)>,
    /// What differs, by the name of its column.
    pub(crate) field: &'static str,
    /// None: nothing.
    pub(crate) expected: Option<String>,
    /// None: nothing.
    pub(crate) stored: Option<String>,
}

impl Drift {
    /// A drift of which nothing is known but what differs.
    pub(crate) fn new(kind: DriftKind, field: &'static str) -> Self {
        Self {
            kind,
            member_id: None,
            sequence: None,
            lot: None,
            place: None,
            field,
            expected: None,
            stored: None,
        }
    }

    pub(crate) fn of_member(self, member_id: Uuid) -> Self {
        Self {
            member_id: Some(member_id),
            ..self
        }
    }

    pub(crate) fn of_entry(self, sequence: u64) -> Self {
        Self {
            sequence: Some(sequence),
            ..self
        }
    }

    pub(crate) fn of_lot(self, lot: LotKey) -> Self {
        Self { lot: Some(lot), ..self }
    }

    pub(crate) fn at(self, shard: u8, position: u64) -> Self {
        Self {
            place: Some((shard, position)),
            ..self
        }
    }

    pub(crate) fn expected(self, expected: impl Said) -> Self {
        Self {
            expected: expected.said(),
            ..self
        }
    }

    pub(crate) fn stored(self, stored: impl Said) -> Self {
        Self {
            stored: stored.said(),
            ..self
        }
    }
}

/// How a value is told.
pub(crate) trait Said {
    fn said(&self) -> Option<String>;
}

impl Said for Decimal {
    fn said(&self) -> Option<String> {
        Some(self.normalize().to_string())
    }
}

impl Said for u64 {
    fn said(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Said for String {
    fn said(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Said for DateTime<Utc> {
    fn said(&self) -> Option<String> {
        Some(self.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Said for Hash {
    fn said(&self) -> Option<String> {
        Some(self.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Entry and expiry.
impl Said for LotKey {
    fn said(&self) -> Option<String> {
        let expires_at = self.expires_at.said().unwrap_or_default();
        Some(format!("{} {expires_at}", self.sequence))
    }
}

impl<T: Said> Said for Option<T> {
    fn said(&self) -> Option<String> {
        self.as_ref().and_then(Said::said)
    }
}
