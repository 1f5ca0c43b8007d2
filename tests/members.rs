//! T5: customers are enrolled, each identifier once in a program, and found by any of them.

use loyalty_sdk::{Error, Identifier, MemberId, MemberKey, NewMember, NewProgram, RequestId};
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

fn taken(field: &str, member_id: &MemberId) -> Error {
    Error::IdentifierTaken {
        field: field.to_owned(),
        member_id: member_id.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_found_by_each_identifier_and_by_its_id() {
    let shop = Shop::earning("10", "1").await;
    let new = NewMember::new(PROGRAM)
        .card("7700123")
        .customer_id("c-17")
        .name("Ada Lovelace");

    let member = shop.client.enroll_member(&new).await.expect("a member");

    assert_eq!(
        (member.program_id.as_str(), member.name.as_str()),
        (PROGRAM, "Ada Lovelace")
    );
    assert_eq!(member.enrolled_at, instant("2026-01-15T10:00:00Z"));
    let keys = [
        MemberKey::card("7700123"),
        MemberKey::customer_id("c-17"),
        MemberKey::from(&member),
    ];
    for key in keys {
        let (found, balance) = shop.client.lookup_member(&key).await.expect("the member");
        let in_program = shop
            .client
            .lookup_member(key.clone().in_program(PROGRAM))
            .await
            .expect("the member");

        assert_eq!(found, member, "{key:?}");
        assert_eq!((&found, &balance), (&in_program.0, &in_program.1));
        assert_eq!((balance.available, balance.next_expiry_at), (dec("0"), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_identifier_is_enough() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;

    let by_card = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).card("1"))
        .await
        .expect("a member");
    let by_customer = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).customer_id("1"))
        .await
        .expect("a member");

    assert_ne!(
        by_card.member_id, by_customer.member_id,
        "a card and a customer number are different things"
    );
    assert_eq!(by_card.identifiers, [Identifier::Card("1".to_owned())]);
    assert_eq!(by_customer.identifiers, [Identifier::CustomerId("1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_is_taken_names_its_member() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let ada = NewMember::new(PROGRAM).customer_id("ada").card("1");
    let ada = shop.client.enroll_member(&ada).await.expect("a member").member_id;

    let by_card = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).card("1").customer_id("bob"))
        .await;
    let by_customer = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).card("2").customer_id("ada"))
        .await;
    let bob = shop.client.lookup_member(MemberKey::customer_id("bob")).await;

    assert_eq!(by_card, Err(taken("identifiers[0]", &ada)));
    assert_eq!(by_customer, Err(taken("identifiers[1]", &ada)));
    assert_eq!(
        bob,
        Err(Error::MemberNotFound {
            field: "member".to_owned()
        }),
        "a refusal enrols nobody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_of_two_programs_is_ambiguous_until_the_program_is_said() {
    let shop = Shop::earning("10", "1").await;
    let other = shop
        .client
        .create_program(&NewProgram::new("Other", "EUR").program_id("other"))
        .await;
    other.expect("a program");
    let ada = shop.enrols("ada").await;
    let elsewhere = NewMember::new("other").customer_id("ada");
    let elsewhere = shop
        .client
        .enroll_member(&elsewhere)
        .await
        .expect("free in another program");

    let ambiguous = Error::AmbiguousMember {
        program_ids: vec![PROGRAM.into(), "other".into()],
    };
    assert_eq!(shop.client.lookup_member(&ada.key).await, Err(ambiguous.clone()));
    assert_eq!(shop.client.get_balance(&ada.key).await, Err(ambiguous.clone()));
    assert_eq!(ada.tries(&ada.sale("10.00")).await, Err(ambiguous));
    let receipt = ada.records(&ada.sale("10.00").program(PROGRAM)).await;
    assert_eq!(
        (&receipt.member_id, receipt.points_earned),
        (&ada.member.member_id, dec("1"))
    );
    let (found, _) = shop
        .client
        .lookup_member(ada.key.clone().in_program("other"))
        .await
        .expect("the member");
    assert_eq!(found, elsewhere);
    let mismatch = shop
        .client
        .lookup_member(MemberKey::from(&elsewhere).in_program(PROGRAM))
        .await;
    assert_eq!(
        mismatch,
        Err(Error::MemberNotFound {
            field: "member".to_owned()
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_tills_that_enrol_the_same_customer_at_once_exactly_one_succeeds() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let tills = [shop.client.clone(), shop.second_server().await];

    let mut enrolments = JoinSet::new();
    for till in 0..32 {
        let client = tills[till % 2].clone();
        let member = NewMember::new(PROGRAM).customer_id("ada").card(format!("card-{till}"));
        enrolments.spawn(async move { client.enroll_member(&member).await });
    }
    let answers = enrolments.join_all().await;

    let (enrolled, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let (ada, _) = shop
        .client
        .lookup_member(MemberKey::customer_id("ada"))
        .await
        .expect("the member");
    assert_eq!(enrolled, [Ok(ada.clone())]);
    assert_eq!(refused.len(), 31);
    for error in refused {
        assert_eq!(error, Err(taken("identifiers[0]", &ada.member_id)));
    }
    for till in 0..32 {
        let card = format!("card-{till}");
        let is_adas = ada.identifiers.contains(&Identifier::Card(card.clone()));
        let found = shop.client.lookup_member(MemberKey::card(card)).await;
        assert_eq!(found.is_ok(), is_adas, "no trace of card {till} of a refused enrolment");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_identifiers_come_back_in_every_script_and_with_every_quote() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let texts = [
        "Ελένη Παπαδοπούλου",
        "👩🏽‍🚀🦤",
        "'\";--",
        r"C:\cards\0\'%_",
        "Robert'); DROP TABLE member;--",
        "Ñandú ß İ ﬁ",
        "\\",
        "`backtick` ${x} #{y} ? :name",
    ];

    for text in texts {
        let new = NewMember::new(PROGRAM)
            .customer_id(text)
            .card(format!("{text}-card"))
            .name(text);
        let member = shop
            .client
            .enroll_member(&new)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let (found, _) = shop
            .client
            .lookup_member(MemberKey::customer_id(text))
            .await
            .expect(text);

        assert_eq!(found, member);
        assert_eq!(found.name, text);
        assert!(found.identifiers.contains(&Identifier::CustomerId(text.to_owned())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_told_apart_by_case_accents_and_composition() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let alike = ["ada", "Ada", "ADA", "àda", "a\u{300}da", "ａｄａ", "straße", "strasse"];

    let mut members = Vec::new();
    for text in alike {
        members.push(shop.enrols(text).await.member);
    }

    for (text, member) in alike.into_iter().zip(members) {
        let (found, _) = shop
            .client
            .lookup_member(MemberKey::customer_id(text))
            .await
            .expect(text);
        assert_eq!(found, member, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_needs_a_program_that_is_open() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let enrol = |program: &str| NewMember::new(program).customer_id("ada");

    let unknown = shop.client.enroll_member(&enrol("other")).await;
    shop.changes(|club| club.state(loyalty_sdk::ProgramState::Draft)).await;
    let draft = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).customer_id("early"))
        .await;
    shop.client
        .archive_program(PROGRAM, shop.program().await.etag)
        .await
        .expect("archived");
    let archived = shop.client.enroll_member(&enrol(PROGRAM)).await;

    assert_eq!(
        unknown,
        Err(Error::ProgramNotFound {
            program_id: "other".into()
        })
    );
    assert!(draft.is_ok(), "members can be enrolled while a program is prepared");
    assert_eq!(
        archived,
        Err(Error::ProgramArchived {
            program_id: PROGRAM.into()
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_enrolment_gives_the_same_member() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let till = shop.client.with_request_id(RequestId::generate());
    let ada = NewMember::new(PROGRAM).customer_id("ada").card("1").name("Ada");

    let first = till.enroll_member(&ada).await.expect("a member");
    shop.days_pass(1);
    let again = till.enroll_member(&ada).await;
    let elsewhere = shop.second_server().await;
    let request_id = RequestId::from("enrol-2");
    let refused = elsewhere.with_request_id(&request_id).enroll_member(&ada).await;
    let other = till
        .enroll_member(&NewMember {
            name: "Bea".to_owned(),
            ..ada
        })
        .await;

    assert_eq!(again, Ok(first.clone()));
    assert_eq!(refused, Err(taken("identifiers[0]", &first.member_id)));
    assert!(matches!(other, Err(Error::RequestIdReused { .. })), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let new = || NewMember::new(PROGRAM);

    let cases = [
        ("identifiers", new()),
        ("identifiers[0].customer_id", new().customer_id("")),
        ("identifiers[0].card", new().card("x".repeat(129))),
        ("identifiers[0].customer_id", new().customer_id("trailing ")),
        ("identifiers[0].customer_id", new().customer_id("a\0b")),
        ("identifiers[1]", new().card("1").card("2")),
        ("name", new().card("1").name("n".repeat(201))),
        ("program_id", NewMember::new("Club").card("1")),
    ];
    for (field, member) in cases {
        let error = shop.client.enroll_member(&member).await.expect_err(field);

        assert_eq!(wrong_fields(&error), [field], "{member:?}");
    }
    let longest = new().card("ñ".repeat(128)).name("🦤".repeat(200));
    shop.client
        .enroll_member(&longest)
        .await
        .expect("the longest that is allowed");
}
