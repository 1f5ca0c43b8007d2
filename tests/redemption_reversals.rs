//! Redemptions without a sale that come back, fully or partly: to the lots they were taken from.

use loyalty_sdk::{
    EarnRate, EntryKind, Error, ExpiryPolicy, HoldCapture, Money, NewHold, NewProgram, NewReward, OperationResult,
    ProductUpdate, ProgramState, Redemption, RedemptionPart, RedemptionPlace, RedemptionPolicy, RedemptionRecord,
    RedemptionRequest, RedemptionReversal, ReversalReceipt, ShortfallPolicy,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth ten cents; a coffee for 15 points and a key of five euro for 40.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let coffee = ProductUpdate::new("coffee").redeem_points(15);
    shop.client
        .upsert_products(PROGRAM, &[coffee])
        .await
        .expect("a product");
    let key = NewReward::money_off(PROGRAM, "Five off", 40, 5).reward_id("five-off");
    shop.client.create_reward(&key).await.expect("a reward");
    shop
}

async fn ada<'a>(shop: &'a Shop, points: &str) -> ShopMember<'a> {
    let ada = shop.enrols("ada").await;
    ada.buys(points).await;
    ada
}

impl ShopMember<'_> {
    fn asks(&self) -> RedemptionRequest {
        RedemptionRequest::new("store-1", self.key.clone())
    }

    async fn redeems(&self, request: RedemptionRequest) -> RedemptionRecord {
        let redeemed = self.shop.client.redeem(&request).await;
        redeemed.unwrap_or_else(|error| panic!("{error}")).redemption
    }

    /// Lots that entries of this kind moved, oldest entry first: the sequence of each lot and the points.
    async fn lots_moved(&self, kind: EntryKind) -> Vec<Vec<(u64, Decimal)>> {
        let history = self.history().await;
        let entries = history.iter().rev().filter(|entry| entry.kind == kind);
        let lots = entries.map(|entry| entry.lots.iter().map(|lot| (lot.lot_sequence, lot.points)).collect());
        lots.collect()
    }
}

fn all_of(redemption: &RedemptionRecord) -> RedemptionReversal {
    RedemptionReversal::of(&redemption.redemption_id, "store-1")
}

