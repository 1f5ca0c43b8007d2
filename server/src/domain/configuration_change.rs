//! What a change of configuration was: who, when, and the resource before and after.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::offline::OfflinePolicy;
use super::product::ProductCounts;
use super::program::Program;
use super::reason::Reason;
use super::receipt_text::ReceiptTemplates;
use super::reward::Reward;
use super::rule::Rule;

/// Who changed what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigurationChange {
    /// Empty where the merchant's own configuration changed.
    pub(crate) program_id: String,
    /// The version that the change made.
    pub(crate) version: u32,
    pub(crate) actor: String,
    pub(crate) request_id: String,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) changed: Changed,
}

/// The resource, before (`None`: it was created) and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Program {
        before: Option<Box<Program>>,
        after: Box<Program>,
    },
    Rule {
        rule_id: String,
        before: Option<Box<Rule>>,
        after: Box<Rule>,
    },
    Reward {
        reward_id: String,
        before: Option<Box<Reward>>,
        after: Box<Reward>,
    },
    /// How many; which is in the products themselves.
    Products(ProductCounts),
    Reason {
        reason_id: String,
        before: Option<Box<Reason>>,
        after: Box<Reason>,
    },
    ReceiptTemplates {
        before: Option<Box<ReceiptTemplates>>,
        after: Box<ReceiptTemplates>,
    },
    ExpirySchedule {
        before: ExpiryPeriod,
        after: ExpiryPeriod,
    },
    OfflinePolicy {
        before: OfflinePolicy,
        after: OfflinePolicy,
    },
}

/// How often lapsed points are written off. Its serialized form is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpiryPeriod {
    /// `None`: only when it is asked for.
    pub(crate) period_seconds: Option<u32>,
}

/// The kinds of what is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    Program,
    Rule,
    Products,
    Reward,
    Reason,
    ReceiptTemplates,
    ExpirySchedule,
    OfflinePolicy,
}

impl Changed {
    pub(crate) fn kind(&self) -> ResourceKind {
        match self {
            Self::Program { .. } => ResourceKind::Program,
            Self::Rule { .. } => ResourceKind::Rule,
            Self::Reward { .. } => ResourceKind::Reward,
            Self::Products(_) => ResourceKind::Products,
            Self::Reason { .. } => ResourceKind::Reason,
            Self::ReceiptTemplates { .. } => ResourceKind::ReceiptTemplates,
            Self::ExpirySchedule { .. } => ResourceKind::ExpirySchedule,
            Self::OfflinePolicy { .. } => ResourceKind::OfflinePolicy,
        }
    }
}

impl ResourceKind {
    /// Whether it belongs to the merchant, to none of the programs.
    pub(crate) fn is_of_no_program(self) -> bool {
        match self {
            Self::Reason | Self::ReceiptTemplates | Self::ExpirySchedule | Self::OfflinePolicy => true,
            Self::Program | Self::Rule | Self::Products | Self::Reward => false,
        }
    }
}
