//! Sales that are undone as a whole.

use loyalty_sdk::{Cancellation, EarnRate, EntryKind, Error, NewProgram, RedemptionPolicy, SaleLine, Tier};

use crate::harness::books::assert_books_agree;
use crate::harness::{Shop, dec};

async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .tier(Tier::new("bronze", "Bronze", 0))
        .tier(Tier::new("silver", "Silver", 1_000));
    Shop::with_rule(program, EarnRate::new(10, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_sale_did_is_undone_by_reversing_entries() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("500").await;
    let before = ada.balance().await;
    let sale = ada.sale("600").redeem_points(20);
    ada.records(&sale).await;

    let receipt = ada.cancels(&sale).await;

    assert_eq!(receipt.return_id, None);
    assert_eq!(
        (receipt.points_given_back, receipt.points_taken_back),
        (dec("20"), dec("58"))
    );
    assert_eq!((receipt.amount.amount, receipt.refund.amount), (dec("600"), dec("580")));
    assert_eq!(receipt.tier_id_before.as_deref(), Some("silver"));
    assert_eq!(receipt.balance, before);
    assert_eq!(ada.balance().await, before);
    let kinds: Vec<EntryKind> = ada.history().await.iter().rev().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [
            EntryKind::Earn,
            EntryKind::Redeem,
            EntryKind::Earn,
            EntryKind::RedeemReversal,
            EntryKind::EarnReversal
        ]
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_sale_with_returns_what_is_left_is_cancelled() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("500").await;
    let sale = ada.sale("100").redeem_points(50);
    ada.records(&sale).await;
    ada.returns_amount(&sale, "30").await;

    let receipt = ada.cancels(&sale).await;

    assert_eq!(
        (receipt.amount.amount, receipt.points_given_back),
        (dec("70"), dec("35"))
    );
    assert_eq!(ada.points().await, dec("50"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_cancelled_once_and_then_nothing_comes_back_of_it() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100").line(SaleLine::new(dec("100")));
    ada.records(&sale).await;

    let first = ada.cancels(&sale).await;
    let again = ada.cancels(&sale).await;
    let mut elsewhere = Cancellation::new("store-1", sale.sale_id.as_str());
    elsewhere.terminal_id = "till-9".to_owned();
    let other = shop.client.cancel_sale(&elsewhere).await;
    let returned = shop.client.return_sale(&ada.return_of(&sale)).await;

    assert!(!first.replayed && again.replayed);
    assert_eq!(
        loyalty_sdk::ReturnReceipt {
            replayed: false,
            ..again
        },
        first
    );
    for refused in [other, returned] {
        assert!(matches!(refused, Err(Error::SaleCancelled { .. })), "{refused:?}");
    }
    assert_eq!(ada.history().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_sale_that_is_sent_again_gets_its_original_answer() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    let recorded = ada.records(&sale).await;
    ada.cancels(&sale).await;

    let again = ada.records(&sale).await;

    assert!(again.replayed);
    assert_eq!(again.points_earned, recorded.points_earned);
    assert_eq!(ada.points().await, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_of_which_all_came_back_can_still_be_cancelled() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let sale = ada.sale("100");
    ada.records(&sale).await;
    ada.returns(&ada.return_of(&sale)).await;

    let receipt = ada.cancels(&sale).await;

    assert_eq!((receipt.amount.amount, receipt.points_taken_back), (dec("0"), dec("0")));
    assert_eq!(ada.points().await, dec("0"));
}
