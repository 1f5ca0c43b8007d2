//! T8: imports are streams: nobody holds all of their rows, they survive broken lines, and the books are told of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loyalty_sdk::{
    Client, EarnRate, EntryFilter, EntryKind, Error, ExpiryPolicy, ImportCounts, ImportProgress, ImportedMember,
    MemberFilter, NewMember, NewProgram, OpeningLot, PageRequest, RedemptionPolicy, ReportGrouping, ReportPeriod,
    RetryPolicy, blocking,
};
use rust_decimal::Decimal;

use crate::harness::books::{assert_books_agree, count};
use crate::harness::faults::FaultyLine;
use crate::harness::program::{Program, directory, free_port};
use crate::harness::{PROGRAM, Shop, dec, instant};

fn row(number: u64) -> ImportedMember {
    let member = NewMember::new(PROGRAM).card(format!("card-{number}")).name("Somebody");
    let lot = OpeningLot::new(Decimal::from(number % 9 + 1));
    ImportedMember::new(number, member).lot(lot)
}

async fn imports(client: &Client, rows: impl Iterator<Item = ImportedMember> + Send) -> Result<ImportCounts, Error> {
    client.import_members(PROGRAM, "erp", rows, |_| {}).await
}

/// How many members there are, and the points of them all.
async fn members(shop: &Shop) -> (i64, i64) {
    let mut database = shop.database().await;
    let members = count(&mut database, "SELECT COUNT(*) AS n FROM member").await;
    let points = "SELECT CAST(COALESCE(SUM(points), 0) AS SIGNED) AS n FROM account";
    (members, count(&mut database, points).await)
}

