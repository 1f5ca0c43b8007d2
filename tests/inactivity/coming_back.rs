//! What is late, comes back, waits or is held.

use loyalty_sdk::{Cancellation, HoldCapture, Receipt, Redemption};

use super::{has, points, shop, shop_of};
use crate::harness::books::assert_books_agree;
use crate::harness::{dec, instant};

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_to_a_member_who_did_nothing_for_too_long_comes_back_lapsed() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100.00").await;
    let paid = ada.sale("60.00").do_not_earn().redeem_points(60);
    ada.records(&paid).await;
    shop.days_pass(40);
    shop.client.run_expiry().await.expect("a run");

    let back = ada.returns_amount(&paid, "20.00").await;
    let lapsed = (back.points_given_back, back.given_back_lapsed, back.balance.available);
    ada.buys("1.00").await;
    let alive = ada.returns_amount(&paid, "20.00").await;

    assert_eq!(lapsed, (dec("20"), dec("20"), dec("0")));
    assert_eq!(
        (alive.given_back_lapsed, alive.balance.available),
        (dec("0"), dec("21"))
    );
    assert_eq!(has(&ada).await, points("21", Some("2026-03-27T00:00:00Z")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_the_sale_whose_points_lapsed_takes_nothing_from_others() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let first = ada.sale("100.00");
    ada.records(&first).await;
    let paid = ada.sale("30.00").do_not_earn().redeem_points(30);
    ada.records(&paid).await;
    shop.days_pass(40);
    ada.buys("8.00").await;
    ada.returns(&ada.return_of(&paid)).await;

    let back = ada.returns(&ada.return_of(&first)).await;

    assert_eq!(
        (back.points_taken_back, back.taken_back_lapsed),
        (dec("100"), dec("70"))
    );
    assert_eq!((back.points_owed, back.balance.available), (dec("0"), dec("8")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_that_arrives_later_keeps_what_has_not_lapsed_and_brings_nothing_back() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let offline = |at: &str| ada.sale("4.00").occurred_at(instant(at));
    shop.it_is("2026-02-10T10:00:00Z");

    let kept = ada.records(&offline("2026-02-01T10:00:00Z")).await;
    let older = ada.records(&offline("2026-01-20T10:00:00Z")).await;
    shop.it_is("2026-03-05T10:00:00Z");
    let run = shop.client.run_expiry().await.expect("a run");
    let too_late = ada.records(&offline("2026-03-01T10:00:00Z")).await;
    shop.it_is("2026-05-01T10:00:00Z");
    let gone = ada.records(&offline("2026-03-02T10:00:00Z")).await;

    let lapse = Some(instant("2026-03-04T00:00:00Z"));
    assert_eq!(
        (kept.balance.available, kept.balance.next_expiry_at),
        (dec("14"), lapse)
    );
    assert_eq!(
        (older.balance.available, older.balance.next_expiry_at),
        (dec("18"), lapse)
    );
    assert_eq!(run.points, dec("18"));
    assert_eq!(too_late.balance_before, dec("0"));
    assert_eq!(too_late.balance.available, dec("4"));
    assert_eq!(too_late.balance.next_expiry_at, Some(instant("2026-04-01T00:00:00Z")));
    assert_eq!(
        (gone.points_earned, gone.balance.available),
        (dec("4"), dec("0")),
        "they came and went"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_lapse_was_written_down_makes_no_difference_to_a_late_sale() {
    let shop = shop().await;
    let [ada, bob] = [shop.enrols("ada").await, shop.enrols("bob").await];
    ada.buys("10.00").await;
    bob.buys("10.00").await;
    shop.it_is("2026-02-20T10:00:00Z");
    ada.returns(&ada.return_of(&{
        let sale = ada.sale("1.00").do_not_earn();
        ada.records(&sale).await;
        sale
    }))
    .await;

    let late = instant("2026-02-14T10:00:00Z");
    let swept = ada.records(&ada.sale("4.00").occurred_at(late)).await;
    let unswept = bob.records(&bob.sale("4.00").occurred_at(late)).await;

    let told = |receipt: &Receipt| (receipt.balance_before, receipt.balance.clone());
    assert_eq!(told(&swept).0, dec("0"));
    assert_eq!(
        (swept.balance.available, swept.balance.next_expiry_at),
        (unswept.balance.available, unswept.balance.next_expiry_at)
    );
    assert_eq!(unswept.balance_before, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_lapses_with_its_hold_unless_the_member_does_something_before() {
    let shop = shop().await;
    let [ada, bob] = [shop.enrols("ada").await, shop.enrols("bob").await];
    ada.buys("10.00").await;
    bob.buys("10.00").await;
    shop.it_is("2026-02-12T10:00:00Z");
    ada.holds_for(4, 7).await;
    let hold = bob.holds_for(4, 7).await;

    shop.it_is("2026-02-16T10:00:00Z");
    let balance = ada.balance().await;
    assert_eq!((balance.available, balance.held), (dec("0"), dec("4")));
    let run = shop.client.run_expiry().await.expect("a run");
    assert_eq!(run.points, dec("12"), "what is free of both");
    let capture = HoldCapture::of(&hold, "store-1").redemption(Redemption::points(1));
    shop.client.capture_hold(&capture).await.expect("a redemption");
    assert_eq!(
        has(&bob).await,
        points("3", Some("2026-03-19T00:00:00Z")),
        "the rest is kept"
    );
    assert_books_agree(&shop).await;
    shop.it_is("2026-02-20T10:00:00Z");
    assert_eq!(ada.balance().await.held, dec("0"));
    let run = shop.client.run_expiry().await.expect("a run");

    assert_eq!(run.points, dec("4"));
    let lapse = &ada.history().await[0];
    assert_eq!(lapse.occurred_at, instant("2026-02-19T10:00:00Z"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_points_lapse_as_well() {
    let shop = shop_of(|mut program| {
        program.pending_days = 60;
        program
    })
    .await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.it_is("2026-02-14T23:59:59Z");
    let before = ada.balance().await;
    shop.it_is("2026-02-15T00:00:00Z");

    let behind = ada.balance().await;
    ada.buys("1.00").await;

    assert_eq!((before.available, before.pending), (dec("0"), dec("10")));
    assert_eq!(
        (behind.available, behind.pending, behind.next_pending_until),
        (dec("0"), dec("0"), None)
    );
    let balance = ada.balance().await;
    assert_eq!((balance.available, balance.pending), (dec("0"), dec("1")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_sale_was_something_done_all_the_same() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.it_is("2026-02-01T10:00:00Z");
    let sale = ada.sale("5.00");
    ada.records(&sale).await;

    let cancellation = Cancellation::new("store-1", sale.sale_id.as_str());
    shop.client.cancel_sale(&cancellation).await.expect("a cancellation");

    assert_eq!(has(&ada).await, points("10", Some("2026-03-04T00:00:00Z")));
}
