//! S2: a server that is offered up to four times what it can do goes on doing what it can, in time; the rest is turned away
//! at once and told when to come back. Load comes as it does from tills, at its own rate, whatever becomes of it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use loyalty_sdk::api::ErrorReason;
use loyalty_sdk::{Client, EarnRate, Error, MemberKey, NewMember, NewProgram, NewRule, RetryPolicy, Sale};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::guarded::Guarded;

/// How long each load lasts.
const ROUND: Duration = Duration::from_millis(1_500);
/// Who sells without a pause to find out what the server can do.
const CALLERS: usize = 8;

/// What became of the calls of a round.
#[derive(Debug, Default)]
struct Round {
    offered: usize,
    /// How long each took that was answered.
    answered: Vec<Duration>,
    refused: Vec<Duration>,
    took: Duration,
}

impl Round {
    fn per_second(&self, count: usize) -> usize {
        count * 1_000 / usize::try_from(self.took.as_millis()).expect("short")
    }

    fn goodput(&self) -> usize {
        self.per_second(self.answered.len())
    }

    fn note(&mut self, (outcome, took): (Result<(), Error>, Duration)) {
        match outcome {
            Ok(()) => self.answered.push(took),
            Err(Error::Overloaded(failure)) => {
                assert_eq!(failure.reason, ErrorReason::Overloaded);
                assert!(failure.retry_delay.is_some_and(|delay| !delay.is_zero()), "{failure:?}");
                self.refused.push(took);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// What so many of a hundred took at most.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() * percent / 100).copied().unwrap_or_default()
}

fn p99(times: &[Duration]) -> Duration {
    percentile(times, 99)
}

fn median(times: &[Duration]) -> Duration {
    percentile(times, 50)
}

async fn sells(client: Client, number: usize) -> (Result<(), Error>, Duration) {
    let sale = Sale::new(
        format!("ticket-{number}"),
        "store-1",
        MemberKey::customer_id("ada"),
        "EUR",
        1,
    );
    let began = Instant::now();
    let outcome = client.record_sale(&sale).await.map(drop);
    (outcome, began.elapsed())
}

/// Callers who each sell again as soon as they have a receipt; the sales a second.
async fn capacity(client: &Client, numbers: &mut std::ops::RangeFrom<usize>) -> (usize, usize) {
    let (mut under_way, mut sold, began) = (JoinSet::new(), 0, Instant::now());
    while began.elapsed() < ROUND {
        while under_way.len() < CALLERS {
            under_way.spawn(sells(client.clone(), numbers.next().expect("a number")));
        }
        let (outcome, _) = under_way.join_next().await.expect("a call").expect("a task");
        outcome.expect("a receipt");
        sold += 1;
    }
    while let Some(last) = under_way.join_next().await {
        last.expect("a task").0.expect("a receipt");
        sold += 1;
    }
    let took = usize::try_from(began.elapsed().as_millis()).expect("short");
    (sold, sold * 1_000 / took)
}

/// So many calls a second, whether they are answered or not.
async fn offers(client: &Client, per_second: usize, numbers: &mut std::ops::RangeFrom<usize>) -> Round {
    let (mut round, mut under_way, began) = (Round::default(), JoinSet::new(), Instant::now());
    let mut tick = tokio::time::interval(Duration::from_millis(4));
    while began.elapsed() < ROUND {
        tick.tick().await;
        let due = per_second * usize::try_from(began.elapsed().as_millis()).expect("short") / 1_000;
        while round.offered < due {
            under_way.spawn(sells(client.clone(), numbers.next().expect("a number")));
            round.offered += 1;
        }
        while let Some(ended) = under_way.try_join_next() {
            round.note(ended.expect("a task"));
        }
    }
    round.took = began.elapsed();
    while let Some(ended) = under_way.join_next().await {
        round.note(ended.expect("a task"));
    }
    round
}

#[tokio::test(flavor = "multi_thread")]
async fn offered_four_times_what_it_can_do_a_server_does_what_it_can_in_time() {
    // Small, so that it is the server that is at its limit, and not the machine that offers the load.
    let calls = CALLERS.to_string();
    let small = [
        ("LOYALTY_CALLS", calls.as_str()),
        ("LOYALTY_WRITERS", "1"),
        ("LOYALTY_BATCH_LIMIT", "1"),
    ];
    let server = Guarded::start(&small).await;
    let builder = Client::builder(&server.endpoint).api_key(&server.key);
    let client = builder.retry(RetryPolicy::never()).connect().await.expect("a client");
    let program = NewProgram::new("Club", "EUR").program_id("club");
    client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
    client.create_rule(&rule).await.expect("a rule");
    let member = NewMember::new("club").customer_id("ada");
    client.enroll_member(&member).await.expect("a member");
    let mut numbers = 0..;

    let (mut sold, capacity) = capacity(&client, &mut numbers).await;
    let mut rounds = Vec::new();
    for times in [1, 2, 4] {
        rounds.push((times, offers(&client, capacity * times, &mut numbers).await));
    }
    let (sold_after, capacity_after) = self::capacity(&client, &mut numbers).await;
    sold += sold_after;

    let mut table = format!("{capacity} sales/s at {CALLERS} callers\n");
    for (times, round) in &rounds {
        let (offered, goodput) = (round.per_second(round.offered), round.goodput());
        let (answered, refused) = (p99(&round.answered), p99(&round.refused));
        writeln!(
            table,
            "{times}×: offered {offered}/s, answered {goodput}/s, p99 {answered:?}, refusals p99 {refused:?}"
        )
        .expect("text");
        sold += round.answered.len();
    }
    eprintln!("{table}");
    for (times, round) in &rounds {
        // Other tests take their share of the machine from round to round; one that collapses does next to nothing.
        assert!(
            round.goodput() * 6 > capacity.min(capacity_after),
            "{times}×, {capacity_after} sales/s afterwards\n{table}"
        );
    }
    // Who is turned away does not wait for those who are served.
    let most = &rounds[2].1;
    assert!(most.refused.len() > most.answered.len(), "{table}");
    assert!(median(&most.refused) < median(&most.answered), "{table}");
    // What was turned away was not done.
    let balance = client
        .get_balance(MemberKey::customer_id("ada"))
        .await
        .expect("a balance");
    assert_eq!(balance.balance.available, Decimal::from(sold));
}
