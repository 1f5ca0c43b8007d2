//! What points are asked to pay or buy, on the wire.

use loyalty_api::v1::{self, sale_redemption};

use super::decimal_message;
use crate::redemption::{Ask, Redemption};

impl Redemption {
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
