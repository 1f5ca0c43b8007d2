//! T6, L7: points that lapsed are written off in the history by the next sale, and the books add up.

use loyalty_sdk::{EarnRate, Entry, EntryKind, Error, ExpiryPolicy, NewProgram, RedemptionPolicy};
use tokio::task::JoinSet;

use crate::harness::{Shop, ShopMember, dec, instant};

async fn shop(expiry: ExpiryPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .expiry(expiry)
        .redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// Kind, points and balance of each entry, oldest first.
fn told(history: &[Entry]) -> Vec<(EntryKind, String, String)> {
    let told = |entry: &Entry| (entry.kind, entry.points.to_string(), entry.balance_after.to_string());
    history.iter().rev().map(told).collect()
}

fn entry(kind: EntryKind, points: &str, balance_after: &str) -> (EntryKind, String, String) {
    (kind, points.to_owned(), balance_after.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_sale_writes_lapsed_points_off_with_the_instant_they_lapsed_at() {
    let shop = shop(ExpiryPolicy::days(30)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.days_pass(1);
    ada.buys("5.00").await;
    ada.buys("2.00").await;
    shop.it_is("2026-03-01T10:00:00Z");
    assert_eq!(ada.points().await, dec("0"));
    assert_eq!(ada.history().await.len(), 3, "a look writes nothing");

    let receipt = ada.buys("1.00").await;

    assert_eq!(
        (receipt.balance_before, receipt.balance.available),
        (dec("0"), dec("1"))
    );
    let history = ada.history().await;
    let expected = [
        entry(EntryKind::Earn, "10", "10"),
        entry(EntryKind::Earn, "5", "15"),
        entry(EntryKind::Earn, "2", "17"),
        entry(EntryKind::Expire, "-10", "7"),
        entry(EntryKind::Expire, "-7", "0"),
        entry(EntryKind::Earn, "1", "1"),
    ];
    assert_eq!(told(&history), expected);
    let [first, second] = [&history[2], &history[1]];
    assert_eq!(first.occurred_at, instant("2026-02-15T00:00:00Z"));
    assert_eq!(second.occurred_at, instant("2026-02-16T00:00:00Z"));
    for lapse in [first, second] {
        assert_eq!(lapse.recorded_at, instant("2026-03-01T10:00:00Z"));
        assert_eq!((&lapse.sale_id, &lapse.store_id), (&None, &None));
    }
    let lots: Vec<(u64, String)> = second
        .lots
        .iter()
        .map(|lot| (lot.lot_sequence, lot.points.to_string()))
        .collect();
    assert_eq!(lots, [(2, "-5".to_owned()), (3, "-2".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lapsed_of_a_lot_that_was_partly_spent_is_only_the_rest() {
    let shop = shop(ExpiryPolicy::days(30)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    ada.records(&ada.sale("4.00").redeem_points(4)).await;
    shop.days_pass(31);

    let refused = ada.tries(&ada.sale("9.00").redeem_points(6)).await;
    ada.buys("0.50").await;

    let (available, requested) = (dec("0"), dec("6"));
    assert_eq!(refused, Err(Error::InsufficientPoints { available, requested }));
    let expected = [
        entry(EntryKind::Earn, "10", "10"),
        entry(EntryKind::Redeem, "-4", "6"),
        entry(EntryKind::Earn, "0", "6"),
        entry(EntryKind::Expire, "-6", "0"),
        entry(EntryKind::Earn, "0", "0"),
    ];
    assert_eq!(told(&ada.history().await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_a_sale_so_late_that_they_have_lapsed_come_and_go() {
    let shop = shop(ExpiryPolicy::days(30)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("3.00").await;
    let forty_days_ago = instant("2025-12-06T10:00:00Z");

    let sale = ada.sale("10.00").occurred_at(forty_days_ago);
    let quote = shop.client.quote_sale(&sale).await.expect("a quote");
    let receipt = ada.records(&sale).await;

    let unsaid = loyalty_sdk::Receipt { quote: None, ..quote };
    assert_eq!(unsaid, receipt);
    assert_eq!(
        (receipt.points_earned, receipt.balance.available),
        (dec("10"), dec("3"))
    );
    assert_eq!(receipt.points_expire_at, Some(instant("2026-01-06T00:00:00Z")));
    assert_eq!(receipt.balance.next_expiry_at, Some(instant("2026-02-15T00:00:00Z")));
    let history = ada.history().await;
    let expected = [
        entry(EntryKind::Earn, "3", "3"),
        entry(EntryKind::Earn, "10", "13"),
        entry(EntryKind::Expire, "-10", "3"),
    ];
    assert_eq!(told(&history), expected);
    // They cannot have lapsed before they came.
    assert_eq!(
        (history[1].occurred_at, history[0].occurred_at),
        (forty_days_ago, history[1].recorded_at)
    );
    assert_eq!(ada.points().await, dec("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_a_late_sale_have_only_the_rest_of_their_time() {
    let shop = shop(ExpiryPolicy::days(30)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("3.00").await;

    let late = ada
        .records(&ada.sale("10.00").occurred_at(instant("2025-12-20T10:00:00Z")))
        .await;
    let spent = ada.records(&ada.sale("4.00").redeem_points(4)).await;

    assert_eq!(late.balance.next_expiry_at, Some(instant("2026-01-20T00:00:00Z")));
    assert_eq!(spent.balance.available, dec("9"));
    let taken: Vec<u64> = ada.history().await[1].lots.iter().map(|lot| lot.lot_sequence).collect();
    assert_eq!(taken, [2], "the late lot lapses first and is spent first");
    shop.it_is("2026-01-20T00:00:00Z");
    assert_eq!(ada.points().await, dec("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_lots_than_one_page_holds_are_spent_in_order() {
    let shop = shop(ExpiryPolicy::days(10)).await;
    let ada = shop.enrols("ada").await;
    buys_often(&ada, MORE_THAN_A_PAGE).await;
    shop.days_pass(5);
    ada.buys("5.00").await;

    let receipt = ada.records(&ada.sale("135.00").redeem_points(135)).await;
    shop.days_pass(6);
    let after_the_lapse = ada.points().await;

    assert_eq!(receipt.balance.available, dec("10"));
    assert_eq!(ada.history().await[1].lots.len(), 135);
    assert_eq!(after_the_lapse, dec("5"), "five old ones lapsed unspent");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_lots_than_one_page_holds_lapse_at_once() {
    let shop = shop(ExpiryPolicy::days(10)).await;
    let ada = shop.enrols("ada").await;
    buys_often(&ada, MORE_THAN_A_PAGE).await;
    shop.days_pass(5);
    ada.buys("5.00").await;
    shop.days_pass(6);
    let balance = ada.balance().await;

    let receipt = ada.records(&ada.sale("3.00").redeem_points(3)).await;

    assert_eq!(
        (balance.available, balance.next_expiry_at),
        (dec("5"), Some(instant("2026-01-31T00:00:00Z")))
    );
    assert_eq!(
        (receipt.balance_before, receipt.balance.available),
        (dec("5"), dec("2"))
    );
    let newest = [
        entry(EntryKind::Expire, "-140", "5"),
        entry(EntryKind::Redeem, "-3", "2"),
    ];
    assert_eq!(told(&ada.history().await)[141..143], newest);
}

/// The server reads 128 lots at a time.
const MORE_THAN_A_PAGE: usize = 140;

/// So many sales of a euro at once.
async fn buys_often(member: &ShopMember<'_>, times: usize) {
    let mut sales = JoinSet::new();
    for _ in 0..times {
        let (client, sale) = (member.shop.client.clone(), member.sale("1.00"));
        sales.spawn(async move { client.record_sale(&sale).await });
    }
    for receipt in sales.join_all().await {
        receipt.expect("a sale");
    }
}
