//! Does what is due by the schedules of the merchants. Every server looks; whoever comes first to a merchant does its work.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::expiry::Sweep;
use super::{JobError, Jobs, birthdays, is_stopped};
use crate::storage::expiry_schedule;

/// Merchants that are looked at in one round.
const MERCHANTS: i64 = 100;

/// Looks every `interval` until it is told to stop.
pub(super) async fn run(jobs: Arc<Jobs>, interval: Duration, mut stop: watch::Receiver<bool>) {
    let mut is_failing = false;
    loop {
        let (this, stopped) = (Arc::clone(&jobs), stop.clone());
        // In a task of its own: a fault in it ends that task, not the job, and takes the connection along.
        let round = tokio::spawn(async move {
            // What hinders the one need not hinder the other.
            let swept = round(&this, &stopped).await;
            birthdays::round(&this, &stopped).await.and(swept)
        });
        let outcome = round
            .await
            .unwrap_or_else(|error| Err(JobError::Fault(error.to_string())));
        match &outcome {
            // What lasts is told once; that it is over, too.
            Err(error) if is_failing => tracing::debug!(%error, "scheduled work fails"),
            Err(error) => tracing::warn!(%error, "scheduled work fails"),
            Ok(()) if is_failing => tracing::info!("scheduled work goes on"),
            Ok(()) => {}
        }
        is_failing = outcome.is_err();
        if is_failing {
            jobs.measures.jobs.fail("scheduler");
        }
        if tokio::time::timeout(interval, stop.changed()).await.is_ok() {
            return;
        }
    }
}

async fn round(jobs: &Jobs, stop: &watch::Receiver<bool>) -> Result<(), JobError> {
    let now = (jobs.clock)();
    let due = jobs
        .database
        .run(move |connection| Box::pin(async move { expiry_schedule::due(connection, now, MERCHANTS).await }));
    let mut outcome = Ok(());
    for merchant_id in due.await? {
        // What hinders one merchant's need not hinder the next one's.
        if let Err(error) = of_merchant(jobs, merchant_id, stop).await {
            outcome = Err(error);
        }
        if is_stopped(stop) {
            break;
        }
    }
    outcome
}

async fn of_merchant(jobs: &Jobs, merchant_id: u32, stop: &watch::Receiver<bool>) -> Result<(), JobError> {
    match Sweep::begin(jobs, merchant_id).await? {
        Some(sweep) => write_off(sweep, stop).await,
        // Another server is at it.
        None => Ok(()),
    }
}

async fn write_off(mut sweep: Sweep<'_>, stop: &watch::Receiver<bool>) -> Result<(), JobError> {
    let outcome = loop {
        match sweep.step().await {
            Ok(true) if is_stopped(stop) => break Ok(false),
            Ok(true) => {}
            Ok(false) => break Ok(true),
            Err(error) => break Err(error),
        }
    };
    let ended = sweep.end(matches!(outcome, Ok(true))).await;
    outcome?;
    ended?;
    Ok(())
}
