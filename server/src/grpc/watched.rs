//! Each call, watched from its first word to its last: it has an id, a span that what the log says of it stands in, and is
//! counted by how it ended.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Response};
use tonic::{Code, Status};
use tracing::Span;
use uuid::Uuid;

use crate::measures::{Measures, traces};

/// Header with the id of a call: a caller can choose it, and finds it in the answer. The log has it.
pub(super) const CALL_ID: HeaderName = HeaderName::from_static("loyalty-call-id");
/// Longer ones are no ids.
const LONGEST_ID: usize = 64;

/// A call that is under way.
pub(super) struct Call {
    name: &'static str,
    id: HeaderValue,
    pub(super) span: Span,
    pub(super) trace: Span,
    is_stream: bool,
    began: Instant,
    measures: Arc<Measures>,
    is_over: bool,
}

impl Call {
    /// A call of this name begins.
    pub(super) fn begin(name: &'static str, is_stream: bool, headers: &HeaderMap, measures: &Arc<Measures>) -> Self {
        measures.calls.in_flight.inc();
        let id = id(headers);
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let trace = traces::call(name, id.to_str().unwrap_or_default(), traceparent);
        // What the call is about is recorded when it is known.
        let span = tracing::info_span!(
            "call",
            call = name,
            call_id = id.to_str().unwrap_or_default(),
            key = tracing::field::Empty,
            request_id = tracing::field::Empty,
        );
        Self {
            name,
            id,
            span,
            trace,
            is_stream,
            began: Instant::now(),
            measures: Arc::clone(measures),
            is_over: false,
        }
    }

    /// Goes on with the answer to its end.
    pub(super) fn answer(mut self, mut answer: Response<Body>) -> Response<Body> {
        answer.headers_mut().insert(CALL_ID, self.id.clone());
        if let Some(status) = answer.headers().get(Status::GRPC_STATUS) {
            let code = Code::from_bytes(status.as_bytes());
            self.end(code);
            return answer;
        }
        answer.map(|answer| Body::new(Watched { answer, call: self }))
    }

    fn end(&mut self, code: Code) {
        if self.is_over {
            return;
        }
        self.is_over = true;
        traces::ended(&self.trace, i32::from(code), is_fault(code));
        let took = self.began.elapsed();
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let code = name(code);
        tracing::debug!(parent: &self.span, code, milliseconds, "answered");
        self.measures
            .calls
            .end(self.name, code, Some(took).filter(|_| !self.is_stream));
    }
}

impl Drop for Call {
    /// Nobody waits any more.
    fn drop(&mut self) {
        self.end(Code::Cancelled);
        self.measures.calls.in_flight.dec();
    }
}

/// Notes in the log of this call which write it is about.
pub(super) fn tell_request_id(request_id: &str) {
    Span::current().record("request_id", request_id);
}

/// The id that the caller chose, or a new one.
fn id(headers: &HeaderMap) -> HeaderValue {
    let is_id =
        |id: &&HeaderValue| (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    if let Some(id) = headers.get(CALL_ID).filter(is_id) {
        return id.clone();
    }
    let id = Uuid::new_v4().simple().to_string();
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// An answer on its way, which ends its call.
struct Watched {
    answer: Body,
    call: Call,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let answer = Pin::new(&mut this.answer);
        let frame = this.call.span.in_scope(|| answer.poll_frame(task));
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(status) = frame
                    .trailers_ref()
                    .and_then(|trailers| trailers.get(Status::GRPC_STATUS))
                {
                    let code = Code::from_bytes(status.as_bytes());
                    this.call.end(code);
                }
            }
            Poll::Ready(Some(Err(status))) => this.call.end(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

/// Whether a call that ended so is the server's fault: what the caller asked for in vain is not.
fn is_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The name of a code as the specification of gRPC writes it.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
