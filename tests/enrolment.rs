//! T5, S1: a customer is enrolled once, however many tills try and however often one repeats it.

use loyalty_sdk::{Error, Identifier, MemberId, MemberKey, NewMember, NewProgram, RequestId};
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, wrong_fields};

fn taken(field: &str, member_id: &MemberId) -> Error {
    Error::IdentifierTaken {
        field: field.to_owned(),
        member_id: member_id.clone(),
    }
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
