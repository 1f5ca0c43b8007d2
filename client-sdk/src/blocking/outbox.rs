//! The outbox for programs without an async runtime.

use std::path::Path;

use super::Client;
use crate::{
    Delivered, OfflinePolicy, OutboxEntry, OutboxError, OutboxOptions, OutboxState, Put, RefusedEntry, SyncOutcome,
    TillOperation,
};

/// An [`Outbox`](crate::Outbox) whose calls wait.
#[derive(Clone, Debug)]
pub struct Outbox {
    client: Client,
    outbox: crate::Outbox,
}

impl Outbox {
    /// Opens the outbox in `directory`: see [`crate::Outbox::open`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::open`].
    pub fn open(directory: impl AsRef<Path>, client: &Client) -> Result<Self, OutboxError> {
        Self::open_with(crate::Outbox::options(), directory, client)
    }

    /// The same, with options.
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::open`].
    pub fn open_with(
        options: OutboxOptions,
        directory: impl AsRef<Path>,
        client: &Client,
    ) -> Result<Self, OutboxError> {
        Ok(Self {
            client: client.clone(),
            outbox: options.open(directory, client.client.clone())?,
        })
    }

    /// Puts an operation into the queue: see [`crate::Outbox::put`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::put`].
    pub fn put(&self, operation: impl Into<TillOperation>) -> Result<Put, OutboxError> {
        self.client.wait(self.outbox.put(operation.into()))
    }

    /// Delivers the queue: see [`crate::Outbox::deliver`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::deliver`].
    pub fn deliver(&self) -> Result<Delivered, OutboxError> {
        self.client.wait(self.outbox.deliver())
    }

    /// The same, and tells each answer.
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::deliver`].
    pub fn deliver_with(&self, told: impl FnMut(SyncOutcome) + Send) -> Result<Delivered, OutboxError> {
        self.client.wait(self.outbox.deliver_with(told))
    }

    /// Asks the server what tills may do without a line: see [`crate::Outbox::refresh_policy`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::refresh_policy`].
    pub fn refresh_policy(&self) -> Result<OfflinePolicy, OutboxError> {
        self.client.wait(self.outbox.refresh_policy())
    }

    /// How the outbox stands.
    pub fn state(&self) -> OutboxState {
        self.outbox.state()
    }

    /// What is still unsent, in its order.
    pub fn unsent(&self) -> Vec<OutboxEntry> {
        self.outbox.unsent()
    }

    /// What was refused and nobody has seen to yet: see [`crate::Outbox::refused`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::refused`].
    pub fn refused(&self) -> Result<Vec<RefusedEntry>, OutboxError> {
        self.outbox.refused()
    }

    /// Forgets a refusal that somebody has seen to: see [`crate::Outbox::forget_refusal`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::forget_refusal`].
    pub fn forget_refusal(&self, position: u64) -> Result<bool, OutboxError> {
        self.client.wait(self.outbox.forget_refusal(position))
    }

    /// Sets the first operation that waits aside: see [`crate::Outbox::set_aside_first`].
    ///
    /// # Errors
    ///
    /// As [`crate::Outbox::set_aside_first`].
    pub fn set_aside_first(&self) -> Result<Option<OutboxEntry>, OutboxError> {
        self.client.wait(self.outbox.set_aside_first())
    }

    /// The outbox that does not wait.
    pub fn asynchronous(&self) -> &crate::Outbox {
        &self.outbox
    }
}
