//! The write path under stress: batches, poison, overload, deadlines, conflicts and lost connections.

use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{EarnRate, Error, NewProgram, OperationResult, RedemptionPolicy, Sale};
use loyalty_server::PostingOptions;
use tonic_types::StatusExt;

use crate::harness::books::{Stall, assert_books_agree, connections, count, texts};
use crate::harness::{Shop, ShopMember, dec};

const ONE_WRITER: PostingOptions = PostingOptions {
    writers: 1,
    batch_limit: 512,
    queue_limit: 4_096,
    patience: Duration::from_secs(30),
};

async fn shop_with(posting: PostingOptions) -> Shop {
    let shop = Shop::with_posting(posting).await;
    let program = NewProgram::new("Club", "EUR")
        .program_id("club")
        .redemption(RedemptionPolicy::new(1));
    shop.client.create_program(&program).await.expect("a program");
    let rule = loyalty_sdk::NewRule::new("club", "Default", EarnRate::new(dec("10"), dec("1")));
    shop.client.create_rule(&rule).await.expect("a rule");
    shop
}

/// Sends sales at once, in tasks of their own.
fn send(shop: &Shop, sales: Vec<Sale>) -> Vec<tokio::task::JoinHandle<Result<loyalty_sdk::Receipt, Error>>> {
    sales
        .into_iter()
        .map(|sale| {
            let client = shop.client.clone();
            tokio::spawn(async move { client.record_sale(&sale).await })
        })
        .collect()
}

