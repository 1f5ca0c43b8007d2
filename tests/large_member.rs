//! A member with 100,000 entries and 20,000 open lots is as fast at the till as any other: no call reads more rows than what
//! it answers needs.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use loyalty_sdk::{
    EarnRate, EntryFilter, EntryKind, ExpiryPolicy, FeedRequest, HoldCapture, NewHold, NewProgram, NewRule,
    PageRequest, RedemptionPolicy, RedemptionRequest, SaleFilter, VerifyRequest,
};

use crate::harness::books::{count, drifts};
use crate::harness::database::TestDatabase;
use crate::harness::feed::{all, quick};
use crate::harness::plans::{LOGGING, assert_by_key, forget_log};
use crate::harness::{PROGRAM, Shop, ShopMember, dec};

/// What the calls of these tests read.
const TABLES: [&str; 4] = ["entry", "lot", "allocation", "sale"];

/// Numbers from 0 to 99,999.
const NUMBERS: &str = "(SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS n FROM digit a, digit b, digit c, digit e, digit f)";

/// Ten entries again and again: the first and the last earn ten points that are still there, those between earn five and
/// redeem them.
const SEED: &[&str] = &[
    "CREATE TABLE digit (d INT NOT NULL PRIMARY KEY)",
    "INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
    "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, tier_spend, store_id, program_version, \
     lot_expires_at, occurred_at, recorded_at) \
     SELECT e.merchant_id, e.member_id, n + 2, IF(n % 10 IN (2, 4, 6, 8), 2, 1), \
     CASE WHEN n % 10 IN (0, 9) THEN 10 WHEN n % 2 = 1 THEN 5 ELSE -5 END, \
     1 + 10 * (2 * (n DIV 10) + 1 + (n % 10 = 9)) + IF(n % 10 IN (1, 3, 5, 7), 5, 0), \
     0, 'store-1', e.program_version, \
     IF(n % 10 IN (2, 4, 6, 8), NULL, e.lot_expires_at + INTERVAL n SECOND), \
     e.occurred_at + INTERVAL n SECOND, e.recorded_at + INTERVAL n SECOND \
     FROM entry e, {numbers} numbers WHERE e.sequence = 1",
    "INSERT INTO lot (merchant_id, member_id, expires_at, sequence, points, remaining) \
     SELECT merchant_id, member_id, lot_expires_at, sequence, points, IF(points = 10, 10, 0) FROM entry \
     WHERE sequence > 1 AND kind = 1",
    "INSERT INTO allocation (merchant_id, member_id, sequence, lot_expires_at, lot_sequence, points) \
     SELECT e.merchant_id, e.member_id, e.sequence, first.lot_expires_at + INTERVAL (e.sequence - 3) SECOND, e.sequence - 1, -5 \
     FROM entry e JOIN entry first ON first.merchant_id = e.merchant_id AND first.member_id = e.member_id AND first.sequence = 1 \
     WHERE e.sequence > 1 AND e.kind = 2",
    "UPDATE account SET last_sequence = 100001, points = 200001, lifetime_earned = 400001, lifetime_redeemed = 200000, \
     recorded_at = (SELECT MAX(recorded_at) FROM entry)",
    "INSERT INTO posting_batch (merchant_id, batch_id, recorded_at, touched) \
     SELECT merchant_id, member_id, recorded_at, CONCAT(member_id, x'0000000000000002', x'000186a0') FROM account",
    "DROP TABLE digit",
    "ANALYZE TABLE entry, lot, allocation, account",
];

#[derive(QueryableByName)]
struct Counter {
    #[diesel(sql_type = Text, column_name = "Variable_name")]
    name: String,
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// Rows that the database has read by now, for whomever.
async fn rows_read(database: &mut AsyncMysqlConnection) -> BTreeMap<String, u64> {
    let counters = "SHOW GLOBAL STATUS LIKE 'Handler_read%'";
    let counters: Vec<Counter> = diesel::sql_query(counters).load(database).await.expect("counters");
    let read = counters.into_iter();
    read.map(|counter| (counter.name, counter.value.parse().expect("a number")))
        .collect()
}

/// Rows that a call read, a few of the server's other work among them.
async fn rows_of<T>(shop: &Shop, call: impl Future<Output = T>) -> (u64, T) {
    let mut database = shop.database().await;
    let before = rows_read(&mut database).await;
    let answer = call.await;
    let after = rows_read(&mut database).await;
    // The counters are rows of a table as well; each server has its own number of them.
    let own = |name: &str| name.contains("rnd");
    let rows = after.iter().filter(|(name, _)| !own(name));
    (rows.map(|(name, count)| count - before[name]).sum(), answer)
}

/// Ada with all these entries, sealed, as if she had bought and redeemed every second for a day.
async fn ada(shop: &Shop) -> ShopMember<'_> {
    let program = NewProgram::new("Club", "EUR")
        .program_id(PROGRAM)
        .redemption(RedemptionPolicy::new(1))
        .expiry(ExpiryPolicy::days(60));
    shop.client.create_program(&program).await.expect("a program");
    shop.creates(&NewRule::new(PROGRAM, "Default", EarnRate::new(1, 1)))
        .await;
    let ada = shop.enrols("ada").await;
    ada.buys("1.00").await;
    all(&shop.client, &FeedRequest::default()).await;
    let mut database = shop.database().await;
    for statement in SEED {
        let statement = statement.replace("{numbers}", NUMBERS);
        database.batch_execute(&statement).await.expect("rows");
    }
    let later = shop.now() + TimeDelta::seconds(100_001);
    shop.it_is(&later.to_rfc3339());
    ada
}

