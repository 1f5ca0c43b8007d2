//! Lots that are moved to the expiry that their program has by now. Nothing else moves them: a change of the program alone
//! holds for points that come after it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::account::{Books, LotsMissing};
use super::earning;
use super::entry::{EntryKind, Occasion, Origin, said};
use super::expiry::{self, NEVER};
use super::inactivity::lapses_under;
use super::lot::LotKey;
use super::program::ProgramVersion;

/// How points of a lot came to the member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accrual {
    pub(crate) kind: EntryKind,
    /// Sequence of the entry they came by.
    pub(crate) sequence: u64,
    /// When that happened: from then on their time is counted.
    pub(crate) at: DateTime<Utc>,
}

/// By sequence of the entry that created a lot.
pub(crate) type Accruals = HashMap<u64, Accrual>;

/// Adds how points came that no row tells of yet.
pub(crate) fn with_unwritten(mut accruals: Accruals, books: &Books) -> Accruals {
    for entry in &books.new_entries {
        let came_by = entry
            .occasion
            .origin
            .reference
            .as_deref()
            .and_then(|text| text.parse::<u64>().ok());
        let accrual = match (entry.kind, came_by) {
            (EntryKind::ExpiryChange, Some(sequence)) => accruals.get(&sequence).copied(),
            _ => None,
        };
        let own = Accrual {
            kind: entry.kind,
            sequence: entry.sequence,
            at: entry.occasion.occurred_at,
        };
        accruals.insert(entry.sequence, accrual.unwrap_or(own));
    }
    accruals
}

/// How the change is made.
#[derive(Clone, Debug)]
pub(crate) struct Applying {
    /// Moves nothing to an earlier instant.
    pub(crate) extend_only: bool,
    pub(crate) actor: String,
}

/// What a change does to the books of one member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    moves: Vec<Move>,
    kept: Kept,
    /// When all points lapse for want of activity, where that changes.
    inactive_at: Option<DateTime<Utc>>,
}

/// A lot that goes to another instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    lot: LotKey,
    points: Decimal,
    expires_at: DateTime<Utc>,
    /// Sequence of the entry the points came by.
    came_by: u64,
}

/// Lots that keep their instant, whatever the program says: their expiry is not the program's, or some of them is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Kept {
    lots: u64,
    points: Decimal,
}

/// What a change does, or did, to members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeCounts {
    /// Whose points lapse at another instant.
    pub(crate) members: u64,
    pub(crate) lots: u64,
    pub(crate) points: Decimal,
    /// What lapses by the change, at once.
    pub(crate) lapsed_points: Decimal,
    pub(crate) kept_lots: u64,
    pub(crate) kept_points: Decimal,
}

/// What a change would do to members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forecast {
    pub(crate) counts: ChangeCounts,
    /// Points that will lapse soon as things are, and that would if they were changed.
    pub(crate) lapsing_as_it_is: Decimal,
    pub(crate) lapsing_changed: Decimal,
}

/// What has to be done to the books, whose lots are all known, and what has lapsed of which was written off.
pub(crate) fn plan(
    books: &Books,
    version: &ProgramVersion,
    accruals: &Accruals,
    extend_only: bool,
    at: DateTime<Utc>,
) -> Result<Plan, LotsMissing> {
    if !books.knows_all_lots() || books.holds.has_unknown() || books.pending.has_unknown() {
        return Err(LotsMissing);
    }
    let policy = earning::expiry(version, &books.account.attributes);
    let zone = version.program.time_zone;
    let mut plan = Plan::default();
    for (lot, points) in books.open_lots() {
        let accrual = accruals
            .get(&lot.sequence)
            .filter(|accrual| is_by_program(accrual.kind));
        let Some(accrual) = accrual.filter(|_| books.holds.of_lot(lot, at).is_zero()) else {
            plan.kept.lots += 1;
            plan.kept.points += points;
            continue;
        };
        let expires_at = expiry::expires_under(policy, zone, accrual.at);
        if expires_at > lot.expires_at || (expires_at < lot.expires_at && !extend_only) {
            plan.moves.push(Move {
                lot,
                points,
                expires_at,
                came_by: accrual.sequence,
            });
        }
    }
    if !books.account.points.is_zero() {
        let since = books.account.active_at.unwrap_or(books.account.recorded_at);
        let inactive_at = lapses_under(version.program.inactivity, zone, since);
        let known = books.account.inactive_at.unwrap_or(NEVER);
        if inactive_at > known || (inactive_at < known && !extend_only) {
            plan.inactive_at = Some(inactive_at);
        }
    }
    Ok(plan)
}

