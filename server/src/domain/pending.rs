//! Points that belong to a member and cannot be spent yet.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::account::{Books, LotsMissing};
use super::lot::LotKey;

/// What of a lot is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PendingLot {
    /// From then on it can be spent.
    pub(crate) until: DateTime<Utc>,
    pub(crate) points: Decimal,
}

/// The pending lots of one member, as far as they are known. Those whose time has come stay in the account's sum until a
/// write settles them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pending {
    /// Whether there may be others than those in `lots`.
    has_unknown: bool,
    lots: BTreeMap<LotKey, PendingLot>,
    touched: BTreeSet<LotKey>,
    /// Up to when rows have to be removed.
    settled_until: Option<DateTime<Utc>>,
}

impl Pending {
    /// Nothing loaded yet, of `sum` points.
    pub(crate) fn unknown(sum: Decimal) -> Self {
        Self {
            has_unknown: !sum.is_zero(),
            ..Self::default()
        }
    }

    /// Whether there may be pending lots that are not loaded.
    pub(crate) fn has_unknown(&self) -> bool {
        self.has_unknown
    }

    /// Takes in all of them.
    pub(crate) fn learn(&mut self, lots: Vec<(LotKey, PendingLot)>) {
        self.has_unknown = false;
        for (key, lot) in lots {
            self.lots.entry(key).or_insert(lot);
        }
    }

    pub(crate) fn add(&mut self, key: LotKey, lot: PendingLot) {
        self.lots.insert(key, lot);
        self.touched.insert(key);
    }

    /// What can be spent of a lot of `remaining` points.
    pub(crate) fn spendable(&self, key: LotKey, remaining: Decimal, at: DateTime<Utc>) -> Decimal {
        let pending = self.lots.get(&key).filter(|lot| lot.until > at);
        remaining - pending.map_or(Decimal::ZERO, |lot| lot.points)
    }

    /// Until when what is pending of a lot cannot be spent.
    pub(crate) fn until(&self, key: LotKey) -> Option<DateTime<Utc>> {
        self.lots.get(&key).map(|lot| lot.until)
    }

    /// What is pending of a lot, if anything.
    pub(crate) fn of(&self, key: LotKey) -> Option<PendingLot> {
        self.lots.get(&key).copied().filter(|lot| !lot.points.is_zero())
    }

    /// Points that are pending at an instant; those of lots that lapsed by then are not.
    pub(crate) fn at(&self, at: DateTime<Utc>) -> Decimal {
        self.pending_at(at).map(|lot| lot.points).sum()
    }

    /// The next instant after `at` at which some can be spent.
    pub(crate) fn next_after(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.pending_at(at).map(|lot| lot.until).min()
    }

    /// The first instant at which any of them could or can be spent.
    pub(crate) fn first(&self) -> Option<DateTime<Utc>> {
        let open = self.lots.values().filter(|lot| !lot.points.is_zero());
        open.map(|lot| lot.until).min()
    }

    /// A lot is down to `remaining` points: no more of it can be pending. Answers by how much that is less.
    pub(crate) fn shrink(&mut self, key: LotKey, remaining: Decimal) -> Decimal {
        let Some(lot) = self.lots.get_mut(&key) else {
            return Decimal::ZERO;
        };
        let less = (lot.points - remaining).max(Decimal::ZERO);
        if !less.is_zero() {
            lot.points -= less;
            self.touched.insert(key);
        }
        less
    }

    /// Forgets those whose time has come. Answers their points.
    pub(crate) fn settle(&mut self, at: DateTime<Utc>) -> Decimal {
        let due = |lot: &PendingLot| lot.until <= at;
        let points = self.lots.values().filter(|lot| due(lot)).map(|lot| lot.points).sum();
        self.lots.retain(|_, lot| !due(lot));
        self.settled_until = self.settled_until.max(Some(at));
        points
    }

    /// Up to which instant rows have to be removed.
    pub(crate) fn settled_until(&self) -> Option<DateTime<Utc>> {
        self.settled_until
    }

    /// What has to be written, as it is now.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (LotKey, PendingLot)> {
        self.touched
            .iter()
            .filter_map(|key| self.lots.get(key).map(|lot| (*key, *lot)))
    }

    fn pending_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = &PendingLot> {
        self.lots
            .iter()
            .filter(move |(key, lot)| key.expires_at > at && lot.until > at && !lot.points.is_zero())
            .map(|(_, lot)| lot)
    }
}

impl Books {
    /// Points that cannot be spent yet.
    pub(crate) fn pending_at(&self, at: DateTime<Utc>) -> Result<Decimal, LotsMissing> {
        if !self.has_due_pending(at) && !self.has_lapsed_lots(at) {
            return Ok(self.account.pending);
        }
        if self.pending.has_unknown() {
            return Err(LotsMissing);
        }
        if self.is_inactive(at) {
            return Ok(Decimal::ZERO);
        }
        Ok(self.pending.at(at))
    }

    /// The instant after `at` at which the next pending points can be spent; `None` without any.
    pub(crate) fn next_pending_until(&self, at: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, LotsMissing> {
        if !self.has_due_pending(at) && !self.has_lapsed_lots(at) {
            return Ok(self.account.pending_until);
        }
        if self.pending.has_unknown() {
            return Err(LotsMissing);
        }
        if self.is_inactive(at) {
            return Ok(None);
        }
        Ok(self.pending.next_after(at))
    }

    /// Whether pending points have come due that the account still counts as pending.
    pub(crate) fn has_due_pending(&self, at: DateTime<Utc>) -> bool {
        self.account.pending_until.is_some_and(|until| until <= at)
    }

    /// Lets pending points whose time has come be spent.
    pub(crate) fn settle_pending(&mut self, at: DateTime<Utc>) -> Result<(), LotsMissing> {
        if !self.has_due_pending(at) {
            return Ok(());
        }
        if self.pending.has_unknown() {
            return Err(LotsMissing);
        }
        self.account.pending -= self.pending.settle(at);
        self.account.pending_until = self.pending.first();
        Ok(())
    }
}
