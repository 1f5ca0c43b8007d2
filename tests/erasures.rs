//! T5: nothing is left of a person who is erased, and everything of the books.

use diesel_async::AsyncMysqlConnection;
use loyalty_sdk::{
    Adjustment, Customer, EarnRate, EnrolmentPolicy, Error, ExpiryPolicy, Identifier, MemberChangeKind, MemberFilter,
    MemberKey, MemberUpdate, NaiveDate, NewMember, NewProgram, NewReason, OperationResult, PageRequest,
    RedemptionPolicy, RedemptionRequest, RedemptionReversal, RequestId,
};

use crate::harness::books::{assert_books_agree, count, texts};
use crate::harness::{PROGRAM, Shop, ShopMember, dec};

/// A point per euro, worth ten cents, that lapses after 90 days; sales enrol.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(dec("0.10")))
        .expiry(ExpiryPolicy::days(90))
        .enrolment(EnrolmentPolicy::auto_opt_in());
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// The columns of all tables that have this text in any row.
async fn found(database: &mut AsyncMysqlConnection, text: &str) -> Vec<String> {
    let columns = texts(
        database,
        "SELECT CONCAT(table_name, '.', column_name) AS value FROM information_schema.columns \
         WHERE table_schema = DATABASE() ORDER BY 1",
    )
    .await;
    assert!(columns.len() > 200, "{}", columns.len());
    let mut found = Vec::new();
    for column in columns {
        let (table, name) = column.split_once('.').expect("a column");
        let statement = format!(
            "SELECT COUNT(*) AS n FROM `{table}` WHERE LOCATE(LOWER('{text}'), LOWER(CONVERT(CAST(`{name}` AS BINARY) USING latin1))) > 0"
        );
        if count(database, &statement).await > 0 {
            found.push(column);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_column_of_any_table_knows_the_person_any_more() {
    let shop = shop().await;
    let client = &shop.client;
    let born = NaiveDate::from_ymd_opt(1915, 12, 10).expect("a day");
    let ada = NewMember::new(PROGRAM)
        .customer_id("quokka-1")
        .name("Ada Wombat")
        .birth_date(born);
    let ada = client
        .enroll_member(&ada.card("quokka-2").phone("+34600700800"))
        .await
        .expect("a member");
    let bought = shop.next_sale_id();
    let sale = loyalty_sdk::Sale::new(&bought, "store-1", MemberKey::customer_id("bandicoot-3"), "EUR", 10);
    let sale = sale.customer(Customer::new("Grace Numbat")).program(PROGRAM);
    let grace = client.record_sale(&sale).await.expect("a sale").member_id;
    client
        .add_identifier(&ada, &Identifier::Email("ada@dunnart.example".to_owned()))
        .await
        .expect("a member");
    let (read, _) = client.get_member(&ada).await.expect("the member");
    let update = MemberUpdate::of(&read)
        .name("Ada Bilby")
        .customer_group(Some("potoroos"));
    client.update_member(&update).await.expect("a member");
    client
        .block_member(&ada, "her cousin Mulgara called")
        .await
        .expect("a member");
    let refused = client
        .redeem(&RedemptionRequest::new("store-1", MemberKey::from(&ada)).redeem_points(1))
        .await;
    assert!(matches!(refused, Err(Error::MemberBlocked { .. })), "{refused:?}");
    client
        .unblock_member(&ada, "Phascogale explained")
        .await
        .expect("a member");
    client.block_member(&grace, "a Thylacine").await.expect("a member");
    client
        .merge_members(&ada, &grace, "asked by Kowari")
        .await
        .expect("a member");
    let words = [
        "quokka",
        "wombat",
        "1915-12-10",
        "600700800",
        "bandicoot",
        "numbat",
        "dunnart",
        "bilby",
        "potoroos",
        "mulgara",
        "phascogale",
        "thylacine",
        "kowari",
    ];
    let mut database = shop.database().await;
    for word in words {
        assert_ne!(
            found(&mut database, word).await,
            [""; 0],
            "{word} is looked for in vain"
        );
    }

    let erased = client.erase_member(&ada).await.expect("a member");

    for word in words {
        assert_eq!(found(&mut database, word).await, [""; 0], "{word}");
    }
    assert_eq!(
        (&*erased.name, erased.identifiers.len(), erased.birth_date),
        ("", 0, None)
    );
    assert_eq!(erased.erased_at, Some(shop.now()));
    let all = client
        .list_members(&MemberFilter::of(PROGRAM), &PageRequest::default())
        .await;
    assert_eq!(all.expect("a page").items.len(), 0);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_stay_and_what_was_sold_can_come_back() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    let redeemed = shop
        .client
        .redeem(&RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(40))
        .await;
    let redeemed = redeemed.expect("a redemption").redemption;

    shop.client.erase_member(&ada.member).await.expect("a member");
    let by_id = ShopMember::new(&shop, MemberKey::from(&ada.member), ada.member.clone());
    let before = by_id.points().await;
    let returned = by_id.returns_amount(&sale, "50").await;
    let reversal = RedemptionReversal::of(&redeemed.redemption_id, "store-1");
    shop.client.reverse_redemption(&reversal).await.expect("a reversal");
    let after = by_id.points().await;
    shop.days_pass(91);

    assert_eq!(
        (before, returned.points_taken_back, after),
        (dec("60"), dec("50"), dec("50"))
    );
    assert_eq!(by_id.points().await, dec("0"));
    assert_eq!(by_id.history().await.len(), 4);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_new_is_done_for_nobody() {
    let shop = shop().await;
    let second_server = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    let eve = shop.enrols("eve").await;
    ada.buys("100").await;
    let gift = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&gift).await.expect("a reason");
    let (read, _) = shop.client.get_member(&ada.member).await.expect("the member");

    let erased = shop.client.erase_member(&ada.member).await.expect("a member");
    let key = MemberKey::from(&ada.member);
    let sale = loyalty_sdk::Sale::new("new", "store-1", key.clone(), "EUR", 10);
    let refusals = [
        second_server.record_sale(&sale).await.map(drop),
        second_server.quote_sale(&sale).await.map(drop),
        second_server
            .redeem(&RedemptionRequest::new("store-1", key.clone()).redeem_points(1))
            .await
            .map(drop),
        second_server
            .adjust_points(&Adjustment::new(key, "gift", 1))
            .await
            .map(drop),
        shop.client
            .update_member(&MemberUpdate::of(&read).name("Ada"))
            .await
            .map(drop),
        shop.client.block_member(&ada.member, "why").await.map(drop),
        shop.client.opt_in_member(&ada.member, "").await.map(drop),
        shop.client
            .add_identifier(&ada.member, &Identifier::Card("card".to_owned()))
            .await
            .map(drop),
        shop.client.merge_members(&eve.member, &ada.member, "").await.map(drop),
        shop.client.merge_members(&ada.member, &eve.member, "").await.map(drop),
    ];
    let again = shop.client.erase_member(&ada.member).await;
    let anew = ada.records(&ada.sale("10")).await;

    let erased_at = shop.now();
    for refusal in refusals {
        assert_eq!(refusal, Err(Error::MemberErased { erased_at }));
    }
    assert_eq!(again, Ok(erased));
    assert_eq!(
        (anew.enrolled, anew.balance.available),
        (true, dec("10")),
        "a new member"
    );
    assert_ne!(anew.member_id, ada.member.member_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_its_answer_without_the_person() {
    let shop = shop().await;
    let request_id = RequestId::generate();
    let once = shop.client.with_request_id(request_id.clone());
    let member = NewMember::new(PROGRAM).customer_id("ada").name("Ada");
    let enrolled = once.enroll_member(&member).await.expect("a member");

    shop.client.erase_member(&enrolled).await.expect("a member");
    let repeated = once.enroll_member(&member).await.expect("the same member");
    let operation = shop.client.get_operation(request_id).await.expect("the operation");
    let changes = shop
        .client
        .list_member_changes(&enrolled, &PageRequest::default())
        .await;

    assert_eq!((&repeated.member_id, &*repeated.name), (&enrolled.member_id, ""));
    assert_eq!(repeated.identifiers, []);
    assert_eq!(operation.result, OperationResult::Member(Box::new(repeated)));
    let kinds: Vec<_> = changes
        .expect("a page")
        .items
        .iter()
        .map(|change| change.kind)
        .collect();
    assert_eq!(kinds, [MemberChangeKind::Erased]);
}
