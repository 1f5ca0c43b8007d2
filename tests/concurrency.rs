//! Many tills at once: no point is lost or invented, and every answer is what the books say.

use std::collections::HashMap;

use loyalty_sdk::{Client, Entry, Error, ExpiryPolicy, MemberKey, NewProgram, Receipt, RedemptionPolicy, Sale};
use rust_decimal::Decimal;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec};

const TILLS: usize = 64;
const SALES_PER_TILL: usize = 12;

async fn busy_shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(1))
        .expiry(ExpiryPolicy::days(90));
    Shop::with_rule(program, loyalty_sdk::EarnRate::new(dec("10"), dec("1"))).await
}

/// One till: every third sale redeems, sometimes more than there is.
async fn till(client: Client, number: usize, customers: Vec<MemberKey>) -> Vec<(Sale, Result<Receipt, Error>)> {
    let mut outcomes = Vec::new();
    for place in 0..SALES_PER_TILL {
        let customer = customers[(number * 7 + place * 13) % customers.len()].clone();
        let total = Decimal::from(10 + (number * 31 + place * 17) % 90);
        let sale = Sale::new(
            format!("{number}-{place}"),
            format!("store-{}", number % 4),
            customer,
            "EUR",
            total,
        );
        let sale = if place % 3 == 2 {
            sale.redeem_points(Decimal::from(3 + number % 5))
        } else {
            sale
        };
        let outcome = client.record_sale(&sale).await;
        outcomes.push((sale, outcome));
    }
    outcomes
}

async fn all_tills(shop: &Shop, members: &[ShopMember<'_>]) -> Vec<(Sale, Result<Receipt, Error>)> {
    let customers: Vec<MemberKey> = members.iter().map(|member| member.key.clone()).collect();
    let tills: Vec<_> = (0..TILLS)
        .map(|number| tokio::spawn(till(shop.client.clone(), number, customers.clone())))
        .collect();
    let mut outcomes = Vec::new();
    for till in tills {
        outcomes.extend(till.await.expect("a till"));
    }
    outcomes
}

/// Every answer is what the history says about its sale; every refusal left nothing.
async fn assert_answers_agree(members: &[ShopMember<'_>], outcomes: &[(Sale, Result<Receipt, Error>)]) {
    let mut entries: HashMap<(String, String), Vec<Entry>> = HashMap::new();
    for member in members {
        for entry in member.history().await {
            let sale = (
                entry.store_id.clone().unwrap_or_default(),
                entry.sale_id.clone().unwrap_or_default(),
            );
            entries.entry(sale).or_default().push(entry);
        }
    }
    for (sale, outcome) in outcomes {
        let written = entries.remove(&(sale.store_id.clone(), sale.sale_id.clone()));
        match outcome {
            Ok(receipt) => {
                let written = written.unwrap_or_else(|| panic!("sale {} has no entries", sale.sale_id));
                let points: Decimal = written.iter().map(|entry| entry.points).sum();
                assert_eq!(points, receipt.points_earned - receipt.points_redeemed);
                assert_eq!(
                    written[0].balance_after, receipt.balance.available,
                    "the newest entry of the sale"
                );
                assert_eq!(receipt.balance_before + points, receipt.balance.available);
            }
            Err(Error::InsufficientPoints { available, requested }) => {
                assert!(available < requested, "{available} of {requested}");
                assert_eq!(written, None, "a refused sale wrote nothing");
            }
            Err(error) => panic!("{}: {error}", sale.sale_id),
        }
    }
    assert!(entries.is_empty(), "entries of no sale: {:?}", entries.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tills_on_one_member_keep_the_books() {
    let shop = busy_shop().await;
    let members = [shop.enrols("ada").await];

    let outcomes = all_tills(&shop, &members).await;

    assert_eq!(outcomes.len(), TILLS * SALES_PER_TILL);
    assert_answers_agree(&members, &outcomes).await;
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tills_on_many_members_keep_the_books() {
    let shop = busy_shop().await;
    let mut members = Vec::new();
    for number in 0..40 {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }

    let outcomes = all_tills(&shop, &members).await;

    assert_answers_agree(&members, &outcomes).await;
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_keep_the_books() {
    let shop = busy_shop().await;
    let second = shop.second_server().await;
    let members = [shop.enrols("ada").await, shop.enrols("ben").await];
    let customers: Vec<MemberKey> = members.iter().map(|member| member.key.clone()).collect();

    let tills: Vec<_> = (0..16)
        .map(|number| {
            let client = if number % 2 == 0 {
                shop.client.clone()
            } else {
                second.clone()
            };
            tokio::spawn(till(client, number, customers.clone()))
        })
        .collect();
    let mut outcomes = Vec::new();
    for till in tills {
        outcomes.extend(till.await.expect("a till"));
    }

    assert_answers_agree(&members, &outcomes).await;
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_servers_that_get_the_same_request_at_once_one_records_it() {
    let shop = busy_shop().await;
    let second = shop.second_server().await;
    let ada = shop.enrols("ada").await;

    for round in 0..20 {
        let sale = ada.sale("20");
        let id = format!("request-{round}");
        let (one, two) = (shop.client.with_request_id(id.clone()), second.with_request_id(id));
        let (one, two) = tokio::join!(one.record_sale(&sale), two.record_sale(&sale));

        let (mut one, mut two) = (one.expect("an answer"), two.expect("an answer"));
        assert!(one.replayed != two.replayed, "one of them was first");
        (one.replayed, two.replayed) = (false, false);
        assert_eq!(one, two);
    }

    assert_eq!(ada.points().await, dec("40"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tills_that_name_the_program_and_tills_that_do_not_mean_the_same_member() {
    let shop = busy_shop().await;
    let ada = shop.enrols("ada").await;
    let sales = (0..40).map(|number| match number % 2 {
        0 => ada.sale("10.00"),
        _ => ada.sale("10.00").program(PROGRAM),
    });

    let mut tills = tokio::task::JoinSet::new();
    for sale in sales {
        let client = shop.client.clone();
        tills.spawn(async move { client.record_sale(&sale).await });
    }

    while let Some(answer) = tills.join_next().await {
        assert_eq!(
            answer.expect("a till").map(|receipt| receipt.points_earned),
            Ok(1.into())
        );
    }
    assert_eq!(ada.balance().await.available, 40.into());
}
