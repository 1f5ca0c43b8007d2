//! S4: where a call takes place comes from its key.

use loyalty_sdk::{EarnRate, Error, MemberKey, NewMember, NewProgram, NewRule, Sale};
use loyalty_server::tenants::{NewKey, Role};

use crate::harness::books::texts;
use crate::harness::keys::{Keys as _, new_key};
use crate::harness::{MERCHANT, Shop};

/// A shop with keys, whose `club` has the member ada.
async fn open() -> Shop {
    let shop = Shop::with_keys().await;
    let program = NewProgram::new("Club", "EUR").program_id("club");
    shop.client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
    shop.client.create_rule(&rule).await.expect("a rule");
    let ada = NewMember::new("club").customer_id("ada");
    shop.client.enroll_member(&ada).await.expect("a member");
    shop
}

fn sale(id: &str, store_id: &str, terminal_id: &str) -> Sale {
    let ada = MemberKey::customer_id("ada");
    Sale::new(id, store_id, ada, "EUR", 10).terminal(terminal_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_terminal_says_where_a_sale_takes_place() {
    let shop = open().await;
    let mut tenants = shop.tenants().await;
    tenants.create_store(MERCHANT, "north").await.expect("a store");
    tenants
        .create_terminal(MERCHANT, "north", "till-1")
        .await
        .expect("a terminal");
    let key = NewKey {
        store_id: Some("north".to_owned()),
        terminal_id: Some("till-1".to_owned()),
        ..new_key(MERCHANT, Role::Terminal)
    };
    let key = tenants.create_key(key).await.expect("a key").text;
    let till = shop.client_with(&key).await;

    till.record_sale(&sale("unsaid", "", "")).await.expect("a receipt");
    till.record_sale(&sale("said", "north", "till-1"))
        .await
        .expect("a receipt");
    let other_store = till.record_sale(&sale("3", "south", "till-1")).await;
    let other_till = till.quote_sale(&sale("4", "north", "till-2")).await;

    for (refused, field, of_key) in [
        (other_store, "sale.store_id", "north"),
        (other_till, "sale.terminal_id", "till-1"),
    ] {
        assert!(
            matches!(&refused, Err(Error::PlaceMismatch { field: named, allowed }) if named == field && allowed == of_key),
            "{refused:?}"
        );
    }
    let question = "SELECT CONCAT(sale_id, ' ', store_id, ' ', JSON_UNQUOTE(JSON_EXTRACT(document, '$.terminal_id'))) \
        AS value FROM sale ORDER BY sale_id";
    let recorded = texts(&mut shop.database().await, question).await;
    assert_eq!(recorded, ["said north till-1", "unsaid north till-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_sent_again_is_the_same_whether_the_till_or_its_key_says_where() {
    let shop = open().await;
    let key = shop
        .tenants()
        .await
        .key_for_store(MERCHANT, Role::Terminal, "north")
        .await;
    let till = shop.client_with(&key).await;

    let first = till.with_request_id("r-1").record_sale(&sale("1", "", "till-9")).await;
    let again = till
        .with_request_id("r-1")
        .record_sale(&sale("1", "north", "till-9"))
        .await;

    assert!(!first.expect("a receipt").replayed);
    assert!(again.expect("a receipt").replayed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_office_acts_in_any_store_and_must_say_which() {
    let shop = open().await;
    let key = shop.tenants().await.key(MERCHANT, Role::BackOffice).await;
    let office = shop.client_with(&key).await;

    let unsaid = office.record_sale(&sale("1", "", "")).await;
    let north = office.record_sale(&sale("2", "north", "")).await;
    let south = office.record_sale(&sale("3", "south", "till-3")).await;

    assert!(
        matches!(&unsaid, Err(Error::InvalidFields(fields)) if fields[0].field == "sale.store_id"),
        "{unsaid:?}"
    );
    assert!(north.is_ok() && south.is_ok(), "{north:?} {south:?}");
}
