//! Points that cannot be spent before the right of return is over.

use loyalty_sdk::{
    EarnRate, Error, ExpiryPolicy, NewHold, NewProgram, RedemptionPolicy, RedemptionRequest, VerifyRequest,
};

use crate::harness::books::{assert_books_agree, drifts};
use crate::harness::{Shop, dec, instant};

/// A point per euro, worth a euro, pending through 14 days.
async fn waiting_shop(change: impl FnOnce(&mut NewProgram)) -> Shop {
    let mut program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    program.pending_days = 14;
    program.time_zone = "America/Lima".to_owned();
    change(&mut program);
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn points_can_be_spent_when_the_last_day_of_return_is_over_and_not_a_second_before() {
    let shop = waiting_shop(|_| {}).await;
    let ada = shop.enrols("ada").await;

    let receipt = ada.buys("100").await;
    shop.it_is("2026-01-30T04:59:59Z");
    let before = ada.balance().await;
    let early = ada.tries(&ada.sale("10").redeem_points(1)).await;
    shop.it_is("2026-01-30T05:00:00Z");
    let after = ada.balance().await;
    let paid = ada.records(&ada.sale("10").redeem_points(10)).await;

    let day = instant("2026-01-30T05:00:00Z");
    assert_eq!(
        (receipt.points_earned, receipt.points_pending_until),
        (dec("100"), Some(day))
    );
    assert_eq!(
        (receipt.balance.available, receipt.balance.pending),
        (dec("0"), dec("100"))
    );
    assert_eq!(
        (before.available, before.pending, before.next_pending_until),
        (dec("0"), dec("100"), Some(day))
    );
    assert!(matches!(early, Err(Error::InsufficientPoints { available, .. }) if available == dec("0")));
    assert_eq!(
        (after.available, after.pending, after.next_pending_until),
        (dec("100"), dec("0"), None)
    );
    assert_eq!(paid.points_redeemed, dec("10"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sale_waits_for_itself() {
    let shop = waiting_shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.days_pass(5);
    ada.buys("50").await;
    shop.days_pass(10);

    let between = ada.balance().await;
    let third = ada.buys("7").await;
    shop.days_pass(5);
    let later = ada.balance().await;

    assert_eq!((between.available, between.pending), (dec("100"), dec("50")));
    assert_eq!(between.next_pending_until, Some(instant("2026-02-04T05:00:00Z")));
    assert_eq!(
        (third.balance.available, third.balance.pending),
        (dec("100"), dec("57"))
    );
    assert_eq!((later.available, later.pending), (dec("150"), dec("7")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redemption_passes_over_lots_that_wait_though_they_lapse_first() {
    let shop = waiting_shop(|program| {
        program.pending_days = 0;
        program.expiry = Some(ExpiryPolicy::days(300));
    })
    .await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.changes(|program| program.pending_days(14).expiry(Some(ExpiryPolicy::days(30))))
        .await;
    ada.buys("50").await;

    let paid = ada.records(&ada.sale("60").redeem_points(60)).await;
    let newest = &ada.history().await;
    let redeem = newest
        .iter()
        .find(|entry| entry.points == dec("-60"))
        .expect("a redemption");
    let refused = ada.tries(&ada.sale("60").redeem_points(41)).await;

    assert_eq!((paid.balance.available, paid.balance.pending), (dec("40"), dec("50")));
    assert_eq!(redeem.lots.len(), 1);
    assert_eq!(redeem.lots[0].lot_sequence, 1);
    assert!(matches!(refused, Err(Error::InsufficientPoints { available, .. }) if available == dec("40")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lapse_while_they_wait_are_counted_once() {
    let shop = waiting_shop(|program| program.expiry = Some(ExpiryPolicy::days(3))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.days_pass(2);
    ada.buys("10").await;
    shop.days_pass(2);

    let unswept = ada.balance().await;
    let sale = ada.buys("1").await;
    shop.days_pass(30);
    let empty = ada.buys("1").await;

    assert_eq!((unswept.available, unswept.pending), (dec("0"), dec("10")));
    assert_eq!((sale.balance.available, sale.balance.pending), (dec("0"), dec("11")));
    assert_eq!((empty.balance.available, empty.balance.pending), (dec("0"), dec("1")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_arrives_after_its_days_of_return_waits_no_more() {
    let shop = waiting_shop(|_| {}).await;
    let ada = shop.enrols("ada").await;

    let late = ada
        .records(&ada.sale("100").occurred_at(instant("2025-12-20T10:00:00Z")))
        .await;

    assert_eq!((late.balance.available, late.points_pending_until), (dec("100"), None));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_wait_cannot_pay_their_own_sale() {
    let shop = waiting_shop(|program| {
        program.redemption = Some(RedemptionPolicy::new(1).same_sale_points_can_pay());
    })
    .await;
    let ada = shop.enrols("ada").await;

    let refused = ada.tries(&ada.sale("100").redeem_points(10)).await;

    assert!(matches!(refused, Err(Error::InsufficientPoints { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_holds_for_sales_after_it_and_a_quote_says_the_day() {
    let shop = waiting_shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    shop.changes(|program| program.pending_days(0)).await;
    let at_once = ada.buys("10").await;
    shop.changes(|program| program.pending_days(1)).await;
    let quote = shop.client.quote_sale(&ada.sale("5")).await.expect("a quote");

    assert_eq!(
        (at_once.balance.available, at_once.balance.pending),
        (dec("10"), dec("100"))
    );
    assert_eq!(quote.points_pending_until, Some(instant("2026-01-17T05:00:00Z")));
    assert_eq!(
        (quote.balance.available, quote.balance.pending),
        (dec("10"), dec("105"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_year_is_refused() {
    let shop = Shop::empty().await;
    let mut program = NewProgram::new("Club", "EUR");
    program.pending_days = 367;

    let refused = shop.client.create_program(&program).await;

    assert!(matches!(refused, Err(Error::InvalidFields(fields)) if fields[0].field == "program.pending_days"));
}

/// What came due is settled by whatever is written next: were a row of it left, it would be settled once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_settles_what_came_due_for_good() {
    let shop = waiting_shop(|_| {}).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.days_pass(15);

    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(30);
    let held = shop.client.place_hold(&NewHold::of(request)).await.expect("a hold");
    assert_books_agree(&shop).await;
    ada.buys("50").await;
    shop.days_pass(15);
    ada.buys("7").await;

    assert_eq!((held.balance.available, held.balance.pending), (dec("70"), dec("0")));
    let balance = ada.balance().await;
    assert_eq!(
        (balance.available, balance.pending, balance.held),
        (dec("150"), dec("7"), dec("0"))
    );
    assert_books_agree(&shop).await;
    assert_eq!(drifts(&shop.client, &VerifyRequest::member(&ada.member)).await, []);
}
