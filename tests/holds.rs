//! R7: points set aside until they are captured, released, or their time is over.

use std::time::Duration;

use loyalty_sdk::{
    Balance, EarnRate, EntryKind, Error, ExpiryPolicy, Hold, HoldCapture, HoldReceipt, HoldState, NewHold, NewProgram,
    ProgramState, RedemptionPolicy, RedemptionReceipt, RedemptionRequest,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, ShopMember, dec, instant};

/// A point per euro, worth ten cents.
pub(crate) async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

pub(crate) async fn ada<'a>(shop: &'a Shop, points: &str) -> ShopMember<'a> {
    let ada = shop.enrols("ada").await;
    ada.buys(points).await;
    ada
}

impl ShopMember<'_> {
    pub(crate) fn request(&self) -> RedemptionRequest {
        RedemptionRequest::new("store-1", self.key.clone())
    }

    async fn tries_to_hold(&self, points: i64) -> Result<HoldReceipt, Error> {
        let hold = NewHold::of(self.request().redeem_points(points));
        self.shop.client.place_hold(&hold).await
    }

    pub(crate) async fn holds(&self, points: i64) -> Hold {
        let placed = self.tries_to_hold(points).await;
        placed.unwrap_or_else(|error| panic!("{error}")).hold
    }

    pub(crate) async fn captures(&self, hold: &Hold) -> Result<RedemptionReceipt, Error> {
        let capture = HoldCapture::of(&hold.hold_id, "store-1");
        self.shop.client.capture_hold(&capture).await
    }
}

/// Available and held.
pub(crate) fn parts(balance: &Balance) -> (Decimal, Decimal) {
    (balance.available, balance.held)
}

