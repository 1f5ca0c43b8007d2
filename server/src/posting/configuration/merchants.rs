//! Changes of what a merchant has once: how often lapsed points are written off, and what tills may do without a line. Each
//! that changes something is one version of the merchant's configuration.

use super::{Change, history};
use crate::domain::answer::{OfflinePolicyRecord, StoredAnswer};
use crate::domain::configuration_change::{Changed, ExpiryPeriod};
use crate::domain::offline::OfflinePolicy;
use crate::domain::rejection::Rejection;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{expiry_schedule, merchant, offline_policy};

/// The next run is a period from now, also where the period is the same.
pub(super) async fn set_expiry_schedule(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    period_seconds: Option<u32>,
) -> Result<StoredAnswer, StorageError> {
    let merchant_id = change.merchant_id;
    let before = ExpiryPeriod {
        period_seconds: expiry_schedule::find(connection, merchant_id).await?.period_seconds,
    };
    let after = ExpiryPeriod { period_seconds };
    expiry_schedule::set_period(connection, merchant_id, period_seconds, change.now).await?;
    if before != after {
        version(connection, change, next, Changed::ExpirySchedule { before, after }).await?;
    }
    let schedule = expiry_schedule::find(connection, merchant_id).await?;
    Ok(StoredAnswer::ExpirySchedule(Box::new(schedule)))
}

pub(super) async fn set_offline_policy(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    etag: u32,
    policy: &OfflinePolicy,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let current = offline_policy::find(connection, change.merchant_id).await?;
    if current.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: current.since_version.to_string(),
        }));
    }
    if current.policy == *policy {
        return Ok(Ok(StoredAnswer::OfflinePolicy(current)));
    }
    offline_policy::set(connection, change.merchant_id, next, policy, change.now).await?;
    let (before, after) = (current.policy, policy.clone());
    version(connection, change, next, Changed::OfflinePolicy { before, after }).await?;
    Ok(Ok(StoredAnswer::OfflinePolicy(OfflinePolicyRecord {
        since_version: next,
        updated_at: Some(change.now),
        policy: policy.clone(),
    })))
}

async fn version(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    changed: Changed,
) -> Result<(), StorageError> {
    merchant::set_configuration_version(connection, change.merchant_id, next).await?;
    history::write(connection, change, next, changed).await
}
