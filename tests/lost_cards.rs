//! T5: identifiers of a member are replaced, added and removed; each is one member's in a program.

use loyalty_sdk::{
    Error, Identifier, Member, MemberChangeKind, MemberKey, NewMember, NewProgram, PageRequest, RequestId, Sale,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, wrong_fields};

fn card(number: &str) -> Identifier {
    Identifier::Card(number.to_owned())
}

fn customer_id(id: &str) -> Identifier {
    Identifier::CustomerId(id.to_owned())
}

async fn enrols(shop: &Shop, member: NewMember) -> Member {
    let member = shop.client.enroll_member(&member).await;
    member.unwrap_or_else(|error| panic!("{error}"))
}

async fn found(shop: &Shop, key: MemberKey) -> Option<Member> {
    match shop.client.lookup_member(key).await {
        Ok((member, _)) => Some(member),
        Err(Error::MemberNotFound { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// A sale of ten euro to whoever has the card.
fn sale_to(shop: &Shop, number: &str) -> Sale {
    Sale::new(shop.next_sale_id(), "store-1", MemberKey::card(number), "EUR", 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_card_finds_the_member_and_the_lost_one_nobody() {
    let shop = Shop::earning("1", "1").await;
    let second_server = shop.second_server().await;
    let ada = enrols(&shop, NewMember::new(PROGRAM).customer_id("ada").card("lost")).await;
    shop.client.record_sale(&sale_to(&shop, "lost")).await.expect("a sale");
    shop.days_pass(1);

    let replaced = shop
        .client
        .replace_identifier(&ada, &card("lost"), &card("new"))
        .await
        .expect("a member");
    let by_lost = second_server.record_sale(&sale_to(&shop, "lost")).await;
    let by_new = second_server.record_sale(&sale_to(&shop, "new")).await.expect("a sale");

    assert_eq!(replaced.identifiers, [customer_id("ada"), card("new")]);
    assert_eq!(replaced.updated_at, shop.now());
    assert_ne!(replaced.etag, ada.etag);
    assert_eq!(
        by_lost,
        Err(Error::MemberNotFound {
            field: "sale.member".to_owned()
        })
    );
    assert_eq!(
        (&by_new.member_id, by_new.balance.available),
        (&ada.member_id, dec("20"))
    );
    assert_eq!(found(&shop, MemberKey::card("lost")).await, None);
    for key in [
        MemberKey::card("new"),
        MemberKey::customer_id("ada"),
        MemberKey::from(&ada),
    ] {
        assert_eq!(found(&shop, key).await.as_ref(), Some(&replaced));
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_made_with_the_lost_card_comes_again_and_is_answered_as_before() {
    let shop = Shop::earning("1", "1").await;
    let ada = enrols(&shop, NewMember::new(PROGRAM).card("lost")).await;
    let (till, sale) = (shop.client.with_request_id("once"), sale_to(&shop, "lost"));
    let first = till.record_sale(&sale).await.expect("a sale");
    shop.client
        .replace_identifier(&ada, &card("lost"), &card("new"))
        .await
        .expect("a member");

    let same_request = till.record_sale(&sale).await.expect("a sale");
    let other_request = shop.client.record_sale(&sale).await.expect("a sale");

    for again in [same_request, other_request] {
        assert!(again.replayed);
        assert_eq!(
            (again.member_id, again.points_earned),
            (first.member_id.clone(), dec("10"))
        );
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_are_added_and_removed_and_a_freed_one_is_anybodys() {
    let shop = Shop::earning("1", "1").await;
    let ada = enrols(&shop, NewMember::new(PROGRAM).card("1")).await;

    let phone = Identifier::Phone("+51 (1) 555-0100".to_owned());
    let added = shop.client.add_identifier(&ada, &phone).await.expect("a member");
    let removed = shop.client.remove_identifier(&ada, &card("1")).await.expect("a member");
    let ben = enrols(&shop, NewMember::new(PROGRAM).customer_id("ben").card("1")).await;

    let written = Identifier::Phone("+5115550100".to_owned());
    assert_eq!(added.identifiers, [card("1"), written.clone()]);
    assert_eq!(removed.identifiers, [written]);
    assert_eq!(found(&shop, MemberKey::phone("+51 1 5550100")).await, Some(removed));
    assert_eq!(found(&shop, MemberKey::card("1")).await, Some(ben));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_is_taken_names_its_member_and_nothing_changes() {
    let shop = Shop::earning("1", "1").await;
    let other = NewProgram::new("Other", "EUR").program_id("other");
    shop.client.create_program(&other).await.expect("a program");
    let ada = enrols(&shop, NewMember::new(PROGRAM).card("1").card("2")).await;
    let ben = enrols(&shop, NewMember::new(PROGRAM).card("3")).await;
    enrols(&shop, NewMember::new("other").card("4")).await;

    let of_ben = shop.client.replace_identifier(&ada, &card("1"), &card("3")).await;
    let own = shop.client.add_identifier(&ada, &card("2")).await;
    let unknown = shop.client.remove_identifier(&ada, &card("3")).await;
    let elsewhere = shop.client.add_identifier(&ada, &card("4")).await.expect("a member");

    let taken = |member: &Member| {
        Err(Error::IdentifierTaken {
            field: "new_identifier".to_owned(),
            member_id: member.member_id.clone(),
        })
    };
    assert_eq!(of_ben, taken(&ben));
    assert_eq!(own, taken(&ada));
    let field = "old_identifier".to_owned();
    assert_eq!(unknown, Err(Error::IdentifierNotFound { field }));
    assert_eq!(
        elsewhere.identifiers,
        [card("1"), card("2"), card("4")],
        "an identifier is one member's in each program"
    );
    assert_eq!(found(&shop, MemberKey::card("3")).await, Some(ben));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_has_one_to_ten_identifiers_and_one_customer_id() {
    let shop = Shop::earning("1", "1").await;
    let ten = (0..9).fold(NewMember::new(PROGRAM).customer_id("ada"), |new, number| {
        new.card(format!("card-{number}"))
    });
    let ada = enrols(&shop, ten).await;
    let ben = enrols(&shop, NewMember::new(PROGRAM).customer_id("ben")).await;
    let limit = |field: &str| {
        let field = field.to_owned();
        Err(Error::IdentifierLimit { field })
    };

    let eleventh = shop.client.add_identifier(&ada, &card("11")).await;
    let second_customer_id = shop.client.add_identifier(&ben, &customer_id("bob")).await;
    let last = shop.client.remove_identifier(&ben, &customer_id("ben")).await;
    let swapped = shop
        .client
        .replace_identifier(&ada, &card("card-0"), &card("11"))
        .await
        .expect("a member");
    let renamed = shop
        .client
        .replace_identifier(&ben, &customer_id("ben"), &customer_id("bob"))
        .await
        .expect("a member");

    assert_eq!(eleventh, limit("new_identifier"));
    assert_eq!(second_customer_id, limit("new_identifier"));
    assert_eq!(last, limit("old_identifier"));
    assert_eq!(swapped.identifiers.len(), 10);
    assert_eq!(renamed.identifiers, [customer_id("bob")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_members_that_want_the_same_card_at_once_exactly_one_gets_it() {
    let shop = Shop::earning("1", "1").await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let mut members = Vec::new();
    for number in 0..8 {
        members.push(shop.enrols(&format!("customer-{number}")).await.member);
    }

    let mut calls = JoinSet::new();
    for (number, member) in members.iter().enumerate() {
        let (client, member) = (servers[number % 2].clone(), member.clone());
        calls.spawn(async move {
            let answer = client.add_identifier(&member, &card("gold")).await;
            (member, answer)
        });
    }
    let newcomer = NewMember::new(PROGRAM).card("gold");
    let (answers, newcomer) = tokio::join!(calls.join_all(), shop.client.enroll_member(&newcomer));

    let holder = found(&shop, MemberKey::card("gold")).await.expect("a holder");
    let mut holders = 0;
    for answer in answers.into_iter().map(|(_, answer)| answer).chain([newcomer]) {
        match answer {
            Ok(member) => {
                assert_eq!(member, holder);
                holders += 1;
            }
            Err(Error::IdentifierTaken { member_id, .. }) => assert_eq!(member_id, holder.member_id),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(holders, 1);
}

/// Sales with the card until told to stop: how many were recorded for each member.
async fn sells_to(member: &ShopMember<'_>, number: &str, sales: usize) -> (usize, usize) {
    let (mut recorded, mut refused) = (0, 0);
    for _ in 0..sales {
        match member.tries(&sale_to(member.shop, number)).await {
            Ok(receipt) => {
                assert_eq!(receipt.member_id, member.member.member_id);
                recorded += 1;
            }
            Err(Error::MemberNotFound { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    (recorded, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_replaced_while_tills_sell_earns_until_then_and_never_after() {
    let shop = Shop::earning("1", "1").await;
    let second_server = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    shop.client
        .add_identifier(&ada.member, &card("lost"))
        .await
        .expect("a member");

    let (lost, new) = (card("lost"), card("new"));
    let (replaced, (recorded, refused)) = tokio::join!(
        second_server.replace_identifier(&ada.member, &lost, &new),
        sells_to(&ada, "lost", 30),
    );
    let (after, _) = sells_to(&ada, "lost", 3).await;
    let (with_new, _) = sells_to(&ada, "new", 3).await;

    replaced.expect("a member");
    assert_eq!((recorded + refused, after, with_new), (30, 0, 3));
    let sales = i64::try_from(recorded).expect("a number");
    assert_eq!(ada.points().await, (10 * (sales + 3)).into());
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_replacement_gives_the_same_answer_and_is_kept_without_the_card() {
    let shop = Shop::earning("1", "1").await;
    let ada = enrols(&shop, NewMember::new(PROGRAM).card("lost-777")).await;
    let once = shop.client.with_request_id(RequestId::generate()).with_actor("ana");

    let first = once.replace_identifier(&ada, &card("lost-777"), &card("new-888")).await;
    let again = once.replace_identifier(&ada, &card("lost-777"), &card("new-888")).await;
    let changes = shop.client.list_member_changes(&ada, &PageRequest::default()).await;

    assert!(first.is_ok());
    assert_eq!(again, first);
    let changes = changes.expect("a page").items;
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].kind, changes[0].actor.as_str()),
        (MemberChangeKind::IdentifierReplaced, "ana")
    );
    assert!(!format!("{changes:?}").contains("777"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_cannot_be_right_is_refused_by_the_name_of_its_field() {
    let shop = Shop::earning("1", "1").await;
    let ada = enrols(&shop, NewMember::new(PROGRAM).phone("555-0100").card("1")).await;
    let phone = |text: &str| Identifier::Phone(text.to_owned());
    let client = &shop.client;
    let nobody = "0a1b2c3d-0000-4000-8000-000000000000";

    let cases = [
        (
            "new_identifier.phone",
            client.add_identifier(&ada, &phone("call me")).await,
        ),
        ("old_identifier.card", client.remove_identifier(&ada, &card("")).await),
        (
            "new_identifier",
            client.add_identifier(&ada, &Identifier::Unknown).await,
        ),
        (
            "new_identifier",
            client
                .replace_identifier(&ada, &phone("5550100"), &phone("(555) 0100"))
                .await,
        ),
        ("member_id", client.add_identifier("ada", &card("2")).await),
    ];
    let unknown = client.add_identifier(nobody, &card("2")).await;
    let nothing = loyalty_sdk::api::ReplaceIdentifierRequest {
        request_id: "nothing".to_owned(),
        member_id: ada.member_id.to_string(),
        ..Default::default()
    };
    let nothing = client.raw_programs().replace_identifier(nothing).await.err();

    for (field, answer) in cases {
        assert_eq!(wrong_fields(&answer.expect_err(field)), [field]);
    }
    let field = "member_id".to_owned();
    assert_eq!(unknown, Err(Error::MemberNotFound { field }));
    crate::harness::raw::assert_names("nothing", &nothing, "old_identifier", "INVALID_FIELD");
    assert_eq!(found(&shop, MemberKey::card("1")).await, Some(ada));
}
