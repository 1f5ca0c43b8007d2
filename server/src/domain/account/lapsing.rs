//! Points that lapse: which have, which will, and when to look for them again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Books, LotsMissing};
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::expiry::NEVER;
use crate::domain::lot::LotKey;
use crate::domain::shortfall::Cover;

/// Points of lots that lapsed at one instant.
type Lapses = BTreeMap<DateTime<Utc>, BTreeMap<LotKey, Decimal>>;

impl Books {
    /// Whether a lot has lapsed that the books still count.
    pub(crate) fn has_lapsed_lots(&self, at: DateTime<Utc>) -> bool {
        self.account
            .first_open_lot
            .is_some_and(|first| self.lapses_at(first) <= at)
    }

    /// The instant after `at` at which the next points lapse; `None` when none will.
    pub(crate) fn next_expiry(&self, at: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, LotsMissing> {
        let next = if self.is_inactive(at) {
            None
        } else if self.has_lapsed_lots(at) {
            match self.open_lots().find(|(key, _)| key.expires_at > at) {
                Some((key, _)) => Some(self.lapses_at(key)),
                None if self.knows_all_lots() => None,
                None => return Err(LotsMissing),
            }
        } else {
            self.account.first_open_lot.map(|first| self.lapses_at(first))
        };
        Ok(next.filter(|instant| *instant < NEVER))
    }

    /// Frees what was held by holds that have lapsed, and writes off every lapsed lot, one entry per instant of lapse, so
    /// that the balance after each later entry is right. What is still held of a lot waits for the end of its hold.
    pub(crate) fn expire_lapsed(
        &mut self,
        program_version: u32,
        recorded_at: DateTime<Utc>,
    ) -> Result<(), LotsMissing> {
        self.settle_holds(recorded_at)?;
        if self.has_lapsed_lots(recorded_at) {
            for (instant, lots) in self.lapses(recorded_at)? {
                let occasion = Occasion::plain(program_version, instant, recorded_at);
                let cover = Cover::of_lots(lots.into_iter().collect());
                self.take(EntryKind::Expire, &cover, &occasion)?;
            }
        }
        if self.account.sweep_at.is_some_and(|at| at <= recorded_at) {
            self.account.sweep_at = self.next_sweep(recorded_at)?;
        }
        Ok(())
    }

    /// A sweep has to look at this instant, if not before. Later lapses than the next move nothing, and a sale that only
    /// earns gives nothing else.
    pub(super) fn sweep_by(&mut self, instant: DateTime<Utc>) {
        if instant < NEVER && self.account.sweep_at.is_none_or(|at| instant < at) {
            self.account.sweep_at = Some(instant);
        }
    }

    /// When there is something to write off after `at`, when everything that lapsed by then is; what is held of a lapsed
    /// lot lapses with its hold.
    fn next_sweep(&self, at: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, LotsMissing> {
        let held = self.account.hold_lapses_at.filter(|_| self.has_lapsed_lots(at));
        Ok(self.next_expiry(at)?.into_iter().chain(held).min())
    }

    /// The lots that have lapsed, without what is held of them.
    pub(in crate::domain) fn lapsed_lots(&self, at: DateTime<Utc>) -> Result<Vec<(LotKey, Decimal)>, LotsMissing> {
        if !self.knows_lots_beyond(at) || self.holds.has_unknown() {
            return Err(LotsMissing);
        }
        let lots = self.open_lots().take_while(|(key, _)| self.lapses_at(*key) <= at);
        let free = lots.map(|(key, remaining)| (key, remaining - self.holds.of_lot(key, at)));
        Ok(free.filter(|(_, points)| *points > Decimal::ZERO).collect())
    }

    /// The lapsed lots by the instant at which points lapsed: that of their lot, or at which the hold ended that kept them,
    /// or at which they came where their lot had lapsed before. The newest entry is not later: it wrote off what had lapsed.
    fn lapses(&self, at: DateTime<Utc>) -> Result<Lapses, LotsMissing> {
        let mut lapses = Lapses::new();
        for (key, mut free) in self.lapsed_lots(at)? {
            let mut lapse = |instant: DateTime<Utc>, points: Decimal| {
                if points > Decimal::ZERO {
                    let lots = lapses.entry(instant.max(self.account.recorded_at)).or_default();
                    *lots.entry(key).or_default() += points;
                }
            };
            let own = self.lapses_at(key);
            for (end, held) in self.holds.ended_of_lot(key, own, at) {
                let held = held.min(free);
                free -= held;
                lapse(end, held);
            }
            lapse(own, free);
        }
        Ok(lapses)
    }

    /// Whether an open lot that has not lapsed is known, or that there is none: only then is the sum of the lapsed
    /// ones complete.
    fn knows_lots_beyond(&self, at: DateTime<Utc>) -> bool {
        self.knows_all_lots() || self.open_lots().any(|(key, _)| self.lapses_at(key) > at)
    }
}
