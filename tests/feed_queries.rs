//! What the sealer, the feed and the verification ask of the database is read by keys.

use loyalty_sdk::{FeedRequest, VerifyRequest};

use crate::harness::books::drifts;
use crate::harness::database::TestDatabase;
use crate::harness::feed::{all, first, hold_sealer, opens, quick, rush};
use crate::harness::plans::{LOGGING, assert_by_key, forget_log};
use crate::harness::{PROGRAM, Shop};

/// What the sealer, the feed and the verification read and write, beside the rows they insert.
const TABLES: [&str; 9] = [
    "feed",
    "feed_head",
    "posting_batch",
    "job_lease",
    "entry",
    "allocation",
    "account",
    "lot",
    "pending",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_the_feed_goes_through_a_table() {
    let database = TestDatabase::create_apart(&LOGGING).await;
    let shop = Shop::on(database, quick).await;
    opens(&shop).await;
    forget_log(&mut shop.database().await).await;
    let mut members = Vec::new();
    for number in 0..40 {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }
    rush(&members, 3_000).await;
    first(&shop.client, 3_000).await;
    all(&shop.client, &FeedRequest::default()).await;
    shop.changes(|program| program.pending_days(14)).await;
    for member in &members {
        member.buys("10").await;
    }
    let held = hold_sealer(&shop).await;
    for member in members.iter().cycle().take(120) {
        member.buys("1.00").await;
    }

    let verified = [
        VerifyRequest::default(),
        VerifyRequest::program(PROGRAM),
        VerifyRequest::member(&members[0].member),
    ];
    for request in verified {
        assert_eq!(drifts(&shop.client, &request).await, []);
    }

    let mut database = shop.database().await;
    assert_by_key(&mut database, &TABLES, &[]).await;
    held.release().await;
}
