//! L7: lapsed points are written off by a schedule, or when it is asked for, on whichever server, and never twice.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{
    Client, EarnRate, EnrolmentPolicy, EntryKind, Error, ExpiryCounts, ExpiryPolicy, MemberKey, NewHold, NewMember,
    NewProgram, NewRule, OperationResult, RedemptionPolicy, RedemptionRequest, RequestId,
};
use loyalty_server::serve::ServeOptions;
use loyalty_server::tenants::Role;
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::books::{assert_books_agree, count, counters};
use crate::harness::feed::quick;
use crate::harness::keys::Keys as _;
use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

/// Longer than anything takes here; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Points for 30 days, of which a new member gets 10 at once.
fn program() -> NewProgram {
    NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .expiry(ExpiryPolicy::days(30))
        .enrolment(EnrolmentPolicy::default().sign_up_bonus(10))
        .redemption(RedemptionPolicy::new(1))
}

async fn opens(client: &Client) {
    client.create_program(&program()).await.expect("a program");
    let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1));
    client.create_rule(&rule).await.expect("a rule");
}

async fn shop() -> Shop {
    shop_with(|options| options).await
}

async fn shop_with(set_up: impl FnOnce(ServeOptions) -> ServeOptions) -> Shop {
    let shop = Shop::serving(|options| set_up(quick(options))).await;
    opens(&shop.client).await;
    shop
}

/// A server that looks for scheduled work all the time.
fn scheduled(options: ServeOptions) -> ServeOptions {
    ServeOptions {
        schedule: Some(Duration::from_millis(20)),
        ..options
    }
}

/// New members, each with the 10 points of the beginning.
async fn crowd(client: &Client, members: usize) {
    let mut enrolments = JoinSet::new();
    for number in 0..members {
        let client = client.clone();
        let member = NewMember::new(PROGRAM).customer_id(format!("customer-{number}"));
        enrolments.spawn(async move { client.enroll_member(&member).await });
        if number % 200 == 199 {
            for member in std::mem::take(&mut enrolments).join_all().await {
                member.expect("a member");
            }
        }
    }
    for member in enrolments.join_all().await {
        member.expect("a member");
    }
}

/// Entries that say that points lapsed.
async fn lapses(shop: &Shop) -> i64 {
    count(
        &mut shop.database().await,
        "SELECT COUNT(*) AS n FROM entry WHERE kind = 3",
    )
    .await
}

