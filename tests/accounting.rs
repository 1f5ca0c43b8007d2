//! T7: every redemption says where it is booked.

use loyalty_sdk::{EarnRate, EntryKind, NewProgram, Redemption, RedemptionPolicy};

use crate::harness::{Shop, wrong_fields};

async fn shop() -> Shop {
    let program = NewProgram {
        expense_account: Some("6400 Loyalty".to_owned()),
        cost_center: Some("Marketing".to_owned()),
        ..NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1))
    };
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redemption_is_booked_as_it_says_itself_else_as_the_program_says() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let sale = ada
        .sale("60")
        .redemption(Redemption::points(10))
        .redemption(Redemption::amount(20).cost_center("Store 1"))
        .redemption(Redemption::points(5).expense_account("6500").cost_center("Web"));

    let receipt = ada.records(&sale).await;
    shop.changes(|club| club.expense_account("").cost_center("Sales")).await;
    ada.records(&ada.sale("10").redeem_points(1)).await;

    let booked = |account: Option<&str>, center: &str| (account.map(str::to_owned), Some(center.to_owned()));
    let expected = [
        booked(Some("6400 Loyalty"), "Marketing"),
        booked(Some("6400 Loyalty"), "Store 1"),
        booked(Some("6500"), "Web"),
    ];
    let tenders: Vec<_> = receipt
        .points_tenders
        .iter()
        .map(|tender| (tender.expense_account.clone(), tender.cost_center.clone()))
        .collect();
    assert_eq!(tenders, expected);
    let mut history = ada.history().await;
    history.reverse();
    let (redeemed, others): (Vec<_>, Vec<_>) = history.into_iter().partition(|entry| entry.kind == EntryKind::Redeem);
    let of_entries: Vec<_> = redeemed
        .into_iter()
        .map(|entry| (entry.expense_account, entry.cost_center))
        .collect();
    assert_eq!(of_entries[..3], expected);
    assert_eq!(of_entries[3..], [booked(None, "Sales")]);
    assert!(
        others
            .iter()
            .all(|entry| entry.expense_account.is_none() && entry.cost_center.is_none())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_too_long_are_refused_by_the_name_of_their_field() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let long = "x".repeat(65);

    let program = NewProgram {
        cost_center: Some(long.clone()),
        ..NewProgram::new("Club", "EUR")
    };
    let program = shop
        .client
        .create_program(&program)
        .await
        .expect_err("a long cost center");
    let sale = ada.sale("10").redemption(Redemption::points(1).expense_account(long));
    let sale = ada.tries(&sale).await.expect_err("a long account");

    assert_eq!(wrong_fields(&program), ["program.cost_center"]);
    assert_eq!(wrong_fields(&sale), ["sale.redemptions[0].expense_account"]);
}
