//! Points as money. By points they pay points × rate, rounded down to the currency. An amount takes amount / rate points,
//! in the program's rounding, and is paid exactly. So points that are turned into money and back are never more.

use rust_decimal::Decimal;

use super::{Left, Terms};
use crate::domain::number::{self, Rounding};
use crate::domain::outcome::PointsTender;
use crate::domain::program::RedemptionPolicy;
use crate::domain::rejection::Rejection;

/// What money and points are turned into each other by.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    policy: &'a RedemptionPolicy,
    value_per_point: Decimal,
    /// Decimals of points.
    decimals: u32,
    /// Decimals of the currency.
    minor_units: u32,
    left: Left,
}

/// So many points. `None` where a caller who takes what is possible can have nothing.
pub(super) fn by_points(
    terms: Terms<'_>,
    asked: Decimal,
    clamp: bool,
    left: Left,
) -> Result<Option<PointsTender>, Rejection> {
    let exchange = Exchange::new(terms, left)?;
    let (points, amount) = if clamp {
        exchange.at_most_points(asked)?
    } else {
        let amount = exchange.worth(asked)?;
        left.check_amount(amount)?;
        (asked, amount)
    };
    exchange.tender(points, amount, clamp)
}

/// So much money. `None` as above.
pub(super) fn by_amount(
    terms: Terms<'_>,
    asked: Decimal,
    clamp: bool,
    left: Left,
) -> Result<Option<PointsTender>, Rejection> {
    let exchange = Exchange::new(terms, left)?;
    let (points, amount) = if clamp {
        exchange.at_most_amount(asked)?
    } else {
        left.check_amount(asked)?;
        (exchange.points_for(asked, exchange.policy.points_rounding)?, asked)
    };
    exchange.tender(points, amount, clamp)
}

impl<'a> Exchange<'a> {
    fn new(terms: Terms<'a>, left: Left) -> Result<Self, Rejection> {
        let program = &terms.version.program;
        let offered = program.redemption.as_ref().zip(terms.value_per_point);
        let (policy, value_per_point) = offered.ok_or_else(|| Rejection::RedemptionNotOffered {
            program_id: terms.version.program_id.to_string(),
        })?;
        Ok(Self {
            policy,
            value_per_point,
            decimals: program.decimals,
            minor_units: program.currency.minor_units,
            left,
        })
    }

    fn tender(self, points: Decimal, amount: Decimal, clamp: bool) -> Result<Option<PointsTender>, Rejection> {
        let is_nothing = points <= Decimal::ZERO || amount <= Decimal::ZERO;
        let minimum_points = self.policy.limits.minimum_points.unwrap_or_default();
        if clamp && (is_nothing || points < minimum_points) {
            return Ok(None);
        }
        if is_nothing {
            return Err(Rejection::NothingToRedeem { points, amount });
        }
        if points < minimum_points {
            return Err(Rejection::BelowMinimumPoints { points, minimum_points });
        }
        let step = self.policy.limits.points_step;
        if let Some(points_step) = step.filter(|_| self.in_steps(points) != points) {
            return Err(Rejection::NotInSteps { points, points_step });
        }
        self.left.check_points(points)?;
        Ok(Some(PointsTender {
            value_per_point: Some(self.value_per_point),
            vat_percent: self.policy.vat_percent,
            ..PointsTender::new(points, amount)
        }))
    }

    /// As many points as are there, as the limits let, and as are not worth more than is due: what they leave is paid
    /// otherwise.
    fn at_most_points(self, asked: Decimal) -> Result<(Decimal, Decimal), Rejection> {
        let payable = self.left.payable();
        let mut points = asked.min(self.left.most_points(self.decimals));
        if self.money(points, Rounding::Floor)? > payable {
            points = points.min(self.points_for(payable, Rounding::Floor)?);
        }
        let points = self.in_steps(points);
        Ok((points, self.worth(points)?))
    }

    /// As much as is due and as the limits and the points let.
    fn at_most_amount(self, asked: Decimal) -> Result<(Decimal, Decimal), Rejection> {
        let amount = asked.min(self.left.payable());
        let points = self.points_for(amount, self.policy.points_rounding)?;
        let possible = self.in_steps(points.min(self.left.most_points(self.decimals)));
        if possible == points {
            return Ok((points, amount));
        }
        Ok((possible, amount.min(self.worth(possible)?)))
    }

    /// Money that points pay: their worth rounded down; all that is due where the program covers what that leaves.
    fn worth(self, points: Decimal) -> Result<Decimal, Rejection> {
        let amount = self.money(points, Rounding::Floor)?;
        let due = self.left.due;
        let covers = self.policy.cover_remainder
            && amount < due
            && self.left.payable() == due
            && self.money(points, Rounding::Ceiling)? == due;
        Ok(if covers { due } else { amount })
    }

    /// The multiple of the program's step that is not above.
    fn in_steps(self, points: Decimal) -> Decimal {
        let step = self.policy.limits.points_step;
        step.map_or(points, |step| points - points % step).normalize()
    }

    fn money(self, points: Decimal, rounding: Rounding) -> Result<Decimal, Rejection> {
        let points = points.max(Decimal::ZERO);
        number::multiply(points, self.value_per_point, self.minor_units, rounding)
            .ok_or(Rejection::LedgerRange { field: "redemption" })
    }

    fn points_for(self, amount: Decimal, rounding: Rounding) -> Result<Decimal, Rejection> {
        number::divide(
            number::ten_thousandths(amount.max(Decimal::ZERO)),
            number::ten_thousandths(self.value_per_point),
            self.decimals,
            rounding,
        )
        .ok_or(Rejection::LedgerRange { field: "redemption" })
    }
}
