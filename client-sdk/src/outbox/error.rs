//! Why an outbox does not do what it is asked.

use std::{io, path::PathBuf};

use rust_decimal::Decimal;

use crate::error::Error;

/// Why an outbox does not do what it is asked. What it had taken before stays safe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Another process, or another part of this one, has the outbox open.
    #[error("{} is open elsewhere", directory.display())]
    Locked {
        /// The outbox.
        directory: PathBuf,
    },
    /// A file does not hold what was written to it. Nothing was changed; [`Outbox::repair`](crate::Outbox::repair) sets
    /// what cannot be read aside.
    #[error("{} is damaged at byte {offset}: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where what can be read ends.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The outbox is as large as it may be: nothing was taken.
    #[error("the outbox is full: {bytes} of {limit} bytes")]
    Full {
        /// What it would have.
        bytes: u64,
        /// What it may have.
        limit: u64,
    },
    /// The disk is full: nothing was taken.
    #[error("the disk is full")]
    DiskFull,
    /// A file cannot be read or written. Of an operation it is not known whether it was taken: open the outbox again and
    /// look.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An earlier write failed in a way that leaves open what is on the disk: open the outbox again.
    #[error("the outbox has to be opened again, since a write failed")]
    MustReopen,
    /// The operation is larger than a server takes: nothing was taken.
    #[error("an operation of {bytes} bytes is too large")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The merchant does not let tills take so many points offline, or has not said yet that it does: nothing was taken.
    #[error("{requested} points cannot be redeemed offline: {left} may be")]
    RedeemLimit {
        /// What was asked.
        requested: Decimal,
        /// What of the limit is left for the member; 0 where the merchant has set none.
        left: Decimal,
    },
    /// Offline only a number of points can be redeemed, since only the server knows what an amount, a product or a reward
    /// costs: nothing was taken.
    #[error("offline only a number of points can be redeemed")]
    RedeemsUnknownPoints,
    /// The queue could not be delivered to its end. What was not is kept.
    #[error("the queue was not delivered to its end: {0}")]
    Delivery(#[from] Error),
}

impl OutboxError {
    pub(super) fn io(file: impl Into<PathBuf>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::DiskFull,
            _ => Self::Io {
                file: file.into(),
                source,
            },
        }
    }
}
