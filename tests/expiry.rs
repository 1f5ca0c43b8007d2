//! T6: when points lapse, to the second, and that nothing but the clock is needed for it.

use loyalty_sdk::{DateTime, EarnRate, Error, ExpiryPolicy, NewProgram, RedemptionPolicy, Utc};

use crate::harness::{Shop, ShopMember, dec, instant};

/// A shop whose points are worth one euro each, earned one per euro.
async fn shop(zone: &str, expiry: ExpiryPolicy) -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .time_zone(zone)
        .expiry(expiry)
        .redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// Points that can be spent, and when the next ones lapse.
async fn has(member: &ShopMember<'_>) -> (String, Option<DateTime<Utc>>) {
    let balance = member.balance().await;
    (balance.available.to_string(), balance.next_expiry_at)
}

fn points(available: &str, next_expiry_at: Option<&str>) -> (String, Option<DateTime<Utc>>) {
    (available.to_owned(), next_expiry_at.map(instant))
}

#[tokio::test(flavor = "multi_thread")]
async fn points_of_2021_01_01_with_twelve_months_are_gone_at_the_start_of_2022_in_buenos_aires() {
    let shop = shop("America/Argentina/Buenos_Aires", ExpiryPolicy::months(12)).await;
    shop.it_is("2021-01-01T15:00:00Z");
    let ada = shop.enrols("ada").await;

    let receipt = ada.buys("10.00").await;
    shop.it_is("2021-01-02T02:59:59Z");
    let still_the_first = ada.buys("1.00").await;
    shop.it_is("2021-01-02T03:00:00Z");
    ada.buys("5.00").await;

    let new_year = "2022-01-01T03:00:00Z";
    assert_eq!(receipt.points_expire_at, Some(instant(new_year)));
    assert_eq!(still_the_first.points_expire_at, Some(instant(new_year)));
    assert_eq!(has(&ada).await, points("16", Some(new_year)));
    shop.it_is("2022-01-01T02:59:59.999999Z");
    assert_eq!(has(&ada).await, points("16", Some(new_year)));
    shop.it_is(new_year);
    assert_eq!(
        has(&ada).await,
        points("5", Some("2022-01-02T03:00:00Z")),
        "each accrual on its own"
    );
    shop.it_is("2022-01-02T03:00:00Z");
    assert_eq!(has(&ada).await, points("0", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_after_the_last_of_january_is_the_last_of_february() {
    let shop = shop("UTC", ExpiryPolicy::months(1)).await;
    shop.it_is("2024-03-31T12:00:00Z");
    let ada = shop.enrols("ada").await;
    let cases = [
        ("2023-12-31T12:00:00Z", "2024-01-31T00:00:00Z"),
        ("2024-01-29T12:00:00Z", "2024-02-29T00:00:00Z"),
        ("2024-01-31T12:00:00Z", "2024-02-29T00:00:00Z"),
        ("2024-02-29T12:00:00Z", "2024-03-29T00:00:00Z"),
        ("2024-03-31T12:00:00Z", "2024-04-30T00:00:00Z"),
    ];

    for (sold, lapse) in cases {
        let receipt = ada.records(&ada.sale("1.00").occurred_at(instant(sold))).await;

        assert_eq!(receipt.points_expire_at, Some(instant(lapse)), "{sold}");
    }
    shop.it_is("2023-01-31T12:00:00Z");
    let receipt = shop.enrols("bob").await.buys("1.00").await;
    assert_eq!(receipt.points_expire_at, Some(instant("2023-02-28T00:00:00Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn points_for_days_are_usable_through_the_last_of_them() {
    let shop = shop("America/Lima", ExpiryPolicy::days(30)).await;
    // Nine in the evening of the 14th in Lima.
    shop.it_is("2026-01-15T02:00:00Z");
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;

    // The 30th day after the 14th of January is the 13th of February.
    shop.it_is("2026-02-14T04:59:59Z");
    let redeemed = ada.records(&ada.sale("4.00").redeem_points(4)).await;
    shop.it_is("2026-02-14T05:00:00Z");
    let lapsed = ada.tries(&ada.sale("4.00").redeem_points(1)).await;

    assert_eq!(
        (redeemed.points_redeemed, redeemed.balance.available),
        (dec("4"), dec("6"))
    );
    let (available, requested) = (dec("0"), dec("1"));
    assert_eq!(lapsed, Err(Error::InsufficientPoints { available, requested }));
    assert_eq!(has(&ada).await, points("0", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_the_clocks_make_shorter_is_one_day() {
    let shop = shop("Europe/Athens", ExpiryPolicy::days(1)).await;
    // On 29 March 2026 the clocks of Athens go from 03:00 to 04:00.
    shop.it_is("2026-03-28T12:00:00Z");

    let receipt = shop.enrols("ada").await.buys("1.00").await;

    assert_eq!(receipt.points_expire_at, Some(instant("2026-03-29T21:00:00Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_points_that_lapse_first_are_spent_first() {
    // X16, days counted from 1 January: day 10 is the first without the first lot.
    let shop = shop("UTC", ExpiryPolicy::days(8)).await;
    shop.it_is("2026-01-01T12:00:00Z");
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(18)))).await;
    ada.buys("10.00").await;
    shop.changes(|club| club.expiry(None).earn_on_points_paid_part(false))
        .await;
    assert_eq!(has(&ada).await, points("20", Some("2026-01-10T00:00:00Z")));

    ada.records(&ada.sale("10.00").redeem_points(10)).await;
    assert_eq!(has(&ada).await, points("10", Some("2026-01-20T00:00:00Z")));
    shop.days_pass(1);
    ada.records(&ada.sale("5.00").redeem_points(5)).await;

    shop.it_is("2026-01-11T12:00:00Z");
    assert_eq!(has(&ada).await, points("5", Some("2026-01-20T00:00:00Z")));
    assert_eq!(ada.movements().await, ["10", "10", "-10", "0", "-5", "0"].map(dec));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_takes_from_two_lots_and_the_rest_lapses_at_its_own_time() {
    // X27: +50 (lapses day 10), +100 (day 30), spend 80, +50 (day 40).
    let shop = shop("UTC", ExpiryPolicy::days(8)).await;
    shop.it_is("2026-01-01T12:00:00Z");
    let ada = shop.enrols("ada").await;
    ada.buys("50.00").await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(28)))).await;
    ada.buys("100.00").await;
    ada.records(&ada.sale("80.00").redeem_points(80)).await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(38)))).await;

    let receipt = ada.buys("50.00").await;

    assert_eq!(receipt.balance.available, dec("120"));
    let spend = &ada.history().await[2];
    let taken: Vec<(u64, String)> = spend
        .lots
        .iter()
        .map(|lot| (lot.lot_sequence, lot.points.to_string()))
        .collect();
    assert_eq!(taken, [(1, "-50".to_owned()), (2, "-30".to_owned())]);
    shop.it_is("2026-01-11T12:00:00Z");
    assert_eq!(has(&ada).await, points("120", Some("2026-01-30T00:00:00Z")));
    shop.it_is("2026-01-31T12:00:00Z");
    assert_eq!(has(&ada).await, points("50", Some("2026-02-09T00:00:00Z")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_policy_leaves_points_that_were_earned_before_as_they_are() {
    let shop = shop("UTC", ExpiryPolicy::days(10)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;

    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(1)))).await;
    let shorter = ada.buys("1.00").await;
    shop.changes(|club| club.expiry(None)).await;
    let never = ada.buys("100.00").await;

    assert_eq!(shorter.points_expire_at, Some(instant("2026-01-17T00:00:00Z")));
    assert_eq!(never.points_expire_at, None);
    let lapses = [
        ("2026-01-16T23:59:59Z", "111", Some("2026-01-17T00:00:00Z")),
        ("2026-01-17T00:00:00Z", "110", Some("2026-01-26T00:00:00Z")),
        ("2026-01-26T00:00:00Z", "100", None),
        ("2126-01-01T00:00:00Z", "100", None),
    ];
    for (now, available, next) in lapses {
        shop.it_is(now);

        assert_eq!(has(&ada).await, points(available, next), "{now}");
    }
}
