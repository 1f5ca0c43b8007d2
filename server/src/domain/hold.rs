//! Holds: points set aside for a redemption that is not certain yet. A hold names the lots that it takes from; they stay
//! as they are, but what is held of them can be neither spent nor held again, and does not lapse before the hold ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Books, LotsMissing};
use super::lot::LotKey;
use super::number::Currency;
use super::outcome::PointsTender;
use super::redeeming::Place;

/// Open holds of one member: every answer about the balance weighs them, and nobody stands at more tills.
pub(crate) const MOST_HOLDS: usize = 100;

/// The longest life of a hold, in seconds.
pub(crate) const LONGEST_TIME_LIMIT_SECONDS: u32 = 7 * 24 * 60 * 60;

/// A hold, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    pub(crate) terms: Arc<HoldTerms>,
    pub(crate) state: HoldState,
}

/// What a hold was placed with; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoldTerms {
    pub(crate) hold_id: Uuid,
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    #[serde(flatten)]
    pub(crate) place: Place,
    /// What capturing all of it does.
    pub(crate) tenders: Vec<PointsTender>,
    /// Where its points are, in order of consumption.
    pub(crate) lots: Vec<(LotKey, Decimal)>,
    pub(crate) placed_at: DateTime<Utc>,
    /// From then on the points are free again.
    pub(crate) lapses_at: DateTime<Utc>,
}

/// What became of a hold. That it lapsed is a matter of time, not of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldState {
    Open,
    Captured {
        redemption_id: Uuid,
        points: Decimal,
        at: DateTime<Utc>,
    },
    Released {
        at: DateTime<Utc>,
    },
}

/// The holds of one member, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holds {
    /// Whether there may be open ones that are not loaded.
    has_unknown: bool,
    holds: BTreeMap<Uuid, Hold>,
    touched: Vec<Uuid>,
    /// Up to when rows have to be marked as lapsed.
    settled_until: Option<DateTime<Utc>>,
}

impl HoldTerms {
    pub(crate) fn points(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.points).sum()
    }

    pub(crate) fn amount(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.amount).sum()
    }
}

impl Hold {
    /// The same as a hold of this member: where its own was merged into another, whose lots it names no more.
    pub(crate) fn of(self, member_id: Uuid) -> Self {
        if self.terms.member_id == member_id {
            return self;
        }
        let terms = HoldTerms {
            member_id,
            lots: Vec::new(),
            ..(*self.terms).clone()
        };
        Self {
            terms: Arc::new(terms),
            ..self
        }
    }

    /// When its points are free again, or were.
    pub(crate) fn ends_at(&self) -> DateTime<Utc> {
        match self.state {
            HoldState::Open => self.terms.lapses_at,
            HoldState::Captured { at, .. } | HoldState::Released { at } => at.min(self.terms.lapses_at),
        }
    }

    /// Whether it keeps its points from others.
    pub(crate) fn is_live(&self, at: DateTime<Utc>) -> bool {
        self.state == HoldState::Open && self.terms.lapses_at > at
    }
}

impl Holds {
    /// Nothing loaded yet, of `sum` points.
    pub(crate) fn unknown(sum: Decimal) -> Self {
        Self {
            has_unknown: !sum.is_zero(),
            ..Self::default()
        }
    }

    pub(crate) fn has_unknown(&self) -> bool {
        self.has_unknown
    }

    /// Takes in all open ones.
    pub(crate) fn learn_open(&mut self, holds: Vec<Hold>) {
        self.has_unknown = false;
        for hold in holds {
            self.learn(hold);
        }
    }

    /// Takes in one, whatever became of it.
    pub(crate) fn learn(&mut self, hold: Hold) {
        self.holds.entry(hold.terms.hold_id).or_insert(hold);
    }

    pub(crate) fn get(&self, hold_id: Uuid) -> Option<&Hold> {
        self.holds.get(&hold_id)
    }

    pub(crate) fn put(&mut self, hold: Hold) {
        self.touched.push(hold.terms.hold_id);
        self.holds.insert(hold.terms.hold_id, hold);
    }

