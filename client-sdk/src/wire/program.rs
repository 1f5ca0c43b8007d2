//! Programs on the wire.

use loyalty_api::v1::{self, expiry_policy::Period};

use super::{day, day_text, decimal_message, instant, optional_decimal, optional_text};
use crate::{
    birthday_bonus::BirthdayBonus,
    error::Error,
    id::ProgramId,
    inactivity::InactivityPolicy,
    program::{
        DocumentTreatment, DocumentType, EnrolmentPolicy, ExpiryEnd, ExpiryPeriod, ExpiryPolicy, NewProgram, Program,
        ProgramState, ProgramUnit, RatedBasis, ShortfallPolicy,
    },
    redemption_policy::RedemptionPolicy,
    tier::{Rounding, Tier, TierSpendBasis, TierSpendWindow},
};

impl NewProgram {
    pub(crate) fn to_wire(&self) -> v1::Program {
        v1::Program {
            program_id: self.program_id.as_ref().map(ProgramId::to_string).unwrap_or_default(),
            name: self.name.clone(),
            state: self.state.number(),
            unit: self.unit.number(),
            currency_code: self.currency_code.clone(),
            time_zone: self.time_zone.clone(),
            decimals: self.decimals,
            tiers: self.tiers.iter().map(Tier::to_wire).collect(),
            tier_spend_basis: self.tier_spend_basis.number(),
            tier_spend_window: self.tier_spend_window.as_ref().map(TierSpendWindow::to_wire),
            valid_from: day_text(self.valid_from),
            valid_until: day_text(self.valid_until),
            redeem_until: day_text(self.redeem_until),
            expiry: self.expiry.map(ExpiryPolicy::to_wire),
            inactivity: self.inactivity.map(InactivityPolicy::to_wire),
            birthday_bonus: self.birthday_bonus.map(BirthdayBonus::to_wire),
            redemption: self.redemption.as_ref().map(RedemptionPolicy::to_wire),
            rated_basis: self.rated_basis.number(),
            earn_on_points_paid_part: self.earn_on_points_paid_part,
            document_types: self.document_types.iter().map(DocumentType::to_wire).collect(),
            max_discount_percent: self.max_discount_percent.map(decimal_message),
            exclude_percent_discounted_lines: self.exclude_percent_discounted_lines,
            carry_fractions: self.carry_fractions,
            enrolment: Some(self.enrolment.to_wire()),
            pending_days: self.pending_days,
            expense_account: self.expense_account.clone().unwrap_or_default(),
            cost_center: self.cost_center.clone().unwrap_or_default(),
            shortfall_policy: self.shortfall_policy.number(),
            version: 0,
            etag: String::new(),
            created_at: None,
            updated_at: None,
        }
    }
}

impl Program {
    pub(crate) fn from_wire(program: v1::Program) -> Result<Self, Error> {
        Ok(Self {
            program_id: program.program_id.into(),
            name: program.name,
            state: ProgramState::from_number(program.state),
            unit: ProgramUnit::from_number(program.unit),
            currency_code: program.currency_code,
            time_zone: program.time_zone,
            decimals: program.decimals,
            tiers: program
                .tiers
                .into_iter()
                .map(Tier::from_wire)
                .collect::<Result<_, _>>()?,
            tier_spend_basis: TierSpendBasis::from_number(program.tier_spend_basis),
            tier_spend_window: program.tier_spend_window.map(TierSpendWindow::from_wire),
            valid_from: day("program.valid_from", program.valid_from)?,
            valid_until: day("program.valid_until", program.valid_until)?,
            redeem_until: day("program.redeem_until", program.redeem_until)?,
            expiry: program.expiry.map(ExpiryPolicy::from_wire),
            inactivity: program.inactivity.map(InactivityPolicy::from_wire),
            birthday_bonus: program.birthday_bonus.map(BirthdayBonus::from_wire).transpose()?,
            redemption: program.redemption.map(RedemptionPolicy::from_wire).transpose()?,
            rated_basis: RatedBasis::from_number(program.rated_basis),
            earn_on_points_paid_part: program.earn_on_points_paid_part,
            max_discount_percent: optional_decimal("program.max_discount_percent", program.max_discount_percent)?,
            exclude_percent_discounted_lines: program.exclude_percent_discounted_lines,
            carry_fractions: program.carry_fractions,
            pending_days: program.pending_days,
            enrolment: EnrolmentPolicy::from_wire(program.enrolment.unwrap_or_default())?,
            expense_account: optional_text(program.expense_account),
            cost_center: optional_text(program.cost_center),
            shortfall_policy: ShortfallPolicy::from_number(program.shortfall_policy),
            document_types: program
                .document_types
                .into_iter()
                .map(DocumentType::from_wire)
                .collect(),
            version: program.version,
            etag: program.etag,
            created_at: instant("program.created_at", program.created_at)?,
            updated_at: instant("program.updated_at", program.updated_at)?,
        })
    }
}

