//! Points as money: what an ask takes, what it pays, and which lots it comes from.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::account::{Books, LotsMissing};
use super::lot::LotKey;
use super::number::{self, Rounding};
use super::outcome::PointsTender;
use super::rejection::Rejection;
use super::sale::{RedemptionAsk, SaleRedemption};

/// What bounds a redemption.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Money that one point pays.
    pub(crate) value_per_point: Decimal,
    /// Decimals of points.
    pub(crate) decimals: u32,
    /// Decimals of the currency.
    pub(crate) minor_units: u32,
    pub(crate) points_rounding: Rounding,
    /// Points that can be spent.
    pub(crate) available: Decimal,
    /// Money left to pay.
    pub(crate) due: Decimal,
}

/// The tender line of one ask. By points: points × rate, rounded down to the currency. By amount: exactly the amount,
/// for amount / rate points in the program's rounding. `None` where a caller who takes what is possible can have nothing.
pub(crate) fn tender(redemption: &SaleRedemption, bounds: Bounds) -> Result<Option<PointsTender>, Rejection> {
    let (points, amount) = match redemption.ask {
        RedemptionAsk::Points(points) => by_points(points, redemption.clamp, bounds)?,
        RedemptionAsk::Amount(amount) => by_amount(amount, redemption.clamp, bounds)?,
    };
    if points <= Decimal::ZERO || amount <= Decimal::ZERO {
        if redemption.clamp {
            return Ok(None);
        }
        return Err(Rejection::NothingToRedeem { points, amount });
    }
    if points > bounds.available {
        return Err(Rejection::InsufficientPoints {
            available: bounds.available.max(Decimal::ZERO),
            requested: points,
        });
    }
    Ok(Some(PointsTender {
        points,
        value_per_point: bounds.value_per_point,
        amount,
        accounting: redemption.accounting.clone(),
    }))
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

fn by_points(asked: Decimal, clamp: bool, bounds: Bounds) -> Result<(Decimal, Decimal), Rejection> {
    let points = if clamp {
        asked.min(whole(bounds.available, bounds))
    } else {
        asked
    };
    let amount = money(points, bounds)?;
    if amount <= bounds.due {
        return Ok((points, amount));
    }
    if !clamp {
        return Err(Rejection::ExceedsDue {
            amount,
            due: bounds.due,
        });
    }
    // Whole points that are not worth more than is due: what they leave is paid otherwise.
    let points = points.min(points_for(bounds.due, Rounding::Floor, bounds)?);
    Ok((points, money(points, bounds)?))
}

fn by_amount(asked: Decimal, clamp: bool, bounds: Bounds) -> Result<(Decimal, Decimal), Rejection> {
    if asked > bounds.due && !clamp {
        return Err(Rejection::ExceedsDue {
            amount: asked,
            due: bounds.due,
        });
    }
    let amount = asked.min(bounds.due);
    let points = points_for(amount, bounds.points_rounding, bounds)?;
    if points <= bounds.available || !clamp {
        return Ok((points, amount));
    }
    let points = whole(bounds.available, bounds);
    Ok((points, amount.min(money(points, bounds)?)))
}

fn money(points: Decimal, bounds: Bounds) -> Result<Decimal, Rejection> {
    number::multiply(
        points.max(Decimal::ZERO),
        bounds.value_per_point,
        bounds.minor_units,
        Rounding::Floor,
    )
    .ok_or(Rejection::LedgerRange { field: "redemption" })
}

fn points_for(amount: Decimal, rounding: Rounding, bounds: Bounds) -> Result<Decimal, Rejection> {
    number::divide(
        number::ten_thousandths(amount.max(Decimal::ZERO)),
        number::ten_thousandths(bounds.value_per_point),
        bounds.decimals,
        rounding,
    )
    .ok_or(Rejection::LedgerRange { field: "redemption" })
}

fn whole(points: Decimal, bounds: Bounds) -> Decimal {
    number::cut(points.max(Decimal::ZERO), bounds.decimals)
}
