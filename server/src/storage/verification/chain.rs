//! The walk along the chain of a shard.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::links;
use super::{Checked, rows};
use crate::domain::chain::{GENESIS, Hash, Head};
use crate::domain::verification::{Drift, DriftKind, StoredLink, check_head, check_link, missing_links};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{self, Stretch};
use crate::storage::error::StorageError;
use crate::storage::feed;

/// Links that are checked at once.
const LINKS: u64 = 1_000;

/// A place in the chain of a shard: the last position that was checked, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChainPlace {
    pub(crate) shard: u8,
    pub(crate) position: u64,
}

/// What a step along a chain found.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) checked: Checked,
    /// The last position; none at the end of the shard.
    pub(crate) next: Option<u64>,
}

/// Checks the next links of a shard: that none is missing, that each seals what its entry says now, and at the end that
/// it is the end. `known` are links that somebody has kept elsewhere. Inside a snapshot.
pub(crate) async fn walk(
    connection: &mut Connection,
    merchant_id: u32,
    after: ChainPlace,
    known: &[(u8, Head)],
) -> Result<Walked, StorageError> {
    let shard = after.shard;
    // One link more than is checked before: its hash is what the next one is tied to.
    let from = after.position.max(1);
    let mut links = links::of_shard(connection, merchant_id, shard, from, LINKS + 1).await?;
    let is_end = (links.len() as u64) < LINKS + 1;
    let mut last = Head::NONE;
    let mut before = Some(GENESIS);
    if after.position > 0 {
        let tied_to = links
            .first()
            .filter(|link| link.position == after.position)
            .map(|link| link.hash);
        if tied_to.is_some() {
            links.remove(0);
        }
        before = tied_to;
        last = Head {
            position: after.position,
            hash: tied_to.unwrap_or(GENESIS),
        };
    }
    links.truncate(usize::try_from(LINKS).unwrap_or(usize::MAX));

    let mut checked = content_checked(connection, merchant_id, &links, before, &mut last, shard).await?;
    checked
        .drifts
        .extend(unknown_members(connection, merchant_id, &links).await?);
    let end = if is_end { u64::MAX } else { last.position };
    let passed = known
        .iter()
        .filter(|(of, link)| *of == shard && link.position > after.position && link.position <= end);
    for (_, known) in passed {
        let found = links
            .iter()
            .find(|link| link.position == known.position)
            .map(|link| link.hash);
        if found != Some(known.hash) {
            let drift = Drift::new(DriftKind::HashChain, "known_link").at(shard, known.position);
            checked.drifts.push(drift.expected(known.hash).stored(found));
        }
    }
    if is_end {
        let heads = feed::heads(connection, merchant_id).await?;
        checked
            .drifts
            .extend(check_head(shard, last, heads.get(&shard).copied()));
    }
    Ok(Walked {
        checked,
        next: (!is_end).then_some(last.position),
    })
}

/// The links against each other and against their entries; `last` becomes the last of them.
async fn content_checked(
    connection: &mut Connection,
    merchant_id: u32,
    links: &[StoredLink],
    mut before: Option<Hash>,
    last: &mut Head,
    shard: u8,
) -> Result<Checked, StorageError> {
    let stretches: Vec<Stretch> = links
        .iter()
        .map(|link| Stretch {
            member_id: link.member_id,
            first: link.sequence,
            last: link.sequence,
        })
        .collect();
    let entries = entry_runs::load(connection, merchant_id, &stretches).await?.entries;
    let mut checked = Checked::default();
    for link in links {
        let next = last.position.saturating_add(1);
        if link.position > next {
            checked.drifts.push(missing_links(shard, next, link.position - 1));
            before = None;
        }
        let entry = entries.get(&(link.member_id, link.sequence));
        let content = entry.map(|entry| entry.content(merchant_id, link.member_id));
        checked
            .drifts
            .extend(check_link(link, before.as_ref(), content.as_ref()));
        checked.entries += 1;
        before = Some(link.hash);
        *last = Head {
            position: link.position,
            hash: link.hash,
        };
    }
    Ok(checked)
}

/// Members with links who have no account.
async fn unknown_members(
    connection: &mut Connection,
    merchant_id: u32,
    links: &[StoredLink],
) -> Result<Vec<Drift>, StorageError> {
    let members: BTreeSet<Uuid> = links.iter().map(|link| link.member_id).collect();
    let members: Vec<Uuid> = members.into_iter().collect();
    let mut drifts = Vec::new();
    for members in members.chunks(500) {
        let known = rows::states(connection, merchant_id, members).await?;
        let unknown = members.iter().filter(|member_id| !known.contains_key(member_id));
        drifts.extend(unknown.map(|member_id| Drift::new(DriftKind::Account, "account").of_member(*member_id)));
    }
    Ok(drifts)
}
