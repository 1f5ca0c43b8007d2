//! T5, L3: what was sold to a member who is merged by now comes back: out of the lots that its points went to.

use chrono::TimeDelta;
use loyalty_sdk::{
    Cancellation, EarnRate, Error, ExpiryPolicy, HoldCapture, NewHold, NewProgram, NewRule, RateSource, Receipt,
    RedemptionPolicy, RedemptionRequest, RedemptionReversal, SaleLine,
};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant};

/// A point per euro, worth a euro, that lapses after 90 days. It is 15 January.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .expiry(ExpiryPolicy::days(90));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

async fn two(shop: &Shop) -> (ShopMember<'_>, ShopMember<'_>) {
    (shop.enrols("ada").await, shop.enrols("old").await)
}

async fn spends(member: &ShopMember<'_>, points: i64) {
    let sale = member.sale("200").do_not_earn().redeem_points(points);
    member.records(&sale).await;
}

/// Available, pending and owed.
async fn stands(member: &ShopMember<'_>) -> (Decimal, Decimal, Decimal) {
    let balance = member.balance().await;
    let summary = member.shop.client.summarize_balance(&member.key, None, 30).await;
    let debt = summary.unwrap_or_else(|error| panic!("{error}")).debt;
    (balance.available, balance.pending, debt)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_waits_is_taken_back_and_nothing_is_owed_for_it() {
    let shop = shop().await;
    shop.changes(|club| club.pending_days(14)).await;
    let (ada, old) = two(&shop).await;
    let sale = old.sale("100");
    old.records(&sale).await;
    ada.takes_in(&old).await;

    let quote = shop.client.quote_return(&ada.return_of(&sale).amount(60)).await;
    let part = ada.returns_amount(&sale, "60").await;
    let after_part = stands(&ada).await;
    ada.cancels(&sale).await;
    let after_all = stands(&ada).await;

    assert_eq!(quote.expect("a quote").points_owed, dec("0"));
    assert_eq!((part.points_taken_back, part.points_owed), (dec("60"), dec("0")));
    assert_eq!(after_part, (dec("0"), dec("40"), dec("0")));
    assert_eq!(after_all, (dec("0"), dec("0"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_points_of_the_sale_are_taken_and_not_those_that_lapse_first() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    ada.buys("50").await;
    shop.days_pass(10);
    let first = old.sale("30");
    old.records(&first).await;
    old.buys("20").await;
    ada.takes_in(&old).await;

    let receipt = ada.cancels(&first).await;
    let left = ada.points().await;
    // Through the 90th day after 15 January.
    shop.it_is("2026-04-16T00:00:00Z");
    let later = ada.points().await;

    assert_eq!(receipt.points_taken_back, dec("30"));
    assert_eq!((left, later), (dec("70"), dec("20")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spent_before_the_merger_is_taken_out_of_others_and_the_rest_is_owed() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    let sale = old.sale("100");
    old.records(&sale).await;
    spends(&old, 75).await;
    ada.buys("30").await;
    ada.takes_in(&old).await;

    let receipt = ada.cancels(&sale).await;

    assert_eq!(
        (receipt.points_taken_back, receipt.points_owed),
        (dec("100"), dec("45"))
    );
    assert_eq!(stands(&ada).await, (dec("-45"), dec("0"), dec("45")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_lapsed_before_the_merger_is_taken_back_once_and_out_of_nothing_else() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    let sale = old.sale("100");
    old.records(&sale).await;
    spends(&old, 60).await;
    shop.days_pass(91);
    ada.buys("90").await;
    ada.takes_in(&old).await;

    let quote = shop.client.quote_return(&ada.return_of(&sale).amount(30)).await;
    let mut returns = Vec::new();
    for _ in 0..3 {
        let receipt = ada.returns_amount(&sale, "30").await;
        returns.push((
            receipt.points_taken_back,
            receipt.taken_back_lapsed,
            receipt.points_owed,
        ));
    }
    let rest = ada.cancels(&sale).await;

    let quote = quote.expect("a quote");
    assert_eq!(
        (quote.points_taken_back, quote.taken_back_lapsed),
        (dec("30"), dec("30"))
    );
    let expected = [("30", "30", "0"), ("30", "10", "0"), ("30", "0", "0")];
    assert_eq!(
        returns,
        expected.map(|(taken, lapsed, owed)| (dec(taken), dec(lapsed), dec(owed)))
    );
    assert_eq!((rest.points_taken_back, rest.taken_back_lapsed), (dec("10"), dec("0")));
    // 90, less the 60 that had been spent.
    assert_eq!(stands(&ada).await, (dec("30"), dec("0"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_are_followed_through_other_expiries_and_several_mergers() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    let older = shop.enrols("older").await;
    let sale = older.sale("40");
    older.records(&sale).await;
    let redeemed = RedemptionRequest::new("store-1", older.key.clone()).redeem_points(10);
    let redeemed = shop.client.redeem(&redeemed).await.expect("a redemption");
    shop.moves_lots_to(ExpiryPolicy::days(365)).await;
    old.buys("5").await;
    ada.buys("7").await;
    old.takes_in(&older).await;
    ada.takes_in(&old).await;

    let part = ada.returns_amount(&sale, "20").await;
    let after_part = stands(&ada).await;
    let reversal = RedemptionReversal::of(&redeemed.redemption.redemption_id, "store-1");
    shop.client.reverse_redemption(&reversal).await.expect("a reversal");
    // Through the 365th day after 15 January.
    shop.it_is("2027-01-15T23:59:59Z");
    let last_day = ada.points().await;
    shop.it_is("2027-01-16T00:00:00Z");
    let day_after = ada.points().await;

    assert_eq!((part.points_taken_back, part.points_owed), (dec("20"), dec("0")));
    // 30 of the older one, 5 and 7, less 20.
    assert_eq!(after_part, (dec("22"), dec("0"), dec("0")));
    assert_eq!(
        (last_day, day_after),
        (dec("32"), dec("0")),
        "the points that came back lapse with the rest of their lot"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_several_lots_come_back_after_a_merger_as_one_lot_for_each_expiry() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    old.buys("50").await;
    old.buys("30").await;
    shop.days_pass(1);
    old.buys("20").await;
    let redeemed = RedemptionRequest::new("store-1", old.key.clone()).redeem_points(90);
    let redeemed = shop.client.redeem(&redeemed).await.expect("a redemption");
    ada.takes_in(&old).await;
    let before = ada.movements().await.len();

    let reversal = RedemptionReversal::of(&redeemed.redemption.redemption_id, "store-1");
    shop.client.reverse_redemption(&reversal).await.expect("a reversal");
    let back = ada.movements().await.split_off(before);
    // Through the 90th day after 15 January.
    shop.it_is("2026-04-16T00:00:00Z");
    let day_after = ada.points().await;

    assert_eq!(back, [dec("80"), dec("10")], "the first of what lapses first");
    assert_eq!(day_after, dec("20"), "what lapses a day later");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancellations_that_race_with_a_merger_find_the_lots_before_and_after_it() {
    let shop = shop().await;
    shop.changes(|club| club.pending_days(14)).await;
    let (ada, old) = two(&shop).await;
    let mut sales = Vec::new();
    for _ in 0..24 {
        let sale = old.sale("10");
        old.records(&sale).await;
        sales.push(sale);
    }

    let mut cancelling = JoinSet::new();
    for (place, sale) in sales.iter().enumerate() {
        let (client, cancellation) = (shop.client.clone(), Cancellation::new("store-1", sale.sale_id.as_str()));
        let (into, from) = (ada.member.member_id.clone(), old.member.member_id.clone());
        cancelling.spawn(async move {
            if place == 12 {
                client.merge_members(into, from, "").await.map(drop)?;
            }
            client.cancel_sale(&cancellation).await
        });
    }
    let cancelled = cancelling.join_all().await;

    for answer in cancelled {
        let receipt = answer.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((receipt.points_taken_back, receipt.points_owed), (dec("10"), dec("0")));
    }
    assert_eq!(stands(&ada).await, (dec("0"), dec("0"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_return_gave_after_a_merger_is_followed_through_the_next() {
    let shop = shop().await;
    shop.changes(|club| club.max_discount_percent(Some(dec("20"))).pending_days(30))
        .await;
    let (ada, old) = two(&shop).await;
    let eve = shop.enrols("eve").await;
    let sale = old.sale("150");
    let sale = sale
        .line(SaleLine::new(dec("50")).discount_amount(dec("50")))
        .line(SaleLine::new(dec("100")));
    let recorded = old.records(&sale).await;
    ada.takes_in(&old).await;

    let more = ada.returns(&ada.return_of(&sale).whole_line(0)).await;
    let after_more = stands(&ada).await;
    eve.takes_in(&ada).await;
    let all = eve.cancels(&sale).await;

    assert_eq!(
        (recorded.points_earned, more.points_taken_back),
        (dec("0"), dec("-100"))
    );
    assert_eq!(
        after_more,
        (dec("0"), dec("100"), dec("0")),
        "they wait as the sale's would have"
    );
    assert_eq!((all.points_taken_back, all.points_owed), (dec("100"), dec("0")));
    assert_eq!(stands(&eve).await, (dec("0"), dec("0"), dec("0")));
    assert_books_agree(&shop).await;
}

/// What the limited rule gave.
fn doubled(receipt: &Receipt) -> Decimal {
    let source = RateSource::Rule("double".into());
    let rate = receipt.rates.iter().find(|rate| rate.source == source);
    rate.map(|rate| rate.points).expect("it is explained")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_limited_rules_gave_to_either_counts_for_the_one_who_stays() {
    let shop = shop().await;
    let double = NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double");
    shop.creates(&double.max_points_per_day(10).max_points_per_member(25))
        .await;
    let (ada, old) = two(&shop).await;
    let sale = old.sale("6");
    old.records(&sale).await;
    ada.buys("3").await;
    ada.takes_in(&old).await;

    let same_day = ada.buys("100").await;
    shop.days_pass(1);
    let next_day = ada.buys("100").await;
    shop.days_pass(1);
    let last = ada.buys("100").await;
    let returned = ada.cancels(&sale).await;
    let once_more = ada.buys("100").await;

    // 9 of 10 were given that day, and at most 25 ever are.
    assert_eq!(
        [doubled(&same_day), doubled(&next_day), doubled(&last)],
        ["1", "10", "5"].map(dec)
    );
    assert_eq!(returned.points_taken_back, dec("12"));
    assert_eq!(
        doubled(&once_more),
        dec("5"),
        "of the 6 that came back, as many as the day has left"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_capture_after_a_merger_takes_what_the_other_has() {
    let shop = shop().await;
    let (ada, old) = two(&shop).await;
    old.buys("50").await;
    let hold = NewHold::of(RedemptionRequest::new("store-1", old.key.clone()).redeem_points(40));
    let lapsed = shop.client.place_hold(&hold).await.expect("a hold").hold;
    let in_its_life = shop.now() + TimeDelta::minutes(5);
    shop.it_is("2026-01-15T11:00:00Z");
    let live = shop.client.place_hold(&hold).await.expect("a hold").hold;
    ada.takes_in(&old).await;
    spends(&ada, 20).await;

    let untimed = shop
        .client
        .capture_hold(&HoldCapture::of(&lapsed.hold_id, "store-1"))
        .await;
    let timed = HoldCapture::of(&lapsed.hold_id, "store-1").occurred_at(in_its_life);
    let captured = shop.client.capture_hold(&timed).await.expect("a capture");
    let repeated = shop.client.capture_hold(&timed).await;
    let ended = HoldCapture::of(&live.hold_id, "store-1").occurred_at(shop.now());
    let ended = shop.client.capture_hold(&ended).await;

    assert!(matches!(untimed, Err(Error::HoldLapsed { .. })), "{untimed:?}");
    assert_eq!(captured.redemption.member_id, ada.member.member_id);
    assert_eq!(captured.redemption.points, dec("40"));
    assert_eq!(
        stands(&ada).await,
        (dec("-10"), dec("0"), dec("10")),
        "50, less 20 and 40"
    );
    assert!(matches!(repeated, Err(Error::HoldCaptured { .. })), "{repeated:?}");
    assert!(
        matches!(ended, Err(Error::HoldReleased { .. })),
        "the merger ended it as a call would have: {ended:?}"
    );
    assert_eq!(ada.history().await[0].occurred_at, instant("2026-01-15T10:05:00Z"));
    assert_books_agree(&shop).await;
}
