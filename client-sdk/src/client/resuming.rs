//! Streams that are taken up again when they break off.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tonic::{Response, Status, Streaming};

use super::Client;
use crate::{
    error::{self, Error},
    retry,
};

/// Silence after which a stream is taken for lost; a server that is there says something every 10 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// A stream of messages, each of which says where the next stream goes on.
#[derive(Debug)]
pub(super) struct Resuming<A> {
    stream: Option<Streaming<A>>,
    /// The place of the server that it comes from.
    line: usize,
    /// Since the last message.
    attempts: u32,
    is_over: bool,
}

impl<A> Resuming<A> {
    /// A stream that is not begun.
    pub(super) fn new() -> Self {
        Self {
            stream: None,
            line: 0,
            attempts: 0,
            is_over: false,
        }
    }

    /// The next message; `None` at the end. `begin` starts a stream behind the last message. A future that is dropped
    /// takes no message along.
    pub(super) async fn next<F>(&mut self, client: &Client, begin: impl Fn() -> F) -> Result<Option<A>, Error>
    where
        F: Future<Output = Result<Response<Streaming<A>>, Status>>,
    {
        loop {
            if self.is_over {
                return Ok(None);
            }
            if self.stream.is_none() {
                self.line = client.lines.current();
            }
            let status = match self.message(client, &begin).await {
                Ok(message) => {
                    client.lines.answered(self.line);
                    self.attempts = 0;
                    self.is_over = message.is_none();
                    return Ok(message);
                }
                Err(status) => status,
            };
            self.stream = None;
            self.attempts = self.attempts.saturating_add(1);
            let is_another_there = client.lines.ended(self.line, &status, true);
            match client.retry.pause_after(self.attempts, &status) {
                Some(_) if is_another_there => {}
                Some(pause) => sleep(pause).await,
                None => {
                    let attempts = std::mem::take(&mut self.attempts);
                    return Err(error::from_status(&status, attempts, None));
                }
            }
        }
    }

    async fn message<F>(&mut self, client: &Client, begin: impl Fn() -> F) -> Result<Option<A>, Status>
    where
        F: Future<Output = Result<Response<Streaming<A>>, Status>>,
    {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let limit = client.retry.limit_of_attempt().min(client.deadline);
                let begun = timeout(limit, begin()).await;
                let begun = begun.map_err(|_| retry::no_answer(limit))?;
                empty.insert(begun?.into_inner())
            }
        };
        match timeout(LONGEST_SILENCE, stream.message()).await {
            Ok(message) => message,
            Err(_) => Err(retry::no_answer(LONGEST_SILENCE)),
        }
    }
}
