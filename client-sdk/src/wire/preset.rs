//! Messages of the contract as parts of a preset: what a call would make of them, so what they leave out is the default,
//! and what the server sets is passed over.

use loyalty_api::v1::{self, rule::Effect};
use prost_types::Timestamp;

use super::optional_decimal;
use crate::{
    error::Error,
    product::ProductUpdate,
    program::{NewProgram, Program, ProgramState, ProgramUnit, RatedBasis, ShortfallPolicy},
    reward::{NewReward, Reward},
    rule::{NewRule, Rule},
    tier::{Rounding, TierDowngrade, TierSpendBasis},
};

impl NewProgram {
    pub(crate) fn from_message(mut message: v1::Program) -> Result<Self, Error> {
        or_default(&mut message.state, ProgramState::default().number());
        or_default(&mut message.unit, ProgramUnit::default().number());
        or_default(&mut message.tier_spend_basis, TierSpendBasis::default().number());
        or_default(&mut message.rated_basis, RatedBasis::default().number());
        or_default(&mut message.shortfall_policy, ShortfallPolicy::default().number());
        if let Some(window) = &mut message.tier_spend_window {
            or_default(&mut window.downgrade, TierDowngrade::Never.number());
        }
        if let Some(redemption) = &mut message.redemption {
            or_default(&mut redemption.points_rounding, Rounding::Ceiling.number());
        }
        for rate in message.tiers.iter_mut().filter_map(|tier| tier.earn_rate.as_mut()) {
            or_default(&mut rate.rounding, Rounding::Floor.number());
        }
        (message.created_at, message.updated_at) = (Some(Timestamp::default()), Some(Timestamp::default()));
        let named = !message.program_id.is_empty();

        let program = Program::from_wire(message)?;
        Ok(Self {
            program_id: named.then_some(program.program_id),
            name: program.name,
            state: program.state,
            unit: program.unit,
            currency_code: program.currency_code,
            time_zone: program.time_zone,
            decimals: program.decimals,
            tiers: program.tiers,
            tier_spend_basis: program.tier_spend_basis,
            tier_spend_window: program.tier_spend_window,
            valid_from: program.valid_from,
            valid_until: program.valid_until,
            redeem_until: program.redeem_until,
            expiry: program.expiry,
            inactivity: program.inactivity,
            birthday_bonus: program.birthday_bonus,
            redemption: program.redemption,
            rated_basis: program.rated_basis,
            earn_on_points_paid_part: program.earn_on_points_paid_part,
            document_types: program.document_types,
            max_discount_percent: program.max_discount_percent,
            exclude_percent_discounted_lines: program.exclude_percent_discounted_lines,
            carry_fractions: program.carry_fractions,
            pending_days: program.pending_days,
            enrolment: program.enrolment,
            expense_account: program.expense_account,
            cost_center: program.cost_center,
            shortfall_policy: program.shortfall_policy,
        })
    }
}

impl NewRule {
    pub(crate) fn from_message(mut message: v1::Rule) -> Result<Self, Error> {
        match &mut message.effect {
            Some(Effect::EarnRate(rate)) => or_default(&mut rate.rounding, Rounding::Floor.number()),
            Some(Effect::Multiplier(multiplier)) => or_default(&mut multiplier.rounding, Rounding::Floor.number()),
            _ => {}
        }
        message.updated_at = Some(Timestamp::default());
        let named = !message.rule_id.is_empty();

        let rule = Rule::from_wire(message)?;
        Ok(Self {
            program_id: rule.program_id,
            rule_id: named.then_some(rule.rule_id),
            name: rule.name,
            terms: rule.terms,
        })
    }
}

impl NewReward {
    pub(crate) fn from_message(mut message: v1::Reward) -> Result<Self, Error> {
        message.updated_at = Some(Timestamp::default());
        let named = !message.reward_id.is_empty();

        let reward = Reward::from_wire(message)?;
        Ok(Self {
            program_id: reward.program_id,
            reward_id: named.then_some(reward.reward_id),
            name: reward.name,
            terms: reward.terms,
        })
    }
}

impl ProductUpdate {
    pub(crate) fn from_message(message: v1::Product) -> Result<Self, Error> {
        Ok(Self {
            product_id: message.product_id.into(),
            points: optional_decimal("product.points", message.points)?,
            redeem_points: optional_decimal("product.redeem_points", message.redeem_points)?,
            remove: message.remove,
        })
    }
}

/// What is not said is the default.
fn or_default(number: &mut i32, default: i32) {
    if *number == 0 {
        *number = default;
    }
}
