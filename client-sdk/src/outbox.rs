//! The outbox of a till: what it does is on its disk before it is sent, and is delivered once, whatever happens between.

mod entry;
mod error;
mod inspect;
mod policy;
mod record;
mod repair;
mod segment;
mod store;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::Utc;
use loyalty_api::v1::{self, sync_sales_request::Operation};
use rust_decimal::Decimal;

pub use entry::{OutboxEntry, OutboxState, RefusedEntry};
pub use error::OutboxError;
pub use inspect::OutboxContents;
use store::{Sizes, Store};

use crate::{
    client::Client,
    id::RequestId,
    offline::OfflinePolicy,
    redemption::Ask,
    sale::Sale,
    sync::{QueuedOperation, SyncOutcome, SyncStatus, TillOperation},
};

/// Operations that are sent at once: what a broken line makes the till send again.
const BATCH: usize = 256;

/// The queue of a till on its own disk.
///
/// Whatever is [`put`](Self::put) into it is on the disk, with its request id and its time, when that has returned; it is
/// [`deliver`](Self::deliver)ed in the order of the till, exactly once, after crashes and hours without a line too. One
/// process at a time has an outbox open.
///
/// ```no_run
/// use loyalty_sdk::{Client, MemberKey, Outbox, Sale};
///
/// # async fn till(client: Client) -> Result<(), loyalty_sdk::OutboxError> {
/// let outbox = Outbox::open("/var/lib/till/outbox", client)?;
///
/// // At each sale, with or without a line:
/// let sale = Sale::new("ticket-17", "store-1", MemberKey::card("7700123"), "EUR", 3000);
/// outbox.put(sale).await?;
///
/// // Whenever there may be a line:
/// let delivered = outbox.deliver().await?;
/// println!("{} delivered, {} refused", delivered.applied + delivered.duplicates, delivered.refused);
/// for refused in outbox.refused()? {
///     println!("{}: {:?}", refused.entry.what, refused.outcome.answer);
/// }
/// # Ok(())
/// # }
/// ```
///
/// The format of its files is part of the crate's documentation: `docs/outbox.md`.
#[derive(Clone)]
pub struct Outbox {
    client: Client,
    store: Arc<Mutex<Store>>,
    policy: Arc<Mutex<Option<OfflinePolicy>>>,
    /// One delivery at a time, so that the order is the till's.
    delivering: Arc<tokio::sync::Mutex<()>>,
}

/// Options of an [`Outbox`].
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct OutboxOptions {
    sizes: Sizes,
}

/// An operation that is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Put {
    /// Its place in the queue, from 1.
    pub position: u64,
    /// The id under which it takes place once.
    pub request_id: RequestId,
}

/// What a delivery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// Operations that were carried out.
    pub applied: usize,
    /// Operations that had been carried out before, of which the till had not heard.
    pub duplicates: usize,
    /// Operations that were refused: [`Outbox::refused`] has them.
    pub refused: usize,
}

/// The end of an unfinished write, which a crash left and nobody was told was safe. It was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CutOff {
    /// The file.
    pub file: PathBuf,
    /// Where it ends now.
    pub offset: u64,
    /// What was cut off.
    pub bytes: u64,
}

/// What [`Outbox::repair`] set aside: bytes that cannot be read, in a file of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetAside {
    /// The file that keeps them.
    pub file: PathBuf,
    /// How many.
    pub bytes: u64,
}

impl Default for OutboxOptions {
    /// 64 MiB in files of 1 MiB: some hundred thousand sales of a few lines.
    fn default() -> Self {
        Self {
            sizes: Sizes {
                limit: 64 << 20,
                segment: 1 << 20,
            },
        }
    }
}

impl OutboxOptions {
    /// How many bytes all files together may have; operations beyond it are refused with [`OutboxError::Full`].
    pub fn limit_bytes(mut self, limit: u64) -> Self {
        self.sizes.limit = limit;
        self
    }