/// The same of rows 1 to `last`.
fn of_rows(last: u64) -> (i64, i64) {
    let points: u64 = (1..=last).map(|number| number % 9 + 1).sum();
    (last.cast_signed(), points.cast_signed())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_taken_as_they_are_dealt_with_and_progress_is_told() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let taken = AtomicU64::new(0);
    let rows = (1..=3_000).map(|number| {
        taken.store(number, Ordering::Relaxed);
        row(number)
    });

    let (mut ahead, mut last, mut parts) = (0, 0, 0);
    let told = |part: &ImportProgress| {
        let counts = part.counts;
        assert!(counts.last_row_number > last);
        last = counts.last_row_number;
        ahead = ahead.max(taken.load(Ordering::Relaxed) - last);
        parts += 1;
    };
    let done = shop.client.import_members(PROGRAM, "erp", rows, told).await;

    let done = done.expect("counts");
    assert_eq!((done.last_row_number, done.imported, done.refused), (3_000, 3_000, 0));
    assert_eq!((last, parts), (3_000, 6));
    assert!(ahead <= 1_501, "{ahead} rows were taken ahead of the answers");
    assert_eq!(members(&shop).await, of_rows(3_000));
    let commits = shop.statistics.batches();
    assert!(commits < 40, "{commits} transactions");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_over_a_faulty_line_brings_every_member_once() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let line = FaultyLine::to(&shop.endpoint, u64::from(std::process::id())).await;
    let retry = RetryPolicy::default()
        .attempts(100)
        .attempt_timeout(Duration::from_secs(2))
        .backoff(Duration::from_millis(2), Duration::from_millis(20));
    let client = Client::builder(&line.endpoint).retry(retry);
    let client = client.connect().await.expect("a client");

    // Some hundred pieces of the line, of which every 24th breaks it.
    let long = (1..=3_000).map(row).map(|mut row| {
        row.member.name = "x".repeat(200);
        row
    });
    let done = imports(&client, long).await.expect("counts");

    assert_eq!((done.last_row_number, done.refused), (3_000, 0));
    assert_eq!(done.imported + done.unchanged, 3_000);
    assert_eq!(members(&shop).await, of_rows(3_000));
    let faults = &line.faults;
    let broken = faults.cuts.load(Ordering::Relaxed) + faults.resets.load(Ordering::Relaxed);
    assert!(broken > 0, "{faults:?}");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_server_is_killed_goes_on_at_the_next_one_and_brings_every_member_once() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let home = directory();
    let (killed, _) = Program::start_with(home.path(), free_port(), |command| {
        command.env("DATABASE_URL", shop.database_url());
    })
    .await;
    let preferred = format!("http://127.0.0.1:{}", killed.port);
    // Nobody waits for a server that is not there.
    let pause = Duration::from_secs(60);
    let retry = RetryPolicy::default().backoff(pause, pause);
    let client = Client::builder(&preferred).fallback(&shop.endpoint).retry(retry);
    let client = client.connect().await.expect("a client");

    let mut parts = 0;
    let kill = |progress: &ImportProgress| {
        parts += 1;
        assert_eq!(progress.counts.last_row_number, parts * 500);
        if parts == 3 {
            assert_eq!(client.endpoint(), preferred);
            killed.signal("-KILL");
        }
    };
    let done = client.import_members(PROGRAM, "erp", (1..=5_000).map(row), kill).await;

    let done = done.expect("counts");
    assert_eq!((done.last_row_number, done.refused), (5_000, 0));
    assert_eq!(done.imported + done.unchanged, 5_000);
    assert_eq!(client.endpoint(), shop.endpoint);
    assert_eq!(members(&shop).await, of_rows(5_000));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_broke_off_is_made_again_from_the_start_or_from_where_it_was() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    imports(&shop.client, (1..=700).map(row)).await.expect("counts");

    let from_the_start = imports(&shop.client, (1..=1_200).map(row)).await.expect("counts");
    let from_there = imports(&shop.client, (1_201..=1_500).map(row)).await.expect("counts");

    assert_eq!((from_the_start.unchanged, from_the_start.imported), (700, 500));
    assert_eq!((from_there.unchanged, from_there.imported), (0, 300));
    assert_eq!(members(&shop).await, of_rows(1_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_that_import_the_same_at_once_bring_every_member_once() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let other = shop.second_server().await;

    let (one, other) = tokio::join!(
        imports(&shop.client, (1..=1_500).map(row)),
        imports(&other, (1..=1_500).map(row))
    );

    let (one, other) = (one.expect("counts"), other.expect("counts"));
    assert_eq!((one.refused, other.refused), (0, 0), "{one:?} {other:?}");
    assert_eq!(one.imported + other.imported, 1_500);
    assert_eq!(members(&shop).await, of_rows(1_500));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_feed_tell_what_came_along_apart_from_what_was_earned() {
    let program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(40))
        .redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let bob = shop.enrols("bob").await;
    bob.buys("20.00").await;
    shop.it_is("2026-02-01T00:00:00Z");
    let rows = [
        ImportedMember::new(1, NewMember::new(PROGRAM).card("1")).lifetime(500, 400, 0),
        ImportedMember::new(2, NewMember::new(PROGRAM).card("2"))
            .lot(OpeningLot::new(100).expires_at(instant("2026-02-11T00:00:00Z")))
            .lot(OpeningLot::new(60).never_expires())
            // It lapsed before it came.
            .lot(OpeningLot::new(8).expires_at(instant("2025-12-31T00:00:00Z"))),
    ];
    imports(&shop.client, rows.into_iter()).await.expect("counts");
    shop.it_is("2026-02-15T00:00:00Z");

    let february = ReportPeriod::of_program(PROGRAM).from(instant("2026-02-01T00:00:00Z"));
    let february = shop
        .client
        .get_roll_forward(&february, ReportGrouping::Unspecified, |_| {});
    let february = february.await.expect("a report");
    let january = ReportPeriod::of_program(PROGRAM).until(instant("2026-02-01T00:00:00Z"));
    let january = shop
        .client
        .get_roll_forward(&january, ReportGrouping::Unspecified, |_| {});
    let january = january.await.expect("a report");
    let liability = async |at: Option<&str>| {
        let liability = shop.client.get_liability(PROGRAM, at.map(instant), |_| {}).await;
        liability.expect("a liability").points
    };

    assert_eq!((january.opening, january.closing), (dec("0"), dec("20")));
    assert_eq!((february.opening, february.closing), (dec("20"), dec("80")));
    let moved = february.movement;
    assert_eq!(
        (moved.imported, moved.expired, moved.earned, moved.adjusted),
        (dec("168"), dec("108"), dec("0"), dec("0"))
    );
    assert_eq!(february.opening + moved.sum(), february.closing);
    assert_eq!(february.breakage.issued, dec("0"));
    assert_eq!(liability(None).await, dec("80"));
    assert_eq!(liability(Some("2026-02-10T00:00:00Z")).await, dec("180"));
    assert_eq!(liability(Some("2026-02-01T00:00:00Z")).await, dec("20"));
    let opened = EntryFilter::all().kind(EntryKind::Opening);
    let opened = shop.client.list_entries(opened, &PageRequest::default()).await;
    assert_eq!(opened.expect("entries").items.len(), 4);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_without_a_runtime_import_too() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let endpoint = shop.endpoint.clone();

    let done = tokio::task::spawn_blocking(move || {
        let client = blocking::Client::connect(endpoint)?;
        client.import_members(PROGRAM, "erp", (1..=3).map(row), |_| {})
    });

    assert_eq!(done.await.expect("no panic").expect("counts").imported, 3);
    let all = MemberFilter::of(PROGRAM);
    let all = shop.client.list_members(&all, &PageRequest::default()).await;
    assert_eq!(all.expect("members").items.len(), 3);
}
