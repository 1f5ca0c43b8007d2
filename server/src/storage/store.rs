//! Table `store`: the shops of a merchant.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::store;

/// Adds a store; `Duplicate` when there is one of this id.
pub(crate) async fn insert(
    connection: &mut Connection,
    merchant_id: u32,
    store_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(store::table)
        .values((
            store::merchant_id.eq(merchant_id),
            store::store_id.eq(store_id),
            store::created_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the merchant has this store.
pub(crate) async fn exists(
    connection: &mut Connection,
    merchant_id: u32,
    store_id: &str,
) -> Result<bool, StorageError> {
    let found: Option<u32> = store::table
        .find((merchant_id, store_id))
        .select(store::merchant_id)
        .first(connection)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// The next stores of a merchant behind `after`, by id.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StorageError> {
    let stores = store::table
        .filter(store::merchant_id.eq(merchant_id).and(store::store_id.gt(after)))
        .select(store::store_id)
        .order(store::store_id)
        .limit(limit);
    Ok(stores.load(connection).await?)
}
