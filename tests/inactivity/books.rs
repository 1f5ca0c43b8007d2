//! Mergers, reports and the verification of the books.

use loyalty_sdk::{DateTime, DriftKind, InactivityPolicy, ReportGrouping, ReportPeriod, Utc, VerifyRequest};

use super::{has, points, shop};
use crate::harness::books::{assert_books_agree, drifts};
use crate::harness::{PROGRAM, dec, instant};

#[tokio::test(flavor = "multi_thread")]
async fn of_two_members_who_are_merged_the_one_who_did_something_last_did_it_for_both() {
    let shop = shop().await;
    for late_is_merged in [false, true] {
        shop.it_is("2026-01-15T10:00:00Z");
        let [early, late] = [
            shop.enrols(&format!("early-{late_is_merged}")).await,
            shop.enrols(&format!("late-{late_is_merged}")).await,
        ];
        early.buys("10.00").await;
        shop.it_is("2026-02-01T10:00:00Z");
        late.buys("5.00").await;

        let (into, from) = if late_is_merged {
            (&early, &late)
        } else {
            (&late, &early)
        };
        let merged = shop.client.merge_members(&into.member, &from.member, "").await;
        merged.unwrap_or_else(|error| panic!("{error}"));

        assert_eq!(has(into).await, points("15", Some("2026-03-04T00:00:00Z")));
        shop.it_is("2026-03-04T00:00:00Z");
        assert_eq!(has(into).await, points("0", None));
    }
    shop.client.run_expiry().await.expect("a run");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_lapsed_before_a_merger_does_not_come_with_it() {
    let shop = shop().await;
    let [gone, ada] = [shop.enrols("gone").await, shop.enrols("ada").await];
    gone.buys("10.00").await;
    shop.it_is("2026-02-20T10:00:00Z");
    ada.buys("5.00").await;

    let merged = shop.client.merge_members(&ada.member, &gone.member, "").await;
    merged.expect("a merger");

    assert_eq!(has(&ada).await, points("5", Some("2026-03-23T00:00:00Z")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_tell_by_when_points_would_lapse_as_it_was_known_at_their_instant() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let aged = async |at: DateTime<Utc>| {
        let owed = shop.client.get_liability(PROGRAM, Some(at), |_| {}).await;
        let owed = owed.expect("a liability");
        let ageing = owed.ageing.iter().map(|(_, points)| points.normalize().to_string());
        ageing.collect::<Vec<_>>()
    };
    shop.days_pass(10);
    let soon = shop.now();
    let seen_soon = aged(soon).await;
    shop.changes(|club| club.inactivity(Some(InactivityPolicy::days(60))))
        .await;
    ada.buys("5.00").await;
    shop.days_pass(1);
    let later = shop.now();
    let seen_later = aged(later).await;
    shop.days_pass(100);
    let behind = shop.now();
    let seen_behind = aged(behind).await;
    let period = ReportPeriod::of_program(PROGRAM).from(instant("2026-03-27T00:00:00Z"));
    let rolled = async || {
        let rolled = shop
            .client
            .get_roll_forward(&period, ReportGrouping::Unspecified, |_| {})
            .await;
        let rolled = rolled.expect("a report");
        (rolled.opening, rolled.movement.expired, rolled.closing, rolled.breakage)
    };
    let unswept = rolled().await;

    shop.client.run_expiry().await.expect("a run");
    ada.buys("7.00").await;

    assert_eq!(seen_soon, ["10", "0", "0", "0", "0"]);
    assert_eq!(seen_later, ["0", "15", "0", "0", "0"]);
    assert_eq!(seen_behind, ["0", "0", "0", "0", "0"]);
    assert_eq!(
        [aged(soon).await, aged(later).await, aged(behind).await],
        [seen_soon, seen_later, seen_behind]
    );
    assert_eq!(
        (unswept.0, unswept.1, unswept.2),
        (dec("15"), dec("15"), dec("0")),
        "they lapsed on 27 March"
    );
    let swept = rolled().await;
    assert_eq!((swept.0, swept.1, swept.2), (dec("15"), dec("15"), dec("7")));
    let whole = ReportPeriod::of_program(PROGRAM).until(behind);
    let whole = shop
        .client
        .get_roll_forward(&whole, ReportGrouping::Unspecified, |_| {})
        .await;
    let breakage = whole.expect("a report").breakage;
    assert_eq!(
        (breakage.issued, breakage.lapsed, breakage.open),
        (dec("15"), dec("15"), dec("0"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instant_is_told_apart_from_what_somebody_wrote_behind_the_servers_back() {
    use diesel_async::SimpleAsyncConnection as _;
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let mut database = shop.database().await;

    let meddling = "UPDATE account SET inactive_at = '2030-01-01'";
    database.batch_execute(meddling).await.expect("a row");

    let found = drifts(&shop.client, &VerifyRequest::default()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].kind, found[0].field.as_str()),
        (DriftKind::Inactivity, "inactive_at")
    );
    assert_eq!(found[0].expected.as_deref(), Some("2026-02-15T00:00:00Z"));
}
