//! Books that end in those of another member, and those that go on with what is in them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Books, LotsMissing, Stop, within_ledger};
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::hold::{Hold, HoldState};
use crate::domain::lot::{LotKey, LotPlace};
use crate::domain::number::Fraction;
use crate::domain::rejection::Rejection;
use crate::domain::shortfall::{self, Cover, ShortfallPolicy};

/// What a member leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Estate {
    /// What is left of lots, in order of consumption.
    pub(crate) lots: Vec<LeftLot>,
    pub(crate) debt: Decimal,
    /// Spend that counts towards tiers, by day, and an instant of that day.
    pub(crate) spend: BTreeMap<NaiveDate, (DateTime<Utc>, Decimal)>,
    pub(crate) carry: Fraction,
    /// When the member last did something.
    pub(crate) active_at: Option<DateTime<Utc>>,
    /// The birthday of the last bonus for one.
    pub(crate) birthday_bonus_on: Option<NaiveDate>,
    /// When all of it would have lapsed for want of activity.
    pub(crate) inactive_at: Option<DateTime<Utc>>,
}

/// What is left of a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftLot {
    /// As it was in the books that end.
    pub(crate) key: LotKey,
    pub(crate) points: Decimal,
    /// Until when they cannot be spent.
    pub(crate) pending_until: Option<DateTime<Utc>>,
}

/// Where lots went: as they were in the books that ended, and as they are.
pub(crate) type LotsMoved = Vec<(LotKey, LotKey)>;

impl Books {
    /// Lets all live holds end.
    pub(crate) fn release_holds(&mut self, at: DateTime<Utc>) -> Result<(), LotsMissing> {
        self.settle_holds(at)?;
        if self.holds.has_unknown() {
            return Err(LotsMissing);
        }
        let live = self.holds.live_terms(at);
        for terms in live {
            let state = HoldState::Released { at };
            self.put_hold(Hold { terms, state }, at)?;
        }
        Ok(())
    }

    /// Takes everything out: what has lapsed was written off, and no hold lives. `spend` is all that counts towards tiers.
    pub(crate) fn move_out(
        &mut self,
        spend: BTreeMap<NaiveDate, (DateTime<Utc>, Decimal)>,
        occasion: &Occasion,
    ) -> Result<Estate, LotsMissing> {
        if !self.knows_all_lots() || self.pending.has_unknown() {
            return Err(LotsMissing);
        }
        let lots: Vec<_> = self.open_lots().collect();
        let mut estate = Estate {
            debt: self.account.debt,
            carry: self.account.carry,
            active_at: self.account.active_at,
            birthday_bonus_on: self.account.birthday_bonus_on,
            inactive_at: self.account.inactive_at,
            spend,
            lots: Vec::new(),
        };
        for (key, remaining) in &lots {
            let free = self.pending.spendable(*key, *remaining, occasion.recorded_at);
            let until = self.pending.until(*key);
            for (pending_until, points) in [(None, free), (until, remaining - free)] {
                if points > Decimal::ZERO {
                    estate.lots.push(LeftLot {
                        key: *key,
                        points,
                        pending_until,
                    });
                }
            }
        }
        self.take(EntryKind::MergeOut, &Cover::of_lots(lots), occasion)?;
        let tier_spend = std::mem::take(&mut self.account.tier_spend);
        if let Some(entry) = self.new_entries.last_mut() {
            entry.tier_spend = -tier_spend;
        }
        if !estate.debt.is_zero() {
            self.account.debt = Decimal::ZERO;
            self.push(EntryKind::MergeOut, estate.debt, occasion);
        }
        self.account.carry = Fraction::ZERO;
        self.account.sweep_at = None;
        Ok(estate)
    }

    /// Takes in what another member leaves. What was owed is owed here: it is taken out of points that can be spent, and
    /// the rest repaid out of the lots that come, as by any credit; these keep their instants. Answers where lots went.
    pub(crate) fn move_in(&mut self, estate: &Estate, occasion: &Occasion) -> Result<LotsMoved, Stop> {
        let points: Decimal = estate.lots.iter().map(|lot| lot.points).sum();
        within_ledger("points", self.account.points + points)?;
        within_ledger("debt", self.account.debt + estate.debt)?;
        let spend: Decimal = estate.spend.values().map(|(_, spend)| spend).sum();
        within_ledger("tier_spend", self.account.tier_spend + spend)?;
        self.join_activity(estate);
        self.account.birthday_bonus_on = self.account.birthday_bonus_on.max(estate.birthday_bonus_on);
        let last = self.account.last_sequence;
        if !estate.debt.is_zero() {
            let policy = ShortfallPolicy::AllowNegative;
            let cover = shortfall::cover(self, estate.debt, policy, occasion.recorded_at)?;
            self.take(EntryKind::MergeIn, &cover, occasion)?;
        }
        let mut moved = LotsMoved::with_capacity(estate.lots.len());
        for lot in &estate.lots {
            let expires_at = lot.key.expires_at;
            self.credit_pending(EntryKind::MergeIn, lot.points, expires_at, lot.pending_until, occasion);
            let sequence = self.account.last_sequence;
            moved.push((lot.key, LotKey { expires_at, sequence }));
        }
        for (day, (at, spend)) in &estate.spend {
            if spend.is_zero() {
                continue;
            }
            self.account.tier_spend += spend;
            if let Some(days) = &mut self.spend_by_day {
                *days.entry(*day).or_default() += spend;
            }
            self.push(EntryKind::MergeIn, Decimal::ZERO, occasion);
            if let Some(entry) = self.new_entries.last_mut() {
                entry.tier_spend = *spend;
                entry.spend_at = Some(*at);
            }
        }
        if self.account.last_sequence == last {
            // The history says that it happened.
            self.push(EntryKind::MergeIn, Decimal::ZERO, occasion);
        }
        let carry = self.account.carry.plus(estate.carry);
        self.account.carry = carry.ok_or(Rejection::LedgerRange { field: "carry" })?.bounded();
        Ok(moved)
    }

    /// Notes where the lots went that were taken out of these books.
    pub(crate) fn note_moves(&mut self, moved: LotsMoved, into: Uuid) {
        for (key, lot) in moved {
            let member_id = into;
            self.learn_move(key, LotPlace { member_id, lot });
        }
    }
}
