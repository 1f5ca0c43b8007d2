//! What points can pay and buy.

use loyalty_api::v1::ErrorReason;
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId, RewardId},
    member::{Balance, MemberQuery},
    money::Money,
    receipt::PointsTender,
    reward::RewardGives,
};

/// Asks what the points of a member can pay and buy.
///
/// ```
/// use loyalty_sdk::{MemberKey, Money, RedemptionQuestion};
///
/// let question = RedemptionQuestion::of(MemberKey::card("7700123")).total(Money::new("EUR", 25));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionQuestion {
    /// The member.
    pub member: MemberQuery,
    /// Total of the sale that points are to pay; `None`: there is no sale, and nothing is too much.
    pub total: Option<Money>,
    /// What of the total points may pay; `None`: all of it.
    pub due: Option<Money>,
    /// An amount above 0 whose cost in points is asked; `None`: all that is due.
    pub amount: Option<Money>,
}

impl RedemptionQuestion {
    /// Asks about this member, without a sale.
    pub fn of(member: impl Into<MemberQuery>) -> Self {
        Self {
            member: member.into(),
            total: None,
            due: None,
            amount: None,
        }
    }

    /// Says what the sale comes to.
    #[must_use]
    pub fn total(mut self, total: Money) -> Self {
        self.total = Some(total);
        self
    }

    /// Says what of the total points may pay.
    #[must_use]
    pub fn due(mut self, due: Money) -> Self {
        self.due = Some(due);
        self
    }

    /// Asks what this amount costs in points.
    #[must_use]
    pub fn amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }
}

/// What the points of a member can pay and buy now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionQuote {
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program that was asked.
    pub program_version: u32,
    /// The most points that can pay by points, and what they pay; `None` when none can.
    pub most: Option<PointsTender>,
    /// What the amount costs; `None` when there is none to pay.
    pub cost: Option<AmountCost>,
    /// Every reward in the order of tills: those of the ladder by position, then the others.
    pub rewards: Vec<QuotedReward>,
    /// What the member has.
    pub balance: Balance,
}

/// What an amount costs in points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmountCost {
    /// The amount.
    pub amount: Money,
    /// The points; `None` when points cannot pay it whatever the balance.
    pub points: Option<Decimal>,
    /// Points that the member lacks; 0 for none.
    pub missing_points: Decimal,
    /// Why it cannot be paid now; `None`: it can.
    pub refusal: Option<ErrorReason>,
}

/// A reward, and whether points buy one of it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotedReward {
    /// The reward.
    pub reward_id: RewardId,
    /// What people call it.
    pub name: String,
    /// What is printed for it.
    pub printed_text: String,
    /// Code under which the shop's documents show it; `None` when it has none of its own.
    pub product_code: Option<String>,
    /// Place on the ladder; 0: not on the ladder.
    pub position: u32,
    /// Points that one costs.
    pub points: Decimal,
    /// What one gives.
    pub gives: RewardGives,
    /// Whether the member can redeem one now.
    pub affordable: bool,
    /// Points that the member lacks; 0 for none.
    pub missing_points: Decimal,
    /// Why it cannot be redeemed now; `None`: it can.
    pub refusal: Option<ErrorReason>,
}
