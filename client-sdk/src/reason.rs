//! Reasons for which points are added or removed by hand.

use chrono::{DateTime, Utc};
use loyalty_api::v1;
use rust_decimal::Decimal;

use crate::{id::ReasonId, wire::open_enum};

/// A reason to create. It belongs to the merchant and holds for all its programs.
///
/// ```
/// use loyalty_sdk::{NewReason, Role};
///
/// let mistake = NewReason::removing("Booked by mistake").reason_id("mistake").limit(Role::Terminal, 50);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReason {
    /// Name of the reason in every call; `None`: the server makes one. Never changes.
    pub reason_id: Option<ReasonId>,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// Whether it adds or removes points. Never changes.
    pub direction: ReasonDirection,
    /// How many points one adjustment may have by the role of the caller. Who is not listed has no limit, except for tills,
    /// which may not use the reason then.
    pub approval_limits: Vec<ApprovalLimit>,
    /// Whether it can be used.
    pub state: ReasonState,
}

/// A reason as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Name of the reason in every call.
    pub reason_id: ReasonId,
    /// What people call it.
    pub name: String,
    /// Whether it adds or removes points.
    pub direction: ReasonDirection,
    /// How many points one adjustment may have by the role of the caller. Who is not listed has no limit, except for tills,
    /// which may not use the reason then.
    pub approval_limits: Vec<ApprovalLimit>,
    /// Whether it can be used.
    pub state: ReasonState,
    /// Changes with every change of the reason; an update brings the one it has read.
    pub etag: String,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// How many points callers of a role may adjust at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApprovalLimit {
    /// The role.
    pub role: Role,
    /// Most points of one adjustment; 0: this role may not use the reason.
    pub max_points: Decimal,
}

open_enum! {
    /// The sign that a reason gives to points.
    ReasonDirection {
        /// Adds points.
        Adds,
        /// Removes points.
        Removes,
    }
}

open_enum! {
    /// Whether a reason can be used.
    #[derive(Default)]
    ReasonState {
        /// Points can be adjusted for it.
        #[default]
        Active,
        /// Out of use: adjustments for it are refused. It can be made active again.
        Archived,
    }
}

open_enum! {
    /// What the key of a caller is for, of the roles that adjust points. In the development mode everybody is an operator.
    Role {
        /// A till.
        Terminal,
        /// The back office.
        BackOffice,
        /// Who runs the service.
        Operator,
    }
}

impl NewReason {
    /// A reason that adds points.
    pub fn adding(name: impl Into<String>) -> Self {
        Self::new(name, ReasonDirection::Adds)
    }

    /// A reason that removes points.
    pub fn removing(name: impl Into<String>) -> Self {
        Self::new(name, ReasonDirection::Removes)
    }

    fn new(name: impl Into<String>, direction: ReasonDirection) -> Self {
        Self {
            reason_id: None,
            name: name.into(),
            direction,
            approval_limits: Vec::new(),
            state: ReasonState::Active,
        }
    }

    /// Chooses the reason's name in calls: 1 to 64 of `a-z 0-9 - _ .`.
    #[must_use]
    pub fn reason_id(mut self, reason_id: impl Into<ReasonId>) -> Self {
        self.reason_id = Some(reason_id.into());
        self
    }

    /// Allows callers of a role at most so many points at once.
    #[must_use]
    pub fn limit(mut self, role: Role, max_points: impl Into<Decimal>) -> Self {
        self.approval_limits.push(ApprovalLimit {
            role,
            max_points: max_points.into(),
        });
        self
    }
}

/// Changes of a reason as it was read: only what is set here changes, and only if nobody changed the reason since.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ReasonUpdate {
    // Kept as it will be sent: the mask names a field exactly when a method below filled it.
    pub(crate) reason: v1::Reason,
    pub(crate) paths: Vec<String>,
}

impl ReasonUpdate {
    /// Changes nothing of `reason` yet.
    pub fn of(reason: &Reason) -> Self {
        Self {
            reason: v1::Reason {
                reason_id: reason.reason_id.to_string(),
                etag: reason.etag.clone(),
                ..v1::Reason::default()
            },
            paths: Vec::new(),
        }
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.reason.name = name.into();
        self.changing("name")
    }

    /// All limits, in place of the present ones.
    pub fn approval_limits(mut self, limits: &[ApprovalLimit]) -> Self {
        self.reason.approval_limits = limits.iter().copied().map(ApprovalLimit::to_wire).collect();
        self.changing("approval_limits")
    }

    /// Takes it out of use, or up again.
    pub fn state(mut self, state: ReasonState) -> Self {
        self.reason.state = state.number();
        self.changing("state")
    }

    fn changing(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|changed| changed == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
