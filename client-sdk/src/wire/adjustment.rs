//! Adjustments and their reasons on the wire.

use loyalty_api::v1;

use super::{decimal, decimal_message, instant, optional_instant, present, timestamp};
use crate::{
    adjustment::{Adjustment, AdjustmentReceipt},
    error::Error,
    id::ReasonId,
    member::Balance,
    reason::{ApprovalLimit, NewReason, Reason, ReasonDirection, ReasonState, Role},
};

impl Adjustment {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::AdjustPointsRequest {
        let (program_id, member) = self.member.clone().into_wire();
        v1::AdjustPointsRequest {
            request_id,
            program_id,
            member,
            reason_id: self.reason_id.to_string(),
            points: Some(decimal_message(self.points)),
            note: self.note.clone(),
            expires_at: self.expires_at.map(timestamp),
            store_id: self.store_id.clone().unwrap_or_default(),
            terminal_id: self.terminal_id.clone().unwrap_or_default(),
            cashier_id: self.cashier_id.clone().unwrap_or_default(),
        }
    }
}

impl AdjustmentReceipt {
    pub(crate) fn from_wire(adjustment: v1::Adjustment, replayed: bool) -> Result<Self, Error> {
        Ok(Self {
            adjustment_id: adjustment.adjustment_id.into(),
            member_id: adjustment.member_id.into(),
            program_id: adjustment.program_id.into(),
            program_version: adjustment.program_version,
            reason_id: adjustment.reason_id.into(),
            points: decimal("adjustment.points", adjustment.points)?,
            points_expire_at: optional_instant("adjustment.points_expire_at", adjustment.points_expire_at)?,
            balance_before: decimal("adjustment.balance_before", adjustment.balance_before)?,
            balance: Balance::from_wire(present("adjustment.balance", adjustment.balance)?)?,
            recorded_at: instant("adjustment.recorded_at", adjustment.recorded_at)?,
            replayed,
        })
    }
}

impl NewReason {
    pub(crate) fn to_wire(&self) -> v1::Reason {
        v1::Reason {
            reason_id: self.reason_id.as_ref().map(ReasonId::to_string).unwrap_or_default(),
            name: self.name.clone(),
            direction: self.direction.number(),
            approval_limits: self
                .approval_limits
                .iter()
                .copied()
                .map(ApprovalLimit::to_wire)
                .collect(),
            state: self.state.number(),
            ..v1::Reason::default()
        }
    }
}

impl Reason {
    pub(crate) fn from_wire(reason: v1::Reason) -> Result<Self, Error> {
        Ok(Self {
            reason_id: reason.reason_id.into(),
            name: reason.name,
            direction: ReasonDirection::from_number(reason.direction),
            approval_limits: reason
                .approval_limits
                .into_iter()
                .map(ApprovalLimit::from_wire)
                .collect::<Result<_, _>>()?,
            state: ReasonState::from_number(reason.state),
            etag: reason.etag,
            updated_at: instant("reason.updated_at", reason.updated_at)?,
        })
    }
}

impl ApprovalLimit {
    pub(crate) fn to_wire(self) -> v1::ApprovalLimit {
        v1::ApprovalLimit {
            role: self.role.number(),
            max_points: Some(decimal_message(self.max_points)),
        }
    }

    fn from_wire(limit: v1::ApprovalLimit) -> Result<Self, Error> {
        Ok(Self {
            role: Role::from_number(limit.role),
            max_points: decimal("reason.approval_limits.max_points", limit.max_points)?,
        })
    }
}
