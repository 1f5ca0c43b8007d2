//! T4: a member may opt out and stays out.

use loyalty_sdk::{
    Customer, EarnRate, EarnReason, EnrolmentPolicy, Error, ExpiryPolicy, MemberChangeKind, MemberKey, NewMember,
    NewProgram, PageRequest, Receipt, RedemptionPolicy, RequestId, Sale, Tier,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, that pays a euro and lapses after 90 days; sales enrol.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .expiry(ExpiryPolicy::days(90))
        .enrolment(EnrolmentPolicy::auto_opt_in().sign_up_bonus(5));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

async fn opts_out(member: &ShopMember<'_>) {
    let answer = member.shop.client.opt_out_member(&member.member, "").await;
    answer.unwrap_or_else(|error| panic!("{error}"));
}

fn reasons(receipt: &Receipt) -> Vec<EarnReason> {
    receipt.lines.iter().map(|line| line.reason).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_opted_out_earns_nothing_and_is_told_so() {
    let program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 100));
    let shop = Shop::with_rule(program, EarnRate::new(1, 1)).await;
    let ada = shop.enrols("ada").await;
    ada.buys("60").await;

    opts_out(&ada).await;
    let sale = ada.sale("70");
    let quote = shop.client.quote_sale(&sale).await.expect("a quote");
    let receipt = ada.records(&sale).await;
    let again = ada.records(&sale).await;

    for receipt in [&quote, &receipt, &again] {
        assert_eq!(
            (receipt.points_earned, reasons(receipt)),
            (dec("0"), vec![EarnReason::OptedOut])
        );
        assert_eq!(receipt.rated_amount.amount, dec("0"));
        assert_eq!(receipt.balance.tier_id.as_deref(), Some("bronze"));
        assert_eq!(
            receipt.balance.tier_spend.amount,
            dec("60"),
            "it does not count towards tiers"
        );
    }
    assert!(again.replayed);
    assert_eq!(
        ada.movements().await,
        [dec("60"), dec("0")],
        "the sale is in the history"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sale_and_no_till_enrols_the_customer_anew() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    opts_out(&ada).await;

    let bare = ada.records(&ada.sale("10")).await;
    let named = ada
        .records(&ada.sale("10").program(PROGRAM).customer(Customer::new("Ada")))
        .await;
    let by_hand = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).customer_id("ada"))
        .await;

    for receipt in [bare, named] {
        assert_eq!(
            (receipt.enrolled, receipt.member_id),
            (false, ada.member.member_id.clone())
        );
        assert_eq!(receipt.points_earned, dec("0"));
    }
    assert_eq!(
        by_hand,
        Err(Error::IdentifierTaken {
            field: "identifiers[0]".to_owned(),
            member_id: ada.member.member_id.clone(),
        })
    );
    assert_eq!(ada.points().await, dec("5"), "the bonus of the first enrolment");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_can_be_redeemed_until_it_lapses() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    opts_out(&ada).await;

    let receipt = ada.records(&ada.sale("50").redeem_points(30)).await;
    let left = ada.points().await;
    shop.days_pass(91);

    assert_eq!((receipt.points_redeemed, receipt.points_earned), (dec("30"), dec("0")));
    assert_eq!(left, dec("75"));
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_opt_in_lets_the_member_take_part_again() {
    let shop = shop().await;
    let second_server = shop.second_server().await;
    let ada = shop.enrols("ada").await;
    shop.days_pass(1);
    let out = shop.client.opt_out_member(&ada.member, "asked at the till").await;
    let out = out.expect("a member");
    let (looked_up, _) = shop.client.lookup_member(&ada.key).await.expect("the member");
    shop.days_pass(1);
    let update = loyalty_sdk::MemberUpdate::of(&out).name("Ada");
    let updated = shop.client.update_member(&update).await.expect("a member");
    let still_out = second_server.record_sale(&ada.sale("10")).await.expect("a sale");

    let back = shop.client.opt_in_member(&ada.member, "").await.expect("a member");
    let earns = second_server.record_sale(&ada.sale("10")).await.expect("a sale");

    assert_eq!(ada.member.opted_out_at, None);
    assert_eq!(out.opted_out_at, Some(instant("2026-01-16T10:00:00Z")));
    assert_eq!(looked_up, out);
    assert_eq!(updated.opted_out_at, out.opted_out_at, "no other change opts in");
    assert_eq!((still_out.points_earned, earns.points_earned), (dec("0"), dec("10")));
    assert_eq!(back.opted_out_at, None);
    assert_ne!(back.etag, out.etag);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_made_before_the_opt_out_earns_also_when_it_arrives_later() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    shop.days_pass(1);
    opts_out(&ada).await;
    let before = ada.sale("10").occurred_at(instant("2026-01-16T09:59:59Z"));
    let after = ada.sale("20").occurred_at(instant("2026-01-16T10:00:00Z"));

    let before = ada.records(&before).await;
    let after = ada.records(&after).await;

    assert_eq!(
        (before.points_earned, reasons(&before)),
        (dec("10"), vec![EarnReason::Earned])
    );
    assert_eq!(
        (after.points_earned, reasons(&after)),
        (dec("0"), vec![EarnReason::OptedOut])
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_whole_program_from_earning_is_told_first() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    opts_out(&ada).await;
    shop.changes(|club| club.state(loyalty_sdk::ProgramState::Paused)).await;

    let receipt = ada.buys("10").await;

    assert_eq!(reasons(&receipt), [EarnReason::ProgramPaused]);
}

#[tokio::test(flavor = "multi_thread")]
async fn opting_out_twice_changes_nothing_and_the_changes_say_who_and_why() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await.member;
    let once = shop.client.with_request_id(RequestId::generate()).with_actor("ana");

    let in_already = shop.client.opt_in_member(&ada, "").await;
    let first = once.opt_out_member(&ada, "by letter").await;
    shop.days_pass(1);
    let repeated = once.opt_out_member(&ada, "by letter").await;
    let other = shop.client.opt_out_member(&ada, "at the till").await;
    shop.client
        .opt_in_member(&ada, "changed her mind")
        .await
        .expect("a member");
    let after = once.opt_out_member(&ada, "by letter").await;
    let (now, _) = shop.client.get_member(&ada).await.expect("the member");
    let changes = shop.client.list_member_changes(&ada, &PageRequest::default()).await;

    assert_eq!(in_already, Ok(ada));
    assert!(first.is_ok());
    assert_eq!((&repeated, &other, &after), (&first, &first, &first));
    assert_eq!(now.opted_out_at, None, "a repetition does nothing");
    let told: Vec<_> = changes
        .expect("a page")
        .items
        .into_iter()
        .map(|change| (change.kind, change.actor, change.reason))
        .collect();
    assert_eq!(
        told,
        [
            (
                MemberChangeKind::OptedIn,
                "development".to_owned(),
                "changed her mind".to_owned()
            ),
            (MemberChangeKind::OptedOut, "ana".to_owned(), "by letter".to_owned()),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_opt_out_was_answered_no_server_gives_points() {
    let shop = shop().await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let ada = shop.enrols("ada").await;
    let mut racing = JoinSet::new();
    for number in 0..40 {
        let (client, sale) = (servers[number % 2].clone(), ada.sale("1"));
        racing.spawn(async move { client.record_sale(&sale).await.expect("a sale") });
    }

    opts_out(&ada).await;
    let mut after = Vec::new();
    for server in &servers {
        after.push(server.record_sale(&ada.sale("1")).await.expect("a sale"));
    }
    let racing = racing.join_all().await;

    assert!(after.iter().all(|receipt| reasons(receipt) == [EarnReason::OptedOut]));
    let earned = racing
        .iter()
        .filter(|receipt| reasons(receipt) == [EarnReason::Earned])
        .count();
    let earned = i64::try_from(earned).expect("a number");
    assert_eq!(ada.points().await, (5 + earned).into());
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opt_out_needs_a_member_and_a_reason_that_fits() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await.member;
    let nobody = "0a1b2c3d-0000-4000-8000-000000000000";

    let long = "x".repeat(201);
    let answers = [
        ("reason", shop.client.opt_out_member(&ada, long.clone()).await),
        ("reason", shop.client.opt_in_member(&ada, long).await),
        ("member_id", shop.client.opt_out_member("ada", "").await),
        ("member_id", shop.client.opt_in_member("ada", "").await),
    ];
    let unknown = [
        shop.client.opt_out_member(nobody, "").await,
        shop.client.opt_in_member(nobody, "").await,
    ];

    for (field, answer) in answers {
        assert_eq!(wrong_fields(&answer.expect_err(field)), [field]);
    }
    for unknown in unknown {
        let field = "member_id".to_owned();
        assert_eq!(unknown, Err(Error::MemberNotFound { field }));
    }
    let sale = Sale::new("x", "store-1", MemberKey::customer_id("ada"), "EUR", 10);
    let receipt = shop.client.record_sale(&sale).await.expect("a sale");
    assert_eq!(receipt.points_earned, dec("10"), "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_of_a_sale_made_while_opted_out_moves_nothing() {
    let mut program = NewProgram::new("Club", "EUR")
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 100));
    program.carry_fractions = true;
    let shop = Shop::with_rule(program, EarnRate::new(10, 1)).await;
    let ada = shop.enrols("ada").await;
    let before = ada.sale("75");
    ada.records(&before).await;
    opts_out(&ada).await;
    let sale = ada.sale("200");
    ada.records(&sale).await;
    shop.client.opt_in_member(&ada.member, "").await.expect("a member");

    let half = ada.returns_amount(&sale, "100").await;
    let rest = ada.cancels(&sale).await;
    let earned = ada.returns_amount(&before, "30").await;

    for receipt in [&half, &rest] {
        assert_eq!((receipt.points_taken_back, receipt.points_earned), (dec("0"), dec("0")));
        assert_eq!(receipt.balance.available, dec("7"));
        assert_eq!(receipt.balance.tier_spend.amount, dec("75"));
        assert_eq!(receipt.balance.tier_id.as_deref(), Some("bronze"));
    }
    assert_eq!(
        (earned.points_taken_back, earned.balance.tier_spend.amount),
        (dec("3"), dec("45")),
        "what was sold before the opt-out comes back as ever"
    );
    assert_eq!(ada.points().await, dec("4"));
    assert_books_agree(&shop).await;
}
