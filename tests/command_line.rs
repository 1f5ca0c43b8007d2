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

/// A file of members in a directory that ends with it.
fn file(lines: &[&str]) -> (TempDir, String) {
    let home = TempDir::new().expect("a directory");
    let path = home.path().join("members.csv");
    std::fs::write(&path, lines.join("\n")).expect("written");
    let path = path.display().to_string();
    (home, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_another_system_come_from_a_file_and_what_was_refused_is_told_by_line() {
    let shop = shop().await;
    shop.enrols("taken").await;
    let lines = [
        "customer_id,name,points,expires_at,points_2,lifetime_earned",
        "ada,\"Lovelace, Ada\",250,2026-12-31,30,1000",
        "ben,Ben,ten,,,",
        "taken,Somebody,5,never,,",
        "",
        "cleo,Cleo,40,never,2,",
    ];
    let (_home, path) = file(&lines);
    let (_other, corrected) = file(&lines.map(|line| match line {
        "ben,Ben,ten,,," => "ben,Ben,10,,,",
        line => line,
    }));
    let import = format!("import {path} --program club --import-id old -o csv");

    let dry = loyalty(&shop, &format!("{import} --dry-run"));
    let nobody = loyalty(&shop, "balance cleo");
    let whole = loyalty(&shop, &format!("{import} --progress lines"));
    let again = loyalty(&shop, &import.replace(&path, &corrected));
    let ada = json(&shop, "balance ada");
    let history = json(&shop, "history ada");
    let balances = ["ben", "cleo"].map(|member| json(&shop, &format!("balance {member}"))["available"].clone());

    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(dry.status.code(), Some(1), "{dry:?}");
    let unreadable = "3,points,UNREADABLE,\"\"\"ten\"\" is no number with a decimal point, such as 1250.5\"\r\n";
    assert_eq!(text(&dry.stdout), format!("line,field,reason,message\r\n{unreadable}"));
    assert_eq!(
        text(&dry.stderr),
        "loyalty: 3 rows can be read, 1 cannot; nothing was sent\n"
    );
    assert!(!nobody.status.success(), "a dry run writes nothing");
    assert_eq!(whole.status.code(), Some(1));
    let refused = text(&whole.stdout);
    let refused: Vec<&str> = refused.lines().collect();
    assert!(
        refused[2].starts_with("4,identifiers[0],IDENTIFIER_TAKEN,"),
        "{refused:?}"
    );
    assert_eq!(refused.len(), 3, "{refused:?}");
    let shown = text(&whole.stderr);
    assert!(shown.contains("100 % 3 of 3 rows"), "{shown}");
    assert!(
        shown.ends_with("loyalty: 2 imported, 0 there before, 2 refused, up to line 6\n"),
        "{shown}"
    );
    assert_eq!(
        text(&again.stderr),
        "loyalty: 1 imported, 2 there before, 1 refused, up to line 6\n"
    );
    assert_eq!(
        (&ada["available"], &ada["next_expiry_at"]),
        (&"280".into(), &"2026-12-31T00:00:00Z".into())
    );
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    assert_eq!(balances, ["10", "42"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_has_all_of_a_file_succeeds_and_one_that_cannot_read_it_says_why() {
    let shop = shop().await;
    let good: Vec<String> = (1..=1_200).map(|number| format!("card-{number};{number}")).collect();
    let good: Vec<&str> = std::iter::once("card;points")
        .chain(good.iter().map(String::as_str))
        .collect();
    let (_home, good) = file(&good);
    let (_other, cut) = file(&["card,name", "a,Ada", "b,\"Ben"]);
    let (_third, strange) = file(&["card,colour", "a,red"]);
    let import = |path: &str, program: &str| {
        loyalty(
            &shop,
            &format!("import {path} --program {program} --import-id old -o json"),
        )
    };

    let done = import(&good, "club");
    let again = import(&good, "club");
    let cut = import(&cut, "club");
    let strange = import(&strange, "club");
    let nowhere = import(&good, "nowhere");
    let missing = import("nothing.csv", "club");

    assert_eq!(answer(&done), "[]\n");
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said(&done),
        "loyalty: 1200 imported, 0 there before, 0 refused, up to line 1201\n"
    );
    assert_eq!(
        said(&again),
        "loyalty: 0 imported, 1200 there before, 0 refused, up to line 1201\n"
    );
    assert_eq!(json(&shop, "balance card:card-700")["available"], "700");
    for (output, message) in [
        (&cut, "line 3: a quote is not closed"),
        (&strange, "no column is called \"colour\""),
        (&nowhere, "nowhere"),
        (&missing, "nothing.csv"),
    ] {
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(said(output).contains(message), "{}", said(output));
    }
}
