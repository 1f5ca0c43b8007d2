//! Changes of how a merchant prints: one version of the merchant's configuration each.

use super::Change;
use crate::domain::answer::{ReceiptTemplatesRecord, StoredAnswer};
use crate::domain::receipt_text::ReceiptTemplates;
use crate::domain::rejection::Rejection;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{merchant, receipt_templates as table};

pub(super) async fn set(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    etag: u32,
    templates: &ReceiptTemplates,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let current = table::find(connection, change.merchant_id).await?;
    if current.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: current.since_version.to_string(),
        }));
    }
    if current.templates == *templates {
        return Ok(Ok(StoredAnswer::ReceiptTemplates(Box::new(current))));
    }
    table::put(connection, change.merchant_id, next, templates, change.now).await?;
    merchant::set_configuration_version(connection, change.merchant_id, next).await?;
    Ok(Ok(StoredAnswer::ReceiptTemplates(Box::new(ReceiptTemplatesRecord {
        since_version: next,
        templates: templates.clone(),
        updated_at: Some(change.now),
    }))))
}
