//! Tiers and rates on the wire.

use loyalty_api::v1::{self, tier_spend_window::Window};

use super::{decimal, decimal_message, optional_decimal};
use crate::{
    error::Error,
    tier::{EarnRate, Rounding, SpendPeriod, Tier, TierDowngrade, TierSpendWindow},
};

impl Tier {
    pub(crate) fn to_wire(&self) -> v1::Tier {
        v1::Tier {
            tier_id: self.tier_id.clone(),
            name: self.name.clone(),
            minimum_spend: Some(decimal_message(self.minimum_spend)),
            earn_rate: self.earn_rate.as_ref().map(EarnRate::to_wire),
            value_per_point: self.value_per_point.map(decimal_message),
        }
    }

    pub(super) fn from_wire(tier: v1::Tier) -> Result<Self, Error> {
        Ok(Self {
            tier_id: tier.tier_id,
            name: tier.name,
            minimum_spend: decimal("tier.minimum_spend", tier.minimum_spend)?,
            earn_rate: tier.earn_rate.map(EarnRate::from_wire).transpose()?,
            value_per_point: optional_decimal("tier.value_per_point", tier.value_per_point)?,
        })
    }
}

impl EarnRate {
    pub(crate) fn to_wire(&self) -> v1::EarnRate {
        v1::EarnRate {
            amount: Some(decimal_message(self.amount)),
            points: Some(decimal_message(self.points)),
            rounding: self.rounding.number(),
            complete_steps: self.complete_steps,
            vat_percent: self.vat_percent.map(decimal_message),
        }
    }

    pub(super) fn from_wire(rate: v1::EarnRate) -> Result<Self, Error> {
        Ok(Self {
            amount: decimal("earn_rate.amount", rate.amount)?,
            points: decimal("earn_rate.points", rate.points)?,
            rounding: Rounding::from_number(rate.rounding),
            complete_steps: rate.complete_steps,
            vat_percent: optional_decimal("earn_rate.vat_percent", rate.vat_percent)?,
        })
    }
}

impl TierSpendWindow {
    pub(crate) fn to_wire(&self) -> v1::TierSpendWindow {
        v1::TierSpendWindow {
            window: match self.period {
                SpendPeriod::RollingDays(days) => Some(Window::RollingDays(days)),
                SpendPeriod::CalendarYear => Some(Window::CalendarYear(true)),
                SpendPeriod::Unknown => None,
            },
            downgrade: self.downgrade.number(),
            grace_days: self.grace_days,
        }
    }

    pub(super) fn from_wire(window: v1::TierSpendWindow) -> Self {
        Self {
            period: match window.window {
                Some(Window::RollingDays(days)) => SpendPeriod::RollingDays(days),
                Some(Window::CalendarYear(_)) => SpendPeriod::CalendarYear,
                None => SpendPeriod::Unknown,
            },
            downgrade: TierDowngrade::from_number(window.downgrade),
            grace_days: window.grace_days,
        }
    }
}