    /// After how many bytes a new file is begun. A file is removed when all in it is answered.
    pub fn file_bytes(mut self, bytes: u64) -> Self {
        self.sizes.segment = bytes;
        self
    }

    /// Opens the outbox in `directory`, which is made when there is none, and whose queue `client` delivers.
    ///
    /// # Errors
    ///
    /// As [`Outbox::open`].
    pub fn open(self, directory: impl AsRef<Path>, client: Client) -> Result<Outbox, OutboxError> {
        let store = Store::open(directory.as_ref(), self.sizes)?;
        let policy = policy::read(directory.as_ref());
        Ok(Outbox {
            client,
            store: Arc::new(Mutex::new(store)),
            policy: Arc::new(Mutex::new(policy)),
            delivering: Arc::default(),
        })
    }
}

impl Outbox {
    /// Opens the outbox in `directory`, which is made when there is none, and whose queue `client` delivers. The client
    /// should have the key of the terminal.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Locked`] while it is open elsewhere, [`OutboxError::Damaged`] when a file does not hold what was
    /// written, [`OutboxError::Io`], [`OutboxError::DiskFull`].
    pub fn open(directory: impl AsRef<Path>, client: Client) -> Result<Self, OutboxError> {
        Self::options().open(directory, client)
    }

    /// Options to open one with.
    pub fn options() -> OutboxOptions {
        OutboxOptions::default()
    }

    /// What the outbox in `directory` holds, also while a till has it open. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Damaged`], [`OutboxError::Io`]; [`OutboxError::Delivery`] when an answer is one that this version of
    /// the SDK cannot read.
    pub fn inspect(directory: impl AsRef<Path>) -> Result<OutboxContents, OutboxError> {
        inspect::inspect(directory.as_ref())
    }

    /// Makes a damaged outbox one that can be opened: what cannot be read is kept beside it in files of its own, and what
    /// can be read stays. The operations in those bytes are lost to the outbox; the till's own journal says which.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Locked`], [`OutboxError::Io`], [`OutboxError::DiskFull`].
    pub fn repair(directory: impl AsRef<Path>) -> Result<Vec<SetAside>, OutboxError> {
        let set_aside = repair::repair(directory.as_ref())?.into_iter();
        let set_aside = set_aside.map(|repair::SetAside { file, bytes }| SetAside { file, bytes });
        Ok(set_aside.collect())
    }

    /// Puts an operation into the queue: when this has returned it is on the disk. Times that were not said are now, and a
    /// sale is one that was made [`offline`](Sale::offline).
    ///
    /// Points are redeemed by number only, and only as far as the merchant lets tills do so
    /// ([`OfflinePolicy::redeem_limit`]) and the till knows of it ([`refresh_policy`](Self::refresh_policy)). While there
    /// is a line, redeem with [`Client::record_sale`] instead.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Full`], [`OutboxError::DiskFull`], [`OutboxError::TooLarge`], [`OutboxError::RedeemLimit`],
    /// [`OutboxError::RedeemsUnknownPoints`]: nothing was taken. [`OutboxError::Io`], [`OutboxError::MustReopen`]: open
    /// the outbox again, and look whether it was.
    pub async fn put(&self, operation: impl Into<TillOperation>) -> Result<Put, OutboxError> {
        let now = Utc::now();
        let mut operation = operation.into();
        operation.done_at(now);
        let QueuedOperation { request_id, operation } = QueuedOperation::new(operation);
        let this = self.clone();
        let queued = QueuedOperation {
            request_id: request_id.clone(),
            operation,
        };
        let taken = blocking(move || {
            let mut store = this.store();
            if let TillOperation::Sale(sale) = &queued.operation {
                this.check_redeeming(&store, sale)?;
            }
            store.take(now.timestamp_micros(), queued.to_wire(0))
        });
        let position = taken.await?;
        Ok(Put { position, request_id })
    }

