//! Calls of the ProgramService that move lots to the expiry which their program has by now.

use std::time::Duration;

use loyalty_api::v1;
use tokio::time::timeout;
use tonic::{Request, Status};

use super::{Client, resuming::Resuming};
use crate::{
    error::{self, Error},
    expiry_change::{ExpiryChange, ExpiryChangeCounts, ExpiryForecast},
    id::RequestId,
    retry,
    wire::present,
};

/// Silence after which a run is taken for lost; one that goes on says so every second.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

impl Client {
    /// What a move of lots to the expiry of their program would do, and what would lapse within so many days (0: 30).
    /// `progress` is told how many members are done; when the stream breaks off it goes on behind them.
    ///
    /// # Errors
    ///
    /// [`Error::ProgramNotFound`], [`Error::InvalidFields`] when the days are too many.
    pub async fn preview_expiry_policy(
        &self,
        change: &ExpiryChange,
        within_days: u32,
        mut progress: impl FnMut(u64),
    ) -> Result<ExpiryForecast, Error> {
        let mut forecast = ExpiryForecast::default();
        let mut resume_token = String::new();
        let mut stream: Resuming<v1::PreviewExpiryPolicyResponse> = Resuming::new();
        loop {
            let begin = || {
                let mut programs = self.raw_programs();
                let message = Request::new(change.to_preview(within_days, &resume_token));
                async move { programs.preview_expiry_policy(message).await }
            };
            let Some(part) = stream.next(self, begin).await? else {
                return Ok(forecast);
            };
            resume_token.clone_from(&part.resume_token);
            forecast.add(part)?;
            progress(forecast.members);
        }
    }

    /// Moves the lots that members have to the expiry which their program has by now, and waits until it is done. `etag` is
    /// the program's, as the preview told it. `progress` is told every second what was done so far.
    ///
    /// # Errors
    ///
    /// [`Error::ProgramNotFound`], [`Error::EtagMismatch`] when the program's settings have changed since. After a failure the
    /// run stands still with what it did; the same call with the same `request_id` takes it up again.
    pub async fn apply_expiry_policy(
        &self,
        change: &ExpiryChange,
        etag: &str,
        mut progress: impl FnMut(ExpiryChangeCounts),
    ) -> Result<ExpiryChangeCounts, Error> {
        let request_id = change.request_id.clone().unwrap_or_else(RequestId::generate);
        let failed = |status: Status| error::from_status(&status, 1, Some(request_id.clone()));
        let request = Request::new(change.to_wire(request_id.to_string(), etag));
        let mut programs = self.raw_programs();
        let answer = programs.apply_expiry_policy(request).await.map_err(failed)?;
        let mut stream = answer.into_inner();
        loop {
            let message = match timeout(LONGEST_SILENCE, stream.message()).await {
                Ok(message) => message.map_err(failed)?,
                Err(_) => return Err(failed(retry::no_answer(LONGEST_SILENCE))),
            };
            let message = present("done", message)?;
            let counts = ExpiryChangeCounts::from_wire(message.counts)?;
            if message.done {
                return Ok(counts);
            }
            progress(counts);
        }
    }
}
