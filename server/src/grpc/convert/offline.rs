//! What tills may do without a line.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::sale::BILLION;
use super::{decimal, timestamp};
use crate::domain::answer::OfflinePolicyRecord;
use crate::domain::offline::{BUSINESS_TIME_SECONDS, OfflinePolicy};
use crate::grpc::fields::{Bounds, Fields};

/// As far back as any sale may lie.
const LONGEST_SECONDS: u32 = 366 * 24 * 60 * 60;
const LIMITS: Bounds = Bounds::up_to(BILLION, 4).positive();

/// A policy on the wire.
pub(in crate::grpc) fn policy(record: OfflinePolicyRecord) -> wire::OfflinePolicy {
    let policy = record.policy;
    wire::OfflinePolicy {
        etag: record.since_version.to_string(),
        updated_at: record.updated_at.map(timestamp),
        business_time_seconds: policy.business_time_seconds,
        redeem_limit: policy.redeem_limit.and_then(decimal),
    }
}

/// A policy from the wire, and the etag that was read.
pub(in crate::grpc) fn policy_from(fields: &mut Fields, given: Option<wire::OfflinePolicy>) -> (u32, OfflinePolicy) {
    let Some(given) = given else {
        fields.wrong("policy", "is missing");
        return Default::default();
    };
    if given.business_time_seconds > LONGEST_SECONDS {
        fields.wrong(
            "policy.business_time_seconds",
            format!("must be at most {LONGEST_SECONDS}"),
        );
    }
    if given.updated_at.is_some() {
        fields.wrong("policy.updated_at", "is set by the server");
    }
    let etag = fields.etag("policy.etag", &given.etag);
    let policy = OfflinePolicy {
        business_time_seconds: match given.business_time_seconds {
            0 => BUSINESS_TIME_SECONDS,
            seconds => seconds,
        },
        redeem_limit: fields
            .decimal("policy.redeem_limit", given.redeem_limit, LIMITS)
            .map(|limit: Decimal| limit.normalize()),
    };
    (etag, policy)
}
