//! L8: what of a member's points is what, now and at any instant that is over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{
    Adjustment, BalanceSummary, Cancellation, EarnRate, ExpiryPolicy, HoldCapture, InactivityPolicy, NewHold,
    NewProgram, NewReason, RedemptionPolicy, RedemptionRequest, SaleReturn,
};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth a euro, that can be spent after two days and lapses after ten.
async fn shop() -> Shop {
    shop_with(None).await
}

async fn shop_with(inactivity: Option<InactivityPolicy>) -> Shop {
    let mut program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(10))
        .redemption(RedemptionPolicy::new(1));
    program.pending_days = 2;
    program.inactivity = inactivity;
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    for reason in [
        NewReason::adding("Gift").reason_id("gift"),
        NewReason::removing("Mistake").reason_id("mistake"),
    ] {
        shop.client.create_reason(&reason).await.expect("a reason");
    }
    shop
}

impl ShopMember<'_> {
    async fn summary(&self, at: Option<DateTime<Utc>>, days: u32) -> BalanceSummary {
        let summary = self.shop.client.summarize_balance(&self.key, at, days).await;
        summary.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn is_given(&self, points: &str) {
        let gift = Adjustment::new(self.key.clone(), "gift", dec(points));
        self.shop.client.adjust_points(&gift).await.expect("an adjustment");
    }

    async fn loses(&self, points: &str) {
        let mistake = Adjustment::new(self.key.clone(), "mistake", dec(points));
        self.shop.client.adjust_points(&mistake).await.expect("an adjustment");
    }
}