    /// Delivers the queue in its order until nothing waits. What breaks off is taken up again as the client's retry policy
    /// says. Refused operations do not keep the others; they stay in the outbox until somebody has seen to them.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Delivery`] when the server could not be reached: what was not answered waits for the next time.
    /// [`OutboxError::Io`], [`OutboxError::MustReopen`] when the answers cannot be written down.
    pub async fn deliver(&self) -> Result<Delivered, OutboxError> {
        self.deliver_with(|_| {}).await
    }

    /// The same, and tells each answer.
    ///
    /// # Errors
    ///
    /// As [`deliver`](Self::deliver).
    pub async fn deliver_with(&self, mut told: impl FnMut(SyncOutcome) + Send) -> Result<Delivered, OutboxError> {
        let _one_at_a_time = self.delivering.lock().await;
        let mut delivered = Delivered::default();
        loop {
            let batch: Vec<v1::SyncSalesRequest> = {
                let store = self.store();
                let waiting = store.waiting.values().take(BATCH);
                waiting.map(|waiting| (*waiting.message).clone()).collect()
            };
            if batch.is_empty() {
                break;
            }
            let answered = |answer: v1::SyncSalesResponse| {
                let outcome = SyncOutcome::from_wire(answer.clone())?;
                self.store().answered(answer)?;
                match outcome.status {
                    SyncStatus::Refused => delivered.refused += 1,
                    SyncStatus::Duplicate => delivered.duplicates += 1,
                    SyncStatus::Applied | SyncStatus::Other(_) => delivered.applied += 1,
                }
                told(outcome);
                Ok(())
            };
            let sent: Result<(), OutboxError> = self.client.sync(batch, answered).await;
            let this = self.clone();
            let settled = blocking(move || this.store().settle()).await;
            sent?;
            settled?;
        }
        // The queue is delivered, whether or not the server says now what it lets tills do.
        let _ = self.refresh_policy().await;
        Ok(delivered)
    }

    /// Asks the server what tills may do without a line, and keeps it for when there is none. Every delivery does so too.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Delivery`] when the server could not be reached; what was known before stays. [`OutboxError::Io`],
    /// [`OutboxError::DiskFull`].
    pub async fn refresh_policy(&self) -> Result<OfflinePolicy, OutboxError> {
        let policy = self.client.get_offline_policy().await?;
        let (this, learned) = (self.clone(), policy.clone());
        blocking(move || {
            let mut known = this.policy.lock().unwrap_or_else(PoisonError::into_inner);
            if known.as_ref() != Some(&learned) {
                policy::write(this.store().directory(), &learned)?;
                *known = Some(learned);
            }
            Ok(())
        })
        .await?;
        Ok(policy)
    }

    /// How the outbox stands: what is still unsent, and since when.
    pub fn state(&self) -> OutboxState {
        OutboxState::of(&self.store())
    }

    /// What is still unsent, in its order.
    pub fn unsent(&self) -> Vec<OutboxEntry> {
        let store = self.store();
        let waiting = store.waiting.iter();
        waiting
            .map(|(position, waiting)| OutboxEntry::of_waiting(*position, waiting))
            .collect()
    }

    /// What was refused and nobody has seen to yet, in its order.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Delivery`] when an answer is one that this version of the SDK cannot read.
    pub fn refused(&self) -> Result<Vec<RefusedEntry>, OutboxError> {
        let store = self.store();
        let refused = store.refused.iter();
        let refused = refused.map(|(position, refused)| RefusedEntry::of(*position, refused));
        Ok(refused.collect::<Result<_, _>>()?)
    }

    /// Forgets a refusal that somebody has seen to; whether there was one at this position.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Io`], [`OutboxError::DiskFull`], [`OutboxError::MustReopen`].
    pub async fn forget_refusal(&self, position: u64) -> Result<bool, OutboxError> {
        let this = self.clone();
        blocking(move || this.store().forget(position)).await
    }

