//! One step of the sealer: a bounded number of entries, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::chain::{self, Head};
use crate::domain::sealing::{self, Account, Announced, Run};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{self, Stretch};
use crate::storage::error::StorageError;
use crate::storage::feed::{self, FeedRows, Place};
use crate::storage::posting_batch::{self, BatchKey};
use crate::storage::statement;

/// Batches that are read at once: less than a megabyte of what they announce.
pub(super) const BATCHES: i64 = 64;

/// Entries of a step: read, hashed and written in some 50 ms, in statements of half a megabyte.
const ENTRIES: u64 = 2_000;

/// What a step did.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) entries: u64,
    /// Whether entries of its batches are left for the next step.
    pub(super) is_full: bool,
    /// Members whose earlier entries no batch of the step announced, and up to where they are sealed.
    pub(super) waiting: Vec<(Account, u64)>,
    /// Announced entries that are not there.
    pub(super) broken: HashSet<(Account, u64)>,
}

/// As many of these batches as fill a step, one at least.
pub(super) fn portion(mut batches: Vec<(BatchKey, Vec<Announced>)>) -> Vec<(BatchKey, Vec<Announced>)> {
    let mut announced = 0;
    let fitting = batches.iter().take_while(|(_, batch)| {
        let fits = announced < ENTRIES;
        announced = batch.iter().fold(announced, |sum, member| {
            sum.saturating_add(member.last.saturating_sub(member.first).saturating_add(1))
        });
        fits
    });
    let fitting = fitting.count();
    batches.truncate(fitting);
    batches
}

/// Seals what these batches announced, as far as a step goes. Runs inside a transaction that holds the lease.
pub(super) async fn seal(
    connection: &mut Connection,
    batches: Vec<(BatchKey, Vec<Announced>)>,
    unannounced: &HashSet<Account>,
) -> Result<Step, StorageError> {
    let (keys, announced): (Vec<BatchKey>, Vec<Vec<Announced>>) = batches.into_iter().unzip();
    let mut reached = sealed(connection, &announced).await?;
    let plan = sealing::plan(&announced, &reached, unannounced, ENTRIES);
    let mut step = Step {
        is_full: plan.is_full,
        waiting: plan.waiting,
        ..Step::default()
    };

    let mut by_merchant: BTreeMap<u32, Vec<Run>> = BTreeMap::new();
    for run in plan.runs {
        by_merchant.entry(run.account.0).or_default().push(run);
    }
    let mut rows = FeedRows::new();
    for (merchant_id, runs) in by_merchant {
        chain_runs(connection, merchant_id, &runs, &mut rows, &mut reached, &mut step).await?;
    }
    let settled = sealing::settled(&announced, &reached);
    let settled = settled.into_iter().filter_map(|place| keys.get(place).copied());
    let mut statements = rows.finish();
    statements.extend(posting_batch::delete(settled));
    statement::execute(connection, statements).await?;
    Ok(step)
}

/// Ties the entries of a merchant to its chains.
async fn chain_runs(
    connection: &mut Connection,
    merchant_id: u32,
    runs: &[Run],
    rows: &mut FeedRows,
    reached: &mut HashMap<Account, u64>,
    step: &mut Step,
) -> Result<(), StorageError> {
    let stretches: Vec<Stretch> = runs.iter().map(stretch).collect();
    let entries = entry_runs::load(connection, merchant_id, &stretches).await?.entries;
    let heads = feed::heads(connection, merchant_id).await?;
    let mut grown: BTreeMap<u8, Head> = BTreeMap::new();
    for run in runs {
        let member_id = run.account.1;
        let shard = chain::shard_of(member_id);
        for sequence in run.first..=run.last {
            let is_next = reached.get(&run.account).copied().unwrap_or_default() + 1 == sequence;
            let entry = entries.get(&(member_id, sequence)).filter(|_| is_next);
            let Some(entry) = entry else {
                if is_next {
                    step.broken.insert((run.account, sequence));
                }
                break;
            };
            let head = grown
                .entry(shard)
                .or_insert_with(|| heads.get(&shard).copied().unwrap_or(Head::NONE));
            *head = head.then(run.source, &entry.content(merchant_id, member_id));
            let place = Place {
                position: head.position,
                member_id,
                sequence,
                hash: head.hash,
            };
            rows.push(merchant_id, shard, &place, run.source);
            reached.insert(run.account, sequence);
            step.entries += 1;
        }
    }
    for (shard, head) in grown {
        rows.push_head(merchant_id, shard, &head);
    }
    Ok(())
}

/// Up to where the members of these batches are sealed.
async fn sealed(
    connection: &mut Connection,
    batches: &[Vec<Announced>],
) -> Result<HashMap<Account, u64>, StorageError> {
    let mut next: BTreeMap<u32, BTreeMap<Uuid, u64>> = BTreeMap::new();
    for announced in batches.iter().flatten() {
        let (merchant_id, member_id) = announced.account;
        let members = next.entry(merchant_id).or_default();
        let first = members.entry(member_id).or_insert(announced.first);
        *first = announced.first.min(*first);
    }
    let mut sealed = HashMap::new();
    for (merchant_id, members) in next {
        let members: Vec<(Uuid, u64)> = members.into_iter().collect();
        let found = feed::sealed(connection, merchant_id, &members).await?;
        sealed.extend(found.into_iter().map(|(member_id, to)| ((merchant_id, member_id), to)));
    }
    Ok(sealed)
}

fn stretch(run: &Run) -> Stretch {
    Stretch {
        member_id: run.account.1,
        first: run.first,
        last: run.last,
    }
}