impl Shop {
    async fn reverses(&self, reversal: &RedemptionReversal) -> ReversalReceipt {
        let reversed = self.client.reverse_redemption(reversal).await;
        reversed.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// What came back: points, money, and what is left of the redemption.
fn came_back(receipt: &ReversalReceipt) -> (Decimal, Decimal, Decimal) {
    let redemption = &receipt.reversed.redemption;
    let left = redemption.points - redemption.given_back_points;
    (receipt.reversed.points, receipt.reversed.amount.amount, left)
}

fn numbers(points: &str, amount: &str, left: &str) -> (Decimal, Decimal, Decimal) {
    (dec(points), dec(amount), dec(left))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_redemption_restores_every_lot_as_it_was() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(10))).expense_account("6800"))
        .await;
    let ada = ada(&shop, "50").await;
    shop.days_pass(1);
    ada.buys("100").await;
    let before = ada.balance().await;
    let asked = ada
        .asks()
        .redeem_points(20)
        .redeem_product("coffee", 2)
        .redeem_reward("five-off", 1);
    let redemption = ada.redeems(asked).await;

    let place = RedemptionPlace::store("store-2")
        .terminal("till-7")
        .document_number("R-1");
    let receipt = shop
        .reverses(&RedemptionReversal::of(&redemption.redemption_id, place))
        .await;

    assert_eq!(came_back(&receipt), numbers("90", "7", "0"));
    assert_eq!(receipt.reversed.lapsed_points, dec("0"));
    assert_eq!((receipt.balance_before, &receipt.balance), (dec("60"), &before));
    assert_eq!(ada.balance().await, before);
    let reversals = ada.history().await;
    let reversals: Vec<_> = reversals.iter().take(3).collect();
    for entry in &reversals {
        assert_eq!(entry.kind, EntryKind::RedeemReversal);
        assert_eq!(entry.reference.as_deref(), Some(redemption.redemption_id.as_str()));
        assert_eq!(entry.expense_account.as_deref(), Some("6800"));
        assert_eq!(
            (entry.at_store_id.as_deref(), entry.terminal_id.as_deref()),
            (Some("store-2"), Some("till-7"))
        );
    }
    // Of the first lot 50 were taken, of the second 40.
    let restored: Decimal = reversals.iter().map(|entry| entry.points).sum();
    assert_eq!(restored, dec("90"));
    let found = shop.client.get_redemption(&redemption.redemption_id).await;
    assert_eq!(found, Ok(receipt.reversed.redemption));
    assert_books_agree(&shop).await;
    shop.days_pass(10);
    assert_eq!(ada.points().await, dec("100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_come_back_last_taken_lot_first() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(10)))).await;
    let ada = ada(&shop, "50").await;
    shop.days_pass(1);
    ada.buys("100").await;
    let redemption = ada.redeems(ada.asks().redeem_points(80)).await;

    for part in [
        RedemptionPart::points(0, 20),
        RedemptionPart::amount(0, 3),
        RedemptionPart::rest(0),
    ] {
        shop.reverses(&all_of(&redemption).part(part)).await;
    }

    // 50 of the first lot, then 30 of the second.
    let back = ada.lots_moved(EntryKind::RedeemReversal).await;
    let lots = |lots: &[(u64, i64)]| {
        lots.iter()
            .map(|(lot, points)| (*lot, Decimal::from(*points)))
            .collect::<Vec<_>>()
    };
    assert_eq!(back, [lots(&[(2, 20)]), lots(&[(1, 20), (2, 10)]), lots(&[(1, 30)])]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_rounded_down_until_the_last_takes_the_rest() {
    let shop = shop().await;
    // FIE: a point is worth ten euro.
    shop.changes(|club| club.redemption(Some(RedemptionPolicy::new(10))))
        .await;
    let ada = ada(&shop, "100").await;
    let redemption = ada.redeems(ada.asks().redeem_amount(26)).await;

    let mut back = Vec::new();
    for part in [
        RedemptionPart::amount(0, 6),
        RedemptionPart::amount(0, dec("6.50")),
        RedemptionPart::points(0, 1),
        RedemptionPart::rest(0),
    ] {
        back.push(came_back(&shop.reverses(&all_of(&redemption).part(part)).await));
    }
    let too_late = shop.client.reverse_redemption(&all_of(&redemption)).await;

    assert_eq!((redemption.points, redemption.amount.amount), (dec("3"), dec("26")));
    assert_eq!(
        back,
        [
            numbers("0", "6", "3"),
            numbers("1", "6.5", "2"),
            // Two of three points are 17.33 of the 26 euro.
            numbers("1", "4.83", "1"),
            numbers("1", "8.67", "0"),
        ]
    );
    let (field, left) = ("parts".to_owned(), dec("0"));
    assert_eq!(too_late.err(), Some(Error::ExceedsRedeemed { field, left }));
    assert_eq!(ada.points().await, dec("100"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn units_of_what_was_bought_come_back_by_their_number() {
    let shop = shop().await;
    let ada = ada(&shop, "300").await;
    let asked = ada.asks().redeem_product("coffee", 3).redeem_reward("five-off", 2);
    let redemption = ada.redeems(asked).await;

    let one_of_each = all_of(&redemption)
        .part(RedemptionPart::quantity(0, 1))
        .part(RedemptionPart::quantity(1, 1));
    let first = shop.reverses(&one_of_each).await;
    let rest = shop.reverses(&all_of(&redemption)).await;

    assert_eq!(came_back(&first), numbers("55", "5", "70"));
    let quantities = |receipt: &ReversalReceipt| {
        let given_back = &receipt.reversed.redemption.given_back;
        given_back.iter().map(|back| back.quantity).collect::<Vec<_>>()
    };
    assert_eq!(quantities(&first), [dec("1"), dec("1")]);
    assert_eq!(came_back(&rest), numbers("70", "5", "0"));
    assert_eq!(quantities(&rest), [dec("3"), dec("2")]);
    assert_eq!(ada.points().await, dec("300"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_left_or_what_it_is_not_does_not_come_back() {
    let shop = shop().await;
    let ada = ada(&shop, "300").await;
    let asked = ada.asks().redeem_points(100).redeem_product("coffee", 2);
    let redemption = ada.redeems(asked).await;
    shop.reverses(&all_of(&redemption).part(RedemptionPart::points(0, 40)))
        .await;

    let exceeds = |field: &str, left: &str| Error::ExceedsRedeemed {
        field: field.to_owned(),
        left: dec(left),
    };
    let cases = [
        (vec![RedemptionPart::points(0, 61)], exceeds("parts[0]", "60")),
        (vec![RedemptionPart::amount(0, dec("6.01"))], exceeds("parts[0]", "60")),
        (
            vec![RedemptionPart::points(0, 60), RedemptionPart::points(0, 1)],
            exceeds("parts[1]", "0"),
        ),
        (vec![RedemptionPart::quantity(0, 1)], exceeds("parts[0]", "60")),
        (vec![RedemptionPart::quantity(1, 3)], exceeds("parts[0]", "30")),
        (vec![RedemptionPart::points(1, 15)], exceeds("parts[0]", "30")),
        (vec![RedemptionPart::rest(2)], exceeds("parts[0].tender", "0")),
    ];
    for (parts, expected) in cases {
        let reversal = parts
            .iter()
            .cloned()
            .fold(all_of(&redemption), RedemptionReversal::part);
        let refused = shop.client.reverse_redemption(&reversal).await;
        assert_eq!(refused.err(), Some(expected), "{parts:?}");
    }
    let decimals = all_of(&redemption).part(RedemptionPart::points(0, dec("0.5")));
    let decimals = shop.client.reverse_redemption(&decimals).await;
    let cents = all_of(&redemption).part(RedemptionPart::amount(0, dec("0.001")));
    let cents = shop.client.reverse_redemption(&cents).await;
    let unknown = RedemptionReversal::of("0190a6c4-7a5e-7c3b-8a43-2f1a9b3c4d5e", "store-1");
    let unknown = shop.client.reverse_redemption(&unknown).await;
    let bad = (0..11).fold(RedemptionReversal::of("", ""), |reversal, _| {
        reversal.part(RedemptionPart::points(0, 1))
    });
    let bad = shop.client.reverse_redemption(&bad).await.expect_err("a bad request");
    let nothing = all_of(&redemption)
        .part(RedemptionPart::points(0, 0))
        .part(RedemptionPart::quantity(1, dec("0.0000001")));
    let nothing = shop
        .client
        .reverse_redemption(&nothing)
        .await
        .expect_err("a bad request");

    for (outcome, field, decimals) in [(decimals, "parts[0].points", 0), (cents, "parts[0].amount", 2)] {
        let field = field.to_owned();
        assert_eq!(outcome.err(), Some(Error::TooManyDecimals { field, decimals }));
    }
    assert!(matches!(unknown, Err(Error::RedemptionNotFound { .. })), "{unknown:?}");
    assert_eq!(wrong_fields(&bad), ["redemption_id", "parts", "store_id"]);
    assert_eq!(wrong_fields(&nothing), ["parts[0].points", "parts[1].quantity"]);
    assert_eq!(ada.points().await, dec("210"));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_whose_lot_lapsed_meanwhile_come_back_lapsed() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(16)))).await;
    let ada = ada(&shop, "100").await;
    shop.days_pass(15);
    let redemption = ada.redeems(ada.asks().redeem_points(100)).await;
    shop.days_pass(3);

    let receipt = shop.reverses(&all_of(&redemption)).await;

    assert_eq!(came_back(&receipt), numbers("100", "10", "0"));
    assert_eq!(receipt.reversed.lapsed_points, dec("100"));
    assert_eq!(receipt.balance.available, dec("0"));
    assert_eq!(ada.movements().await, ["100", "-100", "100", "-100"].map(dec));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_late_capture_left_owed_comes_back_first_and_repays_it() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let hold = NewHold::of(ada.asks().redeem_points(60));
    let hold = shop.client.place_hold(&hold).await.expect("a hold").hold;
    shop.it_is("2026-01-15T10:20:00Z");
    ada.redeems(ada.asks().redeem_points(70)).await;
    let late = HoldCapture::of(&hold.hold_id, "store-1").occurred_at(instant("2026-01-15T10:10:00Z"));
    let captured = shop.client.capture_hold(&late).await.expect("a capture");
    assert_eq!(captured.balance.available, dec("-30"));

    let half = all_of(&captured.redemption).part(RedemptionPart::points(0, 20));
    let half = shop.reverses(&half).await;
    // Repays the other ten, so that what comes back then is a lot of its own.
    ada.buys("10").await;
    let rest = shop.reverses(&all_of(&captured.redemption)).await;

    assert_eq!(half.balance.available, dec("-10"));
    assert_eq!(rest.balance.available, dec("40"));
    assert_eq!(
        ada.movements().await,
        ["100", "-70", "-60", "20", "10", "30", "10"].map(dec)
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_of_a_late_capture_comes_back_also_where_no_points_were_there_for_it() {
    let shop = shop().await;
    shop.changes(|club| club.shortfall_policy(ShortfallPolicy::ClampToZero))
        .await;
    let ada = ada(&shop, "100").await;
    let hold = NewHold::of(ada.asks().redeem_points(60));
    let hold = shop.client.place_hold(&hold).await.expect("a hold").hold;
    shop.it_is("2026-01-15T10:20:00Z");
    ada.redeems(ada.asks().redeem_points(100)).await;
    let late = HoldCapture::of(&hold.hold_id, "store-1").occurred_at(instant("2026-01-15T10:10:00Z"));
    let captured = shop.client.capture_hold(&late).await.expect("a capture").redemption;

    let part = shop
        .reverses(&all_of(&captured).part(RedemptionPart::amount(0, 2)))
        .await;
    let rest = shop.reverses(&all_of(&captured)).await;
    let again = shop.client.reverse_redemption(&all_of(&captured)).await;

    assert_eq!(
        (captured.points, captured.amount.clone()),
        (dec("0"), Money::new("EUR", dec("6.00")))
    );
    assert_eq!(came_back(&part), numbers("0", "2", "0"));
    assert_eq!(came_back(&rest), numbers("0", "4", "0"));
    assert!(matches!(again, Err(Error::ExceedsRedeemed { .. })), "{again:?}");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_come_back_when_none_can_be_redeemed() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let redemption = ada.redeems(ada.asks().redeem_points(60)).await;
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let blocked = shop.client.block_member(&ada.member, "stolen card").await;
    blocked.expect("a block");

    let receipt = shop.reverses(&all_of(&redemption)).await;

    assert_eq!(receipt.balance.available, dec("100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_reversal_gives_its_points_back_once_and_its_outcome_can_be_asked() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let redemption = ada.redeems(ada.asks().redeem_points(60)).await;
    let client = shop.client.with_request_id("reverse-1");
    let part = all_of(&redemption).part(RedemptionPart::points(0, 25));

    let first = client.reverse_redemption(&part).await.expect("a reversal");
    ada.redeems(ada.asks().redeem_points(5)).await;
    let again = client.reverse_redemption(&part).await.expect("the same");
    let other = client.reverse_redemption(&all_of(&redemption)).await;
    let operation = shop.client.get_operation("reverse-1").await.expect("an operation");

    assert_eq!(
        (again.replayed, &again.reversed, &again.balance),
        (true, &first.reversed, &first.balance)
    );
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
    let reversed = Box::new(first.reversed);
    assert_eq!(operation.result, OperationResult::RedemptionReversal(reversed));
    assert_eq!(ada.movements().await, ["100", "-60", "25", "-5"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_that_reverse_one_redemption_at_once_give_no_more_back_than_it_took() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let redemption = ada.redeems(ada.asks().redeem_points(100)).await;

    let part = all_of(&redemption).part(RedemptionPart::points(0, 7));
    let tills = (0..40).map(|_| {
        let (client, part) = (shop.client.clone(), part.clone());
        tokio::spawn(async move { client.reverse_redemption(&part).await })
    });
    let mut done = 0;
    for till in tills.collect::<Vec<_>>() {
        match till.await.expect("a till") {
            Ok(_) => done += 1,
            Err(error) => {
                let field = "parts[0]".to_owned();
                assert_eq!(error, Error::ExceedsRedeemed { field, left: dec("2") });
            }
        }
    }

    assert_eq!(done, 14);
    assert_eq!(ada.points().await, dec("98"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_of_a_sale_comes_back_with_the_sale_only() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let sale = ada.sale("10").redemption(Redemption::points(50));
    ada.records(&sale).await;

    let listed = shop
        .client
        .list_redemptions(&Default::default(), &Default::default())
        .await;
    ada.cancels(&sale).await;

    assert_eq!(listed.expect("a list").items, []);
    assert_eq!(ada.points().await, dec("100"));
}
