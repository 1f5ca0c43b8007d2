//! Points that paid for what comes back, and points that were spent before their sale came back.

use loyalty_sdk::{
    EarnRate, EntryKind, Error, ExpiryPolicy, NewProgram, NewReward, ProductUpdate, RedemptionPolicy, SaleLine,
    ShortfallPolicy,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, dec};

/// A point per ten euro, worth a euro each.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(10, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redeemed_points_come_back_in_proportion_last_taken_lot_first_with_their_expiry() {
    let shop = shop().await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(10))))
        .await;
    let ada = shop.enrols("ada").await;
    ada.buys("500").await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(30))))
        .await;
    ada.buys("1000").await;
    let sale = ada.sale("80").redeem_points(80);
    ada.records(&sale).await;

    let first = ada.returns_amount(&sale, "40").await;
    let second = ada.returns_amount(&sale, "20").await;
    let third = ada.returns(&ada.return_of(&sale)).await;

    let given = [&first, &second, &third].map(|receipt| receipt.points_given_back);
    assert_eq!(given, [dec("40"), dec("20"), dec("20")]);
    assert_eq!((first.points_amount.amount, first.refund.amount), (dec("40"), dec("0")));
    let history = ada.history().await;
    let back: Vec<_> = history
        .iter()
        .rev()
        .filter(|entry| entry.kind == EntryKind::RedeemReversal)
        .map(|entry| {
            entry
                .lots
                .iter()
                .map(|lot| (lot.lot_sequence, lot.points))
                .collect::<Vec<_>>()
        })
        .collect();
    // The redemption took 50 of the first lot, then 30 of the second.
    assert_eq!(
        back,
        [
            vec![(1, dec("10")), (2, dec("30"))],
            vec![(1, dec("20"))],
            vec![(1, dec("20"))]
        ]
    );
    assert_eq!(ada.points().await, dec("150"));
    shop.days_pass(11);
    assert_eq!(ada.points().await, dec("100"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_given_back_are_rounded_down_until_the_last_return_takes_the_rest() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = ada.sale("30").redeem_points(10);
    ada.records(&sale).await;

    let mut given = Vec::new();
    for _ in 0..3 {
        let receipt = ada.returns_amount(&sale, "10").await;
        given.push((
            receipt.points_given_back,
            receipt.points_amount.amount,
            receipt.refund.amount,
        ));
    }

    assert_eq!(
        given,
        [
            (dec("3"), dec("3.33"), dec("6.67")),
            (dec("3"), dec("3.33"), dec("6.67")),
            (dec("4"), dec("3.34"), dec("6.66")),
        ]
    );
    assert_eq!(ada.points().await, dec("10"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_that_lapsed_meanwhile_comes_back_lapsed() {
    let shop = shop().await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(16))))
        .await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    shop.days_pass(15);
    let sale = ada.sale("100").redeem_points(100);
    ada.records(&sale).await;
    shop.days_pass(3);

    let receipt = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(
        (receipt.points_given_back, receipt.given_back_lapsed),
        (dec("100"), dec("100"))
    );
    assert_eq!(receipt.balance.available, dec("0"));
    let movements = ada.movements().await;
    assert_eq!(
        movements,
        [dec("100"), dec("-100"), dec("0"), dec("100"), dec("-100"), dec("0")]
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lapsed_are_not_taken_out_of_others() {
    let shop = shop().await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(5))))
        .await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    shop.days_pass(10);
    ada.buys("70").await;

    let receipt = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(
        (receipt.points_taken_back, receipt.taken_back_lapsed),
        (dec("10"), dec("10"))
    );
    assert_eq!(receipt.balance.available, dec("7"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_points_that_lapsed_only_those_that_were_spent_before_are_taken_out_of_others() {
    let shop = shop().await;
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(5))))
        .await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    ada.records(&ada.sale("4").redeem_points(4)).await;
    shop.days_pass(10);
    ada.buys("70").await;

    let receipt = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(
        (receipt.points_taken_back, receipt.taken_back_lapsed),
        (dec("10"), dec("6"))
    );
    assert_eq!(receipt.balance.available, dec("3"));
    let kinds = ada
        .history()
        .await
        .into_iter()
        .take(2)
        .map(|entry| (entry.kind, entry.points));
    let expected = [(EntryKind::EarnReversal, dec("-10")), (EntryKind::Expire, dec("6"))];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_were_spent_are_owed_and_the_next_ones_repay_them() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    ada.records(&ada.sale("7").redeem_points(7)).await;

    let receipt = ada.returns(&ada.return_of(&sale)).await;
    let in_debt = ada.balance().await;
    let refused = ada.tries(&ada.sale("1").redeem_points(1)).await;
    let repaid = ada.buys("100").await;

    assert_eq!((receipt.points_taken_back, receipt.points_owed), (dec("10"), dec("7")));
    assert_eq!((receipt.balance.available, in_debt.available), (dec("-7"), dec("-7")));
    assert!(matches!(refused, Err(Error::InsufficientPoints { .. })));
    assert_eq!((repaid.points_earned, repaid.balance.available), (dec("10"), dec("3")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_come_back_repay_what_is_owed_first() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let earned = ada.sale("100");
    ada.records(&earned).await;
    let spent = ada.sale("10").redeem_points(10);
    ada.records(&spent).await;
    ada.returns(&ada.return_of(&earned)).await;
    let owing = ada.points().await;

    let receipt = ada.returns(&ada.return_of(&spent)).await;

    assert_eq!(owing, dec("-10"));
    assert_eq!(
        (receipt.points_given_back, receipt.balance.available),
        (dec("10"), dec("0"))
    );
    assert_books_agree(&shop).await;
}

/// A coffee costs 15 points, a cake 40; a key of the ladder takes 5 euro off for 150.
async fn shop_that_sells_for_points() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.01")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let products = [
        ProductUpdate::new("coffee").redeem_points(15),
        ProductUpdate::new("cake").points(3).redeem_points(40),
    ];
    shop.client.upsert_products(PROGRAM, &products).await.expect("products");
    let key = NewReward::money_off(PROGRAM, "Five off", 150, 5).reward_id("five-off");
    shop.client.create_reward(&key).await.expect("a reward");
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_bought_with_points_gives_back_its_own_points() {
    let shop = shop_that_sells_for_points().await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let sale = ada
        .sale("40")
        .line(SaleLine::new(dec("20")).product("book"))
        .line(SaleLine::new(dec("8")).product("coffee").quantity(4))
        .line(SaleLine::new(dec("12")).product("cake").quantity(2))
        .redeem_product("coffee", 3)
        .redeem_product("cake", 2)
        .redeem_points(100);
    let recorded = ada.records(&sale).await;

    let mut told = Vec::new();
    for line in [1, 1, 2, 1, 1, 0] {
        let receipt = ada.returns(&ada.return_of(&sale).line(line, 1)).await;
        told.push([
            receipt.points_given_back,
            receipt.points_amount.amount,
            receipt.refund.amount,
            receipt.points_earned,
        ]);
    }
    let last = ada.returns(&ada.return_of(&sale)).await;

    // The book and a coffee, less a euro that points paid.
    assert_eq!(
        (recorded.points_redeemed, recorded.points_earned),
        (dec("225"), dec("21"))
    );
    let expected = [
        ["15", "2", "0", "21"],
        ["15", "2", "0", "21"],
        ["40", "6", "0", "21"],
        ["15", "2", "0", "21"],
        // The coffee that was paid otherwise: 2 of the 22 that points paid a euro of.
        ["9", "0.09", "1.91", "19"],
        ["91", "0.91", "19.09", "0"],
    ];
    assert_eq!(told, expected.map(|row| row.map(dec)));
    assert_eq!((last.points_given_back, last.amount.amount), (dec("40"), dec("6")));
    assert_eq!(ada.points().await, dec("1000"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_took_money_off_comes_back_in_proportion_and_a_gift_with_the_last_of_the_sale() {
    let shop = shop_that_sells_for_points().await;
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let sale = ada.sale("50").redeem_reward("five-off", 1).redeem_product("cake", 1);
    let recorded = ada.records(&sale).await;

    let half = ada.returns_amount(&sale, "25").await;
    let rest = ada.cancels(&sale).await;

    assert_eq!(
        (recorded.points_redeemed, recorded.points_earned),
        (dec("190"), dec("45"))
    );
    assert_eq!(
        (half.points_given_back, half.points_amount.amount),
        (dec("75"), dec("2.50"))
    );
    assert_eq!(half.points_earned, dec("22"));
    assert_eq!(rest.points_given_back, dec("115"));
    assert_eq!(ada.points().await, dec("1000"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_is_owed_let_go_or_keeps_the_goods_from_coming_back_as_the_program_says() {
    for (policy, expected) in [
        (ShortfallPolicy::AllowNegative, Ok(["10", "7", "0", "-7"])),
        (ShortfallPolicy::ClampToZero, Ok(["3", "0", "7", "0"])),
        (ShortfallPolicy::Refuse, Err(("3", "10"))),
    ] {
        let shop = shop().await;
        shop.changes(|program| program.shortfall_policy(policy)).await;
        let ada = shop.enrols("ada").await;
        let sale = ada.sale("100");
        ada.records(&sale).await;
        ada.records(&ada.sale("7").redeem_points(7)).await;

        let returned = shop.client.return_sale(&ada.return_of(&sale)).await;

        let told = returned.map(|receipt| {
            [
                receipt.points_taken_back,
                receipt.points_owed,
                receipt.points_forgiven,
                receipt.balance.available,
            ]
        });
        let expected = match expected {
            Ok(numbers) => Ok(numbers.map(dec)),
            Err((available, requested)) => Err(Error::InsufficientPoints {
                available: dec(available),
                requested: dec(requested),
            }),
        };
        assert_eq!(told, expected, "{policy:?}");
        assert_books_agree(&shop).await;
    }
}
