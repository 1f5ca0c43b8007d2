//! Table `reason`.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::program::CURRENT;
use super::schema::reason;
use super::value::{document, instant, json};
use crate::domain::answer::ReasonRecord;
use crate::domain::reason::Reason;

/// A reason of a merchant.
pub(crate) type ReasonKey = (u32, String);

type Row = (String, u32, String, NaiveDateTime);

/// These reasons as they are now; those that are none are left out.
pub(crate) async fn find_all(
    connection: &mut Connection,
    keys: impl IntoIterator<Item = ReasonKey>,
) -> Result<HashMap<ReasonKey, Reason>, StorageError> {
    let mut by_merchant: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (merchant_id, reason_id) in keys {
        by_merchant.entry(merchant_id).or_default().push(reason_id);
    }
    let mut found = HashMap::new();
    for (merchant_id, ids) in by_merchant {
        let rows: Vec<(String, String)> = reason::table
            .filter(
                reason::merchant_id
                    .eq(merchant_id)
                    .and(reason::until_version.eq(CURRENT)),
            )
            .filter(one_of(reason::reason_id, ids, true))
            .select((reason::reason_id, reason::definition))
            .load(connection)
            .await?;
        for (reason_id, definition) in rows {
            found.insert((merchant_id, reason_id), document("a reason", &definition)?);
        }
    }
    Ok(found)
}

/// A reason as it is now; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    reason_id: &str,
) -> Result<Option<ReasonRecord>, StorageError> {
    let row: Option<Row> = reason::table
        .filter(reason::merchant_id.eq(merchant_id).and(reason::reason_id.eq(reason_id)))
        .filter(reason::until_version.eq(CURRENT))
        .select((
            reason::reason_id,
            reason::from_version,
            reason::definition,
            reason::recorded_at,
        ))
        .first(connection)
        .await
        .optional()?;
    row.map(record).transpose()
}

/// Up to `limit` reasons of a merchant as they are now, by id, after `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    after: &str,
    limit: i64,
) -> Result<Vec<ReasonRecord>, StorageError> {
    let rows: Vec<Row> = reason::table
        .filter(reason::merchant_id.eq(merchant_id).and(reason::reason_id.gt(after)))
        .filter(reason::until_version.eq(CURRENT))
        .order(reason::reason_id)
        .limit(limit)
        .select((
            reason::reason_id,
            reason::from_version,
            reason::definition,
            reason::recorded_at,
        ))
        .load(connection)
        .await?;
    rows.into_iter().map(record).collect()
}

/// The reason that a version ended; `None` when there was none of this id.
pub(crate) async fn until(
    connection: &mut Connection,
    merchant_id: u32,
    reason_id: &str,
    version: u32,
) -> Result<Option<Reason>, StorageError> {
    let definition: Option<String> = reason::table
        .filter(reason::merchant_id.eq(merchant_id).and(reason::reason_id.eq(reason_id)))
        .filter(reason::until_version.eq(version))
        .select(reason::definition)
        .first(connection)
        .await
        .optional()?;
    definition
        .map(|definition| document("a reason", &definition))
        .transpose()
}

/// Puts a reason in force from its version on; the one of the same id before ends there.
pub(crate) async fn put(
    connection: &mut Connection,
    merchant_id: u32,
    record: &ReasonRecord,
) -> Result<(), StorageError> {
    diesel::update(
        reason::table
            .filter(
                reason::merchant_id
                    .eq(merchant_id)
                    .and(reason::reason_id.eq(&record.reason_id)),
            )
            .filter(reason::until_version.eq(CURRENT)),
    )
    .set(reason::until_version.eq(record.since_version))
    .execute(connection)
    .await?;
    diesel::insert_into(reason::table)
        .values((
            reason::merchant_id.eq(merchant_id),
            reason::reason_id.eq(&record.reason_id),
            reason::from_version.eq(record.since_version),
            reason::until_version.eq(CURRENT),
            reason::definition.eq(json(&record.reason)?),
            reason::recorded_at.eq(record.updated_at.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

fn record((reason_id, since_version, definition, updated_at): Row) -> Result<ReasonRecord, StorageError> {
    let updated_at: DateTime<Utc> = instant(updated_at);
    Ok(ReasonRecord {
        reason_id,
        since_version,
        reason: document("a reason", &definition)?,
        updated_at,
    })
}
