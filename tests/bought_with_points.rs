//! R2, R3, R5: products and rewards that points buy inside a sale, by quantity, several a ticket, mixed with money.

use loyalty_sdk::{
    EarnRate, EarnReason, Error, NewProgram, NewReward, PointsTender, ProductUpdate, ProgramUnit, Receipt, Redemption,
    RedemptionPolicy, RewardUpdate, Sale, SaleLine,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec};

/// A point per euro; a coffee costs 15 points, 100 points are worth a euro, and there is a ladder.
async fn shop() -> Shop {
    shop_redeeming(RedemptionPolicy::new(dec("0.01"))).await
}

async fn shop_redeeming(policy: RedemptionPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(policy);
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let products = [
        ProductUpdate::new("coffee").redeem_points(15),
        ProductUpdate::new("cake").points(3).redeem_points(40),
        ProductUpdate::new("stamp").points(1),
    ];
    shop.client.upsert_products(PROGRAM, &products).await.expect("products");
    for reward in [
        NewReward::money_off(PROGRAM, "Five off", 150, 5)
            .reward_id("five-off")
            .position(1)
            .product_code("LOYPAY")
            .category("loyalty/keys")
            .printed_text("DISCOUNT 5 EUR")
            .print_quantity(),
        NewReward::product(PROGRAM, "A cake", 30, "cake").reward_id("free-cake"),
    ] {
        let created = shop.client.create_reward(&reward).await;
        created.expect("a reward");
    }
    shop
}

async fn ada(shop: &Shop) -> ShopMember<'_> {
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    ada
}

/// Points, money, quantity and price of what was bought.
fn bought(tender: &PointsTender) -> [Decimal; 4] {
    let item = tender.item.as_ref().expect("something bought");
    [tender.points, tender.amount.amount, item.quantity, item.points_per_unit]
}

fn all_bought(receipt: &Receipt) -> Vec<[Decimal; 4]> {
    receipt.points_tenders.iter().map(bought).collect()
}

fn numbers(rows: &[[&str; 4]]) -> Vec<[Decimal; 4]> {
    rows.iter().map(|row| row.map(dec)).collect()
}

