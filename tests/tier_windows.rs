//! T3: spend for tiers over rolling days and calendar years, and when a tier is lost.

use loyalty_sdk::{EarnRate, NewProgram, Tier, TierSpendWindow};

use crate::harness::{Shop, ShopMember, dec, instant};

/// Bronze at one and Silver, from 100, at two points per euro.
fn over(window: TierSpendWindow) -> NewProgram {
    let tier = |id: &str, minimum: i64, points: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, points));
    NewProgram {
        tier_spend_window: Some(window),
        ..NewProgram::new("Club", "EUR")
            .tier(tier("bronze", 0, 1))
            .tier(tier("silver", 100, 2))
    }
}

/// Tier and spend inside the window, as of now.
async fn stands(member: &ShopMember<'_>) -> (String, String) {
    let balance = member.balance().await;
    (
        balance.tier_id.expect("a tier"),
        balance.tier_spend.amount.normalize().to_string(),
    )
}

fn at(tier: &str, spend: &str) -> (String, String) {
    (tier.to_owned(), spend.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_leaves_a_rolling_window_after_its_last_day_and_takes_the_tier_along() {
    let shop = Shop::with_program(over(TierSpendWindow::rolling_days(30).downgrade_after(0))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("60.00").await;
    shop.days_pass(10);
    ada.buys("40.00").await;
    assert_eq!(stands(&ada).await, at("silver", "100"));

    // The 30 days that end on 13 February begin on 15 January, the day of the first sale.
    shop.it_is("2026-02-13T23:59:59Z");
    let last_day = stands(&ada).await;
    shop.it_is("2026-02-14T00:00:00Z");
    let day_after = stands(&ada).await;
    let receipt = ada.buys("10.00").await;
    shop.it_is("2026-03-16T00:00:00Z");
    let all_gone = stands(&ada).await;

    assert_eq!(last_day, at("silver", "100"));
    assert_eq!(day_after, at("bronze", "40"));
    assert_eq!(
        (receipt.tier_id_before.as_deref(), receipt.points_earned),
        (Some("bronze"), dec("10"))
    );
    assert_eq!(all_gone, at("bronze", "0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_is_kept_through_its_grace_days() {
    let shop = Shop::with_program(over(TierSpendWindow::rolling_days(30).downgrade_after(7))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100.00").await;

    // The window reaches the tier through 13 February; seven more days it is kept.
    shop.it_is("2026-02-20T12:00:00Z");
    let last_grace_day = stands(&ada).await;
    let receipt = ada.buys("1.00").await;
    shop.it_is("2026-02-21T00:00:00Z");
    let after_grace = stands(&ada).await;
    let back = ada.buys("99.00").await;

    assert_eq!(last_grace_day, at("silver", "0"));
    assert_eq!(receipt.points_earned, dec("2"), "the tier that is kept rates the sale");
    assert_eq!(after_grace, at("bronze", "1"));
    assert_eq!(
        (back.balance.tier_id.as_deref(), back.points_earned),
        (Some("silver"), dec("198"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_once_reached_stays_where_nothing_downgrades() {
    let shop = Shop::with_program(over(TierSpendWindow::rolling_days(30))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("100.00").await;

    shop.days_pass(365);
    let years_later = stands(&ada).await;
    let receipt = ada.buys("10.00").await;

    assert_eq!(years_later, at("silver", "0"));
    assert_eq!(receipt.points_earned, dec("20"));
    assert_eq!(stands(&ada).await, at("silver", "10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_year_begins_at_midnight_in_the_programs_zone() {
    let program = over(TierSpendWindow::calendar_year().downgrade_after(0)).time_zone("America/Lima");
    let shop = Shop::with_program(program).await;
    shop.it_is("2025-12-30T12:00:00Z");
    let ada = shop.enrols("ada").await;
    ada.buys("60.00").await;

    // 31 December, ten in the evening in Lima.
    shop.it_is("2026-01-01T03:00:00Z");
    let new_years_eve = ada.buys("40.00").await;
    shop.it_is("2026-01-01T04:59:59Z");
    let last_second = stands(&ada).await;
    shop.it_is("2026-01-01T05:00:00Z");
    let new_year = stands(&ada).await;
    let first_sale = ada.buys("10.00").await;

    assert_eq!(
        (new_years_eve.balance.tier_id.as_deref(), new_years_eve.points_earned),
        (Some("silver"), dec("80"))
    );
    assert_eq!(last_second, at("silver", "100"));
    assert_eq!(new_year, at("bronze", "0"));
    assert_eq!(first_sale.points_earned, dec("10"));
    assert_eq!(stands(&ada).await, at("bronze", "10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_sale_counts_in_the_year_it_was_made_in() {
    let program = over(TierSpendWindow::calendar_year().downgrade_after(0)).time_zone("America/Lima");
    let shop = Shop::with_program(program).await;
    let ada = shop.enrols("ada").await;
    shop.it_is("2026-01-02T12:00:00Z");
    ada.buys("70.00").await;

    let late = ada.sale("40.00").occurred_at(instant("2026-01-01T03:00:00Z"));
    let late = ada.records(&late).await;

    assert_eq!(late.points_earned, dec("40"), "rated at the tier of its own year");
    assert_eq!(stands(&ada).await, at("bronze", "70"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_can_be_changed_and_past_sales_count_in_the_new_one() {
    let shop = Shop::with_program(over(TierSpendWindow::rolling_days(30).downgrade_after(0))).await;
    let ada = shop.enrols("ada").await;
    ada.buys("90.00").await;
    shop.days_pass(60);
    ada.buys("10.00").await;
    assert_eq!(stands(&ada).await, at("bronze", "10"));

    shop.changes(|club| club.tier_spend_window(None)).await;
    let lifetime = stands(&ada).await;
    shop.changes(|club| club.tier_spend_window(Some(TierSpendWindow::rolling_days(90).downgrade_after(0))))
        .await;
    let ninety_days = stands(&ada).await;

    assert_eq!(lifetime, at("silver", "100"));
    assert_eq!(ninety_days, at("silver", "100"));
}
