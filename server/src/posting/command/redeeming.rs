//! What callers ask to be done with points of a member beside sales.

use uuid::Uuid;

use super::Named;
use crate::domain::giving_back::ReversalRequest;
use crate::domain::holding::{CaptureRequest, HoldRequest};
use crate::domain::redeeming::RedemptionRequest;
use crate::domain::sale::MemberKey;

/// What is done with points of a member beside sales.
#[derive(Clone, Debug)]
pub(crate) struct Redeeming {
    pub(crate) member: MemberKey,
    /// Empty where the request does not say.
    pub(crate) program_id: String,
    /// Of the redemption or the hold that comes of it.
    pub(crate) new_id: Uuid,
    pub(crate) actor: String,
    pub(crate) act: RedeemingAct,
}

/// What is to be done with points.
#[derive(Clone, Debug)]
pub(crate) enum RedeemingAct {
    Redeem(RedemptionRequest),
    PlaceHold(HoldRequest),
    /// With the member whose hold it must be.
    CaptureHold(CaptureRequest, Option<Uuid>),
    ReleaseHold(Uuid, Option<Uuid>),
    /// Of a redemption of the member.
    Reverse(ReversalRequest),
}

impl Redeeming {
    pub(in crate::posting) fn named(&self) -> Named<'_> {
        Named {
            key: &self.member,
            program_id: &self.program_id,
            field: "member",
        }
    }
}

impl RedeemingAct {
    /// The hold that it is about.
    pub(in crate::posting) fn hold_id(&self) -> Option<Uuid> {
        match self {
            Self::CaptureHold(request, _) => Some(request.hold_id),
            Self::ReleaseHold(hold_id, _) => Some(*hold_id),
            Self::Redeem(_) | Self::PlaceHold(_) | Self::Reverse(_) => None,
        }
    }

    /// The member whose hold it must be.
    pub(in crate::posting) fn expected(&self) -> Option<Uuid> {
        match self {
            Self::CaptureHold(_, expected) | Self::ReleaseHold(_, expected) => *expected,
            Self::Redeem(_) | Self::PlaceHold(_) | Self::Reverse(_) => None,
        }
    }
}
