//! Goods that come back: the books are where a sale of the kept goods would have left them.

use loyalty_sdk::{
    EarnRate, EntryKind, ExpiryPolicy, HoldCapture, NewHold, NewProgram, NewRule, RedemptionPolicy, RedemptionRequest,
    Sale, SaleLine, SaleReturn,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant};

/// A point per ten euro, worth a euro each.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(10, 1)).await
}

fn basket(member: &ShopMember<'_>) -> Sale {
    member
        .sale("100")
        .line(SaleLine::new(dec("60")).product("lamp").quantity(3))
        .line(SaleLine::new(dec("40")).product("chair"))
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_come_back_take_what_they_earned_and_the_rest_stays() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;

    let receipt = ada.returns(&ada.return_of(&sale).line(0, 1)).await;

    assert_eq!(receipt.amount.amount, dec("20"));
    assert_eq!(
        (receipt.refund.amount, receipt.points_amount.amount),
        (dec("20"), dec("0"))
    );
    assert_eq!((receipt.points_taken_back, receipt.points_earned), (dec("2"), dec("8")));
    assert_eq!(
        (receipt.balance_before, receipt.balance.available),
        (dec("10"), dec("8"))
    );
    assert_eq!(receipt.balance.tier_spend.amount, dec("80"));
    let lamp = &receipt.lines[0];
    assert_eq!(
        (lamp.returned_quantity, lamp.returned_amount.amount),
        (dec("1"), dec("20"))
    );
    assert_eq!((lamp.kept_quantity, lamp.kept_amount.amount), (dec("2"), dec("40")));
    assert_eq!(lamp.kept.as_ref().map(|kept| kept.points), Some(dec("4")));
    assert_eq!(receipt.lines[1].returned_quantity, dec("0"));
    assert_eq!(ada.points().await, dec("8"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_of_small_returns_loses_nothing_to_rounding() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("20");
    ada.records(&sale).await;

    for _ in 0..4 {
        ada.returns_amount(&sale, "5").await;
    }

    let movements = ada.movements().await;
    assert_eq!(movements, [dec("2"), dec("-1"), dec("0"), dec("-1"), dec("0")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_amounts_of_a_line_that_comes_back_in_pieces_add_up_to_it() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("10").line(SaleLine::new(dec("10")).quantity(3));
    ada.records(&sale).await;

    let mut amounts = Vec::new();
    for _ in 0..3 {
        amounts.push(ada.returns(&ada.return_of(&sale).line(0, 1)).await.amount.amount);
    }

    assert_eq!(amounts, [dec("3.33"), dec("3.33"), dec("3.34")]);
    assert_eq!(ada.points().await, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cents_that_come_back_one_by_one_are_taken_from_all_lines_alike() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let (one, other) = (SaleLine::new(dec("0.30")), SaleLine::new(dec("0.10")));
    let sale = ada.sale("0.40").line(one).line(other);
    ada.records(&sale).await;

    let mut kept = Vec::new();
    for _ in 0..4 {
        let receipt = ada.returns_amount(&sale, "0.10").await;
        let amounts = receipt.lines.iter().map(|line| line.kept_amount.amount);
        kept.push(amounts.collect::<Vec<_>>());
    }

    let expected = [["0.22", "0.08"], ["0.15", "0.05"], ["0.07", "0.03"], ["0.00", "0.00"]];
    assert_eq!(kept, expected.map(|amounts| amounts.map(dec).to_vec()).to_vec());
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_taken_back_out_of_the_lot_of_the_sale_before_others() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = ada.sale("50");
    ada.records(&sale).await;
    ada.buys("100").await;

    let receipt = ada.returns(&ada.return_of(&sale)).await;

    let newest = &ada.history().await[0];
    assert_eq!(newest.kind, EntryKind::EarnReversal);
    assert_eq!(newest.reference.as_deref(), receipt.return_id.as_deref());
    assert_eq!(newest.lots.len(), 1);
    assert_eq!((newest.lots[0].lot_sequence, newest.lots[0].points), (2, dec("-5")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discount_ceiling_that_the_kept_goods_keep_gives_points_back_to_the_customer() {
    let shop = shop().await;
    shop.changes(|program| program.max_discount_percent(Some(dec("20"))))
        .await;
    let ada = shop.enrols("ada").await;
    let discounted = SaleLine::new(dec("50")).discount_amount(dec("50"));
    let sale = ada.sale("150").line(discounted).line(SaleLine::new(dec("100")));
    let recorded = ada.records(&sale).await;

    let receipt = ada.returns(&ada.return_of(&sale).whole_line(0)).await;
    let rest = ada.returns(&ada.return_of(&sale)).await;

    assert_eq!(recorded.points_earned, dec("0"));
    assert_eq!(
        (receipt.points_taken_back, receipt.points_earned),
        (dec("-10"), dec("10"))
    );
    assert_eq!(receipt.balance.available, dec("10"));
    assert_eq!((rest.points_taken_back, rest.balance.available), (dec("10"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_goods_below_the_minimum_of_a_campaign_lose_its_bonus() {
    let shop = shop().await;
    let campaign = NewRule::bonus(PROGRAM, "Hundred", dec("25")).minimum_sale(dec("100"));
    shop.creates(&campaign).await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("120");
    let recorded = ada.records(&sale).await;

    let above = ada.returns_amount(&sale, "20").await;
    let below = ada.returns_amount(&sale, "0.01").await;

    assert_eq!(recorded.points_earned, dec("37"));
    assert_eq!(above.points_earned, dec("35"));
    assert_eq!((below.points_earned, below.points_taken_back), (dec("9"), dec("26")));
    assert_eq!(ada.points().await, dec("9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn products_give_back_the_points_of_what_is_left_of_them() {
    let shop = shop().await;
    shop.sets_points(&[("lamp", "7"), ("chair", "0")]).await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    let recorded = ada.records(&sale).await;

    let one = ada.returns(&ada.return_of(&sale).line(0, 1)).await;
    let half = ada.returns(&ada.return_of(&sale).line(0, dec("0.5"))).await;

    assert_eq!(recorded.points_earned, dec("21"));
    assert_eq!((one.points_taken_back, one.points_earned), (dec("7"), dec("14")));
    assert_eq!((half.points_taken_back, half.points_earned), (dec("4"), dec("10")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_a_return_says_what_it_will_do_and_does_nothing() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    let sale_return = ada.return_of(&sale).whole_line(1);
    let before = shop.rows().await;

    let quote = shop.client.quote_return(&sale_return).await.expect("a quote");

    assert_eq!(shop.rows().await, before);
    assert_eq!(ada.returns(&sale_return).await, quote);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_takes_goods_back() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;

    let sale_return = SaleReturn::new("r-1", "store-2", sale.sale_id.as_str())
        .sold_at("store-1")
        .terminal("till-7")
        .cashier("kim")
        .document("CREDIT", "C-1");
    let receipt = ada.returns(&sale_return).await;

    assert_eq!(receipt.sale_store_id, "store-1");
    let newest = &ada.history().await[0];
    assert_eq!(newest.store_id.as_deref(), Some("store-1"));
    assert_eq!(newest.at_store_id.as_deref(), Some("store-2"));
    assert_eq!(newest.terminal_id.as_deref(), Some("till-7"));
    assert_eq!(newest.cashier_id.as_deref(), Some("kim"));
    assert_eq!(newest.document_number.as_deref(), Some("C-1"));
    assert_eq!(newest.reference.as_deref(), Some("r-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_about_returns_comes_out_as_it_says() {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(program, EarnRate::new(1_000, 1)).await;
    let ada = shop.enrols("ada").await;
    let june = instant("2026-06-01T00:00:00Z");
    shop.changes(|program| program.expiry(Some(ExpiryPolicy::days(136))))
        .await;
    assert_eq!(ada.buys("600000").await.points_expire_at, Some(june));
    shop.changes(|program| program.expiry(None)).await;
    ada.buys("400000").await;

    let sale = ada.sale("10000").redeem_points(1_000);
    let mut told = vec![ada.records(&sale).await.balance.available];
    for amount in ["5000", "1", "4999"] {
        let receipt = ada.returns_amount(&sale, amount).await;
        told.extend([
            receipt.points_given_back,
            receipt.points_earned,
            receipt.points_taken_back,
            receipt.balance.available,
        ]);
    }

    let expected = [
        "9", "500", "4", "5", "504", "0", "4", "0", "504", "500", "0", "4", "1000",
    ];
    assert_eq!(told, expected.map(dec));
    let history = ada.history().await;
    let first_back = history
        .iter()
        .rev()
        .find(|entry| entry.kind == EntryKind::RedeemReversal);
    let lots = &first_back.expect("points came back").lots;
    let lots: Vec<_> = lots.iter().map(|lot| (lot.points, lot.expires_at)).collect();
    assert_eq!(lots, [(dec("100"), Some(june)), (dec("400"), None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hold_set_aside_is_not_taken_back_but_owed() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(8);
    let hold = shop
        .client
        .place_hold(&NewHold::of(request))
        .await
        .expect("a hold")
        .hold;

    let receipt = ada.returns(&ada.return_of(&sale)).await;
    let held = ada.balance().await;
    let captured = shop
        .client
        .capture_hold(&HoldCapture::of(&hold.hold_id, "store-1"))
        .await;

    assert_eq!((receipt.points_taken_back, receipt.points_owed), (dec("10"), dec("8")));
    assert_eq!((held.available, held.held), (dec("-8"), dec("8")));
    assert_eq!(captured.expect("a redemption").redemption.points, dec("8"));
    assert_eq!(ada.points().await, dec("-8"));
    assert_books_agree(&shop).await;
}
