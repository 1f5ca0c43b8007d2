//! One step of the sealer: a bounded number of entries, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::chain::{self, Hash, Head, Source};
use crate::domain::sealing::{self, Account, Announced, Reached, Run};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{self, Stretch};
use crate::storage::error::StorageError;
use crate::storage::feed::{self, FeedRows, Place};
use crate::storage::posting_batch::{self, BatchKey, Unsealed};
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
pub(super) fn portion(mut batches: Vec<Unsealed>) -> Vec<Unsealed> {
    let mut announced = 0;
    let fitting = batches.iter().take_while(|batch| {
        let fits = announced < ENTRIES;
        announced = batch.announced.iter().fold(announced, |sum, member| {
            sum.saturating_add(member.last.saturating_sub(member.first).saturating_add(1))
        });
        fits
    });
    let fitting = fitting.count();
    batches.truncate(fitting);
    batches
}

/// Seals what these batches announced, as far as a step goes. Runs inside a transaction that holds the lease; when that
/// is not committed, `remembered` is wrong.
pub(super) async fn seal(
    connection: &mut Connection,
    batches: Vec<Unsealed>,
    unannounced: &HashSet<Account>,
    remembered: &mut Reached,
) -> Result<Step, StorageError> {
    let hashes = announced_hashes(&batches);
    let (keys, announced): (Vec<BatchKey>, Vec<Vec<Announced>>) =
        batches.into_iter().map(|batch| (batch.key, batch.announced)).unzip();
    let mut reached = sealed(connection, &announced, remembered).await?;
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
        let contents = contents(connection, merchant_id, &runs, &hashes).await?;
        let heads = feed::heads(connection, merchant_id).await?;
        chain_runs(
            merchant_id,
            &runs,
            &contents,
            &heads,
            &mut rows,
            &mut reached,
            &mut step,
        );
    }
    remembered.remember(&reached);
    let settled = sealing::settled(&announced, &reached);
    let settled = settled.into_iter().filter_map(|place| keys.get(place).copied());
    let mut statements = rows.finish();
    statements.extend(posting_batch::delete(settled));
    statement::execute(connection, statements).await?;
    Ok(step)
}

/// Hashes of entries, by member and sequence.
type Contents = HashMap<(Account, u64), Hash>;

/// What batches say of their entries.
fn announced_hashes(batches: &[Unsealed]) -> Contents {
    let of_batch = |batch: &Unsealed| {
        let entries = batch.announced.iter();
        let entries =
            entries.flat_map(|member| (member.first..=member.last).map(|sequence| (member.account, sequence)));
        entries.zip(batch.hashes.iter().copied()).collect::<Vec<_>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

/// The hashes of the entries of these runs: as their batches announced them, or of what is stored where none did.
async fn contents(
    connection: &mut Connection,
    merchant_id: u32,
    runs: &[Run],
    announced: &Contents,
) -> Result<Contents, StorageError> {
    let (mut contents, mut unknown) = (Contents::new(), Vec::new());
    for run in runs {
        let entries = (run.first..=run.last).map(|sequence| (run.account, sequence));
        let known: Vec<_> = entries.map_while(|key| Some((key, *announced.get(&key)?))).collect();
        let is_known = run.source == Source::Announced && known.len() as u64 == run.last - run.first + 1;
        if is_known {
            contents.extend(known);
        } else {
            unknown.push(stretch(run));
        }
    }
    if !unknown.is_empty() {
        let stored = entry_runs::load(connection, merchant_id, &unknown).await?.entries;
        contents.extend(stored.into_iter().map(|((member_id, sequence), entry)| {
            let hash = entry.content(merchant_id, member_id).hash();
            (((merchant_id, member_id), sequence), hash)
        }));
    }
    Ok(contents)
}

/// Ties the entries of a merchant to its chains.
fn chain_runs(
    merchant_id: u32,
    runs: &[Run],
    contents: &Contents,
    heads: &HashMap<u8, Head>,
    rows: &mut FeedRows,
    reached: &mut HashMap<Account, u64>,
    step: &mut Step,
) {
    let mut grown: BTreeMap<u8, Head> = BTreeMap::new();
    for run in runs {
        let member_id = run.account.1;
        let shard = chain::shard_of(member_id);
        for sequence in run.first..=run.last {
            let is_next = reached.get(&run.account).copied().unwrap_or_default() + 1 == sequence;
            let content = contents.get(&(run.account, sequence)).filter(|_| is_next);
            let Some(content) = content else {
                if is_next {
                    step.broken.insert((run.account, sequence));
                }
                break;
            };
            let head = grown
                .entry(shard)
                .or_insert_with(|| heads.get(&shard).copied().unwrap_or(Head::NONE));
            *head = head.then(run.source, content);
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
}

/// Up to where the members of these batches are sealed: as it is remembered, or as the feed says.
async fn sealed(
    connection: &mut Connection,
    batches: &[Vec<Announced>],
    remembered: &Reached,
) -> Result<HashMap<Account, u64>, StorageError> {
    let mut next: HashMap<Account, u64> = HashMap::new();
    for announced in batches.iter().flatten() {
        let first = next.entry(announced.account).or_insert(announced.first);
        *first = announced.first.min(*first);
    }
    let (mut sealed, mut unknown) = (HashMap::new(), BTreeMap::<u32, Vec<(Uuid, u64)>>::new());
    for (account, next) in next {
        match remembered.of(account, next) {
            Some(to) => drop(sealed.insert(account, to)),
            None => unknown.entry(account.0).or_default().push((account.1, next)),
        }
    }
    for (merchant_id, mut members) in unknown {
        members.sort_unstable();
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
