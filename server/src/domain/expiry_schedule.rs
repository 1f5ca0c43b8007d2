//! When lapsed points of a merchant are written off by themselves, and what came of it last time.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The schedule of a merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpirySchedule {
    /// `None`: only when it is asked for.
    pub(crate) period_seconds: Option<u32>,
    pub(crate) next_run_at: Option<DateTime<Utc>>,
    pub(crate) last_run: Option<ExpiryRun>,
}

/// A run over all members of a merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpiryRun {
    pub(crate) started_at: DateTime<Utc>,
    /// `None`: it goes on, or broke off.
    pub(crate) finished_at: Option<DateTime<Utc>>,
    #[serde(flatten)]
    pub(crate) counts: ExpiryCounts,
}

/// What a run wrote off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpiryCounts {
    pub(crate) members: u64,
    pub(crate) lots: u64,
    pub(crate) points: Decimal,
}
