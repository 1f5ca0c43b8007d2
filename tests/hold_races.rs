//! X26 and R7: however many tills want the same points at once, on however many servers, none is held or spent twice.

use std::sync::Arc;

use loyalty_sdk::{
    Client, EarnRate, Error, HoldCapture, MemberKey, NewHold, NewProgram, RedemptionPolicy, RedemptionRequest, Sale,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, dec};

/// A point per euro, worth ten cents.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(dec("0.10")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

fn ada() -> MemberKey {
    MemberKey::customer_id("ada")
}

fn hold(member: MemberKey, points: i64) -> NewHold {
    NewHold::of(RedemptionRequest::new("store-1", member).redeem_points(points))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_tills_that_hold_60_of_100_at_once_one_succeeds() {
    let shop = shop().await;
    let other = shop.second_server().await;
    for round in 0..20 {
        let member = shop.enrols(&format!("customer-{round}")).await;
        member.buys("100").await;

        let (left, right) = (hold(member.key.clone(), 60), hold(member.key.clone(), 60));
        let (one, two) = tokio::join!(shop.client.place_hold(&left), other.place_hold(&right));

        let refusals: Vec<Error> = [one, two].into_iter().filter_map(Result::err).collect();
        let (available, requested) = (dec("40"), dec("60"));
        assert_eq!(refusals, [Error::InsufficientPoints { available, requested }]);
        assert_eq!(member.balance().await.held, dec("60"));
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tills_never_oversell_one_balance() {
    const TILLS: usize = 1_000;
    let shop = shop().await;
    shop.enrols("ada").await.buys("5000").await;
    let other = shop.second_server().await;
    let start = Arc::new(Barrier::new(TILLS));

    let mut tills = JoinSet::new();
    for number in 0..TILLS {
        let client = if number.is_multiple_of(2) {
            shop.client.clone()
        } else {
            other.clone()
        };
        let start = Arc::clone(&start);
        tills.spawn(async move {
            start.wait().await;
            play(&client, number).await
        });
    }
    let taken: Vec<i64> = tills.join_all().await;

    // 100 holds at most at once, and 5,000 points in all: whoever came too late was told so.
    let taken: i64 = taken.iter().sum();
    let balance = shop.client.get_balance(ada()).await.expect("a balance").balance;
    assert_eq!(
        balance.available,
        dec("5000") - dec(&taken.to_string()),
        "{taken} taken"
    );
    assert_eq!(balance.held, dec("0"));
    assert!(taken > 1_000, "{taken} taken");
    assert_books_agree(&shop).await;
}

/// A till holds 60 points and captures them, or gives them up; or spends 60 at once. Answers the points it took.
async fn play(client: &Client, number: usize) -> i64 {
    if number.is_multiple_of(3) {
        let sale = Sale::new(format!("race-{number}"), "store-1", ada(), "EUR", 6)
            .do_not_earn()
            .redeem_points(60);
        return match client.record_sale(&sale).await {
            Ok(_) => 60,
            Err(Error::InsufficientPoints { .. }) => 0,
            Err(error) => panic!("{number}: {error}"),
        };
    }
    let placed = match client.place_hold(&hold(ada(), 60)).await {
        Ok(placed) => placed.hold,
        Err(Error::InsufficientPoints { .. } | Error::TooManyHolds { .. }) => return 0,
        Err(error) => panic!("{number}: {error}"),
    };
    if number % 3 == 1 {
        let released = client.release_hold(&placed.hold_id, None).await;
        released.unwrap_or_else(|error| panic!("{number}: {error}"));
        return 0;
    }
    // Two captures of one hold at once: one of them takes it.
    let capture = HoldCapture::of(&placed.hold_id, "store-1");
    let (one, two) = tokio::join!(client.capture_hold(&capture), client.capture_hold(&capture));
    let captured = [one, two].into_iter().filter(Result::is_ok).count();
    assert_eq!(captured, 1, "{number}");
    60
}
