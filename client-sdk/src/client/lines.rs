//! The servers of a client, in the order in which they are preferred, and which of them is away.
//!
//! Calls go to the first that is not away. One that fails is away until it says that it serves: a task asks it, first after
//! about a second, then less and less often, so that a till comes back to the preferred server by itself, no sale waits for
//! a server that is still away, and many tills do not come back at one instant.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{sleep, timeout};
use tonic::{Code, Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel};
use tonic_prost::ProstCodec;

use crate::retry;

/// The pause before a server that is away is asked for the first time, doubled for each further one …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long a server may take to say that it serves.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// The call of every gRPC server that tells whether it serves.
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// `SERVING` in its answer.
const SERVING: i32 = 1;

/// The servers of a client.
#[derive(Debug)]
pub(crate) struct Lines {
    preferred: Line,
    /// In the order in which they are preferred.
    others: Vec<Line>,
    /// The one to try where all are away.
    next: AtomicUsize,
}

/// A server, and the connection to it.
#[derive(Debug)]
struct Line {
    endpoint: String,
    channel: Channel,
    is_away: AtomicBool,
    /// Whether a task asks it.
    is_asked: AtomicBool,
    /// How often it failed since a call went well.
    failures: AtomicU32,
}

impl Lines {
    /// Connections to servers.
    pub(crate) fn new(preferred: (String, Channel), others: Vec<(String, Channel)>) -> Arc<Self> {
        Arc::new(Self {
            preferred: Line::new(preferred),
            others: others.into_iter().map(Line::new).collect(),
            next: AtomicUsize::new(0),
        })
    }

    fn all(&self) -> impl Iterator<Item = &Line> {
        std::iter::once(&self.preferred).chain(&self.others)
    }

    fn line(&self, place: usize) -> &Line {
        self.all().nth(place).unwrap_or(&self.preferred)
    }

    /// The place of the server that calls go to now.
    pub(crate) fn current(&self) -> usize {
        self.all()
            .position(|line| !line.is_away.load(Ordering::Relaxed))
            .unwrap_or_else(|| self.next.load(Ordering::Relaxed))
    }

    /// The connection to the server in this place.
    pub(super) fn channel(&self, place: usize) -> Channel {
        self.line(place).channel.clone()
    }

    /// Where the server in this place is.
    pub(super) fn endpoint(&self, place: usize) -> &str {
        &self.line(place).endpoint
    }

    /// A server answered a call.
    pub(crate) fn answered(&self, place: usize) {
        let line = self.line(place);
        line.is_away.store(false, Ordering::Relaxed);
        line.failures.store(0, Ordering::Relaxed);
    }

    /// A call to a server ended in `status`. Whether another server should be tried at once: this one is away, and that one
    /// is not.
    pub(crate) fn ended(self: &Arc<Self>, place: usize, status: &Status, had_its_time: bool) -> bool {
        if self.others.is_empty() {
            return false;
        }
        if !tells_that_it_is_away(status, had_its_time) {
            // A refusal is an answer too.
            if !retry::is_timeout(status) {
                self.answered(place);
            }
            return false;
        }
        let next = (place + 1) % (self.others.len() + 1);
        // Unless another call has turned to the next one already.
        let _ = self
            .next
            .compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
        let line = self.line(place);
        if !line.is_away.swap(true, Ordering::Relaxed) {
            line.failures.fetch_add(1, Ordering::Relaxed);
            if !line.is_asked.swap(true, Ordering::Relaxed) {
                tokio::spawn(ask(Arc::downgrade(self), place));
            }
        }
        self.all().any(|line| !line.is_away.load(Ordering::Relaxed))
    }
}

impl Line {
    fn new((endpoint, channel): (String, Channel)) -> Self {
        Self {
            endpoint,
            channel,
            is_away: AtomicBool::new(false),
            is_asked: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        }
    }

    /// Whether nobody has to ask it any more.
    fn is_back(&self) -> bool {
        if self.is_away.load(Ordering::Relaxed) {
            return false;
        }
        self.is_asked.store(false, Ordering::Relaxed);
        // It may have failed again meanwhile, and nobody been sent to ask it.
        !self.is_away.load(Ordering::Relaxed) || self.is_asked.swap(true, Ordering::Relaxed)
    }
}

