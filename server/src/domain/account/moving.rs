//! Lots that go to another expiry: the points stay, and so does the balance.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::Books;
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::lot::{Allocation, Lot, LotKey, LotPlace};

impl Books {
    /// Moves what remains of a lot, of which nothing is held. All open lots are known, and what is pending.
    pub(crate) fn move_lot(&mut self, key: LotKey, expires_at: DateTime<Utc>, occasion: &Occasion) {
        let Some(lot) = self.lots.get_mut(&key) else {
            return;
        };
        let points = std::mem::take(&mut lot.remaining);
        let waiting = self.pending.of(key);
        self.account.pending -= self.pending.shrink(key, Decimal::ZERO);
        let sequence = self.push(EntryKind::ExpiryChange, Decimal::ZERO, occasion);
        if let Some(entry) = self.new_entries.last_mut() {
            entry.lot_expires_at = Some(expires_at);
        }
        self.new_allocations.push(Allocation {
            entry_sequence: sequence,
            lot: key,
            points: -points,
        });
        let moved = LotKey { expires_at, sequence };
        let lot = Lot {
            points,
            remaining: points,
            lapsed: Decimal::ZERO,
        };
        self.lots.insert(moved, lot);
        self.touched_lots.extend([key, moved]);
        self.learn_move(key, self.place(moved));
        if let Some(waiting) = waiting {
            self.account.pending += waiting.points;
            self.pending.add(moved, waiting);
        }
        let first_open_lot = self.open_lots().next().map(|(key, _)| key);
        self.account.first_open_lot = first_open_lot;
        self.account.pending_until = self.pending.first();
        self.sweep_by(self.lapses_at(moved));
    }

    /// The history says that points lapse at another instant though no lot moved.
    pub(crate) fn note_expiry_change(&mut self, occasion: &Occasion) {
        self.push(EntryKind::ExpiryChange, Decimal::ZERO, occasion);
        if let Some(first) = self.account.first_open_lot {
            self.sweep_by(self.lapses_at(first));
        }
    }

    /// Takes in where a lot went.
    pub(crate) fn learn_move(&mut self, from: LotKey, into: LotPlace) {
        self.moved.entry(from).or_insert(into);
    }

    /// Where a lot went, if it was moved.
    pub(crate) fn moved_to(&self, key: LotKey) -> Option<LotPlace> {
        self.moved.get(&key).copied()
    }

    /// A lot and those of these books that its points went to, one after the other.
    pub(crate) fn with_moves(&self, key: LotKey) -> impl Iterator<Item = LotKey> {
        let is_here = |place: &LotPlace| place.member_id == self.account.member_id;
        std::iter::successors(Some(key), move |key| {
            self.moved_to(*key).filter(is_here).map(|place| place.lot)
        })
    }

    /// A lot of these books among those of all members.
    pub(crate) fn place(&self, lot: LotKey) -> LotPlace {
        LotPlace {
            member_id: self.account.member_id,
            lot,
        }
    }
}
