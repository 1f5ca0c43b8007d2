//! T5: what is known of a member changes, and the rules ask what it is now.

use loyalty_sdk::{
    Audience, EarnRate, Error, MarketingConsent, Member, MemberChangeKind, MemberUpdate, NewMember, NewProgram,
    NewRule, PageRequest, RequestId,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, day, dec, instant, wrong_fields};

async fn record(shop: &Shop, member: &Member) -> Member {
    let record = shop.client.get_member(member).await;
    record.unwrap_or_else(|error| panic!("{error}")).0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let shop = Shop::earning("1", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "VIP", EarnRate::new(5, 1))
            .rule_id("vip")
            .assigned(),
    )
    .await;
    let ada = NewMember::new(PROGRAM)
        .customer_id("ada")
        .name("Ada Byron")
        .birth_date(day("1988-02-29"))
        .language("es-PE")
        .customer_group("retail");
    let before = shop.client.enroll_member(&ada).await.expect("a member");
    shop.days_pass(1);

    let update = MemberUpdate::of(&before)
        .name("Ada King")
        .territory(Some("south/lima"))
        .assigned_rule(Some("vip"))
        .marketing_consent(Some(MarketingConsent::granted()));
    let after = shop.client.update_member(&update).await.expect("a change");

    let expected = Member {
        name: "Ada King".to_owned(),
        territory: Some("south/lima".to_owned()),
        assigned_rule_id: Some("vip".into()),
        marketing_consent: Some(MarketingConsent::granted().at(shop.now())),
        updated_at: shop.now(),
        etag: after.etag.clone(),
        ..before.clone()
    };
    assert_eq!(after, expected);
    assert_ne!(after.etag, before.etag);
    assert_eq!(record(&shop, &after).await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_and_empty_becomes_empty() {
    let shop = Shop::earning("1", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "VIP", EarnRate::new(5, 1))
            .rule_id("vip")
            .assigned(),
    )
    .await;
    let ada = NewMember::new(PROGRAM)
        .customer_id("ada")
        .name("Ada")
        .birth_date(day("1988-02-29"))
        .language("es")
        .marketing_consent(MarketingConsent::granted())
        .customer_group("retail")
        .territory("south")
        .assigned_rule("vip");
    let before = shop.client.enroll_member(&ada).await.expect("a member");

    let update = MemberUpdate::of(&before)
        .name("")
        .birth_date(None)
        .language(None::<&str>)
        .marketing_consent(None)
        .customer_group(None::<&str>)
        .territory(None::<&str>)
        .assigned_rule(None::<&str>);
    let after = shop.client.update_member(&update).await.expect("a change");

    let expected = Member {
        name: String::new(),
        birth_date: None,
        language: None,
        marketing_consent: None,
        customer_group: None,
        territory: None,
        assigned_rule_id: None,
        etag: after.etag.clone(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(record(&shop, &after).await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_sale_through_any_server_is_rated_by_what_changed() {
    let shop = Shop::earning("10", "1").await;
    shop.creates(
        &NewRule::new(PROGRAM, "VIP", EarnRate::new(5, 1))
            .rule_id("vip")
            .assigned(),
    )
    .await;
    let in_the_south = Audience {
        territories: vec!["south".to_owned()],
        ..Audience::default()
    };
    shop.creates(&NewRule::new(PROGRAM, "South", EarnRate::new(2, 1)).audience(in_the_south))
        .await;
    let second_server = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    let earns = async || {
        let receipt = second_server.record_sale(&ada.sale("100")).await;
        receipt.unwrap_or_else(|error| panic!("{error}")).points_earned
    };

    let at_first = earns().await;
    let update = MemberUpdate::of(&ada.member).territory(Some("south/lima"));
    let moved = shop.client.update_member(&update).await.expect("a change");
    let in_the_south = earns().await;
    let update = MemberUpdate::of(&moved).assigned_rule(Some("vip"));
    let vip = shop.client.update_member(&update).await.expect("a change");
    let assigned = earns().await;
    let update = MemberUpdate::of(&vip)
        .assigned_rule(None::<&str>)
        .territory(None::<&str>);
    shop.client.update_member(&update).await.expect("a change");
    let at_last = earns().await;

    assert_eq!(
        [at_first, in_the_south, assigned, at_last],
        ["10", "50", "20", "10"].map(dec)
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_is_refused_and_changes_nothing() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await.member;
    let first = MemberUpdate::of(&ada).name("Ada");
    let changed = shop.client.update_member(&first).await.expect("a change");

    let stale = shop.client.update_member(&MemberUpdate::of(&ada).name("Eve")).await;

    let etag = changed.etag.clone();
    assert_eq!(stale, Err(Error::EtagMismatch { etag }));
    assert_eq!(record(&shop, &ada).await, changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_at_once_on_two_servers_exactly_one_holds() {
    let shop = Shop::earning("10", "1").await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let ada = shop.enrols("ada").await;
    let sales = ada.sale("10");

    let mut updates = JoinSet::new();
    for number in 0..12 {
        let (client, update) = (servers[number % 2].clone(), MemberUpdate::of(&ada.member));
        let update = update.name(format!("Ada {number}"));
        updates.spawn(async move { client.update_member(&update).await });
    }
    let (answers, receipt) = tokio::join!(updates.join_all(), ada.records(&sales));

    let (held, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(held, [Ok(record(&shop, &ada.member).await)]);
    assert!(
        refused
            .iter()
            .all(|answer| matches!(answer, Err(Error::EtagMismatch { .. }))),
        "{refused:?}"
    );
    assert_eq!(receipt.points_earned, dec("1"), "the record is not in the sale's way");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_update_gives_the_same_answer_also_after_others() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await.member;
    let request_id = RequestId::generate();
    let once = shop.client.with_request_id(&request_id);
    let update = MemberUpdate::of(&ada).name("Ada");

    let first = once.update_member(&update).await.expect("a change");
    shop.client
        .update_member(&MemberUpdate::of(&first).name("Augusta"))
        .await
        .expect("a change");
    let again = once.update_member(&update).await;
    let reused = once.update_member(&MemberUpdate::of(&ada).name("Eve")).await;
    let operation = shop.client.get_operation(request_id).await.expect("an operation");

    assert_eq!(again, Ok(first.clone()));
    assert!(matches!(reused, Err(Error::RequestIdReused { .. })), "{reused:?}");
    assert_eq!(
        operation.result,
        loyalty_sdk::OperationResult::Member(Box::new(first.clone()))
    );
    assert_eq!(record(&shop, &ada).await.name, "Augusta");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_stays_one_where_the_program_would_not_enrol_any_more() {
    let policy = loyalty_sdk::EnrolmentPolicy::default().territory("south");
    let shop = Shop::with_program(NewProgram::new("Club", "EUR").enrolment(policy)).await;
    let ada = NewMember::new(PROGRAM).customer_id("ada").territory("south/lima");
    let ada = shop.client.enroll_member(&ada).await.expect("a member");

    let update = MemberUpdate::of(&ada).territory(Some("north"));
    let moved = shop.client.update_member(&update).await.expect("a change");

    assert_eq!(moved.territory.as_deref(), Some("north"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let ada = shop.enrols("ada").await.member;
    let of = || MemberUpdate::of(&ada);
    let late = MarketingConsent::granted().at(instant("2026-01-15T11:00:01Z"));
    let nobody = Member {
        member_id: "ada".into(),
        ..ada.clone()
    };
    let untagged = Member {
        etag: String::new(),
        ..ada.clone()
    };
    let cases = [
        ("update_mask", of()),
        ("member.member_id", MemberUpdate::of(&nobody).name("Ada")),
        ("member.etag", MemberUpdate::of(&untagged).name("Ada")),
        ("member.name", of().name("n".repeat(201))),
        ("member.birth_date", of().birth_date(Some(day("2026-01-17")))),
        ("member.birth_date", of().birth_date(Some(day("1899-12-31")))),
        ("member.language", of().language(Some("spanish language"))),
        (
            "member.marketing_consent.decided_at",
            of().marketing_consent(Some(late)),
        ),
        ("member.customer_group", of().customer_group(Some("a//b"))),
        ("member.territory", of().territory(Some("/"))),
        ("member.assigned_rule_id", of().assigned_rule(Some("nothing"))),
        ("member.assigned_rule_id", of().assigned_rule(Some("No Slug"))),
    ];

    for (field, update) in cases {
        let error = shop.client.update_member(&update).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{update:?}");
    }
    let stranger = Member {
        member_id: "0a1b2c3d-0000-4000-8000-000000000000".into(),
        ..ada.clone()
    };
    let stranger = shop
        .client
        .update_member(&MemberUpdate::of(&stranger).name("Ada"))
        .await;
    let field = "member.member_id".to_owned();
    assert_eq!(stranger, Err(Error::MemberNotFound { field }));
    assert_eq!(record(&shop, &ada).await, ada);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_a_member_say_who_made_them_newest_first_in_pages() {
    let shop = Shop::earning("10", "1").await;
    let ada = shop.enrols("ada").await.member;
    let ana = shop.client.with_actor("ana");
    let first = MemberUpdate::of(&ada).name("Ada King");
    let changed = ana.with_request_id("first").update_member(&first).await;
    let changed = changed.expect("a change");
    shop.days_pass(1);
    let second = MemberUpdate::of(&changed).language(Some("en"));
    shop.client.update_member(&second).await.expect("a change");

    let mut changes = Vec::new();
    let mut next = Some(PageRequest::of(1));
    while let Some(page) = next {
        let page = shop.client.list_member_changes(&ada, &page).await.expect("a page");
        assert!(page.items.len() <= 1);
        changes.extend(page.items);
        next = page.next;
    }
    let nobody = shop
        .client
        .list_member_changes("0a1b2c3d-0000-4000-8000-000000000000", &PageRequest::default())
        .await;

    let told: Vec<_> = changes
        .iter()
        .map(|change| {
            (
                change.version,
                change.kind,
                change.actor.as_str(),
                change.reason.as_str(),
            )
        })
        .collect();
    let updated = MemberChangeKind::Updated;
    assert_eq!(told, [(3, updated, "development", ""), (2, updated, "ana", "")]);
    assert_eq!(changes[0].changed_at, shop.now());
    assert_eq!(changes[1].request_id.as_str(), "first");
    assert!(matches!(nobody, Err(Error::MemberNotFound { .. })), "{nobody:?}");
    let kept = crate::harness::books::texts(
        &mut shop.database().await,
        "SELECT CONCAT(reason, actor, request_id) AS value FROM member_change",
    )
    .await;
    assert!(kept.iter().all(|text| !text.contains("King")), "{kept:?}");
}
