//! S1, O1: over a line that delays, cuts, resets in the middle of answers and repeats, every operation of the SDK takes
//! place exactly once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use loyalty_sdk::{
    Cancellation, Client, EarnRate, Error, MemberKey, NewMember, NewProgram, Outbox, OutboxError, RedemptionPolicy,
    RequestId, RetryPolicy, Sale, SaleReturn,
};
use rust_decimal::Decimal;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::faults::FaultyLine;
use crate::harness::{PROGRAM, Shop};

/// Tills that work at the same time, each with customers of its own.
const TILLS: u32 = 6;

/// Operations of a run.
fn operations() -> u32 {
    let asked = std::env::var("LOYALTY_FAULTS").ok();
    asked.map_or(600, |asked| asked.parse().expect("LOYALTY_FAULTS is a number"))
}

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

async fn client(endpoint: &str) -> Client {
    let retry = RetryPolicy::default()
        .attempts(20)
        .attempt_timeout(Duration::from_secs(2))
        .backoff(Duration::from_millis(2), Duration::from_millis(20));
    let client = Client::builder(endpoint).retry(retry).deadline(Duration::from_secs(30));
    client.connect().await.expect("a client")
}

/// Whether a till would try again.
fn is_failure(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable(_) | Error::DeadlineExceeded(_) | Error::Internal(_) | Error::Overloaded(_)
    )
}

/// Does something with one request id until it is answered.
async fn surely<T, F>(client: &Client, work: impl Fn(Client) -> F) -> T
where
    F: Future<Output = Result<T, Error>>,
{
    let request_id = RequestId::generate();
    for _ in 0..100 {
        match work(client.with_request_id(&request_id)).await {
            Ok(answer) => return answer,
            Err(error) if is_failure(&error) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it was never answered")
}

/// A till that enrols a customer, sells, redeems, takes back and cancels, and counts for itself what the customer has.
async fn works(client: Client, till: u32, operations: u32) -> (String, Decimal, u32) {
    let customer = format!("customer-{till}");
    let new = NewMember::new(PROGRAM).customer_id(&customer);
    surely(&client, |client| {
        let new = new.clone();
        async move { client.enroll_member(&new).await }
    })
    .await;
    let (mut has, mut entries) = (Decimal::ZERO, 0);
    for number in 1..operations {
        let id = format!("{till}-{number}");
        let amount = Decimal::from(number % 7 + 4);
        let mut sale = Sale::new(&id, "store-1", MemberKey::customer_id(&customer), "EUR", amount);
        let redeems = number % 5 == 0 && has >= Decimal::TWO;
        if redeems {
            sale = sale.redeem_points(2);
        }
        let receipt = surely(&client, |client| {
            let sale = sale.clone();
            async move { client.record_sale(&sale).await }
        })
        .await;
        let earned = if redeems { amount - Decimal::TWO } else { amount };
        assert_eq!(receipt.points_earned, earned, "{id}");
        assert_eq!(receipt.balance_before, has, "{id}");
        has += earned - receipt.points_redeemed;
        entries += 1 + u32::from(redeems);
        if number % 6 == 0 && !redeems {
            let back = SaleReturn::new(format!("r{id}"), "store-1", &id).amount(3);
            surely(&client, |client| {
                let back = back.clone();
                async move { client.return_sale(&back).await }
            })
            .await;
            has -= Decimal::from(3);
        } else if number % 11 == 0 && !redeems {
            let cancellation = Cancellation::new("store-1", &id);
            surely(&client, |client| {
                let cancellation = cancellation.clone();
                async move { client.cancel_sale(&cancellation).await }
            })
            .await;
            has -= earned;
        }
    }
    (customer, has, entries)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_over_a_faulty_line_takes_place_exactly_once() {
    let shop = shop().await;
    let seed = u64::from(std::process::id());
    let line = FaultyLine::to(&shop.endpoint, seed).await;
    let of_a_till = operations() / TILLS;

    let mut tills = JoinSet::new();
    for till in 0..TILLS {
        let client = client(&line.endpoint).await;
        tills.spawn(works(client, till, of_a_till));
    }
    let done = tills.join_all().await;

    for (customer, has, _) in done {
        let balance = shop.client.get_balance(MemberKey::customer_id(&customer)).await;
        assert_eq!(
            balance.expect("a balance").balance.available,
            has,
            "{customer}, seed {seed}"
        );
    }
    let faults = &line.faults;
    for (kind, count) in [
        ("delays", &faults.delays),
        ("cuts", &faults.cuts),
        ("resets", &faults.resets),
        ("repetitions", &faults.repetitions),
    ] {
        assert!(count.load(Ordering::Relaxed) > 0, "no {kind}: {faults:?}");
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_over_a_faulty_line_is_delivered_exactly_once_and_in_order() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let line = FaultyLine::to(&shop.endpoint, u64::from(std::process::id()) + 1).await;
    let home = TempDir::new().expect("a directory");
    let outbox = Outbox::open(home.path(), client(&line.endpoint).await).expect("an outbox");
    let count = operations();
    for number in 1..=count {
        let sale = Sale::new(format!("{number:06}"), "store-1", ada.key.clone(), "EUR", 1);
        outbox.put(sale.occurred_at(shop.now())).await.expect("put");
    }

    let mut delivered = 0;
    for _ in 0..1_000 {
        match outbox.deliver_with(|_| delivered += 1).await {
            Ok(_) => break,
            Err(OutboxError::Delivery(error)) if is_failure(&error) => {}
            Err(error) => panic!("{error}"),
        }
    }

    let sales = ada.history().await.into_iter().rev().filter_map(|entry| entry.sale_id);
    let expected = (1..=count).map(|number| format!("{number:06}"));
    assert!(sales.eq(expected), "each once, and in order");
    assert_eq!(delivered, count);
    assert_eq!(outbox.state().unsent, 0);
    assert_books_agree(&shop).await;
}
