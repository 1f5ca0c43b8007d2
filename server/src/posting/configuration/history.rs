//! Every change writes down who made it and what it changed, in its own transaction.

use super::Change;
use crate::domain::answer::StoredAnswer;
use crate::domain::configuration_change::{Changed, ConfigurationChange};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{configuration_change, program, reason, receipt_templates, reward, rule};

/// Writes down what came of a change; one that made no version after the last changed nothing.
pub(super) async fn record(
    connection: &mut Connection,
    change: &Change,
    answer: &StoredAnswer,
    last_version: Option<u32>,
) -> Result<(), StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    if version_of(answer).is_none_or(|version| last_version.is_some_and(|last| version <= last)) {
        return Ok(());
    }
    let (version, changed) = match answer {
        StoredAnswer::Program(record) => {
            let before = program::until(connection, merchant_id, program_id, record.version).await?;
            let changed = Changed::Program {
                before: before.map(Box::new),
                after: Box::new(record.program.clone()),
            };
            (record.version, changed)
        }
        StoredAnswer::Rule(record) => {
            let before = rule::until(
                connection,
                merchant_id,
                program_id,
                &record.rule_id,
                record.since_version,
            );
            let changed = Changed::Rule {
                rule_id: record.rule_id.clone(),
                before: before.await?.map(Box::new),
                after: Box::new(record.rule.clone()),
            };
            (record.since_version, changed)
        }
        StoredAnswer::Reward(record) => {
            let (reward_id, version) = (&record.reward_id, record.since_version);
            let before = reward::until(connection, merchant_id, program_id, reward_id, version).await?;
            let changed = Changed::Reward {
                reward_id: reward_id.clone(),
                before: before.map(Box::new),
                after: Box::new(record.reward.clone()),
            };
            (version, changed)
        }
        StoredAnswer::Products(record) => (record.version, Changed::Products(record.counts)),
        StoredAnswer::Reason(record) => {
            let (reason_id, version) = (&record.reason_id, record.since_version);
            let before = reason::until(connection, merchant_id, reason_id, version).await?;
            let changed = Changed::Reason {
                reason_id: reason_id.clone(),
                before: before.map(Box::new),
                after: Box::new(record.reason.clone()),
            };
            (version, changed)
        }
        StoredAnswer::ReceiptTemplates(record) => {
            let version = record.since_version;
            let before = receipt_templates::until(connection, merchant_id, version).await?;
            let changed = Changed::ReceiptTemplates {
                before: before.map(Box::new),
                after: Box::new(record.templates.clone()),
            };
            (version, changed)
        }
        _ => return Ok(()),
    };
    write(connection, change, version, changed).await
}

/// Writes down what made this version.
pub(super) async fn write(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    changed: Changed,
) -> Result<(), StorageError> {
    let merchant_id = change.merchant_id;
    let change = ConfigurationChange {
        program_id: change.program_id.clone(),
        version,
        actor: change.actor.clone(),
        request_id: change.request_id.clone(),
        recorded_at: change.now,
        changed,
    };
    configuration_change::insert(connection, merchant_id, &change).await
}

/// The version that a change of configuration made, or found where it changed nothing.
fn version_of(answer: &StoredAnswer) -> Option<u32> {
    match answer {
        StoredAnswer::Program(record) => Some(record.version),
        StoredAnswer::Rule(record) => Some(record.since_version),
        StoredAnswer::Reward(record) => Some(record.since_version),
        StoredAnswer::Products(record) => Some(record.version),
        StoredAnswer::Reason(record) => Some(record.since_version),
        StoredAnswer::ReceiptTemplates(record) => Some(record.since_version),
        _ => None,
    }
}
