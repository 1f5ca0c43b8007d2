//! What comes on top of the base: multipliers, bonuses, ceilings, and who goes first.

use loyalty_sdk::{EarnRate, EarnReason, Error, NewRule, RateSource, Receipt, Rounding, RuleEffect, SaleLine};
use rust_decimal::Decimal;

use crate::harness::{PROGRAM, Shop, dec};

/// A shop that earns one point per 10, with further rules.
async fn shop_with(rules: impl IntoIterator<Item = NewRule>) -> Shop {
    let shop = Shop::earning("10", "1").await;
    for rule in rules {
        shop.creates(&rule).await;
    }
    shop
}

/// Lines, roundings and fixed points less what is capped: the identity that every answer keeps.
fn adds_up(receipt: &Receipt) -> Decimal {
    let lines: Decimal = receipt.lines.iter().map(|line| line.points).sum();
    let rates = receipt
        .rates
        .iter()
        .map(|rate| rate.rounding + rate.fixed_points - rate.capped);
    lines + rates.sum::<Decimal>()
}

/// Points of a rule, and why not more.
fn of(receipt: &Receipt, rule_id: &str) -> (Decimal, EarnReason) {
    let source = RateSource::Rule(rule_id.into());
    let rate = receipt.rates.iter().find(|rate| rate.source == source);
    let rate = rate.unwrap_or_else(|| panic!("{rule_id} is explained: {:?}", receipt.rates));
    (rate.points, rate.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multiplier_adds_to_what_the_base_gives_exactly_and_is_rounded_once() {
    let shop = shop_with([NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double")]).await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("26.00")
        .line(SaleLine::new(dec("13.00")))
        .line(SaleLine::new(dec("13.00")));

    let receipt = ada.records(&sale).await;

    assert_eq!(receipt.points_earned, dec("4"), "2.6 and 2.6 more, each rounded down");
    assert_eq!(of(&receipt, "double"), (dec("2"), EarnReason::Earned));
    assert_eq!(receipt.lines[0].points, dec("2.6"));
    assert_eq!(receipt.lines[0].campaigns[0].points, dec("1.3"));
    assert_eq!(adds_up(&receipt), receipt.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multiplier_rounds_as_it_is_told() {
    let mut double = NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double");
    double.terms.effect = RuleEffect::Multiplier {
        factor: dec("2"),
        rounding: Rounding::HalfUp,
    };
    let shop = shop_with([double]).await;

    let receipt = shop.enrols("ada").await.buys("26.00").await;

    assert_eq!(receipt.points_earned, dec("5"), "2 and 3");
    assert_eq!(adds_up(&receipt), receipt.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multiplier_takes_complete_steps_as_complete() {
    let shop = shop_with([]).await;
    let steps = EarnRate::new(5, 2).complete_steps();
    let rule = NewRule::new(PROGRAM, "Steps", steps).rule_id("steps").priority(1);
    shop.creates(&rule).await;
    shop.creates(&NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double"))
        .await;

    let receipt = shop.enrols("ada").await.buys("9.00").await;

    assert_eq!(receipt.points_earned, dec("4"), "twice one complete step");
    assert_eq!(adds_up(&receipt), receipt.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bonus_comes_once_whatever_the_number_of_lines_and_needs_one_that_earns() {
    let bonus = NewRule::bonus(PROGRAM, "Coffee week", 5)
        .rule_id("coffee")
        .category("food/coffee");
    let shop = shop_with([bonus]).await;
    let ada = shop.enrols("ada").await;
    let coffee = || SaleLine::new(10).category("food/coffee/beans");

    let two = ada.records(&ada.sale("20").line(coffee()).line(coffee())).await;
    let none = ada
        .records(&ada.sale("10").line(SaleLine::new(10).category("food/tea")))
        .await;

    assert_eq!(two.points_earned, dec("7"));
    assert_eq!(of(&two, "coffee"), (dec("5"), EarnReason::Earned));
    assert_eq!(adds_up(&two), two.points_earned);
    assert_eq!(none.points_earned, dec("1"));
    assert_eq!(
        none.rates.len(),
        1,
        "a rule that names nothing of the sale is not spoken of"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn campaigns_add_up_and_each_counts_on_the_base_alone() {
    let double = NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double");
    let triple = NewRule::multiplier(PROGRAM, "Triple", 3).rule_id("triple").priority(7);
    let shop = shop_with([double, triple]).await;

    let receipt = shop.enrols("ada").await.buys("100").await;

    assert_eq!(receipt.points_earned, dec("40"), "10, 10 more and 20 more");
    assert_eq!(adds_up(&receipt), receipt.points_earned);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_applies_alone_keeps_the_later_ones_out_or_stays_out_itself() {
    let double = NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double").priority(5);
    let alone = NewRule::multiplier(PROGRAM, "Ten times", 10)
        .rule_id("ten")
        .priority(9)
        .exclusive();
    let late = NewRule::bonus(PROGRAM, "Late", 3)
        .rule_id("late")
        .priority(1)
        .exclusive();
    let shop = shop_with([double, alone, late]).await;
    let ada = shop.enrols("ada").await;

    let all = ada.buys("10").await;
    let ten = shop.client.get_rule(PROGRAM, "ten").await.expect("the rule");
    let ten = shop
        .client
        .archive_rule(PROGRAM, "ten", ten.etag)
        .await
        .expect("archived");
    let without = ada.buys("10").await;

    assert!(ten.archived);
    assert_eq!(all.points_earned, dec("10"));
    assert_eq!(of(&all, "double"), (dec("0"), EarnReason::NotStackable));
    assert_eq!(of(&all, "late"), (dec("0"), EarnReason::NotStackable));
    assert_eq!(without.points_earned, dec("2"));
    assert_eq!(of(&without, "late"), (dec("0"), EarnReason::NotStackable));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_would_have_to_apply_alone_beside_an_equal_one_is_refused() {
    let shop = shop_with([NewRule::bonus(PROGRAM, "A", 3).rule_id("a").priority(1)]).await;

    let tie = NewRule::multiplier(PROGRAM, "B", 2)
        .rule_id("b")
        .priority(1)
        .exclusive();
    let refused = shop.client.create_rule(&tie).await;
    let elsewhere = NewRule::multiplier(PROGRAM, "B", 2)
        .rule_id("b")
        .priority(2)
        .exclusive();
    let created = shop.client.create_rule(&elsewhere).await;

    assert!(matches!(refused, Err(Error::RuleTie { rule_id, .. }) if rule_id.as_ref() == "a"));
    assert!(created.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minimum_is_inclusive_and_said() {
    let bonus = NewRule::bonus(PROGRAM, "From 50", 5)
        .rule_id("from-50")
        .minimum_sale(50);
    let shop = shop_with([bonus]).await;
    let ada = shop.enrols("ada").await;

    let below = ada.buys("49.99").await;
    let at = ada.buys("50.00").await;

    assert_eq!(below.points_earned, dec("4"));
    assert_eq!(of(&below, "from-50"), (dec("0"), EarnReason::BelowMinimumSale));
    assert_eq!(at.points_earned, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceiling_cuts_what_a_rule_gives_for_one_sale_and_says_how_much() {
    let ten = NewRule::multiplier(PROGRAM, "Ten times", 10)
        .rule_id("ten")
        .max_points_per_sale(20);
    let shop = shop_with([ten]).await;

    let receipt = shop.enrols("ada").await.buys("100").await;

    assert_eq!(receipt.points_earned, dec("30"), "10 and, instead of 90, 20");
    let rate = receipt
        .rates
        .iter()
        .find(|rate| rate.source == RateSource::Rule("ten".into()));
    assert_eq!(rate.map(|rate| rate.capped), Some(dec("70")));
    assert_eq!(adds_up(&receipt), receipt.points_earned);
}
