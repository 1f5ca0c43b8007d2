//! What a return or a cancellation did, as it is answered now and answered again.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::number::{Currency, Fraction};
use super::outcome::{Balance, LineOutcome, RateOutcome};
use super::sale_return::SaleName;

/// What a return or a cancellation did, or, in a quote, would do. Its serialized form is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReturnOutcome {
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    /// That the sale was rated by.
    pub(crate) program_version: u32,
    pub(crate) currency: Currency,
    pub(crate) sale: SaleName,
    /// `None`: a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_id: Option<String>,
    pub(crate) occurred_at: DateTime<Utc>,
    /// What the goods cost that came back.
    pub(crate) amount: Decimal,
    /// What of it points had paid, and comes back as points.
    pub(crate) points_amount: Decimal,
    /// What the kept goods cost.
    pub(crate) kept_amount: Decimal,
    pub(crate) points_given_back: Decimal,
    /// What of them had lapsed meanwhile.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) given_back_lapsed: Decimal,
    /// Negative where the kept goods earn more than all did.
    pub(crate) points_taken_back: Decimal,
    /// What of them had lapsed before: it is taken out of no other lot.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) taken_back_lapsed: Decimal,
    /// What of them nothing was there for: it is owed.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) owed: Decimal,
    /// What nothing was there for and the program let go: it was not taken back.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) forgiven: Decimal,
    /// What the kept goods earn.
    pub(crate) points_earned: Decimal,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tier_id_before: Option<String>,
    pub(crate) lines: Vec<KeptLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rates: Vec<RateOutcome>,
    /// The member's kept fraction of a point afterwards, where the program of the sale kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carried: Option<Fraction>,
}

/// What becomes of a line of the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptLine {
    pub(crate) returned_quantity: Decimal,
    pub(crate) returned_amount: Decimal,
    pub(crate) kept_quantity: Decimal,
    pub(crate) kept_amount: Decimal,
    /// What the kept goods of the line earn, and why; `None` where none are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept: Option<LineOutcome>,
}
