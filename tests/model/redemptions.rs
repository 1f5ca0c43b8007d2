//! What stands beside sales: redemptions without one, their reversals, and holds.

use chrono::{DateTime, TimeDelta, Utc};

use super::books::{Balance, Books, Refused};
use super::lots::{Places, Taken};
use super::program::Shape;
use super::step::Pay;

/// A redemption without a sale.
#[derive(Clone, Debug)]
pub(super) struct Redeemed {
    pub(super) taken: Taken,
    /// Points of it that have not come back.
    pub(super) left: i64,
}

/// Points that were set aside.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    /// Out of which lots.
    pub(super) aside: Places,
    points: i64,
    /// In whose terms it is captured.
    terms: Shape,
    placed_at: DateTime<Utc>,
    lapses_at: DateTime<Utc>,
    /// Why it cannot be captured; none while it lives.
    over: Option<Refused>,
}

/// What a redemption, a hold or a capture is said to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) points: i64,
    pub(super) paid: i64,
    pub(super) before: i64,
    pub(super) balance: Balance,
}

/// What holds can be short of when one is placed.
const HOLDS_MAX: usize = 100;

impl Books {
    pub(super) fn redeem(&mut self, program: &Shape, pay: Pay, now: DateTime<Utc>) -> Result<Set, Refused> {
        let before = self.spendable(now) - self.debt;
        let (points, paid) = tender(program, pay, i64::MAX, before)?;
        let taken = self.redeem_points(points, now);
        self.redemptions.push(Redeemed { taken, left: points });
        Ok(self.set(program, (points, paid, before), now))
    }

    /// Points of a redemption come back; without a number all that is left does.
    pub(super) fn reverse(
        &mut self,
        program: &Shape,
        redemption: usize,
        points: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<(i64, Balance), Refused> {
        let redeemed = &mut self.redemptions[redemption];
        let points = points.unwrap_or(redeemed.left);
        if points > redeemed.left || points == 0 {
            return Err("EXCEEDS_REDEEMED");
        }
        redeemed.left -= points;
        let mut taken = std::mem::take(&mut redeemed.taken);
        self.put_back(program, &mut taken, points, (now, now));
        self.redemptions[redemption].taken = taken;
        Ok((points, self.balance(program, now)))
    }

    pub(super) fn hold(&mut self, program: &Shape, pay: Pay, minutes: i64, now: DateTime<Utc>) -> Result<Set, Refused> {
        assert!(self.holds.len() < HOLDS_MAX, "histories are short");
        let before = self.spendable(now) - self.debt;
        let (points, paid) = tender(program, pay, i64::MAX, before)?;
        let aside = self.choose(points, now);
        for (place, points) in &aside {
            self.lots[*place].held += points;
        }
        self.holds.push(Hold {
            aside,
            points,
            terms: program.clone(),
            placed_at: now,
            lapses_at: now + TimeDelta::minutes(minutes),
            over: None,
        });
        Ok(self.set(program, (points, paid, before), now))
    }

    /// A hold is redeemed, or some points of it; `early`: at the instant after it was placed, which a till tells later.
    pub(super) fn capture(
        &mut self,
        program: &Shape,
        hold: usize,
        (points, paid): (Option<i64>, i64),
        early: bool,
        now: DateTime<Utc>,
    ) -> Result<Set, Refused> {
        let held = self.holds[hold].clone();
        let is_late = match held.over {
            None => false,
            Some("HOLD_LAPSED") if early => true,
            Some(over) => return Err(over),
        };
        let before = self.spendable(now) - self.debt;
        let points_captured = points.unwrap_or(held.points);
        let paid = points.map_or(paid, |points| held.terms.money(points));
        if points_captured > held.points {
            return Err("EXCEEDS_HOLD");
        }
        if paid == 0 {
            return Err("NOTHING_TO_REDEEM");
        }
        let (points_captured, taken) = if is_late {
            self.redeem_some(program, points_captured, now)?
        } else {
            self.free(&held.aside);
            let (mut missing, mut taken) = (points_captured, Taken::default());
            for (place, points) in &held.aside {
                let some = missing.min(*points);
                self.lots[*place].remaining -= some;
                missing -= some;
                taken.lots.push((*place, some));
            }
            self.redeemed += points_captured;
            (points_captured, taken)
        };
        self.holds[hold].over = Some("HOLD_CAPTURED");
        self.lapse(now);
        self.redemptions.push(Redeemed {
            taken,
            left: points_captured,
        });
        Ok(self.set(program, (points_captured, paid, before), now))
    }

    pub(super) fn release(&mut self, program: &Shape, hold: usize, now: DateTime<Utc>) -> Result<Balance, Refused> {
        let held = self.holds[hold].clone();
        if let Some(over) = held.over {
            return Err(over);
        }
        self.free(&held.aside);
        self.holds[hold].over = Some("HOLD_RELEASED");
        self.lapse(now);
        Ok(self.balance(program, now))
    }

    /// Holds that live are released.
    pub(super) fn release_holds(&mut self) {
        for hold in 0..self.holds.len() {
            if self.holds[hold].over.is_none() {
                self.free(&self.holds[hold].aside.clone());
                self.holds[hold].over = Some("HOLD_RELEASED");
            }
        }
    }

    /// Holds whose time is over set nothing aside.
    pub(super) fn end_holds(&mut self, now: DateTime<Utc>) {
        for hold in 0..self.holds.len() {
            let held = &mut self.holds[hold];
            if held.over.is_none() && held.lapses_at <= now {
                held.over = Some("HOLD_LAPSED");
                let aside = held.aside.clone();
                self.free(&aside);
            }
        }
    }

    /// When a hold was placed.
    pub(super) fn placed_at(&self, hold: usize) -> DateTime<Utc> {
        self.holds[hold].placed_at
    }

    fn free(&mut self, aside: &Places) {
        for (place, points) in aside {
            self.lots[*place].held -= points;
        }
    }

    fn set(&self, program: &Shape, (points, paid, before): (i64, i64, i64), now: DateTime<Utc>) -> Set {
        Set {
            points,
            paid,
            before,
            balance: self.balance(program, now),
        }
    }
}

/// Points and cents of a tender line.
pub(super) fn tender(program: &Shape, pay: Pay, due: i64, available: i64) -> Result<(i64, i64), Refused> {
    let (points, paid) = match pay {
        Pay::Most => {
            let all = available.max(0);
            let points = if program.money(all) > due {
                all.min(most_not_worth_more(program, due))
            } else {
                all
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
