//! S2: a database that is away, slow, read-only or full: callers are told to come back, nobody sees what the driver says,
//! and when it is over the service goes on by itself.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{Client, Error};
use loyalty_server::PostingOptions;
use loyalty_server::embedded::{EmbeddedDatabase, EmbeddedOptions};
use loyalty_server::serve::ServeOptions;
use loyalty_server::tenants::Role;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::harness::books::assert_books_agree;
use crate::harness::database::{TestDatabase, connect, database_binary, own_database};
use crate::harness::keys::Keys as _;
use crate::harness::proxy::{Line, Proxy};
use crate::harness::raw::{customer, number, request_id};
use crate::harness::{Shop, ShopMember, dec};

/// The line is as good as the machine.
const WORKS: Line = Line::Works(Duration::ZERO);

/// A shop whose server reaches its database over a line of its own, and gives up after two seconds.
async fn shop_over_a_line() -> (Shop, Proxy) {
    let database = TestDatabase::create().await;
    let proxy = Proxy::to(&database.url).await;
    let database_url = proxy.url.clone();
    let shop = Shop::on(database, |options| ServeOptions {
        database_url,
        posting: PostingOptions {
            patience: Duration::from_secs(2),
            ..options.posting
        },
        ..options
    })
    .await;
    shop.opens().await;
    (shop, proxy)
}

/// What an attempt of a call ends with, as it came over the wire.
pub(crate) async fn attempts(shop: &Shop, writes: bool, deadline: Duration) -> Result<(), Status> {
    use loyalty_sdk::api as wire;
    let mut ledger = shop.client.raw_ledger();
    if writes {
        let sale = wire::Sale {
            sale_id: shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            member: customer("ada"),
            currency_code: "EUR".to_owned(),
            total: number("1"),
            ..wire::Sale::default()
        };
        let mut request = tonic::Request::new(wire::RecordSaleRequest {
            request_id: request_id(),
            sale: Some(sale),
            ..wire::RecordSaleRequest::default()
        });
        request.set_timeout(deadline);
        return ledger.record_sale(request).await.map(drop);
    }
    let mut request = tonic::Request::new(wire::GetBalanceRequest {
        member: customer("ada"),
        ..wire::GetBalanceRequest::default()
    });
    request.set_timeout(deadline);
    ledger.get_balance(request).await.map(drop)
}

/// The caller is told to come back, when, and nothing else.
pub(crate) fn assert_comes_back(status: &Status, codes: &[Code]) {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    assert!(codes.contains(&status.code()), "{status:?}");
    assert!(
        ["DATABASE_UNAVAILABLE", "OVERLOADED"].contains(&reason.as_str()),
        "{status:?}"
    );
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    assert!(delay.is_some_and(|delay| !delay.is_zero()), "{status:?}");
    let pushback = status
        .metadata()
        .get("grpc-retry-pushback-ms")
        .and_then(|header| header.to_str().ok());
    assert!(
        pushback.is_some_and(|text| text.parse::<u64>().is_ok_and(|delay| delay > 0)),
        "{status:?}"
    );
    let told = format!("{status:?}").to_lowercase();
    for words in [
        "mysql",
        "maria",
        "sql",
        "socket",
        "127.0.0.1",
        "os error",
        "connection re",
        "read_only",
    ] {
        assert!(!told.contains(words), "{words}: {told}");
    }
}

