//! T5: a blocked member redeems nothing and goes on earning.

use loyalty_sdk::{
    Client, EarnRate, Error, MemberBlock, MemberChangeKind, NewProgram, NewReward, PageRequest, ProductUpdate,
    RedemptionPolicy, RedemptionQuestion, RequestId,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, dec, wrong_fields};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

fn blocked(reason: &str) -> Error {
    Error::MemberBlocked {
        block_reason: reason.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_member_redeems_nothing_and_earns() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;

    shop.client
        .block_member(&ada.member, "stolen card")
        .await
        .expect("a blocked member");
    let sale = ada.sale("10").redeem_points(5);
    let by_points = ada.tries(&sale).await;
    let clamped = ada.tries(&ada.sale("10").redeem_points(5).clamped()).await;
    let by_amount = ada.tries(&ada.sale("10").redeem_amount(5)).await;
    let quoted = shop.client.quote_sale(&sale).await;
    let earns = ada.buys("7").await;

    for refused in [by_points, clamped, by_amount, quoted] {
        assert_eq!(refused, Err(blocked("stolen card")));
    }
    assert_eq!(earns.points_earned, dec("7"));
    assert_eq!(ada.points().await, dec("107"));
    assert_eq!(ada.movements().await, [dec("100"), dec("7")]);
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_and_every_look_up_say_why_and_since_when() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    shop.days_pass(1);

    let answered = shop.client.block_member(&ada.member, "stolen card").await;
    let (looked_up, _) = shop.client.lookup_member(&ada.key).await.expect("the member");
    let (record, _) = shop.client.get_member(&ada.member).await.expect("the member");
    let filter = loyalty_sdk::MemberFilter::of(PROGRAM);
    let list = shop.client.list_members(&filter, &PageRequest::default()).await;

    let block = MemberBlock {
        reason: "stolen card".to_owned(),
        blocked_at: shop.now(),
    };
    assert_eq!(ada.member.block, None);
    assert_eq!(record.block, Some(block));
    assert_ne!(record.etag, ada.member.etag);
    assert_eq!(answered, Ok(record.clone()));
    assert_eq!(looked_up, record);
    assert_eq!(list.expect("a page").items[0].0, record);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unblocked_member_redeems_again_but_a_refusal_stays_one() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    shop.client
        .block_member(&ada.member, "stolen card")
        .await
        .expect("a blocked member");
    let sale = ada.sale("10").redeem_points(5);
    let till = shop.client.with_request_id(RequestId::generate());
    let refused = till.record_sale(&sale).await;

    let unblocked = shop.client.unblock_member(&ada.member, "card found").await;
    let repeated = till.record_sale(&sale).await;
    let receipt = ada.records(&sale).await;

    assert_eq!(unblocked.expect("a member").block, None);
    assert_eq!(refused, Err(blocked("stolen card")));
    assert_eq!(repeated, refused, "a refusal is remembered with its request");
    assert_eq!(receipt.points_redeemed, dec("5"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_offered_to_a_blocked_member() {
    let shop = shop().await;
    let reward = NewReward::money_off(PROGRAM, "Cup", 50, 5);
    shop.client.create_reward(&reward).await.expect("a reward");
    let cake = ProductUpdate::new("cake").redeem_points(10);
    shop.client.upsert_products(PROGRAM, &[cake]).await.expect("a product");
    let ada = shop.enrols("ada").await;
    let cake = |sale: loyalty_sdk::Sale| sale.line(loyalty_sdk::SaleLine::new(100).product("cake"));
    let before = ada.records(&cake(ada.sale("100"))).await;

    shop.client
        .block_member(&ada.member, "fraud")
        .await
        .expect("a blocked member");
    let after = ada.records(&cake(ada.sale("100"))).await;
    let quote = shop.client.quote_redemption(&RedemptionQuestion::of(&ada.key)).await;

    assert!(before.balance.reward_reminder && !before.balance.affordable_rewards.is_empty());
    assert!(!after.balance.reward_reminder && after.balance.affordable_rewards.is_empty());
    assert_eq!(after.balance.available, dec("200"));
    assert_eq!(before.lines[0].redeem_points, Some(dec("10")));
    assert_eq!(after.lines[0].redeem_points, None, "no line can be bought with points");
    assert_eq!(quote.err(), Some(blocked("fraud")));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_again_replaces_the_reason_and_unblocking_nobody_changes_nothing() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;

    let untouched = shop.client.unblock_member(&ada.member, "").await.expect("a member");
    let first = shop.client.block_member(&ada.member, "stolen card").await;
    let same = shop.client.block_member(&ada.member, "stolen card").await;
    let other = shop.client.block_member(&ada.member, "fraud").await.expect("a member");
    let ana = shop.client.with_actor("ana");
    ana.unblock_member(&ada.member, "all clear").await.expect("a member");
    let changes = shop
        .client
        .list_member_changes(&ada.member, &PageRequest::default())
        .await
        .expect("a page");

    assert_eq!(untouched, ada.member);
    assert_eq!(same, first, "the same reason again changes nothing");
    assert_eq!(other.block.map(|block| block.reason), Some("fraud".to_owned()));
    let told: Vec<_> = changes
        .items
        .iter()
        .map(|change| (change.kind, change.actor.as_str(), change.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (MemberChangeKind::Unblocked, "ana", "all clear"),
            (MemberChangeKind::Blocked, "development", "fraud"),
            (MemberChangeKind::Blocked, "development", "stolen card"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_block_was_answered_no_server_redeems() {
    let shop = shop().await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let ada = shop.enrols("ada").await;
    ada.buys("1000").await;
    let redeems = async |client: Client| {
        let sale = ada.sale("10").redeem_points(1);
        client.record_sale(&sale).await
    };
    let mut before = JoinSet::new();
    for number in 0..40 {
        let (client, sale) = (servers[number % 2].clone(), ada.sale("10").redeem_points(1));
        before.spawn(async move { client.record_sale(&sale).await });
    }

    let block = shop.client.block_member(&ada.member, "stolen card").await;
    let after = [redeems(servers[0].clone()).await, redeems(servers[1].clone()).await];
    let racing = before.join_all().await;

    block.expect("a blocked member");
    for refused in after {
        assert_eq!(refused, Err(blocked("stolen card")));
    }
    let redeemed = racing.iter().filter(|answer| answer.is_ok()).count();
    assert!(
        racing
            .iter()
            .all(|answer| answer.is_ok() || *answer == Err(blocked("stolen card")))
    );
    let left = 1000 - i64::try_from(redeemed).expect("a number") + 9 * i64::try_from(redeemed).expect("a number");
    assert_eq!(ada.points().await, left.into());
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_needs_a_reason_and_a_member() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await.member;

    let silent = shop.client.block_member(&ada, "").await.expect_err("no reason");
    let long = shop.client.block_member(&ada, "x".repeat(201)).await;
    let unblock = shop.client.unblock_member(&ada, "x".repeat(201)).await;
    let no_id = shop.client.block_member("ada", "fraud").await.expect_err("no id");
    let nobody = "0a1b2c3d-0000-4000-8000-000000000000";
    let unknown = [
        shop.client.block_member(nobody, "fraud").await,
        shop.client.unblock_member(nobody, "").await,
    ];

    assert_eq!(wrong_fields(&silent), ["reason"]);
    assert_eq!(wrong_fields(&long.expect_err("too long")), ["reason"]);
    assert_eq!(wrong_fields(&unblock.expect_err("too long")), ["reason"]);
    assert_eq!(wrong_fields(&no_id), ["member_id"]);
    for unknown in unknown {
        let field = "member_id".to_owned();
        assert_eq!(unknown, Err(Error::MemberNotFound { field }));
    }
}
