//! Verification of stored books against the ledger, some members or links at a time. What is damaged is told and not
//! stumbled over.

mod chain;
mod links;
mod mergers;
mod rows;

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

pub(crate) use chain::{ChainPlace, walk};
pub(crate) use rows::{MemberPlace, listed};

use super::connection::Connection;
use super::entry_runs::{self, Stretch};
use super::error::StorageError;
use super::{feed, pending, posting_batch};
use crate::domain::verification::{Drift, DriftKind, Replay, StoredRows, StoredState};

/// Entries that are replayed at once; those of a member who has more come in stretches of as many.
pub(crate) const ENTRIES: u64 = 5_000;

/// Batches that are not sealed, as many as are looked through for the newest entries. Beyond it the sealer is too far
/// behind to tell which entries nobody announced.
const BATCHES: i64 = 2_000;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) drifts: Vec<Drift>,
    /// Drifts that are not among them.
    pub(crate) left_out: u64,
    pub(crate) members: u64,
    pub(crate) entries: u64,
}

/// The stored books of one member.
struct StoredBooks {
    state: StoredState,
    rows: StoredRows,
    /// Up to which sequence the entries are sealed.
    sealed: u64,
}

/// Replays the entries of some members, and holds them against their links too if `with_links`. Inside a snapshot.
pub(crate) async fn members(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    with_links: bool,
) -> Result<Checked, StorageError> {
    let mut stored = stored_books(connection, merchant_id, member_ids).await?;
    let mut unsealed: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
    let mut replays: HashMap<Uuid, Replay> = stored.keys().map(|id| (*id, Replay::new())).collect();
    let mut checked = Checked::default();
    let longest = stored.values().map(|books| books.state.last_sequence).max();
    let (mut first, mut has_ended) = (0, false);
    loop {
        // An account may say anything of how many entries there are.
        let is_last = has_ended || longest.is_none_or(|longest| longest < first + ENTRIES);
        let last = if is_last { u64::MAX } else { first + ENTRIES - 1 };
        let stretches: Vec<Stretch> = stored
            .keys()
            .map(|member_id| Stretch {
                member_id: *member_id,
                first,
                last,
            })
            .collect();
        let loaded = entry_runs::load(connection, merchant_id, &stretches).await?;
        for (member_id, allocation) in loaded.orphans {
            if let Some(books) = stored.get_mut(&member_id) {
                books.rows.orphans.push(allocation);
            }
        }
        has_ended = loaded.entries.is_empty();
        if with_links {
            for stretch in &stretches {
                let sealed = stored.get(&stretch.member_id).map_or(0, |books| books.sealed);
                let drifts = links::check_member(connection, merchant_id, stretch, sealed, &loaded.entries).await?;
                checked.drifts.extend(drifts);
            }
        }
        for ((member_id, sequence), entry) in loaded.entries {
            checked.entries += 1;
            if stored.get(&member_id).is_some_and(|books| books.sealed < sequence) {
                unsealed.entry(member_id).or_default().push(sequence);
            }
            if let Some(replay) = replays.get_mut(&member_id) {
                replay.entry(entry.fact());
            }
        }
        if is_last {
            break;
        }
        first += ENTRIES;
    }

    for (member_id, books) in stored {
        checked.members += 1;
        let Some(replay) = replays.remove(&member_id) else {
            continue;
        };
        let (drifts, left_out) = replay.compare(&books.state, books.rows);
        let drifts = drifts.into_iter().map(|drift| drift.of_member(member_id));
        checked.drifts.extend(drifts);
        checked.left_out += left_out;
    }
    let unannounced = unannounced(connection, merchant_id, unsealed).await?;
    checked.drifts.extend(unannounced);
    Ok(checked)
}

async fn stored_books(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<BTreeMap<Uuid, StoredBooks>, StorageError> {
    let states = rows::states(connection, merchant_id, member_ids).await?;
    let mut lots = rows::lots(connection, merchant_id, member_ids).await?;
    let mut pending = pending::find(connection, merchant_id, member_ids.iter().copied()).await?;
    let mut holds = rows::open_holds(connection, merchant_id, member_ids).await?;
    let newest: Vec<(Uuid, u64)> = states
        .iter()
        .map(|(member_id, state)| (*member_id, state.last_sequence.saturating_add(1)))
        .collect();
    let sealed = feed::sealed(connection, merchant_id, &newest).await?;
    mergers::check_arrivals(connection, merchant_id, &mut lots).await?;
    let books = states.into_iter().map(|(member_id, state)| {
        let lots = lots.remove(&member_id).unwrap_or_default();
        let books = StoredBooks {
            state,
            rows: StoredRows {
                lots: lots.lots,
                moves: lots.moves,
                pending: pending.remove(&member_id).unwrap_or_default(),
                holds: holds.remove(&member_id).unwrap_or_default(),
                orphans: Vec::new(),
            },
            sealed: sealed.get(&member_id).copied().unwrap_or_default(),
        };
        (member_id, books)
    });
    Ok(books.collect())
}

/// Those of the entries that are not sealed which no batch announces: in one snapshot, an entry is sealed, or its batch
/// is there.
async fn unannounced(
    connection: &mut Connection,
    merchant_id: u32,
    unsealed: BTreeMap<Uuid, Vec<u64>>,
) -> Result<Vec<Drift>, StorageError> {
    if unsealed.is_empty() {
        return Ok(Vec::new());
    }
    let batches = posting_batch::unsealed(connection, (merchant_id, Uuid::nil()), BATCHES).await?;
    if batches.len() as u64 == BATCHES.unsigned_abs() {
        return Ok(Vec::new());
    }
    let announced = batches.iter().flat_map(|batch| &batch.announced);
    let mut stretches: HashMap<Uuid, Vec<(u64, u64)>> = HashMap::new();
    for announced in announced.filter(|announced| announced.account.0 == merchant_id) {
        let of_member = stretches.entry(announced.account.1).or_default();
        of_member.push((announced.first, announced.last));
    }
    let mut drifts = Vec::new();
    for (member_id, sequences) in unsealed {
        let stretches = stretches.remove(&member_id).unwrap_or_default();
        let is_announced = |sequence: &u64| stretches.iter().any(|(first, last)| (first..=last).contains(&sequence));
        for sequence in sequences.into_iter().filter(|sequence| !is_announced(sequence)) {
            let drift = Drift::new(DriftKind::Unannounced, "sequence").of_member(member_id);
            drifts.push(drift.of_entry(sequence).stored(sequence));
        }
    }
    Ok(drifts)
}