    /// Sets the first operation that waits aside, so that those behind it go on: for one that a server fails at again and
    /// again ([`Error::Internal`](crate::Error::Internal)), or that somebody has entered by hand. It is among the
    /// [`refused`](Self::refused) then, with the reason `SET_ASIDE`. Whether the server has carried it out
    /// [`Client::get_operation`] tells. `None` when nothing waits.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Io`], [`OutboxError::DiskFull`], [`OutboxError::MustReopen`].
    pub async fn set_aside_first(&self) -> Result<Option<OutboxEntry>, OutboxError> {
        let _one_at_a_time = self.delivering.lock().await;
        let this = self.clone();
        blocking(move || {
            let mut store = this.store();
            let first = store.waiting.first_key_value();
            let Some(entry) = first.map(|(position, waiting)| OutboxEntry::of_waiting(*position, waiting)) else {
                return Ok(None);
            };
            store.answered(set_aside(entry.position))?;
            store.settle()?;
            Ok(Some(entry))
        })
        .await
    }

    /// What was cut off when the outbox was opened: the end of a write that a crash interrupted; `None` when nothing was.
    pub fn cut_off(&self) -> Option<CutOff> {
        let cut_off = self.store().cut_off.clone()?;
        Some(CutOff {
            file: cut_off.file,
            offset: cut_off.offset,
            bytes: cut_off.bytes,
        })
    }

    /// The client that delivers.
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses to redeem more than tills may without a line.
    fn check_redeeming(&self, store: &Store, sale: &Sale) -> Result<(), OutboxError> {
        if sale.redemptions.is_empty() {
            return Ok(());
        }
        let mut requested = Decimal::ZERO;
        for redemption in &sale.redemptions {
            let Ask::Points(points) = &redemption.ask else {
                return Err(OutboxError::RedeemsUnknownPoints);
            };
            requested = requested.saturating_add(*points);
        }
        let policy = self.policy.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = policy.as_ref().and_then(|policy| policy.redeem_limit);
        let taken = redeemed_by(store, &sale.member.to_wire());
        let left = limit.unwrap_or_default().saturating_sub(taken).max(Decimal::ZERO);
        match requested <= left {
            true => Ok(()),
            false => Err(OutboxError::RedeemLimit { requested, left }),
        }
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let store = self.store();
        formatter
            .debug_struct("Outbox")
            .field("directory", &store.directory())
            .field("state", &OutboxState::of(&store))
            .finish_non_exhaustive()
    }
}

/// The answer to an operation that no server has answered.
fn set_aside(position: u64) -> v1::SyncSalesResponse {
    v1::SyncSalesResponse {
        position,
        status: v1::SyncStatus::Refused.into(),
        answer: Some(v1::sync_sales_response::Answer::Refusal(v1::Refusal {
            reason: "SET_ASIDE".to_owned(),
            message: "set aside at the till".to_owned(),
            ..v1::Refusal::default()
        })),
        balance: None,
    }
}

/// Points that waiting sales take from a member, as the till calls the member.
fn redeemed_by(store: &Store, member: &v1::MemberKey) -> Decimal {
    let sales = store
        .waiting
        .values()
        .filter_map(|waiting| match &waiting.message.operation {
            Some(Operation::RecordSale(request)) => request.sale.as_ref(),
            _ => None,
        });
    let redemptions = sales
        .filter(|sale| sale.member.as_ref() == Some(member))
        .flat_map(|sale| &sale.redemptions);
    let points = redemptions.filter_map(|redemption| match &redemption.ask {
        Some(v1::sale_redemption::Ask::Points(points)) => points.value.parse::<Decimal>().ok(),
        _ => None,
    });
    points.fold(Decimal::ZERO, Decimal::saturating_add)
}

/// Does what waits for a disk beside the tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OutboxError> + Send + 'static,
) -> Result<T, OutboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // The runtime is shutting down: whether it was done shows when the outbox is opened again.
        Err(_) => Err(OutboxError::MustReopen),
    }
}
