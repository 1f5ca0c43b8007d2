//! Points that lapse because their member does nothing.

use crate::{program::ExpiryPeriod, wire::open_enum};

/// How long a member may do nothing before all points lapse, beside their own expiry. The time begins anew with what the
/// member does, with the enrolment, and with any points that come to a member who has none. What has lapsed stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InactivityPolicy {
    /// Days or months: no day of the year.
    pub period: ExpiryPeriod,
    /// What keeps points; `None`: as `EarningAndRedeeming`.
    pub activity: Option<Activity>,
}

impl InactivityPolicy {
    /// Usable through the N-th day after the day of the last activity, 1 to 36,600.
    pub fn days(days: u32) -> Self {
        Self::of(ExpiryPeriod::Days(days))
    }

    /// Gone at the start of the same day N months later, 1 to 1,200.
    pub fn months(months: u32) -> Self {
        Self::of(ExpiryPeriod::Months(months))
    }

    /// Something else keeps points.
    #[must_use]
    pub fn activity(mut self, activity: Activity) -> Self {
        self.activity = Some(activity);
        self
    }

    fn of(period: ExpiryPeriod) -> Self {
        Self { period, activity: None }
    }
}

open_enum! {
    /// What of the things that a member does keeps points.
    Activity {
        /// Sales that earn points, and redemptions, in sales and without, captures of holds included.
        EarningAndRedeeming,
        /// Sales that earn points.
        Earning,
        /// Every sale, also one that earns nothing, and redemptions.
        AnySale,
    }
}
