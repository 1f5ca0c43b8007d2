//! Table `import_row`: the members that imports brought, by the row they came with.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::import_row;
use super::statement::Insert;
use super::value::{hash, id};

/// A row of an import of a merchant.
pub(crate) type ImportRowKey = (u32, String, u64);

/// What became of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportRow {
    pub(crate) content_hash: [u8; 32],
    pub(crate) member_id: Uuid,
}

/// Those of these rows of an import that were written; there must be some.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    import_id: &str,
    numbers: Vec<u64>,
) -> Result<Vec<(ImportRowKey, ImportRow)>, StorageError> {
    let rows: Vec<(u64, Vec<u8>, Vec<u8>)> = import_row::table
        .filter(import_row::merchant_id.eq(merchant_id))
        .filter(import_row::import_id.eq(import_id))
        .filter(one_of(import_row::number, numbers, true))
        .select((import_row::number, import_row::content_hash, import_row::member_id))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(number, content_hash, member_id)| {
            let row = ImportRow {
                content_hash: hash(content_hash)?,
                member_id: id(&member_id)?,
            };
            Ok(((merchant_id, import_id.to_owned(), number), row))
        })
        .collect()
}

/// New rows.
pub(crate) struct ImportRows(Insert);

impl ImportRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO import_row (merchant_id, import_id, number, content_hash, member_id, recorded_at) VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, key: &ImportRowKey, row: &ImportRow, recorded_at: DateTime<Utc>) {
        self.0
            .row()
            .integer(key.0)
            .text(&key.1)
            .integer(key.2)
            .bytes(&row.content_hash)
            .bytes(row.member_id.as_bytes())
            .instant(recorded_at);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
