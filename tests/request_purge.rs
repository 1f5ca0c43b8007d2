//! S1: what became of a write is known for thirty days at least, and forgotten after, a bounded step at a time.

use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::Error;
use loyalty_server::serve::ServeOptions;

use crate::harness::books::count;
use crate::harness::{Shop, dec};

/// A shop that looks ten times a second for what has become old.
async fn shop(request_retention_days: u32) -> Shop {
    let shop = Shop::serving(|options| ServeOptions {
        request_retention_days,
        purge_interval: Duration::from_millis(100),
        ..options
    })
    .await;
    shop.opens().await;
    shop
}

async fn is_known(shop: &Shop, request_id: &str) -> bool {
    match shop.client.get_operation(request_id).await {
        Ok(_) => true,
        Err(Error::OperationNotFound { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn until_forgotten(shop: &Shop, request_id: &str) {
    let began = Instant::now();
    while is_known(shop, request_id).await {
        assert!(began.elapsed() < Duration::from_secs(20), "{request_id} is still known");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_write_is_forgotten_after_thirty_days_and_the_sale_stays() {
    let shop = shop(30).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("5");
    shop.client
        .with_request_id("old")
        .record_sale(&sale)
        .await
        .expect("a receipt");

    shop.days_pass(30);
    shop.client
        .with_request_id("young")
        .record_sale(&ada.sale("7"))
        .await
        .expect("a receipt");
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let on_the_thirtieth_day = is_known(&shop, "old").await;
    shop.days_pass(1);
    until_forgotten(&shop, "old").await;

    assert!(on_the_thirtieth_day);
    assert!(is_known(&shop, "young").await);
    let again = shop.client.with_request_id("old").record_sale(&sale).await;
    assert!(
        again.expect("the original answer").replayed,
        "a sale is known by its own id for ever"
    );
    assert_eq!(ada.points().await, dec("12"));
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_old_requests_of_several_merchants_go_and_the_young_stay() {
    let shop = shop(45).await;
    let mut database = shop.database().await;
    let numbers = "SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS n FROM digit a, digit b, digit c, digit d";
    let fill = format!(
        "CREATE TABLE digit (n INT NOT NULL PRIMARY KEY); INSERT INTO digit VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9); \
         INSERT INTO merchant (merchant_id, code, created_at) VALUES (7, 'second', '2026-01-01'), (300, 'third', '2026-01-01'); \
         INSERT INTO request SELECT 7, CONCAT('r', n), REPEAT('h', 32), \
         IF(n % 10 = 0, '2026-01-15', '2025-11-01'), NULL, NULL, '{{}}' FROM ({numbers}) x WHERE n < 3000; \
         INSERT INTO request SELECT 300, CONCAT('r', n), REPEAT('h', 32), '2025-11-01', NULL, NULL, '{{}}' \
         FROM ({numbers}) x WHERE n < 1200; DROP TABLE digit"
    );
    database.batch_execute(&fill).await.expect("old requests");
    let old = "SELECT COUNT(*) AS n FROM request WHERE recorded_at < '2025-12-01'";
    let all = "SELECT COUNT(*) AS n FROM request WHERE merchant_id IN (7, 300)";

    let began = Instant::now();
    while count(&mut database, old).await > 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "they stay");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    assert_eq!(count(&mut database, all).await, 300);
}
