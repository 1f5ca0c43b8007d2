//! Work that nobody calls for: each job runs beside the calls, on one server at a time.

mod birthdays;
pub(crate) mod expiry;
pub(crate) mod expiry_change;
mod lease;
mod request_purge;
mod scheduler;
mod sealer;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use lease::Leases;

use crate::measures::Measures;
use crate::posting::{Posting, PostingError};
use crate::storage::connection::Database;
use crate::storage::error::StorageError;

/// The clock: read once per request, or per step of a job.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How the feed is made and told.
#[derive(Clone, Copy, Debug)]
pub struct FeedOptions {
    /// Within which time entries are sealed and appear in the feed, unless the sealer is behind.
    pub delay: Duration,
    /// After which time without a sign of life of the server that seals another one takes over.
    pub lease: Duration,
    /// After which silence a stream that follows the feed says that it is alive.
    pub heartbeat: Duration,
}

impl Default for FeedOptions {
    /// A second is short for everybody who follows, and long enough for some thousands of entries to be sealed at once.
    /// Ten seconds are longer than a database takes to fail over; in them the feed stands still, and nothing else does.
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(1),
            lease: Duration::from_secs(10),
            heartbeat: Duration::from_secs(10),
        }
    }
}

impl FeedOptions {
    /// How often is looked for what is new: half of the delay, which leaves the other half for the work.
    pub(crate) fn interval(&self) -> Duration {
        self.delay / 2
    }
}

/// What jobs work with.
pub(crate) struct Jobs {
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) posting: Arc<Posting>,
    pub(crate) url: String,
    /// After which time without a sign of life of the server that does something another one may do it.
    pub(crate) patience: Duration,
    pub(crate) leases: Leases,
    pub(crate) measures: Arc<Measures>,
}

/// Why a job did not come to its end; it can be begun again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// This server was silent for too long.
    #[error("another server has taken over")]
    LeaseLost,
    /// A fault of this program.
    #[error("{0}")]
    Fault(String),
}

/// How what became of writes is forgotten.
#[derive(Clone, Copy)]
pub(crate) struct PurgeOptions {
    /// Days for which it is kept, at least 30: longer than any till stays without a line.
    pub(crate) retention_days: u32,
    /// After which time it is looked again for what has become old.
    pub(crate) interval: Duration,
}

/// A job that runs until it is told to stop, or its handle is dropped.
pub(crate) struct Job {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Job {
    /// Starts to seal what is posted. An answer of the database that takes longer than `patience` is given up.
    pub(crate) fn sealer(jobs: &Arc<Jobs>, options: FeedOptions, patience: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(sealer::run(Arc::clone(jobs), options, patience, stopped));
        Self { stop, task }
    }

    /// Starts to look every `interval` for scheduled work that is due.
    pub(crate) fn scheduler(jobs: &Arc<Jobs>, interval: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(scheduler::run(Arc::clone(jobs), interval, stopped));
        Self { stop, task }
    }

    /// Starts to forget what became of old writes.
    pub(crate) fn request_purge(jobs: &Arc<Jobs>, options: PurgeOptions) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(request_purge::run(Arc::clone(jobs), options, stopped));
        Self { stop, task }
    }

    /// Ends when the job has finished its step and given its lease back.
    pub(crate) async fn stop(self) {
        // Nobody listens when the job has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a job ended by a fault");
        }
    }
}

/// Whether a job has been told to stop.
fn is_stopped(stop: &watch::Receiver<bool>) -> bool {
    // A handle that is gone tells to stop as well.
    stop.has_changed().unwrap_or(true)
}
