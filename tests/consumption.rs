//! Which lots points are taken from: earliest expiry first, never-expiring last, oldest first among equals.

use loyalty_sdk::{EarnRate, EntryKind, ExpiryPolicy, LotMovement, NewProgram, ProgramUpdate, RedemptionPolicy};
use rust_decimal::Decimal;

use crate::harness::{Shop, ShopMember, dec, instant};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// From now on points lapse by this policy.
async fn points_lapse(shop: &Shop, policy: Option<ExpiryPolicy>) {
    let program = shop.client.get_program("club").await.expect("the program");
    let update = ProgramUpdate::of(&program).expiry(policy);
    shop.client.update_program(&update).await.expect("a new policy");
}

/// What the newest redemption took from which lot.
async fn taken(ada: &ShopMember<'_>) -> Vec<(u64, Decimal)> {
    let history = ada.history().await;
    let redemption = history
        .iter()
        .find(|entry| entry.kind == EntryKind::Redeem)
        .expect("a redemption");
    let sum: Decimal = redemption.lots.iter().map(|lot| lot.points).sum();
    assert_eq!(sum, redemption.points, "the allocations add up to the entry");
    redemption
        .lots
        .iter()
        .map(|lot| (lot.lot_sequence, lot.points))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earliest_expiry_goes_first_never_expiring_last_and_the_oldest_among_equals() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await; // 1: never
    points_lapse(&shop, Some(ExpiryPolicy::days(30))).await;
    ada.buys("10").await; // 2: day 30
    ada.buys("10").await; // 3: day 30 too, but younger
    points_lapse(&shop, Some(ExpiryPolicy::days(10))).await;
    ada.buys("10").await; // 4: day 10
    points_lapse(&shop, None).await;
    ada.buys("10").await; // 5: never, but younger

    ada.records(&ada.sale("15").redeem_points(15)).await;
    let first = taken(&ada).await;
    ada.records(&ada.sale("28").redeem_points(28)).await;
    let second = taken(&ada).await;

    assert_eq!(first, [(4, dec("-10")), (2, dec("-5"))]);
    assert_eq!(
        second,
        [(2, dec("-5")), (3, dec("-10")), (1, dec("-10")), (5, dec("-3"))]
    );
    assert_eq!(ada.points().await, dec("7"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_sale_whose_points_lapse_earlier_is_consumed_before_the_older_lots() {
    let shop = shop().await;
    points_lapse(&shop, Some(ExpiryPolicy::days(30))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    let late = ada.sale("10").occurred_at(instant("2026-01-05T10:00:00Z"));
    ada.records(&late).await;

    ada.records(&ada.sale("12").redeem_points(12)).await;

    assert_eq!(taken(&ada).await, [(2, dec("-10")), (1, dec("-2"))]);
    assert_eq!(
        ada.balance().await.next_expiry_at,
        Some(instant("2026-02-15T00:00:00Z"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_lot_is_written_off_before_points_are_taken() {
    let shop = shop().await;
    points_lapse(&shop, Some(ExpiryPolicy::days(10))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    shop.days_pass(5);
    ada.buys("20").await;
    shop.days_pass(6);

    let receipt = ada.records(&ada.sale("15").redeem_points(15)).await;

    assert_eq!(receipt.balance_before, dec("20"));
    let history = ada.history().await;
    let expiry = history
        .iter()
        .find(|entry| entry.kind == EntryKind::Expire)
        .expect("an expiry");
    let written_off = LotMovement {
        lot_sequence: 1,
        points: dec("-10"),
        expires_at: Some(instant("2026-01-26T00:00:00Z")),
    };
    assert_eq!(expiry.lots, [written_off]);
    assert_eq!(expiry.occurred_at, instant("2026-01-26T00:00:00Z"));
    assert_eq!(taken(&ada).await, [(2, dec("-15"))]);
    assert_eq!(ada.movements().await, ["10", "20", "-10", "-15", "0"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_over_hundreds_of_lots_takes_exactly_what_was_asked() {
    const LOTS: u64 = 300;
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    for _ in 0..LOTS {
        ada.buys("3").await;
    }

    ada.records(&ada.sale("800").redeem_points(800)).await;
    let many = taken(&ada).await;
    ada.records(&ada.sale("100").redeem_points(100)).await;
    let rest = taken(&ada).await;

    // 266 whole lots and two points of the 267th; then its last point and the other 33 lots.
    let whole = (1..=266).map(|lot| (lot, dec("-3")));
    assert_eq!(many, whole.chain([(267, dec("-2"))]).collect::<Vec<_>>());
    let others = (268..=LOTS).map(|lot| (lot, dec("-3")));
    assert_eq!(rest, [(267, dec("-1"))].into_iter().chain(others).collect::<Vec<_>>());
    assert_eq!(ada.points().await, Decimal::ZERO);
    assert_eq!(ada.balance().await.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_lots_that_lapsed_together_are_neither_counted_nor_spent() {
    const LOTS: usize = 260;
    let shop = shop().await;
    points_lapse(&shop, Some(ExpiryPolicy::days(10))).await;
    let ada = shop.enrols("ada").await;
    for _ in 0..LOTS {
        ada.buys("1").await;
    }
    points_lapse(&shop, None).await;
    ada.buys("40").await;
    shop.days_pass(11);

    let counted = ada.points().await;
    let receipt = ada.records(&ada.sale("30").redeem_points(30)).await;

    assert_eq!(counted, dec("40"));
    assert_eq!(receipt.balance.available, dec("10"));
    assert_eq!(taken(&ada).await, [(LOTS as u64 + 1, dec("-30"))]);
    let history = ada.history().await;
    let expiries: Vec<_> = history.iter().filter(|entry| entry.kind == EntryKind::Expire).collect();
    assert_eq!(expiries.len(), 1);
    assert_eq!(expiries[0].lots.len(), LOTS);
    assert_eq!(expiries[0].points, dec("-260"));
}
