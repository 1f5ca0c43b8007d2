//! Table `terminal`: the tills of a store.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::terminal;

/// Adds a terminal; `Duplicate` when the store has one of this id.
pub(crate) async fn insert(
    connection: &mut Connection,
    merchant_id: u32,
    store_id: &str,
    terminal_id: &str,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(terminal::table)
        .values((
            terminal::merchant_id.eq(merchant_id),
            terminal::store_id.eq(store_id),
            terminal::terminal_id.eq(terminal_id),
            terminal::created_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the store has this terminal.
pub(crate) async fn exists(
    connection: &mut Connection,
    merchant_id: u32,
    store_id: &str,
    terminal_id: &str,
) -> Result<bool, StorageError> {
    let found: Option<u32> = terminal::table
        .find((merchant_id, store_id, terminal_id))
        .select(terminal::merchant_id)
        .first(connection)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// The next terminals of a store behind `after`, by id.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    store_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StorageError> {
    let terminals = terminal::table
        .filter(terminal::merchant_id.eq(merchant_id))
        .filter(terminal::store_id.eq(store_id))
        .filter(terminal::terminal_id.gt(after))
        .select(terminal::terminal_id)
        .order(terminal::terminal_id)
        .limit(limit);
    Ok(terminals.load(connection).await?)
}
