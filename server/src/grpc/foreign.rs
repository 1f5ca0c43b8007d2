//! Errors that the library answers before a handler has seen the call: too much, unreadable, unknown. They get a reason of
//! the contract like all others.

use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Response};
use tonic::{Code, Status};

use super::{REQUEST_LIMIT_BYTES, status};

/// The header with the details of a status.
const DETAILS: &str = "grpc-status-details-bin";

/// The answer with a reason, if it is an error that has none.
pub(super) fn explained(answer: Response<Body>) -> Response<Body> {
    match explanation(answer.headers()) {
        Some(status) => status.into_http(),
        None => answer,
    }
}

/// The status that says more than the one in these headers or trailers; `None` when they say enough.
pub(super) fn explanation(headers: &HeaderMap) -> Option<Status> {
    if headers.contains_key(DETAILS) {
        return None;
    }
    let unexplained = Status::from_header_map(headers)?;
    match unexplained.code() {
        Code::Ok => None,
        Code::OutOfRange | Code::ResourceExhausted => Some(status::request_too_large(REQUEST_LIMIT_BYTES)),
        Code::Unimplemented => Some(status::unimplemented()),
        Code::Cancelled | Code::DeadlineExceeded => Some(status::deadline_exceeded()),
        _ => Some(status::malformed_request()),
    }
}
