//! Rewards on the wire.

use loyalty_api::v1::{self, reward::Gives};

use super::{decimal, decimal_message, instant, optional_decimal};
use crate::{
    error::Error,
    id::{ProductId, RewardId},
    reward::{NewReward, Reward, RewardGives, RewardTerms},
};

impl NewReward {
    pub(crate) fn to_wire(&self) -> v1::Reward {
        let terms = &self.terms;
        v1::Reward {
            program_id: self.program_id.to_string(),
            reward_id: self.reward_id.as_ref().map(RewardId::to_string).unwrap_or_default(),
            name: self.name.clone(),
            gives: terms.gives.to_wire(),
            points: Some(decimal_message(terms.points)),
            position: terms.position,
            product_code: terms.product_code.clone(),
            category: terms.category.clone(),
            printed_text: terms.printed_text.clone(),
            print_quantity: terms.print_quantity,
            vat_percent: terms.vat_percent.map(decimal_message),
            ..v1::Reward::default()
        }
    }
}

impl Reward {
    pub(crate) fn from_wire(reward: v1::Reward) -> Result<Self, Error> {
        Ok(Self {
            program_id: reward.program_id.into(),
            reward_id: reward.reward_id.into(),
            name: reward.name,
            terms: RewardTerms {
                gives: RewardGives::from_wire(reward.gives)?,
                points: decimal("reward.points", reward.points)?,
                position: reward.position,
                product_code: reward.product_code,
                category: reward.category,
                printed_text: reward.printed_text,
                print_quantity: reward.print_quantity,
                vat_percent: optional_decimal("reward.vat_percent", reward.vat_percent)?,
            },
            archived: reward.archived,
            etag: reward.etag,
            since_version: reward.since_version,
            updated_at: instant("reward.updated_at", reward.updated_at)?,
        })
    }
}

impl RewardGives {
    /// Nothing for what this version does not know: the server refuses it.
    pub(crate) fn to_wire(&self) -> Option<Gives> {
        Some(match self {
            Self::MoneyOff(amount) => Gives::MoneyOff(decimal_message(*amount)),
            Self::Product(product_id) => Gives::ProductId(product_id.to_string()),
            Self::Unknown => return None,
        })
    }

    fn from_wire(gives: Option<Gives>) -> Result<Self, Error> {
        Ok(match gives {
            Some(Gives::MoneyOff(amount)) => Self::MoneyOff(decimal("reward.money_off", Some(amount))?),
            Some(Gives::ProductId(product_id)) => Self::Product(ProductId::from(product_id)),
            None => Self::Unknown,
        })
    }
}
