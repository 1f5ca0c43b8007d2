//! Programs: what their members earn, what points are worth, and when points lapse.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::{
    birthday_bonus::BirthdayBonus,
    id::ProgramId,
    inactivity::InactivityPolicy,
    redemption_policy::RedemptionPolicy,
    tier::{Tier, TierSpendBasis, TierSpendWindow},
    wire::open_enum,
};

/// A program to create. Start with [`NewProgram::new`] and add what differs from the defaults: active, counting whole
/// points, dates in UTC, without tiers, end, expiry or redemption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewProgram {
    /// Name of the program in every call; `None`: the server makes one. Never changes.
    pub program_id: Option<ProgramId>,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// Whether it earns and redeems.
    pub state: ProgramState,
    /// What a balance counts. Never changes.
    pub unit: ProgramUnit,
    /// ISO 4217 code of every sale of the program. Never changes.
    pub currency_code: String,
    /// IANA name, such as `America/Lima`; dates are days of this zone. Empty means `UTC`.
    pub time_zone: String,
    /// Decimals of points, 0 to 4; `None` means 0, and is required in VALUE programs. Never changes.
    pub decimals: Option<u32>,
    /// Levels, at most 50, in any order, no two with the same minimum.
    pub tiers: Vec<Tier>,
    /// What of a sale counts towards tiers.
    pub tier_spend_basis: TierSpendBasis,
    /// Over which time spend is added up; `None`: the member's lifetime.
    pub tier_spend_window: Option<TierSpendWindow>,
    /// First day on which sales earn; `None`: since ever.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which sales earn, inclusive; `None`: without end.
    pub valid_until: Option<NaiveDate>,
    /// Last day on which points can be redeemed, inclusive; `None`: until they lapse.
    pub redeem_until: Option<NaiveDate>,
    /// When points lapse; `None`: never.
    pub expiry: Option<ExpiryPolicy>,
    /// When all points lapse of a member who does nothing; `None`: never for that.
    pub inactivity: Option<InactivityPolicy>,
    /// What members get for their birthdays; `None`: nothing.
    pub birthday_bonus: Option<BirthdayBonus>,
    /// What points are worth; `None`: they cannot pay.
    pub redemption: Option<RedemptionPolicy>,
    /// What of a line's price is rated.
    pub rated_basis: RatedBasis,
    /// Whether the part of a sale that was paid with points earns too.
    pub earn_on_points_paid_part: bool,
    /// How documents are treated by their type, at most 100; a type that is not listed issues points.
    pub document_types: Vec<DocumentType>,
    /// Sales earn nothing whose discounts are above this percentage, 0 to 100; `None`: whatever the discounts.
    pub max_discount_percent: Option<Decimal>,
    /// Whether lines earn nothing whose price was lowered by a percentage.
    pub exclude_percent_discounted_lines: bool,
    /// Whether the fraction of a point that rounding dropped is added to the member's next sale.
    pub carry_fractions: bool,
    /// Days after the sale's through which its points cannot be spent, 0 to 366.
    pub pending_days: u32,
    /// Who can be a member, and how one becomes one.
    pub enrolment: EnrolmentPolicy,
    /// The expense account that redemptions are booked to, at most 64 characters.
    pub expense_account: Option<String>,
    /// The cost center that redemptions are booked to, at most 64 characters.
    pub cost_center: Option<String>,
    /// What happens where points are taken back that were spent.
    pub shortfall_policy: ShortfallPolicy,
}

impl NewProgram {
    /// A program called `name` for sales in `currency_code` (ISO 4217), with the defaults. Every other field is public:
    /// set what has no method here directly.
    pub fn new(name: impl Into<String>, currency_code: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            currency_code: currency_code.into(),
            ..Self::default()
        }
    }

    /// Chooses the program's name in calls.
    #[must_use]
    pub fn program_id(mut self, program_id: impl Into<ProgramId>) -> Self {
        self.program_id = Some(program_id.into());
        self
    }

    /// Starts it in another state than active.
    #[must_use]
    pub fn state(mut self, state: ProgramState) -> Self {
        self.state = state;
        self
    }

    /// Sets the IANA zone of its dates.
    #[must_use]
    pub fn time_zone(mut self, time_zone: impl Into<String>) -> Self {
        self.time_zone = time_zone.into();
        self
    }

    /// Sets the decimals of points, 0 to 4.
    #[must_use]
    pub fn decimals(mut self, decimals: u32) -> Self {
        self.decimals = Some(decimals);
        self
    }

    /// Adds a tier.
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tiers.push(tier);
        self
    }

    /// Sets when points lapse.
    #[must_use]
    pub fn expiry(mut self, expiry: ExpiryPolicy) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// All points of a member lapse who does nothing for so long.
    #[must_use]
    pub fn inactivity(mut self, policy: InactivityPolicy) -> Self {
        self.inactivity = Some(policy);
        self
    }

    /// Gives members something for their birthdays.
    #[must_use]
    pub fn birthday_bonus(mut self, bonus: BirthdayBonus) -> Self {
        self.birthday_bonus = Some(bonus);
        self
    }

    /// Says who can be a member, and how one becomes one.
    #[must_use]
    pub fn enrolment(mut self, enrolment: EnrolmentPolicy) -> Self {
        self.enrolment = enrolment;
        self
    }

    /// Lets points pay.
    #[must_use]
    pub fn redemption(mut self, redemption: RedemptionPolicy) -> Self {
        self.redemption = Some(redemption);
        self
    }

    /// Says what happens where points are taken back that were spent.
    #[must_use]
    pub fn shortfall_policy(mut self, policy: ShortfallPolicy) -> Self {
        self.shortfall_policy = policy;
        self
    }

    /// Says how documents of one type are treated.
    #[must_use]
    pub fn document_type(mut self, document_type: impl Into<String>, treatment: DocumentTreatment) -> Self {
        self.document_types.push(DocumentType {
            document_type: document_type.into(),
            treatment,
        });
        self
    }
}

