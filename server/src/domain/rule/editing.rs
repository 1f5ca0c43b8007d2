//! Changes of rules, and what a rule must satisfy in its program.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Audience, LineSelector, Rule, RuleEffect, Schedule, Selector};
use crate::domain::configuration::check_rate;
use crate::domain::program::{ExpiryPolicy, Program, ProgramUnit};
use crate::domain::rejection::Rejection;

/// New values of some settings of a rule. Its serialized form is canonical: only what changes is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RuleEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effect: Option<RuleEffect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) selector: Option<Selector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) excludes: Option<LineSelector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<Schedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audience: Option<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_sale: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_discount_percent: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_sale: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_day: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_member: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value_per_point: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<Option<ExpiryPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archived: Option<bool>,
}

impl RuleEdit {
    /// The rule with the new values, checked as a whole.
    pub(crate) fn apply(&self, rule: Rule, program: &Program) -> Result<Rule, Rejection> {
        let was_campaign = rule.is_campaign();
        let rule = self.applied(rule);
        if rule.is_campaign() != was_campaign {
            return Err(invalid(
                "effect",
                "a base cannot become a campaign, nor a campaign a base",
            ));
        }
        check(&rule, program)?;
        Ok(rule)
    }

    fn applied(&self, mut rule: Rule) -> Rule {
        let edit = self.clone();
        set(&mut rule.name, edit.name);
        set(&mut rule.effect, edit.effect);
        set(&mut rule.priority, edit.priority);
        set(&mut rule.selector, edit.selector);
        set(&mut rule.excludes, edit.excludes);
        set(&mut rule.schedule, edit.schedule);
        set(&mut rule.audience, edit.audience);
        set(&mut rule.minimum_sale, edit.minimum_sale);
        set(&mut rule.max_discount_percent, edit.max_discount_percent);
        set(&mut rule.max_points_per_sale, edit.max_points_per_sale);
        set(&mut rule.max_points_per_day, edit.max_points_per_day);
        set(&mut rule.max_points_per_member, edit.max_points_per_member);
        set(&mut rule.exclusive, edit.exclusive);
        set(&mut rule.value_per_point, edit.value_per_point);
        set(&mut rule.expiry, edit.expiry);
        set(&mut rule.archived, edit.archived);
        rule
    }

    /// A new rule of these values; `None` without a name or an effect.
    pub(crate) fn into_rule(self) -> Option<Rule> {
        let rule = Rule::new(self.name.clone()?, self.effect.clone()?);
        Some(self.applied(rule))
    }
}

/// Whether a rule fits its program.
pub(crate) fn check(rule: &Rule, program: &Program) -> Result<(), Rejection> {
    check_effect(rule, program)?;
    check_schedule(&rule.schedule)?;
    let is_tier = |tier_id: &String| program.tiers.iter().any(|tier| tier.tier_id == *tier_id);
    if let Some(place) = rule.audience.tier_ids.iter().position(|tier_id| !is_tier(tier_id)) {
        return Err(invalid(
            &format!("audience.tier_ids[{place}]"),
            "the program has no such tier",
        ));
    }
    too_precise("max_points_per_sale", rule.max_points_per_sale, program)?;
    too_precise("max_points_per_day", rule.max_points_per_day, program)?;
    too_precise("max_points_per_member", rule.max_points_per_member, program)?;
    if rule.exclusive && !rule.is_campaign() {
        return Err(invalid("exclusive", "has a meaning for campaigns only"));
    }
    let is_assigned_base = rule.audience.assigned && !rule.is_campaign();
    if rule.expiry.is_some() && !is_assigned_base {
        return Err(invalid("expiry", "needs a base with audience.assigned"));
    }
    if rule.value_per_point.is_some() {
        if !is_assigned_base {
            return Err(invalid("value_per_point", "needs a base with audience.assigned"));
        }
        if program.unit == ProgramUnit::Value {
            return Err(invalid("value_per_point", "a value program has no redeem rates"));
        }
        if !program.has_redeem_rate() {
            let description = "the program has no redeem rate that it could differ from";
            return Err(invalid("value_per_point", description));
        }
    }
    Ok(())
}

fn check_effect(rule: &Rule, program: &Program) -> Result<(), Rejection> {
    match &rule.effect {
        RuleEffect::EarnRate(rate) => check_rate("rule.earn_rate", rate, program.unit),
        RuleEffect::NoPoints if !rule.excludes.is_empty() => {
            Err(invalid("excludes", "a rule without points has nothing to exclude from"))
        }
        RuleEffect::NoPoints | RuleEffect::Multiplier { .. } => Ok(()),
        RuleEffect::Bonus(points) => too_precise("bonus_points", Some(*points), program),
    }
}

fn check_schedule(schedule: &Schedule) -> Result<(), Rejection> {
    let Schedule {
        valid_from,
        valid_until,
        time_from,
        time_until,
        ..
    } = schedule;
    if valid_from.zip(*valid_until).is_some_and(|(from, until)| until < from) {
        return Err(invalid("schedule.valid_until", "lies before valid_from"));
    }
    if time_from.zip(*time_until).is_some_and(|(from, until)| until <= from) {
        return Err(invalid("schedule.time_until", "does not lie after time_from"));
    }
    Ok(())
}

fn too_precise(field: &str, points: Option<Decimal>, program: &Program) -> Result<(), Rejection> {
    if points.is_some_and(|points| points.normalize().scale() > program.decimals) {
        return Err(Rejection::TooManyDecimals {
            field: format!("rule.{field}"),
            decimals: program.decimals,
        });
    }
    Ok(())
}

fn invalid(field: &str, description: &str) -> Rejection {
    Rejection::InvalidField {
        field: format!("rule.{field}"),
        description: description.to_owned(),
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}