/// Two coffees for 5.00 and a book for 20.00.
fn coffee_and_book(member: &ShopMember<'_>) -> Sale {
    member
        .sale("25.00")
        .line(SaleLine::new(dec("5.00")).product("coffee").quantity(2))
        .line(SaleLine::new(dec("20.00")).product("book"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_points_buy_settles_its_line_and_does_not_earn() {
    let shop = shop().await;
    let ada = ada(&shop).await;

    let receipt = ada.records(&coffee_and_book(&ada).redeem_product("coffee", 2)).await;

    assert_eq!(all_bought(&receipt), numbers(&[["30", "5", "2", "15"]]));
    let item = receipt.points_tenders[0].item.as_ref().expect("an item");
    assert_eq!(item.product_id.as_ref().map(|id| id.as_str()), Some("coffee"));
    assert_eq!((&item.reward_id, &item.printed_text), (&None, &None));
    assert_eq!(receipt.points_tenders[0].value_per_point, None);
    assert_eq!((receipt.points_redeemed, receipt.due.amount), (dec("30"), dec("20")));
    // The book earns all of its 20 points: what points bought lowers no other line.
    assert_eq!(
        (receipt.points_earned, receipt.rated_amount.amount),
        (dec("20"), dec("20"))
    );
    let reasons: Vec<EarnReason> = receipt.lines.iter().map(|line| line.reason).collect();
    assert_eq!(reasons, [EarnReason::PaidWithPoints, EarnReason::Earned]);
    assert_eq!(ada.movements().await, ["1000", "-30", "20"].map(dec));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_of_a_line_are_paid_in_proportion_and_the_last_takes_the_rest() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let sale = || {
        ada.sale("10.00")
            .line(SaleLine::new(dec("10.00")).product("coffee").quantity(3))
    };

    let one = ada.records(&sale().redeem_product("coffee", 1)).await;
    let one_and_one = ada
        .records(&sale().redeem_product("coffee", 1).redeem_product("coffee", 1))
        .await;
    let all = ada
        .records(&sale().redeem_product("coffee", 2).redeem_product("coffee", 1))
        .await;

    assert_eq!(all_bought(&one), numbers(&[["15", "3.33", "1", "15"]]));
    let expected = numbers(&[["15", "3.33", "1", "15"], ["15", "3.33", "1", "15"]]);
    assert_eq!(all_bought(&one_and_one), expected);
    let expected = numbers(&[["30", "6.66", "2", "15"], ["15", "3.34", "1", "15"]]);
    assert_eq!(all_bought(&all), expected);
    assert_eq!(
        [&one, &one_and_one, &all].map(|receipt| receipt.points_earned),
        ["6", "3", "0"].map(dec)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_without_a_line_is_given_beside_the_sale() {
    let shop = shop().await;
    let ada = ada(&shop).await;

    let receipt = ada.records(&ada.sale("20.00").redeem_product("coffee", 1)).await;
    let free_line = ada
        .sale("20.00")
        .line(SaleLine::new(dec("20.00")).product("book"))
        .line(SaleLine::new(0).product("cake"));
    let free_line = ada.records(&free_line.redeem_product("cake", 1)).await;

    assert_eq!(all_bought(&receipt), numbers(&[["15", "0", "1", "15"]]));
    assert_eq!((receipt.due.amount, receipt.points_earned), (dec("20"), dec("20")));
    // The points of a product are not given for one that points bought.
    assert_eq!(all_bought(&free_line), numbers(&[["40", "0", "1", "40"]]));
    assert_eq!((free_line.due.amount, free_line.points_earned), (dec("20"), dec("20")));
    assert_eq!(free_line.lines[1].reason, EarnReason::PaidWithPoints);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_points_bought_earns_where_the_program_says_so() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let program = shop.changes(|club| club.earn_on_points_paid_part(true)).await;

    let receipt = ada.records(&coffee_and_book(&ada).redeem_product("coffee", 2)).await;

    assert!(program.earn_on_points_paid_part);
    assert_eq!((receipt.points_redeemed, receipt.points_earned), (dec("30"), dec("25")));
}

#[tokio::test(flavor = "multi_thread")]
async fn products_rewards_points_and_money_mix_on_one_ticket() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let sale = coffee_and_book(&ada)
        .tender("CASH", 4)
        .redeem_product("coffee", 1)
        .redeem_reward("five-off", 2)
        .redeem_reward("free-cake", 1)
        .redeem_points(350)
        .redemption(Redemption::amount(100).clamped());

    let receipt = ada.records(&sale).await;

    // 25.00 − 4.00 cash − 2.50 coffee − 10.00 off − 3.50 = 5.00, of which the 305 points that are left pay 3.05.
    let paid: Vec<[Decimal; 2]> = receipt
        .points_tenders
        .iter()
        .map(|tender| [tender.points, tender.amount.amount])
        .collect();
    let expected = [
        ["15", "2.5"],
        ["300", "10"],
        ["30", "0"],
        ["350", "3.5"],
        ["305", "3.05"],
    ];
    assert_eq!(paid, expected.map(|row| row.map(dec)));
    assert_eq!(receipt.due.amount, dec("1.95"));
    // 2.50 of coffee and 20.00 of book are rated less the 16.55 that points paid in proportion: 22.50 − 16.55.
    assert_eq!(receipt.rated_amount.amount, dec("5.95"));
    assert_eq!(receipt.points_earned, dec("5"));
    assert_eq!(ada.points().await, dec("5"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_line_of_a_reward_carries_what_the_document_shows() {
    let shop = shop().await;
    let ada = ada(&shop).await;

    let receipt = ada.records(&ada.sale("20.00").redeem_reward("five-off", 2)).await;
    let quiet = ada.records(&ada.sale("20.00").redeem_reward("free-cake", 1)).await;

    let item = receipt.points_tenders[0].item.clone().expect("an item");
    assert_eq!(item.reward_id, Some("five-off".into()));
    let texts = (
        item.product_code.as_deref(),
        item.category.as_deref(),
        item.printed_text.as_deref(),
    );
    assert_eq!(texts, (Some("LOYPAY"), Some("loyalty/keys"), Some("DISCOUNT 5 EUR")));
    assert_eq!(item.printed_quantity, Some(dec("2")));
    assert_eq!(all_bought(&receipt), numbers(&[["300", "10", "2", "150"]]));
    let text = receipt.to_string();
    assert!(text.contains("\n  2 × DISCOUNT 5 EUR: 300 points\n"), "{text}");
    let item = quiet.points_tenders[0].item.clone().expect("an item");
    assert_eq!(
        (item.printed_quantity, item.printed_text.as_deref()),
        (None, Some("A cake"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_there_is_is_refused_with_the_numbers_or_as_many_whole_ones_are_taken_as_fit() {
    let shop = shop_redeeming(RedemptionPolicy::new(dec("0.01")).max_points_per_sale(500)).await;
    let ada = ada(&shop).await;
    let bob = shop.enrols("bob").await;
    bob.buys("50").await;

    let lines = ada.tries(&coffee_and_book(&ada).redeem_product("coffee", 3)).await;
    let due = ada.tries(&ada.sale("9.99").redeem_reward("five-off", 2)).await;
    let maximum = ada.tries(&ada.sale("100").redeem_reward("five-off", 4)).await;
    let points = bob.tries(&bob.sale("100").redeem_product("coffee", 4)).await;
    let paid_in_cash = coffee_and_book(&ada).tender("CASH", 22).redeem_product("coffee", 2);
    let paid_in_cash = ada.tries(&paid_in_cash).await;
    let clamped = [
        ada.records(&coffee_and_book(&ada).redeem_product("coffee", 3).clamped())
            .await,
        ada.records(&ada.sale("9.99").redeem_reward("five-off", 2).clamped())
            .await,
        ada.records(&ada.sale("100").redeem_reward("five-off", 9_999).clamped())
            .await,
        bob.records(&bob.sale("100").redeem_product("coffee", dec("3.9")).clamped())
            .await,
        bob.records(&bob.sale("100").redeem_reward("five-off", 1).clamped())
            .await,
    ];

    let exceeds = Error::ExceedsSaleLines {
        product_id: "coffee".into(),
        quantity: dec("3"),
        available: dec("2"),
    };
    assert_eq!(lines, Err(exceeds));
    let exceeds_due = |amount: &str, due: &str| {
        Err(Error::ExceedsDue {
            amount: dec(amount),
            due: dec(due),
        })
    };
    assert_eq!(due, exceeds_due("10", "9.99"));
    assert_eq!(paid_in_cash, exceeds_due("5", "3"));
    let (points_asked, max_points) = (dec("600"), dec("500"));
    assert_eq!(
        maximum,
        Err(Error::ExceedsMaximumPoints {
            points: points_asked,
            max_points
        })
    );
    let (available, requested) = (dec("50"), dec("60"));
    assert_eq!(points, Err(Error::InsufficientPoints { available, requested }));
    let quantities = clamped.map(|receipt| {
        let tender = receipt.points_tenders.first().map(bought);
        tender.map_or(Decimal::ZERO, |[_, _, quantity, _]| quantity)
    });
    assert_eq!(quantities, ["2", "1", "3", "3", "0"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_unit_costs_its_part_of_the_price_rounded_up() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let sale = ada
        .sale("7.00")
        .line(SaleLine::new(dec("7.00")).product("coffee").quantity(dec("0.7")));

    let receipt = ada.records(&sale.redeem_product("coffee", dec("0.25"))).await;

    assert_eq!(all_bought(&receipt), numbers(&[["4", "2.5", "0.25", "15"]]));
    assert_eq!(receipt.points_earned, dec("4"), "of the 4.50 that are left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_without_a_rate_sells_products_and_rewards_only() {
    let shop = shop_redeeming(RedemptionPolicy::rewards_only().print_quantity()).await;
    let ada = ada(&shop).await;

    let by_points = ada.tries(&ada.sale("5").redeem_points(1)).await;
    let product = ada.records(&ada.sale("5").redeem_product("coffee", 2)).await;
    let no_price = ada.tries(&ada.sale("5").redeem_product("stamp", 1)).await;
    let unknown = ada.tries(&ada.sale("5").redeem_product("tea", 1)).await;
    let no_reward = ada.tries(&ada.sale("5").redeem_reward("ten-off", 1)).await;

    let program_id = || PROGRAM.into();
    assert_eq!(
        by_points,
        Err(Error::RedemptionNotOffered {
            program_id: program_id()
        })
    );
    let item = product.points_tenders[0].item.as_ref().expect("an item");
    assert_eq!(item.printed_quantity, Some(dec("2")));
    for (outcome, product_id) in [(no_price, "stamp"), (unknown, "tea")] {
        let expected = Error::ProductNotRedeemable {
            program_id: program_id(),
            product_id: product_id.into(),
        };
        assert_eq!(outcome, Err(expected));
    }
    let expected = Error::RewardNotFound {
        program_id: program_id(),
        reward_id: "ten-off".into(),
    };
    assert_eq!(no_reward, Err(expected));
    assert_eq!(ada.balance().await.value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_reward_holds_at_once_and_recorded_sales_keep_their_answer() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    let sale = ada.sale("20").redeem_reward("five-off", 1);
    let before = ada.records(&sale).await;
    let read = shop.client.get_reward(PROGRAM, "five-off").await.expect("the reward");

    let update = RewardUpdate::of(&read).points(100).printed_text("CHEAPER");
    let changed = shop.client.update_reward(&update).await.expect("an update");
    let after = ada.records(&ada.sale("20").redeem_reward("five-off", 1)).await;
    let again = ada.records(&sale).await;
    shop.client
        .archive_reward(PROGRAM, "five-off", changed.etag)
        .await
        .expect("archived");
    let archived = ada.tries(&ada.sale("20").redeem_reward("five-off", 1)).await;

    assert_eq!(all_bought(&before), numbers(&[["150", "5", "1", "150"]]));
    assert_eq!(all_bought(&after), numbers(&[["100", "5", "1", "100"]]));
    assert_eq!(again.points_tenders, before.points_tenders);
    assert!(matches!(archived, Err(Error::RewardNotFound { .. })), "{archived:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redeemed_money_of_a_value_program_says_the_vat_it_includes() {
    let program = NewProgram {
        unit: ProgramUnit::Value,
        ..NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::of_value_program().vat_percent(24))
    };
    let shop = Shop::with_rule(program, EarnRate::new(1, dec("0.20"))).await;
    let voucher = NewReward::money_off(PROGRAM, "Six for five", 5, 6).reward_id("voucher");
    for reward in [voucher.clone().vat_percent(13), voucher.reward_id("plain")] {
        shop.client.create_reward(&reward).await.expect("a reward");
    }
    let ada = shop.enrols("ada").await;
    ada.buys("100.00").await;

    let sale = ada.sale("50.00").redeem_amount(dec("5.20"));
    let receipt = ada
        .records(&sale.redeem_reward("voucher", 1).redeem_reward("plain", 1))
        .await;

    let told: Vec<_> = receipt
        .points_tenders
        .iter()
        .map(|tender| (tender.points, tender.amount.amount, tender.vat_percent))
        .collect();
    let expected = [("5.2", "5.2", "24"), ("5", "6", "13"), ("5", "6", "24")];
    assert_eq!(
        told,
        expected.map(|(points, amount, vat)| (dec(points), dec(amount), Some(dec(vat))))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_mark_the_lines_that_points_can_buy() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("50").await;
    let sale = ada
        .sale("60.00")
        .line(SaleLine::new(dec("25.00")).product("coffee").quantity(10))
        .line(SaleLine::new(dec("5.00")).product("cake").quantity(2))
        .line(SaleLine::new(dec("30.00")).product("book"));

    let quote = shop.client.quote_sale(&sale).await.expect("a quote");
    let with_one = sale.clone().redeem_product("coffee", 1);
    let with_one = shop.client.quote_sale(&with_one).await.expect("a quote");

    let marks = |receipt: &Receipt| -> Vec<_> {
        let lines = receipt.lines.iter();
        lines
            .map(|line| (line.redeem_points, line.redeemable_quantity))
            .collect()
    };
    let some = |text: &str| Some(dec(text));
    assert_eq!(
        marks(&quote),
        [(some("15"), some("3")), (some("40"), some("1")), (None, None)]
    );
    assert_eq!(
        marks(&with_one),
        [(some("15"), some("2")), (some("40"), some("0")), (None, None)]
    );
}
