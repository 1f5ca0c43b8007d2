//! Calls of the LedgerService about the writing off of lapsed points.

use std::time::Duration;

use loyalty_api::v1;
use tokio::time::timeout;
use tonic::{Request, Status};

use super::{Client, attempt};
use crate::{
    error::{self, Error},
    expiry::{ExpiryCounts, ExpirySchedule},
    retry,
    wire::present,
};

/// Silence after which a run is taken for lost; one that goes on says so every second.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

impl Client {
    /// When lapsed points are written off by themselves, and what the last run did.
    ///
    /// # Errors
    ///
    /// Failures only.
    pub async fn get_expiry_schedule(&self) -> Result<ExpirySchedule, Error> {
        let message = v1::GetExpiryScheduleRequest {};
        let answer = self
            .read(message, attempt!(self.raw_ledger(), get_expiry_schedule))
            .await?;
        ExpirySchedule::from_wire(present("schedule", answer.schedule)?)
    }

    /// Changes how often lapsed points are written off by themselves: every minute to every 31 days, in whole seconds;
    /// `None`: only when it is asked for. The next run comes after that time.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the period is out of its bounds.
    pub async fn set_expiry_schedule(&self, period: Option<Duration>) -> Result<ExpirySchedule, Error> {
        let seconds = period.map_or(0, |period| period.as_secs().max(1));
        let message = |request_id| v1::SetExpiryScheduleRequest {
            request_id,
            period_seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
        };
        let answer = self
            .write(message, attempt!(self.raw_ledger(), set_expiry_schedule))
            .await?;
        ExpirySchedule::from_wire(present("schedule", answer.schedule)?)
    }

    /// Writes off what has lapsed of all members of the merchant, now, and waits until it is done: seconds for tens of
    /// thousands of members. While another run goes on, it waits for its end first.
    ///
    /// # Errors
    ///
    /// Failures only. What was written off before one stays so; called again, the run goes on with what is left.
    pub async fn run_expiry(&self) -> Result<ExpiryCounts, Error> {
        self.run_expiry_with_progress(|_| {}).await
    }

    /// The same, and tells every second what was written off so far.
    ///
    /// # Errors
    ///
    /// As [`run_expiry`](Self::run_expiry).
    pub async fn run_expiry_with_progress(
        &self,
        mut progress: impl FnMut(ExpiryCounts),
    ) -> Result<ExpiryCounts, Error> {
        let failed = |status: Status| error::from_status(&status, 1, None);
        let request = Request::new(v1::RunExpiryRequest {});
        let mut stream = self
            .raw_ledger()
            .run_expiry(request)
            .await
            .map_err(failed)?
            .into_inner();
        loop {
            let message = match timeout(LONGEST_SILENCE, stream.message()).await {
                Ok(message) => message.map_err(failed)?,
                Err(_) => return Err(failed(retry::no_answer(LONGEST_SILENCE))),
            };
            let message = present("done", message)?;
            let counts = ExpiryCounts::from_wire(message.counts)?;
            if message.done {
                return Ok(counts);
            }
            progress(counts);
        }
    }
}
