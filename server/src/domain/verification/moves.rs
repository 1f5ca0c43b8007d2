//! Where lots went, beside the entries that moved them: returns take their points back from there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::replay::Replay;
use super::{Drift, DriftKind, Fact};
use crate::domain::entry::EntryKind;
use crate::domain::lot::LotKey;

/// Where a lot says that its points went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredMove {
    /// None: they stayed with their member.
    pub(crate) member_id: Option<Uuid>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) sequence: Option<u64>,
    /// Whether an entry of that other member says that the lot came by the merger of this one.
    pub(crate) has_come: bool,
}

/// Where the entries say that a lot's points went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// Into this lot of the same member.
    Here(LotKey),
    /// To this member, into a lot that its entries tell of.
    With(Uuid),
}

impl Replay {
    /// Notes what an entry moved to other lots.
    pub(super) fn note_moves(&mut self, fact: &Fact) {
        let sequence = fact.sequence;
        let here = fact.lot_expires_at.map(|expires_at| LotKey { expires_at, sequence });
        let going = match fact.kind {
            Ok(EntryKind::ExpiryChange) => here.map(Going::Here),
            Ok(EntryKind::MergeOut) => fact.other_member.map(Going::With),
            _ => None,
        };
        let others = fact
            .allocations
            .iter()
            .filter(|allocation| Some(allocation.lot) != here);
        self.moves.extend(
            going
                .into_iter()
                .flat_map(|going| others.clone().map(move |other| (other.lot, going))),
        );
    }

    /// Tells lots that say they went elsewhere. What entries that are missing moved is not known.
    pub(super) fn compare_moves(&mut self, stored: &[(LotKey, StoredMove)]) {
        let stored: BTreeMap<LotKey, StoredMove> = stored.iter().copied().collect();
        let keys: BTreeSet<LotKey> = self.moves.keys().chain(stored.keys()).copied().collect();
        for key in keys {
            let (expected, stored) = (self.moves.get(&key).copied(), stored.get(&key));
            if expected.is_none() && !self.gaps.is_empty() {
                continue;
            }
            let drift = |field| Drift::new(DriftKind::Lot, field).of_entry(key.sequence).of_lot(key);
            let (member_id, expires_at, sequence) = match expected {
                Some(Going::Here(lot)) => (None, Some(lot.expires_at), Some(lot.sequence)),
                // Which lot it is, the entries of the other member tell.
                Some(Going::With(other)) => {
                    let sequence = stored
                        .filter(|stored| stored.has_come)
                        .and_then(|stored| stored.sequence);
                    (Some(other), Some(key.expires_at), sequence)
                }
                None => (None, None, None),
            };
            let member = stored.and_then(|stored| stored.member_id);
            let at = stored.and_then(|stored| stored.expires_at);
            let number = stored.and_then(|stored| stored.sequence);
            if member != member_id {
                let text = |member: Option<Uuid>| member.map(|member| member.to_string());
                self.tell(drift("moved_member_id").expected(text(member_id)).stored(text(member)));
            } else if at != expires_at {
                self.tell(drift("moved_expires_at").expected(expires_at).stored(at));
            } else if number != sequence || (expected.is_some() && number.is_none()) {
                self.tell(drift("moved_sequence").expected(sequence).stored(number));
            }
        }
    }
}
