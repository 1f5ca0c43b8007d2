//! The members whose accounts a sweep has to look at, read from an index in the order of their time.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Integer, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::value::{id, instant};

/// A test explains it: it reads a stretch of its index, and sorts nothing.
const DUE: &str = include_str!("due_members.sql");

/// A member in the order of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DueMember {
    pub(crate) sweep_at: DateTime<Utc>,
    pub(crate) member_id: Uuid,
}

impl DueMember {
    /// Before all of them.
    pub(crate) const FIRST: Self = Self {
        sweep_at: DateTime::UNIX_EPOCH,
        member_id: Uuid::nil(),
    };
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct DueRow {
    #[diesel(sql_type = Datetime)]
    sweep_at: NaiveDateTime,
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
}

/// The next members of a merchant behind `after` whose time has come by `now`, up to `limit`.
pub(crate) async fn due(
    connection: &mut Connection,
    merchant_id: u32,
    after: DueMember,
    now: DateTime<Utc>,
    limit: usize,
) -> Result<Vec<DueMember>, StorageError> {
    let rows: Vec<DueRow> = diesel::sql_query(DUE)
        .bind::<Unsigned<Integer>, _>(merchant_id)
        .bind::<Datetime, _>(after.sweep_at.naive_utc())
        .bind::<Datetime, _>(now.naive_utc())
        .bind::<Datetime, _>(after.sweep_at.naive_utc())
        .bind::<Binary, _>(after.member_id.as_bytes().to_vec())
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            Ok(DueMember {
                sweep_at: instant(row.sweep_at),
                member_id: id(&row.member_id)?,
            })
        })
        .collect()
}
