//! The lease of a job: who has it does the job, and who hangs loses it to another server.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::job_lease::{self, LeaseState};

/// This server's view of a lease. Silence is measured by its own stopwatch, since clocks of servers differ.
pub(super) struct Lease {
    job: String,
    holder: String,
    patience: Duration,
    token: Option<u64>,
    /// What another holder showed last, and since when.
    seen: Option<(LeaseState, Instant)>,
    shown: Instant,
}

/// Leases that other servers had when this one asked: whether they live shows when it asks again.
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<String, Lease>>);

impl Leases {
    /// Takes a lease; `None` while another server has it.
    pub(super) async fn take(
        &self,
        job: String,
        patience: Duration,
        connection: &mut Connection,
    ) -> Result<Option<Lease>, StorageError> {
        let seen = self.all().remove(&job);
        let mut lease = seen.unwrap_or_else(|| Lease::new(job, patience));
        match lease.acquire(connection).await {
            Ok(true) => Ok(Some(lease)),
            // Of two that reach for a free lease at once the database may turn one away.
            Ok(false) | Err(StorageError::Conflict(_) | StorageError::Duplicate(_)) => {
                self.all().insert(lease.job.clone(), lease);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// A lease that this server does not have. A holder that shows nothing new for `patience` has lost it.
    pub(super) fn new(job: impl Into<String>, patience: Duration) -> Self {
        Self {
            job: job.into(),
            holder: Uuid::new_v4().to_string(),
            patience,
            token: None,
            seen: None,
            shown: Instant::now(),
        }
    }

    /// Whether this server has the lease now; it is taken when it is free, or when its holder has been silent.
    pub(super) async fn acquire(&mut self, connection: &mut Connection) -> Result<bool, StorageError> {
        if self.token.is_some() {
            return Ok(true);
        }
        let state = job_lease::read(connection, &self.job).await?;
        if !state.holder.is_empty() && !self.has_been_silent(&state) {
            return Ok(false);
        }
        let token = job_lease::take(connection, &self.job, &state, &self.holder).await?;
        self.seen = None;
        self.shown = Instant::now();
        self.token = token;
        match token {
            Some(token) if state.holder.is_empty() => tracing::debug!(job = %self.job, token, "took the lease"),
            Some(token) => tracing::info!(job = %self.job, token, "took the lease over from a silent server"),
            None => {}
        }
        Ok(token.is_some())
    }

    /// Inside a transaction: makes sure that it commits only as long as nobody else has the lease, and shows a sign of
    /// life. When this answers no, the transaction must be left.
    pub(super) async fn hold(&mut self, connection: &mut Connection) -> Result<bool, StorageError> {
        let Some(token) = self.token else {
            return Ok(false);
        };
        if job_lease::hold(connection, &self.job, token).await? {
            self.shown = Instant::now();
            return Ok(true);
        }
        tracing::warn!(job = %self.job, token, "lost the lease to another server");
        self.token = None;
        Ok(false)
    }

    /// Shows a sign of life where the last one was some time ago.
    pub(super) async fn show(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        if self.shown.elapsed() < self.patience / 3 {
            return Ok(());
        }
        connection::begin(connection).await?;
        self.hold(connection).await?;
        connection::commit(connection).await
    }

    /// Whether this server has the lease, as far as it knows.
    pub(super) fn is_held(&self) -> bool {
        self.token.is_some()
    }

    /// Gives the lease back.
    pub(super) async fn release(&mut self, connection: &mut Connection) -> Result<(), StorageError> {
        match self.token.take() {
            Some(token) => job_lease::release(connection, &self.job, token).await,
            None => Ok(()),
        }
    }

    fn has_been_silent(&mut self, state: &LeaseState) -> bool {
        match &self.seen {
            Some((seen, since)) if seen == state => since.elapsed() >= self.patience,
            _ => {
                self.seen = Some((state.clone(), Instant::now()));
                false
            }
        }
    }
}
