//! Changes of a program's settings and tiers.

use chrono::NaiveDate;
use loyalty_api::v1;
use rust_decimal::Decimal;

use crate::{
    birthday_bonus::BirthdayBonus,
    inactivity::InactivityPolicy,
    program::{DocumentType, EnrolmentPolicy, ExpiryPolicy, Program, ProgramState, RatedBasis, ShortfallPolicy},
    redemption_policy::RedemptionPolicy,
    tier::{Tier, TierSpendBasis, TierSpendWindow},
    wire,
};

/// Changes of a program as it was read: only what is set here changes, and only if nobody changed the program since.
///
/// ```
/// # fn change(program: &loyalty_sdk::Program) -> loyalty_sdk::ProgramUpdate {
/// loyalty_sdk::ProgramUpdate::of(program).name("Coffee club").valid_until(None)
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ProgramUpdate {
    // Kept as it will be sent: the mask names a field exactly when a method below filled it.
    pub(crate) program: v1::Program,
    pub(crate) paths: Vec<String>,
}

impl ProgramUpdate {
    /// Changes nothing of `program` yet.
    pub fn of(program: &Program) -> Self {
        Self {
            program: v1::Program {
                program_id: program.program_id.to_string(),
                etag: program.etag.clone(),
                ..v1::Program::default()
            },
            paths: Vec::new(),
        }
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.program.name = name.into();
        self.changing("name")
    }

    /// Whether it earns and redeems; closing it for good is a call of its own.
    pub fn state(mut self, state: ProgramState) -> Self {
        self.program.state = state.number();
        self.changing("state")
    }

    /// IANA name of the zone of its dates.
    pub fn time_zone(mut self, time_zone: impl Into<String>) -> Self {
        self.program.time_zone = time_zone.into();
        self.changing("time_zone")
    }

    /// All its tiers, in place of the present ones.
    pub fn tiers(mut self, tiers: &[Tier]) -> Self {
        self.program.tiers = tiers.iter().map(Tier::to_wire).collect();
        self.changing("tiers")
    }

    /// What of a sale counts towards tiers.
    pub fn tier_spend_basis(mut self, basis: TierSpendBasis) -> Self {
        self.program.tier_spend_basis = basis.number();
        self.changing("tier_spend_basis")
    }

    /// Over which time spend is added up; `None`: the member's lifetime.
    pub fn tier_spend_window(mut self, window: Option<TierSpendWindow>) -> Self {
        self.program.tier_spend_window = window.as_ref().map(TierSpendWindow::to_wire);
        self.changing("tier_spend_window")
    }

    /// First day on which sales earn; `None`: since ever.
    pub fn valid_from(mut self, day: Option<NaiveDate>) -> Self {
        self.program.valid_from = wire::day_text(day);
        self.changing("valid_from")
    }

    /// Last day on which sales earn, inclusive; `None`: without end.
    pub fn valid_until(mut self, day: Option<NaiveDate>) -> Self {
        self.program.valid_until = wire::day_text(day);
        self.changing("valid_until")
    }

    /// Last day on which points can be redeemed, inclusive; `None`: until they lapse.
    pub fn redeem_until(mut self, day: Option<NaiveDate>) -> Self {
        self.program.redeem_until = wire::day_text(day);
        self.changing("redeem_until")
    }

    /// When points earned from now on lapse; `None`: never.
    pub fn expiry(mut self, expiry: Option<ExpiryPolicy>) -> Self {
        self.program.expiry = expiry.map(ExpiryPolicy::to_wire);
        self.changing("expiry")
    }

    /// When all points lapse of a member who does nothing; `None`: never for that. It takes no time from members who have
    /// points.
    pub fn inactivity(mut self, policy: Option<InactivityPolicy>) -> Self {
        self.program.inactivity = policy.map(InactivityPolicy::to_wire);
        self.changing("inactivity")
    }

    /// What members get for their birthdays; `None`: nothing. It holds for birthdays after this call returned.
    pub fn birthday_bonus(mut self, bonus: Option<BirthdayBonus>) -> Self {
        self.program.birthday_bonus = bonus.map(BirthdayBonus::to_wire);
        self.changing("birthday_bonus")
    }

    /// What points are worth; `None`: they cannot pay.
    pub fn redemption(mut self, redemption: Option<RedemptionPolicy>) -> Self {
        self.program.redemption = redemption.as_ref().map(RedemptionPolicy::to_wire);
        self.changing("redemption")
    }

    /// What of a line's price is rated.
    pub fn rated_basis(mut self, basis: RatedBasis) -> Self {
        self.program.rated_basis = basis.number();
        self.changing("rated_basis")
    }

    /// Whether the part of a sale that was paid with points earns too.
    pub fn earn_on_points_paid_part(mut self, earns: bool) -> Self {
        self.program.earn_on_points_paid_part = earns;
        self.changing("earn_on_points_paid_part")
    }

    /// All document types with their treatment, in place of the present ones.
    pub fn document_types(mut self, document_types: &[DocumentType]) -> Self {
        self.program.document_types = document_types.iter().map(DocumentType::to_wire).collect();
        self.changing("document_types")
    }

    /// Sales earn nothing whose discounts are above this percentage; `None`: whatever the discounts.
    pub fn max_discount_percent(mut self, percent: Option<Decimal>) -> Self {
        self.program.max_discount_percent = percent.map(wire::decimal_message);
        self.changing("max_discount_percent")
    }

    /// Whether lines earn nothing whose price was lowered by a percentage.
    pub fn exclude_percent_discounted_lines(mut self, exclude: bool) -> Self {
        self.program.exclude_percent_discounted_lines = exclude;
        self.changing("exclude_percent_discounted_lines")
    }

    /// Whether the fraction of a point that rounding dropped is added to the member's next sale.
    pub fn carry_fractions(mut self, carry: bool) -> Self {
        self.program.carry_fractions = carry;
        self.changing("carry_fractions")
    }

    /// Days after the sale's through which points of sales from now on cannot be spent.
    pub fn pending_days(mut self, days: u32) -> Self {
        self.program.pending_days = days;
        self.changing("pending_days")
    }

    /// Who can be a member, and how one becomes one.
    pub fn enrolment(mut self, enrolment: &EnrolmentPolicy) -> Self {
        self.program.enrolment = Some(enrolment.to_wire());
        self.changing("enrolment")
    }

    /// The expense account that redemptions are booked to; empty: none.
    pub fn expense_account(mut self, expense_account: impl Into<String>) -> Self {
        self.program.expense_account = expense_account.into();
        self.changing("expense_account")
    }

    /// The cost center that redemptions are booked to; empty: none.
    pub fn cost_center(mut self, cost_center: impl Into<String>) -> Self {
        self.program.cost_center = cost_center.into();
        self.changing("cost_center")
    }

    /// What happens where points are taken back that were spent.
    pub fn shortfall_policy(mut self, policy: ShortfallPolicy) -> Self {
        self.program.shortfall_policy = policy.number();
        self.changing("shortfall_policy")
    }

    fn changing(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|changed| changed == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
