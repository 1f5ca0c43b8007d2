//! Fractions of points that rounding drops, kept for the next sale.

use loyalty_sdk::{EarnRate, NewProgram, RateSource, Receipt, Rounding};
use rust_decimal::Decimal;

use crate::harness::{Shop, dec};

/// A shop that earns one point per 30 and keeps the fractions.
async fn keeping_shop(rate: EarnRate) -> Shop {
    let program = NewProgram {
        carry_fractions: true,
        ..NewProgram::new("Club", "EUR")
    };
    Shop::with_rule(program, rate).await
}

fn carried(receipt: &Receipt) -> Option<Decimal> {
    let rate = receipt.rates.iter().find(|rate| rate.source == RateSource::Carried);
    rate.map(|rate| rate.points)
}

/// Lines, roundings and fixed points less what is capped.
fn adds_up(receipt: &Receipt) -> Decimal {
    let lines: Decimal = receipt.lines.iter().map(|line| line.points).sum();
    let rates = receipt.rates.iter();
    lines
        + rates
            .map(|rate| rate.rounding + rate.fixed_points - rate.capped)
            .sum::<Decimal>()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thirds_of_a_point_are_a_point() {
    let shop = keeping_shop(EarnRate::new(30, 1)).await;
    let ada = shop.enrols("ada").await;

    let first = ada.buys("10").await;
    let second = ada.buys("10").await;
    let third = ada.buys("10").await;
    let fourth = ada.buys("10").await;

    assert_eq!(first.points_earned, dec("0"));
    assert_eq!(
        (first.carried_before, first.carried_after),
        (Some(dec("0")), Some(dec("0.333333")))
    );
    assert_eq!(
        (second.points_earned, second.carried_after),
        (dec("0"), Some(dec("0.666666")))
    );
    assert_eq!((third.points_earned, third.carried_after), (dec("1"), Some(dec("0"))));
    assert_eq!(carried(&third), Some(dec("1")));
    assert_eq!(adds_up(&third), third.points_earned);
    assert_eq!((fourth.points_earned, carried(&fourth)), (dec("0"), None));
    assert_eq!(ada.movements().await, [dec("0"), dec("0"), dec("1"), dec("0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_switch_each_sale_loses_its_fraction() {
    let shop = Shop::earning("30", "1").await;
    let ada = shop.enrols("ada").await;

    for _ in 0..3 {
        let receipt = ada.buys("10").await;
        assert_eq!((receipt.points_earned, receipt.carried_after), (dec("0"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rounded_up_leaves_nothing_and_takes_nothing() {
    let shop = keeping_shop(EarnRate::new(10, 1).rounding(Rounding::HalfUp)).await;
    let ada = shop.enrols("ada").await;

    let down = ada.buys("24").await;
    let up = ada.buys("26").await;

    assert_eq!((down.points_earned, down.carried_after), (dec("2"), Some(dec("0.4"))));
    assert_eq!((up.points_earned, up.carried_after), (dec("3"), Some(dec("0.4"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_does_not_earn_keeps_the_fraction_and_a_quote_leaves_it_alone() {
    let shop = keeping_shop(EarnRate::new(10, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("15").await;

    let suppressed = ada.records(&ada.sale("15").do_not_earn()).await;
    let quote = shop.client.quote_sale(&ada.sale("15")).await.expect("a quote");
    let sale = ada.buys("15").await;

    assert_eq!(
        (suppressed.points_earned, suppressed.carried_after),
        (dec("0"), Some(dec("0.5")))
    );
    assert_eq!(quote.points_earned, dec("2"));
    assert_eq!((sale.points_earned, sale.carried_after), (dec("2"), Some(dec("0"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_answers_the_fractions_of_its_time() {
    let shop = keeping_shop(EarnRate::new(10, 1)).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("15");
    let first = ada.records(&sale).await;
    ada.buys("11").await;

    let again = ada.records(&sale).await;

    assert!(again.replayed);
    assert_eq!(
        (again.carried_before, again.carried_after),
        (first.carried_before, first.carried_after)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_can_be_turned_on_later_and_off_again() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    ada.buys("15").await;

    shop.changes(|program| program.carry_fractions(true)).await;
    let kept = ada.buys("15").await;
    shop.changes(|program| program.carry_fractions(false)).await;
    let off = ada.buys("15").await;
    shop.changes(|program| program.carry_fractions(true)).await;
    let on = ada.buys("15").await;

    assert_eq!((kept.points_earned, kept.carried_after), (dec("1"), Some(dec("0.5"))));
    assert_eq!((off.points_earned, off.carried_after), (dec("1"), None));
    assert_eq!((on.points_earned, on.carried_after), (dec("2"), Some(dec("0"))));
}