/// A program as the server has it. The fields that [`NewProgram`] has too mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Name of the program in every call.
    pub program_id: ProgramId,
    /// What people call it.
    pub name: String,
    /// Whether it earns and redeems.
    pub state: ProgramState,
    /// What a balance counts.
    pub unit: ProgramUnit,
    /// ISO 4217 code of its sales.
    pub currency_code: String,
    /// IANA name of the zone of its dates.
    pub time_zone: String,
    /// Decimals of points; `None` when the server left them out.
    pub decimals: Option<u32>,
    /// Levels.
    pub tiers: Vec<Tier>,
    /// What of a sale counts towards tiers.
    pub tier_spend_basis: TierSpendBasis,
    /// Over which time spend is added up; `None`: the member's lifetime.
    pub tier_spend_window: Option<TierSpendWindow>,
    /// First day on which sales earn.
    pub valid_from: Option<NaiveDate>,
    /// Last day on which sales earn, inclusive.
    pub valid_until: Option<NaiveDate>,
    /// Last day on which points can be redeemed, inclusive.
    pub redeem_until: Option<NaiveDate>,
    /// When points lapse; `None`: never.
    pub expiry: Option<ExpiryPolicy>,
    /// When all points lapse of a member who does nothing; `None`: never for that.
    pub inactivity: Option<InactivityPolicy>,
    /// What members get for their birthdays; `None`: nothing.
    pub birthday_bonus: Option<BirthdayBonus>,
    /// What points are worth; `None`: they cannot pay.
    pub redemption: Option<RedemptionPolicy>,
    /// What of a line's price is rated.
    pub rated_basis: RatedBasis,
    /// Whether the part of a sale that was paid with points earns too.
    pub earn_on_points_paid_part: bool,
    /// How documents are treated by their type.
    pub document_types: Vec<DocumentType>,
    /// Sales earn nothing whose discounts are above this percentage; `None`: whatever the discounts.
    pub max_discount_percent: Option<Decimal>,
    /// Whether lines earn nothing whose price was lowered by a percentage.
    pub exclude_percent_discounted_lines: bool,
    /// Whether the fraction of a point that rounding dropped is added to the member's next sale.
    pub carry_fractions: bool,
    /// Days after the sale's through which its points cannot be spent, 0 to 366.
    pub pending_days: u32,
    /// Who can be a member, and how one becomes one.
    pub enrolment: EnrolmentPolicy,
    /// The expense account that redemptions are booked to, at most 64 characters.
    pub expense_account: Option<String>,
    /// The cost center that redemptions are booked to, at most 64 characters.
    pub cost_center: Option<String>,
    /// What happens where points are taken back that were spent.
    pub shortfall_policy: ShortfallPolicy,
    /// Number of the current version, shared by settings, tiers and rules.
    pub version: u32,
    /// Changes with every change of settings or tiers; an update brings the one it has read.
    pub etag: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its settings or tiers last changed.
    pub updated_at: DateTime<Utc>,
}

/// When points lapse, counted from the day of the sale in the program's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpiryPolicy {
    /// How long they live.
    pub period: ExpiryPeriod,
    /// What of the day on which the period ends is the end; `None`: as the period says.
    pub end: Option<ExpiryEnd>,
}

impl ExpiryPolicy {
    /// Usable through the N-th day after the sale's day, 1 to 36,600.
    pub fn days(days: u32) -> Self {
        Self::of(ExpiryPeriod::Days(days))
    }

