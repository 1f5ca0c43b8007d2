//! How much is done at once. What is beyond it is turned away at once with a delay, so that what was let in ends in time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http_body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Bytes;

use super::status;

/// Calls at once that need no key: health checks, watches of it, and reflection, which load balancers and engineers make.
/// They can last, so that this is also what strangers can hold open.
const OPEN_CALLS: usize = 256;
/// The longest silence of a caller in the middle of its request.
const SILENCE: Duration = Duration::from_secs(60);

/// Places for calls.
#[derive(Clone)]
pub(super) struct Places {
    calls: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(calls: usize) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(calls)),
            open: Arc::new(Semaphore::new(OPEN_CALLS)),
        }
    }

    /// A place for a call of somebody who is known.
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, Status> {
        take(&self.calls)
    }

    /// A place for a call that anybody may make.
    pub(super) fn take_open(&self) -> Result<OwnedSemaphorePermit, Status> {
        take(&self.open)
    }
}

fn take(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Status> {
    let place = Arc::clone(places).try_acquire_owned();
    place.map_err(|_| status::overloaded("more calls are under way than the server takes"))
}

/// An answer on its way; its call has its place until the caller has taken it.
pub(super) struct Held {
    answer: Body,
    _place: OwnedSemaphorePermit,
}

impl Held {
    pub(super) fn body(answer: Body, place: OwnedSemaphorePermit) -> Body {
        if answer.is_end_stream() {
            return answer;
        }
        Body::new(Self { answer, _place: place })
    }
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.answer).poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

/// A request on its way: a caller who falls silent in the middle is given up.
pub(super) struct Patient {
    request: Body,
    gives_up: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Patient {
    pub(super) fn body(request: Body) -> Body {
        let gives_up = Box::pin(tokio::time::sleep(SILENCE));
        Body::new(Self {
            request,
            gives_up,
            is_waiting: false,
        })
    }
}

impl http_body::Body for Patient {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.request).poll_frame(task);
        if frame.is_ready() {
            self.is_waiting = false;
            return frame;
        }
        // The time that the server takes for what it has got is not the caller's.
        if !self.is_waiting {
            self.is_waiting = true;
            self.gives_up.as_mut().reset(Instant::now() + SILENCE);
        }
        match self.gives_up.as_mut().poll(task) {
            Poll::Ready(()) => Poll::Ready(Some(Err(status::request_stalled()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.request.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.request.size_hint()
    }
}
