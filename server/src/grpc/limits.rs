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
/// What is kept of messages that have begun to come and are not whole, of all callers together, in units of 1,024 bytes: 8
/// MiB are four of the longest messages, or a sale each of 4,096 tills twice over. The buffers that messages grow in take
/// several times as much.
const UNFINISHED: usize = 8 << 10;
const UNIT_BYTES: usize = 1_024;
/// In front of each message: whether it is compressed, and its length.
const HEAD_BYTES: usize = 5;

/// Places for calls.
#[derive(Clone)]
pub(super) struct Places {
    calls: Arc<Semaphore>,
    open: Arc<Semaphore>,
    unfinished: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(calls: usize) -> Self {
        Self {
            calls: Arc::new(Semaphore::new(calls)),
            open: Arc::new(Semaphore::new(OPEN_CALLS)),
            unfinished: Arc::new(Semaphore::new(UNFINISHED)),
        }
    }

    /// The request of a caller, held to what may be kept of it and to going on.
    pub(super) fn hold(&self, request: Body) -> Body {
        Body::new(Patient {
            request,
            gives_up: Box::pin(tokio::time::sleep(SILENCE)),
            is_waiting: false,
            message: Unfinished::default(),
            kept: None,
            room: Arc::clone(&self.unfinished),
        })
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

/// The message of a request that is coming.
#[derive(Default)]
struct Unfinished {
    head: [u8; HEAD_BYTES],
    head_length: usize,
    missing: usize,
    received: usize,
}

impl Unfinished {
    /// Takes what has come; how much of it belongs to a message that is not whole.
    fn take(&mut self, mut bytes: &[u8]) -> usize {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.missing == 0 {
                if let Some(place) = self.head.get_mut(self.head_length) {
                    *place = *byte;
                }
                self.head_length += 1;
                bytes = rest;
                if self.head_length == HEAD_BYTES {
                    let [_, a, b, c, d] = self.head;
                    self.missing = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                    (self.head_length, self.received) = (0, 0);
                }
                continue;
            }
            let taken = self.missing.min(bytes.len());
            bytes = bytes.get(taken..).unwrap_or_default();
            self.missing -= taken;
            self.received += taken;
        }
        if self.missing == 0 { 0 } else { self.received }
    }
}

/// A request on its way: a caller who falls silent in the middle is given up, and one whose message finds no room is told
/// to come back.
struct Patient {
    request: Body,
    gives_up: Pin<Box<Sleep>>,
    is_waiting: bool,
    message: Unfinished,
    kept: Option<OwnedSemaphorePermit>,
    room: Arc<Semaphore>,
}

impl Patient {
    /// Makes room for what has come.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Status> {
        let wanted = self.message.take(bytes).div_ceil(UNIT_BYTES);
        let has = self.kept.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted <= has {
            if let Some(kept) = &mut self.kept {
                drop(kept.split(has - wanted));
            }
            return Ok(());
        }
        let more = u32::try_from(wanted - has).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.room).try_acquire_many_owned(more);
        let more = more.map_err(|_| status::overloaded("more of long messages is under way than the server keeps"))?;
        match &mut self.kept {
            Some(kept) => kept.merge(more),
            None => self.kept = Some(more),
        }
        Ok(())
    }
}

impl http_body::Body for Patient {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = Pin::new(&mut self.request).poll_frame(task);
        if let Poll::Ready(frame) = frame {
            self.is_waiting = false;
            if let Some(Ok(frame)) = &frame
                && let Some(bytes) = frame.data_ref()
            {
                self.keep(bytes)?;
            }
            return Poll::Ready(frame);
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
