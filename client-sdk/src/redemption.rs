//! What points are asked to pay or buy.

use rust_decimal::Decimal;

use crate::id::{ProductId, RewardId};

/// Asks that points pay or buy something. The server computes the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    pub(crate) ask: Ask,
    pub(crate) clamped: bool,
    pub(crate) expense_account: String,
    pub(crate) cost_center: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Points(Decimal),
    Amount(Decimal),
    Product(ProductId, Decimal),
    Reward(RewardId, u32),
}

impl Redemption {
    /// So many points, above 0: they pay points × rate, rounded down to the currency's decimals.
    pub fn points(points: impl Into<Decimal>) -> Self {
        Self::of(Ask::Points(points.into()))
    }

    /// So much money, above 0: it takes amount / rate points, rounded as the program says.
    pub fn amount(amount: impl Into<Decimal>) -> Self {
        Self::of(Ask::Amount(amount.into()))
    }

    /// Units of a product at its price in points: above 0, up to 1,000,000, at most 6 decimals. In a sale whose lines have
    /// the product they pay those lines.
    pub fn product(product_id: impl Into<ProductId>, quantity: impl Into<Decimal>) -> Self {
        Self::of(Ask::Product(product_id.into(), quantity.into()))
    }

    /// So many of a reward, 1 to 10,000.
    pub fn reward(reward_id: impl Into<RewardId>, quantity: u32) -> Self {
        Self::of(Ask::Reward(reward_id.into(), quantity))
    }

    fn of(ask: Ask) -> Self {
        Self {
            ask,
            clamped: false,
            expense_account: String::new(),
            cost_center: String::new(),
        }
    }

    /// When less is available or due than asked, takes what is possible instead of refusing; of products and rewards whole
    /// ones.
    #[must_use]
    pub fn clamped(mut self) -> Self {
        self.clamped = true;
        self
    }

    /// Books it to another expense account than the program's, at most 64 characters.
    #[must_use]
    pub fn expense_account(mut self, expense_account: impl Into<String>) -> Self {
        self.expense_account = expense_account.into();
        self
    }

    /// Books it to another cost center than the program's, at most 64 characters.
    #[must_use]
    pub fn cost_center(mut self, cost_center: impl Into<String>) -> Self {
        self.cost_center = cost_center.into();
        self
    }
}
