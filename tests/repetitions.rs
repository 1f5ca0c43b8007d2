//! Writes that are sent again: the same answer, once, whatever happened in between.

use loyalty_sdk::{
    EarnRate, Error, MemberKey, NewMember, NewProgram, NewRule, OperationResult, ProgramUpdate, Receipt,
    RedemptionPolicy, RequestId, RuleUpdate,
};
use tokio::task::JoinSet;

use crate::harness::{Shop, dec};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// The receipt as if it had been the first answer.
fn first(receipt: Receipt) -> Receipt {
    Receipt {
        replayed: false,
        ..receipt
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_sale_under_another_request_id_gets_the_original_answer() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("26.00");

    let original = ada.records(&sale).await;
    ada.buys("5").await;
    let again = ada.records(&sale).await;

    assert!(!original.replayed);
    assert!(again.replayed);
    assert_eq!(first(again), original);
    assert_eq!(ada.movements().await, [dec("26"), dec("5")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_id_of_the_store_with_other_content_is_a_conflict() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let bob = shop.enrols("bob").await;
    let sale = ada.sale("26.00");
    ada.records(&sale).await;
    let mut dearer = sale.clone();
    dearer.total = dec("26.01");
    let mut of_bob = sale.clone();
    of_bob.member = bob.key.clone();

    let outcomes = [ada.tries(&dearer).await, bob.tries(&of_bob).await];

    for outcome in outcomes {
        let conflict = Error::SaleIdConflict {
            store_id: "store-1".to_owned(),
            sale_id: sale.sale_id.clone(),
        };
        assert_eq!(outcome, Err(conflict));
    }
    assert_eq!(ada.points().await, dec("26"));
    assert!(bob.history().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_may_use_the_same_sale_id() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let here = ada.sale("10");
    let mut there = here.clone();
    there.store_id = "store-2".to_owned();

    ada.records(&here).await;
    let receipt = ada.records(&there).await;

    assert!(!receipt.replayed);
    assert_eq!(ada.points().await, dec("20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_simultaneous_sends_of_one_request_to_two_servers_earn_once_and_are_answered_alike() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let clients = [shop.client.clone(), shop.second_server().await];
    let request_id = RequestId::generate();
    let sale = ada.sale("26.00");

    let mut sends = JoinSet::new();
    for turn in 0..20 {
        let client = clients[turn % 2].with_request_id(&request_id);
        let sale = sale.clone();
        sends.spawn(async move { client.record_sale(&sale).await.expect("a receipt") });
    }
    let receipts = sends.join_all().await;

    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert!(
        receipts
            .iter()
            .all(|receipt| first(receipt.clone()) == first(receipts[0].clone()))
    );
    assert_eq!(ada.movements().await, [dec("26")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sale_id_for_twenty_members_at_once_is_recorded_for_one() {
    let shop = shop().await;
    let mut sends = JoinSet::new();
    for customer in 0..20 {
        let customer = shop.enrols(&format!("customer-{customer}")).await;
        let (client, mut sale) = (shop.client.clone(), customer.sale("10"));
        sale.sale_id = "ticket".to_owned();
        sends.spawn(async move { client.record_sale(&sale).await });
    }

    let outcomes = sends.join_all().await;

    let conflicts = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(Error::SaleIdConflict { .. })));
    assert_eq!(conflicts.count(), 19, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_with_another_body_is_refused() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let client = shop.client.with_request_id("till-1-000001");
    client.record_sale(&ada.sale("26.00")).await.expect("a receipt");
    let unknown = MemberKey::customer_id("nobody");
    let of_nobody = loyalty_sdk::Sale::new("t", "store-1", unknown, "EUR", 5);

    let reused = Error::RequestIdReused {
        request_id: "till-1-000001".into(),
    };
    assert_eq!(
        client.record_sale(&ada.sale("26.00")).await,
        Err(reused.clone()),
        "another sale"
    );
    assert_eq!(
        client.record_sale(&of_nobody).await,
        Err(reused.clone()),
        "of an unknown member"
    );
    let enrolment = client.enroll_member(&NewMember::new("club").customer_id("bob")).await;
    assert_eq!(enrolment.err(), Some(reused.clone()), "another call");
    let program = client.create_program(&NewProgram::new("Other", "EUR")).await;
    assert_eq!(program.err(), Some(reused), "a change of configuration");
    assert_eq!(ada.movements().await, [dec("26")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stays_although_the_points_arrived_and_a_new_request_id_asks_anew() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let client = shop.client.with_request_id("till-1-000001");
    let sale = ada.sale("30").redeem_points(20);
    let refused = client.record_sale(&sale).await;
    ada.buys("100").await;

    let again = client.record_sale(&sale).await;
    let told = shop.client.get_operation("till-1-000001").await.expect("an operation");
    let anew = shop.client.record_sale(&sale).await;

    let insufficient = Error::InsufficientPoints {
        available: dec("0"),
        requested: dec("20"),
    };
    assert_eq!(refused, Err(insufficient.clone()));
    assert_eq!(again, Err(insufficient.clone()));
    assert_eq!(told.result, OperationResult::Refused(Box::new(insufficient)));
    assert_eq!(anew.expect("a receipt").points_redeemed, dec("20"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_not_found_may_be_found_later_under_the_same_request_id() {
    let shop = shop().await;
    let client = shop.client.with_request_id("till-1-000001");
    let ada = MemberKey::customer_id("ada");
    let sale = loyalty_sdk::Sale::new("ticket-1", "store-1", ada, "EUR", 10);

    let too_early = client.record_sale(&sale).await;
    let unknown = shop.client.get_operation("till-1-000001").await;
    shop.enrols("ada").await;
    let in_time = client.record_sale(&sale).await.expect("a receipt");

    let field = "sale.member".to_owned();
    assert_eq!(too_early, Err(Error::MemberNotFound { field }));
    assert!(matches!(unknown, Err(Error::OperationNotFound { .. })));
    assert!(!in_time.replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_tells_what_became_of_every_kind_of_write() {
    let shop = shop().await;
    let (now, ada) = (shop.now(), shop.enrols("ada").await);
    let with = |request_id: &str| shop.client.with_request_id(request_id);
    let receipt = with("a-sale").record_sale(&ada.sale("10")).await.expect("a receipt");
    let member = NewMember::new("club").card("7700123");
    let member = with("a-member").enroll_member(&member).await.expect("a member");
    let program = NewProgram::new("Second", "EUR").program_id("second");
    with("a-program").create_program(&program).await.expect("a program");
    let rule = NewRule::new("second", "Default", EarnRate::new(1, 1)).rule_id("base");
    with("a-rule").create_rule(&rule).await.expect("a rule");
    let refusal = with("a-refusal").create_program(&program).await.expect_err("a refusal");
    shop.days_pass(3);

    let told = async |request_id: &str| {
        let operation = shop.client.get_operation(request_id).await;
        let operation = operation.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(operation.recorded_at, now);
        operation.result
    };
    let receipt = Receipt {
        replayed: true,
        ..receipt
    };
    assert_eq!(told("a-sale").await, OperationResult::Sale(Box::new(receipt)));
    assert_eq!(told("a-member").await, OperationResult::Member(Box::new(member)));
    assert_eq!(told("a-program").await, OperationResult::Program("second".into()));
    assert_eq!(told("a-rule").await, OperationResult::Rule("base".into()));
    assert_eq!(told("a-refusal").await, OperationResult::Refused(Box::new(refusal)));
    let unknown = shop.client.get_operation("nothing").await;
    let request_id = "nothing".into();
    assert_eq!(unknown, Err(Error::OperationNotFound { request_id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn repetitions_days_later_under_other_rules_give_the_same_answers() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let (by_request, by_sale) = (ada.sale("10"), ada.sale("20"));
    let client = shop.client.with_request_id("till-1-000001");
    let original = client.record_sale(&by_request).await.expect("a receipt");
    let second = ada.records(&by_sale).await;
    let rules = shop
        .client
        .list_rules("club", &Default::default())
        .await
        .expect("rules");
    let update = RuleUpdate::of(&rules.items[0]).earn_rate(EarnRate::new(1, 5));
    shop.client.update_rule(&update).await.expect("a better rule");
    let program = shop.client.get_program("club").await.expect("the program");
    let update = ProgramUpdate::of(&program).redemption(None);
    shop.client.update_program(&update).await.expect("no more redemption");
    shop.days_pass(400);

    let repeated = client.record_sale(&by_request).await.expect("a receipt");
    let resent = ada.records(&by_sale).await;

    assert_eq!(first(repeated), original);
    assert_eq!(first(resent), second);
    assert_eq!(
        ada.buys("10").await.points_earned,
        dec("50"),
        "new sales earn by the new rule"
    );
    assert_eq!(ada.movements().await, [dec("10"), dec("20"), dec("50")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_gets_its_answer_although_the_member_has_become_ambiguous() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let client = shop.client.with_request_id("till-1-000001");
    let refused_client = shop.client.with_request_id("till-1-000002");
    let (sale, unpayable) = (ada.sale("10"), ada.sale("90").redeem_points(80));
    let original = client.record_sale(&sale).await.expect("a receipt");
    let refused = refused_client.record_sale(&unpayable).await;
    let second = NewProgram::new("Second", "EUR").program_id("second");
    shop.client.create_program(&second).await.expect("a program");
    let too = NewMember::new("second").customer_id("ada");
    shop.client.enroll_member(&too).await.expect("a second enrolment");

    let by_request = client.record_sale(&sale).await;
    let by_sale = shop.client.record_sale(&sale).await;
    let refused_again = refused_client.record_sale(&unpayable).await;
    let new_sale = shop.client.record_sale(&ada.sale("10")).await;

    assert_eq!(by_request.map(first), Ok(original.clone()));
    assert_eq!(by_sale.map(first), Ok(original));
    assert_eq!(refused_again, refused);
    assert!(matches!(new_sale, Err(Error::AmbiguousMember { .. })), "{new_sale:?}");
}
