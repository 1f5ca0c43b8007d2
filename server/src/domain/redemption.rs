//! Points as money: what an ask takes, what it pays, and which lots it comes from.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::account::{Books, LotsMissing};
use super::lot::LotKey;
use super::number::{self, Rounding};
use super::outcome::PointsTender;
use super::program::{RedemptionLimits, RedemptionPolicy};
use super::rejection::Rejection;
use super::sale::{RedemptionAsk, SaleRedemption};

/// What bounds a redemption.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds<'a> {
    pub(crate) policy: &'a RedemptionPolicy,
    /// Money that one point pays.
    pub(crate) value_per_point: Decimal,
    /// Decimals of points.
    pub(crate) decimals: u32,
    /// Decimals of the currency.
    pub(crate) minor_units: u32,
    pub(crate) left: Left,
}

/// What is left to redemptions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    /// Points that can be spent.
    pub(crate) available: Decimal,
    /// Money to pay.
    pub(crate) due: Decimal,
    /// Points that the limit of the sale leaves.
    pub(crate) points: Option<Decimal>,
    /// Money that the points' share of the sale leaves.
    pub(crate) share: Option<Decimal>,
}

/// The tender line of one ask. By points: points × rate, rounded down to the currency. By amount: exactly the amount,
/// for amount / rate points in the program's rounding. `None` where a caller who takes what is possible can have nothing.
pub(crate) fn tender(redemption: &SaleRedemption, bounds: Bounds<'_>) -> Result<Option<PointsTender>, Rejection> {
    let (points, amount) = match (redemption.ask, redemption.clamp) {
        (RedemptionAsk::Points(points), false) => by_points(points, bounds)?,
        (RedemptionAsk::Amount(amount), false) => by_amount(amount, bounds)?,
        (RedemptionAsk::Points(points), true) => at_most_points(points, bounds)?,
        (RedemptionAsk::Amount(amount), true) => at_most_amount(amount, bounds)?,
    };
    let is_nothing = points <= Decimal::ZERO || amount <= Decimal::ZERO;
    let minimum = bounds.policy.limits.minimum_points.unwrap_or_default();
    if redemption.clamp && (is_nothing || points < minimum) {
        return Ok(None);
    }
    if is_nothing {
        return Err(Rejection::NothingToRedeem { points, amount });
    }
    check_points(points, bounds)?;
    Ok(Some(PointsTender {
        points,
        value_per_point: bounds.value_per_point,
        amount,
        accounting: redemption.accounting.clone(),
    }))
}

impl Left {
    /// What the program's limits leave to the redemptions of a sale.
    pub(crate) fn of(
        limits: &RedemptionLimits,
        total: Decimal,
        due: Decimal,
        available: Decimal,
        minor_units: u32,
    ) -> Self {
        let part = |percent| number::percent(total, percent, minor_units, Rounding::Floor);
        Self {
            available,
            due,
            points: limits.max_points_per_sale,
            share: limits.max_percent_of_sale.and_then(part),
        }
    }

    /// What a tender leaves.
    pub(crate) fn without(self, tender: &PointsTender) -> Self {
        Self {
            available: self.available - tender.points,
            due: self.due - tender.amount,
            points: self.points.map(|points| points - tender.points),
            share: self.share.map(|share| share - tender.amount),
        }
    }

    /// Money that can be paid at most.
    fn payable(self) -> Decimal {
        self.share
            .map_or(self.due, |share| share.min(self.due))
            .max(Decimal::ZERO)
    }
}

/// The lots that `points` come from, in order of consumption. The sum is exactly `points`. Lapsed lots have been
/// written off before.
pub(crate) fn allocate(
    books: &Books,
    points: Decimal,
    at: DateTime<Utc>,
) -> Result<Vec<(LotKey, Decimal)>, LotsMissing> {
    if books.pending.has_unknown() {
        return Err(LotsMissing);
    }
    let mut missing = points;
    let mut allocations = Vec::new();
    for (key, remaining) in books.open_lots() {
        if missing.is_zero() {
            break;
        }
        let taken = missing.min(books.pending.spendable(key, remaining, at));
        if taken.is_zero() {
            continue;
        }
        missing -= taken;
        allocations.push((key, taken));
    }
    if missing.is_zero() {
        Ok(allocations)
    } else {
        Err(LotsMissing)
    }
}

/// What `available` pays; `None` when nothing is available.
pub(crate) fn value(available: Decimal, value_per_point: Decimal, minor_units: u32) -> Option<Decimal> {
    if available <= Decimal::ZERO {
        return None;
    }
    number::multiply(available, value_per_point, minor_units, Rounding::Floor)
}