impl EnrolmentPolicy {
    pub(crate) fn to_wire(&self) -> v1::EnrolmentPolicy {
        v1::EnrolmentPolicy {
            customer_groups: self.customer_groups.clone(),
            territories: self.territories.clone(),
            auto_opt_in: self.auto_opt_in,
            auto_opt_in_priority: self.auto_opt_in_priority,
            sign_up_bonus: self.sign_up_bonus.map(decimal_message),
        }
    }

    fn from_wire(policy: v1::EnrolmentPolicy) -> Result<Self, Error> {
        Ok(Self {
            customer_groups: policy.customer_groups,
            territories: policy.territories,
            auto_opt_in: policy.auto_opt_in,
            auto_opt_in_priority: policy.auto_opt_in_priority,
            sign_up_bonus: optional_decimal("enrolment.sign_up_bonus", policy.sign_up_bonus)?,
        })
    }
}

impl ExpiryPolicy {
    pub(crate) fn to_wire(self) -> v1::ExpiryPolicy {
        v1::ExpiryPolicy {
            period: match self.period {
                ExpiryPeriod::Days(days) => Some(Period::Days(days)),
                ExpiryPeriod::Months(months) => Some(Period::Months(months)),
                ExpiryPeriod::Yearly { month, day } => Some(Period::Yearly(format!("{month:02}-{day:02}"))),
                ExpiryPeriod::Unknown => None,
            },
            end: self.end.map(ExpiryEnd::number).unwrap_or_default(),
        }
    }

    pub(crate) fn from_wire(expiry: v1::ExpiryPolicy) -> Self {
        let yearly = |text: &str| {
            let (month, day) = text.split_once('-')?;
            Some(ExpiryPeriod::Yearly {
                month: month.parse().ok()?,
                day: day.parse().ok()?,
            })
        };
        Self {
            period: match expiry.period {
                Some(Period::Days(days)) => ExpiryPeriod::Days(days),
                Some(Period::Months(months)) => ExpiryPeriod::Months(months),
                Some(Period::Yearly(text)) => yearly(&text).unwrap_or(ExpiryPeriod::Unknown),
                None => ExpiryPeriod::Unknown,
            },
            end: (expiry.end != 0).then(|| ExpiryEnd::from_number(expiry.end)),
        }
    }
}

impl RedemptionPolicy {
    pub(crate) fn to_wire(&self) -> v1::RedemptionPolicy {
        v1::RedemptionPolicy {
            value_per_point: self.value_per_point.map(decimal_message),
            points_rounding: self.points_rounding.number(),
            same_sale_points_can_pay: self.same_sale_points_can_pay,
            cover_remainder: self.cover_remainder,
            minimum_points: self.minimum_points.map(decimal_message),
            points_step: self.points_step.map(decimal_message),
            max_points_per_sale: self.max_points_per_sale.map(decimal_message),
            max_percent_of_sale: self.max_percent_of_sale.map(decimal_message),
            reminder_points: self.reminder_points.map(decimal_message),
            vat_percent: self.vat_percent.map(decimal_message),
            print_quantity: self.print_quantity,
        }
    }

    fn from_wire(redemption: v1::RedemptionPolicy) -> Result<Self, Error> {
        Ok(Self {
            value_per_point: optional_decimal("redemption.value_per_point", redemption.value_per_point)?,
            points_rounding: Rounding::from_number(redemption.points_rounding),
            same_sale_points_can_pay: redemption.same_sale_points_can_pay,
            cover_remainder: redemption.cover_remainder,
            minimum_points: optional_decimal("redemption.minimum_points", redemption.minimum_points)?,
            points_step: optional_decimal("redemption.points_step", redemption.points_step)?,
            max_points_per_sale: optional_decimal("redemption.max_points_per_sale", redemption.max_points_per_sale)?,
            max_percent_of_sale: optional_decimal("redemption.max_percent_of_sale", redemption.max_percent_of_sale)?,
            reminder_points: optional_decimal("redemption.reminder_points", redemption.reminder_points)?,
            vat_percent: optional_decimal("redemption.vat_percent", redemption.vat_percent)?,
            print_quantity: redemption.print_quantity,
        })
    }
}

impl DocumentType {
    pub(crate) fn to_wire(&self) -> v1::DocumentType {
        v1::DocumentType {
            document_type: self.document_type.clone(),
            treatment: self.treatment.number(),
        }
    }

    fn from_wire(document_type: v1::DocumentType) -> Self {
        Self {
            document_type: document_type.document_type,
            treatment: DocumentTreatment::from_number(document_type.treatment),
        }
    }
}
