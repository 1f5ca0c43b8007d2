//! Points that lapse because their member has been inactive: an instant of the account, beside those of its lots.
//!
//! What a member does moves the instant only ever later, as long as there are points: a change of the program's setting
//! takes no time from points that are there. What has lapsed stays so, also when something arrives later that was done
//! before.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Books, Estate};
use crate::domain::expiry::NEVER;
use crate::domain::inactivity::{Act, Activity, lapses_under};
use crate::domain::lot::LotKey;
use crate::domain::program::Program;

impl Books {
    /// When what remains of a lot lapses: at its own instant or at that of the account, whichever is earlier.
    pub(crate) fn lapses_at(&self, key: LotKey) -> DateTime<Utc> {
        let inactive_at = self.account.inactive_at;
        inactive_at.map_or(key.expires_at, |instant| instant.min(key.expires_at))
    }

    /// Whether all points that there were have lapsed.
    pub(crate) fn is_inactive(&self, at: DateTime<Utc>) -> bool {
        self.account.inactive_at.is_some_and(|instant| instant <= at)
    }

    /// The member did something. What had lapsed was written off before, and what it gives comes after.
    pub(crate) fn keep_active(&mut self, program: &Program, act: Act, occurred_at: DateTime<Utc>) {
        let setting = program.inactivity.map_or(Activity::default(), |policy| policy.activity);
        if setting.counts(act) {
            self.be_active(program, occurred_at);
        }
    }

    /// Points come to a member by another's doing: where there are none, the time without anything happening begins.
    pub(crate) fn begin_inactivity(&mut self, program: &Program, at: DateTime<Utc>) {
        if self.account.points.is_zero() || self.is_inactive(at) {
            self.be_active(program, at);
        }
    }

    /// Both members are one: whichever did something last did it for both, and nobody's points lapse earlier for it.
    pub(super) fn join_activity(&mut self, estate: &Estate) {
        let latest = |instant: Option<DateTime<Utc>>| instant.unwrap_or(NEVER);
        let inactive_at = match (self.account.points.is_zero(), estate.lots.is_empty()) {
            (true, false) => latest(estate.inactive_at),
            (false, true) => latest(self.account.inactive_at),
            _ => latest(self.account.inactive_at).max(latest(estate.inactive_at)),
        };
        self.account.active_at = self.account.active_at.max(estate.active_at);
        self.account.inactive_at = Some(inactive_at).filter(|instant| *instant < NEVER);
    }

    fn be_active(&mut self, program: &Program, at: DateTime<Utc>) {
        let active_at = self.account.active_at.map_or(at, |known| known.max(at));
        self.account.active_at = Some(active_at);
        let instant = lapses_under(program.inactivity, program.time_zone, active_at);
        let known = match self.account.points > Decimal::ZERO {
            true => self.account.inactive_at.unwrap_or(NEVER),
            false => instant,
        };
        self.account.inactive_at = Some(instant.max(known)).filter(|instant| *instant < NEVER);
    }
}
