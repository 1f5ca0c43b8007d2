//! When lapsed points are written off, and what came of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// When lapsed points are written off by themselves. They are gone from the instant of their lapse on, written off or
/// not; what the schedule adds are the entries that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpirySchedule {
    /// From the begin of a run to that of the next; `None`: only when it is asked for.
    pub period: Option<Duration>,
    /// When the next run begins, or, when it has passed, that it is about to; `None` when none is scheduled.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The last run; `None` when there was none.
    pub last_run: Option<ExpiryRun>,
}

/// A run over all members of the merchant with points that had lapsed when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryRun {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was through; `None` while it goes on, and when it broke off.
    pub finished_at: Option<DateTime<Utc>>,
    /// What it has written off.
    pub counts: ExpiryCounts,
}

/// What a run wrote off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryCounts {
    /// Members whose points it wrote off.
    pub members: u64,
    /// Lots of these members.
    pub lots: u64,
    /// Points in them, over all programs of the merchant.
    pub points: Decimal,
}
