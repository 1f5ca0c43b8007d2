//! Changes of members on the wire.

use loyalty_api::v1;

use super::instant;
use crate::{
    error::Error,
    member_change::{MemberChange, MemberChangeKind},
};

impl MemberChange {
    pub(crate) fn from_wire(change: v1::MemberChange) -> Result<Self, Error> {
        Ok(Self {
            version: change.version,
            kind: MemberChangeKind::from_number(change.kind),
            changed_at: instant("changes.changed_at", change.changed_at)?,
            actor: change.actor,
            reason: change.reason,
            request_id: change.request_id.into(),
        })
    }
}
