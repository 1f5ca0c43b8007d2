//! What undoes earlier movements: points that come back to the lots they were taken from, and points that are taken out
//! of the lots they arrived in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::Books;
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::lot::{Allocation, Lot, LotKey};
use crate::domain::outcome::Accounting;

impl Books {
    /// Takes in a lot by its key, open or used up.
    pub(crate) fn learn_lot(&mut self, key: LotKey, lot: Lot) {
        self.lots.entry(key).or_insert(lot);
    }

    /// A lot, if it is known.
    pub(crate) fn lot(&self, key: LotKey) -> Option<&Lot> {
        self.lots.get(&key)
    }

    /// Gives points back to the lots they were taken from, which keep their expiry; a debt is repaid out of them first, but
    /// not out of what lapsed meanwhile, which has to be written off again. The lots are known.
    pub(crate) fn give_back(&mut self, points: &[(LotKey, Decimal)], accounting: &Accounting, occasion: &Occasion) {
        let sum: Decimal = points.iter().map(|(_, points)| points).sum();
        let is_live = |books: &Self, key: LotKey| books.lapses_at(key) > occasion.recorded_at;
        let live = points.iter().filter(|(key, _)| is_live(self, *key));
        let mut owed = self.account.debt.min(live.map(|(_, points)| points).sum());
        self.account.debt -= owed;
        self.account.points += sum - owed;
        let entry_sequence = self.push(EntryKind::RedeemReversal, sum, occasion);
        // By expiry, as they come.
        for (key, points) in points.iter().copied() {
            let repaid = match is_live(self, key) {
                true => owed.min(points),
                false => Decimal::ZERO,
            };
            owed -= repaid;
            self.put(key, points - repaid, entry_sequence);
        }
        self.book_to(accounting);
    }

    /// Gives points back whose lots were another member's when they were taken, or went to another expiry since then: as a
    /// lot of their own for each expiry, the earliest first.
    pub(crate) fn give_back_as_new(
        &mut self,
        points: &[(LotKey, Decimal)],
        accounting: &Accounting,
        occasion: &Occasion,
    ) {
        let mut by_expiry: BTreeMap<DateTime<Utc>, Decimal> = BTreeMap::new();
        for (key, points) in points {
            *by_expiry.entry(key.expires_at).or_default() += points;
        }
        for (expires_at, points) in by_expiry {
            self.credit(EntryKind::RedeemReversal, points, expires_at, occasion);
            self.book_to(accounting);
        }
    }

    /// Gives points back that no lot had when they were taken: what was owed for them is repaid, or has been.
    pub(crate) fn give_back_owed(
        &mut self,
        points: Decimal,
        expires_at: DateTime<Utc>,
        accounting: &Accounting,
        occasion: &Occasion,
    ) {
        self.credit(EntryKind::RedeemReversal, points, expires_at, occasion);
        self.book_to(accounting);
    }

    /// Takes back the write-off of points that, as it turns out, never should have come: what of a lapsed lot is taken back
    /// must not be taken out of other lots.
    pub(crate) fn take_back_lapse(&mut self, key: LotKey, points: Decimal, occasion: &Occasion) {
        self.account.points += points;
        let entry_sequence = self.push(EntryKind::Expire, points, occasion);
        if let Some(lot) = self.lots.get_mut(&key) {
            lot.lapsed -= points;
        }
        self.put(key, points, entry_sequence);
    }

    /// Gives what a sale turns out to have earned beyond what it was given, as a lot of its own.
    pub(crate) fn earn_more(
        &mut self,
        points: Decimal,
        expires_at: DateTime<Utc>,
        pending_until: Option<DateTime<Utc>>,
        occasion: &Occasion,
    ) -> LotKey {
        self.credit_pending(EntryKind::EarnReversal, points, expires_at, pending_until, occasion);
        LotKey {
            expires_at,
            sequence: self.account.last_sequence,
        }
    }

    fn put(&mut self, key: LotKey, points: Decimal, entry_sequence: u64) {
        if points.is_zero() {
            return;
        }
        if let Some(lot) = self.lots.get_mut(&key) {
            lot.remaining += points;
        }
        self.touched_lots.insert(key);
        self.new_allocations.push(Allocation {
            entry_sequence,
            lot: key,
            points,
        });
        let first = self.account.first_open_lot.map_or(key, |first| first.min(key));
        self.account.first_open_lot = Some(first);
        self.sweep_by(self.lapses_at(key));
    }

    fn book_to(&mut self, accounting: &Accounting) {
        if let Some(entry) = self.new_entries.last_mut() {
            entry.accounting.clone_from(accounting);
        }
    }
}
