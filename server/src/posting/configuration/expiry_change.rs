//! The begin of a run that moves lots to the expiry of their program.

use super::Change;
use crate::domain::answer::StoredAnswer;
use crate::domain::expiry_change::Applying;
use crate::domain::rejection::Rejection;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{expiry_change, program};

/// Begins it, if the program is still as the caller has seen it.
pub(super) async fn begin(
    connection: &mut Connection,
    change: &Change,
    etag: u32,
    extend_only: bool,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let Some(record) = program::find(connection, merchant_id, program_id).await? else {
        return Err(StorageError::Corrupt(format!("program {program_id} without settings")));
    };
    if record.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: record.since_version.to_string(),
        }));
    }
    let actor = change.actor.clone();
    let applying = Applying { extend_only, actor };
    let request_id = &change.request_id;
    expiry_change::begin(connection, merchant_id, request_id, program_id, &applying, change.now).await?;
    Ok(Ok(StoredAnswer::Program(Box::new(record))))
}
