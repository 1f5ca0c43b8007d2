//! The numbers that Prometheus gets: calls by outcome, posting, points by program, jobs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use loyalty_sdk::{EarnRate, ExpiryPolicy, NewProgram, RedemptionPolicy};

use crate::harness::any_call::call;
use crate::harness::program::{Program, directory, free_port};
use crate::harness::{PROGRAM, Shop, dec};

/// The number of this name and these labels.
fn number(text: &str, name: &str) -> Option<f64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().unwrap_or_else(|_| panic!("{name}: {value}")))
}

/// All that these say, of a text that has them all.
fn numbers<const N: usize>(text: &str, names: [&str; N]) -> [f64; N] {
    names.map(|name| number(text, name).unwrap_or_else(|| panic!("no {name} in\n{text}")))
}

async fn until(shop: &Shop, name: &str, expected: f64) {
    let began = Instant::now();
    while number(&shop.metrics.text(), name) != Some(expected) {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "{name}\n{}",
            shop.metrics.text()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The name of a counter of calls.
fn calls(call: &str, code: &str) -> String {
    format!("loyalty_calls_total{{call=\"{call}\",code=\"{code}\"}}")
}

/// The name of a counter of points.
fn points(way: &str, kind: &str) -> String {
    format!("loyalty_points_{way}_total{{merchant_id=\"1\",program_id=\"{PROGRAM}\",kind=\"{kind}\"}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_callers_do_shows_in_the_numbers() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;

    ada.buys("30").await;
    let sale = ada.sale("12");
    ada.records(&sale).await;
    ada.records(&sale).await;
    ada.records(&ada.sale("5").redeem_points(10)).await;
    ada.tries(&ada.sale("5").redeem_points(40)).await.expect_err("too much");
    let made_up = call(&shop.client.channel(), None, "LedgerService/PrintMoney", vec![vec![]]).await;
    made_up.expect_err("there is no such call");

    let text = shop.metrics.text();
    let sales = calls("LedgerService/RecordSale", "OK");
    let refused = calls("LedgerService/RecordSale", "FAILED_PRECONDITION");
    let unknown = calls("unknown", "UNIMPLEMENTED");
    assert_eq!(numbers(&text, [&sales, &refused, &unknown]), [4.0, 1.0, 1.0]);
    let (earned, redeemed) = (points("added", "EARN"), points("taken", "REDEEM"));
    assert_eq!(numbers(&text, [&earned, &redeemed]), [46.0, 10.0]);
    assert_eq!(number(&text, &points("taken", "EARN")), None);
    let posting = [
        "loyalty_posting_commands_total",
        "loyalty_posting_batch_commands_sum",
        "loyalty_posting_wait_seconds_count",
        "loyalty_posting_queue",
        "loyalty_posting_failures_total",
        "loyalty_posting_retries_total",
        "loyalty_calls_in_flight",
    ];
    // Enrolling is a write as well; that a sale comes a second time shows when it is written, and is looked up then.
    assert_eq!(numbers(&text, posting), [6.0, 6.0, 6.0, 0.0, 0.0, 1.0, 0.0]);
    let [batches, took, connections] = numbers(
        &text,
        [
            "loyalty_posting_batch_seconds_count",
            "loyalty_call_seconds_count{call=\"LedgerService/RecordSale\"}",
            "loyalty_connections",
        ],
    );
    assert!((1.0..=6.0).contains(&batches) && connections >= 1.0, "{text}");
    assert_eq!(took, 5.0);
    numbers(
        &text,
        [
            "loyalty_pool_connections{pool=\"reads\",state=\"idle\"}",
            "loyalty_pool_waiting{pool=\"keys\"}",
        ],
    );
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_jobs_are_shows_in_the_numbers() {
    let shop = Shop::with_rule(
        NewProgram::new("Club", "EUR").expiry(ExpiryPolicy::days(10)),
        EarnRate::new(1, 1),
    )
    .await;
    for customer in ["ada", "bob"] {
        shop.enrols(customer).await.buys("30").await;
    }
    until(&shop, "loyalty_sealed_entries_total", 2.0).await;

    shop.days_pass(20);
    shop.client.run_expiry().await.expect("a run");

    let text = shop.metrics.text();
    let expired = points("taken", "EXPIRE");
    let names = [
        "loyalty_swept_members_total",
        "loyalty_swept_lots_total",
        "loyalty_sweeps_total",
        "loyalty_sealing",
        expired.as_str(),
    ];
    assert_eq!(numbers(&text, names), [2.0, 2.0, 1.0, 1.0, 60.0]);
    until(&shop, "loyalty_sealed_entries_total", 4.0).await;
    until(&shop, "loyalty_sealed_up_to_timestamp_seconds", 1_770_199_200.0).await;
}

fn asks(port: u16, question: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    write!(stream, "{question} HTTP/1.1\r\nHost: metrics\r\n\r\n").expect("a question");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_them_at_an_address_of_its_own() {
    let (directory, metrics) = (directory(), free_port());
    let set_up = |command: &mut std::process::Command| {
        command.env("LOYALTY_METRICS_ADDRESS", metrics.to_string());
    };
    let (program, client) = Program::start_with(directory.path(), free_port(), set_up).await;
    let answered = client.get_program("none").await;

    let told = asks(metrics, "GET /metrics");
    let elsewhere = asks(metrics, "GET /");
    let posted = asks(metrics, "POST /metrics");

    assert!(answered.is_err());
    assert!(told.starts_with("HTTP/1.1 200 OK\r\n"), "{told}");
    assert!(
        told.contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{told}"
    );
    let not_found = number(&told, &calls("ProgramService/GetProgram", "NOT_FOUND"));
    assert!(not_found.is_some_and(|count| count >= 2.0), "{told}");
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
    assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
    drop(program);
}
