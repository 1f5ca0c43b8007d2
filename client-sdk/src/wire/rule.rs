//! Rules on the wire.

use chrono::NaiveTime;
use loyalty_api::v1::{self, rule::Effect};

use super::{day, day_text, decimal, decimal_message, instant, optional_decimal};
use crate::{
    error::Error,
    id::RuleId,
    program::ExpiryPolicy,
    rule::{Audience, Exclusion, NewRule, Rule, RuleEffect, RuleTerms, Schedule, Selector, Weekday},
    tier::{EarnRate, Rounding},
};

impl NewRule {
    pub(crate) fn to_wire(&self) -> v1::Rule {
        let terms = &self.terms;
        v1::Rule {
            program_id: self.program_id.to_string(),
            rule_id: self.rule_id.as_ref().map(RuleId::to_string).unwrap_or_default(),
            name: self.name.clone(),
            effect: terms.effect.to_wire(),
            priority: terms.priority,
            selector: terms.selector.to_wire(),
            excludes: terms.excludes.to_wire(),
            schedule: terms.schedule.to_wire(),
            audience: terms.audience.to_wire(),
            minimum_sale: terms.minimum_sale.map(decimal_message),
            max_discount_percent: terms.max_discount_percent.map(decimal_message),
            max_points_per_sale: terms.max_points_per_sale.map(decimal_message),
            max_points_per_day: terms.max_points_per_day.map(decimal_message),
            max_points_per_member: terms.max_points_per_member.map(decimal_message),
            exclusive: terms.exclusive,
            value_per_point: terms.value_per_point.map(decimal_message),
            expiry: terms.expiry.map(ExpiryPolicy::to_wire),
            ..v1::Rule::default()
        }
    }
}

impl Rule {
    pub(crate) fn from_wire(rule: v1::Rule) -> Result<Self, Error> {
        let terms = RuleTerms {
            effect: RuleEffect::from_wire(rule.effect)?,
            priority: rule.priority,
            selector: rule.selector.map(Selector::from_wire).unwrap_or_default(),
            excludes: rule.excludes.map(Exclusion::from_wire).unwrap_or_default(),
            schedule: rule.schedule.map(Schedule::from_wire).transpose()?.unwrap_or_default(),
            audience: rule.audience.map(Audience::from_wire).unwrap_or_default(),
            minimum_sale: optional_decimal("rule.minimum_sale", rule.minimum_sale)?,
            max_discount_percent: optional_decimal("rule.max_discount_percent", rule.max_discount_percent)?,
            max_points_per_sale: optional_decimal("rule.max_points_per_sale", rule.max_points_per_sale)?,
            max_points_per_day: optional_decimal("rule.max_points_per_day", rule.max_points_per_day)?,
            max_points_per_member: optional_decimal("rule.max_points_per_member", rule.max_points_per_member)?,
            exclusive: rule.exclusive,
            value_per_point: optional_decimal("rule.value_per_point", rule.value_per_point)?,
            expiry: rule.expiry.map(ExpiryPolicy::from_wire),
        };
        Ok(Self {
            program_id: rule.program_id.into(),
            rule_id: rule.rule_id.into(),
            name: rule.name,
            terms,
            archived: rule.archived,
            etag: rule.etag,
            since_version: rule.since_version,
            updated_at: instant("rule.updated_at", rule.updated_at)?,
        })
    }
}

impl RuleEffect {
    /// Nothing for an effect that this version does not know: the server refuses it.
    pub(crate) fn to_wire(&self) -> Option<Effect> {
        Some(match self {
            Self::EarnRate(rate) => Effect::EarnRate(rate.to_wire()),
            Self::NoPoints => Effect::NoPoints(true),
            Self::Multiplier { factor, rounding } => Effect::Multiplier(v1::Multiplier {
                factor: Some(decimal_message(*factor)),
                rounding: rounding.number(),
            }),
            Self::BonusPoints(points) => Effect::BonusPoints(decimal_message(*points)),
            Self::Unknown => return None,
        })
    }

