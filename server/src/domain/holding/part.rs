//! What of a hold a capture redeems: all of it, or of some of its tenders all or less.

use ethnum::I256;
use rust_decimal::Decimal;

use crate::domain::hold::HoldTerms;
use crate::domain::lot::LotKey;
use crate::domain::number::{self, Rounding, millionths, ten_thousandths};
use crate::domain::outcome::{PointsTender, RedeemedItem};
use crate::domain::program::{Program, ProgramVersion};
use crate::domain::redeeming::Source;
use crate::domain::rejection::Rejection;
use crate::domain::sale::{RedemptionAsk, SaleRedemption};

const OUT_OF_RANGE: Rejection = Rejection::LedgerRange { field: "redemption" };

/// The tenders that a capture comes to. Each ask takes the first tender of the hold that is for the same and that none
/// before it took.
pub(super) fn captured(
    terms: &HoldTerms,
    asks: &[SaleRedemption],
    version: &ProgramVersion,
) -> Result<Vec<PointsTender>, Rejection> {
    if asks.is_empty() {
        return Ok(terms.tenders.clone());
    }
    let mut free: Vec<&PointsTender> = terms.tenders.iter().collect();
    let mut tenders = Vec::with_capacity(asks.len());
    for (place, ask) in asks.iter().enumerate() {
        let mut found = None;
        for (number, tender) in free.iter().enumerate().filter(|(_, tender)| is_for(tender, &ask.ask)) {
            if let Some(part) = part(tender, ask, &version.program)? {
                found = Some((number, part));
                break;
            }
        }
        let Some((number, part)) = found else {
            return Err(Rejection::ExceedsHold {
                field: format!("redemptions[{place}]"),
                held: free.iter().map(|tender| tender.points).sum::<Decimal>().normalize(),
            });
        };
        // A thing may be worth no money; points alone are not given away for nothing.
        let pays_nothing = part.item.is_none() && part.amount <= Decimal::ZERO;
        if part.points <= Decimal::ZERO || pays_nothing {
            let (points, amount) = (part.points, part.amount);
            return Err(Rejection::NothingToRedeem { points, amount });
        }
        free.remove(number);
        tenders.push(PointsTender {
            accounting: ask.accounting.or(&part.accounting),
            ..part
        });
    }
    Ok(tenders)
}

/// Gives each tender its lots, in order of consumption.
pub(super) fn with_lots(tenders: Vec<PointsTender>, lots: &[(LotKey, Decimal)]) -> Vec<(PointsTender, Source)> {
    let mut lots = lots.to_vec();
    let with_its = tenders.into_iter().map(|tender| {
        let its = first(&mut lots, tender.points);
        (tender, Source::Held(its))
    });
    with_its.collect()
}

/// Takes the first `points` out of a list of lots; fewer where there are no more.
pub(super) fn first(lots: &mut Vec<(LotKey, Decimal)>, points: Decimal) -> Vec<(LotKey, Decimal)> {
    let mut missing = points;
    let mut taken = Vec::new();
    for (key, left) in lots.iter_mut() {
        let part = missing.min(*left);
        if part > Decimal::ZERO {
            missing -= part;
            *left -= part;
            taken.push((*key, part));
        }
    }
    lots.retain(|(_, left)| *left > Decimal::ZERO);
    taken
}

/// Whether a tender was held for what is asked.
fn is_for(tender: &PointsTender, ask: &RedemptionAsk) -> bool {
    match (ask, &tender.item) {
        (RedemptionAsk::Points(_) | RedemptionAsk::Amount(_), None) => true,
        (RedemptionAsk::Product { product_id, .. }, Some(item)) => {
            item.reward_id.is_empty() && item.product_id == *product_id
        }
        (RedemptionAsk::Reward { reward_id, .. }, Some(item)) => item.reward_id == *reward_id,
        _ => false,
    }
}

/// What is asked of a tender, in its own terms; `None` where that is more than it is.
fn part(tender: &PointsTender, ask: &SaleRedemption, program: &Program) -> Result<Option<PointsTender>, Rejection> {
    let (points, amount, item) = match (&ask.ask, &tender.item, tender.value_per_point) {
        (RedemptionAsk::Points(points), _, Some(rate)) if *points < tender.points => {
            let amount = number::multiply(*points, rate, program.currency.minor_units, Rounding::Floor);
            (*points, amount.ok_or(OUT_OF_RANGE)?.min(tender.amount), None)
        }
        (RedemptionAsk::Amount(amount), _, Some(rate)) if *amount < tender.amount => {
            let rounding = program.redemption.as_ref().map(|policy| policy.points_rounding);
            let rounding = rounding.unwrap_or(Rounding::Ceiling);
            let points = number::divide(
                ten_thousandths(*amount),
                ten_thousandths(rate),
                program.decimals,
                rounding,
            );
            (points.ok_or(OUT_OF_RANGE)?.min(tender.points), *amount, None)
        }
        (RedemptionAsk::Product { quantity, .. } | RedemptionAsk::Reward { quantity, .. }, Some(item), _)
            if *quantity < item.quantity =>
        {
            let points = share(
                item.points_per_unit,
                *quantity,
                Decimal::ONE,
                program.decimals,
                Rounding::Ceiling,
            )?;
            let minor_units = program.currency.minor_units;
            let amount = share(tender.amount, *quantity, item.quantity, minor_units, Rounding::Floor)?;
            let item = RedeemedItem {
                quantity: *quantity,
                ..item.clone()
            };
            (points, amount, Some(item))
        }
        _ if ask.clamp || is_all(tender, &ask.ask) => return Ok(Some(tender.clone())),
        _ => return Ok(None),
    };
    Ok(Some(PointsTender {
        points,
        amount,
        item,
        ..tender.clone()
    }))
}

fn is_all(tender: &PointsTender, ask: &RedemptionAsk) -> bool {
    match ask {
        RedemptionAsk::Points(points) => *points == tender.points,
        RedemptionAsk::Amount(amount) => *amount == tender.amount,
        RedemptionAsk::Product { quantity, .. } | RedemptionAsk::Reward { quantity, .. } => {
            tender.item.as_ref().is_some_and(|item| item.quantity == *quantity)
        }
    }
}

/// `value × quantity / of`.
fn share(
    value: Decimal,
    quantity: Decimal,
    of: Decimal,
    decimals: u32,
    rounding: Rounding,
) -> Result<Decimal, Rejection> {
    let unit = I256::from(10_i128.pow(number::SCALE));
    let numerator = ten_thousandths(value) * millionths(quantity);
    number::divide(numerator, millionths(of) * unit, decimals, rounding).ok_or(OUT_OF_RANGE)
}
