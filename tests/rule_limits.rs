//! Rules that cannot be right are refused by the name of the field, before anything is written.

use loyalty_sdk::{
    EarnRate, Error, Exclusion, ExpiryPolicy, NaiveDate, NaiveTime, NewProgram, NewRule, RequestId, RuleEffect,
    RuleUpdate, Schedule, Weekday, api,
};

use crate::harness::{PROGRAM, Shop, dec};

fn base() -> NewRule {
    NewRule::new(PROGRAM, "Base", EarnRate::new(10, 1))
}

fn campaign() -> NewRule {
    NewRule::multiplier(PROGRAM, "Double", 2)
}

fn with(mut rule: NewRule, change: impl FnOnce(&mut NewRule)) -> NewRule {
    change(&mut rule);
    rule
}

fn scheduled(schedule: Schedule) -> NewRule {
    base().schedule(schedule)
}

fn wrong_fields(error: &Error) -> Vec<&str> {
    match error {
        Error::InvalidFields(violations) => violations.iter().map(|violation| violation.field.as_str()).collect(),
        Error::TooManyDecimals { field, .. } => vec![field],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_rule_has_its_bounds() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let day = |day| NaiveDate::from_ymd_opt(2026, 5, day);
    let hour = |hour| NaiveTime::from_hms_opt(hour, 0, 0);
    let many: Vec<String> = (0..1_001).map(|number| format!("p{number}")).collect();
    let cases = [
        ("rule.multiplier.factor", NewRule::multiplier(PROGRAM, "Same", 1)),
        (
            "rule.multiplier.factor",
            NewRule::multiplier(PROGRAM, "Less", dec("0.5")),
        ),
        ("rule.multiplier.factor", NewRule::multiplier(PROGRAM, "Much", 1_001)),
        (
            "rule.multiplier.factor",
            NewRule::multiplier(PROGRAM, "Fine", dec("1.00001")),
        ),
        ("rule.bonus_points", NewRule::bonus(PROGRAM, "None", 0)),
        ("rule.bonus_points", NewRule::bonus(PROGRAM, "Less", -5)),
        ("rule.bonus_points", NewRule::bonus(PROGRAM, "Half", dec("0.5"))),
        ("rule.priority", base().priority(1_000_001)),
        ("rule.selector.categories[0]", base().category("food//coffee")),
        ("rule.selector.categories[0]", base().category("/food")),
        ("rule.selector.product_ids[0]", base().product("x".repeat(65))),
        (
            "rule.selector.product_ids",
            with(base(), |rule| rule.terms.selector.product_ids = many),
        ),
        ("rule.selector.brands[1]", base().brand("a").brand("")),
        (
            "rule.schedule.valid_until",
            scheduled(Schedule {
                valid_from: day(2),
                valid_until: day(1),
                ..Schedule::default()
            }),
        ),
        (
            "rule.schedule.time_until",
            scheduled(Schedule {
                time_from: hour(9),
                time_until: hour(9),
                ..Schedule::default()
            }),
        ),
        (
            "rule.schedule.weekdays[0]",
            scheduled(Schedule {
                weekdays: vec![Weekday::Other(8)],
                ..Schedule::default()
            }),
        ),
        (
            "rule.audience.territories[0]",
            with(base(), |rule| rule.terms.audience.territories.push("south/".to_owned())),
        ),
        ("rule.minimum_sale", base().minimum_sale(0)),
        ("rule.max_discount_percent", base().max_discount_percent(dec("100.01"))),
        ("rule.max_discount_percent", base().max_discount_percent(-1)),
        ("rule.max_points_per_sale", base().max_points_per_sale(0)),
        ("rule.max_points_per_sale", base().max_points_per_sale(dec("1.5"))),
        ("rule.exclusive", base().exclusive()),
        (
            "rule.value_per_point",
            with(base(), |rule| rule.terms.value_per_point = Some(dec("2"))),
        ),
        (
            "rule.value_per_point",
            with(base().assigned(), |rule| rule.terms.value_per_point = Some(dec("2"))),
        ),
        (
            "rule.expiry",
            with(campaign().assigned(), |rule| {
                rule.terms.expiry = Some(ExpiryPolicy::days(5))
            }),
        ),
        (
            "rule.excludes",
            NewRule::no_points(PROGRAM, "No").excludes(Exclusion {
                brands: vec!["a".to_owned()],
                ..Exclusion::default()
            }),
        ),
    ];

    for (field, rule) in cases {
        let error = shop.client.create_rule(&rule).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{}", rule.name);
    }
    assert_eq!(shop.program().await.version, 1, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_say_nothing_are_refused_since_they_would_mean_everything() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let rule = api::Rule {
        program_id: PROGRAM.to_owned(),
        name: "Base".to_owned(),
        effect: Some(api::rule::Effect::NoPoints(true)),
        ..api::Rule::default()
    };
    let cases = [
        (
            "rule.selector",
            api::Rule {
                selector: Some(api::Selector::default()),
                ..rule.clone()
            },
        ),
        (
            "rule.excludes",
            api::Rule {
                excludes: Some(api::Exclusion::default()),
                ..rule.clone()
            },
        ),
        (
            "rule.schedule",
            api::Rule {
                schedule: Some(api::Schedule::default()),
                ..rule.clone()
            },
        ),
        (
            "rule.audience",
            api::Rule {
                audience: Some(api::Audience::default()),
                ..rule.clone()
            },
        ),
        (
            "rule.no_points",
            api::Rule {
                effect: Some(api::rule::Effect::NoPoints(false)),
                ..rule
            },
        ),
    ];

    for (field, rule) in cases {
        let request = api::CreateRuleRequest {
            request_id: RequestId::generate().to_string(),
            rule: Some(rule),
        };
        let error = shop.client.raw_rules().create_rule(request).await.expect_err(field);
        assert!(error.message().starts_with(field), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_stays_a_base_and_a_campaign_a_campaign() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let base = shop.creates(&base()).await;

    let update = RuleUpdate::of(&base).effect(&RuleEffect::BonusPoints(dec("5")));
    let error = shop.client.update_rule(&update).await.expect_err("another kind");

    assert_eq!(wrong_fields(&error), ["rule.effect"]);
}
