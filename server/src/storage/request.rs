//! Table `request`: what became of every write.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::request;
use super::statement::Insert;
use super::value::{document, hash, instant, json};
use crate::domain::answer::StoredAnswer;

/// A request of a merchant.
pub(crate) type RequestKey = (u32, String);

/// What became of a write.
#[derive(Clone, Debug)]
pub(crate) struct RequestRecord {
    pub(crate) content_hash: [u8; 32],
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) result: RequestResult,
}

/// Where the answer is.
#[derive(Clone, Debug)]
pub(crate) enum RequestResult {
    /// It is the outcome of this sale.
    Sale { store_id: String, sale_id: String },
    /// It is stored with the request.
    Answer(StoredAnswer),
}

type Filter = Box<dyn BoxableExpression<request::table, Mysql, SqlType = diesel::sql_types::Bool>>;
type Row = (
    u32,
    String,
    Vec<u8>,
    NaiveDateTime,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Those of these requests that were decided before.
pub(crate) async fn find(
    connection: &mut Connection,
    keys: impl Iterator<Item = RequestKey>,
) -> Result<Vec<(RequestKey, RequestRecord)>, StorageError> {
    let mut by_merchant: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (merchant_id, request_id) in keys {
        by_merchant.entry(merchant_id).or_default().push(request_id);
    }
    let alone = by_merchant.len() == 1;
    let filters = by_merchant.into_iter().map(|(merchant_id, ids)| -> Filter {
        Box::new(
            request::merchant_id
                .eq(merchant_id)
                .and(one_of(request::request_id, ids, alone)),
        )
    });
    let Some(filter) = filters.reduce(|all, filter| Box::new(all.or(filter))) else {
        return Ok(Vec::new());
    };
    let rows: Vec<Row> = request::table.filter(filter).load(connection).await?;
    rows.into_iter().map(record).collect()
}

fn record(row: Row) -> Result<(RequestKey, RequestRecord), StorageError> {
    let (merchant_id, request_id, content_hash, recorded_at, store_id, sale_id, answer) = row;
    let result = match (store_id.zip(sale_id), answer) {
        (Some((store_id, sale_id)), _) => RequestResult::Sale { store_id, sale_id },
        (None, Some(answer)) => RequestResult::Answer(document("the answer of a request", &answer)?),
        (None, None) => return Err(StorageError::Corrupt(format!("request {request_id} without an answer"))),
    };
    let content_hash = hash(content_hash)?;
    Ok((
        (merchant_id, request_id),
        RequestRecord {
            content_hash,
            recorded_at: instant(recorded_at),
            result,
        },
    ))
}

/// The next requests of a merchant behind `after`, by id, and when each was decided.
pub(crate) async fn stretch(
    connection: &mut Connection,
    merchant_id: u32,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, DateTime<Utc>)>, StorageError> {
    let rows: Vec<(String, NaiveDateTime)> = request::table
        .filter(request::merchant_id.eq(merchant_id).and(request::request_id.gt(after)))
        .select((request::request_id, request::recorded_at))
        .order(request::request_id)
        .limit(limit)
        .load(connection)
        .await?;
    let rows = rows.into_iter().map(|(request_id, at)| (request_id, instant(at)));
    Ok(rows.collect())
}

/// Forgets these requests; how many there were.
pub(crate) async fn delete(
    connection: &mut Connection,
    merchant_id: u32,
    request_ids: Vec<String>,
) -> Result<usize, StorageError> {
    let of_merchant = request::table
        .filter(request::merchant_id.eq(merchant_id))
        .filter(one_of(request::request_id, request_ids, true));
    Ok(diesel::delete(of_merchant).execute(connection).await?)
}

/// The rows of new requests.
pub(crate) struct RequestRows(Insert);

impl RequestRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO request (merchant_id, request_id, content_hash, recorded_at, store_id, sale_id, answer) \
             VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, key: &RequestKey, record: &RequestRecord) -> Result<(), StorageError> {
        let (sale, answer) = match &record.result {
            RequestResult::Sale { store_id, sale_id } => (Some((store_id, sale_id)), None),
            RequestResult::Answer(answer) => (None, Some(json(answer)?)),
        };
        self.0
            .row()
            .integer(key.0)
            .text(&key.1)
            .bytes(&record.content_hash)
            .instant(record.recorded_at)
            .optional(sale, |row, sale| row.text(sale.0))
            .optional(sale, |row, sale| row.text(sale.1))
            .optional(answer.as_deref(), Insert::text);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
