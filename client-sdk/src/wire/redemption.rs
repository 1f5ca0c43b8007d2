//! What points are asked to pay or buy, on the wire.

use loyalty_api::v1::{self, sale_redemption};

use super::{decimal, decimal_message, present};
use crate::error::Error;
use crate::redemption::{Ask, Redemption};

impl Redemption {
    pub(crate) fn from_wire(redemption: v1::SaleRedemption) -> Result<Self, Error> {
        let ask = match present("sale.redemptions.ask", redemption.ask)? {
            sale_redemption::Ask::Points(points) => Ask::Points(decimal("sale.redemptions.points", Some(points))?),
            sale_redemption::Ask::Amount(amount) => Ask::Amount(decimal("sale.redemptions.amount", Some(amount))?),
            sale_redemption::Ask::Product(product) => {
                let quantity = decimal("sale.redemptions.product.quantity", product.quantity)?;
                Ask::Product(product.product_id.into(), quantity)
            }
            sale_redemption::Ask::Reward(reward) => Ask::Reward(reward.reward_id.into(), reward.quantity),
        };
        Ok(Self {
            ask,
            clamped: redemption.clamp,
            expense_account: redemption.expense_account,
            cost_center: redemption.cost_center,
        })
    }

    pub(crate) fn to_wire(&self, all_clamped: bool) -> v1::SaleRedemption {
        v1::SaleRedemption {
            ask: Some(match &self.ask {
                Ask::Points(points) => sale_redemption::Ask::Points(decimal_message(*points)),
                Ask::Amount(amount) => sale_redemption::Ask::Amount(decimal_message(*amount)),
                Ask::Product(product_id, quantity) => sale_redemption::Ask::Product(v1::ProductRedemption {
                    product_id: product_id.to_string(),
                    quantity: Some(decimal_message(*quantity)),
                }),
                Ask::Reward(reward_id, quantity) => sale_redemption::Ask::Reward(v1::RewardRedemption {
                    reward_id: reward_id.to_string(),
                    quantity: *quantity,
                }),
            }),
            clamp: self.clamped || all_clamped,
            expense_account: self.expense_account.clone(),
            cost_center: self.cost_center.clone(),
        }
    }
}
