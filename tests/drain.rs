//! A server that is asked to stop: it says so, finishes what it has begun, and takes nothing new.

use std::time::{Duration, Instant};

use loyalty_server::serve::ServeOptions;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::books::{Stall, assert_books_agree};
use crate::harness::{Shop, dec};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_in_flight_is_finished_and_health_says_that_the_server_stops() {
    let mut shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let (sale, client) = (ada.sale("10"), shop.client.clone());
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let before = shop.statistics.taken();
    let in_flight = tokio::spawn(async move { client.record_sale(&sale).await });
    while shop.statistics.taken() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = HealthCheckRequest {
        service: "loyalty.v1.LedgerService".to_owned(),
    };
    let mut health = HealthClient::new(shop.client.channel());
    let mut told = health.watch(request).await.expect("a watch").into_inner();
    let first = told.message().await.expect("a status").expect("a status");

    let closing = shop.begins_to_close();
    let second = told.message().await.expect("a status").expect("a status");
    drop(told);
    stall.release().await;
    let receipt = in_flight.await.expect("a task");
    closing.await.expect("the server ends");

    assert_eq!(
        (first.status(), second.status()),
        (ServingStatus::Serving, ServingStatus::NotServing)
    );
    assert_eq!(receipt.expect("a receipt").points_earned, dec("1"));
    assert!(
        shop.client.get_program("club").await.is_err(),
        "nobody listens any more"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_finish_ends_all_the_same() {
    let mut shop = Shop::serving(|options| ServeOptions {
        drain: Duration::from_secs(1),
        ..options
    })
    .await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let (sale, client) = (ada.sale("10"), shop.client.clone());
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let before = shop.statistics.taken();
    let in_flight = tokio::spawn(async move { client.record_sale(&sale).await });
    while shop.statistics.taken() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    let began = Instant::now();
    shop.begins_to_close().await.expect("the server ends");

    assert!(began.elapsed() < Duration::from_secs(13), "{:?}", began.elapsed());
    in_flight.abort();
    drop(stall);
}
