//! Rules are created, read, listed, changed and archived, and every change is a version of the program.

use loyalty_sdk::{
    EarnRate, EarnReason, Error, NewProgram, NewRule, PageRequest, RateSource, RequestId, Rounding, RuleUpdate, api,
};

use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_read_as_it_was_created() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let rate = EarnRate::new(dec("0.5"), dec("1.2345"))
        .rounding(Rounding::Ceiling)
        .complete_steps();
    let new = NewRule::new(PROGRAM, "Base — «1 por 0,50»", rate).rule_id("base.1");

    let created = shop.client.create_rule(&new).await.expect("a rule");

    assert_eq!(shop.client.get_rule(PROGRAM, "base.1").await, Ok(created.clone()));
    let as_sent = NewRule {
        program_id: created.program_id,
        rule_id: Some(created.rule_id),
        name: created.name,
        terms: created.terms,
    };
    assert_eq!(as_sent, new);
    let since = (created.archived, created.since_version, created.updated_at);
    assert_eq!(since, (false, 2, instant("2026-01-15T10:00:00Z")));
    assert_eq!(shop.program().await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let page = PageRequest::default();

    let rule = shop.client.get_rule(PROGRAM, "base").await;
    let program = shop.client.list_rules("other", &page).await;
    let rule_of_other = shop
        .client
        .create_rule(&NewRule::new("other", "Base", EarnRate::new(1, 1)))
        .await;
    let none = shop.client.list_rules(PROGRAM, &page).await.expect("a page");

    let (program_id, rule_id) = (PROGRAM.into(), "base".into());
    assert_eq!(rule, Err(Error::RuleNotFound { program_id, rule_id }));
    assert_eq!(
        program,
        Err(Error::ProgramNotFound {
            program_id: "other".into()
        })
    );
    assert_eq!(
        rule_of_other,
        Err(Error::ProgramNotFound {
            program_id: "other".into()
        })
    );
    assert_eq!((none.items, none.next), (vec![], None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_default_rule_is_a_tie_until_the_first_is_archived() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let rule = |id: &str| NewRule::new(PROGRAM, id, EarnRate::new(1, 1)).rule_id(id);
    let first = shop.client.create_rule(&rule("first")).await.expect("a rule");

    let same_id = shop.client.create_rule(&rule("first")).await;
    let tie = shop.client.create_rule(&rule("second")).await;
    shop.client
        .archive_rule(PROGRAM, "first", first.etag)
        .await
        .expect("archived");
    let second = shop.client.create_rule(&rule("second")).await;
    let id_of_the_archived = shop.client.create_rule(&rule("first")).await;

    let exists = Err(Error::RuleExists {
        program_id: PROGRAM.into(),
        rule_id: "first".into(),
    });
    assert_eq!(same_id, exists);
    assert_eq!(
        tie,
        Err(Error::RuleTie {
            rule_id: "first".into()
        })
    );
    assert_eq!(second.expect("no tie any more").since_version, 4);
    assert_eq!(id_of_the_archived, exists);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_listed_by_id_with_the_archived_ones() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    for id in ["m", "c", "x"] {
        let rule = NewRule::new(PROGRAM, id, EarnRate::new(1, 1)).rule_id(id);
        let rule = shop.client.create_rule(&rule).await.expect("a rule");
        shop.client
            .archive_rule(PROGRAM, id, rule.etag)
            .await
            .expect("archived");
    }

    let mut listed = Vec::new();
    let mut next = Some(PageRequest::of(1));
    while let Some(page) = next {
        let page = shop.client.list_rules(PROGRAM, &page).await.expect("a page");
        listed.extend(
            page.items
                .into_iter()
                .map(|rule| (rule.rule_id.to_string(), rule.archived)),
        );
        next = page.next;
    }

    assert_eq!(listed, ["c", "m", "x"].map(|id| (id.to_owned(), true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_a_rule_needs_the_etag_that_was_read() {
    let shop = Shop::earning("10", "1").await;
    let read = shop
        .client
        .list_rules(PROGRAM, &PageRequest::default())
        .await
        .expect("rules")
        .items
        .remove(0);
    shop.days_pass(1);

    let renamed = shop
        .client
        .update_rule(&RuleUpdate::of(&read).name("Base"))
        .await
        .expect("an update");
    let stale = shop
        .client
        .update_rule(&RuleUpdate::of(&read).earn_rate(EarnRate::new(1, 1)))
        .await;
    let stale_archive = shop
        .client
        .archive_rule(PROGRAM, read.rule_id.clone(), read.etag.as_str())
        .await;

    assert_eq!((renamed.name.as_str(), &renamed.terms), ("Base", &read.terms));
    assert_eq!(
        (renamed.since_version, renamed.updated_at),
        (3, instant("2026-01-16T10:00:00Z"))
    );
    let mismatch = Err(Error::EtagMismatch {
        etag: renamed.etag.clone(),
    });
    assert_eq!(stale, mismatch);
    assert_eq!(stale_archive, mismatch);
    assert_eq!(shop.client.get_rule(PROGRAM, read.rule_id).await, Ok(renamed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_rule_cannot_be_changed_and_does_not_earn() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let rule = shop
        .client
        .list_rules(PROGRAM, &PageRequest::default())
        .await
        .expect("rules")
        .items
        .remove(0);
    let source = Some(RateSource::Rule(rule.rule_id.clone()));
    assert_eq!(ada.buys("100.00").await.lines[0].source, source);

    let archived = shop
        .client
        .archive_rule(PROGRAM, rule.rule_id.clone(), rule.etag)
        .await
        .expect("archived");

    assert!(archived.archived);
    let refusal = Err(Error::RuleArchived {
        rule_id: rule.rule_id.clone(),
    });
    assert_eq!(
        shop.client.update_rule(&RuleUpdate::of(&archived).name("New")).await,
        refusal
    );
    assert_eq!(
        shop.client.archive_rule(PROGRAM, rule.rule_id, archived.etag).await,
        refusal
    );
    let receipt = ada.buys("100.00").await;
    assert_eq!((receipt.points_earned, receipt.rates), (dec("0"), vec![]));
    assert_eq!(
        (receipt.lines[0].reason, &receipt.lines[0].source),
        (EarnReason::NoRate, &None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_rises_with_each_change_and_recorded_sales_keep_theirs() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100.00");
    let first = ada.records(&sale).await;

    let rule = shop
        .client
        .list_rules(PROGRAM, &PageRequest::default())
        .await
        .expect("rules")
        .items
        .remove(0);
    shop.client
        .update_rule(&RuleUpdate::of(&rule).earn_rate(EarnRate::new(1, 1)))
        .await
        .expect("an update");
    shop.changes(|club| club.name("Klub")).await;
    let second = ada.buys("100.00").await;
    let first_again = ada.records(&sale).await;

    assert_eq!((first.program_version, first.points_earned), (2, dec("10")));
    assert_eq!((second.program_version, second.points_earned), (4, dec("100")));
    assert_eq!((first_again.program_version, first_again.points_earned), (2, dec("10")));
    let versions: Vec<u32> = ada.history().await.iter().map(|entry| entry.program_version).collect();
    assert_eq!(versions, [4, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_change_of_a_rule_is_made_once() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let client = shop.client.with_request_id(RequestId::generate());
    let new = NewRule::new(PROGRAM, "Base", EarnRate::new(10, 1));

    let created = client.create_rule(&new).await.expect("a rule");
    let again = client.create_rule(&new).await;
    let other = client
        .create_rule(&NewRule::new(PROGRAM, "Base", EarnRate::new(5, 1)))
        .await;

    assert_eq!(again, Ok(created));
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
    assert_eq!(shop.program().await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let rule = |rate: EarnRate| NewRule::new(PROGRAM, "Base", rate);
    let good = || rule(EarnRate::new(1, 1));

    let cases = [
        (
            "rule.name",
            NewRule {
                name: String::new(),
                ..good()
            },
        ),
        ("rule.rule_id", good().rule_id("Base Rule")),
        (
            "rule.program_id",
            NewRule {
                program_id: "".into(),
                ..good()
            },
        ),
        ("rule.earn_rate.amount", rule(EarnRate::new(0, 1))),
        ("rule.earn_rate.amount", rule(EarnRate::new(-10, 1))),
        ("rule.earn_rate.points", rule(EarnRate::new(1, 0))),
        ("rule.earn_rate.points", rule(EarnRate::new(1, dec("0.00001")))),
        ("rule.earn_rate.points", rule(EarnRate::new(1, dec("1000000000.0001")))),
        (
            "rule.earn_rate.rounding",
            rule(EarnRate::new(1, 1).rounding(Rounding::Other(5))),
        ),
        ("rule.earn_rate.vat_percent", rule(EarnRate::new(1, 1).vat_percent(24))),
    ];
    for (field, rule) in cases {
        let error = shop.client.create_rule(&rule).await.expect_err(field);

        assert_eq!(wrong_fields(&error), [field], "{rule:?}");
    }
    let without_rate = api::CreateRuleRequest {
        request_id: RequestId::generate().to_string(),
        rule: Some(api::Rule {
            program_id: PROGRAM.to_owned(),
            name: "Base".to_owned(),
            ..api::Rule::default()
        }),
    };
    let error = shop
        .client
        .raw_rules()
        .create_rule(without_rate)
        .await
        .expect_err("no rate");

    assert!(error.message().starts_with("rule.effect:"), "{error}");
    assert_eq!(shop.program().await.version, 1);
}
