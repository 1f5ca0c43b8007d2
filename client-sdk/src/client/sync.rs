//! The call with which a till that had no line catches up.

use std::time::Duration;

use loyalty_api::v1;
use tokio::time::{sleep, timeout};
use tonic::{Request, Status};

use super::{ACTOR_HEADER, Client};
use crate::{
    error::{self, Error},
    retry,
    sync::{QueuedOperation, SyncOutcome},
};

/// Silence after which a server is taken for lost: longer than any write waits for its database.
const LONGEST_SILENCE: Duration = Duration::from_secs(35);

impl Client {
    /// Takes a queue of operations in order, and tells of each what became of it: carried out, carried out before, or
    /// refused, which does not keep the others from being carried out. The answers are in the order of the queue, which
    /// counts from 0.
    ///
    /// Takes as long as the queue needs, whatever the deadline of the client; when the line breaks, it goes on behind the
    /// last answer, at [another server](crate::ClientBuilder::fallback) where there is one. Nothing of the queue is ever
    /// carried out before what is in front of it was answered or could be.
    ///
    /// # Errors
    ///
    /// Failures only. What was carried out before one stays so: send the same queue, with the same request ids, again.
    pub async fn sync_sales(&self, queue: &[QueuedOperation]) -> Result<Vec<SyncOutcome>, Error> {
        let messages = queue.iter().zip(0..);
        let messages: Vec<_> = messages
            .map(|(operation, position)| operation.to_wire(position))
            .collect();
        let mut outcomes = Vec::with_capacity(messages.len());
        self.sync(messages, |answer| {
            outcomes.push(SyncOutcome::from_wire(answer)?);
            Ok(())
        })
        .await?;
        Ok(outcomes)
    }

    /// Sends a queue until all of it is answered; `told` hears of each answer, in order, once. An error of its own ends
    /// it.
    pub(crate) async fn sync<E: From<Error>>(
        &self,
        messages: Vec<v1::SyncSalesRequest>,
        mut told: impl FnMut(v1::SyncSalesResponse) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut answered, mut attempts) = (0, 0);
        while answered < messages.len() {
            let (before, line) = (answered, self.lines.current());
            let ended = self.sync_once(&messages, &mut answered, &mut told).await?;
            let Err(status) = ended else {
                self.lines.answered(line);
                continue;
            };
            let is_another_there = self.lines.ended(line, &status, true);
            attempts = if answered > before { 1 } else { attempts + 1 };
            match self.retry.pause_after(attempts, &status) {
                Some(_) if is_another_there => {}
                Some(pause) => sleep(pause).await,
                None => return Err(error::from_status(&status, attempts, None).into()),
            }
        }
        Ok(())
    }

    async fn sync_once<E: From<Error>>(
        &self,
        messages: &[v1::SyncSalesRequest],
        answered: &mut usize,
        told: &mut impl FnMut(v1::SyncSalesResponse) -> Result<(), E>,
    ) -> Result<Result<(), Status>, E> {
        let left = messages.get(*answered..).unwrap_or_default().to_vec();
        let mut request = Request::new(tokio_stream::iter(left));
        if let Some(actor) = self.actor_header()? {
            request.metadata_mut().insert(ACTOR_HEADER, actor);
        }
        let limit = self.retry.limit_of_attempt().min(LONGEST_SILENCE);
        let mut ledger = self.raw_ledger();
        let mut answers = match timeout(limit, ledger.sync_sales(request)).await {
            Ok(Ok(answers)) => answers.into_inner(),
            Ok(Err(status)) => return Ok(Err(status)),
            Err(_) => return Ok(Err(retry::no_answer(limit))),
        };
        while let Some(expected) = messages.get(*answered) {
            let answer = match timeout(LONGEST_SILENCE, answers.message()).await {
                Ok(Ok(Some(answer))) => answer,
                Ok(Ok(None)) => return Ok(Err(Status::unavailable("the queue was not answered to its end"))),
                Ok(Err(status)) => return Ok(Err(status)),
                Err(_) => return Ok(Err(retry::no_answer(LONGEST_SILENCE))),
            };
            // A line that says things twice can say anything: on another one the rest is asked for again.
            if answer.position != expected.position {
                return Ok(Err(Status::unavailable(format!(
                    "operation {} was answered in the place of {}",
                    answer.position, expected.position
                ))));
            }
            told(answer)?;
            *answered += 1;
        }
        Ok(Ok(()))
    }
}
