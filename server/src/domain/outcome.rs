//! What a command did, as it is answered now and answered again.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::Attributes;
use super::number::{Currency, Fraction};
use super::rule_usage::Allowances;
use super::tier::Prior;

/// What a sale did, or, in a quote, would do. Its serialized form is kept with the sale, so that a repetition gets the
/// same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SaleOutcome {
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    pub(crate) points_earned: Decimal,
    pub(crate) points_redeemed: Decimal,
    pub(crate) rated_amount: Decimal,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) points_tenders: Vec<PointsTender>,
    pub(crate) due: Decimal,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier_id_before: Option<String>,
    pub(crate) lines: Vec<LineOutcome>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rates: Vec<RateOutcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points_expire_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) points_pending_until: Option<DateTime<Utc>>,
    /// The sale enrolled its customer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) enrolled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carry: Option<Carry>,
    /// What rules that are limited per day or member could still give before the sale.
    #[serde(default, skip_serializing_if = "Allowances::is_empty")]
    pub(crate) allowances: Allowances,
    /// What else a return needs to know.
    #[serde(default)]
    pub(crate) ground: Ground,
}

impl SaleOutcome {
    /// Money that points paid.
    pub(crate) fn points_paid(&self) -> Decimal {
        self.points_tenders.iter().map(|tender| tender.amount).sum()
    }
}

/// What a sale was counted on, and where it went in the ledger: what is kept of it after a return is counted on the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ground {
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub(crate) member: Attributes,
    /// Whether the member took no part any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opted_out: bool,
    /// What the member had spent before.
    pub(crate) prior: Prior,
    /// What the sale added to the spend that counts towards tiers.
    pub(crate) tier_spend: Decimal,
    /// Sequence of the entry that gave the points.
    pub(crate) earn_sequence: u64,
    /// Sequences of the entries that took points, in the order of the tenders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) redeem_sequences: Vec<u64>,
    /// What of each tender no lot had, where a till without a line took it all the same; empty where nothing is owed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) redeem_owed: Vec<Decimal>,
}

/// Fractions of a point, of a member whose program keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carry {
    /// What earlier sales left.
    pub(crate) before: Fraction,
    /// What is left for the next one.
    pub(crate) after: Fraction,
}

/// What a member has, at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Balance {
    pub(crate) available: Decimal,
    /// What `available` pays; `None` when points cannot pay or nothing is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier_id: Option<String>,
    pub(crate) tier_spend: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_tier: Option<NextTier>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_expiry_at: Option<DateTime<Utc>>,
    /// Points that cannot be spent yet.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) pending: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_pending_until: Option<DateTime<Utc>>,
    /// Points set aside by holds.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) held: Decimal,
    /// Whether there are as many points as the customer is reminded of rewards at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reward_reminder: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) affordable_rewards: Vec<AffordableReward>,
}

/// A reward that the points of a member buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AffordableReward {
    pub(crate) reward_id: String,
    pub(crate) points: Decimal,
    pub(crate) printed_text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NextTier {
    pub(crate) tier_id: String,
    pub(crate) missing_spend: Decimal,
}

/// Where a redemption is booked; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Accounting {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) expense_account: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cost_center: String,
}

impl Accounting {
    /// The same with what `other` says in the place of what is empty.
    pub(crate) fn or(&self, other: &Self) -> Self {
        let filled = |own: &String, other: &String| if own.is_empty() { other } else { own }.clone();
        Self {
            expense_account: filled(&self.expense_account, &other.expense_account),
            cost_center: filled(&self.cost_center, &other.cost_center),
        }
    }
}

/// Points as a tender line of the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PointsTender {
    pub(crate) points: Decimal,
    /// `None` where they bought something at a price of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_per_point: Option<Decimal>,
    /// Money that they paid.
    pub(crate) amount: Decimal,
    #[serde(flatten)]
    pub(crate) accounting: Accounting,
    /// What they bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<RedeemedItem>,
    /// VAT that the money of a VALUE program includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Decimal>,
}

impl PointsTender {
    pub(crate) fn new(points: Decimal, amount: Decimal) -> Self {
        Self {
            points,
            value_per_point: None,
            amount,
            accounting: Accounting::default(),
            item: None,
            vat_percent: None,
        }
    }
}

/// A product or a reward that points bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RedeemedItem {
    /// Empty for a product at its own price.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reward_id: String,
    /// Empty for money off.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) product_id: String,
    pub(crate) quantity: Decimal,
    pub(crate) points_per_unit: Decimal,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) product_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) category: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) printed_text: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) print_quantity: bool,
}

/// What a line earned, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineOutcome {
    pub(crate) rated_amount: Decimal,
    pub(crate) points: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<RateSource>,
    pub(crate) reason: EarnReason,
    /// What of the points campaigns added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) campaigns: Vec<CampaignShare>,
    /// What its product costs in points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<LinePrice>,
}

/// What the product of a line costs in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinePrice {
    /// Of a unit.
    pub(crate) points: Decimal,
    /// How many whole units of the line the points that are left can buy.
    pub(crate) quantity: Decimal,
}

/// What a campaign added to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CampaignShare {
    pub(crate) rule_id: String,
    pub(crate) points: Decimal,
}

/// What a rate earned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RateOutcome {
    pub(crate) source: RateSource,
    pub(crate) rated_amount: Decimal,
    pub(crate) points: Decimal,
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) rounding: Decimal,
    /// Points that belong to no line.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) fixed_points: Decimal,
    /// Points that a ceiling cut off.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) capped: Decimal,
    /// VAT that the points, which are money, include.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "EarnReason::is_earned")]
    pub(crate) reason: EarnReason,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RateSource {
    Tier(String),
    Rule(String),
    /// Points per unit of a product.
    Products,
    /// What was kept of fractions, once it adds up to something.
    Carried,
}

/// Why a line earned, or did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EarnReason {
    #[default]
    Earned,
    ProgramDraft,
    ProgramPaused,
    ProgramArchived,
    OutsideValidity,
    DocumentIgnored,
    BelowLowestTier,
    NoRate,
    LineFlagged,
    PaidWithPoints,
    EarningSuppressed,
    DiscountCeiling,
    PercentDiscounted,
    ProductNeverEarns,
    ExcludedProduct,
    NoRuleAssigned,
    OutsideSchedule,
    OtherTier,
    OtherCustomerGroup,
    OtherTerritory,
    NotAssigned,
    BelowMinimumSale,
    Outranked,
    NotStackable,
    OptedOut,
}

impl EarnReason {
    /// Whether it is why something earned.
    pub(crate) fn is_earned(&self) -> bool {
        *self == Self::Earned
    }
}
