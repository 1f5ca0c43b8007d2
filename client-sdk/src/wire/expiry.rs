//! The schedule by which lapsed points are written off, on the wire.

use std::time::Duration;

use loyalty_api::v1;

use super::{decimal, instant, optional_instant, present};
use crate::{
    error::Error,
    expiry::{ExpiryCounts, ExpiryRun, ExpirySchedule},
};

impl ExpirySchedule {
    pub(crate) fn from_wire(schedule: v1::ExpirySchedule) -> Result<Self, Error> {
        let seconds = u64::from(schedule.period_seconds);
        Ok(Self {
            period: (seconds > 0).then(|| Duration::from_secs(seconds)),
            next_run_at: optional_instant("schedule.next_run_at", schedule.next_run_at)?,
            last_run: schedule.last_run.map(ExpiryRun::from_wire).transpose()?,
        })
    }
}

impl ExpiryRun {
    fn from_wire(run: v1::ExpiryRun) -> Result<Self, Error> {
        Ok(Self {
            started_at: instant("run.started_at", run.started_at)?,
            finished_at: optional_instant("run.finished_at", run.finished_at)?,
            counts: ExpiryCounts::from_wire(run.counts)?,
        })
    }
}

impl ExpiryCounts {
    pub(crate) fn from_wire(counts: Option<v1::ExpiryCounts>) -> Result<Self, Error> {
        let counts = present("counts", counts)?;
        Ok(Self {
            members: counts.members,
            lots: counts.lots,
            points: decimal("counts.points", counts.points)?,
        })
    }
}
