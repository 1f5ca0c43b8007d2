//! Which entries are sealed next: those that batches announced, each member's by sequence and without gaps, in whatever
//! order the batches are met.

use std::collections::{BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::chain::Source;

/// A member of a merchant.
pub(crate) type Account = (u32, Uuid);

/// New entries of one member, as the batch says that posted them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) account: Account,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// Entries of one member that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) account: Account,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) source: Source,
}

/// What one step seals.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Each member's in order of sequence.
    pub(crate) runs: Vec<Run>,
    /// Members with announced entries whose predecessors no batch at hand has announced, and up to where they are sealed.
    pub(crate) waiting: Vec<(Account, u64)>,
    /// Whether some entries were left for the next step.
    pub(crate) is_full: bool,
}

/// Plans a step over some batches. `sealed` says up to which sequence members are sealed already (left out: nothing of
/// them is), `unannounced` whose missing predecessors no batch at all announces. At most `most` entries are planned.
pub(crate) fn plan(
    batches: &[Vec<Announced>],
    sealed: &HashMap<Account, u64>,
    unannounced: &HashSet<Account>,
    most: u64,
) -> Plan {
    let mut plan = Plan::default();
    let mut room = most;
    for (account, mut stretches) in by_account(batches) {
        stretches.sort_unstable();
        let mut reached = sealed.get(&account).copied().unwrap_or_default();
        for (first, last) in stretches {
            if last <= reached {
                continue;
            }
            let missing = first.saturating_sub(1);
            let mut runs = vec![(last, Source::Announced)];
            if missing > reached {
                if !unannounced.contains(&account) {
                    plan.waiting.push((account, reached));
                    break;
                }
                runs.insert(0, (missing, Source::Found));
            }
            for (last, source) in runs {
                let last = last.min(reached.saturating_add(room));
                if last > reached {
                    let first = reached + 1;
                    plan.runs.push(Run {
                        account,
                        first,
                        last,
                        source,
                    });
                    room -= last - reached;
                    reached = last;
                }
            }
            if reached < last {
                plan.is_full = true;
                break;
            }
        }
    }
    plan
}

/// Stretches of sequences by account, in the order in which the accounts come up.
fn by_account(batches: &[Vec<Announced>]) -> Vec<(Account, Vec<(u64, u64)>)> {
    let mut places: HashMap<Account, usize> = HashMap::new();
    let mut accounts: Vec<(Account, Vec<(u64, u64)>)> = Vec::new();
    for announced in batches.iter().flatten() {
        let place = *places.entry(announced.account).or_insert_with(|| {
            accounts.push((announced.account, Vec::new()));
            accounts.len() - 1
        });
        if let Some((_, stretches)) = accounts.get_mut(place) {
            stretches.push((announced.first, announced.last));
        }
    }
    accounts
}

/// Members that have been waiting, pass after pass over everything that is not sealed.
///
/// A batch that announces what a member's next entry is has committed before any batch that announces a later one, since
/// the lock of the account keeps them in order. So a pass that begins when the later one has been seen meets the earlier
/// one; a member who is where it was after such a pass waits for something that nobody announced.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Up to where they are sealed, and in how many passes on end they were met so.
    members: HashMap<Account, (u64, u32)>,
    met: HashMap<Account, u64>,
}

impl Waiting {
    /// A step of the pass met these.
    pub(crate) fn meet(&mut self, waiting: &[(Account, u64)]) {
        self.met.extend(waiting.iter().copied());
    }

    /// The pass is over.
    pub(crate) fn end_pass(&mut self) {
        let before = std::mem::take(&mut self.members);
        let met = std::mem::take(&mut self.met).into_iter();
        self.members = met
            .map(|(account, sealed)| match before.get(&account) {
                Some((before, passes)) if *before == sealed => (account, (sealed, passes.saturating_add(1))),
                _ => (account, (sealed, 1)),
            })
            .collect();
    }

    /// Whose missing entries no batch announces: the first pass may have begun too early, the second did not.
    pub(crate) fn unannounced(&self) -> HashSet<Account> {
        let stuck = self.members.iter().filter(|(_, (_, passes))| *passes >= 2);
        stuck.map(|(account, _)| *account).collect()
    }
}

/// Up to where members are sealed, of those that came up since this server has been the one that seals: only it adds to
/// the feed meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    members: HashMap<Account, u64>,
    /// Whether members of all batches that are sealed in part are among them: since a whole pass over everything that is
    /// not sealed.
    is_complete: bool,
    /// Whether it forgot some since the pass began.
    has_forgotten: bool,
}

impl Reached {
    /// Members that are remembered: 4 MiB.
    const MOST: usize = 100_000;

    /// Up to where a member is sealed whose next announced entry is `next`; `None`: it is not remembered. Nothing of a
    /// member is sealed whose first entry waits in a batch that is not sealed in part.
    pub(crate) fn of(&self, account: Account, next: u64) -> Option<u64> {
        let remembered = self.members.get(&account).copied();
        remembered.or_else(|| (self.is_complete && next == 1).then_some(0))
    }

    pub(crate) fn remember(&mut self, reached: &HashMap<Account, u64>) {
        self.members.extend(reached.iter().map(|(account, to)| (*account, *to)));
        if self.members.len() > Self::MOST {
            self.forget();
        }
    }

    fn forget(&mut self) {
        *self = Self {
            has_forgotten: true,
            ..Self::default()
        };
    }

    /// A pass over everything is over.
    pub(crate) fn end_pass(&mut self) {
        self.is_complete = self.is_complete || !self.has_forgotten;
        self.has_forgotten = false;
    }
}

/// Which batches are sealed whole, by their place, when members are sealed up to `reached`.
pub(crate) fn settled(batches: &[Vec<Announced>], reached: &HashMap<Account, u64>) -> BTreeSet<usize> {
    let is_sealed = |announced: &Announced| reached.get(&announced.account).is_some_and(|to| *to >= announced.last);
    let settled = batches
        .iter()
        .enumerate()
        .filter(|(_, batch)| batch.iter().all(is_sealed));
    settled.map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests;