/// Waits until the server has taken so many more commands than `before`.
async fn until_accepted(shop: &Shop, before: u64, commands: u64) {
    while shop.statistics.accepted() < before + commands {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a writer works on all that was accepted: it has met the stalled account, or will.
async fn until_taken(shop: &Shop, commands: u64) {
    while shop.statistics.taken() < commands {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the server holds the lock of a member's account.
async fn until_locked(shop: &Shop, member_id: &str) {
    let bytes = member_id.replace('-', "");
    let try_lock = format!("SELECT 1 FROM account WHERE merchant_id = 1 AND member_id = x'{bytes}' FOR UPDATE NOWAIT");
    let mut connection = shop.database().await;
    while connection.batch_execute(&try_lock).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_posted_as_one_batch_of_few_round_trips() {
    let shop = shop_with(ONE_WRITER).await;
    let ada = shop.enrols("ada").await;
    let ben = shop.enrols("ben").await;
    ben.buys("1000").await;
    let (batches, trips) = (shop.statistics.batches(), shop.statistics.round_trips());
    ada.buys("10").await;
    let alone = shop.statistics.round_trips() - trips;
    assert_eq!(shop.statistics.batches() - batches, 1);

    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let taken = shop.statistics.taken();
    let first = send(&shop, vec![ada.sale("10")]);
    until_taken(&shop, taken + 1).await;
    let (batches, trips) = (shop.statistics.batches(), shop.statistics.round_trips());
    let sales = (0..200)
        .map(|n| {
            if n % 2 == 0 {
                ada.sale("10")
            } else {
                ben.sale("10").redeem_points(1)
            }
        })
        .collect();
    let accepted = shop.statistics.accepted();
    let rest = send(&shop, sales);
    until_accepted(&shop, accepted, 200).await;
    stall.release().await;
    for sale in first.into_iter().chain(rest) {
        sale.await.expect("a task").expect("a receipt");
    }

    assert_eq!(
        shop.statistics.batches() - batches,
        2,
        "the one that waited, and all the others"
    );
    assert!(alone <= 7, "a sale alone took {alone} round trips");
    let together = shop.statistics.round_trips() - trips;
    assert!(
        together <= alone + 8,
        "200 sales, half of them redeeming, took {} round trips",
        together - alone
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisonous_command_hurts_nobody_else() {
    let shop = shop_with(ONE_WRITER).await;
    let ada = shop.enrols("ada").await;
    let poison = "CREATE TRIGGER poison BEFORE INSERT ON sale FOR EACH ROW BEGIN \
        IF NEW.sale_id = 'poison' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'secret of the database'; END IF; END";
    shop.database().await.batch_execute(poison).await.expect("a trigger");

    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let taken = shop.statistics.taken();
    let first = send(&shop, vec![ada.sale("10")]);
    until_taken(&shop, taken + 1).await;
    let mut sales: Vec<Sale> = (0..63).map(|_| ada.sale("10")).collect();
    sales.insert(20, Sale::new("poison", "store-1", ada.key.clone(), "EUR", dec("10")));
    let accepted = shop.statistics.accepted();
    let rest = send(&shop, sales);
    until_accepted(&shop, accepted, 64).await;
    stall.release().await;

    let mut failures = Vec::new();
    for sale in first.into_iter().chain(rest) {
        failures.extend(sale.await.expect("a task").err());
    }
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        matches!(&failures[0], Error::Internal(failure) if !failure.message.contains("secret")),
        "{failures:?}"
    );
    assert_eq!(ada.points().await, dec("64"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_queue_callers_are_told_to_come_back() {
    let shop = shop_with(PostingOptions {
        writers: 1,
        batch_limit: 1,
        queue_limit: 4,
        ..ONE_WRITER
    })
    .await;
    let ada = shop.enrols("ada").await;
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;

    let taken = shop.statistics.taken();
    let sales = send(&shop, (0..20).map(|_| ada.sale("10")).collect());
    until_taken(&shop, taken + 1).await;
    let mut raw = shop.client.raw_ledger();
    let mut request = raw_sale(&ada);
    // The queue is full as soon as the twenty have arrived; until then this one would wait its turn.
    let status = loop {
        request.request_id = uuid::Uuid::now_v7().to_string();
        let mut call = tonic::Request::new(request.clone());
        call.set_timeout(Duration::from_millis(200));
        let status = raw.record_sale(call).await.expect_err("the writer is stalled");
        if status.code() == tonic::Code::ResourceExhausted {
            break status;
        }
    };
    stall.release().await;

    let details = status.get_error_details();
    assert_eq!(
        details.error_info().map(|info| info.reason.as_str()),
        Some("OVERLOADED")
    );
    assert!(
        details
            .retry_info()
            .and_then(|info| info.retry_delay)
            .is_some_and(|delay| !delay.is_zero())
    );
    let pushback = status
        .metadata()
        .get("grpc-retry-pushback-ms")
        .and_then(|value| value.to_str().ok());
    assert!(
        pushback
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|delay| delay > 0)
    );
    let mut accepted = 0;
    for sale in sales {
        match sale.await.expect("a task") {
            Ok(_) => accepted += 1,
            Err(Error::Overloaded(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        (4..20).contains(&accepted),
        "four that wait, and those taken before: {accepted}"
    );
    assert_books_agree(&shop).await;
}

fn raw_sale(member: &ShopMember<'_>) -> loyalty_api::v1::RecordSaleRequest {
    use loyalty_api::v1 as wire;
    wire::RecordSaleRequest {
        request_id: uuid::Uuid::now_v7().to_string(),
        sale: Some(wire::Sale {
            sale_id: member.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            member: Some(wire::MemberKey {
                key: Some(wire::member_key::Key::MemberId(member.member.member_id.to_string())),
            }),
            currency_code: "EUR".to_owned(),
            total: Some(wire::Decimal { value: "10".to_owned() }),
            ..wire::Sale::default()
        }),
        ..wire::RecordSaleRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_time_is_up_learns_the_outcome_later() {
    let shop = shop_with(ONE_WRITER).await;
    let ada = shop.enrols("ada").await;
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;

    let request = raw_sale(&ada);
    let request_id = request.request_id.clone();
    let mut call = tonic::Request::new(request);
    call.set_timeout(Duration::from_millis(400));
    let status = shop
        .client
        .raw_ledger()
        .record_sale(call)
        .await
        .expect_err("the writer is stalled");
    stall.release().await;
    let balance = ada.buys("10").await.balance;

    assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
    assert_eq!(
        status.get_error_details().error_info().map(|info| info.reason.as_str()),
        Some("DEADLINE_EXCEEDED")
    );
    assert_eq!(
        balance.available,
        dec("2"),
        "the call whose time was up was carried out, whole"
    );
    let operation = shop
        .client
        .get_operation(request_id.as_str())
        .await
        .expect("an operation");
    assert!(matches!(operation.result, OperationResult::Sale(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_loses_a_deadlock_is_posted_again() {
    let shop = shop_with(ONE_WRITER).await;
    let mut members = [shop.enrols("ada").await, shop.enrols("ben").await];
    members.sort_by_key(|member| member.member.member_id.to_string());
    let stalled = shop.enrols("eve").await;
    let gate = Stall::of(&shop, stalled.member.member_id.as_ref()).await;
    let taken = shop.statistics.taken();
    let first = send(&shop, vec![stalled.sale("10")]);
    until_taken(&shop, taken + 1).await;
    // A transaction with many changed rows is not the one that the database gives up.
    let mut other = Stall::of(&shop, members[1].member.member_id.as_ref()).await;
    other
        .executes(
            "INSERT INTO merchant (merchant_id, code, created_at) SELECT 1000 + seq.n, CONCAT('m', seq.n), '2026-01-01' FROM (\
        SELECT a.x * 10 + b.x AS n FROM (SELECT 0 AS x UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) a, \
        (SELECT 0 AS x UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) b) seq",
        )
        .await;

    let accepted = shop.statistics.accepted();
    let both = send(&shop, members.iter().map(|member| member.sale("10")).collect());
    until_accepted(&shop, accepted, 2).await;
    gate.release().await;
    until_locked(&shop, members[0].member.member_id.as_ref()).await;
    other.also(members[0].member.member_id.as_ref()).await;
    other.release().await;

    for sale in first.into_iter().chain(both) {
        sale.await.expect("a task").expect("a receipt");
    }
    assert!(shop.statistics.retries() > 0, "the deadlock happened");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_waits_too_long_for_a_lock_is_posted_again() {
    let shop = shop_with(ONE_WRITER).await;
    let ada = shop.enrols("ada").await;
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;

    let sale = send(&shop, vec![ada.sale("10")]);
    // Longer than the server waits for a lock, for which there is no sign but the count of what it tried again.
    while shop.statistics.retries() == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stall.release().await;

    for sale in sale {
        sale.await.expect("a task").expect("a receipt");
    }
    assert_eq!(ada.points().await, dec("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_database_cuts_lose_and_double_nothing() {
    let shop = shop_with(PostingOptions::default()).await;
    let ada = shop.enrols("ada").await;
    let mut database = shop.database().await;

    let mut expected = 0;
    for _ in 0..10 {
        let sales = send(&shop, (0..20).map(|_| ada.sale("10")).collect());
        expected += 20;
        for id in connections(&mut database).await {
            // It may have ended by itself.
            drop(database.batch_execute(&format!("KILL {id}")).await);
        }
        for sale in sales {
            // A member look-up that was cut twice is answered UNAVAILABLE; the same request is then sent again.
            if let Err(error) = sale.await.expect("a task") {
                assert!(matches!(error, Error::Unavailable(_)), "{error}");
                expected -= 1;
            }
        }
    }

    let recorded = count(&mut database, "SELECT COUNT(*) AS n FROM sale").await;
    assert!(recorded >= expected && expected > 100, "{recorded} of {expected}");
    assert_eq!(ada.points().await, rust_decimal::Decimal::from(recorded));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_books_are_a_fault_that_tells_nothing() {
    let shop = shop_with(PostingOptions::default()).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.database()
        .await
        .batch_execute("UPDATE lot SET remaining = 3")
        .await
        .expect("somebody meddles");

    let error = ada
        .tries(&ada.sale("20").redeem_points(10))
        .await
        .expect_err("the lots do not add up");

    assert!(
        matches!(&error, Error::Internal(failure) if !failure.message.contains("lot")),
        "{error:?}"
    );
    assert_eq!(ada.history().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn batched_and_one_by_one_the_books_are_the_same() {
    let mut books = Vec::new();
    for posting in [
        ONE_WRITER,
        PostingOptions {
            writers: 2,
            batch_limit: 1,
            ..ONE_WRITER
        },
    ] {
        let shop = shop_with(posting).await;
        let mut members = Vec::new();
        for number in 0..24 {
            members.push(shop.enrols(&format!("customer-{number}")).await);
        }
        for step in 0..12_usize {
            let sales = members.iter().enumerate().map(|(number, member)| {
                let key = member.key.clone();
                let total = rust_decimal::Decimal::from(7 + (number * 37 + step * 53) % 200);
                let sale = Sale::new(format!("{step}-{number}"), "store-1", key, "EUR", total);
                match (number + step) % 4 {
                    1 => sale.redeem_points(1 + u32::try_from(step % 3).expect("small")),
                    2 => sale.redeem_amount(total).clamped(),
                    _ => sale,
                }
            });
            for sale in send(&shop, sales.collect()) {
                // A refusal is one of the outcomes that must be the same.
                drop(sale.await.expect("a task"));
            }
        }
        let mut database = shop.database().await;
        let rows = "SELECT CONCAT_WS(' ', i.value, e.sequence, e.kind, e.points, e.balance_after, e.tier_spend, \
            e.sale_id) AS value FROM entry e JOIN identifier i ON i.member_id = e.member_id \
            ORDER BY i.value, e.sequence";
        books.push(texts(&mut database, rows).await);
        assert_books_agree(&shop).await;
    }

    assert!(books[0].len() > 250, "{} entries", books[0].len());
    assert_eq!(books[0], books[1]);
}