fn by_points(points: Decimal, bounds: Bounds<'_>) -> Result<(Decimal, Decimal), Rejection> {
    let amount = worth(points, bounds)?;
    check_amount(amount, bounds)?;
    Ok((points, amount))
}

fn by_amount(amount: Decimal, bounds: Bounds<'_>) -> Result<(Decimal, Decimal), Rejection> {
    check_amount(amount, bounds)?;
    Ok((points_for(amount, bounds.policy.points_rounding, bounds)?, amount))
}

/// As many points as are there, as the limits let, and as are not worth more than is due: what they leave is paid
/// otherwise.
fn at_most_points(asked: Decimal, bounds: Bounds<'_>) -> Result<(Decimal, Decimal), Rejection> {
    let mut points = asked.min(most_points(bounds));
    if money(points, Rounding::Floor, bounds)? > bounds.left.payable() {
        points = points.min(points_for(bounds.left.payable(), Rounding::Floor, bounds)?);
    }
    let points = in_steps(points, bounds);
    Ok((points, worth(points, bounds)?))
}

/// As much as is due and as the limits and the points let.
fn at_most_amount(asked: Decimal, bounds: Bounds<'_>) -> Result<(Decimal, Decimal), Rejection> {
    let amount = asked.min(bounds.left.payable());
    let points = points_for(amount, bounds.policy.points_rounding, bounds)?;
    let possible = in_steps(points.min(most_points(bounds)), bounds);
    if possible == points {
        return Ok((points, amount));
    }
    Ok((possible, amount.min(worth(possible, bounds)?)))
}

/// Money that points pay: their worth rounded down; all that is due where the program covers what that leaves.
fn worth(points: Decimal, bounds: Bounds<'_>) -> Result<Decimal, Rejection> {
    let amount = money(points, Rounding::Floor, bounds)?;
    let covers = bounds.policy.cover_remainder
        && amount < bounds.left.due
        && money(points, Rounding::Ceiling, bounds)? == bounds.left.due
        && bounds.left.payable() == bounds.left.due;
    Ok(if covers { bounds.left.due } else { amount })
}

fn check_amount(amount: Decimal, bounds: Bounds<'_>) -> Result<(), Rejection> {
    let Left { due, share, .. } = bounds.left;
    if amount > due {
        return Err(Rejection::ExceedsDue { amount, due });
    }
    match share.map(|share| share.max(Decimal::ZERO)) {
        Some(max_amount) if amount > max_amount => Err(Rejection::ExceedsSaleShare { amount, max_amount }),
        _ => Ok(()),
    }
}

fn check_points(points: Decimal, bounds: Bounds<'_>) -> Result<(), Rejection> {
    let limits = &bounds.policy.limits;
    if let Some(minimum_points) = limits.minimum_points.filter(|minimum| points < *minimum) {
        return Err(Rejection::BelowMinimumPoints { points, minimum_points });
    }
    if let Some(points_step) = limits.points_step.filter(|_| in_steps(points, bounds) != points) {
        return Err(Rejection::NotInSteps { points, points_step });
    }
    if let Some(max_points) = bounds.left.points.filter(|most| points > *most) {
        return Err(Rejection::ExceedsMaximumPoints { points, max_points });
    }
    if points > bounds.left.available {
        return Err(Rejection::InsufficientPoints {
            available: bounds.left.available.max(Decimal::ZERO),
            requested: points,
        });
    }
    Ok(())
}

/// The most points that are there and that the limit of the sale leaves.
fn most_points(bounds: Bounds<'_>) -> Decimal {
    let Left { available, points, .. } = bounds.left;
    let most = points.map_or(available, |points| points.min(available));
    number::cut(most.max(Decimal::ZERO), bounds.decimals)
}

/// The multiple of the program's step that is not above.
fn in_steps(points: Decimal, bounds: Bounds<'_>) -> Decimal {
    let limits = &bounds.policy.limits;
    let points = limits.points_step.map_or(points, |step| points - points % step);
    points.normalize()
}

fn money(points: Decimal, rounding: Rounding, bounds: Bounds<'_>) -> Result<Decimal, Rejection> {
    let points = points.max(Decimal::ZERO);
    number::multiply(points, bounds.value_per_point, bounds.minor_units, rounding)
        .ok_or(Rejection::LedgerRange { field: "redemption" })
}

fn points_for(amount: Decimal, rounding: Rounding, bounds: Bounds<'_>) -> Result<Decimal, Rejection> {
    number::divide(
        number::ten_thousandths(amount.max(Decimal::ZERO)),
        number::ten_thousandths(bounds.value_per_point),
        bounds.decimals,
        rounding,
    )
    .ok_or(Rejection::LedgerRange { field: "redemption" })
}
