//! Changes of configuration.

use loyalty_api::v1 as wire;

use super::{decimal, field_changes, offline, product, program, reason, receipt, reward, rule, timestamp};
use crate::domain::answer::{
    OfflinePolicyRecord, ProductChange, ProductsRecord, ProgramRecord, ReasonRecord, ReceiptTemplatesRecord,
    RewardRecord, RuleRecord,
};
use crate::domain::configuration_change::{Changed, ConfigurationChange, ExpiryPeriod, ResourceKind};
use crate::domain::offline::OfflinePolicy;
use crate::domain::product::ProductPoints;
use crate::domain::program::Program;
use crate::domain::reason::Reason;
use crate::domain::receipt_text::ReceiptTemplates;
use crate::domain::reward::Reward;
use crate::domain::rule::Rule;
use crate::grpc::fields::Fields;

/// The kind of resource that is asked for; `None` is any.
pub(in crate::grpc) fn resource_kind(fields: &mut Fields, field: &str, number: i32) -> Option<ResourceKind> {
    match fields.choice(field, number)? {
        wire::ConfigurationResource::Unspecified => None,
        wire::ConfigurationResource::Program => Some(ResourceKind::Program),
        wire::ConfigurationResource::Rule => Some(ResourceKind::Rule),
        wire::ConfigurationResource::Products => Some(ResourceKind::Products),
        wire::ConfigurationResource::Reward => Some(ResourceKind::Reward),
        wire::ConfigurationResource::Reason => Some(ResourceKind::Reason),
        wire::ConfigurationResource::ReceiptTemplates => Some(ResourceKind::ReceiptTemplates),
        wire::ConfigurationResource::ExpirySchedule => Some(ResourceKind::ExpirySchedule),
        wire::ConfigurationResource::OfflinePolicy => Some(ResourceKind::OfflinePolicy),
    }
}

/// A change on the wire; `None` when the contract does not know its resource.
pub(in crate::grpc) fn configuration_change(change: ConfigurationChange) -> Option<wire::ConfigurationChange> {
    let kind = match change.changed.kind() {
        ResourceKind::Program => wire::ConfigurationResource::Program,
        ResourceKind::Rule => wire::ConfigurationResource::Rule,
        ResourceKind::Products => wire::ConfigurationResource::Products,
        ResourceKind::Reward => wire::ConfigurationResource::Reward,
        ResourceKind::Reason => wire::ConfigurationResource::Reason,
        ResourceKind::ReceiptTemplates => wire::ConfigurationResource::ReceiptTemplates,
        ResourceKind::ExpirySchedule => wire::ConfigurationResource::ExpirySchedule,
        ResourceKind::OfflinePolicy => wire::ConfigurationResource::OfflinePolicy,
    };
    let at = At {
        program_id: &change.program_id,
        version: change.version,
        instant: change.recorded_at,
    };
    let (resource_id, fields, product_load) = match change.changed {
        Changed::Program { before, after } => {
            let before = before.map(|before| at.program(*before));
            let fields = field_changes::between("Program", before.as_ref(), &at.program(*after))?;
            (change.program_id.clone(), fields, None)
        }
        Changed::Rule { rule_id, before, after } => {
            let before = before.map(|before| at.rule(&rule_id, *before));
            let fields = field_changes::between("Rule", before.as_ref(), &at.rule(&rule_id, *after))?;
            (rule_id, fields, None)
        }
        Changed::Reward {
            reward_id,
            before,
            after,
        } => {
            let before = before.map(|before| at.reward(&reward_id, *before));
            let fields = field_changes::between("Reward", before.as_ref(), &at.reward(&reward_id, *after))?;
            (reward_id, fields, None)
        }
        Changed::Reason {
            reason_id,
            before,
            after,
        } => {
            let before = before.map(|before| at.reason(&reason_id, *before));
            let fields = field_changes::between("Reason", before.as_ref(), &at.reason(&reason_id, *after))?;
            (reason_id, fields, None)
        }
        Changed::ReceiptTemplates { before, after } => {
            let before = before.map(|before| at.receipt_templates(*before));
            let after = at.receipt_templates(*after);
            let fields = field_changes::between("ReceiptTemplates", before.as_ref(), &after)?;
            (String::new(), fields, None)
        }
        Changed::ExpirySchedule { before, after } => {
            let [before, after] = [before, after].map(schedule);
            let fields = field_changes::between("ExpirySchedule", Some(&before), &after)?;
            (String::new(), fields, None)
        }
        Changed::OfflinePolicy { before, after } => {
            let [before, after] = [before, after].map(|policy| at.offline_policy(policy));
            let fields = field_changes::between("OfflinePolicy", Some(&before), &after)?;
            (String::new(), fields, None)
        }
        Changed::Products(counts) => {
            let version = change.version;
            let load = product::product_load(ProductsRecord { version, counts });
            (String::new(), Vec::new(), Some(load))
        }
    };
    Some(wire::ConfigurationChange {
        version: change.version,
        changed_at: Some(timestamp(change.recorded_at)),
        actor: change.actor,
        request_id: change.request_id,
        resource: kind.into(),
        resource_id,
        fields,
        product_load,
        program_id: change.program_id,
    })
}

