//! The purge: forgets what became of writes that nobody can still repeat. It goes through the requests in the order of
//! their key, a bounded step at a time with a pause after each, so that it needs no index that every sale would pay for,
//! and nobody notices it.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;

use super::lease::Lease;
use super::{JobError, Jobs, PurgeOptions};
use crate::storage::connection::{self, Connection, bounded};
use crate::storage::{merchant, request};

const JOB: &str = "request-purge";

/// Requests that a step looks at, and deletes at most.
const STEP: i64 = 500;
/// The pause after each step: some 2,000 rows a second, a hundred million in half a day.
const PAUSE: Duration = Duration::from_millis(250);
/// Merchants of one question.
const MERCHANTS: i64 = 100;

/// Purges until it is told to stop.
pub(super) async fn run(jobs: Arc<Jobs>, options: PurgeOptions, mut stop: watch::Receiver<bool>) {
    loop {
        let purge = Purge {
            jobs: Arc::clone(&jobs),
            retention: TimeDelta::days(i64::from(options.retention_days)),
            stop: stop.clone(),
            deleted: 0,
        };
        // In a task of its own: a fault in it ends that task, not the job, and takes the connection along.
        let turn = tokio::spawn(purge.turn()).await;
        match turn.unwrap_or_else(|error| Err(JobError::Fault(error.to_string()))) {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "forgot old requests"),
            Err(error) => {
                tracing::warn!(%error, "old requests stay for now");
                jobs.measures.jobs.fail(JOB);
            }
        }
        if tokio::time::timeout(options.interval, stop.changed()).await.is_ok() {
            return;
        }
    }
}

struct Purge {
    jobs: Arc<Jobs>,
    retention: TimeDelta,
    stop: watch::Receiver<bool>,
    deleted: usize,
}

impl Purge {
    /// One way through all requests, on a connection that is there no longer than that; how many were deleted.
    async fn turn(mut self) -> Result<usize, JobError> {
        let jobs = Arc::clone(&self.jobs);
        let mut connection = connection::establish_for_job(&jobs.url, jobs.patience).await?;
        let lease = jobs.leases.take(JOB.to_owned(), jobs.patience, &mut connection);
        let Some(mut lease) = lease.await? else {
            return Ok(0);
        };
        let mut after = 0;
        loop {
            let merchants = merchant::ids(&mut connection, after, MERCHANTS).await?;
            let Some(last) = merchants.last() else {
                break;
            };
            after = *last;
            for merchant_id in merchants {
                self.purge(&mut connection, &mut lease, merchant_id).await?;
            }
        }
        lease.release(&mut connection).await?;
        Ok(self.deleted)
    }

    async fn purge(
        &mut self,
        connection: &mut Connection,
        lease: &mut Lease,
        merchant_id: u32,
    ) -> Result<(), JobError> {
        let mut after = String::new();
        // A handle that is gone tells to stop as well.
        while !self.stop.has_changed().unwrap_or(true) {
            // A step that takes longer than the lease lasts is another server's already.
            let patience = self.jobs.patience;
            let step = self.step(connection, lease, merchant_id, &after);
            let Some(last) = bounded(patience, step).await? else {
                break;
            };
            after = last;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Looks at the next requests and forgets the old ones among them; where the next step goes on.
    async fn step(
        &mut self,
        connection: &mut Connection,
        lease: &mut Lease,
        merchant_id: u32,
        after: &str,
    ) -> Result<Option<String>, JobError> {
        let before = (self.jobs.clock)() - self.retention;
        let stretch = request::stretch(connection, merchant_id, after, STEP).await?;
        let Some((last, _)) = stretch.last() else {
            return Ok(None);
        };
        let last = last.clone();
        let old = stretch.into_iter().filter(|(_, recorded_at)| *recorded_at < before);
        let old: Vec<String> = old.map(|(request_id, _)| request_id).collect();
        if !old.is_empty() {
            connection::begin(connection).await?;
            if !lease.hold(connection).await? {
                return Err(JobError::LeaseLost);
            }
            let deleted = request::delete(connection, merchant_id, old).await?;
            connection::commit(connection).await?;
            self.deleted += deleted;
            self.jobs.measures.jobs.forgotten_requests.inc_by(deleted as u64);
        }
        lease.show(connection).await?;
        Ok(Some(last))
    }
}
