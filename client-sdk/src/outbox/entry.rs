//! What an outbox holds, as people look at it.

use chrono::{DateTime, Utc};
use loyalty_api::v1::{self, sync_sales_request::Operation};

use super::store::{Refused, Store, Waiting};
use crate::{error::Error, id::RequestId, sync::SyncOutcome};

/// An operation that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// Its place in the queue of the terminal, from 1.
    pub position: u64,
    /// When the till did it.
    pub recorded_at: DateTime<Utc>,
    /// The id under which it takes place once.
    pub request_id: RequestId,
    /// What it is, for people, such as `sale ticket-17 of store-1`.
    pub what: String,
    /// All of it.
    pub message: v1::SyncSalesRequest,
}

/// An operation that the server refused, and nobody has seen to yet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedEntry {
    /// The operation.
    pub entry: OutboxEntry,
    /// What the server answered.
    pub outcome: SyncOutcome,
}

/// How an outbox stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutboxState {
    /// Operations that wait for their answers.
    pub unsent: usize,
    /// When the oldest of them was done; `None` without any.
    pub oldest_at: Option<DateTime<Utc>>,
    /// Operations that were refused, and nobody has seen to yet.
    pub refused: usize,
    /// What its files take.
    pub bytes: u64,
}

impl OutboxEntry {
    pub(super) fn of_waiting(position: u64, waiting: &Waiting) -> Self {
        Self::new(position, waiting.recorded_at, &waiting.message)
    }

    fn new(position: u64, recorded_at: i64, message: &v1::SyncSalesRequest) -> Self {
        let (request_id, what) = described(message.operation.as_ref());
        Self {
            position,
            recorded_at: DateTime::from_timestamp_micros(recorded_at).unwrap_or_default(),
            request_id: request_id.into(),
            what,
            message: message.clone(),
        }
    }
}

impl RefusedEntry {
    pub(super) fn of(position: u64, refused: &Refused) -> Result<Self, Error> {
        Ok(Self {
            entry: OutboxEntry::new(position, refused.recorded_at, &refused.message),
            outcome: SyncOutcome::from_wire((*refused.answer).clone())?,
        })
    }
}

impl OutboxState {
    pub(super) fn of(store: &Store) -> Self {
        let oldest = store.waiting.first_key_value();
        Self {
            unsent: store.waiting.len(),
            oldest_at: oldest.and_then(|(_, waiting)| DateTime::from_timestamp_micros(waiting.recorded_at)),
            refused: store.refused.len(),
            bytes: store.bytes(),
        }
    }
}

/// The id of an operation, and what it is.
fn described(operation: Option<&Operation>) -> (String, String) {
    match operation {
        Some(Operation::RecordSale(request)) => {
            let sale = request.sale.clone().unwrap_or_default();
            let what = format!("sale {} of {}", sale.sale_id, sale.store_id);
            (request.request_id.clone(), what)
        }
        Some(Operation::ReturnSale(request)) => {
            let given = request.sale_return.clone().unwrap_or_default();
            let what = format!("return {} of sale {}", given.return_id, given.sale_id);
            (request.request_id.clone(), what)
        }
        Some(Operation::CancelSale(request)) => (
            request.request_id.clone(),
            format!("cancellation of sale {}", request.sale_id),
        ),
        Some(Operation::CaptureHold(request)) => (
            request.request_id.clone(),
            format!("capture of hold {}", request.hold_id),
        ),
        Some(Operation::ReleaseHold(request)) => (
            request.request_id.clone(),
            format!("release of hold {}", request.hold_id),
        ),
        Some(Operation::EnrollMember(request)) => (
            request.request_id.clone(),
            format!("enrolment in {}", request.program_id),
        ),
        None => (String::new(), "nothing".to_owned()),
    }
}
