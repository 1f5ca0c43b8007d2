//! The command-line client, as a technician types it.

use std::process::{Command, Output};

use loyalty_sdk::{EarnRate, MemberKey, NewProgram, NewReason, Outbox, RedemptionPolicy, Sale};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Shop, dec};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let gift = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&gift).await.expect("a reason");
    shop
}

fn loyalty(shop: &Shop, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cli-process"));
    command
        .env("LOYALTY_ENDPOINT", &shop.endpoint)
        .env_remove("LOYALTY_API_KEY");
    command.args(arguments.split(' ')).output().expect("the program")
}

fn answer(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn json(shop: &Shop, arguments: &str) -> Value {
    let output = loyalty(shop, &format!("{arguments} --output json"));
    serde_json::from_str(&answer(&output)).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_technician_enrols_sells_adjusts_redeems_and_looks() {
    let shop = shop().await;

    let member = json(&shop, "enrol --program club --customer ada --card 7700 --name Ada");
    let sale = json(&shop, "sale card:7700 25.50 --sale t-1 --store store-1");
    let again = json(&shop, "sale card:7700 25.50 --sale t-1 --store store-1");
    let quote = json(&shop, "sale ada 10 --sale t-2 --store store-1 --redeem 20 --quote");
    let token = quote["quote_token"].as_str().expect("a token");
    let other = loyalty(
        &shop,
        &format!("sale ada 11 --sale t-2 --store store-1 --quote-token {token}"),
    );
    let adjusted = json(&shop, "adjust ada 5 --reason gift");
    let redeemed = json(&shop, "redeem ada 20 --store store-1");
    let balance = json(&shop, "balance ada");

    assert_eq!(member["program_id"], "club");
    assert_eq!(
        (&sale["points_earned"], &sale["replayed"]),
        (&"25".into(), &"false".into())
    );
    assert_eq!(again["replayed"], "true");
    assert_eq!(
        (&quote["points_redeemed"], &quote["due"]),
        (&"20".into(), &"8.00 EUR".into())
    );
    assert!(
        String::from_utf8_lossy(&other.stderr).contains("another basket"),
        "{other:?}"
    );
    assert_eq!(adjusted["available"], "30");
    assert_eq!(
        (&redeemed["amount"], &redeemed["available"]),
        (&"2.00 EUR".into(), &"10".into())
    );
    assert_eq!(balance["available"], "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_tables_csv_and_json_and_history_is_all_of_it() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    for _ in 0..3 {
        ada.buys("10").await;
    }

    let report = json(&shop, "report --program club --from 2026-01-01T00:00:00Z");
    let table = answer(&loyalty(&shop, "history ada --limit 2"));
    let csv = answer(&loyalty(&shop, "history ada -o csv"));
    let rows = json(&shop, "history ada");

    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "{table}");
    assert!(lines[0].starts_with("SEQUENCE  RECORDED_AT"), "{table}");
    assert!(
        lines[1].starts_with("3         2026-01-15T10:00:00Z  EARN  10"),
        "{table}"
    );
    assert_eq!(csv.lines().count(), 4);
    assert!(csv.starts_with("sequence,recorded_at,kind,points,"), "{csv}");
    assert_eq!(rows.as_array().map(Vec::len), Some(3));
    assert_eq!(rows[2]["balance_after"], "10");
    assert_eq!(
        (&report[0]["earned"], &report[0]["closing"]),
        (&"30".into(), &"30".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_wrong_goes_to_the_standard_error_with_its_own_code() {
    let shop = shop().await;

    let refused = loyalty(&shop, "balance nobody");
    let wrong = loyalty(&shop, "balance fax:1");
    let completion = loyalty(&shop, "completion bash");

    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    assert!(
        String::from_utf8_lossy(&refused.stderr).starts_with("loyalty: "),
        "{refused:?}"
    );
    assert_eq!(wrong.status.code(), Some(2));
    assert!(answer(&completion).contains("complete -F _loyalty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_work_shows_how_far_it_is_beside_the_answer() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    for number in 0..40 {
        let sale = Sale::new(number.to_string(), "store-1", ada.key.clone(), "EUR", 5);
        outbox.put(sale.occurred_at(shop.now())).await.expect("put");
    }
    let directory = home.path().display();
    let shown = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let busy = loyalty(&shop, &format!("outbox {directory} --deliver"));
    drop(outbox);
    let delivered = loyalty(&shop, &format!("outbox {directory} --deliver --progress lines -o json"));
    let bar = loyalty(&shop, "report --program club --progress bar");
    let silent = loyalty(&shop, "history ada");

    assert!(!busy.status.success(), "the till has it open");
    assert_eq!(answer(&delivered), "[]\n");
    let lines = shown(&delivered);
    assert!(
        lines.contains("[########################] 100 % 40 of 40 operations"),
        "{lines}"
    );
    assert!(shown(&bar).starts_with("\r1 members"), "{bar:?}");
    assert!(shown(&bar).ends_with("\x1b[K\n"), "{bar:?}");
    assert!(answer(&bar).starts_with("MEMBER_ID"));
    assert_eq!(shown(&silent), "", "no terminal, no bar");
    assert_eq!(ada.points().await, dec("210"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_servers_the_first_that_is_there_is_asked() {
    let shop = shop().await;
    shop.enrols("ada").await;
    let nobody = crate::harness::program::free_port();

    let endpoints = format!("http://127.0.0.1:{nobody},{}", shop.endpoint);
    let balance = json(&shop, &format!("balance ada --endpoint {endpoints}"));

    assert_eq!(balance["available"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_an_outbox_is_shown_while_the_till_has_it_open() {
    let shop = shop().await;
    shop.enrols("ada").await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), shop.client.clone()).expect("an outbox");
    let sale = |id: &str, customer: &str| Sale::new(id, "store-1", MemberKey::customer_id(customer), "EUR", 5);
    outbox
        .put(sale("t-1", "nobody").occurred_at(shop.now()))
        .await
        .expect("put");
    outbox.deliver().await.expect("delivered");
    let put = outbox.put(sale("t-2", "ada")).await.expect("put");

    let rows = json(&shop, &format!("outbox {}", home.path().display()));

    assert_eq!(
        (&rows[0]["state"], &rows[0]["what"]),
        (&"REFUSED".into(), &"sale t-1 of store-1".into())
    );
    assert_eq!(
        (&rows[1]["state"], &rows[1]["position"]),
        (&"UNSENT".into(), &"2".into())
    );
    assert_eq!(rows[1]["request_id"], put.request_id.as_str());
    assert!(
        rows[0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
        "{rows}"
    );
}
