//! A writer: takes what is waiting, posts it as one transaction, tries again what can succeed, and splits a batch that
//! keeps failing, so that one poisonous command cannot hurt its neighbours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::batch::{self, LookUp, Posted};
use super::{Command, Decision, PostingError, PostingOptions, PostingStatistics};
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::program_cache::ProgramCache;

/// Waits before each further attempt: together about 1.6 s, longer than a private database takes to come back.
const BACKOFF_MS: [u64; 7] = [5, 20, 50, 100, 200, 400, 800];

/// A connection that was idle for longer is not used again: the database may have ended it.
const IDLE: Duration = Duration::from_secs(30);

/// A command and where its decision goes.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) reply: oneshot::Sender<Result<Decision, PostingError>>,
}

pub(super) struct Writer {
    url: String,
    batch_limit: usize,
    patience: Duration,
    cache: ProgramCache,
    statistics: Arc<PostingStatistics>,
    /// Kept only while every transaction on it ended as it should, and when the last one did.
    connection: Option<(Connection, Instant)>,
}

impl Writer {
    pub(super) fn new(
        url: &str,
        options: PostingOptions,
        cache: ProgramCache,
        statistics: Arc<PostingStatistics>,
    ) -> Self {
        Self {
            url: url.to_owned(),
            batch_limit: options.batch_limit.max(1),
            patience: options.patience,
            cache,
            statistics,
            connection: None,
        }
    }

    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(self.batch_limit);
        while jobs.recv_many(&mut waiting, self.batch_limit).await > 0 {
            self.statistics.taken.fetch_add(waiting.len() as u64, Ordering::Relaxed);
            self.settle(std::mem::take(&mut waiting)).await;
        }
    }

    /// Answers every job: after a commit, or with the error that remains when its batch is down to itself.
    async fn settle(&mut self, jobs: Vec<Job>) {
        let mut pending = in_batches(jobs);
        while let Some(mut jobs) = pending.pop() {
            let (commands, replies): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.command, job.reply)).unzip();
            let commands = Arc::new(commands);
            match self.post(&commands).await {
                Ok(decisions) => {
                    for (reply, decision) in replies.into_iter().zip(decisions) {
                        // A caller that hung up can ask again with the same request id.
                        let _ = reply.send(Ok(decision));
                    }
                }
                Err(error) => {
                    let mut failed: Vec<Job> = Arc::unwrap_or_clone(commands)
                        .into_iter()
                        .zip(replies)
                        .map(|(command, reply)| Job { command, reply })
                        .collect();
                    if failed.len() > 1 && self.is_reachable().await {
                        tracing::warn!(%error, commands = failed.len(), "a batch keeps failing; splitting it");
                        let second_half = failed.split_off(failed.len() / 2);
                        pending.push(second_half);
                        pending.push(failed);
                    } else {
                        answer_failure(failed, &error);
                    }
                }
            }
        }
    }

    /// Posts a batch, trying again what can succeed. After a lost connection it is unknown whether the COMMIT went
    /// through: the next attempt finds the request ids, or it did not.
    async fn post(&mut self, commands: &Arc<Vec<Command>>) -> Result<Vec<Decision>, StorageError> {
        let mut waits = BACKOFF_MS.iter();
        let mut look_up = LookUp::Requests;
        loop {
            let error = match self.attempt(commands, look_up).await {
                Ok(posted) => {
                    self.statistics.batches.fetch_add(1, Ordering::Relaxed);
                    self.statistics
                        .commands
                        .fetch_add(commands.len() as u64, Ordering::Relaxed);
                    self.statistics
                        .round_trips
                        .fetch_add(posted.round_trips, Ordering::Relaxed);
                    return Ok(posted.decisions);
                }
                Err(error) => error,
            };
            let wait = if error.is_transient() { waits.next() } else { None };
            let Some(wait) = wait else {
                return Err(error);
            };
            if matches!(error, StorageError::Duplicate(_)) {
                look_up = LookUp::RequestsAndSales;
            }
            tracing::debug!(%error, "trying a batch again");
            self.statistics.retries.fetch_add(1, Ordering::Relaxed);
            let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * wait / 256;
            tokio::time::sleep(Duration::from_millis(wait / 2 + jitter / 2)).await;
        }
    }

    /// One transaction, in a task of its own: a fault in it ends that task, not the writer, and takes the connection
    /// along. A connection comes back only from a transaction that ended as it should.
    async fn attempt(&mut self, commands: &Arc<Vec<Command>>, look_up: LookUp) -> Result<Posted, StorageError> {
        let mut connection = match self.connection.take() {
            Some((connection, used)) if used.elapsed() < IDLE => connection,
            _ => connection::establish_lasting(&self.url).await?,
        };
        let (commands, cache) = (Arc::clone(commands), self.cache.clone());
        let task = tokio::spawn(connection::bounded(self.patience, async move {
            let posted = batch::post(&mut connection, &cache, &commands, look_up).await?;
            Ok((connection, posted))
        }));
        let (connection, posted) = task.await.map_err(|error| StorageError::Fault(error.to_string()))??;
        self.connection = Some((connection, Instant::now()));
        Ok(posted)
    }

    async fn is_reachable(&mut self) -> bool {
        let connection = connection::establish_lasting(&self.url).await.ok();
        self.connection = connection.map(|connection| (connection, Instant::now()));
        self.connection.is_some()
    }
}

/// The batches that jobs are posted in, the last one first: those that stand alone are one each.
fn in_batches(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut batches: Vec<Vec<Job>> = Vec::new();
    let mut is_open = false;
    for job in jobs {
        let stands_alone = job.command.action.stands_alone();
        match batches.last_mut().filter(|_| is_open && !stands_alone) {
            Some(batch) => batch.push(job),
            None => batches.push(vec![job]),
        }
        is_open = !stands_alone;
    }
    batches.reverse();
    batches
}

fn answer_failure(jobs: Vec<Job>, error: &StorageError) {
    let answer = if error.is_transient() {
        tracing::warn!(%error, commands = jobs.len(), "the database is out of reach");
        PostingError::Unavailable(error.to_string())
    } else {
        for job in &jobs {
            tracing::error!(%error, request_id = job.command.request_id, "a command cannot be posted");
        }
        PostingError::Internal(error.to_string())
    };
    for job in jobs {
        // A caller that hung up can ask again with the same request id.
        let _ = job.reply.send(Err(answer.clone()));
    }
}
