//! Reasons for which points are added or removed by hand.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::access::Role;

/// A reason as people configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) name: String,
    pub(crate) direction: ReasonDirection,
    /// Most points of one adjustment by callers of a role. Of those that are not in it a till may not use the reason, and
    /// the others have no limit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) approval_limits: BTreeMap<Role, Decimal>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) archived: bool,
}

/// The sign that a reason gives to points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReasonDirection {
    Adds,
    Removes,
}

/// New values of some settings of a reason. Its serialized form is canonical: only what changes is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ReasonEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) approval_limits: Option<BTreeMap<Role, Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archived: Option<bool>,
}

impl Reason {
    /// Most points of one adjustment by callers of a role; `None` without a limit.
    pub(crate) fn max_points(&self, role: Role) -> Option<Decimal> {
        let of_tills = (role == Role::Terminal).then_some(Decimal::ZERO);
        self.approval_limits.get(&role).copied().or(of_tills)
    }
}

impl ReasonEdit {
    /// The reason with the new values.
    pub(crate) fn apply(&self, reason: Reason) -> Reason {
        Reason {
            name: self.name.clone().unwrap_or(reason.name),
            direction: reason.direction,
            approval_limits: self.approval_limits.clone().unwrap_or(reason.approval_limits),
            archived: self.archived.unwrap_or(reason.archived),
        }
    }
}
