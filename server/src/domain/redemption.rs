//! What points are turned into: what an ask takes, what it pays, and which lots it comes from.

mod bought;
mod item;
mod money;
#[cfg(test)]
pub(super) mod properties;
pub(crate) mod quote;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

pub(crate) use bought::{Bought, BoughtLine};

use super::account::{Books, LotsMissing};
use super::earning;
use super::lot::LotKey;
use super::member_status::MemberStatus;
use super::number::{self, LEDGER_LIMIT, Rounding};
use super::outcome::{AffordableReward, LinePrice, PointsTender};
use super::program::{ProgramState, ProgramVersion, RedemptionLimits};
use super::rejection::Rejection;
use super::sale::{RedemptionAsk, SaleLine, SaleRedemption};
use super::tier;

/// Affordable rewards that answers name: more than a till has keys.
const MOST_AFFORDABLE: usize = 20;

/// What the redemptions of one sale, or of one call, are decided by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) version: &'a ProgramVersion,
    /// Money that one point pays for the member; `None`: points do not pay by amount.
    pub(crate) value_per_point: Option<Decimal>,
    /// What products are bought of.
    pub(crate) lines: &'a [SaleLine],
    /// Where the request has the asks.
    pub(crate) field: &'static str,
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

/// What came of the asks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redeemed {
    /// Without the asks that came to nothing.
    pub(crate) tenders: Vec<PointsTender>,
    pub(crate) bought: Bought,
}

impl<'a> Terms<'a> {
    /// Those of a member, without a sale.
    pub(crate) fn of_member(books: &Books, version: &'a ProgramVersion, at: DateTime<Utc>) -> Self {
        let (program, spend) = (&version.program, books.spend());
        let kept_tier = books.account.tier_id.as_deref();
        let standing = tier::standing(program, &spend, kept_tier, program.local_date(at));
        Self {
            version,
            value_per_point: earning::value_per_point(version, &books.account.attributes, standing.tier),
            lines: &[],
            field: "redemptions",
        }
    }
}

impl Redeemed {
    pub(crate) fn points(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.points).sum()
    }

    /// Money that all of them paid.
    pub(crate) fn paid(&self) -> Decimal {
        self.tenders.iter().map(|tender| tender.amount).sum()
    }
}

/// The tender lines of the asks, in order, each out of what the ones before left.
pub(crate) fn redeem(terms: Terms<'_>, asks: &[SaleRedemption], mut left: Left) -> Result<Redeemed, Rejection> {
    check_asks(terms, asks)?;
    let accounting = &terms.version.program.accounting;
    let mut redeemed = Redeemed::default();
    for ask in asks {
        let tender = match &ask.ask {
            RedemptionAsk::Points(points) => money::by_points(terms, *points, ask.clamp, left)?,
            RedemptionAsk::Amount(amount) => money::by_amount(terms, *amount, ask.clamp, left)?,
            RedemptionAsk::Product { product_id, quantity } => {
                let offer = item::product(terms, product_id, *quantity)?;
                offer.redeem(terms, ask.clamp, left, &mut redeemed.bought)?
            }
            RedemptionAsk::Reward { reward_id, quantity } => {
                let offer = item::reward(terms, reward_id, *quantity)?;
                offer.redeem(terms, ask.clamp, left, &mut redeemed.bought)?
            }
        };
        if let Some(tender) = tender {
            left = left.without(&tender);
            redeemed.tenders.push(PointsTender {
                accounting: ask.accounting.or(accounting),
                ..tender
            });
        }
    }
    Ok(redeemed)
}

/// Refuses when points of the program cannot be redeemed on a day, or not those of a member: whatever takes points to pay
/// asks here.
pub(crate) fn check_open(version: &ProgramVersion, member: &MemberStatus, day: NaiveDate) -> Result<(), Rejection> {
    let program = &version.program;
    let state = match program.state {
        ProgramState::Active if program.redeem_until.is_some_and(|last| day > last) => "ENDED",
        ProgramState::Active => return member.check_redeeming(),
        ProgramState::Draft => "DRAFT",
        ProgramState::Paused => "PAUSED",
        ProgramState::Archived => "ARCHIVED",
    };
    Err(Rejection::RedemptionClosed {
        program_id: version.program_id.to_string(),
        state,
    })
}

/// What the product of a line costs in points, and how many whole units of it the points that are left can buy; `None`
/// for a line whose product has no such price.
pub(crate) fn price_of(
    terms: Terms<'_>,
    line: &SaleLine,
    bought: Decimal,
    left: Left,
) -> Result<Option<LinePrice>, Rejection> {
    let product = terms.version.products.get(&line.product_id);
    let Some(points) = product.and_then(|product| product.redeem_points) else {
        return Ok(None);
    };
    let most = left.most_points(terms.version.program.decimals);
    let affordable = number::divide(
        number::ten_thousandths(most),
        number::ten_thousandths(points),
        0,
        Rounding::Floor,
    );
    let affordable = affordable.ok_or(Rejection::LedgerRange { field: "redemption" })?;
    let quantity = affordable.min((line.quantity - bought).floor());
    Ok(Some(LinePrice { points, quantity }))
}

/// The rewards that a member is entitled to.
pub(crate) struct Entitlement {
    /// Whether there are as many points as the program, else its first reward says.
    pub(crate) reminder: bool,
    pub(crate) affordable: Vec<AffordableReward>,
}

