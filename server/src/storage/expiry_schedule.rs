//! Table `expiry_schedule`: how often lapsed points of merchants are written off, and what came of it.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::expiry_schedule;
use super::value::instant;
use crate::domain::expiry_schedule::{ExpiryCounts, ExpiryRun, ExpirySchedule};
use crate::domain::number::LEDGER_LIMIT;

/// Period of a merchant who has said nothing, in seconds: an hour.
const PERIOD: u32 = 3_600;

#[derive(Queryable, Selectable)]
#[diesel(table_name = expiry_schedule, check_for_backend(Mysql))]
struct ScheduleRow {
    period_seconds: Option<u32>,
    next_run_at: Option<NaiveDateTime>,
    run_started_at: Option<NaiveDateTime>,
    run_finished_at: Option<NaiveDateTime>,
    run_members: u64,
    run_lots: u64,
    run_points: Decimal,
}

/// Gives a new merchant a schedule, if there is none.
pub(crate) async fn open(
    connection: &mut Connection,
    merchant_id: u32,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let inserted = diesel::insert_into(expiry_schedule::table)
        .values((
            expiry_schedule::merchant_id.eq(merchant_id),
            expiry_schedule::period_seconds.eq(PERIOD),
            expiry_schedule::next_run_at.eq(now.naive_utc()),
            expiry_schedule::run_members.eq(0_u64),
            expiry_schedule::run_lots.eq(0_u64),
            expiry_schedule::run_points.eq(Decimal::ZERO),
        ))
        .execute(connection)
        .await
        .map_err(StorageError::from);
    match inserted {
        Ok(_) | Err(StorageError::Duplicate(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Locks the schedule of a merchant against other changes of it.
pub(crate) async fn lock(connection: &mut Connection, merchant_id: u32) -> Result<(), StorageError> {
    let _: u32 = expiry_schedule::table
        .filter(expiry_schedule::merchant_id.eq(merchant_id))
        .select(expiry_schedule::merchant_id)
        .for_update()
        .first(connection)
        .await?;
    Ok(())
}

/// The schedule of a merchant.
pub(crate) async fn find(connection: &mut Connection, merchant_id: u32) -> Result<ExpirySchedule, StorageError> {
    let row = expiry_schedule::table
        .filter(expiry_schedule::merchant_id.eq(merchant_id))
        .select(ScheduleRow::as_select())
        .first(connection)
        .await?;
    Ok(row.into())
}

/// Up to `limit` merchants whose time has come by `now`, those who wait longest first.
pub(crate) async fn due(connection: &mut Connection, now: DateTime<Utc>, limit: i64) -> Result<Vec<u32>, StorageError> {
    Ok(expiry_schedule::table
        .filter(expiry_schedule::next_run_at.le(now.naive_utc()))
        .order(expiry_schedule::next_run_at)
        .limit(limit)
        .select(expiry_schedule::merchant_id)
        .load(connection)
        .await?)
}

/// Sets the period; the next run is a period from `now`. `None`: only when it is asked for.
pub(crate) async fn set_period(
    connection: &mut Connection,
    merchant_id: u32,
    period_seconds: Option<u32>,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let next = period_seconds.map(|period| (now + TimeDelta::seconds(period.into())).naive_utc());
    diesel::update(expiry_schedule::table.filter(expiry_schedule::merchant_id.eq(merchant_id)))
        .set((
            expiry_schedule::period_seconds.eq(period_seconds),
            expiry_schedule::next_run_at.eq(next),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down how far a run is. One that has finished is followed by the next a period after it began, or at once where
/// it took longer.
pub(crate) async fn tell_run(
    connection: &mut Connection,
    merchant_id: u32,
    run: ExpiryRun,
) -> Result<(), StorageError> {
    let of_merchant = expiry_schedule::table.filter(expiry_schedule::merchant_id.eq(merchant_id));
    let most = LEDGER_LIMIT - Decimal::ONE;
    diesel::update(of_merchant)
        .set((
            expiry_schedule::run_started_at.eq(run.started_at.naive_utc()),
            expiry_schedule::run_finished_at.eq(run.finished_at.map(|at| at.naive_utc())),
            expiry_schedule::run_members.eq(run.counts.members),
            expiry_schedule::run_lots.eq(run.counts.lots),
            expiry_schedule::run_points.eq(run.counts.points.min(most)),
        ))
        .execute(connection)
        .await?;
    if run.finished_at.is_none() {
        return Ok(());
    }
    let period: Option<u32> = of_merchant
        .select(expiry_schedule::period_seconds)
        .first(connection)
        .await?;
    let Some(period) = period else {
        return Ok(());
    };
    let next = run.started_at + TimeDelta::seconds(period.into());
    // Unless the period was changed meanwhile, which has set the next run as well.
    diesel::update(of_merchant.filter(expiry_schedule::period_seconds.eq(period)))
        .set(expiry_schedule::next_run_at.eq(next.naive_utc()))
        .execute(connection)
        .await?;
    Ok(())
}

impl From<ScheduleRow> for ExpirySchedule {
    fn from(row: ScheduleRow) -> Self {
        let last_run = row.run_started_at.map(|started_at| ExpiryRun {
            started_at: instant(started_at),
            finished_at: row.run_finished_at.map(instant),
            counts: ExpiryCounts {
                members: row.run_members,
                lots: row.run_lots,
                points: row.run_points,
            },
        });
        Self {
            period_seconds: row.period_seconds,
            next_run_at: row.next_run_at.map(instant),
            last_run,
        }
    }
}
