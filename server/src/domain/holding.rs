//! The decisions about holds: placing one, capturing all or less of it, releasing it.

mod part;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Books, Stop, within_ledger};
use super::hold::{Hold, HoldState, HoldTerms, MOST_HOLDS};
use super::inactivity::Act;
use super::outcome::{Balance, PointsTender};
use super::program::ProgramVersion;
use super::redeeming::{self, Making, Place, RedemptionOutcome, RedemptionRequest, Source, Taking};
use super::redemption;
use super::rejection::Rejection;
use super::sale::SaleRedemption;
use super::sale_recording::{MOST_AHEAD, balance_at};
use super::shortfall;

/// A hold to place. Its serialized form is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoldRequest {
    #[serde(flatten)]
    pub(crate) redemption: RedemptionRequest,
    pub(crate) time_limit_seconds: u32,
}

/// A hold to capture. Its serialized form is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CaptureRequest {
    pub(crate) hold_id: Uuid,
    /// Of each what is redeemed, in the terms of the hold; none: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) redemptions: Vec<SaleRedemption>,
    #[serde(flatten)]
    pub(crate) place: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<DateTime<Utc>>,
}

/// What a hold is, and what the member has. Its serialized form is kept, so that a repetition gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HoldOutcome {
    pub(crate) hold: HoldTerms,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) released_at: Option<DateTime<Utc>>,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
}

/// Sets points aside, or leaves the books as they were.
pub(crate) fn place(
    books: &mut Books,
    version: &ProgramVersion,
    request: &HoldRequest,
    making: Making<'_>,
) -> Result<HoldOutcome, Stop> {
    let placed_at = making.now.max(books.account.recorded_at);
    let mut changed = books.clone();
    changed.settle_pending(placed_at)?;
    changed.expire_lapsed(version.version, placed_at)?;
    let balance_before = changed.available(placed_at)?;
    let redeemed = redeeming::decide(&changed, version, &request.redemption, placed_at)?;
    let lots = redemption::allocate(&changed, redeemed.points(), placed_at)?;
    if changed.holds.count(placed_at) >= MOST_HOLDS {
        return Err(Stop::Rejected(Rejection::TooManyHolds { max_holds: MOST_HOLDS }));
    }
    let terms = HoldTerms {
        hold_id: making.id,
        member_id: changed.account.member_id,
        program_id: version.program_id.to_string(),
        program_version: version.version,
        currency: version.program.currency.clone(),
        place: request.redemption.place.clone(),
        tenders: redeemed.tenders,
        lots,
        placed_at,
        lapses_at: placed_at + TimeDelta::seconds(request.time_limit_seconds.into()),
    };
    let hold = Hold {
        terms: terms.clone().into(),
        state: HoldState::Open,
    };
    changed.put_hold(hold, placed_at)?;
    let outcome = HoldOutcome {
        hold: terms,
        released_at: None,
        balance_before: balance_before.normalize(),
        balance: balance_at(&changed, version, placed_at)?,
    };
    *books = changed;
    Ok(outcome)
}

/// Redeems all or less of what a hold set aside, in the hold's own terms; the rest goes back to its lots.
pub(crate) fn capture(
    books: &mut Books,
    version: &ProgramVersion,
    request: &CaptureRequest,
    expected: Option<Uuid>,
    making: Making<'_>,
) -> Result<RedemptionOutcome, Stop> {
    let recorded_at = making.now.max(books.account.recorded_at);
    let hold = open_hold(books, request.hold_id, expected)?;
    let occurred_at = occurred_at(&hold.terms, request.occurred_at, making.now, recorded_at)?;
    let status = &books.account.status;
    // What was captured before the member was blocked has been handed over.
    if status
        .block
        .as_ref()
        .is_some_and(|block| occurred_at >= block.blocked_at)
    {
        status.check_redeeming()?;
    }
    let tenders = part::captured(&hold.terms, &request.redemptions, version)?;

    let mut changed = books.clone();
    changed.settle_pending(recorded_at)?;
    // Before the hold ends, so that what is held lapses with it and not before.
    changed.expire_lapsed(version.version, recorded_at)?;
    let balance_before = changed.available(recorded_at)?;
    let points = tenders.iter().map(|tender| tender.points).sum();
    changed.keep_active(&version.program, Act::Redemption, occurred_at);
    let is_live = hold.is_live(recorded_at);
    let terms = std::sync::Arc::clone(&hold.terms);
    changed.put_hold(
        Hold {
            terms: terms.clone(),
            state: HoldState::Captured {
                redemption_id: making.id,
                points,
                at: recorded_at,
            },
        },
        recorded_at,
    )?;
    let taking = Taking {
        version,
        place: &request.place,
        occurred_at,
        recorded_at,
        making,
        hold_id: Some(request.hold_id),
    };
    let redemption = if is_live {
        taking.take(&mut changed, part::with_lots(tenders, &terms.lots))?
    } else {
        take_late(&taking, &mut changed, tenders)?
    };
    changed.expire_lapsed(version.version, recorded_at)?;
    let outcome = RedemptionOutcome {
        redemption,
        balance_before: balance_before.normalize(),
        balance: balance_at(&changed, version, recorded_at)?,
    };
    *books = changed;
    Ok(outcome)
}

