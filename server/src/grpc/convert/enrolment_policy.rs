//! Who can be a member, and how one becomes one.

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::decimal;
use super::rule::{HIGHEST_PRIORITY, paths};
use crate::domain::program::EnrolmentPolicy;
use crate::grpc::fields::{Bounds, Fields};

pub(super) const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A policy; nothing said is everybody.
pub(super) fn policy(fields: &mut Fields, given: Option<wire::EnrolmentPolicy>) -> EnrolmentPolicy {
    let given = given.unwrap_or_default();
    let priority = given.auto_opt_in_priority;
    if priority > HIGHEST_PRIORITY {
        fields.wrong(
            "program.enrolment.auto_opt_in_priority",
            format!("must be at most {HIGHEST_PRIORITY}"),
        );
    }
    if priority > 0 && !given.auto_opt_in {
        fields.wrong(
            "program.enrolment.auto_opt_in_priority",
            "has a meaning with auto_opt_in only",
        );
    }
    EnrolmentPolicy {
        customer_groups: paths(fields, "program.enrolment.customer_groups", given.customer_groups),
        territories: paths(fields, "program.enrolment.territories", given.territories),
        auto_opt_in: given.auto_opt_in,
        auto_opt_in_priority: priority,
        sign_up_bonus: fields.decimal(
            "program.enrolment.sign_up_bonus",
            given.sign_up_bonus,
            Bounds::up_to(BILLION, 4).positive(),
        ),
    }
}

/// A policy on the wire.
pub(super) fn to_wire(policy: EnrolmentPolicy) -> Option<wire::EnrolmentPolicy> {
    if policy.is_empty() {
        return None;
    }
    Some(wire::EnrolmentPolicy {
        customer_groups: policy.customer_groups,
        territories: policy.territories,
        auto_opt_in: policy.auto_opt_in,
        auto_opt_in_priority: policy.auto_opt_in_priority,
        sign_up_bonus: policy.sign_up_bonus.and_then(decimal),
    })
}
