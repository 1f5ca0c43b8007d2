//! A program: settings, tiers and rules, and the version that a sale is rated under.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::birthday::BirthdayBonus;
use super::inactivity::InactivityPolicy;
use super::number::{Currency, Rounding};
use super::outcome::Accounting;
use super::product::Products;
use super::reward::Rewards;
use super::rule::set::RuleSet;
use super::shortfall::ShortfallPolicy;

/// Settings and tiers of a program, as people configure them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) state: ProgramState,
    pub(crate) unit: ProgramUnit,
    pub(crate) currency: Currency,
    pub(crate) time_zone: Tz,
    /// Decimals of points, 0 to 4; of a VALUE program the currency's.
    pub(crate) decimals: u32,
    /// By rising minimum, no two alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tiers: Vec<Tier>,
    #[serde(default)]
    pub(crate) tier_spend_basis: TierSpendBasis,
    #[serde(default)]
    pub(crate) tier_spend_window: TierSpendWindow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redeem_until: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<ExpiryPolicy>,
    /// When points lapse of members who do nothing; `None`: not for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inactivity: Option<InactivityPolicy>,
    /// What members get for their birthdays; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) birthday_bonus: Option<BirthdayBonus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) redemption: Option<RedemptionPolicy>,
    #[serde(default)]
    pub(crate) rated_basis: RatedBasis,
    #[serde(default)]
    pub(crate) earn_on_points_paid_part: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) document_types: Vec<DocumentType>,
    /// Above it the discounts of a sale keep all of it from earning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_discount_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exclude_percent_discounted_lines: bool,
    /// Whether fractions that rounding drops are kept for the next sale.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) carry_fractions: bool,
    /// Days after the sale's through which its points cannot be spent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) pending_days: u32,
    #[serde(default, skip_serializing_if = "EnrolmentPolicy::is_empty")]
    pub(crate) enrolment: EnrolmentPolicy,
    /// Where redemptions are booked that say nothing themselves.
    #[serde(flatten)]
    pub(crate) accounting: Accounting,
    /// What happens where points are taken back that were spent.
    #[serde(default, skip_serializing_if = "ShortfallPolicy::is_default")]
    pub(crate) shortfall_policy: ShortfallPolicy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProgramState {
    Draft,
    Active,
    Paused,
    Archived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProgramUnit {
    Points,
    Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TierSpendBasis {
    #[default]
    WholeSale,
    WithoutPointsPaidPart,
}

/// The stretch of time over which spend is added up for tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TierSpendWindow {
    #[default]
    Lifetime,
    RollingDays {
        days: u32,
        downgrade: TierDowngrade,
    },
    CalendarYear {
        downgrade: TierDowngrade,
    },
}

/// When a tier is lost that the spend of the window no longer reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TierDowngrade {
    Never,
    AfterWindow { grace_days: u32 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tier {
    pub(crate) tier_id: String,
    pub(crate) name: String,
    pub(crate) minimum_spend: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) earn_rate: Option<EarnRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_per_point: Option<Decimal>,
}

/// A sale of A earns A × points / amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EarnRate {
    pub(crate) amount: Decimal,
    pub(crate) points: Decimal,
    #[serde(default)]
    pub(crate) rounding: Rounding,
    #[serde(default)]
    pub(crate) complete_steps: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Decimal>,
}

/// When points lapse, counted from the day of the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpiryPolicy {
    pub(crate) period: ExpiryPeriod,
    #[serde(default)]
    pub(crate) end: ExpiryEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExpiryPeriod {
    Days(u32),
    Months(u32),
    /// The next such day of a year.
    Yearly {
        month: u32,
        day: u32,
    },
}

/// What of the day on which the period ends is the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExpiryEnd {
    /// Of days and of a day of the year the end of the day, of months its start.
    #[default]
    AsPeriod,
    StartOfDay,
    EndOfDay,
    EndOfMonth,
    EndOfQuarter,
    EndOfYear,
}

/// Who can be a member, and how one becomes one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EnrolmentPolicy {
    /// Paths: each covers its subtree; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) customer_groups: Vec<String>,
    /// Paths: each covers its subtree; none: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) territories: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) auto_opt_in: bool,
    pub(crate) auto_opt_in_priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sign_up_bonus: Option<Decimal>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RedemptionPolicy {
    /// `None`: points only buy rewards and products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_per_point: Option<Decimal>,
    pub(crate) points_rounding: Rounding,
    #[serde(default)]
    pub(crate) same_sale_points_can_pay: bool,
    /// Whether points pay what is due where it takes less than the smallest unit of money more than they are worth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cover_remainder: bool,
    #[serde(flatten)]
    pub(crate) limits: RedemptionLimits,
    /// Points at which customers are reminded of rewards; `None`: those of the first reward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reminder_points: Option<Decimal>,
    /// VAT that the redeemed money of a VALUE program includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Decimal>,
    /// Of products that were bought with points.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) print_quantity: bool,
}

/// What bounds redemptions beside what is available and due. `None` is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RedemptionLimits {
    /// Fewest points that pay at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_points: Option<Decimal>,
    /// Points that pay are a multiple of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points_step: Option<Decimal>,
    /// Most points of one sale, rewards and products included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_sale: Option<Decimal>,
    /// Most that points pay of a sale's total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_percent_of_sale: Option<Decimal>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RatedBasis {
    #[default]
    Gross,
    Net,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DocumentType {
    pub(crate) document_type: String,
    pub(crate) treatment: DocumentTreatment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DocumentTreatment {
    Issuing,
    Returning,
    Ignored,
}

/// A program with the rules that were in force under one version number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProgramVersion {
    pub(crate) program_id: Arc<str>,
    pub(crate) version: u32,
    pub(crate) program: Program,
    /// Archived ones left out.
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) rewards: Arc<Rewards>,
    /// What products earn and cost; shared by all versions between which they did not change.
    pub(crate) products: Arc<Products>,
}

impl ProgramVersion {
    /// The same with these products.
    pub(crate) fn with_products(&self, products: Arc<Products>) -> Self {
        Self {
            program_id: Arc::clone(&self.program_id),
            version: self.version,
            program: self.program.clone(),
            rules: Arc::clone(&self.rules),
            rewards: Arc::clone(&self.rewards),
            products,
        }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl EnrolmentPolicy {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Program {
    /// Whether sales of a day earn as far as state and validity go.
    pub(crate) fn is_open_on(&self, day: NaiveDate) -> bool {
        let started = self.valid_from.is_none_or(|first| day >= first);
        let ended = self.valid_until.is_some_and(|last| day > last);
        self.state == ProgramState::Active && started && !ended
    }

    /// The day it is in the program's zone.
    pub(crate) fn local_date(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.time_zone).date_naive()
    }

    /// The time it is in the program's zone.
    pub(crate) fn local_time(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.time_zone).naive_local()
    }

    /// Whether points pay by amount.
    pub(crate) fn has_redeem_rate(&self) -> bool {
        let policy = self.redemption.as_ref();
        policy.is_some_and(|policy| policy.value_per_point.is_some())
    }

    /// How documents of this type are treated; a type that is not listed issues points.
    pub(crate) fn treatment(&self, document_type: &str) -> DocumentTreatment {
        self.document_types
            .iter()
            .find(|listed| listed.document_type == document_type)
            .map_or(DocumentTreatment::Issuing, |listed| listed.treatment)
    }
}
