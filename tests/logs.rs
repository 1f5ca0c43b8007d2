//! The log of a running server: what is said of a call can be found by its id, and no key, secret or member's data is said
//! at any level.

use std::time::Duration;

use chrono::Utc;
use diesel_async::SimpleAsyncConnection as _;
use loyalty_sdk::api as wire;
use loyalty_sdk::{
    Adjustment, Client, EarnRate, Error, MemberKey, NewMember, NewProgram, NewReason, NewRule, Sale, SaleLine,
};
use serde_json::Value;
use tonic::{Code, Request};

use crate::every_call::{World, scenarios};
use crate::harness::any_call::call;
use crate::harness::database;
use crate::harness::guarded::Guarded;
use crate::harness::program::{Program, directory, free_port};
use crate::harness::raw::{customer, number, request_id};

async fn opens(client: &Client) {
    let program = NewProgram::new("Club", "EUR").program_id("club");
    client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
    client.create_rule(&rule).await.expect("a rule");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_tells_everything_tells_no_key_and_nothing_of_a_member() {
    let server = Guarded::start(&[("RUST_LOG", "trace")]).await;
    let client = server.client(&server.key).await;
    let wrong = format!("{}{}", &server.key[..server.key.len() - 8], "deadbeef");
    opens(&client).await;
    let lovelace = NewMember::new("club")
        .customer_id("customer-4711")
        .email("lovelace@example.com")
        .phone("+34600123456")
        .card("card-987654")
        .name("Augusta Lovelace")
        .birth_date("1915-12-10".parse().expect("a day"));
    client.enroll_member(&lovelace).await.expect("a member");
    let again = client.enroll_member(&lovelace).await;
    let key = MemberKey::email("lovelace@example.com");
    let line = SaleLine::new(30).product("secret-remedy");
    let sale = Sale::new("ticket-1", "store-1", key.clone(), "EUR", 30).line(line);

    client.record_sale(&sale).await.expect("a receipt");
    client.get_balance(key).await.expect("a balance");
    let by_phone = Sale::new("ticket-2", "store-1", MemberKey::phone("+34600123456"), "EUR", 30);
    let too_much = client.record_sale(&by_phone.redeem_points(31)).await;
    let stranger = server.client(&wrong).await.get_program("club").await;
    server.line(&["ProgramService/GetProgram", "UNAUTHENTICATED"]).await;

    let secret = server.key.rsplit('_').next().expect("a secret");
    let log = server.program.log().join("\n");
    assert!(again.is_err() && too_much.is_err(), "{again:?} {too_much:?}");
    assert!(matches!(stranger, Err(Error::Unauthenticated { .. })), "{stranger:?}");
    assert!(
        log.contains("LedgerService/RecordSale") && log.contains("DEBUG"),
        "{log}"
    );
    for untold in [
        secret,
        &wrong[wrong.len() - 40..],
        "customer-4711",
        "lovelace",
        "Lovelace",
        "34600123456",
        "987654",
        "1915-12-10",
        "secret-remedy",
    ] {
        assert!(!log.contains(untold), "the log says {untold}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_calls_the_log_tells_neither_keys_nor_bodies() {
    // All that is in the bodies of its calls has `alpha` in its name.
    let world = World::make().await;
    let home = directory();
    let everything = |command: &mut std::process::Command| {
        command
            .env_remove("LOYALTY_DEVELOPMENT")
            .env("DATABASE_URL", world.shop.database_url())
            .env("RUST_LOG", "trace");
    };
    let (served, client) = Program::start_with(&home.path().join("none"), free_port(), everything).await;

    for scenario in scenarios() {
        let messages = (scenario.messages)(&world).await;
        let answer = call(&client.channel(), Some(&world.key), scenario.call, messages).await;
        // What one of them asks for has not been written yet.
        let is_served = answer
            .as_ref()
            .map_or_else(|status| status.code() == Code::NotFound, |_| true);
        assert!(is_served, "{}: {answer:?}", scenario.call);
    }

    for scenario in scenarios() {
        served.has_logged(scenario.call).await;
    }
    let (_, secret) = world.key.rsplit_once('_').expect("a secret");
    for line in served.log() {
        // The id of a write is told, so that it can be found.
        let line = line.replace("alpha-request", "");
        assert!(!line.contains("alpha") && !line.contains(secret), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_says_of_a_call_is_found_by_the_id_that_its_answer_brings() {
    let server = Guarded::start(&[
        ("RUST_LOG", "info,loyalty_server::grpc=debug"),
        ("LOYALTY_LOG_FORMAT", "json"),
    ])
    .await;
    let client = server.client(&server.key).await;
    opens(&client).await;
    let member = NewMember::new("club").customer_id("ada");
    client.enroll_member(&member).await.expect("a member");
    let mut behind = database::connect(&server.database.url).await;
    behind
        .batch_execute("RENAME TABLE sale TO sale_of_old")
        .await
        .expect("a fault");
    let mut ledger = client.raw_ledger();

    let balance = wire::GetBalanceRequest {
        member: customer("ada"),
        ..Default::default()
    };
    let mut named = Request::new(balance);
    named
        .metadata_mut()
        .insert("loyalty-call-id", "till-7-call-1".parse().expect("a header"));
    let answered = ledger.get_balance(named).await.expect("a balance");
    let request_id = request_id();
    let sale = wire::Sale {
        sale_id: "ticket-1".to_owned(),
        store_id: "store-1".to_owned(),
        member: customer("ada"),
        currency_code: "EUR".to_owned(),
        total: number("30"),
        ..Default::default()
    };
    let request = wire::RecordSaleRequest {
        request_id: request_id.clone(),
        sale: Some(sale),
        ..wire::RecordSaleRequest::default()
    };
    let failed = ledger.record_sale(request).await.expect_err("a fault");

    let line = server.line(&["\"answered\"", "till-7-call-1"]).await;
    let line: Value = serde_json::from_str(&line).expect("an object");
    assert_eq!(
        answered.metadata().get("loyalty-call-id").expect("its id"),
        "till-7-call-1"
    );
    assert_eq!(line["span"]["call"], "LedgerService/GetBalance");
    assert_eq!(line["code"], "OK");
    assert!(
        line["milliseconds"].is_number() && line["span"]["key"].is_string(),
        "{line}"
    );
    assert_eq!(failed.code(), tonic::Code::Internal, "{failed:?}");
    let call_id = failed.metadata().get("loyalty-call-id").expect("its id");
    let call_id = call_id.to_str().expect("text");
    let why = server.line(&["ERROR", call_id]).await;
    let why: Value = serde_json::from_str(&why).expect("an object");
    assert_eq!(why["span"]["request_id"], request_id.as_str());
    assert!(
        why["error"].as_str().is_some_and(|error| error.contains("sale")),
        "{why}"
    );
    assert!(!failed.message().contains("sale"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_how_far_a_run_of_lapses_is_and_what_it_wrote_off() {
    let server = Guarded::start(&[("RUST_LOG", "info")]).await;
    let client = server.client(&server.key).await;
    opens(&client).await;
    let reason = NewReason::adding("Gift").reason_id("gift");
    client.create_reason(&reason).await.expect("a reason");
    for customer in ["ada", "bob", "cem"] {
        let member = NewMember::new("club").customer_id(customer);
        client.enroll_member(&member).await.expect("a member");
        let gift = Adjustment::new(MemberKey::customer_id(customer), "gift", 5);
        let gift = gift.expires_at(Utc::now() + Duration::from_secs(2));
        client.adjust_points(&gift).await.expect("an adjustment");
    }
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    // Whoever works on the accounts holds the run up for longer than it is silent.
    let mut other = database::connect(&server.database.url).await;
    let lock = "BEGIN; SELECT member_id FROM account FOR UPDATE";
    other.batch_execute(lock).await.expect("a lock");

    let run = tokio::spawn(async move { client.run_expiry().await });
    tokio::time::sleep(Duration::from_millis(5_200)).await;
    other.batch_execute("ROLLBACK").await.expect("an end");
    let counts = run.await.expect("a task").expect("a run");

    assert_eq!((counts.members, counts.lots), (3, 3));
    let progress = server.line(&["writing lapsed points off"]).await;
    assert!(
        progress.contains("members=3") && progress.contains("lots=3"),
        "{progress}"
    );
    let end = server.line(&["wrote lapsed points off"]).await;
    assert!(end.contains("members=3") && end.contains("is_whole=true"), "{end}");
}
