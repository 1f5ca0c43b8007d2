//! The sealer: gives every committed entry its place in the feed and its link in the hash chain, a moment after it was
//! posted. It looks at what batches announced and not at numbers or times, so that a transaction that commits late is
//! not passed over.

mod step;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use uuid::Uuid;

use super::lease::Lease;
use super::{FeedOptions, Jobs};
use crate::domain::sealing::{Account, Reached, Waiting};
use crate::storage::connection::{self, Connection, bounded};
use crate::storage::error::StorageError;
use crate::storage::posting_batch::{self, BatchKey};

const JOB: &str = "sealer";

/// How often a long pass tells how far it is.
const TELL: Duration = Duration::from_secs(10);

/// Seals until it is told to stop.
pub(super) async fn run(jobs: Arc<Jobs>, options: FeedOptions, patience: Duration, mut stop: watch::Receiver<bool>) {
    let mut sealer = Sealer::new(&jobs, options, patience);
    let mut is_failing = false;
    loop {
        let stopped = stop.clone();
        // In a task of its own: a fault in it ends that task, not the job, and takes the connection along.
        let turn = tokio::spawn(async move {
            let outcome = sealer.turn(&stopped).await;
            (sealer, outcome)
        });
        let outcome = match turn.await {
            Ok((returned, outcome)) => {
                sealer = returned;
                outcome
            }
            Err(error) => {
                sealer = Sealer::new(&jobs, options, patience);
                Err(StorageError::Fault(error.to_string()))
            }
        };
        match &outcome {
            // What lasts is told once; that it is over, too.
            Err(error) if error.is_transient() && is_failing => tracing::debug!(%error, "sealing fails"),
            Err(error) if error.is_transient() => tracing::warn!(%error, "sealing fails"),
            Err(error) => tracing::error!(%error, "sealing fails"),
            Ok(()) if is_failing => tracing::info!("sealing goes on"),
            Ok(()) => {}
        }
        is_failing = outcome.is_err();
        if is_failing {
            jobs.measures.jobs.fail(JOB);
        }
        let is_stopped = tokio::time::timeout(options.interval(), stop.changed()).await.is_ok();
        if is_stopped {
            break;
        }
    }
    sealer.release().await;
}

struct Sealer {
    jobs: Arc<Jobs>,
    options: FeedOptions,
    /// For an answer of the database.
    patience: Duration,
    lease: Lease,
    /// Kept only while everything on it ended as it should.
    connection: Option<Connection>,
    waiting: Waiting,
    /// As long as this server has the lease and every step ended as it should.
    reached: Reached,
    /// Members with announced entries that are not there: their log line is written once.
    broken: HashSet<Account>,
}

impl Sealer {
    fn new(jobs: &Arc<Jobs>, options: FeedOptions, patience: Duration) -> Self {
        Self {
            jobs: Arc::clone(jobs),
            options,
            patience,
            lease: Lease::new(JOB, options.lease),
            connection: None,
            waiting: Waiting::default(),
            reached: Reached::default(),
            broken: HashSet::new(),
        }
    }

    /// One pass over everything that is not sealed, if this server has the lease. After an error the connection is gone,
    /// with whatever was under way on it.
    async fn turn(&mut self, stop: &watch::Receiver<bool>) -> Result<(), StorageError> {
        let mut connection = self.take_connection().await?;
        let had_lease = self.lease.is_held();
        let has_lease = bounded(self.patience, self.lease.acquire(&mut connection)).await?;
        self.jobs.measures.jobs.sealing.set(has_lease.into());
        if !had_lease {
            self.reached = Reached::default();
        }
        if has_lease && self.pass(&mut connection, stop).await? == Pass::Lost {
            // Its transaction is not ended; the connection goes, and the transaction with it.
            return Ok(());
        }
        self.connection = Some(connection);
        Ok(())
    }

    async fn pass(&mut self, connection: &mut Connection, stop: &watch::Receiver<bool>) -> Result<Pass, StorageError> {
        let (mut entries, mut told, began) = (0_u64, Instant::now(), Instant::now());
        let mut after = (0, Uuid::nil());
        loop {
            let step = match bounded(self.patience, self.step(connection, after)).await? {
                Next::Nothing => break,
                Next::Lost => return Ok(Pass::Lost),
                Next::Done { step, end } => {
                    if !step.is_full {
                        after = end;
                    }
                    step
                }
            };
            entries += step.entries;
            self.jobs.measures.jobs.sealed_entries.inc_by(step.entries);
            self.waiting.meet(&step.waiting);
            self.tell_broken(step.broken);
            if told.elapsed() > TELL {
                told = Instant::now();
                tracing::info!(entries, "sealing what has piled up");
            }
            // A handle that is gone tells to stop as well.
            if stop.has_changed().unwrap_or(true) {
                return Ok(Pass::Interrupted);
            }
        }
        self.waiting.end_pass();
        self.reached.end_pass();
        self.jobs
            .measures
            .jobs
            .sealed_up_to
            .set((self.jobs.clock)().timestamp());
        if began.elapsed() > self.options.delay {
            tracing::info!(entries, seconds = began.elapsed().as_secs(), "the feed has caught up");
        }
        bounded(self.patience, self.lease.show(connection)).await?;
        Ok(Pass::Whole)
    }

    /// The next step behind a batch, in one transaction.
    async fn step(&mut self, connection: &mut Connection, after: BatchKey) -> Result<Next, StorageError> {
        let batches = posting_batch::unsealed(connection, after, step::BATCHES).await?;
        let batches = step::portion(batches);
        let Some(end) = batches.last().map(|batch| batch.key) else {
            return Ok(Next::Nothing);
        };
        connection::begin(connection).await?;
        if !self.lease.hold(connection).await? {
            return Ok(Next::Lost);
        }
        // Only what is committed is remembered: after an error nothing is.
        let mut reached = std::mem::take(&mut self.reached);
        let step = step::seal(connection, batches, &self.waiting.unannounced(), &mut reached).await?;
        connection::commit(connection).await?;
        self.reached = reached;
        Ok(Next::Done { step, end })
    }

    fn tell_broken(&mut self, broken: HashSet<(Account, u64)>) {
        for ((merchant_id, member_id), sequence) in broken {
            if self.broken.insert((merchant_id, member_id)) {
                tracing::error!(
                    merchant_id,
                    %member_id,
                    sequence,
                    "an entry that was posted is not there: the feed of this member stands still"
                );
            }
        }
    }

    async fn take_connection(&mut self) -> Result<Connection, StorageError> {
        if let Some(mut connection) = self.connection.take()
            && connection::leads_to_writable(&mut connection, self.patience).await
        {
            return Ok(connection);
        }
        connection::establish_for_job(&self.jobs.url, self.options.lease + self.options.delay).await
    }

    async fn release(mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        if let Err(error) = bounded(self.patience, self.lease.release(&mut connection)).await {
            tracing::debug!(%error, "the lease was not given back");
        }
    }
}

/// What came of a step.
enum Next {
    Nothing,
    /// Another server has the lease.
    Lost,
    Done {
        step: step::Step,
        /// Up to this batch.
        end: BatchKey,
    },
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Whole,
    Interrupted,
    /// Another server has the lease.
    Lost,
}
