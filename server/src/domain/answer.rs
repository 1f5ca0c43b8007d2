//! Answers of writes, as they are given now and, from the request's record, again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::adjustment::AdjustmentOutcome;
use super::expiry_change::ChangeCounts;
use super::expiry_schedule::ExpirySchedule;
use super::giving_back::ReversalOutcome;
use super::holding::HoldOutcome;
use super::member::Member;
use super::offline::OfflinePolicy;
use super::outcome::SaleOutcome;
use super::product::{ProductCounts, ProductPoints};
use super::program::Program;
use super::reason::Reason;
use super::receipt_text::ReceiptTemplates;
use super::redeeming::RedemptionOutcome;
use super::rejection::Rejection;
use super::return_outcome::ReturnOutcome;
use super::reward::Reward;
use super::rule::Rule;
use super::sweeping::Swept;

/// Where a refusal has what somebody wrote of a member.
const BLOCK_REASON: &str = "block_reason";

/// What a write answers when it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Sale(Arc<SaleOutcome>),
    /// Of a return or a cancellation.
    Return(Box<ReturnOutcome>),
    Redemption(Box<RedemptionOutcome>),
    /// Of a redemption, or a part of it, that came back.
    Reversal(Box<ReversalOutcome>),
    Hold(Box<HoldOutcome>),
    Member(Box<Member>),
    Program(Box<ProgramRecord>),
    Rule(Box<RuleRecord>),
    Reward(Box<RewardRecord>),
    Products(ProductsRecord),
    ExpirySchedule(Box<ExpirySchedule>),
    OfflinePolicy(OfflinePolicyRecord),
    ReceiptTemplates(Box<ReceiptTemplatesRecord>),
    Swept(Swept),
    /// The member that a row of an import brought.
    Imported(Uuid),
    ExpiryChanged(ChangeCounts),
    /// Whether it was given.
    BirthdayBonus(bool),
    Reason(Box<ReasonRecord>),
    Adjustment(Box<AdjustmentOutcome>),
}

/// An answer that is kept with its request. A sale's is kept with the sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredAnswer {
    Return(Box<ReturnOutcome>),
    Redemption(Box<RedemptionOutcome>),
    Reversal(Box<ReversalOutcome>),
    Hold(Box<HoldOutcome>),
    Member(Box<Member>),
    Program(Box<ProgramRecord>),
    Rule(Box<RuleRecord>),
    Reward(Box<RewardRecord>),
    Products(ProductsRecord),
    ExpirySchedule(Box<ExpirySchedule>),
    OfflinePolicy(OfflinePolicyRecord),
    ReceiptTemplates(Box<ReceiptTemplatesRecord>),
    Reason(Box<ReasonRecord>),
    Adjustment(Box<AdjustmentOutcome>),
    Refusal(Refusal),
}

impl StoredAnswer {
    /// Whether it tells something of a person.
    pub(crate) fn tells_of_person(&self) -> bool {
        match self {
            Self::Member(_) => true,
            Self::Refusal(refusal) => refusal.metadata.contains_key(BLOCK_REASON),
            _ => false,
        }
    }

    /// Forgets it.
    pub(crate) fn forget_person(&mut self) {
        match self {
            Self::Member(member) => member.forget(),
            Self::Refusal(refusal) if refusal.metadata.contains_key(BLOCK_REASON) => {
                let block_reason = "erased".to_owned();
                *refusal = Refusal::from(&Rejection::MemberBlocked { block_reason });
            }
            _ => {}
        }
    }

    /// The answer, or the refusal, that was kept.
    pub(crate) fn into_answer(self) -> Result<Answer, Refusal> {
        match self {
            Self::Return(outcome) => Ok(Answer::Return(outcome)),
            Self::Redemption(outcome) => Ok(Answer::Redemption(outcome)),
            Self::Reversal(outcome) => Ok(Answer::Reversal(outcome)),
            Self::Hold(outcome) => Ok(Answer::Hold(outcome)),
            Self::Member(member) => Ok(Answer::Member(member)),
            Self::Program(record) => Ok(Answer::Program(record)),
            Self::Rule(record) => Ok(Answer::Rule(record)),
            Self::Reward(record) => Ok(Answer::Reward(record)),
            Self::Products(record) => Ok(Answer::Products(record)),
            Self::ExpirySchedule(schedule) => Ok(Answer::ExpirySchedule(schedule)),
            Self::OfflinePolicy(record) => Ok(Answer::OfflinePolicy(record)),
            Self::ReceiptTemplates(record) => Ok(Answer::ReceiptTemplates(record)),
            Self::Reason(record) => Ok(Answer::Reason(record)),
            Self::Adjustment(outcome) => Ok(Answer::Adjustment(outcome)),
            Self::Refusal(refusal) => Err(refusal),
        }
    }
}

/// A refusal as it is answered: reason, sentence and numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// Name of the `ErrorReason`, without its prefix.
    pub(crate) reason: String,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A program as it is configured now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramRecord {
    pub(crate) program_id: String,
    /// The current version.
    pub(crate) version: u32,
    /// The version since which settings and tiers are as they are: the etag.
    pub(crate) since_version: u32,
    pub(crate) program: Program,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A rule as it is configured now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RuleRecord {
    pub(crate) program_id: String,
    pub(crate) rule_id: String,
    /// The version since which the rule is as it is: the etag.
    pub(crate) since_version: u32,
    pub(crate) rule: Rule,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A reward as it is configured now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RewardRecord {
    pub(crate) program_id: String,
    pub(crate) reward_id: String,
    /// The version since which the reward is as it is: the etag.
    pub(crate) since_version: u32,
    pub(crate) reward: Reward,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A reason as it is configured now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReasonRecord {
    pub(crate) reason_id: String,
    /// The version of the merchant's configuration since which the reason is as it is: the etag.
    pub(crate) since_version: u32,
    pub(crate) reason: Reason,
    pub(crate) updated_at: DateTime<Utc>,
}

/// How a merchant prints now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptTemplatesRecord {
    /// The version of the merchant's configuration since which it is so: the etag. 0 of one who has said nothing.
    pub(crate) since_version: u32,
    pub(crate) templates: ReceiptTemplates,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

/// What tills of a merchant may do without a line now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfflinePolicyRecord {
    /// The version of the merchant's configuration since which it is so: the etag. 0 of one who has said nothing.
    #[serde(default)]
    pub(crate) since_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(crate) policy: OfflinePolicy,
}

/// What a load of products did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProductsRecord {
    /// The program's version afterwards.
    pub(crate) version: u32,
    pub(crate) counts: ProductCounts,
}

/// A product as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProductRecord {
    pub(crate) product_id: String,
    pub(crate) since_version: u32,
    pub(crate) points: ProductPoints,
}

/// What a version changed of a product; `None` where it was not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProductChange {
    pub(crate) product_id: String,
    pub(crate) version: u32,
    pub(crate) before: Option<ProductPoints>,
    pub(crate) after: Option<ProductPoints>,
}

impl From<&Rejection> for Refusal {
    fn from(rejection: &Rejection) -> Self {
        Self {
            reason: rejection.reason().to_owned(),
            message: rejection.to_string(),
            metadata: rejection
                .metadata()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }
}