    /// What has to be written, as it is now.
    pub(crate) fn touched(&self) -> impl Iterator<Item = &Hold> {
        self.touched.iter().filter_map(|hold_id| self.holds.get(hold_id))
    }

    pub(crate) fn settled_until(&self) -> Option<DateTime<Utc>> {
        self.settled_until
    }

    /// Whether anything has to be written.
    pub(crate) fn is_changed(&self) -> bool {
        !self.touched.is_empty() || self.settled_until.is_some()
    }

    /// What is held of a lot.
    pub(crate) fn of_lot(&self, key: LotKey, at: DateTime<Utc>) -> Decimal {
        let lots = self.live(at).flat_map(|hold| &hold.terms.lots);
        lots.filter(|(lot, _)| *lot == key).map(|(_, points)| points).sum()
    }

    /// What ended holds had of a lot that lapsed before they ended, the last of them first.
    pub(crate) fn ended_of_lot(
        &self,
        key: LotKey,
        lapses_at: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, Decimal)> {
        let ended = self.holds.values().filter(|hold| !hold.is_live(at));
        let late = ended.filter(|hold| hold.ends_at() > lapses_at);
        let mut parts: Vec<(DateTime<Utc>, Decimal)> = late
            .flat_map(|hold| {
                hold.terms
                    .lots
                    .iter()
                    .map(|(lot, points)| (hold.ends_at(), *lot, *points))
            })
            .filter(|(_, lot, _)| *lot == key)
            .map(|(end, _, points)| (end, points))
            .collect();
        parts.sort_by(|one, other| other.cmp(one));
        parts
    }

    pub(crate) fn count(&self, at: DateTime<Utc>) -> usize {
        self.live(at).count()
    }

    /// What the live ones were placed with.
    pub(crate) fn live_terms(&self, at: DateTime<Utc>) -> Vec<Arc<HoldTerms>> {
        self.live(at).map(|hold| Arc::clone(&hold.terms)).collect()
    }

    fn live(&self, at: DateTime<Utc>) -> impl Iterator<Item = &Hold> {
        self.holds.values().filter(move |hold| hold.is_live(at))
    }

    fn points(&self, at: DateTime<Utc>) -> Decimal {
        self.live(at).map(|hold| hold.terms.points()).sum()
    }

    fn next_lapse(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.live(at).map(|hold| hold.terms.lapses_at).min()
    }
}

impl Books {
    /// Points that are held.
    pub(crate) fn held_at(&self, at: DateTime<Utc>) -> Result<Decimal, LotsMissing> {
        if !self.has_lapsed_holds(at) {
            return Ok(self.account.held);
        }
        if self.holds.has_unknown() {
            return Err(LotsMissing);
        }
        Ok(self.holds.points(at))
    }

    /// Whether a hold has lapsed that the account still counts.
    pub(crate) fn has_lapsed_holds(&self, at: DateTime<Utc>) -> bool {
        self.account.hold_lapses_at.is_some_and(|instant| instant <= at)
    }

    /// Frees the points of holds that have lapsed.
    pub(crate) fn settle_holds(&mut self, at: DateTime<Utc>) -> Result<(), LotsMissing> {
        if !self.has_lapsed_holds(at) {
            return Ok(());
        }
        if self.holds.has_unknown() {
            return Err(LotsMissing);
        }
        self.holds.settled_until = self.holds.settled_until.max(Some(at));
        self.count_holds(at);
        Ok(())
    }

    /// Places a hold, or lets one end as it says.
    pub(crate) fn put_hold(&mut self, hold: Hold, at: DateTime<Utc>) -> Result<(), LotsMissing> {
        if self.holds.has_unknown() {
            return Err(LotsMissing);
        }
        self.holds.put(hold);
        self.count_holds(at);
        Ok(())
    }

    fn count_holds(&mut self, at: DateTime<Utc>) {
        self.account.held = self.holds.points(at);
        self.account.hold_lapses_at = self.holds.next_lapse(at);
    }
}
