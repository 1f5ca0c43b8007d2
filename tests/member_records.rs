//! T5: what is known of a member, and who may say what.

use loyalty_sdk::{EarnRate, Error, MarketingConsent, MemberKey, NewMember, NewProgram, NewRule};

use crate::harness::{PROGRAM, Shop, day, dec, instant, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_holds_all_that_was_said_of_the_customer() {
    let shop = Shop::earning("1", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "VIP", EarnRate::new(5, 1))
            .rule_id("vip")
            .assigned(),
    )
    .await;
    let said = instant("2026-01-10T08:30:00Z");
    let new = NewMember::new(PROGRAM)
        .customer_id("ada")
        .phone("+51 1 555 0100")
        .name("Ada Lovelace")
        .birth_date(day("1988-02-29"))
        .language("es-PE")
        .marketing_consent(MarketingConsent::refused().at(said))
        .customer_group("retail/vip")
        .territory("south/lima")
        .assigned_rule("vip");

    let enrolled = shop.client.enroll_member(&new).await.expect("a member");
    let (ada, balance) = shop.client.get_member(&enrolled).await.expect("the member");

    assert_eq!(ada, enrolled);
    assert_eq!(
        (ada.name.as_str(), ada.birth_date, ada.language.as_deref()),
        ("Ada Lovelace", Some(day("1988-02-29")), Some("es-PE"))
    );
    assert_eq!(ada.marketing_consent, Some(MarketingConsent::refused().at(said)));
    assert_eq!(
        (ada.customer_group.as_deref(), ada.territory.as_deref()),
        (Some("retail/vip"), Some("south/lima"))
    );
    assert_eq!(ada.assigned_rule_id, Some("vip".into()));
    assert_eq!((ada.enrolled_at, ada.updated_at), (shop.now(), shop.now()));
    assert!(!ada.etag.is_empty());
    assert_eq!(ada.identifiers.len(), 2);
    assert_eq!(balance.available, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instant_of_any_year_comes_back_as_it_was_said() {
    let shop = Shop::earning("10", "1").await;
    let years = ["0001", "0050", "0099", "0969", "0970", "0999", "1000", "1969", "2025"];

    for year in years {
        let said = MarketingConsent::granted().at(instant(&format!("{year}-02-03T04:05:06.789012Z")));
        let member = NewMember::new(PROGRAM).customer_id(year).marketing_consent(said);
        let enrolled = shop.client.enroll_member(&member).await.expect("a member");

        let (read, _) = shop.client.get_member(enrolled.member_id).await.expect("a member");

        assert_eq!(read.marketing_consent, Some(said));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_said_is_empty_and_consent_without_a_time_is_given_now() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;

    let plain = shop.enrols("ada").await.member;
    let consenting = NewMember::new(PROGRAM)
        .customer_id("ben")
        .marketing_consent(MarketingConsent::granted());
    let consenting = shop.client.enroll_member(&consenting).await.expect("a member");

    assert_eq!(
        (plain.birth_date, plain.language, plain.marketing_consent),
        (None, None, None)
    );
    let now = MarketingConsent::granted().at(shop.now());
    assert_eq!(consenting.marketing_consent, Some(now));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_balance_of_a_record_is_that_of_the_till() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await;
    let receipt = ada.buys("250").await;

    let (_, balance) = shop.client.get_member(&ada.member).await.expect("the member");

    assert_eq!(balance, receipt.balance);
    assert_eq!(balance, ada.balance().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_none_is_not_found() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;

    let unknown = shop.client.get_member("0a1b2c3d-0000-4000-8000-000000000000").await;
    let malformed = shop.client.get_member("ada").await.expect_err("no id");
    let empty = shop.client.get_member("").await.expect_err("no id");

    let field = "member_id".to_owned();
    assert_eq!(unknown, Err(Error::MemberNotFound { field }));
    assert_eq!(wrong_fields(&malformed), ["member_id"]);
    assert_eq!(wrong_fields(&empty), ["member_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_rule_is_one_of_the_program() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let other = NewProgram::new("Other", "EUR").program_id("other");
    shop.client.create_program(&other).await.expect("a program");
    shop.creates(&NewRule::new("other", "Theirs", EarnRate::new(5, 1)).rule_id("theirs"))
        .await;
    let old = shop
        .creates(&NewRule::new(PROGRAM, "Old", EarnRate::new(5, 1)).rule_id("old"))
        .await;
    shop.client
        .archive_rule(PROGRAM, "old", old.etag)
        .await
        .expect("an archived rule");

    for rule in ["nothing", "theirs", "old"] {
        let new = NewMember::new(PROGRAM).customer_id("ada").assigned_rule(rule);
        let refused = shop.client.enroll_member(&new).await.expect_err(rule);
        assert_eq!(wrong_fields(&refused), ["assigned_rule_id"], "{rule}");
    }

    let nobody = shop.client.lookup_member(MemberKey::customer_id("ada")).await;
    assert!(matches!(nobody, Err(Error::MemberNotFound { .. })), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_said_of_nobody_is_refused_by_the_name_of_its_field() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let new = || NewMember::new(PROGRAM).customer_id("ada");
    let consent = |at| MarketingConsent::granted().at(instant(at));
    let cases = [
        ("birth_date", new().birth_date(day("2026-01-17"))),
        ("birth_date", new().birth_date(day("1899-12-31"))),
        ("language", new().language("spanish language")),
        ("language", new().language("e")),
        ("language", new().language("es_PE")),
        ("language", new().language("es-")),
        ("language", new().language(format!("es{}", "-abcdefgh".repeat(4)))),
        (
            "marketing_consent.decided_at",
            new().marketing_consent(consent("2026-01-15T11:00:01Z")),
        ),
    ];

    for (field, member) in cases {
        let error = shop.client.enroll_member(&member).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{member:?}");
    }
    let youngest = new()
        .birth_date(day("2026-01-16"))
        .language("de-CH-1996")
        .marketing_consent(consent("2026-01-15T11:00:00Z"));
    shop.client.enroll_member(&youngest).await.expect("just allowed");
}
