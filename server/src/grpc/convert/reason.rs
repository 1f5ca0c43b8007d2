//! Reasons.

use std::collections::BTreeMap;

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;

use super::{decimal, timestamp};
use crate::domain::access::Role;
use crate::domain::answer::ReasonRecord;
use crate::domain::reason::{Reason, ReasonDirection, ReasonEdit};
use crate::grpc::fields::{Bounds, Fields};

/// As many as there are roles that adjust.
const MOST_LIMITS: usize = 3;
const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// A new reason; `None` where it does not say whether it adds or removes.
pub(in crate::grpc) fn new_reason(fields: &mut Fields, given: wire::Reason) -> Option<Reason> {
    let set = [
        ("reason.etag", !given.etag.is_empty()),
        ("reason.updated_at", given.updated_at.is_some()),
    ];
    for (field, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        fields.wrong(field, "is set by the server");
    }
    let direction = direction(fields, given.direction);
    Some(Reason {
        name: fields.text("reason.name", given.name, 1, 200),
        direction: direction?,
        approval_limits: approval_limits(fields, given.approval_limits),
        archived: is_archived(fields, given.state),
    })
}

/// The changes that a mask names.
pub(in crate::grpc) fn reason_edit(fields: &mut Fields, given: &wire::Reason, paths: &[String]) -> ReasonEdit {
    let mut edit = ReasonEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    for path in paths {
        match path.as_str() {
            "name" => edit.name = Some(fields.text("reason.name", given.name.clone(), 1, 200)),
            "approval_limits" => edit.approval_limits = Some(approval_limits(fields, given.approval_limits.clone())),
            "state" => edit.archived = Some(is_archived(fields, given.state)),
            other => fields.wrong("update_mask", format!("`{other}` cannot be changed")),
        }
    }
    edit
}

fn direction(fields: &mut Fields, number: i32) -> Option<ReasonDirection> {
    match fields.choice("reason.direction", number) {
        Some(wire::ReasonDirection::Adds) => Some(ReasonDirection::Adds),
        Some(wire::ReasonDirection::Removes) => Some(ReasonDirection::Removes),
        Some(wire::ReasonDirection::Unspecified) | None => {
            // An unknown value has been noted as such.
            if number == i32::from(wire::ReasonDirection::Unspecified) {
                fields.wrong("reason.direction", "is missing");
            }
            None
        }
    }
}

fn is_archived(fields: &mut Fields, number: i32) -> bool {
    match fields.choice("reason.state", number) {
        Some(wire::ReasonState::Archived) => true,
        Some(wire::ReasonState::Active | wire::ReasonState::Unspecified) | None => false,
    }
}

fn approval_limits(fields: &mut Fields, given: Vec<wire::ApprovalLimit>) -> BTreeMap<Role, Decimal> {
    let mut limits = BTreeMap::new();
    if !fields.at_most("reason.approval_limits", &given, MOST_LIMITS) {
        return limits;
    }
    for (place, given) in given.into_iter().enumerate() {
        let field = |name: &str| format!("reason.approval_limits[{place}].{name}");
        let max_points = fields.required_decimal(&field("max_points"), given.max_points, Bounds::up_to(BILLION, 4));
        let role = match fields.choice(&field("role"), given.role) {
            Some(wire::Role::Terminal) => Role::Terminal,
            Some(wire::Role::BackOffice) => Role::BackOffice,
            Some(wire::Role::Operator) => Role::Operator,
            Some(wire::Role::Unspecified) | None => {
                // An unknown value has been noted as such.
                if given.role == i32::from(wire::Role::Unspecified) {
                    fields.wrong(field("role"), "is missing");
                }
                continue;
            }
        };
        if limits.insert(role, max_points).is_some() {
            fields.wrong(field("role"), "is there twice");
        }
    }
    limits
}

/// A reason on the wire.
pub(in crate::grpc) fn reason(record: ReasonRecord) -> wire::Reason {
    let reason = record.reason;
    let limits = reason.approval_limits.into_iter().map(|(role, max_points)| {
        let role = match role {
            Role::Terminal => wire::Role::Terminal,
            Role::BackOffice => wire::Role::BackOffice,
            Role::Operator => wire::Role::Operator,
            // Who only looks adjusts nothing, and has no limit.
            Role::ReadOnly => wire::Role::Unspecified,
        };
        wire::ApprovalLimit {
            role: role.into(),
            max_points: decimal(max_points),
        }
    });
    wire::Reason {
        reason_id: record.reason_id,
        name: reason.name,
        direction: match reason.direction {
            ReasonDirection::Adds => wire::ReasonDirection::Adds,
            ReasonDirection::Removes => wire::ReasonDirection::Removes,
        }
        .into(),
        approval_limits: limits.collect(),
        state: if reason.archived {
            wire::ReasonState::Archived
        } else {
            wire::ReasonState::Active
        }
        .into(),
        etag: record.since_version.to_string(),
        updated_at: Some(timestamp(record.updated_at)),
    }
}
