//! The calls of LedgerService about the writing off of lapsed points.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::streaming::{Outlet, Told};
use super::{Context, convert, status};
use crate::domain::answer::Answer;
use crate::domain::expiry_schedule::ExpiryCounts;
use crate::jobs::Jobs;
use crate::jobs::expiry::Sweep;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::expiry_schedule;

/// Seconds between two runs: no more often than a minute, which is what one over many members takes, and a month.
const PERIODS: RangeInclusive<u32> = 60..=2_678_400;
/// How often a caller is told how far a run is.
const TELL: Duration = Duration::from_secs(1);
/// How often is looked whether the run of another server is over.
const LOOK: Duration = Duration::from_millis(100);

/// The schedule of the caller's merchant.
pub(super) async fn schedule(context: &Context) -> Result<wire::GetExpiryScheduleResponse, Status> {
    let merchant_id = caller(context).merchant_id;
    let found = context
        .database
        .run(move |connection| Box::pin(async move { expiry_schedule::find(connection, merchant_id).await }));
    let schedule = found.await.map_err(|error| status::storage(&error))?;
    Ok(wire::GetExpiryScheduleResponse {
        schedule: Some(convert::expiry::schedule(schedule)),
    })
}

/// Changes the schedule of the caller's merchant.
pub(super) async fn set_schedule(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::SetExpiryScheduleRequest,
) -> Result<wire::SetExpiryScheduleResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let period = request.period_seconds;
    if period != 0 && !PERIODS.contains(&period) {
        let (least, most) = (PERIODS.start(), PERIODS.end());
        fields.wrong("period_seconds", format!("must be 0, or {least} to {most}"));
    }
    fields.finish(())?;

    let change = Change {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash: content_hash("SetExpirySchedule", &period).map_err(|_| status::internal())?,
        actor,
        now: (context.clock)(),
        program_id: String::new(),
        action: ChangeAction::SetExpirySchedule {
            period_seconds: (period != 0).then_some(period),
        },
    };
    let decision = configuration::apply(&context.database, change)
        .await
        .map_err(|error| status::posting(&error))?;
    let Answer::ExpirySchedule(schedule) = decision.map_err(|refusal| status::refusal(&refusal))?.answer else {
        return Err(status::internal());
    };
    Ok(wire::SetExpiryScheduleResponse {
        schedule: Some(convert::expiry::schedule(*schedule)),
    })
}

/// Starts a run, and tells how far it is.
pub(super) fn run(context: &Arc<Context>) -> Result<Told<wire::RunExpiryResponse>, Status> {
    let merchant_id = caller(context).merchant_id;
    let jobs = Arc::clone(&context.jobs);
    context
        .streams
        .start(|outlet| async move { tell_run(&jobs, merchant_id, outlet).await })
}

async fn tell_run(jobs: &Jobs, merchant_id: u32, mut outlet: Outlet<wire::RunExpiryResponse>) -> Result<(), Status> {
    let mut told = Instant::now();
    let mut sweep = loop {
        if let Some(sweep) = Sweep::begin(jobs, merchant_id)
            .await
            .map_err(|error| status::job(&error))?
        {
            break sweep;
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            outlet.send(message(ExpiryCounts::default(), false)).await?;
        }
        outlet.pause(LOOK).await?;
    };
    let outcome = loop {
        match sweep.step().await {
            Ok(true) if told.elapsed() > TELL => {
                told = Instant::now();
                if let Err(gone) = outlet.send(message(sweep.counts(), false)).await {
                    break Err(gone);
                }
            }
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(status::job(&error)),
        }
    };
    let ended = sweep.end(outcome.is_ok()).await;
    outcome?;
    let counts = ended.map_err(|error| status::job(&error))?;
    outlet.send(message(counts, true)).await
}

fn message(counts: ExpiryCounts, done: bool) -> wire::RunExpiryResponse {
    wire::RunExpiryResponse {
        counts: Some(convert::expiry::counts(counts)),
        done,
    }
}
