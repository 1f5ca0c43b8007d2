//! What points can pay and buy, on the wire.

use loyalty_api::v1::{self, ErrorReason, quoted_reward::Gives};

use super::{decimal, money, money_message, optional_decimal, optional_text, present};
use crate::{
    error::Error,
    member::Balance,
    receipt::PointsTender,
    redemption_quote::{AmountCost, QuotedReward, RedemptionQuestion, RedemptionQuote},
    reward::RewardGives,
};

impl RedemptionQuestion {
    pub(crate) fn to_wire(&self) -> v1::QuoteRedemptionRequest {
        let (program_id, member) = self.member.clone().into_wire();
        v1::QuoteRedemptionRequest {
            program_id,
            member,
            total: self.total.as_ref().map(money_message),
            due: self.due.as_ref().map(money_message),
            amount: self.amount.as_ref().map(money_message),
        }
    }
}

impl RedemptionQuote {
    pub(crate) fn from_wire(answer: v1::QuoteRedemptionResponse) -> Result<Self, Error> {
        let rewards = answer.rewards.into_iter().map(QuotedReward::from_wire);
        Ok(Self {
            member_id: answer.member_id.into(),
            program_id: answer.program_id.into(),
            program_version: answer.program_version,
            most: answer.most.map(PointsTender::from_wire).transpose()?,
            cost: answer.cost.map(AmountCost::from_wire).transpose()?,
            rewards: rewards.collect::<Result<_, _>>()?,
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
        })
    }
}

impl AmountCost {
    fn from_wire(cost: v1::AmountCost) -> Result<Self, Error> {
        Ok(Self {
            amount: money("cost.amount", cost.amount)?,
            points: optional_decimal("cost.points", cost.points)?,
            missing_points: decimal("cost.missing_points", cost.missing_points)?,
            refusal: refusal(cost.refusal),
        })
    }
}

impl QuotedReward {
    fn from_wire(reward: v1::QuotedReward) -> Result<Self, Error> {
        Ok(Self {
            reward_id: reward.reward_id.into(),
            name: reward.name,
            printed_text: reward.printed_text,
            product_code: optional_text(reward.product_code),
            position: reward.position,
            points: decimal("rewards.points", reward.points)?,
            gives: match reward.gives {
                Some(Gives::MoneyOff(amount)) => {
                    RewardGives::MoneyOff(money("rewards.money_off", Some(amount))?.amount)
                }
                Some(Gives::ProductId(product_id)) => RewardGives::Product(product_id.into()),
                None => RewardGives::Unknown,
            },
            affordable: reward.affordable,
            missing_points: decimal("rewards.missing_points", reward.missing_points)?,
            refusal: refusal(reward.refusal),
        })
    }
}

/// A reason that this version does not know is one all the same.
fn refusal(number: i32) -> Option<ErrorReason> {
    (number != 0).then(|| ErrorReason::try_from(number).unwrap_or_default())
}
