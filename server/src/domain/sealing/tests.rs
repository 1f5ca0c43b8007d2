use super::*;

const MOST: u64 = 1_000;

fn account(number: u32) -> Account {
    (1, Uuid::from_u128(number.into()))
}

fn announced(number: u32, first: u64, last: u64) -> Announced {
    Announced {
        account: account(number),
        first,
        last,
    }
}

fn runs(plan: &Plan) -> Vec<(u64, u64, Source)> {
    plan.runs.iter().map(|run| (run.first, run.last, run.source)).collect()
}

#[test]
fn batches_in_any_order_are_sealed_by_sequence() {
    let batches = [
        vec![announced(1, 4, 4)],
        vec![announced(1, 1, 2), announced(2, 8, 9)],
        vec![announced(1, 3, 3)],
    ];
    let sealed = HashMap::from([(account(2), 7)]);

    let plan = plan(&batches, &sealed, &HashSet::new(), MOST);

    let of_one: Vec<u64> = plan
        .runs
        .iter()
        .filter(|run| run.account == account(1))
        .map(|run| run.first)
        .collect();
    assert_eq!(of_one, [1, 3, 4]);
    assert_eq!(plan.runs.len(), 4);
    assert!(plan.waiting.is_empty() && !plan.is_full);
}

#[test]
fn what_is_sealed_already_is_not_sealed_again() {
    let batches = [vec![announced(1, 3, 7)], vec![announced(1, 1, 2)]];
    let sealed = HashMap::from([(account(1), 5)]);

    let plan = plan(&batches, &sealed, &HashSet::new(), MOST);

    assert_eq!(runs(&plan), [(6, 7, Source::Announced)]);
}

#[test]
fn a_gap_waits_until_it_is_known_that_nobody_announces_it() {
    let batches = [vec![announced(1, 5, 6)]];
    let sealed = HashMap::from([(account(1), 2)]);

    let waits = plan(&batches, &sealed, &HashSet::new(), MOST);
    let goes_on = plan(&batches, &sealed, &HashSet::from([account(1)]), MOST);

    assert_eq!((runs(&waits), waits.waiting), (vec![], vec![(account(1), 2)]));
    assert_eq!(runs(&goes_on), [(3, 4, Source::Found), (5, 6, Source::Announced)]);
}

#[test]
fn a_step_is_bounded_and_leaves_the_rest() {
    let batches = [vec![announced(1, 1, 4), announced(2, 1, 4), announced(3, 1, 1)]];

    let plan = plan(&batches, &HashMap::new(), &HashSet::new(), 6);

    assert_eq!(
        plan.runs.iter().map(|run| (run.account, run.last)).collect::<Vec<_>>(),
        [(account(1), 4), (account(2), 2)]
    );
    assert!(plan.is_full);
    let reached = HashMap::from([(account(1), 4), (account(2), 2)]);
    assert_eq!(settled(&batches, &reached), BTreeSet::new());
}

#[test]
fn a_batch_is_settled_when_all_it_announced_is_sealed() {
    let batches = [vec![announced(1, 1, 2), announced(2, 1, 1)], vec![announced(1, 3, 3)]];

    let reached = HashMap::from([(account(1), 2), (account(2), 5)]);

    assert_eq!(settled(&batches, &reached), BTreeSet::from([0]));
}

#[test]
fn two_whole_passes_without_progress_tell_that_nobody_announced_it() {
    let mut waiting = Waiting::default();

    waiting.meet(&[(account(1), 2), (account(2), 9)]);
    waiting.end_pass();
    let first = waiting.unannounced();
    waiting.meet(&[(account(1), 2), (account(2), 10)]);
    waiting.end_pass();
    let second = waiting.unannounced();
    waiting.end_pass();

    assert_eq!((first, second), (HashSet::new(), HashSet::from([account(1)])));
    assert_eq!(
        waiting.unannounced(),
        HashSet::new(),
        "who is not met any more does not wait"
    );
}

/// A small deterministic generator (a 64-bit linear congruence), so that a failure comes again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Batches that commit at any time and whose keys say nothing about it, met by passes in small steps.
#[test]
fn whatever_the_order_of_commits_every_entry_is_sealed_once_and_in_order() {
    let mut asked = 0;
    for seed in 0..300 {
        let mut numbers = Numbers(seed);
        let mut last: HashMap<Account, u64> = HashMap::new();
        let mut to_commit: Vec<(u64, Vec<Announced>)> = Vec::new();
        for _ in 0..30 {
            let members: BTreeSet<u32> = (0..=numbers.below(3))
                .map(|_| u32::try_from(numbers.below(4)).unwrap())
                .collect();
            let batch = members.into_iter().map(|number| {
                let end = last.entry(account(number)).or_default();
                let first = *end + 1;
                *end += 1 + numbers.below(3);
                announced(number, first, *end)
            });
            let batch = batch.collect();
            to_commit.push((numbers.below(1_000_000), batch));
        }
        to_commit.reverse();

        let (mut queue, mut waiting) = (std::collections::BTreeMap::new(), Waiting::default());
        let mut sealed: HashMap<Account, u64> = HashMap::new();
        let mut remembered = Reached::default();
        for _ in 0..200 {
            let mut after = None;
            loop {
                for _ in 0..numbers.below(2) {
                    queue.extend(to_commit.pop());
                }
                let page: Vec<(u64, Vec<Announced>)> = queue
                    .iter()
                    .filter(|(key, _)| after.is_none_or(|after| **key > after))
                    .take(3)
                    .map(|(key, batch): (&u64, &Vec<Announced>)| (*key, batch.clone()))
                    .collect();
                let Some((end, _)) = page.last() else { break };
                let batches: Vec<_> = page.iter().map(|(_, batch)| batch.clone()).collect();
                for announced in batches.iter().flatten() {
                    let truth = sealed.get(&announced.account).copied().unwrap_or_default();
                    let told = remembered.of(announced.account, announced.first);
                    assert!(told.is_none_or(|told| told == truth), "seed {seed}");
                    asked += usize::from(told.is_none());
                }
                let plan = plan(&batches, &sealed, &waiting.unannounced(), 4);
                for run in &plan.runs {
                    let reached = sealed.entry(run.account).or_default();
                    assert_eq!(
                        (run.first, run.source),
                        (*reached + 1, Source::Announced),
                        "seed {seed}"
                    );
                    *reached = run.last;
                }
                let met = batches.iter().flatten().map(|announced| announced.account);
                let met = met.filter_map(|account| sealed.get_key_value(&account));
                remembered.remember(&met.map(|(account, to)| (*account, *to)).collect());
                if numbers.below(20) == 0 {
                    remembered.forget();
                }
                for place in settled(&batches, &sealed) {
                    queue.remove(&page[place].0);
                }
                waiting.meet(&plan.waiting);
                if !plan.is_full {
                    after = Some(*end);
                }
            }
            waiting.end_pass();
            remembered.end_pass();
        }

        assert!(to_commit.is_empty() && queue.is_empty(), "seed {seed}");
        assert_eq!(sealed, last, "seed {seed}");
    }
    assert!(asked > 0, "what was forgotten is asked for");
}
