//! The books of a member as the manuals tell them, written down a second time in the plainest way: all of it is looked
//! at whenever something is asked.

use chrono::{DateTime, Utc};

use super::program::Shape;
use super::step::Pay;

/// Points that arrived together, in the program's smallest unit.
#[derive(Clone, Debug)]
pub(super) struct Lot {
    /// `None`: never.
    pub(super) expires_at: Option<DateTime<Utc>>,
    spendable_from: DateTime<Utc>,
    pub(super) remaining: i64,
}

/// What a member has and did.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// In order of arrival.
    pub(super) lots: Vec<Lot>,
    /// Cents that count towards tiers.
    pub(super) spend: i64,
    /// The sum of all movements, lapses included as soon as they are due.
    pub(super) expired: i64,
}

/// What a sale is said to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) earned: i64,
    pub(super) redeemed: i64,
    pub(super) due: i64,
    pub(super) before: i64,
    pub(super) balance: Balance,
}

/// What a member is said to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) available: i64,
    pub(super) pending: i64,
    pub(super) spend: i64,
    pub(super) tier: Option<usize>,
}

/// Why not: the reason's name in the contract.
pub(super) type Refused = &'static str;

impl Books {
    pub(super) fn balance(&self, program: &Shape, now: DateTime<Utc>) -> Balance {
        Balance {
            available: self.available(now),
            pending: self
                .live(now)
                .filter(|lot| lot.spendable_from > now)
                .map(|lot| lot.remaining)
                .sum(),
            spend: self.spend,
            tier: program.tier_of(self.spend),
        }
    }

    pub(super) fn buy(
        &mut self,
        program: &Shape,
        total: i64,
        pay: Option<Pay>,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Told, Refused> {
        let before = self.available(now);
        let (points, paid) = match pay {
            Some(pay) => tender(program, pay, total, before)?,
            None => (0, 0),
        };

        self.take(points, now);
        let kept_out = if program.spend_without_points_paid_part {
            paid
        } else {
            0
        };
        self.spend += total - kept_out;
        let rated = if program.earns_on_points_paid_part {
            total
        } else {
            total - paid
        };
        let earned = program.earned(program.tier_of(self.spend), rated);
        let earns_by_points = paid == total && !program.earns_on_points_paid_part;
        let earned = if earns_by_points { 0 } else { earned };
        self.lots.push(Lot {
            expires_at: program.expires_at(at),
            spendable_from: program.pending_until(at).unwrap_or(now),
            remaining: earned,
        });
        Ok(Told {
            earned,
            redeemed: points,
            due: total - paid,
            before,
            balance: self.balance(program, now),
        })
    }

    /// What lapsed is counted, and gone.
    pub(super) fn lapse(&mut self, now: DateTime<Utc>) {
        for lot in &mut self.lots {
            if lot.expires_at.is_some_and(|at| at <= now) {
                self.expired += lot.remaining;
                lot.remaining = 0;
            }
        }
    }

    fn live(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Lot> {
        self.lots
            .iter()
            .filter(move |lot| lot.expires_at.is_none_or(|at| at > now))
    }

    fn available(&self, now: DateTime<Utc>) -> i64 {
        let spendable = self.live(now).filter(|lot| lot.spendable_from <= now);
        spendable.map(|lot| lot.remaining).sum()
    }

    /// Earliest expiry first, never-expiring last, oldest first among equals.
    fn take(&mut self, points: i64, now: DateTime<Utc>) {
        let mut order: Vec<&mut Lot> = self
            .lots
            .iter_mut()
            .filter(|lot| lot.spendable_from <= now && lot.expires_at.is_none_or(|at| at > now))
            .collect();
        order.sort_by_key(|lot| (lot.expires_at.is_none(), lot.expires_at));
        let mut missing = points;
        for lot in order {
            let taken = missing.min(lot.remaining);
            lot.remaining -= taken;
            missing -= taken;
        }
        assert_eq!(missing, 0, "the model takes what is there");
    }
}

/// Points and cents of a tender line.
fn tender(program: &Shape, pay: Pay, due: i64, available: i64) -> Result<(i64, i64), Refused> {
    let (points, paid) = match pay {
        Pay::Most => {
            let points = available.max(0);
            let points = if program.money(points) > due {
                let by_money = (0..=points).rev().find(|points| program.money(*points) <= due);
                by_money.unwrap_or(0).min(most_not_worth_more(program, due))
            } else {
                points
            };
            let paid = program.money(points);
            return Ok(if points > 0 && paid > 0 { (points, paid) } else { (0, 0) });
        }
        Pay::Points(points) => (points, program.money(points)),
        Pay::Amount(cents) => (program.points_for(cents), cents),
    };
    if paid > due {
        return Err("EXCEEDS_DUE");
    }
    if points == 0 || paid == 0 {
        return Err("NOTHING_TO_REDEEM");
    }
    if points > available {
        return Err("INSUFFICIENT_POINTS");
    }
    Ok((points, paid))
}

/// The most points whose exact value, before money is rounded, is not above what is due.
fn most_not_worth_more(program: &Shape, due: i64) -> i64 {
    let unit = 10_i64.pow(program.decimals);
    due * 100 * unit / program.value
}
