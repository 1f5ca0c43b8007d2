//! Lots that went to another member: whether that one's entries say so.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::rows::StoredLots;
use crate::domain::entry::EntryKind;
use crate::domain::lot::{LotKey, LotPlace};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{self, Stretch};
use crate::storage::error::StorageError;

/// Notes of each lot that says it went to another member whether an entry there says that it came. One entry of the other
/// is read for each, by its key.
pub(super) async fn check_arrivals(
    connection: &mut Connection,
    merchant_id: u32,
    lots: &mut HashMap<Uuid, StoredLots>,
) -> Result<(), StorageError> {
    let moves = lots.values().flat_map(|lots| &lots.moves);
    let stretches = moves.filter_map(|(_, moved)| {
        let (member_id, sequence) = moved.member_id.zip(moved.sequence)?;
        Some(Stretch {
            member_id,
            first: sequence,
            last: sequence,
        })
    });
    let stretches: Vec<Stretch> = stretches.collect();
    let entries = entry_runs::entries_where(connection, merchant_id, &stretches, "TRUE").await?;
    let mut came: BTreeMap<LotPlace, Uuid> = BTreeMap::new();
    for ((member_id, sequence), entry) in entries {
        let fact = entry.fact();
        let Some((expires_at, from)) = fact.lot_expires_at.zip(fact.other_member) else {
            continue;
        };
        if fact.kind == Ok(EntryKind::MergeIn) {
            let lot = LotKey { expires_at, sequence };
            came.insert(LotPlace { member_id, lot }, from);
        }
    }
    for (from, lots) in lots {
        for (key, moved) in &mut lots.moves {
            let Some((member_id, sequence)) = moved.member_id.zip(moved.sequence) else {
                continue;
            };
            let lot = LotKey { sequence, ..*key };
            moved.has_come = came.get(&LotPlace { member_id, lot }) == Some(from);
        }
    }
    Ok(())
}
