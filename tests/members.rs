//! T5: members are found by any of their identifiers, each of which is one member's in a program.

use loyalty_sdk::{Error, Identifier, MemberId, MemberKey, NewMember, NewProgram};

use crate::harness::{PROGRAM, Shop, dec, instant};

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
        // What nobody sees can be in a name, and in no identifier.
        let identifier = &*text.replace('\u{200d}', "");
        let new = NewMember::new(PROGRAM)
            .customer_id(identifier)
            .card(format!("{identifier}-card"))
            .name(text);
        let member = shop
            .client
            .enroll_member(&new)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let (found, _) = shop
            .client
            .lookup_member(MemberKey::customer_id(identifier))
            .await
            .expect(text);

        assert_eq!(found, member);
        assert_eq!(found.name, text);
        assert!(
            found
                .identifiers
                .contains(&Identifier::CustomerId(identifier.to_owned()))
        );
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
