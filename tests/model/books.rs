//! The books of a member as the manuals tell them, written down a second time in the plainest way: all of it is looked
//! at whenever something is asked.

use chrono::{DateTime, Utc};

use super::lots::{Lot, Taken};
use super::program::{Shape, Shortfall};
use super::redemptions::{Hold, Redeemed, tender};
use super::step::Pay;

/// A sale, as far as what comes back of it asks for.
#[derive(Clone, Debug)]
pub(super) struct Sold {
    /// What rated it, and rates what of it is kept.
    rated_by: Shape,
    lines: Vec<i64>,
    kept: Vec<bool>,
    at: DateTime<Utc>,
    /// Cents that points paid.
    paid: i64,
    pub(super) taken: Taken,
    redeemed: i64,
    given_back: i64,
    earned: i64,
    spend: i64,
    spend_before: i64,
    /// What its cancellation did.
    cancelled: Option<Undone>,
}

/// When a sale was made that arrives later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late<'a> {
    pub(super) at: DateTime<Utc>,
    /// The program as it was then, if the till had no line, else as it is.
    pub(super) rated_by: &'a Shape,
    /// What a till without a line lets points pay, whoever took them too; `None`: it had a line.
    pub(super) limit: Option<i64>,
}

/// What a member has and did.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    /// In order of arrival.
    pub(super) lots: Vec<Lot>,
    pub(super) sales: Vec<Sold>,
    pub(super) redemptions: Vec<Redeemed>,
    pub(super) holds: Vec<Hold>,
    pub(super) debt: i64,
    /// Cents that count towards tiers, and of when.
    pub(super) spends: Vec<(DateTime<Utc>, i64)>,
    /// Redeemed so far, less what came back.
    pub(super) redeemed: i64,
    /// Added by hand, less what was removed.
    pub(super) adjusted: i64,
}

/// What a sale is said to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Its place among the member's.
    pub(super) sale: usize,
    pub(super) earned: i64,
    pub(super) redeemed: i64,
    pub(super) due: i64,
    pub(super) before: i64,
    pub(super) balance: Balance,
}

/// What a return is said to have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Undone {
    /// Negative where the kept goods earn more.
    pub(super) taken_back: i64,
    pub(super) given_back: i64,
    pub(super) balance: Balance,
}

/// What a member is said to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) available: i64,
    pub(super) pending: i64,
    pub(super) held: i64,
    pub(super) spend: i64,
    pub(super) tier: Option<usize>,
}

/// Why not: the reason's name in the contract.
pub(super) type Refused = &'static str;

impl Books {
    pub(super) fn balance(&self, program: &Shape, now: DateTime<Utc>) -> Balance {
        let waiting = self.live(now).filter(|lot| lot.spendable_from > now);
        Balance {
            available: self.spendable(now) - self.debt,
            pending: waiting.map(|lot| lot.remaining).sum(),
            held: self.lots.iter().map(|lot| lot.held).sum(),
            spend: self.spend(),
            tier: program.tier_of(self.spend()),
        }
    }

    pub(super) fn buy(
        &mut self,
        program: &Shape,
        lines: &[i64],
        pay: Option<Pay>,
        Late { at, rated_by, limit }: Late<'_>,
        now: DateTime<Utc>,
    ) -> Result<Told, Refused> {
        let total: i64 = lines.iter().sum();
        let before = self.spendable(now) - self.debt;
        let (points, paid) = match pay {
            Some(pay) => tender(rated_by, pay, total, before.max(limit.unwrap_or(before)))?,
            None => (0, 0),
        };

        let (points, taken) = self.redeem_some(program, points, now)?;
        let spend_before = match limit {
            // What was sold later was not sold yet.
            Some(_) => self
                .spends
                .iter()
                .filter(|(of, _)| *of <= at)
                .map(|(_, spend)| spend)
                .sum(),
            None => self.spend(),
        };
        let (spend, earned) = rated(rated_by, spend_before, total, total, paid);
        self.spends.push((at, spend));
        let sale = self.sales.len();
        self.credit(rated_by, earned, at, now, Some(sale));
        self.lots.last_mut().expect("the lot of the sale").came_at = Some(at);
        self.sales.push(Sold {
            rated_by: rated_by.clone(),
            lines: lines.to_vec(),
            kept: vec![true; lines.len()],
            at,
            paid,
            taken,
            redeemed: points,
            given_back: 0,
            earned,
            spend,
            spend_before,
            cancelled: None,
        });
        Ok(Told {
            sale,
            earned,
            redeemed: points,
            due: total - paid,
            before,
            balance: self.balance(program, now),
        })
    }

    /// Lines come back whole; without lines all that is left does.
    pub(super) fn give_back(
        &mut self,
        program: &Shape,
        sale: usize,
        lines: &[usize],
        now: DateTime<Utc>,
    ) -> Result<Undone, Refused> {
        let mut changed = self.clone();
        let undone = changed.undo(program, sale, lines, now)?;
        *self = changed;
        Ok(undone)
    }

