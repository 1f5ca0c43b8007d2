//! S2: more than the server takes is turned away at once with a delay, and what was let in still ends in time.

use std::time::{Duration, Instant};

use loyalty_sdk::{Client, Error, RetryPolicy};
use loyalty_server::serve::ServeOptions;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::books::{Stall, assert_books_agree};
use crate::harness::{Shop, dec};

async fn impatient(shop: &Shop) -> Client {
    let client = Client::builder(&shop.endpoint).retry(RetryPolicy::never());
    client.connect().await.expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_limit_are_turned_away_at_once_and_those_within_are_finished() {
    let shop = Shop::serving(|options| ServeOptions { calls: 8, ..options }).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;

    let calls: Vec<_> = (0..40)
        .map(|_| {
            let (client, sale) = (shop.client.clone(), ada.sale("1"));
            tokio::spawn(async move {
                let began = Instant::now();
                (client.record_sale(&sale).await, began.elapsed())
            })
        })
        .collect();
    while shop.statistics.accepted() < 8 + 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stall.release().await;
    let (mut receipts, mut refused) = (0, 0);
    for call in calls {
        match call.await.expect("a task") {
            (Ok(_), _) => receipts += 1,
            (Err(Error::Overloaded(failure)), took) => {
                assert_eq!(failure.reason, loyalty_sdk::api::ErrorReason::Overloaded);
                assert!(took < Duration::from_millis(300), "{took:?}");
                refused += 1;
            }
            (Err(error), _) => panic!("{error}"),
        }
    }

    assert_eq!((receipts, refused), (8, 32));
    assert_eq!(ada.points().await, dec("8"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_that_try_again_are_all_served_by_a_server_that_is_too_small() {
    let shop = Shop::serving(|options| ServeOptions { calls: 4, ..options }).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;
    let till = Client::connect(&shop.endpoint).await.expect("a client");

    let calls: Vec<_> = (0..60)
        .map(|_| {
            let (client, sale) = (till.clone(), ada.sale("1"));
            tokio::spawn(async move { client.record_sale(&sale).await })
        })
        .collect();
    for call in calls {
        call.await.expect("a task").expect("a receipt");
    }

    assert_eq!(ada.points().await, dec("60"));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_one_connection_beyond_its_limit_wait_their_turn() {
    let shop = Shop::serving(|options| ServeOptions {
        calls_per_connection: 2,
        ..options
    })
    .await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;

    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (client, sale) = (shop.client.clone(), ada.sale("1"));
            tokio::spawn(async move { client.record_sale(&sale).await })
        })
        .collect();
    for call in calls {
        call.await.expect("a task").expect("a receipt");
    }

    assert_eq!(ada.points().await, dec("20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_until_one_is_free() {
    let shop = Shop::serving(|options| ServeOptions {
        connections: 4,
        ..options
    })
    .await;
    shop.opens().await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let client = impatient(&shop).await;
        client.get_program("club").await.expect("a program");
        others.push(client);
    }

    let one_more = impatient(&shop).await;
    let refused = one_more.get_program("club").await;
    drop(others.pop());
    let began = Instant::now();
    while one_more.get_program("club").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(5), "no place becomes free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    for other in others {
        other.get_program("club").await.expect("a program");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_hold_open_what_is_open_to_all_take_no_place_of_a_caller() {
    let shop = Shop::serving(|options| ServeOptions { calls: 2, ..options }).await;
    shop.opens().await;
    let mut watches = Vec::new();
    let mut health = HealthClient::new(impatient(&shop).await.channel());

    let refused = loop {
        match health.watch(HealthCheckRequest::default()).await {
            Ok(watch) => watches.push(watch),
            Err(status) => break status,
        }
        assert!(watches.len() < 2_000, "there is no limit");
    };

    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(watches.len() > 100, "{}", watches.len());
    shop.client.get_program("club").await.expect("a program");
    watches.truncate(10);
    tokio::time::sleep(Duration::from_millis(200)).await;
    health.check(HealthCheckRequest::default()).await.expect("a status");
}
