//! When a call is tried again: after failures that pass by themselves, with growing random pauses, inside the deadline of
//! the whole operation.
//!
//! Reads are harmless to repeat, and writes carry a request id, so both are tried again even when the outcome of the
//! attempt before is not known.

use std::{error::Error as _, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Request, Response, Status, TimeoutExpired};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::client::Lines;

/// Trailer with which a server delays (milliseconds) or forbids (anything else) the next attempt; gRPC's proposal A6.
const PUSHBACK_TRAILER: &str = "grpc-retry-pushback-ms";

/// A day is longer than any till waits, and short enough for every clock and for gRPC's eight digits of timeout.
const LONGEST_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// How often and how soon a call is tried again.
///
/// The pause before the n-th retry is random between zero and `initial_backoff` × 2ⁿ⁻¹, at most `max_backoff` ("full
/// jitter"), plus the delay that the server asked for, if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RetryPolicy {
    attempts: u32,
    attempt_timeout: Duration,
    initial_backoff: Duration,
    max_backoff: Duration,
}

impl Default for RetryPolicy {
    /// At most 10 attempts of at most 5 s each, with pauses up to 100 ms, 200 ms, … 2 s.
    ///
    /// Half of 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 4 × 2 is 5.5 s: on average as long as a server takes to restart, and inside
    /// the default deadline of 10 s. Two attempts that hang fit into it as well.
    fn default() -> Self {
        Self {
            attempts: 10,
            attempt_timeout: Duration::from_secs(5),
            initial_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
        }
    }
}

impl RetryPolicy {
    /// One attempt, as long as the deadline of the operation lasts.
    pub fn never() -> Self {
        Self::default().attempts(1).attempt_timeout(LONGEST_DEADLINE)
    }

    /// How many attempts at most, the first included; 0 means 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long one attempt may take before the next one starts.
    pub fn attempt_timeout(mut self, attempt_timeout: Duration) -> Self {
        self.attempt_timeout = attempt_timeout;
        self
    }

    /// The longest pause before the first retry, doubled for each further one, and the limit of that doubling.
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        self.initial_backoff = initial;
        self.max_backoff = max;
        self
    }

    /// The pause after attempt number `attempt`, which ended in `status`; `None` when there is no next.
    pub(crate) fn pause_after(&self, attempt: u32, status: &Status) -> Option<Duration> {
        self.pause(attempt, status, random())
    }

    /// How long one attempt may take.
    pub(crate) fn limit_of_attempt(&self) -> Duration {
        self.attempt_timeout
    }

    /// The pause between attempt number `attempt`, which ended in `status`, and the next; `None` when there is no next.
    fn pause(&self, attempt: u32, status: &Status, random: u64) -> Option<Duration> {
        if attempt >= self.attempts || !passes_by_itself(status) {
            return None;
        }
        let backoff = self.backoff_before_retry(attempt, random);
        match asked_delay(status) {
            AskedDelay::Never => None,
            // The backoff on top keeps callers that were told the same from coming back at the same instant.
            AskedDelay::AtLeast(delay) => Some(delay.saturating_add(backoff)),
            AskedDelay::Unsaid => Some(backoff),
        }
    }

    fn backoff_before_retry(&self, retry: u32, random: u64) -> Duration {
        let doubled = 2_u32.saturating_pow(retry.saturating_sub(1));
        let longest = self.initial_backoff.saturating_mul(doubled).min(self.max_backoff);
        let longest_micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX - 1);
        Duration::from_micros(random % (longest_micros.saturating_add(1)))
    }
}

/// What ended a call without an answer.
#[derive(Debug)]
pub(crate) struct GaveUp {
    /// The end of the last attempt.
    pub(crate) status: Status,
    /// How many there were.
    pub(crate) attempts: u32,
}

/// Sends `message` until there is an answer, a refusal, or no reason to try again before `deadline` is over: at once where
/// another server is there.
pub(crate) async fn run<M, A, F>(
    lines: &Arc<Lines>,
    policy: &RetryPolicy,
    deadline: Duration,
    message: M,
    send: impl Fn(Request<M>) -> F,
) -> Result<A, GaveUp>
where
    M: Clone,
    F: Future<Output = Result<Response<A>, Status>>,
{
    let end = Instant::now() + deadline.min(LONGEST_DEADLINE);
    let mut attempts = 1;
    loop {
        // The one that `send` calls, unless others find out at this very moment that it is away.
        let line = lines.current();
        let limit = policy.attempt_timeout.min(time_until(end));
        let mut request = Request::new(message.clone());
        request.set_timeout(limit);
        let status = match timeout(limit, send(request)).await {
            Ok(Ok(answer)) => {
                lines.answered(line);
                return Ok(answer.into_inner());
            }
            Ok(Err(status)) => status,
            Err(_) => no_answer(limit),
        };

        let is_another_there = lines.ended(line, &status, limit == policy.attempt_timeout);
        match policy.pause(attempts, &status, random()) {
            // The pause is for the server that failed.
            Some(_) if is_another_there && !time_until(end).is_zero() => {}
            Some(pause) if pause < time_until(end) => sleep(pause).await,
            _ => return Err(GaveUp { status, attempts }),
        }
        attempts += 1;
    }
}

/// How an attempt ends that nobody answered in time.
pub(crate) fn no_answer(limit: Duration) -> Status {
    Status::deadline_exceeded(format!("no answer within {limit:?}"))
}

fn time_until(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

/// Whether the attempt failed on the way and not at the server: only a status that was made on this side has a source.
pub(crate) fn is_transport_failure(status: &Status) -> bool {
    status.source().is_some() && !is_timeout(status)
}

/// Whether time ran out. Timers of gRPC, on either side, end a call as CANCELLED, and nobody else cancels ours.
pub(crate) fn is_timeout(status: &Status) -> bool {
    match status.code() {
        Code::DeadlineExceeded => true,
        Code::Cancelled => match status.source() {
            Some(source) => std::iter::successors(Some(source), |error| (**error).source())
                .any(|error| error.is::<TimeoutExpired>()),
            None => true,
        },
        _ => false,
    }
}

fn passes_by_itself(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted)
        || is_timeout(status)
        || is_transport_failure(status)
}

/// What the server said about the next attempt.
#[derive(Debug, PartialEq, Eq)]
enum AskedDelay {
    Unsaid,
    AtLeast(Duration),
    Never,
}

fn asked_delay(status: &Status) -> AskedDelay {
    if let Some(trailer) = status.metadata().get(PUSHBACK_TRAILER) {
        let millis = trailer.to_str().ok().and_then(|text| text.parse::<u64>().ok());
        return millis.map_or(AskedDelay::Never, |millis| {
            AskedDelay::AtLeast(Duration::from_millis(millis))
        });
    }
    let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
    delay.map_or(AskedDelay::Unsaid, AskedDelay::AtLeast)
}

/// The delay that a server asked for.
pub(crate) fn retry_delay(status: &Status) -> Option<Duration> {
    match asked_delay(status) {
        AskedDelay::AtLeast(delay) => Some(delay),
        AskedDelay::Never | AskedDelay::Unsaid => None,
    }
}

/// Between half of a pause and all of it.
pub(crate) fn random_part_of(pause: Duration) -> Duration {
    let half_micros = u64::try_from(pause.as_micros() / 2).unwrap_or(u64::MAX - 1);
    Duration::from_micros(half_micros + random() % (half_micros + 1))
}

/// 32 random bits: from a UUIDv4, whose low half ends in them, so that no generator of our own is needed.
fn random() -> u64 {
    Uuid::new_v4().as_u64_pair().1 & u64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
