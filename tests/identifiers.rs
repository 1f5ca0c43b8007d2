//! What members are known by, and that each finds its member however it is written.

use loyalty_sdk::{Error, Identifier, MemberKey, NewMember, NewProgram};

use crate::harness::{PROGRAM, Shop, wrong_fields};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_found_by_any_identifier_however_it_is_written() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let new = NewMember::new(PROGRAM)
        .customer_id("ada")
        .card("111")
        .card("222")
        .phone("+51 (1) 555-0100")
        .email("Ada@Example.org")
        .qr_code("loyal:ada");
    let ada = shop.client.enroll_member(&new).await.expect("a member");
    let keys = [
        MemberKey::customer_id("ada"),
        MemberKey::card("111"),
        MemberKey::card("222"),
        MemberKey::phone("+5115550100"),
        MemberKey::phone("+51.1.555 01 00"),
        MemberKey::email("ada@example.ORG"),
        MemberKey::qr_code("loyal:ada"),
    ];

    for key in keys {
        let found = shop.client.lookup_member(key.clone()).await;
        assert_eq!(found.map(|(member, _)| member).as_ref(), Ok(&ada), "{key:?}");
    }
    assert!(ada.identifiers.contains(&Identifier::Phone("+5115550100".to_owned())));
    assert!(
        ada.identifiers
            .contains(&Identifier::Email("ada@example.org".to_owned()))
    );
    let other = shop.client.lookup_member(MemberKey::card("ada")).await;
    assert!(
        matches!(other, Err(Error::MemberNotFound { .. })),
        "a card is no customer id"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_is_taken_also_when_it_is_written_otherwise() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let ada = NewMember::new(PROGRAM).phone("555-0100").email("ada@example.org");
    let ada = shop.client.enroll_member(&ada).await.expect("a member");

    let ben = NewMember::new(PROGRAM).customer_id("ben").phone("(555) 0100");
    let refused = shop.client.enroll_member(&ben).await;

    let taken = Error::IdentifierTaken {
        field: "identifiers[1]".to_owned(),
        member_id: ada.member_id,
    };
    assert_eq!(refused, Err(taken));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_can_be_none_is_refused_by_the_name_of_its_field() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let new = || NewMember::new(PROGRAM);
    let many = (0..11).fold(new(), |new, number| new.card(format!("card-{number}")));
    let cases = [
        ("identifiers[0].phone", new().phone("call me")),
        ("identifiers[0].phone", new().phone("+1")),
        ("identifiers[0].email", new().email("ada")),
        ("identifiers[0].email", new().email("@example.org")),
        ("identifiers[0].qr_code", new().qr_code("")),
        ("identifiers[1]", new().customer_id("a").customer_id("b")),
        ("identifiers[1]", new().email("a@b.c").email("A@b.c")),
        ("identifiers", many),
        ("customer_group", new().card("1").customer_group("a//b")),
        ("territory", new().card("1").territory("south/")),
        ("assigned_rule_id", new().card("1").assigned_rule("No Slug")),
    ];

    for (field, member) in cases {
        let error = shop.client.enroll_member(&member).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{member:?}");
    }
    let by_phone = shop
        .client
        .get_balance(MemberKey::phone("x"))
        .await
        .expect_err("no number");
    assert_eq!(wrong_fields(&by_phone), ["member.phone"]);
}