/// Moves what there is to move. What has lapsed by then is written off, before and after it.
pub(crate) fn apply(
    books: &mut Books,
    version: &ProgramVersion,
    accruals: &Accruals,
    applying: &Applying,
    now: DateTime<Utc>,
) -> Result<ChangeCounts, LotsMissing> {
    let mut changed = books.clone();
    let recorded_at = now.max(changed.account.recorded_at);
    changed.settle_pending(recorded_at)?;
    changed.expire_lapsed(version.version, recorded_at)?;
    let plan = plan(&changed, version, accruals, applying.extend_only, recorded_at)?;
    let mut counts = plan.counts();
    if counts.members > 0 {
        let occasion = |came_by: Option<u64>| Occasion {
            origin: Origin {
                reference: came_by.map(|sequence| sequence.to_string().into()),
                actor: said(&applying.actor),
                ..Origin::default()
            },
            ..Occasion::plain(version.version, recorded_at, recorded_at)
        };
        if let Some(inactive_at) = plan.inactive_at {
            changed.account.inactive_at = Some(inactive_at).filter(|instant| *instant < NEVER);
        }
        if plan.moves.is_empty() {
            changed.note_expiry_change(&occasion(None));
        }
        for moved in &plan.moves {
            changed.move_lot(moved.lot, moved.expires_at, &occasion(Some(moved.came_by)));
        }
        let expired = changed.account.lifetime_expired;
        changed.expire_lapsed(version.version, recorded_at)?;
        counts.lapsed_points = changed.account.lifetime_expired - expired;
    }
    changed.is_swept = true;
    *books = changed;
    Ok(counts)
}

/// What a change would do by `at`, and what would lapse by `until`.
pub(crate) fn forecast(
    books: &Books,
    version: &ProgramVersion,
    accruals: &Accruals,
    extend_only: bool,
    (at, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Forecast, LotsMissing> {
    let mut now = books.clone();
    let at = at.max(now.account.recorded_at);
    now.settle_pending(at)?;
    now.expire_lapsed(version.version, at)?;
    let plan = plan(&now, version, accruals, extend_only, at)?;
    let mut forecast = Forecast {
        counts: plan.counts(),
        ..Forecast::default()
    };
    let moved: HashMap<LotKey, DateTime<Utc>> = plan.moves.iter().map(|moved| (moved.lot, moved.expires_at)).collect();
    let as_it_is = now.account.inactive_at.unwrap_or(NEVER);
    let changed = plan.inactive_at.unwrap_or(as_it_is);
    for (lot, remaining) in now.open_lots() {
        if lot.expires_at.min(as_it_is) <= until {
            forecast.lapsing_as_it_is += remaining;
        }
        let lapses_at = moved.get(&lot).copied().unwrap_or(lot.expires_at).min(changed);
        if lapses_at <= at {
            forecast.counts.lapsed_points += remaining - now.holds.of_lot(lot, at);
        } else if lapses_at <= until {
            forecast.lapsing_changed += remaining;
        }
    }
    Ok(forecast)
}

impl Plan {
    fn counts(&self) -> ChangeCounts {
        let is_change = !self.moves.is_empty() || self.inactive_at.is_some();
        ChangeCounts {
            members: u64::from(is_change),
            lots: self.moves.len() as u64,
            points: self.moves.iter().map(|moved| moved.points).sum(),
            lapsed_points: Decimal::ZERO,
            kept_lots: self.kept.lots,
            kept_points: self.kept.points,
        }
    }
}

impl ChangeCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.members += other.members;
        self.lots += other.lots;
        self.points = self.points.saturating_add(other.points);
        self.lapsed_points = self.lapsed_points.saturating_add(other.lapsed_points);
        self.kept_lots += other.kept_lots;
        self.kept_points = self.kept_points.saturating_add(other.kept_points);
    }
}

impl Forecast {
    pub(crate) fn add(&mut self, other: Self) {
        self.counts.add(other.counts);
        self.lapsing_as_it_is = self.lapsing_as_it_is.saturating_add(other.lapsing_as_it_is);
        self.lapsing_changed = self.lapsing_changed.saturating_add(other.lapsing_changed);
    }
}

/// Whether points that came so lapse by the program's policy and nothing else: others may have brought an instant of their
/// own, or kept that of lots elsewhere.
fn is_by_program(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Earn | EntryKind::SignUpBonus | EntryKind::BirthdayBonus => true,
        EntryKind::Redeem
        | EntryKind::Expire
        | EntryKind::EarnReversal
        | EntryKind::RedeemReversal
        | EntryKind::Adjust
        | EntryKind::Opening
        | EntryKind::MergeOut
        | EntryKind::MergeIn
        | EntryKind::ExpiryChange => false,
    }
}
