//! The rule that a member's record names, and rules for groups and territories.

use loyalty_sdk::{
    Audience, EarnRate, EarnReason, ExpiryPolicy, MemberKey, NewMember, NewProgram, NewRule, RateSource, Receipt,
    RedemptionPolicy, Rounding, SaleLine,
};

use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant};

async fn enrols(shop: &Shop, member: NewMember) -> ShopMember<'_> {
    let member = shop
        .client
        .enroll_member(&member)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    ShopMember::new(shop, MemberKey::from(&member), member)
}

fn customer(customer_id: &str) -> NewMember {
    NewMember::new(PROGRAM).customer_id(customer_id)
}

fn reason_of(receipt: &Receipt, rule_id: &str) -> Option<EarnReason> {
    let source = RateSource::Rule(rule_id.into());
    receipt
        .rates
        .iter()
        .find(|rate| rate.source == source)
        .map(|rate| rate.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn x8_each_member_scores_under_the_rule_that_its_record_names() {
    let shop = Shop::with_program(NewProgram::new("FIE", "EUR")).await;
    let half_up = |amount: u32| EarnRate::new(amount, 1).rounding(Rounding::HalfUp);
    shop.creates(
        &NewRule::new(PROGRAM, "Normal", half_up(10))
            .rule_id("normal")
            .assigned(),
    )
    .await;
    shop.creates(&NewRule::new(PROGRAM, "VIP", half_up(5)).rule_id("vip").assigned())
        .await;
    let normal = enrols(&shop, customer("norma").assigned_rule("normal")).await;
    let vip = enrols(&shop, customer("victor").assigned_rule("vip")).await;
    let none = enrols(&shop, customer("nemo")).await;

    let normal = normal.buys("100").await;
    let vip = vip.buys("100").await;
    let none = none.buys("100").await;

    assert_eq!(normal.points_earned, dec("10"));
    assert_eq!(vip.points_earned, dec("20"));
    assert_eq!(reason_of(&vip, "normal"), Some(EarnReason::NotAssigned));
    assert_eq!(none.points_earned, dec("0"));
    assert_eq!(none.lines[0].reason, EarnReason::NoRuleAssigned);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_rule_goes_before_priorities_products_named_and_tiers() {
    let shop = Shop::earning("100", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "VIP", EarnRate::new(10, 1))
            .rule_id("vip")
            .assigned(),
    )
    .await;
    shop.creates(
        &NewRule::new(PROGRAM, "Beans", EarnRate::new(1, 1))
            .product("beans")
            .priority(9),
    )
    .await;
    let vip = enrols(&shop, customer("victor").assigned_rule("vip")).await;

    let receipt = vip
        .records(&vip.sale("100").line(SaleLine::new(100).product("beans")))
        .await;

    assert_eq!(receipt.points_earned, dec("10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_rule_brings_its_redeem_rate_its_expiry_and_its_discount_ceiling() {
    let program = NewProgram {
        max_discount_percent: Some(dec("5")),
        ..NewProgram::new("FIE", "EUR")
    };
    let program = program
        .expiry(ExpiryPolicy::days(30))
        .redemption(RedemptionPolicy::new(1).points_rounding(Rounding::HalfUp));
    let shop = Shop::with_rule(program, EarnRate::new(10, 1)).await;
    let mut rule = NewRule::new(PROGRAM, "VIP", EarnRate::new(10, 1).rounding(Rounding::HalfUp))
        .rule_id("vip")
        .assigned()
        .max_discount_percent(20);
    rule.terms.value_per_point = Some(dec("10"));
    rule.terms.expiry = Some(ExpiryPolicy::months(12));
    shop.creates(&rule).await;
    let vip = enrols(&shop, customer("victor").assigned_rule("vip")).await;
    let plain = shop.enrols("petra").await;
    let discounted = |member: &ShopMember<'_>| member.sale("90").line(SaleLine::new(90).discount_amount(10));

    let earned = vip.records(&discounted(&vip)).await;
    let refused = plain.records(&discounted(&plain)).await;
    let quote = shop
        .client
        .quote_sale(&vip.sale("26").redeem_amount(26))
        .await
        .expect("a quote");

    assert_eq!(earned.points_earned, dec("9"), "X5: at 10 %, below this rule's 20 %");
    assert_eq!(earned.points_expire_at, Some(instant("2027-01-15T00:00:00Z")));
    assert_eq!(earned.balance.value.map(|value| value.amount), Some(dec("90.00")));
    assert_eq!(refused.lines[0].reason, EarnReason::DiscountCeiling);
    assert_eq!(quote.points_redeemed, dec("3"), "X4: 2.6 points");
    assert_eq!(quote.points_paid().amount, dec("26.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_tree_covers_everybody_below_it() {
    let shop = Shop::earning("10", "1").await;
    let audience = |groups: &[&str], territories: &[&str]| Audience {
        customer_groups: groups.iter().map(|node| (*node).to_owned()).collect(),
        territories: territories.iter().map(|node| (*node).to_owned()).collect(),
        ..Audience::default()
    };
    let south = NewRule::multiplier(PROGRAM, "South", 2)
        .rule_id("south")
        .audience(audience(&[], &["south"]));
    let both = NewRule::multiplier(PROGRAM, "VIP in Lima", 3)
        .rule_id("both")
        .audience(audience(&["retail/vip"], &["south/lima"]));
    shop.creates(&south).await;
    shop.creates(&both).await;
    let cases = [
        ("retail/vip/gold", "south/lima", "4", None, None),
        (
            "retail",
            "south/lima/centre",
            "2",
            None,
            Some(EarnReason::OtherCustomerGroup),
        ),
        ("retail/vip", "south/cusco", "2", None, Some(EarnReason::OtherTerritory)),
        (
            "retail/vip",
            "southern",
            "1",
            Some(EarnReason::OtherTerritory),
            Some(EarnReason::OtherTerritory),
        ),
    ];

    for (group, territory, points, south, both) in cases {
        let member = enrols(
            &shop,
            customer(&shop.next_sale_id())
                .customer_group(group)
                .territory(territory),
        )
        .await;
        let receipt = member.buys("10").await;
        assert_eq!(receipt.points_earned, dec(points), "{group} {territory}");
        assert_eq!(
            reason_of(&receipt, "south"),
            south.or(Some(EarnReason::Earned)),
            "{territory}"
        );
        assert_eq!(
            reason_of(&receipt, "both"),
            both.or(Some(EarnReason::Earned)),
            "{group} {territory}"
        );
    }
}
