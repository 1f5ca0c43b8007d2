//! A caller that hangs up in the middle never disturbs another's answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use loyalty_sdk::{Client, MemberKey, Sale};
use rust_decimal::Decimal;

use crate::harness::Shop;
use crate::harness::books::assert_books_agree;

const MEMBERS: u64 = 20;
const CANCELLED_CALLS: u64 = 4_000;

/// A small deterministic generator (a 64-bit linear congruence), so that a failure comes again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn customer(number: u64) -> MemberKey {
    MemberKey::customer_id(format!("customer-{number}"))
}

/// Starts calls and hangs up after a few microseconds to milliseconds.
async fn hangs_up(endpoint: String, seed: u64, started: Arc<AtomicU64>) {
    let mut numbers = Numbers(seed);
    let client = Client::connect(endpoint).await.expect("a client");
    while started.fetch_add(1, Ordering::Relaxed) < CANCELLED_CALLS {
        let (client, key, kind) = (client.clone(), customer(numbers.below(MEMBERS)), numbers.below(4));
        let sale = Sale::new(
            format!("{seed}-{}", numbers.0),
            "store-9",
            key.clone(),
            "EUR",
            Decimal::TEN,
        );
        let call = tokio::spawn(async move {
            // What it answers is of no interest: nobody waits for it.
            match kind {
                0 => drop(client.record_sale(&sale).await),
                1 => drop(client.quote_sale(&sale).await),
                2 => drop(client.list_entries(key, &loyalty_sdk::PageRequest::default()).await),
                _ => drop(client.get_balance(key).await),
            }
        });
        tokio::time::sleep(Duration::from_micros(numbers.below(3_000))).await;
        call.abort();
    }
}

/// Asks questions whose right answers are known, until it is told to stop; how many it asked.
async fn checks_answers(client: Client, member_ids: Vec<String>, seed: u64, stop: Arc<AtomicBool>) -> u64 {
    let mut numbers = Numbers(seed);
    let mut asked = 0;
    while !stop.load(Ordering::Relaxed) {
        let number = numbers.below(MEMBERS);
        let member_id = &member_ids[usize::try_from(number).expect("small")];
        let total = Decimal::new(i64::try_from(numbers.below(1_000_000)).expect("small") + 1, 2);
        let sale = Sale::new(
            format!("check-{seed}-{asked}"),
            "store-1",
            customer(number),
            "EUR",
            total,
        );

        let quote = client.quote_sale(&sale).await.expect("a quote");
        let balance = client.get_balance(customer(number)).await.expect("a balance");
        let receipt = client.record_sale(&sale).await.expect("a receipt");
        let page = client
            .list_entries(customer(number), &loyalty_sdk::PageRequest::default())
            .await
            .expect("a page");

        assert_eq!(
            (quote.member_id.as_ref(), quote.rated_amount.amount),
            (member_id.as_str(), total)
        );
        assert_eq!(balance.member_id.as_ref(), member_id.as_str());
        assert_eq!(
            (receipt.member_id.as_ref(), receipt.rated_amount.amount),
            (member_id.as_str(), total)
        );
        assert!(
            page.items
                .iter()
                .all(|entry| entry.member_id.as_ref() == member_id.as_str())
        );
        asked += 1;
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_callers_who_hang_up_disturb_nobody() {
    let shop = Shop::earning("10", "1").await;
    let mut member_ids = Vec::new();
    for number in 0..MEMBERS {
        member_ids.push(
            shop.enrols(&format!("customer-{number}"))
                .await
                .member
                .member_id
                .to_string(),
        );
    }
    let stop = Arc::new(AtomicBool::new(false));
    let started = Arc::new(AtomicU64::new(0));

    let checkers: Vec<_> = (0..4)
        .map(|seed| {
            tokio::spawn(checks_answers(
                shop.client.clone(),
                member_ids.clone(),
                seed,
                Arc::clone(&stop),
            ))
        })
        .collect();
    let rude: Vec<_> = (10..26)
        .map(|seed| tokio::spawn(hangs_up(shop.endpoint.clone(), seed, Arc::clone(&started))))
        .collect();
    for caller in rude {
        caller.await.expect("a caller who hangs up");
    }
    stop.store(true, Ordering::Relaxed);
    let mut asked = 0;
    for checker in checkers {
        asked += checker.await.expect("every answer was right");
    }

    assert!(asked > 0, "somebody checked meanwhile");
    assert_books_agree(&shop).await;
}