    /// Gone at the start of the same day N months later, 1 to 1,200.
    pub fn months(months: u32) -> Self {
        Self::of(ExpiryPeriod::Months(months))
    }

    /// Usable through the next such day of a year: `yearly(12, 31)`.
    pub fn yearly(month: u32, day: u32) -> Self {
        Self::of(ExpiryPeriod::Yearly { month, day })
    }

    /// Ends elsewhere in or after the day on which the period ends.
    #[must_use]
    pub fn end(mut self, end: ExpiryEnd) -> Self {
        self.end = Some(end);
        self
    }

    fn of(period: ExpiryPeriod) -> Self {
        Self { period, end: None }
    }
}

/// How long points live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryPeriod {
    /// So many days.
    Days(u32),
    /// So many months.
    Months(u32),
    /// Until the next such day of a year; 29 February is the last of February.
    Yearly {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// A period that this version of the SDK does not know.
    Unknown,
}

open_enum! {
    /// What of the day on which a period ends is the end.
    ExpiryEnd {
        /// Gone at the start of that day.
        StartOfDay,
        /// Usable through that day.
        EndOfDay,
        /// Usable through the end of that day's month.
        EndOfMonth,
        /// Usable through the end of that day's quarter.
        EndOfQuarter,
        /// Usable through the end of that day's year.
        EndOfYear,
    }
}

/// Who can be a member, and how one becomes one. The default: everybody, by enrolment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnrolmentPolicy {
    /// Customer groups as paths: each covers its whole subtree; none: all.
    pub customer_groups: Vec<String>,
    /// Territories as paths: each covers its whole subtree; none: all.
    pub territories: Vec<String>,
    /// Whether a sale enrols its customer who is no member yet.
    pub auto_opt_in: bool,
    /// Of several programs that a sale could enrol in, the one with the highest.
    pub auto_opt_in_priority: u32,
    /// Points that a new member gets at once; `None`: none.
    pub sign_up_bonus: Option<Decimal>,
}

impl EnrolmentPolicy {
    /// Sales enrol their customers.
    pub fn auto_opt_in() -> Self {
        Self {
            auto_opt_in: true,
            ..Self::default()
        }
    }

    /// Gives new members points.
    #[must_use]
    pub fn sign_up_bonus(mut self, points: impl Into<Decimal>) -> Self {
        self.sign_up_bonus = Some(points.into());
        self
    }

    /// Goes before programs of lower priority.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.auto_opt_in_priority = priority;
        self
    }

    /// Takes customers of this group and its subtree.
    #[must_use]
    pub fn customer_group(mut self, path: impl Into<String>) -> Self {
        self.customer_groups.push(path.into());
        self
    }

    /// Takes customers of this territory and its subtree.
    #[must_use]
    pub fn territory(mut self, path: impl Into<String>) -> Self {
        self.territories.push(path.into());
        self
    }
}

/// How documents of one type are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentType {
    /// The shop's own type, as [`Sale::document_type`](crate::Sale::document_type) brings it, 1 to 64 characters.
    pub document_type: String,
    /// The treatment.
    pub treatment: DocumentTreatment,
}

open_enum! {
    /// The on/off switch of a program.
    #[derive(Default)]
    ProgramState {
        /// Being prepared: members can be enrolled, sales earn nothing and points cannot be redeemed.
        Draft,
        /// Earns and redeems.
        #[default]
        Active,
        /// Switched off: sales earn nothing and say so, redemption is refused.
        Paused,
        /// Closed for good: behaves as paused, and nothing of it can be changed again.
        Archived,
    }
}

open_enum! {
    /// What a balance counts.
    #[derive(Default)]
    ProgramUnit {
        /// Points.
        #[default]
        Points,
        /// Money in the program's currency.
        Value,
    }
}

open_enum! {
    /// What of a line's price is rated.
    #[derive(Default)]
    RatedBasis {
        /// The amount with tax.
        #[default]
        Gross,
        /// The amount without tax.
        Net,
    }
}

open_enum! {
    /// What happens where points are taken back, by a return, a cancellation or an adjustment, and fewer can be spent.
    #[derive(Default)]
    ShortfallPolicy {
        /// What is missing is owed: the next points that come repay it first; the balance may be below zero.
        #[default]
        AllowNegative,
        /// Only what can be spent is taken back.
        ClampToZero,
        /// The call is refused: [`Error::InsufficientPoints`](crate::Error::InsufficientPoints).
        Refuse,
    }
}

open_enum! {
    /// How a document is treated.
    DocumentTreatment {
        /// Earns and redeems.
        Issuing,
        /// A return; recording it as a sale is refused.
        Returning,
        /// Recorded; earns nothing, redeems nothing and does not count towards tiers.
        Ignored,
    }
}