/// How long until everything works again.
async fn recovers(shop: &Shop) -> Duration {
    let began = Instant::now();
    for writes in [true, false] {
        while attempts(shop, writes, Duration::from_secs(5)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not recover");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_callers_are_told_to_come_back_and_then_all_goes_on() {
    let (shop, proxy) = shop_over_a_line().await;
    let ada = shop.enrols("ada").await;
    attempts(&shop, true, Duration::from_secs(5)).await.expect("a sale");

    for _ in 0..2 {
        proxy.becomes(Line::Cut);
        for writes in [true, false, true] {
            let status = attempts(&shop, writes, Duration::from_secs(10))
                .await
                .expect_err("away");
            assert_comes_back(&status, &[Code::Unavailable]);
        }
        proxy.becomes(WORKS);
        let recovered = recovers(&shop).await;
        assert!(recovered < Duration::from_secs(2), "{recovered:?}");
    }

    assert_eq!(ada.points().await, dec("3"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_more_holds_nobody_for_longer_than_told() {
    let (shop, proxy) = shop_over_a_line().await;
    let ada = shop.enrols("ada").await;
    attempts(&shop, true, Duration::from_secs(5)).await.expect("a sale");

    proxy.becomes(Line::Frozen);
    for writes in [true, false] {
        let began = Instant::now();
        let status = attempts(&shop, writes, Duration::from_millis(500))
            .await
            .expect_err("silent");
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
        assert!(began.elapsed() < Duration::from_millis(1_500));
    }
    let status = attempts(&shop, false, Duration::from_secs(10))
        .await
        .expect_err("silent");
    assert_comes_back(&status, &[Code::Unavailable]);
    proxy.becomes(WORKS);

    assert!(recovers(&shop).await < Duration::from_secs(20));
    // The sale that nobody waited for may have been recorded, once.
    let points = ada.points().await;
    assert!(points == dec("2") || points == dec("3"), "{points}");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_serves_many_as_it_serves_one() {
    let (shop, proxy) = shop_over_a_line().await;
    let ada = shop.enrols("ada").await;
    proxy.becomes(Line::Works(Duration::from_millis(30)));

    let began = Instant::now();
    let sales = (0..200).map(|_| ada.sale("1")).collect::<Vec<_>>();
    let calls: Vec<_> = sales
        .into_iter()
        .map(|sale| {
            let client = shop.client.clone();
            tokio::spawn(async move { client.record_sale(&sale).await })
        })
        .collect();
    for call in calls {
        call.await.expect("a task").expect("a receipt");
    }

    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    assert_eq!(ada.points().await, dec("200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_retries_outlast_the_outage_notices_nothing() {
    let (shop, proxy) = shop_over_a_line().await;
    let ada = shop.enrols("ada").await;
    let till = Client::connect(&shop.endpoint).await.expect("a client");
    let sale = ada.sale("5");

    proxy.becomes(Line::Cut);
    let selling = tokio::spawn(async move { till.record_sale(&sale).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    proxy.becomes(WORKS);

    selling.await.expect("a task").expect("a receipt");
    assert_eq!(ada.points().await, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_nobody_is_taken_for_a_stranger() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::to(&database.url).await;
    let database_url = proxy.url.clone();
    let shop = Shop::on(database, |options| ServeOptions {
        database_url,
        development: false,
        ..options
    })
    .await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("acme").await.expect("a merchant");
    let known = shop.client_with(&tenants.key("acme", Role::Operator).await).await;
    let unknown = shop.client_with(&tenants.key("acme", Role::Operator).await).await;
    assert!(matches!(
        known.get_program("none").await,
        Err(Error::ProgramNotFound { .. })
    ));

    proxy.becomes(Line::Cut);
    let of_unknown = unknown.get_program("none").await;
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    let of_known = known.get_program("none").await;
    proxy.becomes(WORKS);

    assert!(matches!(of_unknown, Err(Error::Unavailable(_))), "{of_unknown:?}");
    assert!(matches!(of_known, Err(Error::Unavailable(_))), "{of_known:?}");
    let again = unknown.get_program("none").await;
    assert!(matches!(again, Err(Error::ProgramNotFound { .. })), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_only_reads_refuses_sales_for_as_long_and_answers_questions() {
    let (server, _directory, database) = own_database(&[]).await;
    let shop = Shop::on(database, |options| options).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    attempts(&shop, true, Duration::from_secs(5)).await.expect("a sale");
    let mut root = connect(&server.url()).await;

    root.batch_execute("SET GLOBAL read_only = 1").await.expect("read-only");
    let sale = attempts(&shop, true, Duration::from_secs(10))
        .await
        .expect_err("read-only");
    let balance = ada.points().await;
    let program = loyalty_sdk::NewProgram::new("Second", "EUR");
    let change = shop.client.create_program(&program).await;
    root.batch_execute("SET GLOBAL read_only = 0").await.expect("writable");

    assert_comes_back(&sale, &[Code::Unavailable, Code::ResourceExhausted]);
    assert_eq!(balance, dec("1"));
    assert!(matches!(change, Err(Error::Unavailable(_))), "{change:?}");
    assert!(recovers(&shop).await < Duration::from_secs(2));
    assert_books_agree(&shop).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_full_refuses_until_it_has_room_and_loses_nothing() {
    // All tables in one file of fixed size; 24 MB hold the schema and some sales.
    let small = [
        "--innodb-file-per-table=0",
        "--innodb-data-file-path=ibdata1:12M;ibdata2:12M",
    ];
    let (server, directory, database) = own_database(&small).await;
    let url = database.url.clone();
    let shop = Shop::on(database, |options| options).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let status = fills(&shop, &ada).await;

    assert_comes_back(&status, &[Code::Unavailable, Code::ResourceExhausted]);
    let before = ada.points().await;
    assert_books_agree(&shop).await;
    server.stop().await;
    let options = EmbeddedOptions {
        data_dir: directory.path().to_owned(),
        binary: database_binary(),
        extra_arguments: vec![small[0].to_owned(), format!("{}:autoextend", small[1])],
    };
    let server = EmbeddedDatabase::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(server.url().replace("//root@", "//app@"), url);

    assert!(recovers(&shop).await < Duration::from_secs(5));
    assert_eq!(ada.points().await, before + dec("1"));
    assert_books_agree(&shop).await;
    server.stop().await;
}

/// Sells with long documents until the database has no room.
async fn fills(shop: &Shop, ada: &ShopMember<'_>) -> Status {
    for _ in 0..200 {
        let lines = (0..900).map(|line| loyalty_sdk::SaleLine::new(0).product(format!("{line}-{}", "x".repeat(50))));
        let sale = lines.fold(ada.sale("1"), loyalty_sdk::Sale::line);
        if let Err(error) = shop.client.record_sale(&sale.line(loyalty_sdk::SaleLine::new(1))).await {
            let failure = error.failure().cloned();
            assert!(failure.is_some(), "{error:?}");
            break;
        }
    }
    for _ in 0..2_000 {
        if let Err(status) = attempts(shop, true, Duration::from_secs(10)).await {
            return status;
        }
    }
    panic!("the database is not full")
}