/// Ends a hold: its points are free again.
pub(crate) fn release(
    books: &mut Books,
    version: &ProgramVersion,
    hold_id: Uuid,
    expected: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<HoldOutcome, Stop> {
    let at = now.max(books.account.recorded_at);
    let hold = open_hold(books, hold_id, expected)?;
    if !hold.is_live(at) {
        return Err(Stop::Rejected(lapsed(&hold.terms)));
    }
    let terms = std::sync::Arc::clone(&hold.terms);
    let mut changed = books.clone();
    changed.settle_pending(at)?;
    changed.expire_lapsed(version.version, at)?;
    let balance_before = changed.available(at)?;
    let released = Hold {
        terms: terms.clone(),
        state: HoldState::Released { at },
    };
    changed.put_hold(released, at)?;
    changed.expire_lapsed(version.version, at)?;
    let outcome = HoldOutcome {
        hold: (*terms).clone(),
        released_at: Some(at),
        balance_before: balance_before.normalize(),
        balance: balance_at(&changed, version, at)?,
    };
    *books = changed;
    Ok(outcome)
}

/// What a late capture takes: what can be spent now; what is missing, the program's policy decides.
fn take_late(
    taking: &Taking<'_>,
    books: &mut Books,
    tenders: Vec<PointsTender>,
) -> Result<redeeming::Redemption, Stop> {
    let policy = taking.version.program.shortfall_policy;
    let points: Decimal = tenders.iter().map(|tender| tender.points).sum();
    let mut cover = shortfall::cover(books, points, policy, taking.recorded_at)?;
    within_ledger("debt", books.account.debt + cover.debt)?;
    let mut sourced = Vec::with_capacity(tenders.len());
    for tender in tenders {
        let lots = part::first(&mut cover.allocations, tender.points);
        let covered: Decimal = lots.iter().map(|(_, points)| points).sum();
        let owed = (tender.points - covered).min(cover.debt);
        cover.debt -= owed;
        let points = covered + owed;
        sourced.push((PointsTender { points, ..tender }, Source::Late { lots, owed }));
    }
    Ok(taking.take(books, sourced)?)
}

/// The hold, unless it is of another member than `expected`, or has ended by a call.
fn open_hold(books: &Books, hold_id: Uuid, expected: Option<Uuid>) -> Result<Hold, Stop> {
    let hold = books.holds.get(hold_id).ok_or_else(|| Rejection::HoldNotFound {
        hold_id: hold_id.to_string(),
    })?;
    let hold_id = hold_id.to_string();
    if expected.is_some_and(|member_id| member_id != hold.terms.member_id) {
        return Err(Stop::Rejected(Rejection::HoldOfOtherMember { hold_id }));
    }
    match hold.state {
        HoldState::Open => Ok(hold.clone()),
        HoldState::Captured { redemption_id, .. } => Err(Stop::Rejected(Rejection::HoldCaptured {
            hold_id,
            redemption_id: redemption_id.to_string(),
        })),
        HoldState::Released { .. } => Err(Stop::Rejected(Rejection::HoldReleased { hold_id })),
    }
}

/// When a capture occurred: within the life of the hold, or now if it lives.
fn occurred_at(
    terms: &HoldTerms,
    said: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
) -> Result<DateTime<Utc>, Rejection> {
    let is_live = terms.lapses_at > recorded_at;
    let (earliest, latest) = (terms.placed_at, terms.lapses_at.min(now + MOST_AHEAD));
    match said {
        Some(at) if at >= earliest && at < terms.lapses_at && at <= latest => Ok(at),
        Some(_) if is_live => Err(Rejection::TimeOutOfRange {
            field: "occurred_at",
            earliest,
            latest,
        }),
        None if is_live => Ok(now.max(terms.placed_at)),
        _ => Err(lapsed(terms)),
    }
}

fn lapsed(terms: &HoldTerms) -> Rejection {
    Rejection::HoldLapsed {
        hold_id: terms.hold_id.to_string(),
        lapses_at: terms.lapses_at,
    }
}
