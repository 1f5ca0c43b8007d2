//! What the parts of a redemption come to that are to come back.

use ethnum::I256;
use rust_decimal::Decimal;

use super::{Measure, Part};
use crate::domain::number::{self, Rounding, millionths, ten_thousandths};
use crate::domain::outcome::PointsTender;
use crate::domain::redeeming::{RecordedRedemption, TenderBack};
use crate::domain::rejection::Rejection;

/// What comes back of which tender. Points and money follow each other by what came back of both so far, rounded down, until
/// the last part takes the rest: however a redemption is cut, no more comes back than it took and paid.
pub(super) fn parts(
    recorded: &RecordedRedemption,
    asked: &[Part],
    decimals: u32,
) -> Result<Vec<(usize, TenderBack)>, Rejection> {
    let tenders = &recorded.redemption.tenders;
    let mut given = recorded.given_back.clone();
    let everything: Vec<Part> = (0_u32..).take(tenders.len()).map(Part::rest_of).collect();
    let mut parts = Vec::new();
    for (number, part) in if asked.is_empty() { &everything } else { asked }.iter().enumerate() {
        let place = usize::try_from(part.tender).unwrap_or(usize::MAX);
        let Some(tender) = tenders.get(place) else {
            return Err(exceeds(format!("parts[{number}].tender"), Decimal::ZERO));
        };
        let before = given.of(place);
        let left = tender.points - before.points;
        // A tender may have paid money that no points were there for.
        let is_all_back = left.is_zero() && before.amount == tender.amount;
        if is_all_back && asked.is_empty() {
            continue;
        }
        let field = format!("parts[{number}]");
        let is_too_precise = |value: Decimal, decimals: u32| value.normalize().scale() > decimals;
        let minor_units = recorded.redemption.currency.minor_units;
        let too_precise = match part.measure {
            Measure::Points(points) if is_too_precise(points, decimals) => Some(("points", decimals)),
            Measure::Amount(amount) if is_too_precise(amount, minor_units) => Some(("amount", minor_units)),
            _ => None,
        };
        if let Some((name, decimals)) = too_precise {
            let field = format!("{field}.{name}");
            return Err(Rejection::TooManyDecimals { field, decimals });
        }
        let share = Share {
            tender,
            before,
            decimals,
            minor_units,
        };
        let after = match share.after(part.measure)? {
            Some(after) if !is_all_back => after,
            _ => return Err(exceeds(field, left)),
        };
        let back = after.less(before);
        given.add(place, back);
        parts.push((place, back));
    }
    match parts.is_empty() {
        true => Err(exceeds("parts".to_owned(), Decimal::ZERO)),
        false => Ok(parts),
    }
}

fn exceeds(field: String, left: Decimal) -> Rejection {
    Rejection::ExceedsRedeemed {
        field,
        left: left.normalize(),
    }
}

impl Part {
    fn rest_of(tender: u32) -> Self {
        Self {
            tender,
            measure: Measure::Rest,
        }
    }
}

/// A tender of which a part is to come back.
struct Share<'a> {
    tender: &'a PointsTender,
    before: TenderBack,
    decimals: u32,
    minor_units: u32,
}

impl Share<'_> {
    /// What has come back of the tender afterwards; `None` where that is more than it is, or not told in its terms.
    fn after(&self, measure: Measure) -> Result<Option<TenderBack>, Rejection> {
        let PointsTender { points, amount, .. } = *self.tender;
        let before = self.before;
        let quantity = self.tender.item.as_ref().map(|item| item.quantity);
        // What has come back by the measure, of how much of it.
        let (sum, of) = match (measure, quantity) {
            (Measure::Rest, _) => (Decimal::ONE, Decimal::ONE),
            (Measure::Points(part), None) => (before.points + part, points),
            (Measure::Amount(part), None) => (before.amount + part, amount),
            (Measure::Quantity(part), Some(quantity)) => (before.quantity + part, quantity),
            (Measure::Points(_) | Measure::Amount(_), Some(_)) | (Measure::Quantity(_), None) => return Ok(None),
        };
        if sum > of {
            return Ok(None);
        }
        if sum == of {
            return Ok(Some(TenderBack {
                points,
                amount,
                quantity: quantity.unwrap_or_default(),
            }));
        }
        let share = |whole: Decimal, decimals: u32| {
            let numerator = ten_thousandths(whole) * millionths(sum);
            let unit = I256::from(10_i128.pow(number::SCALE));
            let part = number::divide(numerator, millionths(of) * unit, decimals, Rounding::Floor);
            part.ok_or(Rejection::LedgerRange { field: "parts" })
        };
        let points = match measure {
            Measure::Points(_) => sum,
            _ => share(points, self.decimals)?.max(before.points),
        };
        let amount = match measure {
            Measure::Amount(_) => sum,
            _ => share(amount, self.minor_units)?.max(before.amount),
        };
        let quantity = quantity.map_or(Decimal::ZERO, |_| sum);
        Ok(Some(TenderBack {
            points,
            amount,
            quantity,
        }))
    }
}
