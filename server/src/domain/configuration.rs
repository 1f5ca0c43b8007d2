//! Changes of programs and rules, and what a program must satisfy as a whole.

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::birthday::BirthdayBonus;
use super::inactivity::InactivityPolicy;
use super::number::Rounding;
use super::program::{
    DocumentType, EarnRate, EnrolmentPolicy, ExpiryPolicy, Program, ProgramState, ProgramUnit, RatedBasis,
    RedemptionPolicy, Tier, TierSpendBasis, TierSpendWindow,
};
use super::rejection::Rejection;
use super::shortfall::ShortfallPolicy;

/// New values of some settings of a program. Its serialized form is canonical: only what changes is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProgramEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<ProgramState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_zone: Option<Tz>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tiers: Option<Vec<Tier>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier_spend_basis: Option<TierSpendBasis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier_spend_window: Option<TierSpendWindow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<Option<NaiveDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<Option<NaiveDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redeem_until: Option<Option<NaiveDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<Option<ExpiryPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) birthday_bonus: Option<Option<BirthdayBonus>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inactivity: Option<Option<InactivityPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redemption: Option<Option<RedemptionPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rated_basis: Option<RatedBasis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) earn_on_points_paid_part: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document_types: Option<Vec<DocumentType>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_discount_percent: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclude_percent_discounted_lines: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) carry_fractions: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrolment: Option<EnrolmentPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pending_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expense_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost_center: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shortfall_policy: Option<ShortfallPolicy>,
}

impl ProgramEdit {
    /// The program with the new values, in order and checked as a whole.
    pub(crate) fn apply(&self, mut program: Program) -> Result<Program, Rejection> {
        let edit = self.clone();
        set(&mut program.name, edit.name);
        set(&mut program.state, edit.state);
        set(&mut program.time_zone, edit.time_zone);
        set(&mut program.tiers, edit.tiers);
        set(&mut program.tier_spend_basis, edit.tier_spend_basis);
        set(&mut program.tier_spend_window, edit.tier_spend_window);
        set(&mut program.valid_from, edit.valid_from);
        set(&mut program.valid_until, edit.valid_until);
        set(&mut program.redeem_until, edit.redeem_until);
        set(&mut program.expiry, edit.expiry);
        set(&mut program.inactivity, edit.inactivity);
        set(&mut program.birthday_bonus, edit.birthday_bonus);
        set(&mut program.redemption, edit.redemption);
        set(&mut program.rated_basis, edit.rated_basis);
        set(&mut program.earn_on_points_paid_part, edit.earn_on_points_paid_part);
        set(&mut program.document_types, edit.document_types);
        set(&mut program.max_discount_percent, edit.max_discount_percent);
        let exclude = edit.exclude_percent_discounted_lines;
        set(&mut program.exclude_percent_discounted_lines, exclude);
        set(&mut program.carry_fractions, edit.carry_fractions);
        set(&mut program.enrolment, edit.enrolment);
        set(&mut program.pending_days, edit.pending_days);
        set(&mut program.accounting.expense_account, edit.expense_account);
        set(&mut program.accounting.cost_center, edit.cost_center);
        set(&mut program.shortfall_policy, edit.shortfall_policy);
        program.tiers.sort_by_key(|tier| tier.minimum_spend);
        if let (ProgramUnit::Value, Some(policy)) = (program.unit, &mut program.redemption)
            && policy.value_per_point.is_none()
        {
            // The balance is money: what is left out is what it must be.
            policy.value_per_point = Some(Decimal::ONE);
        }
        check(&program)?;
        Ok(program)
    }
}

