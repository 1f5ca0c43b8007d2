//! The client for programs without an async runtime: every call waits for its answer (feature `blocking`).
//!
//! ```no_run
//! use loyalty_sdk::{MemberKey, Sale, blocking::Client};
//!
//! # fn till() -> Result<(), loyalty_sdk::Error> {
//! let client = Client::connect("http://127.0.0.1:50051")?;
//! let sale = Sale::new("ticket-17", "store-1", MemberKey::card("7700123"), "EUR", 3000);
//! println!("{}", client.record_sale(&sale)?);
//! for entry in client.entries(MemberKey::card("7700123")) {
//!     let entry = entry?;
//!     println!("{} {:?} {}", entry.recorded_at, entry.kind, entry.points);
//! }
//! # Ok(())
//! # }
//! ```

mod calls;
mod outbox;
mod streams;

use std::{sync::Arc, time::Duration};

use tokio::runtime::{Builder, Handle, Runtime};

pub use outbox::Outbox;
pub use streams::{Entries, Feed, Reporting, Verifying};

use crate::{ClientBuilder, Error, RequestId};

/// A client whose calls wait for their answers. Clones are cheap and share one connection, which a thread of its own looks
/// after. It can be used inside an async runtime too, but then keeps one of its threads waiting.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    background: Arc<Background>,
}

/// The runtime that the connection lives in.
#[derive(Debug)]
struct Background {
    handle: Handle,
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
}

impl Client {
    /// A client of the server at `endpoint`, such as `http://127.0.0.1:50051`, with the default options.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::Client::connect), and [`Error::NoRuntime`] when the system has no thread left.
    pub fn connect(endpoint: impl Into<String>) -> Result<Self, Error> {
        Self::from_builder(crate::Client::builder(endpoint))
    }

    /// A client with options.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::connect`], and [`Error::NoRuntime`] when the system has no thread left.
    pub fn from_builder(builder: ClientBuilder) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("loyalty-sdk")
            .enable_all()
            .build()
            .map_err(|error| Error::NoRuntime {
                message: error.to_string(),
            })?;
        let background = Background {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        };
        let client = background.wait(builder.connect())?;
        Ok(Self {
            client,
            background: Arc::new(background),
        })
    }

    /// This client with `request_id` for its next write: see [`with_request_id`](crate::Client::with_request_id).
    #[must_use]
    pub fn with_request_id(&self, request_id: impl Into<RequestId>) -> Self {
        Self {
            client: self.client.with_request_id(request_id),
            background: Arc::clone(&self.background),
        }
    }

    /// This client acting for somebody else: see [`with_actor`](crate::Client::with_actor).
    #[must_use]
    pub fn with_actor(&self, actor: impl Into<String>) -> Self {
        Self {
            client: self.client.with_actor(actor),
            background: Arc::clone(&self.background),
        }
    }

    /// This client with another deadline: see [`with_deadline`](crate::Client::with_deadline).
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            client: self.client.with_deadline(deadline),
            background: Arc::clone(&self.background),
        }
    }

    /// The server that calls go to now: see [`endpoint`](crate::Client::endpoint).
    pub fn endpoint(&self) -> &str {
        self.client.endpoint()
    }

    /// The client that does not wait, on the same connection.
    pub fn asynchronous(&self) -> &crate::Client {
        &self.client
    }

    /// Waits for anything that the asynchronous client does.
    ///
    /// ```no_run
    /// # fn run(client: loyalty_sdk::blocking::Client) -> Result<(), loyalty_sdk::Error> {
    /// let counts = client.wait(client.asynchronous().run_expiry_with_progress(|counts| println!("{counts:?}")))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait<F>(&self, work: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.background.wait(work)
    }
}

impl Background {
    fn wait<F>(&self, work: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        if Handle::try_current().is_err() {
            return self.handle.block_on(work);
        }
        // A thread of a runtime may not wait for another; one that is of none may.
        let waited = std::thread::scope(|scope| scope.spawn(|| self.handle.block_on(work)).join());
        waited.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for it is not allowed where the last clone may be dropped.
            runtime.shutdown_background();
        }
    }
}