pub(crate) fn numbers(available: &str, held: &str) -> (Decimal, Decimal) {
    (dec(available), dec(held))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_out_of_reach_until_it_is_captured() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;

    let placed = ada.tries_to_hold(60).await.expect("a hold");
    let balance = ada.balance().await;
    let too_much = ada.tries(&ada.sale("50").redeem_points(41)).await;
    let second_hold = ada.tries_to_hold(41).await;
    let beside_it = ada.records(&ada.sale("5").redeem_points(40)).await;
    let captured = ada.captures(&placed.hold).await.expect("a capture");

    let hold = &placed.hold;
    assert_eq!(
        (hold.points, hold.amount.amount, hold.state),
        (dec("60"), dec("6"), HoldState::Live)
    );
    assert_eq!(hold.lapses_at, instant("2026-01-15T10:15:00Z"));
    assert_eq!(
        (placed.balance_before, parts(&placed.balance)),
        (dec("100"), numbers("40", "60"))
    );
    assert_eq!(parts(&balance), numbers("40", "60"));
    let insufficient = Error::InsufficientPoints {
        available: dec("40"),
        requested: dec("41"),
    };
    assert_eq!(
        (too_much, second_hold.err()),
        (Err(insufficient.clone()), Some(insufficient))
    );
    assert_eq!(parts(&beside_it.balance), numbers("1", "60"));
    let redemption = &captured.redemption;
    assert_eq!((redemption.points, redemption.amount.amount), (dec("60"), dec("6")));
    assert_eq!(redemption.hold_id.as_ref(), Some(&hold.hold_id));
    assert_eq!(
        (captured.balance_before, parts(&captured.balance)),
        (dec("1"), numbers("1", "0"))
    );
    let entry = ada.history().await.remove(0);
    assert_eq!((entry.kind, entry.points), (EntryKind::Redeem, dec("-60")));
    assert_eq!(entry.reference.as_deref(), Some(redemption.redemption_id.as_str()));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_frees_the_points_without_any_call() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let request = ada.request().redeem_points(60);
    let hold = NewHold::of(request).time_limit(Duration::from_secs(90));
    let hold = shop.client.place_hold(&hold).await.expect("a hold").hold;

    shop.it_is("2026-01-15T10:01:29.999999Z");
    let still = ada.balance().await;
    shop.it_is("2026-01-15T10:01:30Z");
    let free = ada.balance().await;
    let used = ada.records(&ada.sale("50").redeem_points(90)).await;
    let late = ada.captures(&hold).await;
    let released = shop.client.release_hold(&hold.hold_id, None).await;

    assert_eq!(hold.lapses_at, instant("2026-01-15T10:01:30Z"));
    assert_eq!(
        (parts(&still), parts(&free)),
        (numbers("40", "60"), numbers("100", "0"))
    );
    assert_eq!(used.points_redeemed, dec("90"));
    let lapsed = Error::HoldLapsed {
        hold_id: hold.hold_id.clone(),
        lapses_at: hold.lapses_at,
    };
    assert_eq!((late.err(), released.err()), (Some(lapsed.clone()), Some(lapsed)));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_hold_frees_its_points_and_every_wrong_end_has_its_reason() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let eve = shop.enrols("eve").await;
    let (released, captured) = (ada.holds(10).await, ada.holds(20).await);
    let others = HoldCapture::of(&captured.hold_id, "store-1").member(eve.key.clone());

    let of_other = shop.client.capture_hold(&others).await;
    let of_other_released = shop.client.release_hold(&captured.hold_id, Some(eve.key.clone())).await;
    let receipt = shop.client.release_hold(&released.hold_id, Some(ada.key.clone())).await;
    let receipt = receipt.expect("a release");
    let redemption = ada.captures(&captured).await.expect("a capture").redemption;
    let after_release = ada.captures(&released).await;
    let twice = ada.captures(&captured).await;
    let released_twice = shop.client.release_hold(&released.hold_id, None).await;
    let after_capture = shop.client.release_hold(&captured.hold_id, None).await;
    let unknown = shop.client.release_hold(eve.member.member_id.as_str(), None).await;

    assert_eq!(
        (receipt.hold.state, parts(&receipt.balance)),
        (HoldState::Released, numbers("80", "20"))
    );
    let hold_id = captured.hold_id.clone();
    let other = Error::HoldOfOtherMember { hold_id };
    assert_eq!(
        (of_other.err(), of_other_released.err()),
        (Some(other.clone()), Some(other))
    );
    let hold_id = released.hold_id.clone();
    let gone = Error::HoldReleased { hold_id };
    assert_eq!(
        (after_release.err(), released_twice.err()),
        (Some(gone.clone()), Some(gone))
    );
    let done = Error::HoldCaptured {
        hold_id: captured.hold_id.clone(),
        redemption_id: redemption.redemption_id,
    };
    assert_eq!((twice.err(), after_capture.err()), (Some(done.clone()), Some(done)));
    let hold_id = eve.member.member_id.as_str().into();
    assert_eq!(unknown.err(), Some(Error::HoldNotFound { hold_id }));
    assert_eq!(ada.points().await, dec("80"));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lapsed_under_a_hold_are_gone_when_it_ends() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(1)))).await;
    let ada = ada(&shop, "100").await;
    shop.it_is("2026-01-16T23:50:00Z");
    let (released, lapsing) = (ada.holds(60).await, ada.holds(30).await);

    shop.it_is("2026-01-17T00:01:00Z");
    let receipt = shop
        .client
        .release_hold(&released.hold_id, None)
        .await
        .expect("a release");
    let held = ada.balance().await;
    shop.it_is("2026-01-17T00:06:00Z");
    let after = ada.balance().await;
    ada.buys("1").await;

    assert_eq!(
        (parts(&receipt.balance), parts(&held)),
        (numbers("0", "30"), numbers("0", "30"))
    );
    assert_eq!(parts(&after), numbers("0", "0"));
    assert_eq!(lapsing.state, HoldState::Live);
    assert_eq!(ada.movements().await, ["100", "-10", "-60", "-30", "1"].map(dec));
    let history = ada.history().await;
    let lapses = history.iter().rev().filter(|entry| entry.kind == EntryKind::Expire);
    let lapses: Vec<_> = lapses.map(|entry| entry.occurred_at).collect();
    let expected = ["2026-01-17T00:00:00Z", "2026-01-17T00:01:00Z", "2026-01-17T00:05:00Z"];
    assert_eq!(lapses, expected.map(instant));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_honoured_by_a_program_that_was_paused_but_none_is_placed() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let hold = ada.holds(60).await;
    shop.changes(|club| club.state(ProgramState::Paused)).await;

    let another = ada.tries_to_hold(10).await;
    let captured = ada.captures(&hold).await;

    assert!(matches!(another, Err(Error::RedemptionClosed { .. })), "{another:?}");
    assert_eq!(captured.expect("a capture").redemption.points, dec("60"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_of_a_blocked_member_can_only_be_released_or_have_been_captured_before() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let (first, second, third) = (ada.holds(10).await, ada.holds(20).await, ada.holds(30).await);
    shop.it_is("2026-01-15T10:05:00Z");
    shop.client
        .block_member(&ada.member, "stolen card")
        .await
        .expect("a block");

    let placed = ada.tries_to_hold(1).await;
    let captured = ada.captures(&first).await;
    let before = HoldCapture::of(&second.hold_id, "store-1").occurred_at(instant("2026-01-15T10:04:59Z"));
    let before = shop.client.capture_hold(&before).await;
    let released = shop.client.release_hold(&third.hold_id, None).await;

    let block_reason = "stolen card".to_owned();
    let blocked = Error::MemberBlocked { block_reason };
    assert_eq!((placed.err(), captured.err()), (Some(blocked.clone()), Some(blocked)));
    assert_eq!(before.expect("a capture").redemption.points, dec("20"));
    assert_eq!(parts(&released.expect("a release").balance), numbers("70", "10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_calls_of_a_hold_are_answered_once() {
    let shop = shop().await;
    let ada = ada(&shop, "100").await;
    let hold = NewHold::of(ada.request().redeem_points(60));
    let client = |id: &str| shop.client.with_request_id(id);

    let placed = client("place").place_hold(&hold).await.expect("a hold");
    let placed_again = client("place").place_hold(&hold).await.expect("the same hold");
    let capture = HoldCapture::of(&placed.hold.hold_id, "store-1");
    let captured = client("capture").capture_hold(&capture).await.expect("a capture");
    let captured_again = client("capture").capture_hold(&capture).await.expect("the same");
    let refused = client("late").release_hold(&placed.hold.hold_id, None).await;
    let refused_again = client("late").release_hold(&placed.hold.hold_id, None).await;
    let reused = client("place").capture_hold(&capture).await;

    assert_eq!((placed_again.hold, placed_again.replayed), (placed.hold, true));
    assert_eq!(
        (captured_again.redemption, captured_again.replayed),
        (captured.redemption, true)
    );
    assert!(refused.is_err());
    assert_eq!(refused.err(), refused_again.err());
    assert!(matches!(reused, Err(Error::RequestIdReused { .. })), "{reused:?}");
    assert_eq!(ada.movements().await, ["100", "-60"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_has_at_most_a_hundred_holds_at_once() {
    let shop = shop().await;
    let ada = ada(&shop, "1000").await;
    for _ in 0..100 {
        ada.holds(1).await;
    }

    let one_more = ada.tries_to_hold(1).await;
    shop.it_is("2026-01-15T10:15:00Z");
    let when_they_lapsed = ada.tries_to_hold(1).await;

    assert_eq!(one_more.err(), Some(Error::TooManyHolds { max_holds: 100 }));
    assert_eq!(parts(&when_they_lapsed.expect("a hold").balance), numbers("999", "1"));
    assert_books_agree(&shop).await;
}
