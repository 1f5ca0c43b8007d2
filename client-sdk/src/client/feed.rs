//! The stream of all entries, and how it goes on when it breaks off.

use loyalty_api::v1;
use tonic::Request;

use super::{Client, resuming::Resuming};
use crate::{
    error::Error,
    feed::{FeedBatch, FeedRequest},
};

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
            stream: Resuming::new(),
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
    stream: Resuming<v1::StreamEntriesResponse>,
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
        let request = &self.request;
        let begin = || {
            let mut ledger = self.client.raw_ledger();
            let message = Request::new(request.to_wire());
            async move { ledger.stream_entries(message).await }
        };
        let Some(message) = self.stream.next(&self.client, begin).await? else {
            return Ok(None);
        };
        let batch = FeedBatch::from_wire(message).inspect_err(|_| self.stream = Resuming::new())?;
        self.request.cursor = Some(batch.cursor.clone());
        Ok(Some(batch))
    }

    /// The request with which another feed goes on where this one is.
    pub fn position(&self) -> &FeedRequest {
        &self.request
    }
}