/// A rate fits the unit of its program.
pub(crate) fn check_rate(field: &str, rate: &EarnRate, unit: ProgramUnit) -> Result<(), Rejection> {
    if unit == ProgramUnit::Points && rate.vat_percent.is_some() {
        return Err(invalid(
            format!("{field}.vat_percent"),
            "only value programs earn money that can include VAT",
        ));
    }
    Ok(())
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn check(program: &Program) -> Result<(), Rejection> {
    check_tiers(program)?;
    check_dates(program)?;
    if let Some(policy) = &program.redemption {
        check_redemption(program, policy)?;
    }
    let birthday_bonus = program.birthday_bonus.map(|bonus| bonus.points);
    for (field, points) in [
        ("program.enrolment.sign_up_bonus", program.enrolment.sign_up_bonus),
        ("program.birthday_bonus.points", birthday_bonus),
    ] {
        if points.is_some_and(|points| points.normalize().scale() > program.decimals) {
            return Err(Rejection::TooManyDecimals {
                field: field.to_owned(),
                decimals: program.decimals,
            });
        }
    }
    for (place, listed) in program.document_types.iter().enumerate() {
        if program.document_types[..place]
            .iter()
            .any(|other| other.document_type == listed.document_type)
        {
            return Err(invalid(
                format!("program.document_types[{place}].document_type"),
                "is listed twice",
            ));
        }
    }
    Ok(())
}

fn check_tiers(program: &Program) -> Result<(), Rejection> {
    for pair in program.tiers.windows(2) {
        if pair[0].minimum_spend == pair[1].minimum_spend {
            let description = format!(
                "`{}` and `{}` have the same minimum_spend",
                pair[0].tier_id, pair[1].tier_id
            );
            return Err(invalid("program.tiers".to_owned(), &description));
        }
    }
    for (place, tier) in program.tiers.iter().enumerate() {
        if program.tiers[..place].iter().any(|other| other.tier_id == tier.tier_id) {
            return Err(invalid(
                "program.tiers".to_owned(),
                &format!("the tier_id `{}` is there twice", tier.tier_id),
            ));
        }
        if let Some(rate) = &tier.earn_rate {
            check_rate("program.tiers.earn_rate", rate, program.unit)?;
        }
        if program.unit == ProgramUnit::Value && tier.value_per_point.is_some() {
            return Err(invalid(
                "program.tiers.value_per_point".to_owned(),
                "a value program has no redeem rates",
            ));
        }
        if tier.value_per_point.is_some() && !program.has_redeem_rate() {
            let description = "the program has no redeem rate that it could differ from";
            return Err(invalid("program.tiers.value_per_point".to_owned(), description));
        }
    }
    Ok(())
}

fn check_dates(program: &Program) -> Result<(), Rejection> {
    if program
        .valid_from
        .zip(program.valid_until)
        .is_some_and(|(from, until)| until < from)
    {
        return Err(invalid("program.valid_until".to_owned(), "lies before valid_from"));
    }
    if program
        .valid_from
        .zip(program.redeem_until)
        .is_some_and(|(from, until)| until < from)
    {
        return Err(invalid("program.redeem_until".to_owned(), "lies before valid_from"));
    }
    Ok(())
}

fn check_redemption(program: &Program, policy: &RedemptionPolicy) -> Result<(), Rejection> {
    if program.unit == ProgramUnit::Value && policy.value_per_point != Some(Decimal::ONE) {
        return Err(invalid(
            "program.redemption.value_per_point".to_owned(),
            "must be 1 in a value program",
        ));
    }
    if policy.points_rounding == Rounding::None {
        let description = "must be CEILING, HALF_UP or FLOOR";
        return Err(invalid("program.redemption.points_rounding".to_owned(), description));
    }
    if program.unit == ProgramUnit::Points && policy.vat_percent.is_some() {
        let description = "only value programs redeem money that includes VAT";
        return Err(invalid("program.redemption.vat_percent".to_owned(), description));
    }
    let limits = &policy.limits;
    for (name, points) in [
        ("minimum_points", limits.minimum_points),
        ("points_step", limits.points_step),
        ("max_points_per_sale", limits.max_points_per_sale),
        ("reminder_points", policy.reminder_points),
    ] {
        if points.is_some_and(|points| points.normalize().scale() > program.decimals) {
            return Err(Rejection::TooManyDecimals {
                field: format!("program.redemption.{name}"),
                decimals: program.decimals,
            });
        }
    }
    if limits
        .minimum_points
        .zip(limits.max_points_per_sale)
        .is_some_and(|(least, most)| least > most)
    {
        let description = "is below minimum_points";
        return Err(invalid(
            "program.redemption.max_points_per_sale".to_owned(),
            description,
        ));
    }
    Ok(())
}

fn invalid(field: String, description: &str) -> Rejection {
    Rejection::InvalidField {
        field,
        description: description.to_owned(),
    }
}
