//! E6: points per unit of a product win over every rate for as long as they are loaded, through any server at once.

use loyalty_sdk::{
    Client, EarnRate, EarnReason, NewProgram, NewRule, ProductUpdate, ProgramUnit, RateSource, Receipt, SaleLine,
};
use rust_decimal::Decimal;

use crate::harness::{PROGRAM, Shop, ShopMember, dec};

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_only_has_a_price_earns_by_the_rates() {
    let shop = Shop::earning("5.00", "1").await;
    shop.loads_products(&[ProductUpdate::new("cake").redeem_points(150)])
        .await;
    let ada = shop.enrols("ada").await;

    let receipt = ada.buys_cake(&shop.client).await;

    assert_eq!(
        (receipt.points_earned, receipt.lines[0].reason),
        (dec("2"), EarnReason::Earned)
    );
    assert_ne!(receipt.lines[0].source, Some(RateSource::Products));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_wins_over_the_rule_that_names_it() {
    let shop = Shop::earning("5.00", "1").await;
    let named = NewRule::new(PROGRAM, "Cakes", EarnRate::new(1, 10)).product("cake");
    shop.client.create_rule(&named).await.expect("a rule");
    let ada = shop.enrols("ada").await;
    let by_rule = ada.buys_cake(&shop.client).await;

    shop.loads_products(&[ProductUpdate::new("cake").points(7)]).await;
    let by_product = ada.buys_cake(&shop.client).await;
    shop.loads_products(&[ProductUpdate::new("cake").points(0)]).await;
    let never = ada.buys_cake(&shop.client).await;
    shop.loads_products(&[ProductUpdate::remove("cake")]).await;
    let by_rule_again = ada.buys_cake(&shop.client).await;

    let earned = [&by_rule, &by_product, &never, &by_rule_again].map(|receipt| receipt.points_earned);
    assert_eq!(earned, ["100", "14", "0", "100"].map(dec));
    assert_eq!(never.lines[0].reason, EarnReason::ProductNeverEarns);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_value_program_a_unit_earns_money() {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Club", "EUR")
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, dec("0.20"))).await;
    shop.loads_products(&[ProductUpdate::new("cake").points(dec("0.25"))])
        .await;
    let ada = shop.enrols("ada").await;
    let cakes = SaleLine::new(10).product("cake").quantity(dec("3"));

    let receipt = ada.records(&ada.sale("36").line(cakes).line(SaleLine::new(26))).await;

    assert_eq!(receipt.points_earned, dec("5.95"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_through_one_server_holds_at_once_for_sales_through_another() {
    let shop = Shop::earning("5.00", "1").await;
    let elsewhere = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    let first = ada.sale("10").line(SaleLine::new(10).product("cake").quantity(2));
    let recorded = elsewhere.record_sale(&first).await.expect("a sale");

    for points in 1..10 {
        let load = shop.loads_products(&[ProductUpdate::new("cake").points(points)]).await;

        let receipt = ada.buys_cake(&elsewhere).await;

        assert_eq!(
            (receipt.points_earned, receipt.program_version),
            (Decimal::from(2 * points), load)
        );
    }
    let again = shop.client.record_sale(&first).await.expect("the same answer");
    assert_eq!(
        (again.points_earned, again.program_version),
        (recorded.points_earned, recorded.program_version)
    );
    assert_eq!(again.points_earned, dec("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_followed_every_load_and_one_that_starts_late_rate_alike() {
    let shop = Shop::earning("5.00", "1").await;
    let ada = shop.enrols("ada").await;
    let follower = shop.second_server().await;
    let id = |number: u64| format!("sku-{:03}", number % 97);
    let mut seed: u64 = 20_260_115;
    let mut random = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };

    for round in 0..12 {
        let mut load: Vec<ProductUpdate> = Vec::new();
        let (start, count) = (random(), 1 + random() % 40);
        for number in start..start + count {
            load.push(match random() % 4 {
                0 => ProductUpdate::remove(id(number)),
                points => ProductUpdate::new(id(number)).points(i64::try_from(points * 3 - 3).expect("small")),
            });
        }
        shop.loads_products(&load).await;
        if round % 3 == 0 {
            // Other changes in between leave the products as they are.
            shop.changes(|club| club.name(format!("Round {round}"))).await;
        }
        if round % 2 == 0 {
            follower.quote_sale(&everything(&ada)).await.expect("a quote");
        }
    }
    let beginner = shop.second_server().await;

    let followed = follower.quote_sale(&everything(&ada)).await.expect("a quote");
    let begun = beginner.quote_sale(&everything(&ada)).await.expect("a quote");
    let own = shop.client.quote_sale(&everything(&ada)).await.expect("a quote");

    assert_eq!(followed.lines, begun.lines);
    assert_eq!(own.lines, begun.lines);
    let by_products = begun
        .lines
        .iter()
        .filter(|line| line.source == Some(RateSource::Products))
        .count();
    assert!(by_products > 10, "{by_products}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_large_load_every_product_counts() {
    let shop = Shop::earning("5.00", "1").await;
    let products: Vec<ProductUpdate> = (0..25_000)
        .map(|number| ProductUpdate::new(format!("sku-{number:05}")).points(number % 10))
        .collect();
    let ada = shop.enrols("ada").await;
    shop.loads_products(&products).await;

    for (number, points) in [(0, "0"), (1, "1"), (19_999, "9"), (20_000, "0"), (24_999, "9")] {
        let line = SaleLine::new(1).product(format!("sku-{number:05}"));
        let receipt = ada.records(&ada.sale("1").line(line)).await;
        assert_eq!(receipt.points_earned, dec(points), "{number}");
    }
}

/// One unit of each product that may have points.
fn everything(ada: &ShopMember<'_>) -> loyalty_sdk::Sale {
    let lines = (0..97).map(|number| SaleLine::new(1).product(format!("sku-{number:03}")));
    lines.fold(ada.sale("97"), loyalty_sdk::Sale::line)
}

impl Shop {
    /// Loads products of the `club`; the version it made.
    async fn loads_products(&self, products: &[ProductUpdate]) -> u32 {
        let load = self.client.upsert_products(PROGRAM, products).await;
        load.unwrap_or_else(|error| panic!("{error}")).version
    }
}

impl ShopMember<'_> {
    /// Two cakes for ten euro.
    async fn buys_cake(&self, client: &Client) -> Receipt {
        let sale = self.sale("10").line(SaleLine::new(10).product("cake").quantity(2));
        client
            .record_sale(&sale)
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
