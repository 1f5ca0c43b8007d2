//! A writer: takes what is waiting, posts it as one transaction, tries again what can succeed, and splits a batch that
//! keeps failing, so that one poisonous command cannot hurt its neighbours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument as _, Span};

use super::batch::{self, LookUp, Posted};
use super::trace::Trace;
use super::{Command, Decision, PostingError, PostingOptions};
use crate::measures::Measures;
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::program_cache::ProgramCache;

/// Waits before each further attempt: together about 1.6 s, longer than a private database takes to come back.
const BACKOFF_MS: [u64; 7] = [5, 20, 50, 100, 200, 400, 800];

/// A connection that was idle for longer is not used again: the database may have ended it.
const IDLE: Duration = Duration::from_secs(30);

/// How often a writer asks whether the server at the other end still takes writes.
const LOOK: Duration = Duration::from_secs(1);

type Reply = Result<Decision, PostingError>;

/// A command and where its decision goes.
pub(super) struct Job {
    pub(super) command: Command,
    caller: Caller,
}

/// Who waits for the decision of a command.
struct Caller {
    reply: oneshot::Sender<Reply>,
    /// Whether a command in front of it, on the way that both came, came to no decision.
    way_is_broken: Option<Arc<AtomicBool>>,
    /// What the log says of the command is said of the call that brought it.
    call: Span,
    trace: Trace,
    since: Instant,
}

impl Job {
    pub(super) fn new(command: Command, way_is_broken: Option<Arc<AtomicBool>>) -> (Self, oneshot::Receiver<Reply>) {
        let (reply, answer) = oneshot::channel();
        let caller = Caller {
            reply,
            way_is_broken,
            call: Span::current(),
            trace: Trace::wait(),
            since: Instant::now(),
        };
        (Self { command, caller }, answer)
    }

    fn is_on_broken_way(&self) -> bool {
        let way = self.caller.way_is_broken.as_ref();
        way.is_some_and(|is_broken| is_broken.load(Ordering::Relaxed))
    }

    /// A caller that hung up can ask again with the same request id.
    fn fail(self, error: PostingError) {
        if let Some(is_broken) = &self.caller.way_is_broken {
            is_broken.store(true, Ordering::Relaxed);
        }
        let _ = self.caller.reply.send(Err(error));
    }
}

pub(super) struct Writer {
    url: String,
    batch_limit: usize,
    patience: Duration,
    cache: ProgramCache,
    measures: Arc<Measures>,
    /// Kept only while every transaction on it ended as it should.
    connection: Option<Kept>,
}

/// A connection between transactions.
struct Kept {
    connection: Connection,
    used: Instant,
    /// When it was known to lead to a server that takes writes.
    looked: Instant,
}

impl Kept {
    fn new(connection: Connection) -> Self {
        let (used, looked) = (Instant::now(), Instant::now());
        Self {
            connection,
            used,
            looked,
        }
    }
}

