//! A client of several servers: when one is away the next takes over inside the deadline, and the preferred one is called
//! again when it serves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use loyalty_sdk::{Client, Error, MemberKey, RetryPolicy, Sale};
use rust_decimal::Decimal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::program::{Program, directory, free_port};
use crate::harness::{Shop, ShopMember};

/// Tills that sell at once.
pub(crate) const TILLS: usize = 8;

/// A client that prefers one server to another, and waits a second for each.
async fn client(preferred: &str, other: &str) -> Client {
    let retry = RetryPolicy::default().attempt_timeout(Duration::from_secs(1));
    let client = Client::builder(preferred).fallback(other).retry(retry);
    client.connect().await.expect("a client")
}

/// Where nobody listens.
fn nowhere() -> String {
    format!("http://127.0.0.1:{}", free_port())
}

/// Waits until calls go to this server.
async fn goes_to(client: &Client, endpoint: &str) {
    let began = Instant::now();
    while client.endpoint() != endpoint {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "still at {}",
            client.endpoint()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Tills that sell a euro at a time to their customers until they are told to stop.
pub(crate) struct Tills {
    tills: JoinSet<u64>,
    is_over: Arc<AtomicBool>,
    sold: Arc<AtomicU64>,
}

impl Tills {
    pub(crate) fn open(client: &Client) -> Self {
        let (is_over, sold) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut tills = JoinSet::new();
        for till in 0..TILLS {
            let (client, is_over, sold) = (client.clone(), Arc::clone(&is_over), Arc::clone(&sold));
            tills.spawn(async move {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let customer = MemberKey::customer_id(format!("till-{till}"));
                    let sale = Sale::new(format!("{till}-{count}"), "store-1", customer, "EUR", 1);
                    let receipt = client.record_sale(&sale).await;
                    let receipt = receipt.unwrap_or_else(|error| panic!("{}: {error}", sale.sale_id));
                    count += 1;
                    assert_eq!(receipt.balance.available, Decimal::from(count), "till {till}");
                    sold.fetch_add(1, Ordering::Relaxed);
                }
                count
            });
        }
        Self { tills, is_over, sold }
    }

    /// Waits until so many sales more are recorded.
    pub(crate) async fn sell(&self, more: u64) {
        let (began, wanted) = (Instant::now(), self.sold.load(Ordering::Relaxed) + more);
        while self.sold.load(Ordering::Relaxed) < wanted {
            assert!(began.elapsed() < Duration::from_secs(30), "the tills stand still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What each has sold.
    pub(crate) async fn close(self) -> BTreeMap<usize, u64> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut sold: Vec<u64> = self.tills.join_all().await;
        sold.sort_unstable();
        sold.into_iter().enumerate().collect()
    }
}

pub(crate) async fn customers(shop: &Shop) -> Vec<ShopMember<'_>> {
    let mut members = Vec::new();
    for till in 0..TILLS {
        members.push(shop.enrols(&format!("till-{till}")).await);
    }
    members
}

/// Every sale that was answered is in the books, once.
pub(crate) async fn assert_nothing_is_lost(shop: &Shop, members: &[ShopMember<'_>], sold: BTreeMap<usize, u64>) {
    let mut points = Vec::new();
    for member in members {
        points.push(member.points().await);
    }
    points.sort_unstable();
    let sold: Vec<Decimal> = sold.into_values().map(Decimal::from).collect();
    assert_eq!(points, sold);
    assert_books_agree(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load_loses_nothing_and_is_called_again_when_it_is_back() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let members = customers(&shop).await;
    let home = directory();
    let on_the_same_database = |command: &mut std::process::Command| {
        command.env("DATABASE_URL", shop.database_url());
    };
    let (preferred, _) = Program::start_with(home.path(), free_port(), on_the_same_database).await;
    let port = preferred.port;
    let endpoint = format!("http://127.0.0.1:{port}");
    let client = client(&endpoint, &shop.endpoint).await;

    let tills = Tills::open(&client);
    tills.sell(200).await;
    assert_eq!(client.endpoint(), endpoint);
    preferred.signal("-KILL");
    tills.sell(200).await;
    assert_eq!(client.endpoint(), shop.endpoint);
    preferred.wait();
    let (again, _) = Program::start_with(home.path(), port, on_the_same_database).await;
    goes_to(&client, &endpoint).await;
    tills.sell(200).await;
    let sold = tills.close().await;

    assert_nothing_is_lost(&shop, &members, sold).await;
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_hands_its_tills_over() {
    let mut shop = Shop::empty().await;
    shop.opens().await;
    let members = customers(&shop).await;
    let other = shop.another_server(|options| options).await;
    let client = client(&shop.endpoint, &other).await;
    drop(members);

    let tills = Tills::open(&client);
    tills.sell(50).await;
    let closing = shop.begins_to_close();
    tills.sell(200).await;
    closing.await.expect("it closes");
    assert_eq!(client.endpoint(), other);
    shop.opens_again().await;
    goes_to(&client, &shop.endpoint).await;
    tills.sell(50).await;
    let sold = tills.close().await;

    let mut points = Vec::new();
    for till in 0..TILLS {
        let customer = MemberKey::customer_id(format!("till-{till}"));
        let balance = client.get_balance(customer).await.expect("a balance");
        points.push(balance.balance.available);
    }
    points.sort_unstable();
    assert_eq!(points, sold.into_values().map(Decimal::from).collect::<Vec<_>>());
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_more_is_left_within_the_deadline() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let members = customers(&shop).await;
    let home = directory();
    let (silent, _) = Program::start_with(home.path(), free_port(), |command| {
        command.env("DATABASE_URL", shop.database_url());
    })
    .await;
    let endpoint = format!("http://127.0.0.1:{}", silent.port);
    let client = client(&endpoint, &shop.endpoint).await;

    let tills = Tills::open(&client);
    tills.sell(50).await;
    silent.signal("-STOP");
    // What the silent one holds locked in the database the other waits for, and no sale fails.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    silent.signal("-CONT");
    tills.sell(50).await;
    goes_to(&client, &endpoint).await;
    let sold = tills.close().await;

    assert_nothing_is_lost(&shop, &members, sold).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preferred_server_that_is_not_there_costs_the_first_call_no_pause() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let pause = Duration::from_secs(8);
    let retry = RetryPolicy::default().backoff(pause, pause);
    let client = Client::builder(nowhere())
        .fallback(nowhere())
        .fallback(&shop.endpoint)
        .retry(retry);
    let client = client.connect().await.expect("a client");

    let began = Instant::now();
    let receipt = client.record_sale(&ada.sale("10")).await.expect("a receipt");

    assert!(!receipt.replayed);
    assert!(began.elapsed() < pause, "{:?}", began.elapsed());
    assert_eq!(client.endpoint(), shop.endpoint);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_queues_go_on_at_the_other_server() {
    let mut shop = Shop::empty().await;
    shop.opens().await;
    shop.enrols("ada").await;
    let other = shop.another_server(|options| options).await;
    let client = client(&shop.endpoint, &other).await;
    let queue: Vec<_> = (0..20)
        .map(|number| Sale::new(number.to_string(), "store-1", MemberKey::customer_id("ada"), "EUR", 1))
        .map(loyalty_sdk::QueuedOperation::new)
        .collect();

    client.sync_sales(&queue[..10]).await.expect("outcomes");
    shop.begins_to_close().await.expect("it closes");
    let outcomes = client.sync_sales(&queue).await.expect("outcomes");
    let mut members = client.report_members(&loyalty_sdk::ReportPeriod::of_program("club"));
    let mut earned = Decimal::ZERO;
    while let Some(part) = members.next().await.expect("a part") {
        earned += part.iter().map(|report| report.movement.earned).sum::<Decimal>();
    }

    let applied = |outcome: &&loyalty_sdk::SyncOutcome| outcome.status == loyalty_sdk::SyncStatus::Applied;
    assert_eq!(outcomes.iter().filter(applied).count(), 10);
    assert_eq!(outcomes.len(), 20);
    assert_eq!(earned, Decimal::from(20));
    assert_eq!(client.endpoint(), other);
}

/// A line to a server whose first connection carries nothing any more once it is told so, as behind a router that has
/// forgotten it; further ones work.
async fn forgetful_line(endpoint: &str) -> (String, Arc<AtomicBool>) {
    let server = endpoint.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let line = format!("http://{}", listener.local_addr().expect("an address"));
    let is_forgotten = Arc::<AtomicBool>::default();
    let forgotten = Arc::clone(&is_forgotten);
    tokio::spawn(async move {
        let mut is_first = true;
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&server).await.expect("the server");
            let forgets = std::mem::take(&mut is_first).then(|| Arc::clone(&forgotten));
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(carry(from_client, to_server, forgets.clone()));
            tokio::spawn(carry(from_server, to_client, forgets));
        }
    });
    (line, is_forgotten)
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, forgets: Option<Arc<AtomicBool>>) {
    let mut piece = vec![0; 16 << 10];
    while let Ok(length) = from.read(&mut piece).await {
        let is_forgotten = forgets.as_ref().is_some_and(|forgets| forgets.load(Ordering::Relaxed));
        if length == 0 || !is_forgotten && to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_carries_nothing_any_more_is_noticed_and_made_anew() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let (line, is_forgotten) = forgetful_line(&shop.endpoint).await;
    let patience = Duration::from_secs(30);
    let patient = RetryPolicy::default().attempt_timeout(patience);
    let client = Client::builder(&line)
        .deadline(patience)
        .keep_alive(Duration::from_millis(300), Duration::from_millis(300))
        .retry(patient);
    let client = client.connect().await.expect("a client");
    client.record_sale(&ada.sale("10")).await.expect("a receipt");

    is_forgotten.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let receipt = client.record_sale(&ada.sale("10")).await.expect("a receipt");

    assert_eq!(receipt.balance.available, Decimal::from(20));
    assert!(began.elapsed() < patience, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_the_answer_of_one_server_and_asks_no_other() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    // Whoever calls here is noted.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let other = format!("http://{}", listener.local_addr().expect("an address"));
    let client = client(&shop.endpoint, &other).await;

    let refused = client.record_sale(&ada.sale("10").redeem_points(5)).await;
    let called = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;

    assert!(
        matches!(refused, Err(Error::RedemptionNotOffered { .. })),
        "{refused:?}"
    );
    assert!(called.is_err());
    assert_eq!(client.endpoint(), shop.endpoint);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_server_is_there_the_deadline_ends_the_call_and_the_first_that_comes_is_found() {
    let mut shop = Shop::empty().await;
    shop.opens().await;
    let endpoint = shop.endpoint.clone();
    shop.begins_to_close().await.expect("it closes");
    let client = client(&nowhere(), &endpoint)
        .await
        .with_deadline(Duration::from_secs(1));

    let began = Instant::now();
    let failed = client.get_program("club").await;
    let took = began.elapsed();
    shop.opens_again().await;
    let found = client.with_deadline(Duration::from_secs(10)).get_program("club").await;

    assert!(matches!(failed, Err(Error::Unavailable(_))), "{failed:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    found.expect("the program");
}
