//! What has to be changed so that something that is there becomes what a preset says. Each takes its values apart field by
//! field, so that a new one cannot be forgotten.

use crate::{
    error::{Error, FieldViolation},
    program::{NewProgram, Program},
    program_update::ProgramUpdate,
    reward::{NewReward, Reward, RewardTerms, RewardUpdate},
    rule::{NewRule, Rule, RuleTerms, RuleUpdate},
};

/// All that can change of `program`, as `settings` say.
///
/// # Errors
///
/// [`Error::InvalidFields`] where `settings` differ in what never changes.
pub(crate) fn program_update(program: &Program, settings: &NewProgram) -> Result<ProgramUpdate, Error> {
    let NewProgram {
        program_id: _,
        name,
        state,
        unit,
        currency_code,
        time_zone,
        decimals,
        tiers,
        tier_spend_basis,
        tier_spend_window,
        valid_from,
        valid_until,
        redeem_until,
        expiry,
        inactivity,
        birthday_bonus,
        redemption,
        rated_basis,
        earn_on_points_paid_part,
        document_types,
        max_discount_percent,
        exclude_percent_discounted_lines,
        carry_fractions,
        pending_days,
        enrolment,
        expense_account,
        cost_center,
        shortfall_policy,
    } = settings;
    let fixed = [
        ("program.unit", program.unit != *unit),
        ("program.currency_code", program.currency_code != *currency_code),
        (
            "program.decimals",
            program.decimals.is_some() && decimals.is_some_and(|decimals| program.decimals != Some(decimals)),
        ),
    ];
    let differs = fixed.into_iter().filter(|(_, differs)| *differs);
    let violations: Vec<FieldViolation> = differs
        .map(|(field, _)| FieldViolation {
            field: field.to_owned(),
            description: format!("never changes, and the program {} has another", program.program_id),
        })
        .collect();
    if !violations.is_empty() {
        return Err(Error::InvalidFields(violations));
    }
    Ok(ProgramUpdate::of(program)
        .name(name)
        .state(*state)
        .time_zone(time_zone)
        .tiers(tiers)
        .tier_spend_basis(*tier_spend_basis)
        .tier_spend_window(tier_spend_window.clone())
        .valid_from(*valid_from)
        .valid_until(*valid_until)
        .redeem_until(*redeem_until)
        .expiry(*expiry)
        .inactivity(*inactivity)
        .birthday_bonus(*birthday_bonus)
        .redemption(redemption.clone())
        .rated_basis(*rated_basis)
        .earn_on_points_paid_part(*earn_on_points_paid_part)
        .document_types(document_types)
        .max_discount_percent(*max_discount_percent)
        .exclude_percent_discounted_lines(*exclude_percent_discounted_lines)
        .carry_fractions(*carry_fractions)
        .pending_days(*pending_days)
        .enrolment(enrolment)
        .expense_account(expense_account.as_deref().unwrap_or_default())
        .cost_center(cost_center.as_deref().unwrap_or_default())
        .shortfall_policy(*shortfall_policy))
}

/// All of `rule`, as `wanted` says.
pub(crate) fn rule_update(rule: &Rule, wanted: &NewRule) -> RuleUpdate {
    let RuleTerms {
        effect,
        priority,
        selector,
        excludes,
        schedule,
        audience,
        minimum_sale,
        max_discount_percent,
        max_points_per_sale,
        max_points_per_day,
        max_points_per_member,
        exclusive,
        value_per_point,
        expiry,
    } = &wanted.terms;
    RuleUpdate::of(rule)
        .name(&wanted.name)
        .effect(effect)
        .priority(*priority)
        .selector(selector)
        .excludes(excludes)
        .schedule(schedule)
        .audience(audience)
        .minimum_sale(*minimum_sale)
        .max_discount_percent(*max_discount_percent)
        .max_points_per_sale(*max_points_per_sale)
        .max_points_per_day(*max_points_per_day)
        .max_points_per_member(*max_points_per_member)
        .exclusive(*exclusive)
        .value_per_point(*value_per_point)
        .expiry(*expiry)
}

/// All of `reward`, as `wanted` says.
pub(crate) fn reward_update(reward: &Reward, wanted: &NewReward) -> RewardUpdate {
    let RewardTerms {
        gives,
        points,
        position,
        product_code,
        category,
        printed_text,
        print_quantity,
        vat_percent,
    } = &wanted.terms;
    RewardUpdate::of(reward)
        .name(&wanted.name)
        .gives(gives)
        .points(*points)
        .position(*position)
        .product_code(product_code)
        .category(category)
        .printed_text(printed_text)
        .print_quantity(*print_quantity)
        .vat_percent(*vat_percent)
}
