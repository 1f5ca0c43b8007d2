//! The history of configuration: who changed what, when, from what to what.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{ProductId, ProgramId, ReasonId, RequestId, RewardId, RuleId},
    product::ProductLoad,
    rule::Rule,
    wire::open_enum,
};

/// A change of a program's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationChange {
    /// The program; `None` where a reason, the receipt templates, the expiry schedule or the offline policy
    /// changed, which belong to none.
    pub program_id: Option<ProgramId>,
    /// The version of the program, or of what belongs to none, that the change made.
    pub version: u32,
    /// When it was made; never goes back within a program.
    pub changed_at: DateTime<Utc>,
    /// Who made it, as the call said: see [`ClientBuilder::actor`](crate::ClientBuilder::actor).
    pub actor: String,
    /// The request id of the call that made it.
    pub request_id: RequestId,
    /// What was changed.
    pub resource: ConfigurationResource,
    /// Its id: of the program, the rule, the reward or the reason; empty for all else.
    pub resource_id: String,
    /// What is different; all that is set where it was created. Empty for products.
    pub fields: Vec<FieldChange>,
    /// Products: how many changed; [`Client::list_product_changes`](crate::Client::list_product_changes) says which.
    pub product_load: Option<ProductLoad>,
}

open_enum! {
    /// The kinds of what is configured.
    ConfigurationResource {
        /// Settings and tiers of a program.
        Program,
        /// A rule.
        Rule,
        /// Products.
        Products,
        /// A reward.
        Reward,
        /// A reason for adjustments.
        Reason,
        /// What receipts say about points.
        ReceiptTemplates,
        /// How often lapsed points are written off.
        ExpirySchedule,
        /// What tills may do without a line.
        OfflinePolicy,
    }
}

/// A field that is different after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Path of the field in the names of the contract, such as `tiers[gold].minimum_spend`.
    pub path: String,
    /// Its value before; empty when it was not set.
    pub old_value: String,
    /// Its value after; empty when it is not set any more.
    pub new_value: String,
}

/// What a version of a program changed of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductChange {
    /// The product.
    pub product_id: ProductId,
    /// The version.
    pub version: u32,
    /// Points of a unit before and after.
    pub points: (Option<Decimal>, Option<Decimal>),
    /// Price of a unit in points before and after.
    pub redeem_points: (Option<Decimal>, Option<Decimal>),
}

/// A rule as it was, or is, between two changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleVersion {
    /// The rule; its `updated_at` says when it became so.
    pub rule: Rule,
    /// First program version with it.
    pub from_version: u32,
    /// First program version without it; `None`: it is in force.
    pub until_version: Option<u32>,
    /// Who made it so.
    pub actor: String,
}

/// Which changes are asked for: those that match all that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ConfigurationFilter {
    pub(crate) program_id: Option<ProgramId>,
    pub(crate) resource: Option<ConfigurationResource>,
    pub(crate) resource_id: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
}

impl ConfigurationFilter {
    /// All changes of the merchant.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only changes of this program.
    pub fn program(mut self, program_id: impl Into<ProgramId>) -> Self {
        self.program_id = Some(program_id.into());
        self
    }

    /// Only changes of this kind of resource.
    pub fn resource(mut self, resource: ConfigurationResource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Only changes of this rule.
    pub fn rule(self, program_id: impl Into<ProgramId>, rule_id: impl Into<RuleId>) -> Self {
        Self {
            resource_id: Some(rule_id.into().into()),
            ..self.program(program_id).resource(ConfigurationResource::Rule)
        }
    }

    /// Only changes of this reward.
    pub fn reward(self, program_id: impl Into<ProgramId>, reward_id: impl Into<RewardId>) -> Self {
        Self {
            resource_id: Some(reward_id.into().into()),
            ..self.program(program_id).resource(ConfigurationResource::Reward)
        }
    }

    /// Only changes of this reason.
    pub fn reason(self, reason_id: impl Into<ReasonId>) -> Self {
        Self {
            resource_id: Some(reason_id.into().into()),
            ..self.resource(ConfigurationResource::Reason)
        }
    }

    /// Only changes that this actor made.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// Only changes at or after this instant.
    pub fn from(mut self, instant: DateTime<Utc>) -> Self {
        self.from = Some(instant);
        self
    }

    /// Only changes before this instant.
    pub fn until(mut self, instant: DateTime<Utc>) -> Self {
        self.until = Some(instant);
        self
    }
}
