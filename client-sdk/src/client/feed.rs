//! The stream of all entries, and how it goes on when it breaks off.

use std::time::Duration;

use loyalty_api::v1;
use tokio::time::{sleep, timeout};
use tonic::{Request, Status, Streaming};

use super::Client;
use crate::{
    error::{self, Error},
    feed::{FeedBatch, FeedRequest},
    retry,
};

/// Silence after which a stream is taken for lost; a server that is there says so every 10 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

impl Client {
    /// All entries of the merchant, each member's in the order they were written: what the feed holds now, or, when the
    /// request says [`follow`](FeedRequest::follow), also whatever comes after.
    ///
    /// Does not wait for the server: the first [`next`](EntryFeed::next) does.
    ///
    /// ```no_run
    /// # async fn book(client: loyalty_sdk::Client, kept: loyalty_sdk::FeedCursor) -> Result<(), loyalty_sdk::Error> {
    /// use loyalty_sdk::FeedRequest;
    ///
    /// let mut feed = client.stream_entries(&FeedRequest::after(kept).follow());
    /// while let Some(batch) = feed.next().await? {
    ///     for entry in &batch.entries {
    ///         println!("{} {} {}", entry.member_id, entry.sequence, entry.points);
    ///     }
    ///     // … and keep `batch.cursor`, in the same transaction as what was made of the entries.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_entries(&self, request: &FeedRequest) -> EntryFeed {
        EntryFeed {
            client: self.clone(),
            request: request.clone(),
            stream: None,
            attempts: 0,
            is_over: false,
        }
    }
}

/// All entries of a merchant, batch by batch. When the stream breaks off it goes on behind the batch that was given out
/// last: nothing is left out and nothing comes twice.
#[derive(Debug)]
pub struct EntryFeed {
    client: Client,
    /// With the cursor of the batch that was given out last.
    request: FeedRequest,
    stream: Option<Streaming<v1::StreamEntriesResponse>>,
    /// Since the last message.
    attempts: u32,
    is_over: bool,
}

impl EntryFeed {
    /// The next batch; `None` at the end, which a feed that follows does not have.
    ///
    /// A future that is dropped takes no batch along. After an error the feed can be asked again: it goes on behind the
    /// last batch.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the cursor is not one of this merchant, or ahead of the feed; a failure when the
    /// stream could not be taken up again within the attempts of the client's retry policy.
    pub async fn next(&mut self) -> Result<Option<FeedBatch>, Error> {
        loop {
            if self.is_over {
                return Ok(None);
            }
            let status = match self.message().await {
                Ok(Some(message)) => {
                    self.attempts = 0;
                    let batch = FeedBatch::from_wire(message)?;
                    self.request.cursor = Some(batch.cursor.clone());
                    return Ok(Some(batch));
                }
                Ok(None) => {
                    self.is_over = true;
                    continue;
                }
                Err(status) => status,
            };
            self.stream = None;
            self.attempts = self.attempts.saturating_add(1);
            match self.client.retry.pause_after(self.attempts, &status) {
                Some(pause) => sleep(pause).await,
                None => {
                    let attempts = std::mem::take(&mut self.attempts);
                    return Err(error::from_status(&status, attempts, None));
                }
            }
        }
    }

    /// The request with which another feed goes on where this one is.
    pub fn position(&self) -> &FeedRequest {
        &self.request
    }

    async fn message(&mut self) -> Result<Option<v1::StreamEntriesResponse>, Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let mut ledger = self.client.raw_ledger();
                let begin = ledger.stream_entries(Request::new(self.request.to_wire()));
                let limit = self.client.retry.limit_of_attempt().min(self.client.deadline);
                let begun = timeout(limit, begin).await;
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
