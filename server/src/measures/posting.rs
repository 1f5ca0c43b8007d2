//! Posting: batches, what waits for them, and what had to be done again.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{SECONDS, count};

/// Bounds of the size of a batch, up to the largest.
const COMMANDS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// What posting did since the server started.
#[derive(Debug)]
pub struct PostingStatistics {
    accepted: Counter,
    taken: Counter,
    batches: Counter,
    commands: Counter,
    round_trips: Counter,
    retries: Counter,
    failures: Counter,
    queue: Gauge,
    batch_commands: Histogram,
    batch_seconds: Histogram,
    wait_seconds: Histogram,
}

impl PostingStatistics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let this = Self {
            accepted: Counter::default(),
            taken: Counter::default(),
            batches: Counter::default(),
            commands: Counter::default(),
            round_trips: Counter::default(),
            retries: Counter::default(),
            failures: Counter::default(),
            queue: Gauge::default(),
            batch_commands: Histogram::new(COMMANDS),
            batch_seconds: Histogram::new(SECONDS),
            wait_seconds: Histogram::new(SECONDS),
        };
        let registry = registry.sub_registry_with_prefix("posting");
        registry.register("commands", "Writes that were decided", this.commands.clone());
        registry.register(
            "round_trips",
            "Statements of committed batches",
            this.round_trips.clone(),
        );
        registry.register("retries", "Batches that were tried again", this.retries.clone());
        registry.register("failures", "Writes that came to no decision", this.failures.clone());
        registry.register("queue", "Writes that wait for a writer", this.queue.clone());
        registry.register(
            "batch_commands",
            "Writes of a committed transaction",
            this.batch_commands.clone(),
        );
        registry.register(
            "batch_seconds",
            "Time from taking a batch to its commit, with all attempts",
            this.batch_seconds.clone(),
        );
        registry.register(
            "wait_seconds",
            "Time that a write waited for a writer",
            this.wait_seconds.clone(),
        );
        this
    }

    /// Commands that were taken into a queue.
    pub fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// Commands that a writer took out of its queue: what `accepted` is ahead of this waits.
    pub fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// Committed transactions.
    pub fn batches(&self) -> u64 {
        self.batches.get()
    }

    /// Commands decided in them.
    pub fn commands(&self) -> u64 {
        self.commands.get()
    }

    /// Statements they sent, BEGIN and COMMIT included.
    pub fn round_trips(&self) -> u64 {
        self.round_trips.get()
    }

    /// Batches that had to be tried again.
    pub fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// Commands that came to no decision.
    pub fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// A command is in a queue.
    pub(crate) fn accept(&self) {
        self.accepted.inc();
        self.queue.inc();
    }

    /// Commands that waited so long were taken out of a queue.
    pub(crate) fn take(&self, waits: impl ExactSizeIterator<Item = Duration>) {
        self.taken.inc_by(waits.len() as u64);
        self.queue.dec_by(count(waits.len()));
        for wait in waits {
            self.wait_seconds.observe(wait.as_secs_f64());
        }
    }

    /// A batch was committed.
    pub(crate) fn commit(&self, commands: u32, round_trips: u64, took: Duration) {
        self.batches.inc();
        self.commands.inc_by(u64::from(commands));
        self.round_trips.inc_by(round_trips);
        self.batch_commands.observe(f64::from(commands));
        self.batch_seconds.observe(took.as_secs_f64());
    }

    /// A batch is tried again.
    pub(crate) fn retry(&self) {
        self.retries.inc();
    }

    /// Commands came to no decision.
    pub(crate) fn fail(&self, commands: usize) {
        self.failures.inc_by(commands as u64);
    }
}