/// Asks a server, until it serves or nobody wants to know.
async fn ask(lines: Weak<Lines>, place: usize) {
    let mut asked = 0;
    loop {
        let Some((channel, failures)) = lines.upgrade().map(|lines| {
            let line = lines.line(place);
            (line.channel.clone(), line.failures.load(Ordering::Relaxed))
        }) else {
            return;
        };
        let doublings = failures.saturating_sub(1).saturating_add(asked);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings));
        sleep(retry::random_part_of(pause.min(LONGEST_PAUSE))).await;
        let serves = timeout(ANSWER_LIMIT, serves(channel)).await.unwrap_or(false);
        let Some(lines) = lines.upgrade() else {
            return;
        };
        let line = lines.line(place);
        if serves {
            line.is_away.store(false, Ordering::Relaxed);
        }
        if line.is_back() {
            return;
        }
        asked += 1;
    }
}

/// Whether a server says that it serves; one that does not know the question does.
async fn serves(channel: Channel) -> bool {
    let mut client = Grpc::new(channel);
    if client.ready().await.is_err() {
        return false;
    }
    // An empty message asks for the whole server; the answer is a message of one number.
    let codec = ProstCodec::<(), i32>::default();
    let path = PathAndQuery::from_static(HEALTH);
    match client.unary(Request::new(()), path, codec).await {
        Ok(answer) => answer.into_inner() == SERVING,
        Err(status) => status.code() == Code::Unimplemented,
    }
}

/// Whether a call that ended so says that its server is away. Time that ran out says so only where the attempt had all of
/// its own.
fn tells_that_it_is_away(status: &Status, had_its_time: bool) -> bool {
    match retry::is_timeout(status) {
        true => had_its_time,
        false => status.code() == Code::Unavailable || retry::is_transport_failure(status),
    }
}

#[cfg(test)]
mod tests {
    use tonic::transport::Endpoint;

    use super::*;

    fn lines(count: usize) -> Arc<Lines> {
        let nobody = Endpoint::from_static("http://127.0.0.1:9");
        let line = |place: usize| (place.to_string(), nobody.connect_lazy());
        Lines::new(line(0), (1..count).map(line).collect())
    }

    #[tokio::test]
    async fn the_first_server_that_is_not_away_is_called() {
        let lines = lines(3);
        let away = Status::unavailable("");

        assert_eq!(lines.current(), 0);
        assert!(lines.ended(0, &away, true));
        assert_eq!(lines.current(), 1);
        assert!(lines.ended(0, &away, true), "another caller that was on its way");
        assert_eq!(lines.current(), 1);
        assert!(lines.ended(1, &away, true));
        assert_eq!(lines.current(), 2);
        lines.answered(0);
        assert_eq!(lines.current(), 0);
        assert_eq!(lines.endpoint(0), "0");
    }

    #[tokio::test]
    async fn where_all_are_away_each_is_tried_in_turn() {
        let lines = lines(3);
        let away = Status::unavailable("");
        lines.ended(0, &away, true);
        lines.ended(1, &away, true);

        assert!(!lines.ended(2, &away, true), "none is left to try at once");
        let mut tried = Vec::new();
        for _ in 0..4 {
            tried.push(lines.current());
            lines.ended(lines.current(), &away, true);
        }

        assert_eq!(tried, [0, 1, 2, 0]);
    }

    #[tokio::test]
    async fn refusals_and_short_deadlines_say_nothing_about_a_server() {
        let lines = lines(2);

        assert!(!lines.ended(0, &Status::failed_precondition(""), true));
        assert!(!lines.ended(0, &Status::resource_exhausted(""), true));
        assert!(!lines.ended(0, &Status::deadline_exceeded(""), false));
        assert_eq!(lines.current(), 0);
        assert!(lines.ended(0, &Status::deadline_exceeded(""), true));
        assert_eq!(lines.current(), 1);
    }

    #[tokio::test]
    async fn the_only_server_is_called_whatever_happened() {
        let lines = lines(1);

        assert!(!lines.ended(0, &Status::unavailable(""), true));
        assert_eq!(lines.current(), 0);
    }
}
