//! How points of lots came to their members, from the entries that created the lots.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Nullable, Text, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::entry::kind;
use super::error::StorageError;
use super::value::{id, instant};
use crate::domain::account::Books;
use crate::domain::entry::EntryKind;
use crate::domain::expiry_change::{Accrual, Accruals};

/// Entries that are asked for by their keys in one statement.
const ENTRIES_OF_A_QUESTION: usize = 200;

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct AccrualRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
    #[diesel(sql_type = Unsigned<TinyInt>)]
    kind: u8,
    #[diesel(sql_type = Datetime)]
    occurred_at: NaiveDateTime,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
}

/// What came of an entry, and by which other the points of it came if they were moved.
type Came = (Accrual, Option<u64>);

/// How the points of all known open lots of these members of a merchant came; what no row tells of yet is left out.
pub(crate) async fn of_books(
    connection: &mut Connection,
    merchant_id: u32,
    books: &[&Books],
) -> Result<HashMap<Uuid, Accruals>, StorageError> {
    let mut asked: BTreeSet<(Uuid, u64)> = BTreeSet::new();
    for books in books {
        let lots = books.open_lots();
        asked.extend(lots.map(|(key, _)| (books.account.member_id, key.sequence)));
    }
    let came = find(connection, merchant_id, &asked).await?;
    // What was moved came by another entry, however often it was moved.
    let origins = came
        .iter()
        .filter_map(|((member_id, _), (_, by))| Some((*member_id, (*by)?)));
    let origins = find(connection, merchant_id, &origins.collect()).await?;
    let mut accruals: HashMap<Uuid, Accruals> = HashMap::new();
    for ((member_id, sequence), (own, by)) in came {
        let origin = by.and_then(|by| origins.get(&(member_id, by)));
        let accrual = origin.map_or(own, |(origin, _)| *origin);
        accruals.entry(member_id).or_default().insert(sequence, accrual);
    }
    Ok(accruals)
}

async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    asked: &BTreeSet<(Uuid, u64)>,
) -> Result<HashMap<(Uuid, u64), Came>, StorageError> {
    let asked: Vec<String> = asked
        .iter()
        .map(|(member_id, sequence)| format!("member_id = x'{}' AND sequence = {sequence}", member_id.simple()))
        .collect();
    let mut found = HashMap::new();
    for question in asked.chunks(ENTRIES_OF_A_QUESTION) {
        // All literals are integers and hex.
        let text = format!(
            "SELECT member_id, sequence, kind, occurred_at, reference FROM entry FORCE INDEX (PRIMARY) \
             WHERE merchant_id = {merchant_id} AND ({})",
            question.join(" OR ")
        );
        let rows: Vec<AccrualRow> = diesel::sql_query(text).load(connection).await?;
        for row in rows {
            let kind = kind(row.kind)
                .ok_or_else(|| StorageError::Corrupt(format!("an entry of the unknown kind {}", row.kind)))?;
            let accrual = Accrual {
                kind,
                sequence: row.sequence,
                at: instant(row.occurred_at),
            };
            let by = row.reference.filter(|_| kind == EntryKind::ExpiryChange);
            let by = by.and_then(|text| text.parse().ok());
            found.insert((id(&row.member_id)?, row.sequence), (accrual, by));
        }
    }
    Ok(found)
}
