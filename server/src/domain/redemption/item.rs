//! Products and rewards, which points buy at prices of their own.

use ethnum::I256;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Bought, Left, Terms};
use crate::domain::number::{self, Rounding};
use crate::domain::outcome::{PointsTender, RedeemedItem};
use crate::domain::rejection::Rejection;
use crate::domain::reward::Gives;

/// What points can buy, and how much of it is asked.
pub(super) struct Offer {
    /// With the quantity that is asked.
    item: RedeemedItem,
    /// Money that one pays; `None`: what the lines with the product say.
    money_off: Option<Decimal>,
    vat_percent: Option<Decimal>,
}

/// Units of a product at its price in points.
pub(super) fn product(terms: Terms<'_>, product_id: &str, quantity: Decimal) -> Result<Offer, Rejection> {
    let version = terms.version;
    let policy = version.program.redemption.as_ref();
    let product = version.products.get(product_id);
    let points_per_unit = product.and_then(|product| product.redeem_points);
    let points_per_unit = points_per_unit.ok_or_else(|| Rejection::ProductNotRedeemable {
        program_id: version.program_id.to_string(),
        product_id: product_id.to_owned(),
    })?;
    Ok(Offer {
        item: RedeemedItem {
            product_id: product_id.to_owned(),
            quantity,
            points_per_unit,
            print_quantity: policy.is_some_and(|policy| policy.print_quantity),
            ..RedeemedItem::default()
        },
        money_off: None,
        vat_percent: policy.and_then(|policy| policy.vat_percent),
    })
}

/// So many of a reward.
pub(super) fn reward(terms: Terms<'_>, reward_id: &str, quantity: Decimal) -> Result<Offer, Rejection> {
    let version = terms.version;
    let policy = version.program.redemption.as_ref();
    let reward = version
        .rewards
        .find(reward_id)
        .ok_or_else(|| Rejection::RewardNotFound {
            program_id: version.program_id.to_string(),
            reward_id: reward_id.to_owned(),
        })?;
    let (product_id, money_off) = match &reward.gives {
        Gives::MoneyOff(amount) => (String::new(), Some(*amount)),
        Gives::Product(product_id) => (product_id.clone(), None),
    };
    Ok(Offer {
        item: RedeemedItem {
            reward_id: reward_id.to_owned(),
            product_id,
            quantity,
            points_per_unit: reward.points,
            product_code: reward.product_code.clone(),
            category: reward.category.clone(),
            printed_text: reward.text().to_owned(),
            print_quantity: reward.print_quantity,
        },
        money_off,
        vat_percent: reward.vat_percent.or(policy.and_then(|policy| policy.vat_percent)),
    })
}

/// All that is asked, if that fits, else the most whole units that do.
fn most(asked: Decimal, fits: impl Fn(Decimal) -> bool) -> Decimal {
    if fits(asked) {
        return asked;
    }
    let (mut possible, mut too_many) = (0, asked.ceil().to_u64().unwrap_or_default());
    while too_many - possible > 1 {
        let middle = possible + (too_many - possible) / 2;
        if fits(Decimal::from(middle)) {
            possible = middle;
        } else {
            too_many = middle;
        }
    }
    Decimal::from(possible)
}

impl Offer {
    /// All that is asked; as many whole ones as are possible where the caller takes that. `None` where that is none.
    pub(super) fn redeem(
        &self,
        terms: Terms<'_>,
        clamp: bool,
        left: Left,
        bought: &mut Bought,
    ) -> Result<Option<PointsTender>, Rejection> {
        let asked = self.item.quantity;
        let fits = |quantity| self.tender(quantity, terms, left, &mut bought.clone()).is_ok();
        let quantity = if clamp { most(asked, fits) } else { asked };
        if quantity.is_zero() {
            return Ok(None);
        }
        self.tender(quantity, terms, left, bought).map(Some)
    }

    fn tender(
        &self,
        quantity: Decimal,
        terms: Terms<'_>,
        left: Left,
        bought: &mut Bought,
    ) -> Result<PointsTender, Rejection> {
        let program = &terms.version.program;
        let minor_units = program.currency.minor_units;
        let amount = match self.money_off {
            Some(each) => times(quantity, each, minor_units)?,
            None => bought.buy(terms.lines, &self.item.product_id, quantity, minor_units)?,
        };
        left.check_amount(amount)?;
        let points = times(quantity, self.item.points_per_unit, program.decimals)?;
        left.check_points(points)?;
        Ok(PointsTender {
            item: Some(RedeemedItem {
                quantity,
                ..self.item.clone()
            }),
            vat_percent: self.vat_percent,
            ..PointsTender::new(points, amount)
        })
    }
}

/// A part of a unit costs as much as its part, rounded up. Whole units cost whole prices.
fn times(quantity: Decimal, price: Decimal, decimals: u32) -> Result<Decimal, Rejection> {
    let unit = I256::from(10_i128.pow(6 + number::SCALE));
    let numerator = number::millionths(quantity) * number::ten_thousandths(price);
    number::divide(numerator, unit, decimals, Rounding::Ceiling).ok_or(Rejection::LedgerRange { field: "redemption" })
}
