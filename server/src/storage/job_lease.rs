//! Table `job_lease`: which server does a job that one at a time may do.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::job_lease;

/// What the row of a job says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaseState {
    /// Counts the holders.
    pub(crate) token: u64,
    /// Signs of life of this holder.
    pub(crate) beats: u64,
    /// Empty: nobody.
    pub(crate) holder: String,
}

/// What the row says now; made when it is missing.
pub(crate) async fn read(connection: &mut Connection, job: &str) -> Result<LeaseState, StorageError> {
    let found = job_lease::table
        .filter(job_lease::job.eq(job))
        .select((job_lease::token, job_lease::beats, job_lease::holder))
        .first::<(u64, u64, String)>(connection)
        .await
        .optional()?;
    if let Some((token, beats, holder)) = found {
        return Ok(LeaseState { token, beats, holder });
    }
    let inserted = diesel::insert_into(job_lease::table)
        .values((
            job_lease::job.eq(job),
            job_lease::token.eq(0_u64),
            job_lease::beats.eq(0_u64),
            job_lease::holder.eq(""),
        ))
        .execute(connection)
        .await
        .map_err(StorageError::from);
    match inserted {
        Ok(_) | Err(StorageError::Duplicate(_)) => Ok(LeaseState::default()),
        Err(error) => Err(error),
    }
}

/// Takes the lease over from a holder that shows no sign of life since `seen` was read; the new token, or `None` when
/// somebody was faster or the holder lives.
pub(crate) async fn take(
    connection: &mut Connection,
    job: &str,
    seen: &LeaseState,
    holder: &str,
) -> Result<Option<u64>, StorageError> {
    let token = seen.token.saturating_add(1);
    let as_seen = job_lease::job
        .eq(job)
        .and(job_lease::token.eq(seen.token))
        .and(job_lease::beats.eq(seen.beats))
        .and(job_lease::holder.eq(&seen.holder));
    let changed = diesel::update(job_lease::table.filter(as_seen))
        .set((
            job_lease::token.eq(token),
            job_lease::beats.eq(0_u64),
            job_lease::holder.eq(holder),
        ))
        .execute(connection)
        .await?;
    Ok((changed == 1).then_some(token))
}

/// Locks the row until the transaction ends, if the token is still the newest, and shows a sign of life. A holder whose
/// token is not the newest has lost the lease and must write nothing.
pub(crate) async fn hold(connection: &mut Connection, job: &str, token: u64) -> Result<bool, StorageError> {
    let held = job_lease::job.eq(job).and(job_lease::token.eq(token));
    let beats: Option<u64> = job_lease::table
        .filter(held)
        .select(job_lease::beats)
        .for_update()
        .first(connection)
        .await
        .optional()?;
    let Some(beats) = beats else {
        return Ok(false);
    };
    diesel::update(job_lease::table.filter(held))
        .set(job_lease::beats.eq(beats.wrapping_add(1)))
        .execute(connection)
        .await?;
    Ok(true)
}

/// Gives the lease back, so that another server need not wait for silence.
pub(crate) async fn release(connection: &mut Connection, job: &str, token: u64) -> Result<(), StorageError> {
    diesel::update(job_lease::table.filter(job_lease::job.eq(job).and(job_lease::token.eq(token))))
        .set(job_lease::holder.eq(""))
        .execute(connection)
        .await?;
    Ok(())
}