/// What `available` points of a member entitle to on a day; nothing where they cannot be redeemed.
pub(crate) fn entitlement(
    version: &ProgramVersion,
    member: &MemberStatus,
    available: Decimal,
    day: NaiveDate,
) -> Entitlement {
    let policy = version.program.redemption.as_ref();
    let limit = policy.and_then(|policy| policy.reminder_points);
    let first = version.rewards.iter().next().map(|(_, reward)| reward.points);
    let (Some(limit), Ok(())) = (limit.or(first), check_open(version, member, day)) else {
        return Entitlement {
            reminder: false,
            affordable: Vec::new(),
        };
    };
    let most = Left::without_sale(version, available).most_points(version.program.decimals);
    let affordable = version.rewards.iter().filter(|(_, reward)| reward.points <= most);
    Entitlement {
        reminder: available >= limit,
        affordable: affordable
            .take(MOST_AFFORDABLE)
            .map(|(reward_id, reward)| AffordableReward {
                reward_id: reward_id.clone(),
                points: reward.points,
                printed_text: reward.text().to_owned(),
            })
            .collect(),
    }
}

/// The lots that `points` come from, in order of consumption. The sum is exactly `points`. Lapsed lots have been
/// written off before.
pub(crate) fn allocate(
    books: &Books,
    points: Decimal,
    at: DateTime<Utc>,
) -> Result<Vec<(LotKey, Decimal)>, LotsMissing> {
    allocate_beside(books, &[], points, at)
}

/// The same without the lots in `beside`.
pub(crate) fn allocate_beside(
    books: &Books,
    beside: &[LotKey],
    points: Decimal,
    at: DateTime<Utc>,
) -> Result<Vec<(LotKey, Decimal)>, LotsMissing> {
    if books.pending.has_unknown() || books.holds.has_unknown() {
        return Err(LotsMissing);
    }
    let mut missing = points;
    let mut allocations = Vec::new();
    for (key, remaining) in books.open_lots().filter(|(key, _)| !beside.contains(key)) {
        if missing.is_zero() {
            break;
        }
        let taken = missing.min(books.spendable(key, remaining, at));
        if taken <= Decimal::ZERO {
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

impl Left {
    /// What the program's limits leave of `available` points to a sale of `total` with `due` still to pay.
    pub(crate) fn of_sale(version: &ProgramVersion, total: Decimal, due: Decimal, available: Decimal) -> Self {
        let limits = limits(version);
        let minor_units = version.program.currency.minor_units;
        let part = |percent| number::percent(total, percent, minor_units, Rounding::Floor);
        Self {
            available,
            due,
            points: limits.max_points_per_sale,
            share: limits.max_percent_of_sale.and_then(part),
        }
    }

    /// The same where there is no sale: nothing is due, so nothing is too much.
    pub(crate) fn without_sale(version: &ProgramVersion, available: Decimal) -> Self {
        Self {
            available,
            due: LEDGER_LIMIT,
            points: limits(version).max_points_per_sale,
            share: None,
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
        let most = self.share.map_or(self.due, |share| share.min(self.due));
        most.max(Decimal::ZERO)
    }

    /// The most points that are there and that the limit of the sale leaves.
    fn most_points(self, decimals: u32) -> Decimal {
        let most = self.points.map_or(self.available, |points| points.min(self.available));
        number::cut(most.max(Decimal::ZERO), decimals)
    }

    fn check_amount(self, amount: Decimal) -> Result<(), Rejection> {
        if amount > self.due {
            return Err(Rejection::ExceedsDue { amount, due: self.due });
        }
        match self.share.map(|share| share.max(Decimal::ZERO)) {
            Some(max_amount) if amount > max_amount => Err(Rejection::ExceedsSaleShare { amount, max_amount }),
            _ => Ok(()),
        }
    }

    fn check_points(self, points: Decimal) -> Result<(), Rejection> {
        if let Some(max_points) = self.points.filter(|most| points > *most) {
            return Err(Rejection::ExceedsMaximumPoints { points, max_points });
        }
        if points > self.available {
            return Err(Rejection::InsufficientPoints {
                available: self.available.max(Decimal::ZERO).normalize(),
                requested: points,
            });
        }
        Ok(())
    }
}

fn limits(version: &ProgramVersion) -> RedemptionLimits {
    let policy = version.program.redemption.as_ref();
    policy.map(|policy| policy.limits).unwrap_or_default()
}

/// What of the asks can be told to be wrong before any of them is carried out.
fn check_asks(terms: Terms<'_>, asks: &[SaleRedemption]) -> Result<(), Rejection> {
    let asks_money = |ask: &SaleRedemption| matches!(ask.ask, RedemptionAsk::Points(_) | RedemptionAsk::Amount(_));
    if terms.value_per_point.is_none() && asks.iter().any(asks_money) {
        return Err(Rejection::RedemptionNotOffered {
            program_id: terms.version.program_id.to_string(),
        });
    }
    let decimals = terms.version.program.decimals;
    let is_too_precise = |ask: &SaleRedemption| match ask.ask {
        RedemptionAsk::Points(points) => points.normalize().scale() > decimals,
        _ => false,
    };
    match asks.iter().position(is_too_precise) {
        Some(place) => Err(Rejection::TooManyDecimals {
            field: format!("{}[{place}].points", terms.field),
            decimals,
        }),
        None => Ok(()),
    }
}
