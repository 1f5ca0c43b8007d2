//! The replay: entries in order of sequence, each checked against its neighbours and done again.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::moves::Going;
use super::{Drift, DriftKind, Fact};
use crate::domain::entry::{EntryKind, Lifetime};
use crate::domain::lot::{Allocation, LotKey};

/// Drifts that are told of one member: more of them say no more.
const MOST: usize = 100;

/// The books that the entries of one member come to.
#[derive(Debug)]
pub(crate) struct Replay {
    /// Sequence of the newest entry; 0 before the first.
    last: u64,
    recorded_at: Option<DateTime<Utc>>,
    /// After the entries that are done; unknown behind a gap.
    balance: Option<Decimal>,
    /// The newest entry: whether its points or its balance are right shows in the next one.
    newest: Option<Fact>,
    /// Sequences without entries.
    pub(super) gaps: Vec<RangeInclusive<u64>>,
    pub(super) lots: BTreeMap<LotKey, ReplayedLot>,
    /// Where the points of lots went.
    pub(super) moves: BTreeMap<LotKey, Going>,
    pub(super) debt: Decimal,
    /// Entries that changed the debt, or whose allocations are wrong.
    pub(super) debtors: Vec<Debtor>,
    pub(super) lifetime: Lifetime,
    pub(super) tier_spend: Decimal,
    /// As the newest entry says.
    pub(super) inactive_at: Option<DateTime<Utc>>,
    pub(super) drifts: Vec<Drift>,
    /// Drifts beyond the most that are told.
    pub(super) left_out: u64,
}

/// A lot as the entries left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplayedLot {
    pub(super) points: Decimal,
    pub(super) remaining: Decimal,
    /// Written off when it lapsed.
    pub(super) lapsed: Decimal,
    /// Whether it was met among the stored ones.
    pub(super) is_stored: bool,
}

/// An entry some of whose points no lot bears.
#[derive(Clone, Debug)]
pub(super) struct Debtor {
    pub(super) sequence: u64,
    /// By which the debt grew.
    pub(super) change: Decimal,
    pub(super) allocations: Vec<Allocation>,
}

impl Replay {
    /// Before the first entry.
    pub(crate) fn new() -> Self {
        Self {
            last: 0,
            recorded_at: None,
            balance: Some(Decimal::ZERO),
            newest: None,
            gaps: Vec::new(),
            lots: BTreeMap::new(),
            moves: BTreeMap::new(),
            debt: Decimal::ZERO,
            debtors: Vec::new(),
            lifetime: Lifetime::default(),
            tier_spend: Decimal::ZERO,
            inactive_at: None,
            drifts: Vec::new(),
            left_out: 0,
        }
    }

    /// The next entry.
    pub(crate) fn entry(&mut self, fact: Fact) {
        self.check_sequence(&fact);
        if let Some(newest) = self.newest.take() {
            let agrees = newest.balance_after + fact.points == fact.balance_after;
            self.settle(newest, agrees && !self.is_missing(fact.sequence.saturating_sub(1)));
        }
        if self.is_missing(fact.sequence.saturating_sub(1)) {
            self.balance = None;
        }
        self.check_time(&fact);
        self.last = fact.sequence;
        self.newest = Some(fact);
    }

    /// An allocation of an entry that is not there.
    pub(super) fn orphan(&mut self, allocation: Allocation) {
        if self.is_missing(allocation.entry_sequence) {
            // It tells what the missing entry did.
            self.allocate(allocation.entry_sequence, allocation, false);
            return;
        }
        let drift = Drift::new(DriftKind::Allocation, "sequence");
        let drift = drift.of_entry(allocation.entry_sequence).of_lot(allocation.lot);
        self.tell(drift.stored(allocation.points));
    }

    /// No more entries; `last_sequence` and `balance` are what the account says.
    pub(super) fn end(&mut self, last_sequence: u64, balance: Decimal) {
        if self.last < last_sequence {
            self.miss(self.last.saturating_add(1), last_sequence);
        }
        if let Some(newest) = self.newest.take() {
            let agrees = newest.balance_after == balance && self.last == last_sequence;
            self.settle(newest, agrees);
        }
        if self.last > last_sequence {
            let drift = Drift::new(DriftKind::Sequence, "last_sequence").of_entry(self.last);
            self.tell(drift.expected(self.last).stored(last_sequence));
        }
    }

    pub(super) fn is_missing(&self, sequence: u64) -> bool {
        self.gaps.iter().any(|gap| gap.contains(&sequence))
    }

    pub(super) fn tell(&mut self, drift: Drift) {
        if self.drifts.len() < MOST {
            self.drifts.push(drift);
        } else {
            self.left_out += 1;
        }
    }

