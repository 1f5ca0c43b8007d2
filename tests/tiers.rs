//! T2, T3: which tier a sale reaches, what it earns there, and what counts as spend.

use loyalty_sdk::{
    EarnRate, EarnReason, NewProgram, NewRule, RateSource, Receipt, RedemptionPolicy, Tier, TierSpendBasis,
};

use crate::harness::{PROGRAM, Shop, dec};

/// Bronze, Silver and Gold from 0, 100 and 500, at one, two and three points per euro; not in order.
fn three_tiers() -> NewProgram {
    let tier = |id: &str, minimum: i64, points: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, points));
    NewProgram::new("Club", "EUR")
        .tier(tier("gold", 500, 3))
        .tier(tier("bronze", 0, 1))
        .tier(tier("silver", 100, 2))
}

fn tier_of(receipt: &Receipt) -> Option<&str> {
    receipt.balance.tier_id.as_deref()
}

/// The next tier and the spend missing to it.
fn next_of(receipt: &Receipt) -> Option<(&str, String)> {
    let next = receipt.balance.next_tier.as_ref();
    next.map(|next| (next.tier_id.as_str(), next.missing_spend.to_string()))
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_are_kept_by_rising_minimum_whatever_the_order_they_came_in() {
    let shop = Shop::with_program(three_tiers()).await;

    let ids: Vec<String> = shop
        .program()
        .await
        .tiers
        .into_iter()
        .map(|tier| tier.tier_id)
        .collect();

    assert_eq!(ids, ["bronze", "silver", "gold"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minimum_of_a_tier_is_inclusive_and_the_current_sale_counts() {
    let shop = Shop::with_program(three_tiers()).await;
    let cases = [
        ("0.00", "bronze", "0", Some(("silver", "100.00 EUR"))),
        ("99.99", "bronze", "99", Some(("silver", "0.01 EUR"))),
        ("100.00", "silver", "200", Some(("gold", "400.00 EUR"))),
        ("499.99", "silver", "999", Some(("gold", "0.01 EUR"))),
        ("500.00", "gold", "1500", None),
    ];

    for (total, tier, points, next) in cases {
        let receipt = shop.enrols(total).await.buys(total).await;

        assert_eq!(
            (tier_of(&receipt), receipt.points_earned),
            (Some(tier), dec(points)),
            "{total}"
        );
        assert_eq!(receipt.tier_id_before.as_deref(), Some("bronze"));
        assert_eq!(receipt.lines[0].source, Some(RateSource::Tier(tier.to_owned())));
        assert_eq!(next_of(&receipt), next.map(|(id, missing)| (id, missing.to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_sale_earns_at_the_tier_it_reaches() {
    let shop = Shop::with_program(three_tiers()).await;
    let ada = shop.enrols("ada").await;

    let sales = [
        ada.buys("60.00").await,
        ada.buys("60.00").await,
        ada.buys("400.00").await,
        ada.buys("1.00").await,
    ];

    let earned: Vec<String> = sales.iter().map(|sale| sale.points_earned.to_string()).collect();
    assert_eq!(earned, ["60", "120", "1200", "3"]);
    let before: Vec<_> = sales.iter().map(|sale| sale.tier_id_before.as_deref()).collect();
    assert_eq!(before, [Some("bronze"), Some("bronze"), Some("silver"), Some("gold")]);
    assert_eq!(sales[3].balance.tier_spend.to_string(), "521.00 EUR");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_a_lowest_tier_above_0_a_sale_earns_nothing_and_its_spend_counts() {
    let program = NewProgram::new("Club", "EUR").tier(Tier::new("silver", "Silver", 100));
    let shop = Shop::with_rule(program, EarnRate::new(10, 1)).await;
    let ada = shop.enrols("ada").await;

    let first = ada.buys("60.00").await;
    let second = ada.buys("40.00").await;

    assert_eq!((tier_of(&first), first.points_earned), (None, dec("0")));
    assert_eq!(first.lines[0].reason, EarnReason::BelowLowestTier);
    assert_eq!(next_of(&first), Some(("silver", "40.00 EUR".to_owned())));
    assert_eq!(
        (second.tier_id_before.as_deref(), tier_of(&second)),
        (None, Some("silver"))
    );
    assert_eq!(
        (second.points_earned, second.lines[0].reason),
        (dec("4"), EarnReason::Earned)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_without_its_own_rate_earns_by_the_default_rule() {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 100).earn_rate(EarnRate::new(5, 1)));
    let shop = Shop::with_program(program).await;
    let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(10, 1)).rule_id("default");
    shop.client.create_rule(&rule).await.expect("a rule");
    let ada = shop.enrols("ada").await;

    let bronze = ada.buys("50.00").await;
    let silver = ada.buys("50.00").await;

    assert_eq!(bronze.rates[0].source, RateSource::Rule("default".into()));
    assert_eq!((bronze.points_earned, bronze.rates.len()), (dec("5"), 1));
    assert_eq!(silver.rates[0].source, RateSource::Tier("silver".to_owned()));
    assert_eq!((silver.points_earned, silver.rates.len()), (dec("10"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_part_paid_with_points_counts_towards_tiers_unless_told_otherwise() {
    let cases = [
        (TierSpendBasis::WholeSale, "silver", "100.00 EUR"),
        (TierSpendBasis::WithoutPointsPaidPart, "bronze", "99.00 EUR"),
    ];
    let shop = Shop::empty().await;

    for (basis, tier, spend) in cases {
        let program = NewProgram {
            tier_spend_basis: basis,
            ..NewProgram::new("Club", "EUR")
                .tier(Tier::new("bronze", "Bronze", 0))
                .tier(Tier::new("silver", "Silver", 100))
                .redemption(RedemptionPolicy::new(1))
        };
        let ada = shop.member_of(program, EarnRate::new(1, 1)).await;
        ada.buys("50.00").await;

        let receipt = ada
            .records(&ada.sale("50.00").tender("CASH", 20).redeem_points(1))
            .await;

        assert_eq!(
            (tier_of(&receipt), receipt.points_earned),
            (Some(tier), dec("49")),
            "{basis:?}"
        );
        assert_eq!(receipt.balance.tier_spend.to_string(), spend, "{basis:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_tells_tier_and_spend_by_the_program_as_it_is_now() {
    let shop = Shop::with_program(three_tiers()).await;
    let ada = shop.enrols("ada").await;
    assert_eq!(
        ada.balance().await.tier_id.as_deref(),
        Some("bronze"),
        "also before the first sale"
    );
    let receipt = ada.buys("150.00").await;

    let balance = ada.balance().await;
    let (_, looked_up) = shop.client.lookup_member(&ada.key).await.expect("a member");
    shop.changes(|club| club.tiers(&[Tier::new("basic", "Basic", 0), Tier::new("top", "Top", 200)]))
        .await;
    let under_new_tiers = ada.balance().await;

    assert_eq!(balance, receipt.balance);
    assert_eq!(looked_up, balance);
    assert_eq!(balance.tier_id.as_deref(), Some("silver"));
    assert_eq!(under_new_tiers.tier_id.as_deref(), Some("basic"));
    assert_eq!(
        under_new_tiers.next_tier.map(|next| next.missing_spend.to_string()),
        Some("50.00 EUR".to_owned())
    );
}
