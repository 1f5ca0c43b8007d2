//! Points that lapse because their member does nothing: what the program says about it.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::expiry::{self, NEVER};
use super::program::{ExpiryEnd, ExpiryPeriod, ExpiryPolicy};

/// How long a member may do nothing before all points lapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InactivityPolicy {
    /// Days or months.
    pub(crate) period: ExpiryPeriod,
    #[serde(default)]
    pub(crate) activity: Activity,
}

/// What keeps points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Activity {
    /// Sales that earn, and whatever is paid with points.
    #[default]
    EarningAndRedeeming,
    /// Sales that earn.
    Earning,
    /// Every sale, and whatever is paid with points.
    AnySale,
}

/// What a member did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Sale {
        earns: bool,
        redeems: bool,
    },
    /// Points paid without a sale.
    Redemption,
}

impl InactivityPolicy {
    /// When points lapse of a member who last did something at `active_at`; days are those of `zone`.
    pub(crate) fn lapses_at(self, zone: Tz, active_at: DateTime<Utc>) -> DateTime<Utc> {
        let policy = ExpiryPolicy {
            period: self.period,
            end: ExpiryEnd::AsPeriod,
        };
        expiry::expires_under(Some(&policy), zone, active_at)
    }
}

impl Activity {
    /// Whether it keeps points.
    pub(crate) fn counts(self, act: Act) -> bool {
        match (self, act) {
            (Self::AnySale, _) | (Self::EarningAndRedeeming, Act::Redemption) => true,
            (Self::EarningAndRedeeming, Act::Sale { earns, redeems }) => earns || redeems,
            (Self::Earning, Act::Sale { earns, .. }) => earns,
            (Self::Earning, Act::Redemption) => false,
        }
    }
}

/// The instant under what a program says, or `NEVER`.
pub(crate) fn lapses_under(policy: Option<InactivityPolicy>, zone: Tz, active_at: DateTime<Utc>) -> DateTime<Utc> {
    policy.map_or(NEVER, |policy| policy.lapses_at(zone, active_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_counts_what_it_says() {
        let sale = |earns, redeems| Act::Sale { earns, redeems };
        let cases = [
            (sale(true, false), [true, true, true]),
            (sale(false, true), [true, false, true]),
            (sale(true, true), [true, true, true]),
            (sale(false, false), [false, false, true]),
            (Act::Redemption, [true, false, true]),
        ];
        for (act, expected) in cases {
            let settings = [Activity::EarningAndRedeeming, Activity::Earning, Activity::AnySale];
            assert_eq!(settings.map(|setting| setting.counts(act)), expected, "{act:?}");
        }
    }

    #[test]
    fn the_period_ends_with_its_last_day_or_on_the_same_day_of_a_month() {
        let zone = chrono_tz::America::Lima;
        // Nine in the evening of the 30th of January in Lima.
        let active_at = "2026-01-31T02:00:00Z".parse().unwrap();
        for (period, expected) in [
            (ExpiryPeriod::Days(1), "2026-02-01T05:00:00Z"),
            (ExpiryPeriod::Months(1), "2026-02-28T05:00:00Z"),
        ] {
            let activity = Activity::default();
            let lapses_at = InactivityPolicy { period, activity }.lapses_at(zone, active_at);
            assert_eq!(lapses_at, expected.parse::<DateTime<Utc>>().unwrap(), "{period:?}");
        }
        assert_eq!(lapses_under(None, zone, active_at), NEVER);
    }
}
