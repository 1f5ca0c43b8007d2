//! O3: points of a sale that was made offline are those of its own time: version, tier and expiry.

use std::time::Duration;

use loyalty_sdk::{
    ConfigurationChange, ConfigurationFilter, ConfigurationResource, EarnRate, Error, ExpiryPolicy, NewProgram,
    NewRule, OfflinePolicy, OperationResult, PageRequest, ProductUpdate, ProgramState, RequestId, RuleUpdate, SaleLine,
    Tier, TierSpendWindow,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A shop that gave a point per euro until 16 January, ten o'clock, and two from then on; it is 20 January.
async fn changed() -> Shop {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR").expiry(ExpiryPolicy::days(10))).await;
    let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1));
    let rule = shop.creates(&rule).await;
    shop.days_pass(1);
    let update = RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, 2));
    shop.client.update_rule(&update).await.expect("an update");
    shop.it_is("2026-01-20T10:00:00Z");
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_made_offline_is_rated_by_the_version_that_ruled_when_it_was_made() {
    let shop = changed().await;
    let ada = shop.enrols("ada").await;
    let cases = [
        ("2026-01-16T09:59:59Z", "10", 2),
        ("2026-01-16T10:00:00Z", "20", 3),
        ("2026-01-20T10:00:00Z", "20", 3),
        // Nothing ruled before the program was made.
        ("2026-01-14T10:00:00Z", "20", 3),
        // The clock of the till is ahead.
        ("2026-01-20T10:30:00Z", "20", 3),
    ];
    for (occurred_at, points, version) in cases {
        let sale = ada.sale("10").offline_at(instant(occurred_at));

        let quoted = shop.client.quote_sale(&sale).await.expect("a quote");
        let receipt = ada.records(&sale).await;

        assert_eq!(
            (receipt.points_earned, receipt.program_version),
            (dec(points), version),
            "{occurred_at}"
        );
        assert_eq!(quoted.points_earned, receipt.points_earned, "{occurred_at}");
    }
    let online = ada
        .records(&ada.sale("10").occurred_at(instant("2026-01-16T09:00:00Z")))
        .await;
    assert_eq!(
        online.points_earned,
        dec("20"),
        "a sale made online is of the version of its recording"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_points_lapse_as_if_they_had_been_given_then() {
    let shop = changed().await;
    let ada = shop.enrols("ada").await;

    let receipt = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-15T12:00:00Z")))
        .await;
    let on_the_last_day = ada.points().await;
    shop.it_is("2026-01-26T00:00:00Z");
    let after = ada.points().await;

    assert_eq!(receipt.points_expire_at, Some(instant("2026-01-26T00:00:00Z")));
    assert_eq!((on_the_last_day, after), (dec("10"), dec("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_bound_of_the_merchant_it_is_of_the_version_of_its_arrival() {
    let shop = changed().await;
    let ada = shop.enrols("ada").await;
    let four_days = OfflinePolicy::default().business_time(4 * DAY);
    let four_days = shop.client.set_offline_policy(&four_days).await.expect("a policy");

    let inside = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-16T10:00:00Z")))
        .await;
    let outside = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-16T09:59:59Z")))
        .await;

    assert_eq!((inside.program_version, outside.program_version), (3, 3));
    let five_days = four_days.business_time(5 * DAY);
    shop.client.set_offline_policy(&five_days).await.expect("a policy");
    let now_inside = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-16T09:59:59Z")))
        .await;
    assert_eq!((now_inside.program_version, now_inside.points_earned), (2, dec("10")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_products_earned_and_whether_the_program_was_open_is_of_then_too() {
    let shop = Shop::earning("1", "1").await;
    shop.sets_points(&[("cake", "7")]).await;
    shop.days_pass(1);
    let product = [ProductUpdate::new("cake").points(9)];
    shop.client.upsert_products(PROGRAM, &product).await.expect("a load");
    shop.changes(|club| club.state(ProgramState::Paused)).await;
    let ada = shop.enrols("ada").await;
    let cake = |at: &str| {
        let sale = ada.sale("10").line(SaleLine::new(10).product("cake"));
        sale.offline_at(instant(at))
    };

    let then = ada.records(&cake("2026-01-15T10:30:00Z")).await;
    let now = ada.records(&cake("2026-01-16T10:00:00Z")).await;

    assert_eq!((then.points_earned, now.points_earned), (dec("7"), dec("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_tier_is_the_one_that_the_member_had_then_and_what_was_reached_since_stays() {
    let tiers = || {
        let tier = |id: &str, minimum: i64, points: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, points));
        NewProgram::new("Club", "EUR")
            .tier(tier("bronze", 0, 1))
            .tier(tier("silver", 100, 2))
    };
    for window in [
        None,
        Some(TierSpendWindow::rolling_days(30)),
        Some(TierSpendWindow::rolling_days(30).downgrade_after(5)),
    ] {
        let program = NewProgram {
            tier_spend_window: window.clone(),
            ..tiers()
        };
        let shop = Shop::with_program(program).await;
        let ada = shop.enrols("ada").await;
        let at_noon = instant("2026-01-15T12:00:00Z");
        ada.buys("40").await;
        shop.days_pass(1);
        ada.buys("100").await;

        let offline = ada.records(&ada.sale("20").offline_at(at_noon)).await;
        let next = ada.buys("1").await;

        assert_eq!(offline.tier_id_before.as_deref(), Some("bronze"), "{window:?}");
        assert_eq!(offline.points_earned, dec("20"), "{window:?}");
        assert_eq!(offline.balance.tier_id.as_deref(), Some("silver"), "{window:?}");
        assert_eq!(offline.balance.tier_spend.amount, dec("160"), "{window:?}");
        assert_eq!(next.points_earned, dec("2"), "{window:?}");
        assert_books_agree(&shop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_sale_reaches_the_tier_that_it_would_have_reached() {
    let tier = |id: &str, minimum: i64, points: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, points));
    let program = NewProgram::new("Club", "EUR")
        .tier(tier("bronze", 0, 1))
        .tier(tier("silver", 100, 2));
    let shop = Shop::with_program(program).await;
    let ada = shop.enrols("ada").await;
    ada.buys("90").await;
    shop.days_pass(1);
    ada.buys("5").await;

    let offline = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-15T12:00:00Z")))
        .await;

    assert_eq!(offline.points_earned, dec("20"));
    assert_eq!(offline.balance.tier_id.as_deref(), Some("silver"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_limits_of_its_day_and_its_version_hold() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let capped = NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1)).max_points_per_day(15);
    let rule = shop.creates(&capped).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10").await;
    shop.days_pass(1);
    let update = RuleUpdate::of(&rule).max_points_per_day(None);
    shop.client.update_rule(&update).await.expect("an update");

    let offline = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-15T12:00:00Z")))
        .await;
    let again = ada
        .records(&ada.sale("10").offline_at(instant("2026-01-15T13:00:00Z")))
        .await;
    let now = ada.buys("100").await;

    assert_eq!(offline.points_earned, dec("5"));
    assert_eq!(again.points_earned, dec("0"));
    assert_eq!(now.points_earned, dec("100"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_sale_is_not_rated_again_and_comes_back_as_it_was_rated() {
    let shop = changed().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("10").offline_at(instant("2026-01-15T12:00:00Z"));
    let recorded = ada.records(&sale).await;

    let a_day = OfflinePolicy::default().business_time(DAY);
    shop.client.set_offline_policy(&a_day).await.expect("a policy");
    let again = ada.records(&sale).await;
    let returned = ada.returns_amount(&sale, "4").await;

    assert!(again.replayed);
    assert_eq!(again.points_earned, recorded.points_earned);
    assert_eq!(returned.points_taken_back, dec("4"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_made_offline_says_when() {
    let shop = Shop::earning("1", "1").await;
    let ada = shop.enrols("ada").await;
    let mut sale = ada.sale("10");
    sale.offline = true;

    let refused = ada.tries(&sale).await.expect_err("a refusal");

    assert_eq!(wrong_fields(&refused), ["sale.occurred_at"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_is_what_was_set_last_and_its_bounds_hold() {
    let shop = Shop::empty().await;
    let unsaid = shop.client.get_offline_policy().await.expect("a policy");
    let request_id = RequestId::generate();
    let wanted = OfflinePolicy::default().business_time(DAY).redeem_limit(dec("12.5"));

    let client = shop.client.with_request_id(&request_id);
    let set = client.set_offline_policy(&wanted).await.expect("a policy");
    let again = client.set_offline_policy(&wanted).await.expect("the same answer");
    let read = shop.second_server().await.get_offline_policy().await.expect("a policy");
    let operation = shop.client.get_operation(&request_id).await.expect("an operation");
    let other = client.set_offline_policy(&OfflinePolicy::default()).await;
    let wrong = OfflinePolicy::default().business_time(400 * DAY).redeem_limit(-1);
    let wrong = shop.client.set_offline_policy(&wrong).await.expect_err("a refusal");

    assert_eq!(unsaid, OfflinePolicy::default());
    assert_eq!(
        (set.business_time, set.redeem_limit),
        (wanted.business_time, wanted.redeem_limit)
    );
    assert_eq!(set.updated_at, Some(shop.now()));
    assert_eq!((&again, &read), (&set, &set));
    assert_eq!(operation.result, OperationResult::OfflinePolicy(set));
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
    assert_eq!(
        wrong_fields(&wrong),
        ["policy.business_time_seconds", "policy.redeem_limit"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_policy_brings_the_etag_that_was_read_and_the_history_tells_who_made_it() {
    let shop = Shop::empty().await;
    let maria = shop.client.with_actor("maria");
    let read = shop.client.get_offline_policy().await.expect("a policy");

    let first = maria.set_offline_policy(&read.clone().redeem_limit(10)).await;
    let first = first.expect("a policy");
    let stale = shop.client.set_offline_policy(&read.redeem_limit(99)).await;
    let same = shop.client.set_offline_policy(&first).await.expect("a policy");
    let second = first.clone().redeem_limit(20).business_time(DAY);
    let second = shop.client.set_offline_policy(&second).await.expect("a policy");

    assert!(
        matches!(&stale, Err(Error::EtagMismatch { etag }) if *etag == first.etag),
        "{stale:?}"
    );
    assert_eq!(same, first, "what changes nothing makes no version");
    assert_ne!(second.etag, first.etag);
    let filter = ConfigurationFilter::all().resource(ConfigurationResource::OfflinePolicy);
    let page = PageRequest::default();
    let changes = shop.client.list_configuration_changes(&filter, &page).await;
    let changes = changes.expect("changes").items;
    let [later, earlier] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((earlier.actor.as_str(), &earlier.program_id), ("maria", &None));
    let fields = |change: &ConfigurationChange| -> Vec<(String, String, String)> {
        let fields = change.fields.iter().cloned();
        fields
            .map(|field| (field.path, field.old_value, field.new_value))
            .collect()
    };
    let field = |path: &str, old: &str, new: &str| (path.to_owned(), old.to_owned(), new.to_owned());
    assert_eq!(fields(earlier), [field("redeem_limit", "", "10")]);
    assert_eq!(
        fields(later),
        [
            field("business_time_seconds", "2592000", "86400"),
            field("redeem_limit", "10", "20")
        ]
    );
}
