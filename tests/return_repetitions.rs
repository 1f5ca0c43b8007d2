//! Returns that are sent again, sent at once, or that ask for more than there is.

use loyalty_sdk::{
    EarnRate, Error, NewProgram, OperationResult, RedemptionPolicy, RequestId, ReturnReceipt, Sale, SaleLine,
    SaleReturn,
};
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, ShopMember, dec, instant};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

fn basket(member: &ShopMember<'_>) -> Sale {
    member
        .sale("100")
        .line(SaleLine::new(dec("60")).quantity(3))
        .line(SaleLine::new(dec("40")))
}

fn first(receipt: ReturnReceipt) -> ReturnReceipt {
    ReturnReceipt {
        replayed: false,
        ..receipt
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_return_gets_the_original_answer_whatever_its_request_id() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    let sale_return = ada.return_of(&sale).line(0, 2);
    let once = shop.client.with_request_id("r-1");

    let original = once.return_sale(&sale_return).await.expect("a receipt");
    ada.buys("5").await;
    ada.returns_amount(&sale, "10").await;
    let same_id = once.return_sale(&sale_return).await.expect("a receipt");
    let other_id = ada.returns(&sale_return).await;

    assert!(!original.replayed && same_id.replayed && other_id.replayed);
    assert_eq!(first(same_id), original);
    assert_eq!(first(other_id), original);
    assert_eq!(ada.history().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_id_of_the_store_with_other_content_is_a_conflict() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let (sale, other) = (basket(&ada), basket(&ada));
    ada.records(&sale).await;
    ada.records(&other).await;
    let sale_return = SaleReturn::new("r-1", "store-1", sale.sale_id.as_str()).line(0, 1);
    ada.returns(&sale_return).await;

    let of_more = SaleReturn::new("r-1", "store-1", sale.sale_id.as_str()).line(0, 9);
    let of_other = SaleReturn::new("r-1", "store-1", other.sale_id.as_str()).line(0, 1);
    let of_none = SaleReturn::new("r-1", "store-1", "unknown").rest();
    for conflicting in [of_more, of_other, of_none] {
        let refused = shop.client.return_sale(&conflicting).await;
        let (store_id, return_id) = ("store-1".to_owned(), "r-1".to_owned());
        assert_eq!(refused, Err(Error::ReturnIdConflict { store_id, return_id }));
    }
    let elsewhere = SaleReturn::new("r-1", "store-2", sale.sale_id.as_str()).sold_at("store-1");
    ada.returns(&elsewhere.line(0, 1)).await;
    assert_eq!(ada.points().await, dec("160"));
}

#[tokio::test(flavor = "multi_thread")]
async fn never_more_comes_back_than_was_sold() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    ada.returns(&ada.return_of(&sale).line(0, 2)).await;

    let of = || ada.return_of(&sale);
    let asked = [
        (of().line(0, 2), "sale_return.lines[0].quantity", "2", "1"),
        (of().line(0, 1).line(0, 1), "sale_return.lines[1].quantity", "1", "0"),
        (
            of().line(1, dec("1.000001")),
            "sale_return.lines[0].quantity",
            "1.000001",
            "1",
        ),
        (of().line(2, 1), "sale_return.lines[0].quantity", "1", "0"),
        (of().amount(dec("60.01")), "sale_return.amount", "60.01", "60"),
    ];
    for (sale_return, field, requested, left) in asked {
        let refused = shop.client.return_sale(&sale_return).await;
        let (field, requested, left) = (field.to_owned(), dec(requested), dec(left));
        let expected = Error::ReturnExceedsSold { field, requested, left };
        assert_eq!(refused, Err(expected));
    }
    assert_eq!(ada.points().await, dec("60"));

    ada.returns(&of().amount(60)).await;
    for sale_return in [of(), of().line(0, 1), of().amount(1)] {
        let refused = shop.client.return_sale(&sale_return).await;
        assert!(matches!(refused, Err(Error::NothingToReturn { .. })), "{refused:?}");
    }
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tills_that_return_the_same_line_at_once_return_it_once() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    let clients = [shop.client.clone(), shop.second_server().await];

    let mut tills = JoinSet::new();
    for till in 0..50 {
        let client = clients[till % 2].clone();
        let sale_return = ada.return_of(&sale).whole_line(1);
        tills.spawn(async move { client.return_sale(&sale_return).await });
    }
    let outcomes = tills.join_all().await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = |outcome: &&Result<_, _>| matches!(outcome, Err(Error::ReturnExceedsSold { .. }));
    assert_eq!(outcomes.iter().filter(refused).count(), 49, "{outcomes:?}");
    assert_eq!(ada.points().await, dec("60"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_sends_of_one_return_to_two_servers_are_answered_alike() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    let clients = [shop.client.clone(), shop.second_server().await];
    let sale_return = ada.return_of(&sale).whole_line(1);

    let mut tills = JoinSet::new();
    for till in 0..50 {
        let (client, sale_return) = (clients[till % 2].clone(), sale_return.clone());
        tills.spawn(async move { client.return_sale(&sale_return).await.expect("a receipt") });
    }
    let receipts = tills.join_all().await;

    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert!(
        receipts
            .iter()
            .all(|receipt| first(receipt.clone()) == first(receipts[0].clone()))
    );
    assert_eq!(ada.history().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_return_id_for_sales_of_twenty_members_at_once_is_recorded_for_one() {
    let shop = shop().await;
    let mut sends = JoinSet::new();
    for customer in 0..20 {
        let customer = shop.enrols(&format!("customer-{customer}")).await;
        let sale = customer.sale("10");
        customer.records(&sale).await;
        let client = shop.client.clone();
        let sale_return = SaleReturn::new("the-one", "store-1", sale.sale_id);
        sends.spawn(async move { client.return_sale(&sale_return).await });
    }

    let outcomes = sends.join_all().await;

    let conflicts = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(Error::ReturnIdConflict { .. })));
    assert_eq!(conflicts.count(), 19, "{outcomes:?}");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pieces_that_come_back_at_once_add_up() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100").line(SaleLine::new(dec("100")).quantity(30));
    ada.records(&sale).await;
    let clients = [shop.client.clone(), shop.second_server().await];

    let mut tills = JoinSet::new();
    for till in 0..40 {
        let client = clients[till % 2].clone();
        let sale_return = ada.return_of(&sale).line(0, 1);
        tills.spawn(async move { client.return_sale(&sale_return).await });
    }
    let outcomes = tills.join_all().await;

    let amounts = outcomes.iter().flatten().map(|receipt| receipt.amount.amount);
    assert_eq!(amounts.sum::<rust_decimal::Decimal>(), dec("100"));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 30);
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_return_stays_refused_under_its_request_id() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    let client = shop.client.with_request_id("r-1");
    let sale_return = ada.return_of(&sale).amount(100);

    let unknown = client.return_sale(&sale_return).await;
    ada.records(&sale).await;
    let known = client.return_sale(&sale_return).await;
    let too_much = ada.return_of(&sale).amount(1);
    let refusing = shop.client.with_request_id("r-2");
    let refused = refusing.return_sale(&too_much).await;
    let again = refusing.return_sale(&too_much).await;
    let reused = refusing.return_sale(&ada.return_of(&sale)).await;

    // A sale that is not there yet may come: that it was missing is not remembered.
    assert!(matches!(unknown, Err(Error::SaleNotFound { .. })), "{unknown:?}");
    assert!(known.is_ok());
    assert!(matches!(refused, Err(Error::NothingToReturn { .. })), "{refused:?}");
    assert_eq!(again, refused);
    assert!(matches!(reused, Err(Error::RequestIdReused { .. })), "{reused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_of_a_return_and_of_a_cancellation_can_be_asked_later() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = basket(&ada);
    ada.records(&sale).await;
    let (returning, cancelling) = (RequestId::generate(), RequestId::generate());
    let client = shop.client.with_request_id(&returning);
    let returned = client
        .return_sale(&ada.return_of(&sale).line(0, 1))
        .await
        .expect("a receipt");
    let cancellation = loyalty_sdk::Cancellation::new("store-1", sale.sale_id.as_str());
    let client = shop.client.with_request_id(&cancelling);
    let cancelled = client.cancel_sale(&cancellation).await.expect("a receipt");

    for (request_id, receipt) in [(returning, returned), (cancelling, cancelled)] {
        let operation = shop.client.get_operation(&request_id).await.expect("an operation");
        let OperationResult::Return(found) = operation.result else {
            panic!("{operation:?}");
        };
        assert_eq!(first(*found), receipt);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_lies_within_bounds_and_not_before_its_sale() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100").occurred_at(instant("2026-01-14T12:00:00Z"));
    ada.records(&sale).await;
    let at = |at: &str| ada.return_of(&sale).amount(1).occurred_at(instant(at));

    let early = shop.client.return_sale(&at("2026-01-14T11:59:59Z")).await;
    let late = shop.client.return_sale(&at("2026-01-15T11:00:01Z")).await;
    let at_once = ada.returns(&at("2026-01-14T12:00:00Z")).await;
    let ahead = ada.returns(&at("2026-01-15T11:00:00Z")).await;

    for refused in [early, late] {
        let Err(Error::TimeOutOfRange {
            field,
            earliest,
            latest,
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!(field, "sale_return.occurred_at");
        assert_eq!(earliest, instant("2026-01-14T12:00:00Z"));
        assert_eq!(latest, instant("2026-01-15T11:00:00Z"));
    }
    assert_eq!(at_once.occurred_at, instant("2026-01-14T12:00:00Z"));
    assert_eq!(ahead.balance.available, dec("98"));
    let history = ada.history().await;
    assert_eq!(history[0].occurred_at, instant("2026-01-15T11:00:00Z"));
}
