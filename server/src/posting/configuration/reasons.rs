//! Changes of reasons: one version of the merchant's configuration each.

use super::Change;
use crate::domain::answer::{ReasonRecord, StoredAnswer};
use crate::domain::reason::{Reason, ReasonEdit};
use crate::domain::rejection::Rejection;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{merchant, reason as table};

pub(super) async fn create(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    reason_id: &str,
    reason: &Reason,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let reason_id = reason_id.to_owned();
    if table::find(connection, change.merchant_id, &reason_id).await?.is_some() {
        return Ok(Err(Rejection::ReasonExists { reason_id }));
    }
    put(connection, change, next, reason_id, reason.clone()).await
}

/// An archived reason changes too, so that it can be taken up again.
pub(super) async fn update(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    reason_id: &str,
    etag: u32,
    edit: &ReasonEdit,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let reason_id = reason_id.to_owned();
    let Some(current) = table::find(connection, change.merchant_id, &reason_id).await? else {
        return Ok(Err(Rejection::ReasonNotFound { reason_id }));
    };
    if current.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: current.since_version.to_string(),
        }));
    }
    match edit.apply(current.reason.clone()) {
        reason if reason == current.reason => Ok(Ok(StoredAnswer::Reason(Box::new(current)))),
        reason => put(connection, change, next, reason_id, reason).await,
    }
}

async fn put(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    reason_id: String,
    reason: Reason,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let record = ReasonRecord {
        reason_id,
        since_version: version,
        reason,
        updated_at: change.now,
    };
    table::put(connection, change.merchant_id, &record).await?;
    merchant::set_configuration_version(connection, change.merchant_id, version).await?;
    Ok(Ok(StoredAnswer::Reason(Box::new(record))))
}
