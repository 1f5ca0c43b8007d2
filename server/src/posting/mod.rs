//! The write path. Commands of all callers meet here; writers, each owning a share of the accounts, post what is
//! waiting in batches, one transaction each, and answer only after the commit.

mod batch;
mod command;
pub(crate) mod configuration;
mod pace;
mod trace;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub(crate) use command::{
    Action, ChangingMember, Command, Decided, Decision, MergingMembers, Redeeming, RedeemingAct, content_hash,
};
pub(crate) use pace::Pace;

use crate::measures::{Measures, PostingStatistics};
use crate::storage::program_cache::ProgramCache;

/// How posting is sized.
#[derive(Clone, Copy, Debug)]
pub struct PostingOptions {
    /// Writers, each with a connection of its own.
    pub writers: usize,
    /// Most commands of one transaction; 1 posts each on its own.
    pub batch_limit: usize,
    /// Most commands that wait for one writer; beyond it callers are told to come back.
    pub queue_limit: usize,
    /// After which time a transaction that gets no answer is given up and tried again on another connection.
    pub patience: Duration,
}

impl Default for PostingOptions {
    /// A writer for every two cores, since the rest of them goes to the database and the calls, and two more, so that
    /// batches are decided while others are synced to disk. A batch of 512 stays below MariaDB's 1,000 values of a list; a
    /// queue of 16,384 is posted within a few seconds.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            writers: (cores / 2 + 2).min(8),
            batch_limit: 512,
            queue_limit: 16_384,
            patience: Duration::from_secs(30),
        }
    }
}

/// Why a command came to no decision.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum PostingError {
    /// The writer's queue is full.
    #[error("more writes are waiting than the server takes")]
    Overloaded,
    /// The database is out of reach; whether the command was carried out is unknown.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// A fault of this program, already logged.
    #[error("internal fault: {0}")]
    Internal(String),
}

impl PostingError {
    fn stopping() -> Self {
        Self::Unavailable("the server is stopping".to_owned())
    }

    fn broken_way() -> Self {
        Self::Unavailable("what came the same way before came to no decision".to_owned())
    }
}

/// Commands that go one behind the other. Behind one that came to no decision none is decided: who sends them again in
/// their order finds that none was carried out before those in front of it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    number: u64,
    is_broken: Arc<AtomicBool>,
}

/// A command on its way to its decision, which does not depend on anybody waiting for it.
pub(crate) struct Submitted(oneshot::Receiver<Result<Decision, PostingError>>);

impl Submitted {
    /// The decision. Who stopped waiting may wait again.
    pub(crate) async fn decision(&mut self) -> Result<Decision, PostingError> {
        (&mut self.0).await.map_err(|_| PostingError::stopping())?
    }
}

/// The way in for account commands.
pub(crate) struct Posting {
    queues: Vec<mpsc::Sender<writer::Job>>,
    ways: AtomicU64,
    statistics: Arc<PostingStatistics>,
}

impl Posting {
    /// Starts the writers. They end, with everything accepted posted, when the last handle to them is dropped.
    pub(crate) fn start(
        url: &str,
        options: PostingOptions,
        cache: &ProgramCache,
        measures: &Arc<Measures>,
    ) -> (Self, Vec<JoinHandle<()>>) {
        let (queues, tasks) = (0..options.writers.max(1))
            .map(|_| {
                let (queue, jobs) = mpsc::channel(options.queue_limit.max(1));
                let writer = writer::Writer::new(url, options, cache.clone(), Arc::clone(measures));
                (queue, tokio::spawn(writer.run(jobs)))
            })
            .unzip();
        let posting = Self {
            queues,
            ways: AtomicU64::default(),
            statistics: Arc::clone(&measures.posting),
        };
        (posting, tasks)
    }

    /// Has a command decided. A caller that stops waiting does not stop the command.
    pub(crate) async fn submit(&self, command: Command) -> Result<Decision, PostingError> {
        let queue = self.queue(command.account_hash());
        self.enqueue(queue, command, None)?.decision().await
    }

    /// Has a command decided behind all that came this way before. Two ways may meet at one account; then the row locks
    /// keep them apart.
    pub(crate) fn submit_behind(&self, way: &Way, command: Command) -> Result<Submitted, PostingError> {
        let is_broken = Arc::clone(&way.is_broken);
        self.enqueue(self.queue(way.number), command, Some(is_broken))
    }

    /// A way on which commands are decided in the order in which they came.
    pub(crate) fn new_way(&self) -> Way {
        Way {
            number: self.ways.fetch_add(1, Ordering::Relaxed),
            is_broken: Arc::default(),
        }
    }

    fn enqueue(
        &self,
        queue: &mpsc::Sender<writer::Job>,
        command: Command,
        way: Option<Arc<AtomicBool>>,
    ) -> Result<Submitted, PostingError> {
        let (job, answer) = writer::Job::new(command, way);
        queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => PostingError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => PostingError::stopping(),
        })?;
        self.statistics.accept();
        Ok(Submitted(answer))
    }

    fn queue(&self, number: u64) -> &mpsc::Sender<writer::Job> {
        let writer = usize::try_from(number % self.queues.len() as u64).unwrap_or_default();
        &self.queues[writer]
    }
}