    pub(super) fn cancel(&mut self, program: &Shape, sale: usize, now: DateTime<Utc>) -> Result<Undone, Refused> {
        if let Some(undone) = &self.sales[sale].cancelled {
            return Ok(undone.clone());
        }
        let mut changed = self.clone();
        let undone = changed.undo(program, sale, &[], now)?;
        changed.sales[sale].cancelled = Some(undone.clone());
        *self = changed;
        Ok(undone)
    }

    /// Which lines of a sale can still come back.
    pub(super) fn kept(&self, sale: usize) -> Vec<usize> {
        let sold = &self.sales[sale];
        (0..sold.lines.len())
            .filter(|line| sold.kept[*line] && sold.cancelled.is_none())
            .collect()
    }

    fn undo(&mut self, program: &Shape, sale: usize, lines: &[usize], now: DateTime<Utc>) -> Result<Undone, Refused> {
        let sold = &mut self.sales[sale];
        for (line, kept) in sold.kept.iter_mut().enumerate() {
            *kept = *kept && !(lines.is_empty() || lines.contains(&line));
        }
        let sold = sold.clone();
        let total: i64 = sold.lines.iter().sum();
        let kept: i64 = sold
            .lines
            .iter()
            .zip(&sold.kept)
            .filter(|(_, kept)| **kept)
            .map(|(cents, _)| cents)
            .sum();
        let nothing_kept = !sold.kept.contains(&true);

        let share = if nothing_kept || total == 0 {
            sold.redeemed
        } else {
            i64::try_from(i128::from(sold.redeemed) * i128::from(total - kept) / i128::from(total)).expect("small")
        };
        let share = if !nothing_kept && total == 0 { 0 } else { share };
        let given_back = share - sold.given_back;
        let (spend, earned) = if nothing_kept {
            (0, 0)
        } else {
            rated(&sold.rated_by, sold.spend_before, kept, total, sold.paid)
        };
        let taken_back = sold.earned - earned;
        // What comes back may have to cover what is taken back.
        let mut taken = std::mem::take(&mut self.sales[sale].taken);
        self.put_back(&sold.rated_by, &mut taken, given_back, (sold.at, now));
        self.sales[sale].taken = taken;
        if taken_back > 0 {
            self.take_back(program, sale, taken_back, now)?;
        }
        if taken_back < 0 {
            self.credit(&sold.rated_by, -taken_back, sold.at, now, Some(sale));
        }
        self.spends.push((sold.at, spend - sold.spend));
        let sold = &mut self.sales[sale];
        (sold.given_back, sold.earned, sold.spend) = (share, earned, spend);
        Ok(Undone {
            taken_back,
            given_back,
            balance: self.balance(program, now),
        })
    }

    /// Points are added, or removed as far as they can be spent, and the rest as the program says.
    pub(super) fn adjust(&mut self, program: &Shape, points: i64, now: DateTime<Utc>) -> Result<Balance, Refused> {
        if points > 0 {
            self.adjusted += points;
            self.arrive(points, (program.expires_at(now), now), None, now);
        } else {
            let some = (-points).min((self.spendable(now) - self.debt).max(0));
            let missing = -points - some;
            if program.shortfall == Shortfall::Refused && missing > 0 {
                return Err("INSUFFICIENT_POINTS");
            }
            self.take(some, now);
            self.adjusted -= some;
            if program.shortfall == Shortfall::Owed {
                self.debt += missing;
                self.adjusted -= missing;
            }
        }
        Ok(self.balance(program, now))
    }

    /// Cents that count towards tiers.
    fn spend(&self) -> i64 {
        self.spends.iter().map(|(_, spend)| spend).sum()
    }

    fn credit(&mut self, program: &Shape, points: i64, at: DateTime<Utc>, now: DateTime<Utc>, sale: Option<usize>) {
        let spendable_from = program.pending_until(at).unwrap_or(now);
        self.arrive(points, (program.expires_at(at), spendable_from), sale, now);
        self.lapse(now);
    }
}

/// What `kept` cents of a sale of `total`, of which points paid `paid`, add to the spend, and earn: what points paid comes
/// back in proportion, rounded down, and they go on paying the rest.
fn rated(program: &Shape, spend_before: i64, kept: i64, total: i64, paid: i64) -> (i64, i64) {
    let back = i128::from(paid) * i128::from(total - kept) / i128::from(total.max(1));
    let without = kept - (paid - i64::try_from(back).expect("small"));
    let spend = match program.spend_without_points_paid_part {
        true => without,
        false => kept,
    };
    let tier = program.tier_of(spend_before + spend);
    if program.earns_on_points_paid_part {
        (spend, program.earned(tier, kept))
    } else if without == 0 {
        (spend, 0)
    } else {
        (spend, program.earned(tier, without))
    }
}
