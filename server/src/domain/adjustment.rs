//! The decision of an adjustment: points that are added or removed by hand, for a reason.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::access::Role;
use super::account::{Books, Stop, within_ledger};
use super::entry::{EntryKind, Occasion, Origin, said};
use super::number::Currency;
use super::outcome::Balance;
use super::program::ProgramVersion;
use super::reason::{Reason, ReasonDirection};
use super::rejection::Rejection;
use super::sale::MemberKey;
use super::{earning, expiry, sale_recording, shortfall};

/// How far ahead an expiry may lie that is given by hand: as far as a policy reaches.
const MOST_AHEAD: TimeDelta = TimeDelta::days(36_600);

/// What is to be adjusted. Its serialized form is canonical: only what is said is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Adjustment {
    /// Empty: found by the member.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) program_id: String,
    pub(crate) member: MemberKey,
    pub(crate) reason_id: String,
    /// Above 0: the reason says whether they come or go.
    pub(crate) points: Decimal,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
    /// When they lapse; `None`: as the program says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) store_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) terminal_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cashier_id: String,
}

/// An adjustment on its way into the books.
#[derive(Clone, Debug)]
pub(crate) struct Adjusting {
    /// The id that it will have.
    pub(crate) adjustment_id: Uuid,
    pub(crate) adjustment: Adjustment,
    /// Who says so, and with what right.
    pub(crate) actor: String,
    pub(crate) role: Role,
}

/// What an adjustment did. Its serialized form is kept with the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AdjustmentOutcome {
    pub(crate) adjustment_id: Uuid,
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    pub(crate) reason_id: String,
    /// What came (positive) or went (negative).
    pub(crate) points: Decimal,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
    /// When the points lapse that came; `None` where they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points_expire_at: Option<DateTime<Utc>>,
    pub(crate) recorded_at: DateTime<Utc>,
}

/// Decides an adjustment on books that its caller throws away where it is refused. It does not matter whether the
/// program is open: members are not to lose by mistakes that nobody could put right.
pub(crate) fn adjust(
    books: &mut Books,
    version: &ProgramVersion,
    reason: &Reason,
    adjusting: &Adjusting,
    now: DateTime<Utc>,
) -> Result<AdjustmentOutcome, Stop> {
    let Adjusting {
        adjustment_id,
        adjustment,
        actor,
        role,
    } = adjusting;
    books.account.status.check_known()?;
    check(adjustment, reason, *role, version.program.decimals, now)?;
    let at = now.max(books.account.recorded_at);
    books.settle_pending(at)?;
    books.expire_lapsed(version.version, at)?;
    let balance_before = books.available(at)?;
    let occasion = Occasion {
        origin: Origin {
            reference: Some(adjustment_id.to_string().into()),
            at_store_id: said(&adjustment.store_id),
            terminal_id: said(&adjustment.terminal_id),
            cashier_id: said(&adjustment.cashier_id),
            actor: said(actor),
            reason_id: said(&adjustment.reason_id),
            note: said(&adjustment.note),
        },
        ..Occasion::plain(version.version, now, at)
    };
    let (points, points_expire_at) = match reason.direction {
        ReasonDirection::Adds => {
            let policy = earning::expiry(version, &books.account.attributes);
            let expires_at = adjustment
                .expires_at
                .unwrap_or_else(|| expiry::expires_under(policy, version.program.time_zone, now));
            within_ledger("points", books.account.points + adjustment.points)?;
            books.begin_inactivity(&version.program, at);
            books.credit(EntryKind::Adjust, adjustment.points, expires_at, &occasion);
            (adjustment.points, Some(expires_at).filter(|at| *at < expiry::NEVER))
        }
        ReasonDirection::Removes => {
            let cover = shortfall::cover(books, adjustment.points, version.program.shortfall_policy, at)?;
            within_ledger("debt", books.account.debt + cover.debt)?;
            let taken: Decimal = cover.allocations.iter().map(|(_, taken)| taken).sum();
            books.take(EntryKind::Adjust, &cover, &occasion)?;
            (Decimal::ZERO - taken - cover.debt, None)
        }
    };
    Ok(AdjustmentOutcome {
        adjustment_id: *adjustment_id,
        member_id: books.account.member_id,
        program_id: version.program_id.to_string(),
        program_version: version.version,
        currency: version.program.currency.clone(),
        reason_id: adjustment.reason_id.clone(),
        points: points.normalize(),
        balance_before: balance_before.normalize(),
        balance: sale_recording::balance_at(books, version, at)?,
        points_expire_at,
        recorded_at: at,
    })
}

fn check(
    adjustment: &Adjustment,
    reason: &Reason,
    role: Role,
    decimals: u32,
    now: DateTime<Utc>,
) -> Result<(), Rejection> {
    let expires_at = adjustment.expires_at;
    if expires_at.is_some() && reason.direction == ReasonDirection::Removes {
        return Err(Rejection::InvalidField {
            field: "expires_at".to_owned(),
            description: "goes with a reason that adds points".to_owned(),
        });
    }
    if reason.archived {
        return Err(Rejection::ReasonArchived {
            reason_id: adjustment.reason_id.clone(),
        });
    }
    let (earliest, latest) = (now + TimeDelta::microseconds(1), now + MOST_AHEAD);
    if expires_at.is_some_and(|at| at < earliest || at > latest) {
        return Err(Rejection::TimeOutOfRange {
            field: "expires_at",
            earliest,
            latest,
        });
    }
    if adjustment.points.normalize().scale() > decimals {
        return Err(Rejection::TooManyDecimals {
            field: "points".to_owned(),
            decimals,
        });
    }
    match reason.max_points(role) {
        Some(max_points) if adjustment.points > max_points => Err(Rejection::ApprovalLimitExceeded {
            role: role.name(),
            points: adjustment.points,
            max_points,
        }),
        Some(_) | None => Ok(()),
    }
}
