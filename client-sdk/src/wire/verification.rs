//! Verification on the wire.

use loyalty_api::v1;

use super::{optional_instant, optional_text};
use crate::{
    error::Error,
    feed::ChainLink,
    verification::{Drift, DriftKind, DriftLot, Verified, VerifyRequest},
};

impl VerifyRequest {
    pub(crate) fn to_wire(&self) -> v1::VerifyLedgerRequest {
        let (program_id, member) = match self.member.clone() {
            Some(query) => query.into_wire(),
            None => (String::new(), None),
        };
        let asked = self.program_id.as_ref().map(ToString::to_string);
        v1::VerifyLedgerRequest {
            program_id: asked.unwrap_or(program_id),
            member,
            resume_token: self.resume_token.clone(),
            known_links: self.known_links.iter().cloned().map(ChainLink::into_wire).collect(),
        }
    }
}

impl Verified {
    pub(crate) fn from_wire(message: v1::VerifyLedgerResponse) -> Result<Self, Error> {
        let drifts = message.drifts.into_iter().map(Drift::from_wire);
        Ok(Self {
            drifts: drifts.collect::<Result<_, _>>()?,
            drifts_left_out: message.drifts_left_out,
            members: message.members,
            entries: message.entries,
            resume_token: message.resume_token,
        })
    }
}

impl Drift {
    fn from_wire(drift: v1::Drift) -> Result<Self, Error> {
        let lot = drift.lot.map(|lot| {
            Ok(DriftLot {
                lot_sequence: lot.lot_sequence,
                expires_at: optional_instant("drift.lot.expires_at", lot.expires_at)?,
            })
        });
        Ok(Self {
            kind: DriftKind::from_number(drift.kind),
            member_id: optional_text(drift.member_id),
            sequence: (drift.sequence > 0).then_some(drift.sequence),
            lot: lot.transpose()?,
            place: drift.link.map(|link| (link.shard, link.position)),
            field: drift.field,
            expected: optional_text(drift.expected),
            stored: optional_text(drift.stored),
        })
    }
}
