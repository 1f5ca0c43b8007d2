//! Which rule rates a line: what it names, when, for whom, and which of several goes first.

use loyalty_sdk::{
    Audience, EarnRate, EarnReason, Error, Exclusion, NaiveTime, NewProgram, NewRule, RateSource, Receipt, RuleUpdate,
    SaleLine, Schedule, Selector, Tier, Weekday,
};

use crate::harness::{PROGRAM, Shop, day, dec};

/// One point per so much.
fn per(amount: u32) -> EarnRate {
    EarnRate::new(amount, 1)
}

fn rule(rule_id: &str, amount: u32) -> NewRule {
    NewRule::new(PROGRAM, rule_id, per(amount)).rule_id(rule_id)
}

/// The rule that rated a line.
fn source(receipt: &Receipt, line: usize) -> Option<String> {
    match &receipt.lines[line].source {
        Some(RateSource::Rule(rule_id)) => Some(rule_id.to_string()),
        _ => None,
    }
}

fn reason_of(receipt: &Receipt, rule_id: &str) -> Option<EarnReason> {
    let named = |source: &RateSource| matches!(source, RateSource::Rule(id) if id.as_ref() == rule_id);
    receipt
        .rates
        .iter()
        .find(|rate| named(&rate.source))
        .map(|rate| rate.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_that_names_the_line_most_closely_rates_it() {
    let shop = Shop::earning("100", "1").await;
    for rule in [
        rule("food", 50).category("food"),
        rule("coffee", 20).category("food/coffee"),
        rule("acme", 25).brand("acme"),
        rule("beans", 10).product("beans"),
        rule("store", 30).store("store-1"),
        rule("terminal", 28).terminal("till-2"),
    ] {
        shop.creates(&rule).await;
    }
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("700")
        .line(
            SaleLine::new(100)
                .product("beans")
                .category("food/coffee")
                .brand("acme"),
        )
        .line(SaleLine::new(100).category("food/coffee/instant").brand("acme"))
        .line(SaleLine::new(100).category("food/tea").brand("acme"))
        .line(SaleLine::new(100).category("foodstuff").brand("acme"))
        .line(SaleLine::new(100).category("foodstuff"))
        .line(SaleLine::new(200));

    let at_the_till = ada.records(&sale.clone().terminal("till-2")).await;
    let elsewhere = shop.client.quote_sale(&sale).await.expect("a quote");

    let expected = ["beans", "coffee", "food", "acme", "terminal", "terminal"];
    let rated: Vec<_> = (0..6).map(|line| source(&at_the_till, line)).collect();
    assert_eq!(rated, expected.map(|rule_id| Some(rule_id.to_owned())));
    assert_eq!(source(&elsewhere, 4).as_deref(), Some("store"));
    assert_eq!(at_the_till.points_earned, dec("31"), "10 + 5 + 2 + 4 + 10.7 (300 / 28)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explicit_priority_goes_before_what_is_named() {
    let shop = Shop::earning("100", "1").await;
    shop.creates(&rule("beans", 10).product("beans")).await;
    shop.creates(&rule("everything", 5).priority(1)).await;
    let ada = shop.enrols("ada").await;

    let receipt = ada
        .records(&ada.sale("50").line(SaleLine::new(50).product("beans")))
        .await;

    assert_eq!(source(&receipt, 0).as_deref(), Some("everything"));
    assert_eq!(receipt.points_earned, dec("10"));
    assert_eq!(reason_of(&receipt, "beans"), Some(EarnReason::Outranked));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiers_rate_goes_before_the_default_and_after_every_rule_that_names_something() {
    let program = NewProgram::new("Club", "EUR").tier(Tier::new("gold", "Gold", 0).earn_rate(per(20)));
    let shop = Shop::with_rule(program, per(100)).await;
    shop.creates(&rule("beans", 10).product("beans")).await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("200")
        .line(SaleLine::new(100).product("beans"))
        .line(SaleLine::new(100));

    let receipt = ada.records(&sale).await;

    assert_eq!(source(&receipt, 0).as_deref(), Some("beans"));
    assert_eq!(receipt.lines[1].source, Some(RateSource::Tier("gold".to_owned())));
    assert_eq!(receipt.points_earned, dec("15"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_excludes_earns_nothing_and_falls_to_no_other() {
    let shop = Shop::earning("10", "1").await;
    let excludes = Exclusion {
        categories: vec!["books/school".to_owned()],
        ..Exclusion::default()
    };
    shop.creates(&rule("books", 5).category("books").excludes(excludes))
        .await;
    shop.creates(
        &NewRule::no_points(PROGRAM, "Tobacco")
            .rule_id("tobacco")
            .category("tobacco"),
    )
    .await;
    let ada = shop.enrols("ada").await;
    let sale = ada
        .sale("40")
        .line(SaleLine::new(10).category("books/novels"))
        .line(SaleLine::new(10).category("books/school/maths"))
        .line(SaleLine::new(10).category("tobacco"))
        .line(SaleLine::new(10));

    let receipt = ada.records(&sale).await;

    let reasons: Vec<_> = receipt.lines.iter().map(|line| line.reason).collect();
    let expected = [
        EarnReason::Earned,
        EarnReason::ExcludedProduct,
        EarnReason::ExcludedProduct,
        EarnReason::Earned,
    ];
    assert_eq!(reasons, expected);
    assert_eq!(receipt.points_earned, dec("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_counts_days_and_hours_of_the_programs_zone() {
    let program = NewProgram::new("Club", "EUR").time_zone("America/Lima");
    let shop = Shop::with_rule(program, per(10)).await;
    let happy_hour = Schedule {
        weekdays: vec![Weekday::Tuesday],
        time_from: NaiveTime::from_hms_opt(17, 0, 0),
        time_until: NaiveTime::from_hms_opt(19, 0, 0),
        ..Schedule::default()
    };
    shop.creates(&rule("happy-hour", 5).schedule(happy_hour)).await;
    let ada = shop.enrols("ada").await;
    // 20 January 2026 is a Tuesday; Lima is five hours behind.
    let cases = [
        ("2026-01-20T21:59:59Z", "1"),
        ("2026-01-20T22:00:00Z", "2"),
        ("2026-01-20T23:59:59Z", "2"),
        ("2026-01-21T00:00:00Z", "1"),
        ("2026-01-21T22:30:00Z", "1"),
    ];

    for (at, points) in cases {
        shop.it_is(at);
        let receipt = ada.buys("10").await;
        assert_eq!(receipt.points_earned, dec(points), "{at}");
        let outside = (points == "1").then_some(EarnReason::OutsideSchedule);
        assert_eq!(
            reason_of(&receipt, "happy-hour"),
            outside.or(Some(EarnReason::Earned)),
            "{at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_holds_from_its_first_through_its_last_day_in_the_programs_zone() {
    let program = NewProgram::new("Club", "EUR").time_zone("America/Lima");
    let shop = Shop::with_rule(program, per(10)).await;
    let week = Schedule {
        valid_from: Some(day("2026-01-20")),
        valid_until: Some(day("2026-01-26")),
        ..Schedule::default()
    };
    // Twice as much on the Tuesdays of a week that begins with one.
    let tuesdays = Schedule {
        weekdays: vec![Weekday::Tuesday],
        ..week.clone()
    };
    shop.creates(&rule("week", 5).schedule(week)).await;
    let double = NewRule::multiplier(PROGRAM, "Tuesdays", 2).rule_id("tuesdays");
    shop.creates(&double.schedule(tuesdays)).await;
    let ada = shop.enrols("ada").await;
    // Lima is five hours behind.
    let cases = [
        ("2026-01-20T04:59:59Z", "1"),
        ("2026-01-20T05:00:00Z", "4"),
        ("2026-01-21T04:59:59Z", "4"),
        ("2026-01-21T05:00:00Z", "2"),
        ("2026-01-27T04:59:59Z", "2"),
        ("2026-01-27T05:00:00Z", "1"),
    ];

    for (at, points) in cases {
        shop.it_is(at);
        let receipt = ada.buys("10").await;
        assert_eq!(receipt.points_earned, dec(points), "{at}");
        let outside = (points == "1").then_some(EarnReason::OutsideSchedule);
        assert_eq!(
            reason_of(&receipt, "week"),
            outside.or(Some(EarnReason::Earned)),
            "{at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiers_audience_is_the_tier_that_the_sale_reaches() {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("base", "Base", 0))
        .tier(Tier::new("gold", "Gold", 100));
    let shop = Shop::with_rule(program, per(10)).await;
    let gold = Audience {
        tier_ids: vec!["gold".to_owned()],
        ..Audience::default()
    };
    shop.creates(
        &NewRule::multiplier(PROGRAM, "Gold double", 2)
            .rule_id("double")
            .audience(gold),
    )
    .await;
    let ada = shop.enrols("ada").await;

    let before = ada.buys("90").await;
    let reaching = ada.buys("10").await;

    assert_eq!(before.points_earned, dec("9"));
    assert_eq!(reason_of(&before, "double"), Some(EarnReason::OtherTier));
    assert_eq!(reaching.points_earned, dec("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rules_of_which_it_is_open_who_goes_first_are_refused_also_when_one_is_changed() {
    let shop = Shop::earning("10", "1").await;
    shop.creates(&rule("food", 5).category("food").category("drinks")).await;
    shop.creates(&rule("monday", 5).schedule(on(Weekday::Monday))).await;
    let ties = [
        rule("default", 7),
        rule("drinks", 7).category("drinks").category("toys"),
        rule("monday-too", 7).schedule(on(Weekday::Monday)),
    ];
    let none = [
        rule("coffee", 7).category("food/coffee"),
        rule("tea", 7).category("food").priority(3),
        rule("tuesday", 7).schedule(on(Weekday::Tuesday)),
        rule("acme", 7).category("food").brand("acme"),
    ];

    for tie in ties {
        let refused = shop.client.create_rule(&tie).await;
        assert!(
            matches!(refused, Err(Error::RuleTie { .. })),
            "{}: {refused:?}",
            tie.name
        );
    }
    for rule in none {
        shop.creates(&rule).await;
    }
    let tuesday = shop.client.get_rule(PROGRAM, "tuesday").await.expect("the rule");
    let to_monday = RuleUpdate::of(&tuesday).schedule(&on(Weekday::Monday));
    let refused = shop.client.update_rule(&to_monday).await;
    assert!(matches!(refused, Err(Error::RuleTie { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_keeps_its_terms_and_an_update_changes_those_it_names() {
    let shop = Shop::earning("10", "1").await;
    let excludes = Exclusion {
        product_ids: vec!["gift".to_owned()],
        ..Exclusion::default()
    };
    let mut new = rule("all", 5)
        .category("food/coffee")
        .brand("acme")
        .store("store-1")
        .terminal("till-1")
        .excludes(excludes)
        .schedule(on(Weekday::Sunday))
        .minimum_sale(dec("9.50"))
        .max_discount_percent(dec("12.5"))
        .max_points_per_sale(100)
        .priority(4);
    new.terms.audience.customer_groups.push("retail/vip".to_owned());
    new.terms.audience.territories.push("south".to_owned());

    let created = shop.creates(&new).await;
    let update = RuleUpdate::of(&created).selector(&Selector::default()).priority(5);
    let changed = shop.client.update_rule(&update).await.expect("the change");

    assert_eq!(created.terms, new.terms);
    new.terms.selector = Selector::default();
    new.terms.priority = 5;
    assert_eq!(changed.terms, new.terms);
    assert_eq!(shop.client.get_rule(PROGRAM, "all").await.ok(), Some(changed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_that_a_rule_names_cannot_be_taken_away() {
    let gold = Tier::new("gold", "Gold", 0);
    let shop = Shop::with_rule(NewProgram::new("Club", "EUR").tier(gold), per(10)).await;
    let audience = |tier: &str| Audience {
        tier_ids: vec![tier.to_owned()],
        ..Audience::default()
    };
    shop.creates(&rule("gold", 5).audience(audience("gold"))).await;

    let unknown = shop
        .client
        .create_rule(&rule("none", 5).audience(audience("platinum")))
        .await;
    let update = loyalty_sdk::ProgramUpdate::of(&shop.program().await).tiers(&[]);
    let gone = shop.client.update_program(&update).await;

    for (refused, field) in [(unknown.err(), "rule.audience.tier_ids[0]"), (gone.err(), "program")] {
        let Some(Error::InvalidFields(violations)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(violations[0].field, field);
    }
}

fn on(day: Weekday) -> Schedule {
    Schedule {
        weekdays: vec![day],
        ..Schedule::default()
    }
}
