//! Points that lapse because their member does nothing, on the wire.

use loyalty_api::v1;
use loyalty_api::v1::inactivity_policy::Period;

use crate::{
    inactivity::{Activity, InactivityPolicy},
    program::ExpiryPeriod,
};

impl InactivityPolicy {
    pub(crate) fn to_wire(self) -> v1::InactivityPolicy {
        v1::InactivityPolicy {
            period: match self.period {
                ExpiryPeriod::Days(days) => Some(Period::Days(days)),
                ExpiryPeriod::Months(months) => Some(Period::Months(months)),
                ExpiryPeriod::Yearly { .. } | ExpiryPeriod::Unknown => None,
            },
            activity: self.activity.map(Activity::number).unwrap_or_default(),
        }
    }

    pub(crate) fn from_wire(policy: v1::InactivityPolicy) -> Self {
        Self {
            period: match policy.period {
                Some(Period::Days(days)) => ExpiryPeriod::Days(days),
                Some(Period::Months(months)) => ExpiryPeriod::Months(months),
                None => ExpiryPeriod::Unknown,
            },
            activity: (policy.activity != 0).then(|| Activity::from_number(policy.activity)),
        }
    }
}
