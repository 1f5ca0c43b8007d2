//! T6: a change of the expiry leaves lots as they are until a call moves them, which can be looked at before.

use std::time::Duration;

use loyalty_sdk::{
    Adjustment, BalanceSummary, DateTime, EarnRate, EntryKind, Error, ExpiryChange, ExpiryChangeCounts, ExpiryForecast,
    ExpiryPolicy, InactivityPolicy, MemberUpdate, NewHold, NewProgram, NewReason, NewRule, RedemptionPolicy,
    RedemptionRequest, ReportGrouping, ReportPeriod, RequestId, Utc,
};
use rust_decimal::Decimal;

use crate::harness::books::{Stall, assert_books_agree, count, texts};
use crate::harness::feed::rush;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth a euro, that lapses after 30 days. It is 15 January.
async fn shop_of(change: impl FnOnce(NewProgram) -> NewProgram) -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(30))
        .redemption(RedemptionPolicy::new(1));
    let shop = Shop::with_rule(change(program), EarnRate::new(1, 1)).await;
    let gift = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&gift).await.expect("a reason");
    shop
}

async fn shop() -> Shop {
    shop_of(|program| program).await
}

impl Shop {
    async fn previews(&self, change: &ExpiryChange, days: u32) -> ExpiryForecast {
        let forecast = self.client.preview_expiry_policy(change, days, |_| {}).await;
        forecast.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Looks at a change and makes it; both tell the same.
    async fn makes(&self, change: &ExpiryChange) -> ExpiryChangeCounts {
        let forecast = self.previews(change, 0).await;
        let counts = self.client.apply_expiry_policy(change, &forecast.etag, |_| {}).await;
        let counts = counts.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(counts, forecast.counts, "what was told before is what was done");
        counts
    }
}

/// Members, lots, points, lapsed points, kept lots and points.
fn numbers(counts: &ExpiryChangeCounts) -> (u64, u64, String, String, u64, String) {
    let number = |number: Decimal| number.normalize().to_string();
    let ExpiryChangeCounts {
        members,
        lots,
        kept_lots,
        ..
    } = *counts;
    (
        members,
        lots,
        number(counts.points),
        number(counts.lapsed_points),
        kept_lots,
        number(counts.kept_points),
    )
}

fn counts(
    members: u64,
    lots: u64,
    points: &str,
    lapsed: &str,
    kept: (u64, &str),
) -> (u64, u64, String, String, u64, String) {
    (
        members,
        lots,
        points.to_owned(),
        lapsed.to_owned(),
        kept.0,
        kept.1.to_owned(),
    )
}

async fn next_lapse(member: &ShopMember<'_>) -> Option<DateTime<Utc>> {
    member.balance().await.next_expiry_at
}

async fn summary(member: &ShopMember<'_>, at: Option<DateTime<Utc>>) -> BalanceSummary {
    let summary = member.shop.client.summarize_balance(&member.key, at, 30).await;
    summary.unwrap_or_else(|error| panic!("{error}"))
}

async fn aged(shop: &Shop, at: DateTime<Utc>) -> Vec<String> {
    let owed = shop
        .client
        .get_liability(PROGRAM, Some(at), |_| {})
        .await
        .expect("a liability");
    let ageing = owed.ageing.iter().map(|(_, points)| points.normalize().to_string());
    ageing.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lots_go_to_the_new_expiry_only_when_it_is_applied_and_the_past_stays_what_it_was() {
    let shop = shop().await;
    let [ada, bob] = [shop.enrols("ada").await, shop.enrols("bob").await];
    ada.buys("10.00").await;
    shop.days_pass(10);
    ada.buys("5.00").await;
    ada.records(&ada.sale("3.00").do_not_earn().redeem_points(3)).await;
    bob.buys("4.00").await;
    let gift = Adjustment::new(bob.key.clone(), "gift", dec("7"));
    shop.client.adjust_points(&gift).await.expect("a gift");
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::months(12)))).await;
    shop.days_pass(1);
    let before = (summary(&ada, None).await, aged(&shop, shop.now()).await);
    assert_eq!(
        next_lapse(&ada).await,
        Some(instant("2026-02-15T00:00:00Z")),
        "nothing is rewritten silently"
    );
    shop.days_pass(1);

    let change = ExpiryChange::of(PROGRAM);
    let forecast = shop.previews(&change, 40).await;
    assert_eq!(ada.history().await.len(), 4, "a look writes nothing");
    let applied = shop.makes(&change).await;

    // Ada's two lots and that of bob's sale; the gift keeps its own instant.
    assert_eq!(numbers(&applied), counts(2, 3, "16", "0", (1, "7")));
    assert_eq!((forecast.members, forecast.lapsing_points), (2, dec("7")));
    assert_eq!(forecast.lapsing_points_as_it_is, dec("23"));
    assert_eq!(next_lapse(&ada).await, Some(instant("2027-01-15T00:00:00Z")));
    assert_eq!(next_lapse(&bob).await, Some(instant("2026-02-25T00:00:00Z")));
    let history = ada.history().await;
    let [second, first] = [&history[0], &history[1]];
    for (entry, old, points, lapse) in [(first, 1, "7", "2027-01-15"), (second, 2, "5", "2027-01-25")] {
        assert_eq!(
            (entry.kind, entry.points, entry.balance_after),
            (EntryKind::ExpiryChange, dec("0"), dec("12"))
        );
        assert_eq!(
            entry.reference.as_deref(),
            Some(old.to_string().as_str()),
            "the entry they came by"
        );
        let lots: Vec<_> = entry
            .lots
            .iter()
            .map(|lot| (lot.lot_sequence, lot.points, lot.expires_at))
            .collect();
        assert_eq!((lots[0].0, lots[0].1), (entry.sequence, dec(points)));
        assert_eq!(lots[0].2, Some(instant(&format!("{lapse}T00:00:00Z"))));
        assert_eq!((lots[1].0, lots[1].1), (old, -dec(points)));
    }
    let then = before.0.at;
    let told = summary(&ada, Some(then)).await;
    assert_eq!((told.balance, told.expiring), (before.0.balance, before.0.expiring));
    assert_eq!(told.expiring, Some(dec("12")));
    assert_eq!(aged(&shop, then).await, before.1);
    assert_eq!(before.1, ["23", "0", "0", "0", "0"]);
    shop.days_pass(1);
    assert_eq!(aged(&shop, shop.now()).await, ["7", "0", "0", "16", "0"]);
    assert_books_agree(&shop).await;
    shop.it_is("2027-01-15T00:00:00Z");
    assert_eq!(ada.points().await, dec("5"));
    shop.client.run_expiry().await.expect("a run");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_have_had_their_new_time_lapse_at_once_unless_time_is_only_added() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.days_pass(15);
    ada.buys("5.00").await;
    shop.days_pass(5);
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(10)))).await;

    let kept = shop.makes(&ExpiryChange::of(PROGRAM).extend_only()).await;
    let nothing = (ada.points().await, ada.history().await.len());
    let forecast = shop.previews(&ExpiryChange::of(PROGRAM), 5).await;
    let applied = shop.makes(&ExpiryChange::of(PROGRAM)).await;

    assert_eq!(numbers(&kept), counts(0, 0, "0", "0", (0, "0")));
    assert_eq!(nothing, (dec("15"), 2));
    assert_eq!(numbers(&applied), counts(1, 2, "15", "10", (0, "0")));
    assert_eq!(
        (forecast.lapsing_points, forecast.lapsing_points_as_it_is),
        (dec("0"), dec("0"))
    );
    assert_eq!(ada.points().await, dec("5"));
    assert_eq!(next_lapse(&ada).await, Some(instant("2026-02-10T00:00:00Z")));
    let lapse = &ada.history().await[0];
    assert_eq!((lapse.kind, lapse.points), (EntryKind::Expire, dec("-10")));
    assert_eq!(lapse.occurred_at, shop.now(), "they had not lapsed before");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_once_however_often_it_is_asked_for() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.changes(|club| club.expiry(None)).await;
    let etag = shop.program().await.etag;
    let change = ExpiryChange::of(PROGRAM).request_id(RequestId::from("change-1"));

    let first = shop
        .client
        .apply_expiry_policy(&change, &etag, |_| {})
        .await
        .expect("a change");
    let lots = ada.history().await.len();
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(90)))).await;
    ada.buys("1.00").await;
    let again = shop
        .client
        .apply_expiry_policy(&change, &etag, |_| {})
        .await
        .expect("a change");
    let other = change.clone().extend_only();
    let reused = shop.client.apply_expiry_policy(&other, &etag, |_| {}).await;
    let stale = shop
        .client
        .apply_expiry_policy(&ExpiryChange::of(PROGRAM), &etag, |_| {})
        .await;

    assert_eq!(numbers(&first), counts(1, 1, "10", "0", (0, "0")));
    assert_eq!(again, first);
    assert_eq!(ada.history().await.len(), lots + 1, "the sale, and nothing else");
    assert!(matches!(reused, Err(Error::RequestIdReused { .. })), "{reused:?}");
    assert!(matches!(stale, Err(Error::EtagMismatch { .. })), "{stale:?}");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_breaks_off_is_taken_up_where_it_stood_through_any_server() {
    let mut shop = shop().await;
    let etag = {
        let mut buyers = Vec::new();
        for number in 0..600 {
            buyers.push(shop.enrols(&format!("customer-{number}")).await);
        }
        rush(&buyers, 600).await;
        shop.changes(|club| club.expiry(Some(ExpiryPolicy::months(12))))
            .await
            .etag
    };
    let change = ExpiryChange::of(PROGRAM).request_id(RequestId::from("change-1"));
    let moved = "SELECT COUNT(*) AS n FROM entry WHERE kind = 12";
    let mut database = shop.database().await;
    let first = "SELECT LOWER(HEX(MIN(member_id))) AS value FROM account";
    let first = texts(&mut database, first).await.remove(0);
    // The first batch waits for somebody else, longer than it takes to notice that the caller is gone.
    let stall = Stall::of(&shop, &first).await;
    let (client, asked, seen) = (shop.client.clone(), change.clone(), etag.clone());
    let broken = tokio::spawn(async move { client.apply_expiry_policy(&asked, &seen, |_| {}).await });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    broken.abort();
    stall.release().await;
    while count(&mut database, moved).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    let closing = shop.begins_to_close();
    closing.await.expect("it closes");
    let so_far = count(&mut database, moved).await;
    shop.opens_again().await;
    let second = shop.second_server().await;
    let [one, two] = [&shop.client, &second].map(|client| client.apply_expiry_policy(&change, &etag, |_| {}));
    let (one, two) = tokio::join!(one, two);

    assert!(so_far < 600, "it was not broken off");
    let (one, two) = (one.expect("a change"), two.expect("a change"));
    assert_eq!(one, two);
    assert_eq!(count(&mut database, moved).await, 600, "each once");
    let old = "SELECT COUNT(*) AS n FROM lot WHERE remaining > 0 AND expires_at < '2027-01-01'";
    assert_eq!(count(&mut database, old).await, 0);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_or_is_taken_back_finds_the_lots_where_they_went() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let first = ada.sale("100.00");
    ada.records(&first).await;
    let paid = ada.sale("60.00").do_not_earn().redeem_points(60);
    ada.records(&paid).await;
    for expiry in [ExpiryPolicy::months(12), ExpiryPolicy::months(24)] {
        shop.changes(|club| club.expiry(Some(expiry))).await;
        shop.makes(&ExpiryChange::of(PROGRAM)).await;
    }
    shop.days_pass(40);
    ada.buys("8.00").await;

    let given = ada.returns_amount(&paid, "20.00").await;
    let lapse = next_lapse(&ada).await;
    let taken = ada.returns_amount(&first, "50.00").await;

    assert_eq!(
        (given.points_given_back, given.given_back_lapsed),
        (dec("20"), dec("0"))
    );
    assert_eq!(lapse, Some(instant("2028-01-15T00:00:00Z")));
    assert_eq!((taken.points_taken_back, taken.points_owed), (dec("50"), dec("0")));
    // 40 of the moved lot, and 10 of what came back; the 8 of the later sale were not touched.
    let lots = &ada.history().await[0].lots;
    let points: Vec<Decimal> = lots.iter().map(|lot| lot.points).collect();
    assert_eq!(points, [dec("-40"), dec("-10")]);
    assert_eq!(lots[0].expires_at, lapse);
    assert_eq!(ada.points().await, dec("18"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lapsed_where_it_went_is_not_taken_out_of_other_points_with_its_sale() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let first = ada.sale("30.00");
    ada.records(&first).await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(60)))).await;
    shop.makes(&ExpiryChange::of(PROGRAM)).await;
    shop.days_pass(50);
    ada.buys("8.00").await;
    shop.days_pass(20);

    let back = ada.returns(&ada.return_of(&first)).await;

    assert_eq!((back.points_taken_back, back.taken_back_lapsed), (dec("30"), dec("30")));
    assert_eq!((back.points_owed, back.balance.available), (dec("0"), dec("8")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_on_waiting_and_what_is_held_stays_where_it_is() {
    let shop = shop_of(|mut program| {
        program.pending_days = 20;
        program
    })
    .await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.days_pass(25);
    ada.buys("5.00").await;
    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(2);
    let hold = NewHold::of(request).time_limit(Duration::from_hours(24));
    shop.client.place_hold(&hold).await.expect("a hold");
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::months(12)))).await;

    let applied = shop.makes(&ExpiryChange::of(PROGRAM)).await;

    assert_eq!(numbers(&applied), counts(1, 1, "5", "0", (1, "10")));
    let balance = ada.balance().await;
    assert_eq!(
        (balance.available, balance.pending, balance.held),
        (dec("8"), dec("5"), dec("2"))
    );
    assert_eq!(balance.next_pending_until, Some(instant("2026-03-02T00:00:00Z")));
    assert_books_agree(&shop).await;
    shop.days_pass(2);
    let rest = shop.makes(&ExpiryChange::of(PROGRAM)).await;
    assert_eq!(numbers(&rest), counts(1, 1, "10", "0", (0, "0")));
    shop.it_is("2026-03-02T00:00:00Z");
    let balance = ada.balance().await;
    assert_eq!((balance.available, balance.pending), (dec("15"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_that_a_member_is_assigned_says_when_points_lapse() {
    let shop = shop().await;
    let [ada, bob] = [shop.enrols("ada").await, shop.enrols("bob").await];
    ada.buys("10.00").await;
    bob.buys("10.00").await;
    let mut rule = NewRule::new(PROGRAM, "VIP", EarnRate::new(1, 2)).assigned();
    rule.terms.expiry = Some(ExpiryPolicy::months(24));
    let rule = shop.creates(&rule).await;
    let update = MemberUpdate::of(&ada.member).assigned_rule(Some(rule.rule_id));
    shop.client.update_member(&update).await.expect("a member");

    let applied = shop.makes(&ExpiryChange::of(PROGRAM)).await;

    assert_eq!(numbers(&applied), counts(1, 1, "10", "0", (0, "0")));
    assert_eq!(next_lapse(&ada).await, Some(instant("2028-01-15T00:00:00Z")));
    assert_eq!(next_lapse(&bob).await, Some(instant("2026-02-15T00:00:00Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_fall_under_a_new_inactivity_from_what_they_did_last() {
    let shop = shop_of(|mut program| {
        program.expiry = None;
        program
    })
    .await;
    let [gone, ada] = [shop.enrols("gone").await, shop.enrols("ada").await];
    gone.buys("10.00").await;
    shop.days_pass(40);
    ada.buys("5.00").await;
    shop.changes(|club| club.inactivity(Some(InactivityPolicy::days(30))))
        .await;
    shop.days_pass(1);
    let then = shop.now();
    shop.days_pass(1);

    let extended = shop.makes(&ExpiryChange::of(PROGRAM).extend_only()).await;
    let applied = shop.makes(&ExpiryChange::of(PROGRAM)).await;

    assert_eq!(numbers(&extended), counts(0, 0, "0", "0", (0, "0")));
    assert_eq!(numbers(&applied), counts(2, 0, "0", "10", (0, "0")));
    assert_eq!(gone.points().await, dec("0"));
    assert_eq!(next_lapse(&ada).await, Some(instant("2026-03-27T00:00:00Z")));
    assert_eq!(
        summary(&gone, Some(then)).await.balance,
        dec("10"),
        "then they had not lapsed"
    );
    assert_eq!(aged(&shop, then).await, ["0", "0", "0", "0", "15"]);
    assert_books_agree(&shop).await;
    shop.it_is("2026-03-27T00:00:00Z");
    assert_eq!(ada.points().await, dec("0"));
    let run = shop.client.run_expiry().await.expect("a run");
    assert_eq!(run.points, dec("5"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn breakage_and_roll_forward_know_points_that_went_to_another_expiry() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    ada.records(&ada.sale("4.00").do_not_earn().redeem_points(4)).await;
    let first = ReportPeriod::of_program(PROGRAM).until(instant("2026-01-16T00:00:00Z"));
    let rolled = async |period: &ReportPeriod| {
        let rolled = shop
            .client
            .get_roll_forward(period, ReportGrouping::Unspecified, |_| {})
            .await;
        rolled.expect("a report")
    };
    shop.days_pass(1);
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(60)))).await;
    shop.makes(&ExpiryChange::of(PROGRAM)).await;
    shop.days_pass(1);

    let open = rolled(&first).await.breakage;
    let all = rolled(&ReportPeriod::of_program(PROGRAM)).await;
    shop.days_pass(90);
    let lapsed = rolled(&first).await.breakage;

    assert_eq!((open.issued, open.lapsed, open.open), (dec("10"), dec("0"), dec("6")));
    assert_eq!(
        (all.opening, all.movement.sum(), all.closing),
        (dec("0"), dec("6"), dec("6"))
    );
    assert_eq!(
        (lapsed.issued, lapsed.lapsed, lapsed.open),
        (dec("10"), dec("6"), dec("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_by_name() {
    let shop = shop().await;
    let change = ExpiryChange::of(PROGRAM);

    let far = shop.client.preview_expiry_policy(&change, 36_601, |_| {}).await;
    let unknown = ExpiryChange::of("none");
    let preview = shop.client.preview_expiry_policy(&unknown, 0, |_| {}).await;
    let applied = shop.client.apply_expiry_policy(&unknown, "1", |_| {}).await;

    assert_eq!(wrong_fields(&far.expect_err("a refusal")), ["within_days"]);
    assert!(matches!(preview, Err(Error::ProgramNotFound { .. })), "{preview:?}");
    assert!(matches!(applied, Err(Error::ProgramNotFound { .. })), "{applied:?}");
}
