//! What a rule may give to one member, per day and in all.

use loyalty_sdk::{Error, NewRule, RateSource, Receipt, RuleUpdate};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant};

/// A shop that earns one point per 10, and doubles within limits.
async fn doubling_shop(limit: impl FnOnce(NewRule) -> NewRule) -> Shop {
    let shop = Shop::earning("10", "1").await;
    let double = NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double");
    shop.creates(&limit(double)).await;
    shop
}

/// Points that the rule gave, and what was cut off.
fn doubled(receipt: &Receipt) -> (Decimal, Decimal) {
    let source = RateSource::Rule("double".into());
    let rate = receipt.rates.iter().find(|rate| rate.source == source);
    rate.map(|rate| (rate.points, rate.capped)).expect("it is explained")
}

async fn buys_at(member: &ShopMember<'_>, total: &str, at: &str) -> Receipt {
    let sale = member.sale(total).occurred_at(instant(at));
    member.records(&sale).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_per_day_counts_the_days_of_the_sales() {
    let shop = doubling_shop(|rule| rule.max_points_per_day(15)).await;
    let ada = shop.enrols("ada").await;

    let first = ada.buys("100").await;
    let second = ada.buys("100").await;
    let yesterday = buys_at(&ada, "100", "2026-01-14T10:00:00Z").await;
    shop.days_pass(1);
    let tomorrow = ada.buys("100").await;

    assert_eq!(doubled(&first), (dec("10"), dec("0")));
    assert_eq!(doubled(&second), (dec("5"), dec("5")));
    assert_eq!(second.points_earned, dec("15"));
    assert_eq!(doubled(&yesterday), (dec("10"), dec("0")));
    assert_eq!(doubled(&tomorrow), (dec("10"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_per_member_holds_for_ever_and_for_each_member_alone() {
    let shop = doubling_shop(|rule| rule.max_points_per_member(15)).await;
    let (ada, bob) = (shop.enrols("ada").await, shop.enrols("bob").await);
    ada.buys("100").await;
    shop.days_pass(40);

    let later = ada.buys("100").await;
    let last = ada.buys("100").await;
    let other = bob.buys("100").await;

    assert_eq!(doubled(&later), (dec("5"), dec("5")));
    assert_eq!(doubled(&last), (dec("0"), dec("10")));
    assert_eq!(doubled(&other), (dec("10"), dec("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_of_several_limits_holds() {
    let shop = doubling_shop(|rule| {
        rule.max_points_per_sale(8)
            .max_points_per_day(12)
            .max_points_per_member(15)
    })
    .await;
    let ada = shop.enrols("ada").await;

    let first = ada.buys("100").await;
    let second = ada.buys("100").await;
    shop.days_pass(1);
    let third = ada.buys("100").await;

    assert_eq!(doubled(&first).0, dec("8"));
    assert_eq!(doubled(&second).0, dec("4"));
    assert_eq!(doubled(&third).0, dec("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_knows_what_is_left_and_uses_nothing_up() {
    let shop = doubling_shop(|rule| rule.max_points_per_day(15)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let quotes = [
        shop.client.quote_sale(&ada.sale("100")).await.expect("a quote"),
        shop.client.quote_sale(&ada.sale("100")).await.expect("a quote"),
    ];

    for quote in &quotes {
        assert_eq!(doubled(quote), (dec("5"), dec("5")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_at_once_and_sales_that_come_again_never_give_more_than_the_limit() {
    let shop = doubling_shop(|rule| rule.max_points_per_day(25)).await;
    let ada = shop.enrols("ada").await;
    let sales: Vec<_> = (0..10).map(|_| ada.sale("100")).collect();

    let mut records = JoinSet::new();
    for sale in [sales.clone(), sales].concat() {
        let client = shop.client.clone();
        records.spawn(async move { client.record_sale(&sale).await.expect("a sale") });
    }
    let receipts = records.join_all().await;

    let first: Decimal = receipts
        .iter()
        .filter(|receipt| !receipt.replayed)
        .map(|receipt| doubled(receipt).0)
        .sum();
    assert_eq!(first, dec("25"));
    assert_eq!(ada.points().await, dec("125"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_has_limits_too_and_they_can_change() {
    let shop = Shop::earning("10", "1").await;
    let rule = NewRule::new(PROGRAM, "Coffee", loyalty_sdk::EarnRate::new(1, 1))
        .rule_id("coffee")
        .category("coffee")
        .max_points_per_day(30);
    let rule = shop.creates(&rule).await;
    let ada = shop.enrols("ada").await;
    let coffee = |total: &str| {
        ada.sale(total)
            .line(loyalty_sdk::SaleLine::new(dec(total)).category("coffee"))
    };

    let limited = ada.records(&coffee("50")).await;
    let update = RuleUpdate::of(&rule).max_points_per_day(Some(dec("45")));
    shop.client.update_rule(&update).await.expect("a change");
    let more = ada.records(&coffee("50")).await;

    assert_eq!(limited.points_earned, dec("30"));
    assert_eq!(more.points_earned, dec("15"), "what was given before counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_have_bounds() {
    let shop = Shop::earning("10", "1").await;
    let rule = || NewRule::multiplier(PROGRAM, "Double", 2);

    let none = shop.client.create_rule(&rule().max_points_per_day(0)).await;
    let less = shop.client.create_rule(&rule().max_points_per_member(-1)).await;
    let half = shop.client.create_rule(&rule().max_points_per_member(dec("0.5"))).await;

    assert!(matches!(none, Err(Error::InvalidFields(fields)) if fields[0].field == "rule.max_points_per_day"));
    assert!(matches!(less, Err(Error::InvalidFields(fields)) if fields[0].field == "rule.max_points_per_member"));
    assert!(matches!(half, Err(Error::TooManyDecimals { field, .. }) if field == "rule.max_points_per_member"));
}
