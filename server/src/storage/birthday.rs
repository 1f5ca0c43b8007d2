//! The members whose birthday it is, and the programs that give something for it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Date, Integer, SmallInt, Text, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::program::ProgramKey;
use super::schema::program;
use super::value::id;
use crate::domain::birthday::{self, DayOfYear};

/// A test explains it: it reads a stretch of its index, and sorts nothing.
const BORN: &str = include_str!("born_members.sql");

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct BornRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
}

/// Up to `limit` programs, of all merchants, whose time to look has come by `now`, those that wait longest first.
pub(crate) async fn due(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<ProgramKey>, StorageError> {
    let rows: Vec<(u32, String)> = program::table
        .filter(program::birthdays_due_at.le(now.naive_utc()))
        .order(program::birthdays_due_at)
        .limit(limit)
        .select((program::merchant_id, program::program_id))
        .load(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(merchant_id, id)| (merchant_id, id.into()))
        .collect())
}

/// The next look of a program is at `next`, unless its bonus is gone meanwhile.
pub(crate) async fn looked(
    connection: &mut Connection,
    key: &ProgramKey,
    next: DateTime<Utc>,
) -> Result<(), StorageError> {
    let this = program::table
        .filter(program::merchant_id.eq(key.0))
        .filter(program::program_id.eq(&*key.1))
        .filter(program::birthdays_due_at.is_not_null());
    let next: NaiveDateTime = next.naive_utc();
    diesel::update(this)
        .set(program::birthdays_due_at.eq(next))
        .execute(connection)
        .await?;
    Ok(())
}

/// The next members of a program behind `after` who were born on a day of the year and have not had the bonus for `birthday`.
pub(crate) async fn born(
    connection: &mut Connection,
    key: &ProgramKey,
    born_on: DayOfYear,
    birthday: NaiveDate,
    after: Uuid,
    limit: usize,
) -> Result<Vec<Uuid>, StorageError> {
    let rows: Vec<BornRow> = diesel::sql_query(BORN)
        .bind::<Unsigned<Integer>, _>(key.0)
        .bind::<Text, _>(key.1.to_string())
        .bind::<Unsigned<SmallInt>, _>(born_on)
        .bind::<Binary, _>(after.as_bytes().to_vec())
        .bind::<Date, _>(birthday::hindered_after(birthday))
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(connection)
        .await?;
    rows.into_iter().map(|row| id(&row.member_id)).collect()
}