impl Writer {
    pub(super) fn new(url: &str, options: PostingOptions, cache: ProgramCache, measures: Arc<Measures>) -> Self {
        Self {
            url: url.to_owned(),
            batch_limit: options.batch_limit.max(1),
            patience: options.patience,
            cache,
            measures,
            connection: None,
        }
    }

    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut waiting = Vec::with_capacity(self.batch_limit);
        while jobs.recv_many(&mut waiting, self.batch_limit).await > 0 {
            self.measures
                .posting
                .take(waiting.iter().map(|job| job.caller.since.elapsed()));
            self.settle(std::mem::take(&mut waiting)).await;
        }
    }

    /// Answers every job: after a commit, or with the error that remains when its batch is down to itself.
    async fn settle(&mut self, jobs: Vec<Job>) {
        let mut pending = in_batches(jobs);
        while let Some(jobs) = pending.pop() {
            let jobs = self.without_broken_ways(jobs);
            if jobs.is_empty() {
                continue;
            }
            let batch = tracing::info_span!("batch", commands = jobs.len());
            let (commands, mut callers): (Vec<Command>, Vec<Caller>) =
                jobs.into_iter().map(|job| (job.command, job.caller)).unzip();
            for caller in &callers {
                batch.follows_from(&caller.call);
            }
            Trace::begin_transaction(callers.iter_mut().map(|caller| &mut caller.trace));
            let commands = Arc::new(commands);
            match self.post(&commands).instrument(batch).await {
                Ok((posted, attempts)) => {
                    for (caller, decision) in callers.into_iter().zip(posted.decisions) {
                        caller.trace.committed(attempts, posted.round_trips);
                        // A caller that hung up can ask again with the same request id.
                        let _ = caller.reply.send(Ok(decision));
                    }
                }
                Err(error) => {
                    let commands = Arc::unwrap_or_clone(commands);
                    for caller in &mut callers {
                        caller.trace.failed();
                    }
                    let again = callers.into_iter().zip(commands);
                    let mut failed: Vec<Job> = again.map(|(caller, command)| Job { command, caller }).collect();
                    // What refuses everything for now refuses the parts as well, and others wait behind them.
                    let is_refused = matches!(error, StorageError::Refused(_));
                    if failed.len() > 1 && !is_refused && self.is_reachable().await {
                        tracing::warn!(%error, commands = failed.len(), "a batch keeps failing; splitting it");
                        let second_half = failed.split_off(failed.len() / 2);
                        pending.push(second_half);
                        pending.push(failed);
                    } else {
                        self.measures.posting.fail(failed.len());
                        answer_failure(failed, &error);
                    }
                }
            }
        }
    }

    /// The jobs in front of which, on the ways they came, all was decided; the others are answered that it was not.
    fn without_broken_ways(&self, jobs: Vec<Job>) -> Vec<Job> {
        let (broken, jobs): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::is_on_broken_way);
        self.measures.posting.fail(broken.len());
        for mut job in broken {
            job.caller.trace.failed();
            job.fail(PostingError::broken_way());
        }
        jobs
    }

    /// Posts a batch, trying again what can succeed. After a lost connection it is unknown whether the COMMIT went
    /// through: the next attempt finds the request ids, or it did not. With how many attempts it took.
    async fn post(&mut self, commands: &Arc<Vec<Command>>) -> Result<(Posted, u32), StorageError> {
        let began = Instant::now();
        let mut waits = BACKOFF_MS.iter();
        let mut look_up = LookUp::Requests;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.attempt(commands, look_up).await {
                Ok(mut posted) => {
                    let count = u32::try_from(commands.len()).unwrap_or(u32::MAX);
                    self.measures.posting.commit(count, posted.round_trips, began.elapsed());
                    self.measures.points.count(std::mem::take(&mut posted.points));
                    return Ok((posted, attempts));
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
            self.measures.posting.retry();
            let jitter = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * wait / 256;
            tokio::time::sleep(Duration::from_millis(wait / 2 + jitter / 2)).await;
        }
    }

    /// One transaction, in a task of its own: a fault in it ends that task, not the writer, and takes the connection
    /// along. A connection comes back only from a transaction that ended as it should.
    async fn attempt(&mut self, commands: &Arc<Vec<Command>>, look_up: LookUp) -> Result<Posted, StorageError> {
        let mut kept = self.take_connection().await?;
        let (commands, cache) = (Arc::clone(commands), self.cache.clone());
        let transaction = connection::bounded(self.patience, async move {
            let posted = batch::post(&mut kept.connection, &cache, &commands, look_up).await?;
            Ok::<_, StorageError>((kept, posted))
        });
        let task = tokio::spawn(transaction.in_current_span());
        let (mut kept, posted) = task.await.map_err(|error| StorageError::Fault(error.to_string()))??;
        kept.used = Instant::now();
        self.connection = Some(kept);
        Ok(posted)
    }

    /// The connection that was kept, or a new one. A batch that only answers what it finds writes nothing, and would not
    /// notice that another server has taken over.
    async fn take_connection(&mut self) -> Result<Kept, StorageError> {
        if let Some(mut kept) = self.connection.take().filter(|kept| kept.used.elapsed() < IDLE) {
            if kept.looked.elapsed() < LOOK {
                return Ok(kept);
            }
            if connection::leads_to_writable(&mut kept.connection, self.patience).await {
                kept.looked = Instant::now();
                return Ok(kept);
            }
        }
        connection::establish_lasting(&self.url).await.map(Kept::new)
    }

    async fn is_reachable(&mut self) -> bool {
        let connection = connection::establish_lasting(&self.url).await.ok();
        self.connection = connection.map(Kept::new);
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
            let request_id = &job.command.request_id;
            tracing::error!(parent: &job.caller.call, %error, request_id, "a command cannot be posted");
        }
        PostingError::Internal(error.to_string())
    };
    for job in jobs {
        job.fail(answer.clone());
    }
}
