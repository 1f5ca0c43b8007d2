//! The comparison of what the entries come to with what is stored.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::replay::{Debtor, Replay, ReplayedLot};
use super::{Drift, DriftKind, StoredRows, StoredState};
use crate::domain::hold::HoldTerms;
use crate::domain::lot::{Lot, LotKey};
use crate::domain::pending::PendingLot;

/// A lot that is not as the entries left it.
struct Mismatch {
    key: LotKey,
    expected: Option<ReplayedLot>,
    stored: Option<Lot>,
}

impl Replay {
    /// All differences to the stored books, and how many more there are than are told.
    pub(crate) fn compare(mut self, state: &StoredState, rows: StoredRows) -> (Vec<Drift>, u64) {
        self.end(state.last_sequence, state.points - state.debt);
        for allocation in &rows.orphans {
            self.orphan(*allocation);
        }
        let mismatches = self.meet_lots(rows.lots);
        self.compare_lots(mismatches, state.debt);
        self.compare_moves(&rows.moves);
        self.compare_state(state);
        self.compare_pending(state, &rows.pending);
        self.compare_holds(state, &rows.holds);
        (self.drifts, self.left_out)
    }

    /// Lots that differ. Those whose entries are missing are taken as they are.
    fn meet_lots(&mut self, lots: Vec<(LotKey, Lot)>) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        for (key, lot) in lots {
            let is_unknown = self.is_missing(key.sequence);
            match self.lots.get_mut(&key) {
                Some(expected) if !is_unknown => {
                    expected.is_stored = true;
                    let lapsed = if self.gaps.is_empty() {
                        expected.lapsed
                    } else {
                        lot.lapsed
                    };
                    if (expected.points, expected.remaining, lapsed) != (lot.points, lot.remaining, lot.lapsed) {
                        let expected = Some(*expected);
                        mismatches.push(Mismatch {
                            key,
                            expected,
                            stored: Some(lot),
                        });
                    }
                }
                _ if is_unknown => {
                    let Lot {
                        points,
                        remaining,
                        lapsed,
                    } = lot;
                    let adopted = ReplayedLot {
                        points,
                        remaining,
                        lapsed,
                        is_stored: true,
                    };
                    self.lots.insert(key, adopted);
                }
                _ => mismatches.push(Mismatch {
                    key,
                    expected: None,
                    stored: Some(lot),
                }),
            }
        }
        let missing = self.lots.iter().filter(|(_, lot)| !lot.is_stored);
        mismatches.extend(missing.map(|(key, lot)| Mismatch {
            key: *key,
            expected: Some(*lot),
            stored: None,
        }));
        mismatches
    }

    /// Tells lots that differ; but where a lot and the debt differ by the same that an entry's allocations are off, it is
    /// that allocation that is wrong, and the lot is right.
    fn compare_lots(&mut self, mismatches: Vec<Mismatch>, stored_debt: Decimal) {
        for Mismatch { key, expected, stored } in mismatches {
            if let (Some(expected), Some(lot)) = (expected, stored) {
                let off = lot.remaining - expected.remaining;
                let owed = stored_debt - self.debt;
                let explains_debt = self.gaps.is_empty() && !owed.is_zero();
                if expected.points == lot.points && explains_debt && self.blame_allocation(key, off, owed) {
                    continue;
                }
            }
            let lot = Drift::new(DriftKind::Lot, "remaining")
                .of_entry(key.sequence)
                .of_lot(key);
            let lot = match (expected, stored) {
                (Some(expected), Some(stored)) if expected.points != stored.points => {
                    let lot = Drift { field: "points", ..lot };
                    lot.expected(expected.points).stored(stored.points)
                }
                (Some(expected), Some(stored)) if expected.remaining == stored.remaining => {
                    let lot = Drift { field: "lapsed", ..lot };
                    lot.expected(expected.lapsed).stored(stored.lapsed)
                }
                (expected, stored) => lot
                    .expected(expected.map(|lot| lot.remaining))
                    .stored(stored.map(|lot| lot.remaining)),
            };
            self.tell(lot);
        }
    }

    /// Whether an entry's allocation to a lot is `off` too low, so that the lot is right: that of an entry which changed
    /// the debt by just that; or, where the whole debt is off by as much, that of the only entry which took from the lot
    /// and from the debt as well.
    fn blame_allocation(&mut self, key: LotKey, off: Decimal, owed: Decimal) -> bool {
        let of_lot = |debtor: &Debtor| debtor.allocations.iter().any(|allocation| allocation.lot == key);
        let is_only = owed == off && self.debtors.iter().filter(|debtor| of_lot(debtor)).count() == 1;
        let exactly = self.debtors.iter().position(|debtor| debtor.change == -off);
        let only = self.debtors.iter().position(|debtor| is_only && of_lot(debtor));
        let Some(place) = exactly.or(only) else {
            return false;
        };
        let debtor = self.debtors.swap_remove(place);
        let allocation = debtor.allocations.iter().find(|allocation| allocation.lot == key);
        let points = allocation.map(|allocation| allocation.points);
        let drift = Drift::new(DriftKind::Allocation, "points").of_entry(debtor.sequence);
        let right = points.unwrap_or_default() + off;
        let right = Some(right).filter(|right| !right.is_zero());
        self.tell(drift.of_lot(key).expected(right).stored(points));
        self.debt += off;
        if let Some(lot) = self.lots.get_mut(&key) {
            lot.remaining += off;
        }
        true
    }

    fn compare_state(&mut self, state: &StoredState) {
        let points: Decimal = self.lots.values().map(|lot| lot.remaining).sum();
        self.differ(DriftKind::Balance, "points", points, state.points);
        let mut open = self.lots.iter().filter(|(_, lot)| lot.remaining > Decimal::ZERO);
        let first = open.next().map(|(key, _)| *key);
        if first != state.first_open_lot {
            let drift = Drift::new(DriftKind::FirstOpenLot, "first_open_lot");
            self.tell(drift.expected(first).stored(state.first_open_lot));
        }
        if !self.gaps.is_empty() {
            // What the missing entries added to these is not known.
            return;
        }
        // Without points there is nothing to lapse, and no entry to say when.
        if state.points > Decimal::ZERO && self.inactive_at != state.inactive_at {
            let drift = Drift::new(DriftKind::Inactivity, "inactive_at");
            self.tell(drift.expected(self.inactive_at).stored(state.inactive_at));
        }
        self.differ(DriftKind::Debt, "debt", self.debt, state.debt);
        self.differ(DriftKind::TierSpend, "tier_spend", self.tier_spend, state.tier_spend);
        let lifetime = self.lifetime;
        for (field, expected, stored) in [
            ("lifetime_earned", lifetime.earned, state.lifetime_earned),
            ("lifetime_redeemed", lifetime.redeemed, state.lifetime_redeemed),
            ("lifetime_expired", lifetime.expired, state.lifetime_expired),
        ] {
            self.differ(DriftKind::LifetimeTotals, field, expected, stored);
        }
    }

    /// When points become spendable is in no entry: the rows must agree with the account and the lots.
    fn compare_pending(&mut self, state: &StoredState, pending: &[(LotKey, PendingLot)]) {
        let sum: Decimal = pending.iter().map(|(_, lot)| lot.points).sum();
        self.differ(DriftKind::Pending, "pending", sum, state.pending);
        let open = pending.iter().filter(|(_, lot)| !lot.points.is_zero());
        let first = open.map(|(_, lot)| lot.until).min();
        if first != state.pending_until {
            let drift = Drift::new(DriftKind::Pending, "pending_until");
            self.tell(drift.expected(first).stored(state.pending_until));
        }
        for (key, waiting) in pending {
            self.check_within(DriftKind::Pending, *key, waiting.points);
        }
    }

    /// Holds are in no entry either: the open ones must agree with the account and the lots.
    fn compare_holds(&mut self, state: &StoredState, holds: &[Option<HoldTerms>]) {
        let readable: Vec<&HoldTerms> = holds.iter().flatten().collect();
        if readable.len() < holds.len() {
            // What it holds is not known.
            self.tell(Drift::new(DriftKind::Held, "document"));
            return;
        }
        let sum: Decimal = readable.iter().map(|hold| hold.points()).sum();
        self.differ(DriftKind::Held, "held", sum, state.held);
        let first = readable.iter().map(|hold| hold.lapses_at).min();
        if first != state.hold_lapses_at {
            let drift = Drift::new(DriftKind::Held, "hold_lapses_at");
            self.tell(drift.expected(first).stored(state.hold_lapses_at));
        }
        let mut of_lots: BTreeMap<LotKey, Decimal> = BTreeMap::new();
        for (key, points) in readable.iter().flat_map(|hold| &hold.lots) {
            *of_lots.entry(*key).or_default() += points;
        }
        for (key, points) in of_lots {
            self.check_within(DriftKind::Held, key, points);
        }
    }

    /// Points of a lot that are set aside cannot be more than it has.
    fn check_within(&mut self, kind: DriftKind, key: LotKey, points: Decimal) {
        let remaining = self.lots.get(&key).map_or(Decimal::ZERO, |lot| lot.remaining);
        if points < Decimal::ZERO || points > remaining {
            let drift = Drift::new(kind, "points").of_lot(key);
            let most = format!("at most {}", remaining.normalize());
            self.tell(drift.expected(most).stored(points));
        }
    }

    fn differ(&mut self, kind: DriftKind, field: &'static str, expected: Decimal, stored: Decimal) {
        if expected != stored {
            self.tell(Drift::new(kind, field).expected(expected).stored(stored));
        }
    }
}
