//! T9: what each version changed of the products, and all versions of a rule.

use std::ops::RangeBounds;

use loyalty_sdk::{EarnRate, Error, NewProgram, NewRule, PageRequest, ProductId, ProductUpdate, RuleUpdate};
use rust_decimal::Decimal;

use crate::harness::{PROGRAM, Shop, instant};

#[tokio::test(flavor = "multi_thread")]
async fn product_changes_tell_each_value_before_and_after() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let loads = [
        vec![
            ProductUpdate::new("a").points(1),
            ProductUpdate::new("b").points(2).redeem_points(20),
        ],
        vec![ProductUpdate::new("a").points(1), ProductUpdate::new("b").points(3)],
        vec![ProductUpdate::remove("b"), ProductUpdate::new("c").points(5)],
        vec![ProductUpdate::new("b").points(4)],
    ];
    for load in &loads {
        shop.client.upsert_products(PROGRAM, load).await.expect("a load");
    }

    let of_b = shop.product_changes(Some("b"), ..).await;
    let of_two_versions = shop.product_changes(None, 3..=4).await;
    let all = shop.product_changes(None, ..).await;

    let one = |points: [i64; 2], prices: [i64; 2]| (points, prices);
    let expected = [
        ("b 2".to_owned(), one([0, 2], [0, 20])),
        ("b 3".to_owned(), one([2, 3], [20, 0])),
        ("b 4".to_owned(), one([3, 0], [0, 0])),
        ("b 5".to_owned(), one([0, 4], [0, 0])),
    ];
    assert_eq!(of_b, expected);
    let names = |changes: &[Told]| -> Vec<String> { changes.iter().map(|(name, _)| name.clone()).collect() };
    assert_eq!(names(&of_two_versions), ["b 3", "b 4", "c 4"]);
    assert_eq!(names(&all), ["a 2", "b 2", "b 3", "b 4", "c 4", "b 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_versions_of_a_rule_are_told_newest_first() {
    let shop = Shop::with_program(NewProgram::new("Club", "EUR")).await;
    let [ana, luis] = ["ana", "luis"].map(|actor| shop.client.with_actor(actor));
    let rule = NewRule::new(PROGRAM, "Default", EarnRate::new(10, 1)).rule_id("base");
    let first = ana.create_rule(&rule).await.expect("a rule");
    shop.changes(|club| club.name("Coffee club")).await;
    shop.days_pass(1);
    let update = RuleUpdate::of(&first).earn_rate(EarnRate::new(5, 1));
    let second = luis.update_rule(&update).await.expect("a rule");

    let mut versions = Vec::new();
    let mut next = Some(PageRequest::of(1));
    while let Some(page) = next {
        let page = shop
            .client
            .list_rule_versions(PROGRAM, "base", &page)
            .await
            .expect("a page");
        versions.extend(page.items);
        next = page.next;
    }
    let nothing = shop
        .client
        .list_rule_versions(PROGRAM, "other", &PageRequest::default())
        .await;

    let [newest, oldest] = &versions[..] else {
        panic!("not two: {versions:?}");
    };
    assert_eq!(
        (newest.from_version, newest.until_version, newest.actor.as_str()),
        (4, None, "luis")
    );
    assert_eq!(
        (oldest.from_version, oldest.until_version, oldest.actor.as_str()),
        (2, Some(4), "ana")
    );
    assert_eq!((&newest.rule, &oldest.rule), (&second, &first));
    assert_eq!(newest.rule.updated_at, instant("2026-01-16T10:00:00Z"));
    assert!(matches!(nothing, Err(Error::RuleNotFound { .. })), "{nothing:?}");
}

/// A change of a product: its name and version, and points and price before and after, 0 for none.
type Told = (String, ([i64; 2], [i64; 2]));

impl Shop {
    /// Changes of products of the `club`, in pages of two.
    async fn product_changes(&self, product_id: Option<&str>, versions: impl RangeBounds<u32> + Clone) -> Vec<Told> {
        let number = |number: Option<Decimal>| number.map_or(0, |number| i64::try_from(number).expect("small"));
        let pair = |(old, new)| [number(old), number(new)];
        let mut changes = Vec::new();
        let mut next = Some(PageRequest::of(2));
        while let Some(page) = next {
            let product_id = product_id.map(ProductId::from);
            let page = self
                .client
                .list_product_changes(PROGRAM, product_id, versions.clone(), &page)
                .await;
            let page = page.unwrap_or_else(|error| panic!("{error}"));
            changes.extend(page.items.into_iter().map(|change| {
                let name = format!("{} {}", change.product_id, change.version);
                (name, (pair(change.points), pair(change.redeem_points)))
            }));
            next = page.next;
        }
        changes
    }
}
