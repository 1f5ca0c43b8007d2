//! Table `expiry_change_run`: lots that are moved to the expiry that their program has by now, and how far that is.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::{account, expiry_change_run};
use super::value::id;
use crate::domain::expiry_change::{Applying, ChangeCounts};
use crate::domain::number::LEDGER_LIMIT;

/// A run over the members of a program.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRun {
    pub(crate) merchant_id: u32,
    pub(crate) request_id: String,
    pub(crate) program_id: String,
    pub(crate) applying: Applying,
    pub(crate) is_finished: bool,
    /// Members up to this one are done.
    pub(crate) done: Uuid,
    pub(crate) counts: ChangeCounts,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = expiry_change_run, check_for_backend(Mysql))]
struct RunRow {
    program_id: String,
    extend_only: u8,
    actor: String,
    finished_at: Option<NaiveDateTime>,
    done_member_id: Vec<u8>,
    members: u64,
    lots: u64,
    points: Decimal,
    lapsed_points: Decimal,
    kept_lots: u64,
    kept_points: Decimal,
}

/// Begins a run; nothing of it is done yet.
pub(crate) async fn begin(
    connection: &mut Connection,
    merchant_id: u32,
    request_id: &str,
    program_id: &str,
    applying: &Applying,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(expiry_change_run::table)
        .values((
            expiry_change_run::merchant_id.eq(merchant_id),
            expiry_change_run::request_id.eq(request_id),
            expiry_change_run::program_id.eq(program_id),
            expiry_change_run::extend_only.eq(u8::from(applying.extend_only)),
            expiry_change_run::actor.eq(&applying.actor),
            expiry_change_run::started_at.eq(now.naive_utc()),
            expiry_change_run::done_member_id.eq(Uuid::nil().as_bytes().to_vec()),
            expiry_change_run::members.eq(0_u64),
            expiry_change_run::lots.eq(0_u64),
            expiry_change_run::points.eq(Decimal::ZERO),
            expiry_change_run::lapsed_points.eq(Decimal::ZERO),
            expiry_change_run::kept_lots.eq(0_u64),
            expiry_change_run::kept_points.eq(Decimal::ZERO),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// A run by the request that began it; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    request_id: &str,
) -> Result<Option<ChangeRun>, StorageError> {
    let row: Option<RunRow> = expiry_change_run::table
        .filter(expiry_change_run::merchant_id.eq(merchant_id))
        .filter(expiry_change_run::request_id.eq(request_id))
        .select(RunRow::as_select())
        .first(connection)
        .await
        .optional()?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(ChangeRun {
        merchant_id,
        request_id: request_id.to_owned(),
        program_id: row.program_id,
        applying: Applying {
            extend_only: row.extend_only != 0,
            actor: row.actor,
        },
        is_finished: row.finished_at.is_some(),
        done: id(&row.done_member_id)?,
        counts: ChangeCounts {
            members: row.members,
            lots: row.lots,
            points: row.points,
            lapsed_points: row.lapsed_points,
            kept_lots: row.kept_lots,
            kept_points: row.kept_points,
        },
    }))
}

/// Writes down how far a run is, and that it is through where it is.
pub(crate) async fn tell(
    connection: &mut Connection,
    run: &ChangeRun,
    finished_at: Option<DateTime<Utc>>,
) -> Result<(), StorageError> {
    let most = LEDGER_LIMIT - Decimal::ONE;
    let this = expiry_change_run::table
        .filter(expiry_change_run::merchant_id.eq(run.merchant_id))
        .filter(expiry_change_run::request_id.eq(&run.request_id));
    diesel::update(this)
        .set((
            expiry_change_run::finished_at.eq(finished_at.map(|at| at.naive_utc())),
            expiry_change_run::done_member_id.eq(run.done.as_bytes().to_vec()),
            expiry_change_run::members.eq(run.counts.members),
            expiry_change_run::lots.eq(run.counts.lots),
            expiry_change_run::points.eq(run.counts.points.min(most)),
            expiry_change_run::lapsed_points.eq(run.counts.lapsed_points.min(most)),
            expiry_change_run::kept_lots.eq(run.counts.kept_lots),
            expiry_change_run::kept_points.eq(run.counts.kept_points.min(most)),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// The next members of a merchant behind one, whatever program they are of, and whether each is of `program_id` and no
/// other's by now. By id alone: a member who is blocked meanwhile keeps the place.
pub(crate) async fn members_behind(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    after: Uuid,
    limit: usize,
) -> Result<Vec<(Uuid, bool)>, StorageError> {
    let rows: Vec<(Vec<u8>, String, Option<Vec<u8>>)> = account::table
        .filter(account::merchant_id.eq(merchant_id))
        .filter(account::member_id.gt(after.as_bytes().to_vec()))
        .order(account::member_id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((account::member_id, account::program_id, account::merged_into))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(member_id, of, merged_into)| Ok((id(&member_id)?, of == program_id && merged_into.is_none())))
        .collect()
}