    fn from_wire(effect: Option<Effect>) -> Result<Self, Error> {
        Ok(match effect {
            Some(Effect::EarnRate(rate)) => Self::EarnRate(EarnRate::from_wire(rate)?),
            Some(Effect::NoPoints(_)) => Self::NoPoints,
            Some(Effect::Multiplier(multiplier)) => Self::Multiplier {
                factor: decimal("rule.multiplier.factor", multiplier.factor)?,
                rounding: Rounding::from_number(multiplier.rounding),
            },
            Some(Effect::BonusPoints(points)) => Self::BonusPoints(decimal("rule.bonus_points", Some(points))?),
            None => Self::Unknown,
        })
    }
}

impl Selector {
    /// Nothing for one that selects everything.
    pub(crate) fn to_wire(&self) -> Option<v1::Selector> {
        (*self != Self::default()).then(|| v1::Selector {
            product_ids: self.product_ids.clone(),
            categories: self.categories.clone(),
            brands: self.brands.clone(),
            store_ids: self.store_ids.clone(),
            terminal_ids: self.terminal_ids.clone(),
        })
    }

    fn from_wire(selector: v1::Selector) -> Self {
        Self {
            product_ids: selector.product_ids,
            categories: selector.categories,
            brands: selector.brands,
            store_ids: selector.store_ids,
            terminal_ids: selector.terminal_ids,
        }
    }
}

impl Exclusion {
    /// Nothing for one that excludes nothing.
    pub(crate) fn to_wire(&self) -> Option<v1::Exclusion> {
        (*self != Self::default()).then(|| v1::Exclusion {
            product_ids: self.product_ids.clone(),
            categories: self.categories.clone(),
            brands: self.brands.clone(),
        })
    }

    fn from_wire(exclusion: v1::Exclusion) -> Self {
        Self {
            product_ids: exclusion.product_ids,
            categories: exclusion.categories,
            brands: exclusion.brands,
        }
    }
}

impl Schedule {
    /// Nothing for always.
    pub(crate) fn to_wire(&self) -> Option<v1::Schedule> {
        let minutes = |time: Option<NaiveTime>| time.map(|time| time.format("%H:%M").to_string()).unwrap_or_default();
        (*self != Self::default()).then(|| v1::Schedule {
            valid_from: day_text(self.valid_from),
            valid_until: day_text(self.valid_until),
            weekdays: self.weekdays.iter().map(|day| day.number()).collect(),
            time_from: minutes(self.time_from),
            time_until: minutes(self.time_until),
        })
    }

    fn from_wire(schedule: v1::Schedule) -> Result<Self, Error> {
        Ok(Self {
            valid_from: day("rule.schedule.valid_from", schedule.valid_from)?,
            valid_until: day("rule.schedule.valid_until", schedule.valid_until)?,
            weekdays: schedule.weekdays.into_iter().map(Weekday::from_number).collect(),
            time_from: time("rule.schedule.time_from", schedule.time_from)?,
            time_until: time("rule.schedule.time_until", schedule.time_until)?,
        })
    }
}

impl Audience {
    /// Nothing for everybody.
    pub(crate) fn to_wire(&self) -> Option<v1::Audience> {
        (*self != Self::default()).then(|| v1::Audience {
            tier_ids: self.tier_ids.clone(),
            customer_groups: self.customer_groups.clone(),
            territories: self.territories.clone(),
            assigned: self.assigned,
        })
    }

    fn from_wire(audience: v1::Audience) -> Self {
        Self {
            tier_ids: audience.tier_ids,
            customer_groups: audience.customer_groups,
            territories: audience.territories,
            assigned: audience.assigned,
        }
    }
}

fn time(field: &'static str, text: String) -> Result<Option<NaiveTime>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    match NaiveTime::parse_from_str(&text, "%H:%M") {
        Ok(time) => Ok(Some(time)),
        Err(_) => Err(Error::InvalidAnswer { field, value: text }),
    }
}