fn hours_pass(shop: &Shop, hours: i64) {
    let later = shop.now() + TimeDelta::hours(hours);
    shop.it_is(&later.to_rfc3339());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happened_since_an_instant_that_is_over_is_told_as_it_was_seen_then() {
    past_is_told_as_it_was_seen(&shop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_it_is_where_points_lapse_of_members_who_do_nothing() {
    past_is_told_as_it_was_seen(&shop_with(Some(InactivityPolicy::days(1))).await).await;
}

/// What was seen at each instant is what is told of it afterwards, whatever happened since.
async fn past_is_told_as_it_was_seen(shop: &Shop) {
    let ada = shop.enrols("ada").await;
    let before = shop.now();
    hours_pass(shop, 1);
    let mut seen: Vec<BalanceSummary> = Vec::new();
    let mut sales = Vec::new();
    let mut held = None;

    for step in 0..60_u32 {
        match step % 12 {
            0 | 3 | 7 => {
                let sale = ada.sale(&format!("{}", 10 + step));
                ada.records(&sale).await;
                sales.push(sale);
            }
            1 => ada.is_given(&format!("{}", 3 + step)).await,
            2 => {
                let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(2);
                let hold = NewHold::of(request).time_limit(Duration::from_secs(7 * 24 * 60 * 60));
                held = shop.client.place_hold(&hold).await.ok().map(|placed| placed.hold);
            }
            4 => {
                let sale = &sales[sales.len() - 2];
                let back = SaleReturn::new(format!("return-{step}"), "store-1", sale.sale_id.as_str());
                ada.returns(&back.amount(dec("4"))).await;
            }
            5 if step > 24 => {
                if let Some(hold) = held.take() {
                    let capture = HoldCapture::of(&hold.hold_id, "store-1");
                    shop.client.capture_hold(&capture).await.expect("a redemption");
                }
            }
            6 => ada.loses("1").await,
            8 => {
                let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(1);
                // Whether there is anything to spend does not matter.
                let _ = shop.client.redeem(&request).await;
            }
            10 if step > 40 => {
                let sale = sales.pop().expect("a sale");
                let cancellation = Cancellation::new("store-1", sale.sale_id.as_str());
                shop.client.cancel_sale(&cancellation).await.expect("a cancellation");
            }
            11 if step > 50 => {
                // More than there is: a debt.
                ada.loses("500").await;
            }
            _ => {}
        }
        hours_pass(shop, 1);
        seen.push(ada.summary(None, 5).await);
        hours_pass(shop, i64::from(step % 5) * 9 + 1);
        // Nothing was written since, but points may have lapsed or come to be spendable.
        seen.push(ada.summary(None, 5).await);
        hours_pass(shop, 1);
    }

    let mut wrong = Vec::new();
    for was in &seen {
        let told = ada.summary(Some(was.at), 5).await;
        if facts(&told) != facts(was) {
            wrong.push((facts(was), facts(&told)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {:#?}", wrong.len(), seen.len(), wrong[0]);
    let nothing = ada.summary(Some(before - TimeDelta::days(1)), 5).await;
    assert_eq!((nothing.balance, nothing.lifetime_earned), (dec("0"), dec("0")));
    for interesting in [
        seen.iter().any(|seen| seen.held > Decimal::ZERO),
        seen.iter().any(|seen| seen.debt > Decimal::ZERO),
        seen.iter().any(|seen| seen.pending > Decimal::ZERO),
        seen.iter().any(|seen| seen.lifetime_expired > Decimal::ZERO),
        seen.iter().any(|seen| seen.expiring > Some(Decimal::ZERO)),
    ] {
        assert!(interesting, "the story has lost its point");
    }
    assert_books_agree(shop).await;
}

fn facts(summary: &BalanceSummary) -> Vec<(&'static str, String)> {
    let number = |number: Decimal| number.normalize().to_string();
    vec![
        ("at", summary.at.to_rfc3339()),
        ("balance", number(summary.balance)),
        ("available", number(summary.available)),
        ("pending", number(summary.pending)),
        ("held", number(summary.held)),
        ("debt", number(summary.debt)),
        ("unswept", number(summary.expired_unswept)),
        ("expiring", number(summary.expiring.expect("what expires"))),
        ("earned", number(summary.lifetime_earned)),
        ("redeemed", number(summary.lifetime_redeemed)),
        ("expired", number(summary.lifetime_expired)),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapse_counts_at_its_instant_whether_it_was_written_off_by_then_or_not() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("40").await;
    let last_day = instant("2026-01-25T23:59:59Z");
    let lapse = instant("2026-01-26T00:00:00Z");
    shop.it_is("2026-02-10T10:00:00Z");

    shop.client.run_expiry().await.expect("a run");
    let before = ada.summary(Some(last_day), 1).await;
    let at = ada.summary(Some(lapse), 1).await;
    let swept = ada.summary(Some(shop.now()), 1).await;

    let parts = |summary: &BalanceSummary| (summary.available, summary.expiring, summary.expired_unswept);
    assert_eq!(parts(&before), (dec("40"), Some(dec("40")), dec("0")));
    assert_eq!(parts(&at), (dec("0"), Some(dec("0")), dec("40")));
    assert_eq!(parts(&swept), (dec("0"), Some(dec("0")), dec("0")));
    let expired = [&before, &at, &swept].map(|summary| summary.lifetime_expired);
    assert_eq!(expired, [dec("0"), dec("40"), dec("40")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_that_is_not_over_and_too_many_days_are_refused_by_name() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let later = shop.now() + TimeDelta::seconds(1);

    let early = shop.client.summarize_balance(&ada.key, Some(later), 0).await;
    let far = shop.client.summarize_balance(&ada.key, None, 36_601).await;
    let unasked = ada.summary(None, 0).await;

    assert_eq!(wrong_fields(&early.expect_err("a refusal")), ["at"]);
    assert_eq!(wrong_fields(&far.expect_err("a refusal")), ["expiring_within_days"]);
    assert_eq!((unasked.expiring, unasked.at), (None, shop.now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_counts_from_when_it_was_placed_until_it_ended_though_it_makes_no_entry() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.is_given("50").await;
    hours_pass(&shop, 1);
    let before = shop.now();
    hours_pass(&shop, 1);
    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(20);
    let hold = NewHold::of(request).time_limit(Duration::from_secs(6 * 60 * 60));
    let hold = shop.client.place_hold(&hold).await.expect("a hold").hold;
    hours_pass(&shop, 1);
    let held = shop.now();
    hours_pass(&shop, 1);
    shop.client.release_hold(&hold.hold_id, None).await.expect("a release");
    hours_pass(&shop, 1);

    let mut parts = Vec::new();
    for at in [before, held, shop.now()] {
        let summary = ada.summary(Some(at), 0).await;
        parts.push((summary.available, summary.held));
    }

    assert_eq!(
        parts,
        [(dec("50"), dec("0")), (dec("30"), dec("20")), (dec("50"), dec("0"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_of_a_member_is_nothing_of_who_took_the_member_in_since() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    ada.is_given("50").await;
    old.is_given("40").await;
    let request = RedemptionRequest::new("store-1", old.key.clone()).redeem_points(20);
    let hold = NewHold::of(request).time_limit(Duration::from_secs(2 * 60 * 60));
    shop.client.place_hold(&hold).await.expect("a hold");
    hours_pass(&shop, 1);
    let then = shop.now();
    let seen = ada.summary(None, 5).await;
    hours_pass(&shop, 2);
    let merged = shop.client.merge_members(&ada.member, &old.member, "").await;
    merged.expect("a merger");
    hours_pass(&shop, 1);

    let told = ada.summary(Some(then), 5).await;

    assert_eq!(facts(&told), facts(&seen));
    assert_eq!(ada.points().await, dec("90"));
}
