//! Discounts, sales that do not earn, and products with points of their own.

use loyalty_sdk::{EarnRate, EarnReason, NewProgram, NewRule, RateSource, RedemptionPolicy, SaleLine};

use crate::harness::{PROGRAM, Shop, dec};

async fn shop_with(program: NewProgram) -> Shop {
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_ceiling_a_discounted_sale_earns_nothing_and_at_it_all() {
    let program = NewProgram {
        max_discount_percent: Some(dec("20")),
        ..NewProgram::new("Club", "EUR")
    };
    let shop = shop_with(program).await;
    let ada = shop.enrols("ada").await;
    let line = |amount: &str| SaleLine::new(dec(amount));
    let cases = [
        ("by amount, below", vec![line("90").discount_amount(10)], true),
        ("by amount, at it", vec![line("80").discount_amount(20)], true),
        (
            "by amount, above",
            vec![line("79.99").discount_amount(dec("20.01"))],
            false,
        ),
        ("by percentage, at it", vec![line("33.33").discount_percent(20)], true),
        (
            "by percentage, above",
            vec![line("33.33").discount_percent(dec("20.0001"))],
            false,
        ),
        ("by unit price, at it", vec![line("8").unit_price(5).quantity(2)], true),
        (
            "by unit price, above",
            vec![line("7.99").unit_price(5).quantity(2)],
            false,
        ),
        (
            "given away",
            vec![line("80"), line("0").unit_price(20).discount_percent(100)],
            true,
        ),
        (
            "given away, above",
            vec![line("79"), line("0").unit_price(20).discount_percent(100)],
            false,
        ),
        ("dearer than listed", vec![line("12").unit_price(5).quantity(2)], true),
        // 10 % off 9 of 10, and 30 % off 7 of 10: 4 of 20 altogether.
        (
            "two percentages, at it",
            vec![line("9").discount_percent(10), line("7").discount_percent(30)],
            true,
        ),
        (
            "two percentages, above",
            vec![line("9").discount_percent(10), line("7.01").discount_percent(30)],
            false,
        ),
    ];

    for (name, lines, earns) in cases {
        let total: loyalty_sdk::Decimal = lines.iter().map(|line| line.amount).sum();
        let sale = lines
            .into_iter()
            .fold(ada.sale(&total.to_string()), |sale, line| sale.line(line));
        let receipt = shop.client.quote_sale(&sale).await.expect("a quote");
        let reason = if earns {
            EarnReason::Earned
        } else {
            EarnReason::DiscountCeiling
        };
        assert_eq!(receipt.lines[0].reason, reason, "{name}");
        assert_eq!(receipt.points_earned.is_zero(), !earns, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rules_own_ceiling_keeps_only_this_rule_away() {
    let shop = Shop::earning("10", "1").await;
    let careful = NewRule::multiplier(PROGRAM, "Full price", 3)
        .rule_id("full")
        .max_discount_percent(0);
    shop.creates(&careful).await;
    let ada = shop.enrols("ada").await;

    let reduced = ada
        .records(&ada.sale("100").line(SaleLine::new(100).discount_amount(1)))
        .await;
    let full = ada.buys("100").await;

    assert_eq!(reduced.points_earned, dec("10"));
    assert_eq!(full.points_earned, dec("30"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x21_percentage_discounts_earn_nothing_and_another_unit_price_does() {
    let program = NewProgram {
        exclude_percent_discounted_lines: true,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = shop_with(program).await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("18")
        .line(SaleLine::new(9).unit_price(10).discount_percent(10))
        .line(SaleLine::new(9).unit_price(9));

    let receipt = ada.records(&sale).await;

    assert_eq!(receipt.lines[0].reason, EarnReason::PercentDiscounted);
    assert_eq!(receipt.points_earned, dec("9"));
    assert_eq!(receipt.rated_amount.amount, dec("9.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_may_say_that_it_does_not_earn_and_still_redeems_and_counts() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = shop_with(program).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    let receipt = ada.records(&ada.sale("50").redeem_points(20).do_not_earn()).await;

    assert_eq!(receipt.lines[0].reason, EarnReason::EarningSuppressed);
    assert_eq!((receipt.points_earned, receipt.points_redeemed), (dec("0"), dec("20")));
    assert_eq!(receipt.balance.tier_spend.amount, dec("150.00"));
    assert_eq!(ada.points().await, dec("80"));
}

#[tokio::test(flavor = "multi_thread")]
async fn x20_points_of_a_product_win_over_every_rate_and_zero_means_never() {
    let shop = Shop::earning("5.00", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "Dear", EarnRate::new(1, 100))
            .product("seven")
            .product("never"),
    )
    .await;
    shop.creates(
        &NewRule::multiplier(PROGRAM, "Double", 2)
            .rule_id("double")
            .brand("acme"),
    )
    .await;
    shop.sets_points(&[("seven", "7"), ("never", "0")]).await;
    let ada = shop.enrols("ada").await;
    let seven = || SaleLine::new(20).product("seven").quantity(2);
    let never = || SaleLine::new(20).product("never").quantity(2);
    let sale = ada.sale("66").line(seven()).line(never()).line(SaleLine::new(26));

    let receipt = ada.records(&sale).await;
    let doubled = ada
        .records(&ada.sale("40").line(seven().brand("acme")).line(never().brand("acme")))
        .await;

    assert_eq!(receipt.lines[0].points, dec("14"));
    assert_eq!(receipt.lines[0].source, Some(RateSource::Products));
    assert_eq!(receipt.lines[1].reason, EarnReason::ProductNeverEarns);
    assert_eq!(receipt.points_earned, dec("19"), "14, nothing, and 26 at 5 a point");
    assert_eq!(doubled.points_earned, dec("28"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_points_pay_lowers_the_points_of_products_in_proportion() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = shop_with(program).await;
    shop.sets_points(&[("seven", "7")]).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let seven = || ada.sale("20").line(SaleLine::new(20).product("seven").quantity(2));

    let half = ada.records(&seven().redeem_amount(10)).await;
    let whole = ada.records(&seven().redeem_amount(20)).await;

    assert_eq!(half.points_earned, dec("7"));
    assert_eq!(whole.points_earned, dec("0"));
    assert_eq!(whole.lines[0].reason, EarnReason::PaidWithPoints);
}
