//! What the points of a member can do, without doing it: decided by the same functions that do it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{Left, Terms, check_open, redeem};
use crate::domain::account::{Books, Stop};
use crate::domain::number::Currency;
use crate::domain::outcome::{Accounting, Balance, PointsTender};
use crate::domain::program::ProgramVersion;
use crate::domain::rejection::Rejection;
use crate::domain::reward::Reward;
use crate::domain::sale::{RedemptionAsk, SaleRedemption};
use crate::domain::sale_recording::balance_at;

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// A sale's total, and what of it is still due; `None` without a sale.
    pub(crate) sale: Option<(Decimal, Decimal)>,
    /// An amount whose cost in points is asked; `None`: all that is due.
    pub(crate) amount: Option<Decimal>,
}

/// What the points of a member can do.
#[derive(Clone, Debug)]
pub(crate) struct Quote {
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    pub(crate) balance: Balance,
    /// The most points that can pay by points; `None` where none can.
    pub(crate) most: Option<PointsTender>,
    /// What it takes to pay the amount; `None` where no amount is asked.
    pub(crate) cover: Option<Possible>,
    /// Every reward, in the order of tills.
    pub(crate) rewards: Vec<(String, Reward, Possible)>,
}

/// Whether something can be redeemed.
#[derive(Clone, Debug)]
pub(crate) struct Possible {
    /// What it costs; `None` where points cannot do it at any price.
    pub(crate) points: Option<Decimal>,
    /// Points that are missing to it.
    pub(crate) missing: Decimal,
    pub(crate) refusal: Option<Rejection>,
}

/// Answers what the points can do at `now`; refuses where nothing can be redeemed.
pub(crate) fn quote(
    books: &Books,
    version: &ProgramVersion,
    question: Question,
    now: DateTime<Utc>,
) -> Result<Quote, Stop> {
    let program = &version.program;
    let at = now.max(books.account.recorded_at);
    check_open(version, &books.account.status, program.local_date(at))?;
    let balance = balance_at(books, version, now)?;
    let terms = Terms::of_member(books, version, at);
    let left = match question.sale {
        Some((total, due)) => Left::of_sale(version, total, due, balance.available),
        None => Left::without_sale(version, balance.available),
    };

    let amount = question.amount.or(question.sale.map(|(_, due)| due));
    let cover = amount.map(|amount| possible(terms, left, RedemptionAsk::Amount(amount), None));
    let rewards = version.rewards.iter().map(|(reward_id, reward)| {
        let ask = RedemptionAsk::Reward {
            reward_id: reward_id.clone(),
            quantity: Decimal::ONE,
        };
        let possible = possible(terms, left, ask, Some(reward.points));
        (reward_id.clone(), reward.clone(), possible)
    });
    Ok(Quote {
        program_version: version.version,
        currency: program.currency.clone(),
        most: most(terms, left)?,
        cover,
        rewards: rewards.collect(),
        balance,
    })
}

/// The most points that can pay by points.
fn most(terms: Terms<'_>, left: Left) -> Result<Option<PointsTender>, Rejection> {
    if terms.value_per_point.is_none() {
        return Ok(None);
    }
    let decimals = terms.version.program.decimals;
    let all = ask(RedemptionAsk::Points(left.most_points(decimals)), true);
    Ok(redeem(terms, &[all], left)?.tenders.pop())
}

fn possible(terms: Terms<'_>, left: Left, wanted: RedemptionAsk, price: Option<Decimal>) -> Possible {
    let (points, refusal) = match redeem(terms, &[ask(wanted, false)], left) {
        Ok(redeemed) => (Some(redeemed.points()), None),
        Err(refusal) => (price.or(refusal.points()), Some(refusal)),
    };
    let missing = points.map_or(Decimal::ZERO, |points| points - left.available.max(Decimal::ZERO));
    Possible {
        points,
        missing: missing.max(Decimal::ZERO).normalize(),
        refusal,
    }
}

fn ask(ask: RedemptionAsk, clamp: bool) -> SaleRedemption {
    SaleRedemption {
        ask,
        clamp,
        accounting: Accounting::default(),
    }
}
