//! The schedule by which lapsed points are written off.

use loyalty_api::v1 as wire;

use super::{decimal, timestamp};
use crate::domain::expiry_schedule::{ExpiryCounts, ExpirySchedule};

/// A schedule on the wire.
pub(in crate::grpc) fn schedule(schedule: ExpirySchedule) -> wire::ExpirySchedule {
    wire::ExpirySchedule {
        period_seconds: schedule.period_seconds.unwrap_or_default(),
        next_run_at: schedule.next_run_at.map(timestamp),
        last_run: schedule.last_run.map(|run| wire::ExpiryRun {
            started_at: Some(timestamp(run.started_at)),
            finished_at: run.finished_at.map(timestamp),
            counts: Some(counts(run.counts)),
        }),
    }
}

/// What a run wrote off, on the wire.
pub(in crate::grpc) fn counts(counts: ExpiryCounts) -> wire::ExpiryCounts {
    wire::ExpiryCounts {
        members: counts.members,
        lots: counts.lots,
        points: decimal(counts.points),
    }
}
