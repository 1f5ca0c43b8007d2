//! R7: what a capture redeems of a hold, and when.

use loyalty_sdk::{
    EarnRate, Error, ExpiryPolicy, HoldCapture, NewHold, NewProgram, ProductUpdate, Redemption, RedemptionPolicy,
    ShortfallPolicy,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, dec, instant};
use crate::holds::{ada, numbers, parts, shop};

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_for_less_gives_the_rest_back() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let hold = ada.holds(60).await;

    let less = HoldCapture::of(&hold.hold_id, "store-1").redemption(Redemption::amount(dec("2.45")));
    let captured = shop.client.capture_hold(&less).await.expect("a capture");

    assert_eq!(
        (captured.redemption.points, captured.redemption.amount.amount),
        (dec("25"), dec("2.45"))
    );
    assert_eq!(parts(&captured.balance), numbers("75", "0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_pay_no_money_are_not_captured() {
    let program = NewProgram::new("Club", "EUR")
        .decimals(2)
        .redemption(RedemptionPolicy::new(dec("0.10")));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = ada(&shop, "100").await;
    let hold = ada.holds(20).await;
    let capture = |points: &str| {
        let capture = HoldCapture::of(&hold.hold_id, "store-1");
        capture.redemption(Redemption::points(dec(points)))
    };

    let nothing = shop.client.capture_hold(&capture("0.09")).await;
    let after_nothing = ada.balance().await;
    let a_cent = shop.client.capture_hold(&capture("0.10")).await.expect("a capture");

    let (points, amount) = (dec("0.09"), dec("0"));
    assert_eq!(nothing.err(), Some(Error::NothingToRedeem { points, amount }));
    assert_eq!(parts(&after_nothing), numbers("80", "20"));
    assert_eq!(a_cent.redemption.amount.amount, dec("0.01"));
    assert_eq!(parts(&a_cent.balance), numbers("99.9", "0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_several_things_is_captured_thing_by_thing_in_its_own_terms() {
    let shop = shop().await;
    let coffee = |points: i64| [ProductUpdate::new("coffee").redeem_points(points)];
    shop.client
        .upsert_products(PROGRAM, &coffee(15))
        .await
        .expect("a product");
    let ada = ada(&shop, "200").await;
    let request = ada
        .request()
        .redeem_product("coffee", 3)
        .redeem_points(50)
        .redeem_points(30);
    let hold = shop
        .client
        .place_hold(&NewHold::of(request))
        .await
        .expect("a hold")
        .hold;
    // Changes after the hold are nothing to it.
    shop.client
        .upsert_products(PROGRAM, &coffee(40))
        .await
        .expect("a product");
    let policy = RedemptionPolicy::new(dec("0.01")).minimum_points(50);
    shop.changes(|club| club.redemption(Some(policy))).await;
    let capture = || HoldCapture::of(&hold.hold_id, "store-1");

    let too_many = capture().redemption(Redemption::product("coffee", 4));
    let too_many = shop.client.capture_hold(&too_many).await;
    let not_held = capture().redemption(Redemption::product("tea", 1));
    let not_held = shop.client.capture_hold(&not_held).await;
    let third = [50, 30, 1].map(Redemption::points);
    let third = third.into_iter().fold(capture(), HoldCapture::redemption);
    let third = shop.client.capture_hold(&third).await;
    let part = capture()
        .redemption(Redemption::points(20))
        .redemption(Redemption::product("coffee", 2))
        .redemption(Redemption::points(99).clamped());
    let part = shop.client.capture_hold(&part).await.expect("a capture");

    let exceeds = |place: usize, held: &str| {
        Err(Error::ExceedsHold {
            field: format!("redemptions[{place}]"),
            held: dec(held),
        })
    };
    assert_eq!(too_many, exceeds(0, "125"));
    assert_eq!(not_held, exceeds(0, "125"));
    assert_eq!(third, exceeds(2, "45"));
    let tenders: Vec<_> = part
        .redemption
        .tenders
        .iter()
        .map(|t| (t.points, t.amount.amount))
        .collect();
    let expected = [("20", "2"), ("30", "0"), ("30", "3")];
    assert_eq!(tenders, expected.map(|(points, amount)| (dec(points), dec(amount))));
    assert_eq!(parts(&part.balance), numbers("120", "0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lapse_while_they_are_held_are_captured_at_their_value() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(1)))).await;
    let ada = ada(&shop, "100").await;
    shop.it_is("2026-01-16T23:50:00Z");
    let hold = ada.holds(60).await;

    // The lot lapses at midnight, the hold five minutes later.
    shop.it_is("2026-01-17T00:01:00Z");
    let lapsed = ada.balance().await;
    let next_sale = ada.buys("7").await;
    let less = HoldCapture::of(&hold.hold_id, "store-1").redemption(Redemption::points(50));
    let captured = shop.client.capture_hold(&less).await.expect("a capture");

    assert_eq!(parts(&lapsed), numbers("0", "60"));
    assert_eq!(parts(&next_sale.balance), numbers("7", "60"));
    assert_eq!(
        (captured.redemption.points, captured.redemption.amount.amount),
        (dec("50"), dec("5"))
    );
    assert_eq!(parts(&captured.balance), numbers("7", "0"));
    assert_eq!(ada.movements().await, ["100", "-40", "7", "-50", "-10"].map(dec));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_capture_that_happened_in_time_is_honoured_as_far_as_points_remain() {
    let cases = [
        (ShortfallPolicy::AllowNegative, Ok(("60", "-20"))),
        (ShortfallPolicy::ClampToZero, Ok(("40", "0"))),
        (ShortfallPolicy::Refuse, Err(("40", "60"))),
    ];
    for (policy, expected) in cases {
        let shop = shop().await;
        shop.changes(|club| club.shortfall_policy(policy)).await;
        let ada = ada(&shop, "100").await;
        let hold = ada.holds(60).await;
        shop.it_is("2026-01-15T10:20:00Z");
        ada.records(&ada.sale("6").do_not_earn().redeem_points(60)).await;

        let capture = |at: &str| HoldCapture::of(&hold.hold_id, "store-1").occurred_at(instant(at));
        let after_its_life = shop.client.capture_hold(&capture("2026-01-15T10:15:00Z")).await;
        let before_its_life = shop.client.capture_hold(&capture("2026-01-15T09:59:59Z")).await;
        let in_time = shop.client.capture_hold(&capture("2026-01-15T10:14:59Z")).await;

        for outcome in [after_its_life, before_its_life] {
            assert!(
                matches!(outcome, Err(Error::HoldLapsed { .. })),
                "{policy:?}: {outcome:?}"
            );
        }
        match expected {
            Ok((points, available)) => {
                let captured = in_time.unwrap_or_else(|error| panic!("{policy:?}: {error}"));
                assert_eq!(captured.redemption.points, dec(points), "{policy:?}");
                assert_eq!(captured.redemption.occurred_at, instant("2026-01-15T10:14:59Z"));
                assert_eq!(captured.balance.available, dec(available), "{policy:?}");
                let owed = dec(available).min(Decimal::ZERO).abs();
                assert_eq!(captured.redemption.owed_points, owed, "{policy:?}");
                let again = ada.captures(&hold).await;
                assert!(matches!(again, Err(Error::HoldCaptured { .. })), "{again:?}");
            }
            Err((available, requested)) => {
                let (available, requested) = (dec(available), dec(requested));
                assert_eq!(in_time.err(), Some(Error::InsufficientPoints { available, requested }));
                assert_eq!(ada.points().await, dec("40"));
            }
        }
        assert_books_agree(&shop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capture_cannot_have_happened_outside_the_life_of_its_hold() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let hold = ada.holds(60).await;
    let capture = |at: &str| HoldCapture::of(&hold.hold_id, "store-1").occurred_at(instant(at));

    let before = shop.client.capture_hold(&capture("2026-01-15T09:59:59Z")).await;
    let within = shop.client.capture_hold(&capture("2026-01-15T10:00:01Z")).await;

    let out_of_range = Error::TimeOutOfRange {
        field: "occurred_at".to_owned(),
        earliest: hold.placed_at,
        latest: hold.lapses_at,
    };
    assert_eq!(before.err(), Some(out_of_range));
    assert_eq!(within.expect("a capture").redemption.points, dec("60"));
}
