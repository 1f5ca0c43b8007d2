//! O2: a terminal's queue is taken in order, and each operation is answered: applied, duplicate, or refused.

use loyalty_sdk::api::{self as wire, sync_sales_request::Operation as WireOperation};
use loyalty_sdk::{
    Cancellation, EarnRate, Error, HoldCapture, MemberKey, NewHold, NewMember, NewProgram, PageRequest,
    QueuedOperation, RedemptionPolicy, RedemptionRequest, Sale, SaleReturn, SyncAnswer, SyncOutcome, SyncStatus,
    TillOperation,
};
use loyalty_server::tenants::{NewKey, Role};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::harness::books::{Stall, assert_books_agree};
use crate::harness::keys::{Keys as _, new_key};
use crate::harness::{MERCHANT, PROGRAM, Shop, dec};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

fn sale(id: &str, customer_id: &str, total: i64) -> Sale {
    Sale::new(id, "store-1", MemberKey::customer_id(customer_id), "EUR", total)
}

fn refusal(outcome: &SyncOutcome) -> &Error {
    match &outcome.answer {
        SyncAnswer::Refused(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn statuses(outcomes: &[SyncOutcome]) -> Vec<SyncStatus> {
    outcomes.iter().map(|outcome| outcome.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_everything_that_a_till_does_is_carried_out_in_its_order() {
    let shop = shop().await;
    let ben = shop.enrols("ben").await;
    ben.buys("100").await;
    let hold = |points: i64| NewHold::of(RedemptionRequest::new("store-1", ben.key.clone()).redeem_points(points));
    let kept = shop.client.place_hold(&hold(30)).await.expect("a hold").hold;
    let given_up = shop.client.place_hold(&hold(20)).await.expect("a hold").hold;
    let queue: Vec<QueuedOperation> = [
        NewMember::new(PROGRAM).customer_id("ada").into(),
        sale("1", "ada", 50).into(),
        sale("2", "ada", 30).redeem_points(20).into(),
        SaleReturn::new("return-1", "store-1", "1").amount(10).into(),
        Cancellation::new("store-1", "2").into(),
        HoldCapture::of(kept.hold_id.clone(), "store-1").into(),
        TillOperation::Release {
            hold_id: given_up.hold_id.clone(),
            member: None,
        },
        sale("3", "ben", 7).into(),
    ]
    .map(QueuedOperation::new)
    .into();

    let outcomes = shop.client.sync_sales(&queue).await.expect("outcomes");
    let again = shop.client.sync_sales(&queue).await.expect("the same answers");

    assert_eq!(statuses(&outcomes), [SyncStatus::Applied; 8]);
    assert_eq!(statuses(&again), [SyncStatus::Duplicate; 8]);
    let positions: Vec<u64> = outcomes.iter().map(|outcome| outcome.position).collect();
    assert_eq!(positions, (0..8).collect::<Vec<_>>());
    assert!(matches!(&outcomes[2].answer, SyncAnswer::Sale(receipt) if receipt.points_redeemed == dec("20")));
    assert!(matches!(&outcomes[3].answer, SyncAnswer::Return(receipt) if receipt.points_taken_back == dec("10")));
    assert!(matches!(&outcomes[5].answer, SyncAnswer::Capture(receipt) if receipt.redemption.points == dec("30")));
    let ada = shop
        .client
        .get_balance(MemberKey::customer_id("ada"))
        .await
        .expect("a balance");
    assert_eq!(ada.balance.available, dec("40"));
    assert_eq!(ben.points().await, dec("77"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_operation_tells_why_and_the_balance_and_blocks_nothing() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let ben = shop.enrols("ben").await;
    ada.buys("5").await;
    let queue = [
        sale("1", "ada", 100).redeem_points(50),
        sale("2", "ben", 10),
        sale("3", "nobody", 10),
        sale("4", "ada", 10),
        Sale::new("", "store-1", ben.key.clone(), "EUR", 1),
        sale("5", "ben", 10),
    ]
    .map(QueuedOperation::new);

    let alone = shop.client.sync_sales(&queue[..1]).await.expect("outcomes");
    let outcomes = shop.client.sync_sales(&queue).await.expect("outcomes");
    let again = shop.client.sync_sales(&queue).await.expect("outcomes");

    use SyncStatus::{Applied, Duplicate, Refused};
    assert_eq!(
        statuses(&outcomes),
        [Refused, Applied, Refused, Applied, Refused, Applied]
    );
    assert_eq!(
        statuses(&again),
        [Refused, Duplicate, Refused, Duplicate, Refused, Duplicate]
    );
    let short = refusal(&outcomes[0]);
    assert!(
        matches!(short, Error::InsufficientPoints { available, requested } if *available == dec("5") && *requested == dec("50")),
        "{short}"
    );
    assert_eq!(alone[0].balance.as_ref().expect("a balance").available, dec("5"));
    assert_eq!(
        again[0].balance.as_ref().expect("a balance").available,
        dec("15"),
        "as it is now"
    );
    assert!(matches!(refusal(&outcomes[2]), Error::MemberNotFound { .. }));
    assert_eq!(outcomes[2].balance, None);
    let Error::InvalidFields(violations) = refusal(&outcomes[4]) else {
        panic!("{outcomes:?}");
    };
    assert_eq!(violations[0].field, "sale.sale_id");
    assert_eq!((ada.points().await, ben.points().await), (dec("15"), dec("20")));
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_of_one_member_keep_their_order_whatever_they_call_the_member() {
    let shop = shop().await;
    let member = NewMember::new(PROGRAM).customer_id("ada").card("7700").phone("+34600");
    let member = shop.client.enroll_member(&member).await.expect("a member");
    let keys = [
        MemberKey::customer_id("ada"),
        MemberKey::card("7700"),
        MemberKey::phone("+34600"),
        MemberKey::from(&member),
    ];
    let queue: Vec<QueuedOperation> = (0..300_usize)
        .map(|number| {
            let key = keys[number % keys.len()].clone();
            QueuedOperation::new(Sale::new(format!("{number:04}"), "store-1", key, "EUR", 1))
        })
        .collect();

    let outcomes = shop.client.sync_sales(&queue).await.expect("outcomes");

    assert!(outcomes.iter().all(|outcome| outcome.status == SyncStatus::Applied));
    let mut sales = Vec::new();
    let mut next = Some(PageRequest::of(200));
    while let Some(page) = next {
        let page = shop
            .client
            .list_entries(MemberKey::from(&member), &page)
            .await
            .expect("a page");
        sales.extend(page.items.into_iter().filter_map(|entry| entry.sale_id));
        next = page.next;
    }
    sales.reverse();
    let expected: Vec<String> = (0..300).map(|number| format!("{number:04}")).collect();
    assert_eq!(sales, expected);
    let batches = shop.statistics.batches();
    assert!(batches < 250, "many sales share a transaction: {batches}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_no_more_under_way_than_its_bound() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let before = shop.statistics.accepted();
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let queue: Vec<QueuedOperation> = (0..500)
        .map(|number| QueuedOperation::new(sale(&number.to_string(), "ada", 1)))
        .collect();

    let client = shop.client.clone();
    let syncing = tokio::spawn(async move { client.sync_sales(&queue).await });
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let under_way = shop.statistics.accepted() - before;
    stall.release().await;
    let outcomes = syncing.await.expect("a task").expect("outcomes");

    assert_eq!(under_way, 64);
    assert_eq!(outcomes.len(), 500);
    assert_eq!(ada.points().await, dec("500"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_takes_place_where_the_key_says() {
    let shop = Shop::with_keys().await;
    shop.opens().await;
    shop.enrols("ada").await;
    let mut tenants = shop.tenants().await;
    let terminal = tenants.key(MERCHANT, Role::Terminal).await;
    let looker = tenants
        .create_key(new_key(MERCHANT, Role::ReadOnly))
        .await
        .expect("a key")
        .text;
    let queue = [
        Sale::new("1", "store-2", MemberKey::customer_id("ada"), "EUR", 1),
        Sale::new("2", "", MemberKey::customer_id("ada"), "EUR", 1),
    ]
    .map(QueuedOperation::new);

    let outcomes = shop
        .client_with(&terminal)
        .await
        .sync_sales(&queue)
        .await
        .expect("outcomes");
    let not_allowed = shop.client_with(&looker).await.sync_sales(&queue).await;

    assert_eq!(statuses(&outcomes), [SyncStatus::Refused, SyncStatus::Applied]);
    assert!(
        matches!(refusal(&outcomes[0]), Error::PlaceMismatch { field, allowed } if field == "sale.store_id" && allowed == "store-1"),
        "{outcomes:?}"
    );
    assert!(
        matches!(not_allowed, Err(Error::RoleNotAllowed { .. })),
        "{not_allowed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_ends_the_stream() {
    let shop = Shop::with_keys().await;
    shop.opens().await;
    shop.enrols("ada").await;
    let mut tenants = shop.tenants().await;
    tenants.create_store(MERCHANT, "store-1").await.expect("a store");
    let key = NewKey {
        store_id: Some("store-1".to_owned()),
        ..new_key(MERCHANT, Role::Terminal)
    };
    let key = tenants.create_key(key).await.expect("a key");
    let (queue, operations) = mpsc::channel(4);
    let mut ledger = shop.client_with(&key.text).await.raw_ledger();
    let message = |number: u64| wire::SyncSalesRequest {
        position: number,
        operation: Some(WireOperation::RecordSale(wire::RecordSaleRequest {
            request_id: format!("request-{number}"),
            sale: Some(wire::Sale {
                sale_id: number.to_string(),
                member: crate::harness::raw::customer("ada"),
                currency_code: "EUR".to_owned(),
                total: crate::harness::raw::number("1"),
                ..wire::Sale::default()
            }),
            ..wire::RecordSaleRequest::default()
        })),
    };
    queue.send(message(1)).await.expect("room");
    let mut answers = ledger
        .sync_sales(ReceiverStream::new(operations))
        .await
        .expect("a stream")
        .into_inner();
    let first = answers.next().await.expect("an answer").expect("an answer");

    tenants.revoke_key(&key.key_id).await.expect("revoked");
    let ended = answers.next().await.expect("an end").expect_err("a status");

    assert_eq!((first.position, first.status()), (1, wire::SyncStatus::Applied));
    assert_eq!(ended.code(), tonic::Code::Unauthenticated);
}
