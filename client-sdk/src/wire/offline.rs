//! What tills may do without a line, on the wire.

use std::time::Duration;

use loyalty_api::v1;

use super::{decimal_message, optional_decimal, optional_instant};
use crate::{error::Error, offline::OfflinePolicy};

impl OfflinePolicy {
    pub(crate) fn to_wire(&self) -> v1::OfflinePolicy {
        v1::OfflinePolicy {
            // Less than a second is one; beyond what a number holds the server refuses it.
            business_time_seconds: u32::try_from(self.business_time.as_secs()).unwrap_or(u32::MAX).max(1),
            redeem_limit: self.redeem_limit.map(decimal_message),
            etag: self.etag.clone(),
            updated_at: None,
        }
    }

    pub(crate) fn from_wire(policy: v1::OfflinePolicy) -> Result<Self, Error> {
        Ok(Self {
            business_time: Duration::from_secs(policy.business_time_seconds.into()),
            redeem_limit: optional_decimal("policy.redeem_limit", policy.redeem_limit)?,
            etag: policy.etag,
            updated_at: optional_instant("policy.updated_at", policy.updated_at)?,
        })
    }
}