async fn until_lapses(shop: &Shop, expected: i64) {
    let began = Instant::now();
    while lapses(shop).await != expected {
        let found = lapses(shop).await;
        assert!(found <= expected, "{found} lapses, {expected} expected");
        assert!(began.elapsed() < PATIENCE, "{found} lapses of {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn numbers(counts: ExpiryCounts) -> (u64, u64, Decimal) {
    (counts.members, counts.lots, counts.points)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_writes_off_what_has_lapsed_and_changes_no_balance() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("5.00").await;
    shop.days_pass(1);
    ada.buys("7.00").await;
    let bob = shop.enrols("bob").await;
    let eve = shop.enrols("eve").await;
    eve.records(&eve.sale("10.00").redeem_points(10)).await;
    shop.days_pass(31);
    let cid = shop.enrols("cid").await;
    let before = [
        ada.balance().await,
        bob.balance().await,
        eve.balance().await,
        cid.balance().await,
    ];

    let counts = shop.client.run_expiry().await.expect("a run");
    let again = shop.client.run_expiry().await.expect("a run");

    assert_eq!(numbers(counts), (2, 4, dec("32")));
    assert_eq!(numbers(again), (0, 0, dec("0")));
    let after = [
        ada.balance().await,
        bob.balance().await,
        eve.balance().await,
        cid.balance().await,
    ];
    assert_eq!(before, after);
    assert_eq!(
        after.map(|balance| balance.available),
        [dec("0"), dec("0"), dec("0"), dec("10")]
    );
    let history = ada.history().await;
    let lapses: Vec<_> = history
        .iter()
        .filter(|entry| entry.kind == EntryKind::Expire)
        .map(|entry| (entry.points, entry.balance_after, entry.occurred_at, entry.lots.len()))
        .collect();
    let expected = [
        (dec("-7"), dec("0"), instant("2026-02-16T00:00:00Z"), 1),
        (dec("-15"), dec("7"), instant("2026-02-15T00:00:00Z"), 2),
    ];
    assert_eq!(lapses, expected);
    assert!(
        history[..2]
            .iter()
            .all(|entry| entry.recorded_at == shop.now() && entry.actor.is_none())
    );
    assert_eq!(cid.history().await.len(), 1);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_says_what_the_last_run_did_and_when_the_next_one_comes() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let fresh = shop.client.get_expiry_schedule().await.expect("a schedule");
    shop.days_pass(31);

    shop.client.run_expiry().await.expect("a run");
    let schedule = shop.client.get_expiry_schedule().await.expect("a schedule");

    assert_eq!((fresh.period, fresh.last_run), (Some(Duration::from_secs(3_600)), None));
    assert_eq!(fresh.next_run_at, Some(instant("2026-01-15T10:00:00Z")));
    let run = schedule.last_run.expect("a run");
    assert_eq!((run.started_at, run.finished_at), (shop.now(), Some(shop.now())));
    assert_eq!(numbers(run.counts), (1, 1, dec("10")));
    assert_eq!(schedule.next_run_at, Some(instant("2026-02-15T11:00:00Z")));
    assert_eq!(ada.points().await, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_period_can_be_set_and_switched_off() {
    let shop = shop_with(scheduled).await;
    let client = shop.client.with_request_id("weekly");
    let week = Some(Duration::from_secs(7 * 24 * 3_600));

    let weekly = client.set_expiry_schedule(week).await.expect("a schedule");
    shop.enrols("ada").await;
    shop.it_is("2026-01-21T09:00:00Z");
    let off = shop.client.set_expiry_schedule(None).await.expect("a schedule");
    let replayed = client.set_expiry_schedule(week).await.expect("a schedule");
    let reused = client.set_expiry_schedule(None).await;
    let operation = shop.client.get_operation(RequestId::from("weekly")).await;
    shop.days_pass(365);
    tokio::time::sleep(Duration::from_millis(200)).await;

    assert_eq!(
        (weekly.period, weekly.next_run_at),
        (week, Some(instant("2026-01-22T10:00:00Z")))
    );
    assert_eq!((off.period, off.next_run_at), (None, None));
    assert_eq!(replayed, weekly);
    assert!(matches!(reused, Err(Error::RequestIdReused { .. })), "{reused:?}");
    let result = operation.expect("an operation").result;
    assert_eq!(result, OperationResult::ExpirySchedule(weekly));
    assert_eq!(lapses(&shop).await, 0);
    assert_eq!(shop.client.run_expiry().await.expect("a run").members, 1);
    let now = shop.client.get_expiry_schedule().await.expect("a schedule");
    assert_eq!((now.period, now.next_run_at), (None, None));
    for period in [1, 59, 2_678_401] {
        let refused = shop.client.set_expiry_schedule(Some(Duration::from_secs(period))).await;
        assert_eq!(
            wrong_fields(&refused.expect_err("out of bounds")),
            ["period_seconds"],
            "{period}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_points_are_written_off_when_the_time_of_the_next_run_has_come() {
    let shop = shop_with(scheduled).await;
    let ada = shop.enrols("ada").await;
    let began = Instant::now();
    while shop
        .client
        .get_expiry_schedule()
        .await
        .expect("a schedule")
        .last_run
        .is_none()
    {
        assert!(began.elapsed() < PATIENCE, "the first run does not come");
    }

    shop.it_is("2026-02-15T00:00:00Z");
    until_lapses(&shop, 1).await;
    let bob = shop.enrols("bob").await;
    shop.it_is("2026-03-17T23:59:59Z");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let not_yet = lapses(&shop).await;
    shop.it_is("2026-03-18T10:00:00Z");
    until_lapses(&shop, 2).await;

    assert_eq!(not_yet, 1, "they are good to the end of the day");
    assert_eq!((ada.points().await, bob.points().await), (dec("0"), dec("0")));
    let lapse = &bob.history().await[0];
    assert_eq!(lapse.occurred_at, instant("2026-03-18T00:00:00Z"));
    assert_eq!(lapse.recorded_at, instant("2026-03-18T10:00:00Z"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_and_callers_write_each_lapse_off_once() {
    let shop = shop_with(scheduled).await;
    let mut offices = vec![shop.client.clone()];
    for _ in 0..2 {
        let endpoint = shop.another_server(|options| options).await;
        offices.push(Client::connect(endpoint).await.expect("a client"));
    }
    crowd(&shop.client, 1_500).await;

    shop.days_pass(31);
    let mut runs = JoinSet::new();
    for number in 0..6 {
        let office = offices[number % 3].clone();
        runs.spawn(async move { office.run_expiry().await });
    }
    let runs = runs.join_all().await;
    until_lapses(&shop, 1_500).await;

    let members: u64 = runs.into_iter().map(|run| run.expect("a run").members).sum();
    assert!(members <= 1_500, "{members}");
    let mut database = shop.database().await;
    let twice = "SELECT COUNT(*) AS n FROM (SELECT member_id FROM entry WHERE kind = 3 GROUP BY member_id \
        HAVING COUNT(*) > 1) t";
    assert_eq!(count(&mut database, twice).await, 0);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_sell_on_while_a_run_goes_through_their_members() {
    let shop = shop().await;
    crowd(&shop.client, 600).await;
    shop.days_pass(31);

    let run = tokio::spawn({
        let client = shop.client.clone();
        async move { client.run_expiry().await }
    });
    let mut sales = JoinSet::new();
    for number in 0..600 {
        let key = MemberKey::customer_id(format!("customer-{number}"));
        let sale = loyalty_sdk::Sale::new(shop.next_sale_id(), "store-1", key, "EUR", 3);
        let client = shop.client.clone();
        sales.spawn(async move { client.record_sale(&sale).await });
    }
    for receipt in sales.join_all().await {
        let receipt = receipt.expect("a sale");
        assert_eq!(
            (receipt.balance_before, receipt.balance.available),
            (dec("0"), dec("3"))
        );
    }
    run.await.expect("a task").expect("a run");

    assert_eq!(lapses(&shop).await, 600, "whoever came first wrote it off");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_when_it_lapses_is_written_off_when_the_hold_is_over() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("5.00").await;
    shop.it_is("2026-02-14T20:00:00Z");
    let redemption = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(12);
    let hold = NewHold::of(redemption).time_limit(Duration::from_secs(6 * 3_600));
    shop.client.place_hold(&hold).await.expect("a hold");

    shop.it_is("2026-02-15T00:00:00Z");
    let while_held = shop.client.run_expiry().await.expect("a run");
    shop.it_is("2026-02-15T01:00:00Z");
    let still = shop.client.run_expiry().await.expect("a run");
    shop.it_is("2026-02-15T02:00:00Z");
    let over = shop.client.run_expiry().await.expect("a run");

    assert_eq!(numbers(while_held), (1, 1, dec("3")));
    assert_eq!(numbers(still), (0, 0, dec("0")));
    assert_eq!(numbers(over), (1, 2, dec("12")));
    assert_eq!(ada.balance().await.held, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_touches_nothing_of_another_merchant() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("a merchant");
    let other = shop.client_with(&tenants.key("other", Role::Operator).await).await;
    for client in [&shop.client, &other] {
        opens(client).await;
        crowd(client, 20).await;
    }
    shop.days_pass(31);

    let counts = shop.client.run_expiry().await.expect("a run");

    assert_eq!(counts.members, 20);
    assert_eq!(lapses(&shop).await, 20);
    assert_eq!(other.get_expiry_schedule().await.expect("a schedule").last_run, None);
    assert_eq!(other.run_expiry().await.expect("a run").members, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_another_one_and_takes_over_from_a_server_that_has_died() {
    let shop = shop().await;
    crowd(&shop.client, 50).await;
    shop.client.run_expiry().await.expect("a run");
    shop.days_pass(31);
    let mut database = shop.database().await;
    let taken = "UPDATE job_lease SET holder = 'a server that was killed', token = token + 1 WHERE job = 'expiry-1'";
    database.batch_execute(taken).await.expect("the lease");

    let began = Instant::now();
    let counts = shop.client.run_expiry().await.expect("a run");

    assert!(
        began.elapsed() >= Duration::from_millis(400),
        "it waits for signs of life"
    );
    assert_eq!(counts.members, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_ends_the_run_and_the_next_one_does_the_rest() {
    let shop = shop().await;
    crowd(&shop.client, 400).await;
    shop.days_pass(31);

    let stream = shop
        .client
        .raw_ledger()
        .run_expiry(loyalty_sdk::api::RunExpiryRequest {})
        .await;
    drop(stream.expect("a run"));
    let counts = shop.client.run_expiry().await.expect("a run");

    assert!(counts.members <= 400);
    assert_eq!(lapses(&shop).await, 400);
    let run = shop.client.get_expiry_schedule().await.expect("a schedule").last_run;
    assert_eq!(run.expect("a run").finished_at, Some(shop.now()));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_reads_no_more_rows_than_it_looks_at_and_sorts_none() {
    const DUE: &str = include_str!("../server/src/storage/due_members.sql");
    let shop = shop().await;
    crowd(&shop.client, 300).await;
    let mut database = shop.database().await;
    database
        .batch_execute("ANALYZE TABLE account")
        .await
        .expect("statistics");

    let (nil, lapse) = ("x'00000000000000000000000000000000'", "'2026-02-15 00:00:00'");
    let values = ["1", "'1970-01-01'", lapse, "'1970-01-01'", nil, "10"];
    let query = values
        .iter()
        .fold(DUE.to_owned(), |query, value| query.replacen('?', value, 1));
    let counters = counters(&mut database, &query).await;

    let count = |name: &str| counters[name];
    assert_eq!(
        (count("Handler_read_key"), count("Handler_read_next")),
        (1, 9),
        "{counters:?}"
    );
    assert_eq!(count("Sort_rows"), 0, "{counters:?}");
}
