//! What a failure and a wrong field bring.

use std::time::Duration;

use loyalty_api::v1::ErrorReason;
use tonic::Code;

use super::Error;
use crate::id::RequestId;

/// The circumstances of a failure: what the last attempt met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code:?}, attempts: {attempts})")]
pub struct Failure {
    /// The gRPC status code.
    pub code: Code,
    /// The server's reason; unspecified when the attempt did not reach a server that knows the contract.
    pub reason: ErrorReason,
    /// A sentence for people.
    pub message: String,
    /// How often the call was tried.
    pub attempts: u32,
    /// After which time the server wants to be asked again; `None` when it did not say, or was not reached. The client's
    /// own further attempts have kept to it.
    pub retry_delay: Option<Duration>,
    /// Of a write, the id it was sent with: repeat the write with it, or ask for the operation. `None` for a read.
    pub request_id: Option<RequestId>,
}

/// What is wrong with a field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field, such as `sale.lines[2].amount`.
    pub field: String,
    /// What is wrong with it, for people.
    pub description: String,
}

impl Error {
    /// Of a failed write, the request id it was sent with. `Some` means that the outcome is not known: the write may
    /// have happened. Repeat it with [`Client::with_request_id`](crate::Client::with_request_id), or ask
    /// [`Client::get_operation`](crate::Client::get_operation).
    pub fn unsettled_request_id(&self) -> Option<&RequestId> {
        self.failure().and_then(|failure| failure.request_id.as_ref())
    }

    /// The circumstances, when this is a failure and not a refusal.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Overloaded(failure)
            | Self::Unavailable(failure)
            | Self::DeadlineExceeded(failure)
            | Self::Internal(failure) => Some(failure),
            _ => None,
        }
    }
}