/// The sealer reads entries, too.
async fn until_sealed(shop: &Shop) {
    let mut database = shop.database().await;
    while count(&mut database, "SELECT COUNT(*) AS n FROM posting_batch").await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_a_hundred_thousand_entries_costs_no_call_more_than_it_answers() {
    let database = TestDatabase::create_apart(&LOGGING).await;
    let shop = Shop::on(database, quick).await;
    let ada = ada(&shop).await;
    assert_eq!(ada.points().await, dec("200001"));
    until_sealed(&shop).await;
    forget_log(&mut shop.database().await).await;

    let (rows, newest) = rows_of(&shop, shop.client.list_entries(&ada.key, &PageRequest::of(100))).await;
    let newest = newest.expect("a page");
    assert_eq!(newest.items.len(), 100);
    assert!(rows < 800, "{rows} rows for the newest page");

    let noon = shop.now() - TimeDelta::seconds(50_000);
    let filter = EntryFilter::of_member(&ada.key).recorded_until(noon);
    let (rows, earlier) = rows_of(&shop, shop.client.list_entries(filter, &PageRequest::of(100))).await;
    assert_eq!(earlier.expect("a page").items.len(), 100);
    assert!(rows < 2_000, "{rows} rows for a page in the middle");

    let (rows, _) = rows_of(&shop, ada.balance()).await;
    assert!(rows < 300, "{rows} rows for the balance");

    let (rows, _) = rows_of(&shop, ada.buys("7.00")).await;
    assert!(rows < 300, "{rows} rows for a sale");

    let sale = ada.sale("2000.00").redeem_points(1_005);
    let (rows, receipt) = rows_of(&shop, ada.records(&sale)).await;
    assert_eq!(receipt.points_redeemed, dec("1005"));
    assert!(rows < 1_500, "{rows} rows for a sale that takes from 101 lots");

    let (rows, returned) = rows_of(&shop, ada.returns_amount(&sale, "1000.00")).await;
    assert!(returned.points_given_back > dec("500"));
    assert!(rows < 2_000, "{rows} rows for a return to 51 lots");

    let request = RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(25);
    let (rows, held) = rows_of(&shop, shop.client.place_hold(&NewHold::of(request))).await;
    assert!(rows < 600, "{rows} rows for a hold");
    let capture = HoldCapture::of(&held.expect("a hold").hold.hold_id, "store-1");
    let (rows, captured) = rows_of(&shop, shop.client.capture_hold(&capture)).await;
    captured.expect("a redemption");
    assert!(rows < 600, "{rows} rows for a capture");

    // What was half a day ago is what is now less what came since: half of the entries, and each lot once.
    let (rows, past) = rows_of(&shop, shop.client.summarize_balance(&ada.key, Some(noon), 30)).await;
    assert_eq!(past.expect("a balance").at, noon);
    assert!(rows < 400_000, "{rows} rows for the balance in the middle");

    what_is_rare_is_searched_in_parts(&shop, &ada).await;

    assert_by_key(
        &mut shop.database().await,
        &TABLES,
        &["FROM `allocation`", "GROUP BY kind"],
    )
    .await;
    assert_eq!(drifts(&shop.client, &VerifyRequest::member(&ada.member)).await, []);
}

/// However rare it is, an answer looks at ten thousand entries, and the pages together at all.
async fn what_is_rare_is_searched_in_parts(shop: &Shop, ada: &ShopMember<'_>) {
    let of_ada = || EntryFilter::of_member(&ada.key);
    let rare = [
        of_ada().kind(EntryKind::Adjust),
        of_ada().store("store-9"),
        of_ada().terminal("till-9"),
        of_ada().cashier("eva"),
        of_ada().recorded_until(shop.now()).kind(EntryKind::Adjust),
    ];
    for filter in rare {
        let (rows, page) = rows_of(shop, shop.client.list_entries(filter.clone(), &PageRequest::of(100))).await;
        let page = page.expect("a page");
        assert!(page.items.is_empty() && page.next.is_some(), "{filter:?}");
        assert!(rows < 12_000, "{rows} rows for {filter:?}");
    }

    // The first of all entries is of a sale.
    let filter = EntryFilter::of_sale("store-1", "ticket-1");
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut next = Some(PageRequest::of(100));
    while let Some(page) = next {
        let (rows, page) = rows_of(shop, shop.client.list_entries(filter.clone(), &page)).await;
        assert!(rows < 12_000, "{rows} rows for a page of the sale");
        let page = page.expect("a page");
        pages += 1;
        found.extend(page.items.into_iter().map(|entry| entry.sequence));
        next = page.next;
    }
    assert_eq!((found, pages), (vec![1], 11));

    // Of who was merged into her, too.
    let old = shop.enrols("old").await;
    let mut elsewhere = old.sale("3.00");
    elsewhere.store_id = "store-9".to_owned();
    old.records(&elsewhere).await;
    ada.buys("1.00").await;
    let merged = shop.client.merge_members(&ada.member, &old.member, "").await;
    merged.expect("a merger");
    let filter = SaleFilter::of_member(&ada.key).store("store-9");
    let (mut found, mut pages) = (Vec::new(), 0);
    let mut next = Some(PageRequest::of(100));
    while let Some(page) = next {
        let (rows, page) = rows_of(shop, shop.client.list_sales(&filter, &page)).await;
        assert!(rows < 12_000, "{rows} rows for a page of sales");
        let page = page.expect("a page");
        pages += 1;
        found.extend(page.items.into_iter().map(|sale| sale.sale_id));
        next = page.next;
    }
    assert_eq!((found, pages), (vec![elsewhere.sale_id], 11));
}