/// What of a schedule is configured.
fn schedule(period: ExpiryPeriod) -> wire::ExpirySchedule {
    wire::ExpirySchedule {
        period_seconds: period.period_seconds.unwrap_or_default(),
        ..wire::ExpirySchedule::default()
    }
}

/// What a version changed of a product, on the wire.
pub(in crate::grpc) fn product_change(change: ProductChange) -> wire::ProductChange {
    let ProductPoints { points, redeem_points } = change.before.unwrap_or_default();
    let after = change.after.unwrap_or_default();
    wire::ProductChange {
        product_id: change.product_id,
        version: change.version,
        old_points: points.and_then(decimal),
        new_points: after.points.and_then(decimal),
        old_redeem_points: redeem_points.and_then(decimal),
        new_redeem_points: after.redeem_points.and_then(decimal),
    }
}

/// Where and when the resources of a change are; it is the same before and after.
struct At<'a> {
    program_id: &'a str,
    version: u32,
    instant: chrono::DateTime<chrono::Utc>,
}

impl At<'_> {
    fn program(&self, settings: Program) -> wire::Program {
        program::program(ProgramRecord {
            program_id: self.program_id.to_owned(),
            version: self.version,
            since_version: self.version,
            program: settings,
            created_at: self.instant,
            updated_at: self.instant,
        })
    }

    fn rule(&self, rule_id: &str, settings: Rule) -> wire::Rule {
        rule::rule(RuleRecord {
            program_id: self.program_id.to_owned(),
            rule_id: rule_id.to_owned(),
            since_version: self.version,
            rule: settings,
            updated_at: self.instant,
        })
    }

    fn reward(&self, reward_id: &str, settings: Reward) -> wire::Reward {
        reward::reward(RewardRecord {
            program_id: self.program_id.to_owned(),
            reward_id: reward_id.to_owned(),
            since_version: self.version,
            reward: settings,
            updated_at: self.instant,
        })
    }

    fn receipt_templates(&self, templates: ReceiptTemplates) -> wire::ReceiptTemplates {
        receipt::templates(ReceiptTemplatesRecord {
            since_version: self.version,
            templates,
            updated_at: Some(self.instant),
        })
    }

    fn offline_policy(&self, policy: OfflinePolicy) -> wire::OfflinePolicy {
        offline::policy(OfflinePolicyRecord {
            since_version: self.version,
            updated_at: Some(self.instant),
            policy,
        })
    }

    fn reason(&self, reason_id: &str, settings: Reason) -> wire::Reason {
        reason::reason(ReasonRecord {
            reason_id: reason_id.to_owned(),
            since_version: self.version,
            reason: settings,
            updated_at: self.instant,
        })
    }
}
