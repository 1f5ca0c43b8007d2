//! The queue of a till that had no line: what it did, and what became of it.

use chrono::{DateTime, Utc};

use crate::{
    error::Error,
    id::{HoldId, RequestId},
    member::{Balance, Member, MemberKey},
    new_member::NewMember,
    receipt::Receipt,
    sale::Sale,
    sale_return::{Cancellation, ReturnReceipt, SaleReturn},
    stand_alone::{HoldCapture, HoldReceipt, RedemptionReceipt},
    wire::open_enum,
};

/// Something that a till does and that can wait for a line.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TillOperation {
    /// A sale.
    Sale(Box<Sale>),
    /// Goods that come back.
    Return(Box<SaleReturn>),
    /// A sale that is cancelled.
    Cancellation(Box<Cancellation>),
    /// A hold that is redeemed.
    Capture(Box<HoldCapture>),
    /// A hold that is given up.
    Release {
        /// The hold.
        hold_id: HoldId,
        /// Whose it must be; `None`: whoever's.
        member: Option<MemberKey>,
    },
    /// A customer who becomes a member.
    Enrolment(Box<NewMember>),
}

/// An operation with the id under which it takes place once, however often it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedOperation {
    /// The id, kept through all attempts.
    pub request_id: RequestId,
    /// What is to be done.
    pub operation: TillOperation,
}

impl QueuedOperation {
    /// An operation under a new id.
    pub fn new(operation: impl Into<TillOperation>) -> Self {
        Self {
            request_id: RequestId::generate(),
            operation: operation.into(),
        }
    }
}

/// What became of an operation of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncOutcome {
    /// Its place in the queue.
    pub position: u64,
    /// Whether it was carried out, and when.
    pub status: SyncStatus,
    /// What its own call would have answered.
    pub answer: SyncAnswer,
    /// Of a refused operation: what the member has now; `None` where it names no member that there is.
    pub balance: Option<Balance>,
}

open_enum! {
    /// What became of an operation of a queue.
    SyncStatus {
        /// It was carried out now.
        Applied,
        /// It had been carried out before; the answer is the original one.
        Duplicate,
        /// It was not carried out.
        Refused,
    }
}

/// What the operation's own call would have answered.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SyncAnswer {
    /// Of a sale.
    Sale(Box<Receipt>),
    /// Of a return or a cancellation.
    Return(Box<ReturnReceipt>),
    /// Of a capture.
    Capture(Box<RedemptionReceipt>),
    /// Of a release.
    Release(Box<HoldReceipt>),
    /// Of an enrolment.
    Member(Box<Member>),
    /// Why it was not carried out.
    Refused(Box<Error>),
    /// An answer that this version of the SDK does not know.
    Unknown,
}

impl TillOperation {
    /// Made without a line at this instant, unless it says another. Nobody waits for the text of its receipt.
    pub(crate) fn done_at(&mut self, now: DateTime<Utc>) {
        match self {
            Self::Sale(sale) => {
                sale.offline = true;
                sale.occurred_at.get_or_insert(now);
                sale.receipt_language = None;
            }
            Self::Return(sale_return) => {
                sale_return.occurred_at.get_or_insert(now);
                sale_return.receipt_language = None;
            }
            Self::Cancellation(cancellation) => {
                cancellation.occurred_at.get_or_insert(now);
                cancellation.receipt_language = None;
            }
            Self::Capture(capture) => {
                capture.occurred_at.get_or_insert(now);
                capture.receipt_language = None;
            }
            Self::Release { .. } | Self::Enrolment(_) => {}
        }
    }
}

impl From<Sale> for TillOperation {
    fn from(sale: Sale) -> Self {
        Self::Sale(Box::new(sale))
    }
}

impl From<SaleReturn> for TillOperation {
    fn from(sale_return: SaleReturn) -> Self {
        Self::Return(Box::new(sale_return))
    }
}

impl From<Cancellation> for TillOperation {
    fn from(cancellation: Cancellation) -> Self {
        Self::Cancellation(Box::new(cancellation))
    }
}

impl From<HoldCapture> for TillOperation {
    fn from(capture: HoldCapture) -> Self {
        Self::Capture(Box::new(capture))
    }
}

impl From<NewMember> for TillOperation {
    fn from(member: NewMember) -> Self {
        Self::Enrolment(Box::new(member))
    }
}
