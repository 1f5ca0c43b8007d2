//! Table `receipt_templates`: how merchants print what receipts say about points.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::program::CURRENT;
use super::schema::receipt_templates;
use super::value::{document, instant, json};
use crate::domain::answer::ReceiptTemplatesRecord;
use crate::domain::receipt_text::ReceiptTemplates;

/// How a merchant, who may have said nothing, prints now.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
) -> Result<ReceiptTemplatesRecord, StorageError> {
    let row: Option<(u32, String, NaiveDateTime)> = receipt_templates::table
        .filter(receipt_templates::merchant_id.eq(merchant_id))
        .filter(receipt_templates::until_version.eq(CURRENT))
        .select((
            receipt_templates::from_version,
            receipt_templates::definition,
            receipt_templates::recorded_at,
        ))
        .order(receipt_templates::from_version.desc())
        .first(connection)
        .await
        .optional()?;
    let Some((since_version, definition, recorded_at)) = row else {
        return Ok(ReceiptTemplatesRecord::default());
    };
    let updated_at: DateTime<Utc> = instant(recorded_at);
    Ok(ReceiptTemplatesRecord {
        since_version,
        templates: document("receipt templates", &definition)?,
        updated_at: Some(updated_at),
    })
}

/// How a merchant printed until a version; `None` who had said nothing.
pub(crate) async fn until(
    connection: &mut Connection,
    merchant_id: u32,
    version: u32,
) -> Result<Option<ReceiptTemplates>, StorageError> {
    let definition: Option<String> = receipt_templates::table
        .filter(receipt_templates::merchant_id.eq(merchant_id))
        .filter(receipt_templates::until_version.eq(version))
        .select(receipt_templates::definition)
        .first(connection)
        .await
        .optional()?;
    definition
        .map(|definition| document("receipt templates", &definition))
        .transpose()
}

/// Lets a merchant, whose row is locked, print so from a version on.
pub(crate) async fn put(
    connection: &mut Connection,
    merchant_id: u32,
    version: u32,
    templates: &ReceiptTemplates,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(
        receipt_templates::table
            .filter(receipt_templates::merchant_id.eq(merchant_id))
            .filter(receipt_templates::until_version.eq(CURRENT)),
    )
    .set(receipt_templates::until_version.eq(version))
    .execute(connection)
    .await?;
    diesel::insert_into(receipt_templates::table)
        .values((
            receipt_templates::merchant_id.eq(merchant_id),
            receipt_templates::from_version.eq(version),
            receipt_templates::until_version.eq(CURRENT),
            receipt_templates::definition.eq(json(templates)?),
            receipt_templates::recorded_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}
