//! O1, O2: where a database dies under a till's queue, every operation takes place once and none before those in front of
//! it.

use std::time::Duration;

use loyalty_sdk::{
    Client, Entry, MemberKey, Outbox, PageRequest, QueuedOperation, RetryPolicy, Sale, SaleReturn, SyncOutcome,
    SyncStatus, TillOperation,
};
use loyalty_server::PostingOptions;
use loyalty_server::serve::ServeOptions;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::harness::books::assert_books_agree;
use crate::harness::database::{TestDatabase, own_database};
use crate::harness::program::kill;
use crate::harness::proxy::{Line, Proxy};
use crate::harness::{Shop, dec};

/// The line is as good as the machine.
const WORKS: Line = Line::Works(Duration::ZERO);

/// Small batches, so that many of a queue's are under way when the database goes.
fn in_small_batches(options: ServeOptions) -> ServeOptions {
    ServeOptions {
        posting: PostingOptions {
            batch_limit: 4,
            ..options.posting
        },
        ..options
    }
}

/// A till that does not give up.
async fn till(shop: &Shop) -> Client {
    let retry = RetryPolicy::default()
        .attempts(40)
        .backoff(Duration::from_millis(10), Duration::from_millis(200));
    let client = Client::builder(&shop.endpoint).retry(retry).connect();
    client.await.expect("a client")
}

fn sale(number: usize, customer: usize) -> Sale {
    let key = MemberKey::customer_id(format!("customer-{customer}"));
    Sale::new(format!("{number:05}"), "store-1", key, "EUR", 10)
}

/// Sales of two members, and now and then the return of the one before.
fn queue(count: usize) -> Vec<QueuedOperation> {
    let operation = |number: usize| match number % 50 {
        49 => {
            let sale_id = format!("{:05}", number - 2);
            TillOperation::from(SaleReturn::new(format!("{number:05}"), "store-1", sale_id).amount(1))
        }
        _ => sale(number, number % 2).into(),
    };
    (0..count).map(operation).map(QueuedOperation::new).collect()
}

fn takes(client: Client, queue: Vec<QueuedOperation>) -> JoinHandle<Vec<SyncOutcome>> {
    tokio::spawn(async move { client.sync_sales(&queue).await.expect("outcomes") })
}

/// Waits until so many commands were handed to the writers.
async fn accepts(shop: &Shop, count: u64) {
    while shop.statistics.accepted() < count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Documents of a customer in the order of the ledger.
async fn documents(shop: &Shop, customer: usize) -> Vec<String> {
    let key = MemberKey::customer_id(format!("customer-{customer}"));
    let (mut documents, mut next) = (Vec::new(), Some(PageRequest::of(200)));
    while let Some(page) = next {
        let page = shop.client.list_entries(key.clone(), &page).await.expect("a page");
        let document = |entry: Entry| entry.reference.or(entry.sale_id);
        documents.extend(page.items.into_iter().filter_map(document));
        next = page.next;
    }
    documents.reverse();
    documents
}

/// Each operation took place once, in the order of the queue.
async fn assert_in_order(shop: &Shop, count: usize) {
    for customer in 0..2 {
        let expected: Vec<String> = (0..count)
            .filter(|number| number % 2 == customer)
            .map(|number| format!("{number:05}"))
            .collect();
        assert_eq!(documents(shop, customer).await, expected, "customer {customer}");
    }
    assert_books_agree(shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_queue_is_carried_out_before_what_an_outage_left_without_an_answer() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::to(&database.url).await;
    let database_url = proxy.url.clone();
    let shop = Shop::on(database, |options| {
        in_small_batches(ServeOptions {
            database_url,
            ..options
        })
    })
    .await;
    shop.opens().await;
    for customer in 0..2 {
        shop.enrols(&format!("customer-{customer}")).await;
    }
    let before = shop.statistics.accepted();

    let taking = takes(till(&shop).await, queue(240));
    for part in 1..=2 {
        accepts(&shop, before + part * 60).await;
        let failures = shop.statistics.failures();
        proxy.becomes(Line::Cut);
        while shop.statistics.failures() == failures {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // At once: what waits behind the batch that failed would go through, long before the till comes again.
        proxy.becomes(WORKS);
    }
    let outcomes = taking.await.expect("a task");

    let refused = outcomes.iter().filter(|outcome| outcome.status == SyncStatus::Refused);
    assert_eq!(refused.count(), 0);
    assert_in_order(&shop, 240).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_and_starts_again_under_a_queue_leaves_it_whole_and_in_order() {
    let (server, directory, database) = own_database(&[]).await;
    let shop = Shop::on(database, in_small_batches).await;
    shop.opens().await;
    for customer in 0..2 {
        shop.enrols(&format!("customer-{customer}")).await;
    }
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), till(&shop).await).expect("an outbox");
    for number in 0..600 {
        let sale = sale(number, number % 2).occurred_at(shop.now());
        outbox.put(sale).await.expect("put");
    }
    let before = shop.statistics.accepted();

    let delivering = tokio::spawn(async move { outbox.deliver().await.expect("delivered") });
    for part in 1..=3 {
        accepts(&shop, before + part * 120).await;
        let killed = server.process_id().expect("a process");
        kill("-KILL", killed);
        while server.process_id() == Some(killed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let delivered = delivering.await.expect("a task");

    assert_eq!((delivered.applied + delivered.duplicates, delivered.refused), (600, 0));
    assert_in_order(&shop, 600).await;
    let balance = shop.client.get_balance(MemberKey::customer_id("customer-0")).await;
    assert_eq!(balance.expect("a balance").balance.available, dec("3000"));
    server.stop().await;
    drop(directory);
}