    fn check_sequence(&mut self, fact: &Fact) {
        let next = self.last.saturating_add(1);
        if fact.sequence > next {
            self.miss(next, fact.sequence - 1);
        } else if fact.sequence == 0 {
            let drift = Drift::new(DriftKind::Sequence, "sequence").of_entry(fact.sequence);
            self.tell(drift.stored(fact.sequence));
        }
    }

    fn miss(&mut self, first: u64, last: u64) {
        self.gaps.push(first..=last);
        let missing = if first == last {
            first.to_string()
        } else {
            format!("{first} to {last}")
        };
        let drift = Drift::new(DriftKind::Sequence, "sequence").of_entry(first);
        self.tell(drift.expected(missing));
    }

    fn check_time(&mut self, fact: &Fact) {
        match self.recorded_at {
            Some(before) if fact.recorded_at < before => {
                let drift = Drift::new(DriftKind::Entry, "recorded_at").of_entry(fact.sequence);
                self.tell(drift.expected(before).stored(fact.recorded_at));
            }
            _ => self.recorded_at = Some(fact.recorded_at),
        }
    }

    /// Does an entry again. `is_confirmed`: whether what follows agrees with its balance.
    fn settle(&mut self, mut fact: Fact, is_confirmed: bool) {
        let before = self.balance.unwrap_or(fact.balance_after - fact.points);
        let after = before + fact.points;
        if after != fact.balance_after {
            let entry = |field| Drift::new(DriftKind::Entry, field).of_entry(fact.sequence);
            if is_confirmed {
                let points = fact.balance_after - before;
                self.tell(entry("points").expected(points).stored(fact.points));
                fact.points = points;
            } else {
                self.tell(entry("balance_after").expected(after).stored(fact.balance_after));
                fact.balance_after = after;
            }
        }
        self.balance = Some(fact.balance_after);
        self.tier_spend += fact.tier_spend;
        self.inactive_at = fact.inactive_at;
        self.lifetime += fact.lifetime_before;
        match fact.kind {
            Ok(kind) => self.lifetime.count(kind, fact.points),
            Err(number) => {
                let drift = Drift::new(DriftKind::Entry, "kind").of_entry(fact.sequence);
                self.tell(drift.stored(u64::from(number)));
            }
        }
        self.note_moves(&fact);
        self.change_lots(fact);
    }

    fn change_lots(&mut self, fact: Fact) {
        let created = fact.lot_expires_at.map(|expires_at| LotKey {
            expires_at,
            sequence: fact.sequence,
        });
        let (own, others): (Vec<Allocation>, Vec<Allocation>) = fact
            .allocations
            .iter()
            .partition(|allocation| Some(allocation.lot) == created);
        let is_lapse = fact.kind == Ok(EntryKind::Expire);
        let moved = self.allocate_all(fact.sequence, &others, is_lapse);
        let change = match created {
            // It came whole, beside what was moved from other lots; what is taken out of it at once repays a debt.
            Some(key) => {
                self.lots.insert(key, ReplayedLot::whole(fact.points - moved));
                self.allocate_all(fact.sequence, &own, is_lapse)
            }
            None => moved - fact.points,
        };
        self.debt += change;
        if !change.is_zero() {
            self.debtors.push(Debtor {
                sequence: fact.sequence,
                change,
                allocations: fact.allocations,
            });
        }
    }

    /// Moves points; the sum of what was moved.
    fn allocate_all(&mut self, sequence: u64, allocations: &[Allocation], is_lapse: bool) -> Decimal {
        let moves = allocations
            .iter()
            .map(|allocation| self.allocate(sequence, *allocation, is_lapse));
        moves.sum()
    }

    /// The points moved; none where there is no such lot.
    fn allocate(&mut self, sequence: u64, allocation: Allocation, is_lapse: bool) -> Decimal {
        if let Some(lot) = self.lots.get_mut(&allocation.lot) {
            lot.remaining += allocation.points;
            if is_lapse {
                lot.lapsed -= allocation.points;
            }
            return allocation.points;
        }
        // A lot that came with others of the same entry, each with its own expiry; or what is left of one whose entry is
        // missing.
        if allocation.lot.sequence == sequence || self.is_missing(allocation.lot.sequence) {
            self.lots.insert(allocation.lot, ReplayedLot::whole(allocation.points));
            return allocation.points;
        }
        let drift = Drift::new(DriftKind::Allocation, "lot_sequence").of_entry(sequence);
        self.tell(drift.of_lot(allocation.lot).stored(allocation.points));
        Decimal::ZERO
    }
}

impl ReplayedLot {
    pub(super) fn whole(points: Decimal) -> Self {
        Self {
            points,
            remaining: points,
            lapsed: Decimal::ZERO,
            is_stored: false,
        }
    }
}
