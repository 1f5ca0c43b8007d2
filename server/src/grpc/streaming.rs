//! Answers of many messages: they are made in a task of their own, one ahead of what the caller has taken, so that a
//! caller who is slow holds nothing but that one message, and one who hangs up ends the task.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_stream::Stream;
use tonic::Status;

use super::status;
use crate::jobs::FeedOptions;

/// Streams at once: each holds two messages of a megabyte at most.
const MOST: usize = 64;

/// How long a caller waits for a sign of a step that takes its time.
const SIGN: Duration = Duration::from_secs(2);

/// The streams of a server.
pub(crate) struct Streams {
    pub(super) options: FeedOptions,
    stopping: watch::Receiver<bool>,
    room: Arc<Semaphore>,
}

impl Streams {
    /// Streams that end when `stopping` says so.
    pub(crate) fn new(options: FeedOptions, stopping: watch::Receiver<bool>) -> Self {
        Self {
            options,
            stopping,
            room: Arc::new(Semaphore::new(MOST)),
        }
    }

    /// Starts a stream of what `tell` puts into its outlet; OVERLOADED when there are too many.
    pub(super) fn start<T, F>(&self, tell: impl FnOnce(Outlet<T>) -> F) -> Result<Told<T>, Status>
    where
        T: Send + 'static,
        F: Future<Output = Result<(), Status>> + Send + 'static,
    {
        let permit = Arc::clone(&self.room).try_acquire_owned();
        let permit = permit.map_err(|_| status::too_many_streams())?;
        let (sender, receiver) = mpsc::channel(1);
        let outlet = Outlet {
            sender: sender.clone(),
            stopping: self.stopping.clone(),
        };
        let telling = tell(outlet);
        tokio::spawn(async move {
            let last = match telling.await {
                Ok(()) => Part::End,
                Err(status) => Part::Failure(status),
            };
            // Nobody wants it when the caller has hung up.
            let _ = sender.send(last).await;
        });
        Ok(Told {
            receiver,
            is_over: false,
            _permit: permit,
        })
    }
}

/// Where the messages of a stream are put.
pub(super) struct Outlet<T> {
    sender: mpsc::Sender<Part<T>>,
    stopping: watch::Receiver<bool>,
}

impl<T> Outlet<T> {
    /// Waits until the caller has taken the message before the last one. An error when nobody takes any more.
    pub(super) async fn send(&mut self, message: T) -> Result<(), Status> {
        if *self.stopping.borrow() {
            return Err(status::stopping());
        }
        tokio::select! {
            sent = self.sender.send(Part::Message(message)) => sent.map_err(|_| hung_up()),
            _ = self.stopping.wait_for(|stops| *stops) => Err(status::stopping()),
        }
    }

    /// Waits for a step, in which the caller gets signs that it goes on.
    pub(super) async fn signs_of_life<R>(
        &mut self,
        step: impl Future<Output = R>,
        sign: impl Fn() -> T,
    ) -> Result<R, Status> {
        let mut step = pin!(step);
        loop {
            match tokio::time::timeout(SIGN, &mut step).await {
                Ok(done) => return Ok(done),
                Err(_) => self.send(sign()).await?,
            }
        }
    }

    /// Ends when nobody takes any more.
    pub(super) async fn until_over(&mut self) -> Status {
        tokio::select! {
            () = self.sender.closed() => hung_up(),
            _ = self.stopping.wait_for(|stops| *stops) => status::stopping(),
        }
    }

    /// Waits; an error when nobody takes any more.
    pub(super) async fn pause(&mut self, duration: Duration) -> Result<(), Status> {
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.sender.closed() => Err(hung_up()),
            _ = self.stopping.wait_for(|stops| *stops) => Err(status::stopping()),
        }
    }
}

/// Nobody sees it.
fn hung_up() -> Status {
    Status::cancelled("the caller hung up")
}

enum Part<T> {
    Message(T),
    End,
    Failure(Status),
}

/// The messages on their way to the caller.
pub(crate) struct Told<T> {
    receiver: mpsc::Receiver<Part<T>>,
    is_over: bool,
    _permit: OwnedSemaphorePermit,
}

impl<T> Stream for Told<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let part = ready!(self.receiver.poll_recv(task));
        self.is_over = !matches!(part, Some(Part::Message(_)));
        Poll::Ready(match part {
            Some(Part::Message(message)) => Some(Ok(message)),
            Some(Part::Failure(status)) => Some(Err(status)),
            Some(Part::End) => None,
            // The task ended by a fault: what was told is not all.
            None => Some(Err(status::internal())),
        })
    }
}
