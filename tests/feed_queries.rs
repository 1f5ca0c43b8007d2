//! What the sealer, the feed and the verification ask of the database is read by keys: every statement that the server sends is taken from
//! the database's own log and explained.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use loyalty_sdk::{FeedRequest, VerifyRequest};

use crate::harness::books::{drifts, texts};
use crate::harness::database::TestDatabase;
use crate::harness::feed::{all, first, hold_sealer, opens, quick, rush};
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

/// A step of a plan.
#[derive(Debug, QueryableByName)]
struct Step {
    #[diesel(sql_type = Nullable<Text>)]
    table: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "type")]
    access: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "Extra")]
    extra: Option<String>,
}

/// One statement of every shape that the server has sent: those that differ only in their values are one.
async fn statements(database: &mut AsyncMysqlConnection) -> BTreeMap<String, String> {
    let log =
        "SELECT CAST(argument AS CHAR) AS value FROM mysql.general_log WHERE command_type IN ('Execute', 'Query')";
    let mut shapes = BTreeMap::new();
    for text in texts(database, log).await {
        for statement in text.split(';') {
            // Explaining a statement that locks would wait for whoever has the lock.
            let statement = statement.trim().trim_end_matches(" FOR UPDATE");
            let shape = statement
                .split(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\''])
                .next();
            let reads = ["SELECT", "(SELECT", "UPDATE", "DELETE"];
            let name =
                |table: &&str| statement.contains(&format!("{table} ")) || statement.contains(&format!("`{table}`"));
            if reads.iter().any(|verb| statement.starts_with(verb)) && TABLES.iter().any(name) {
                shapes.insert(shape.unwrap_or_default().to_owned(), statement.to_owned());
            }
        }
    }
    shapes
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_the_feed_goes_through_a_table() {
    let database = TestDatabase::create_apart(&["--general-log=1", "--log-output=TABLE"]).await;
    let shop = Shop::on(database, quick).await;
    opens(&shop).await;
    let mut members = Vec::new();
    for number in 0..40 {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }
    rush(&members, 3_000).await;
    first(&shop.client, 3_000).await;
    all(&shop.client, &FeedRequest::default()).await;
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
    let shapes = statements(&mut database).await;
    let analyze = "ANALYZE TABLE feed, feed_head, posting_batch, job_lease, entry, allocation, account, lot, pending";
    database.batch_execute(analyze).await.expect("statistics");

    let mut explained = BTreeMap::new();
    for statement in shapes.values() {
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN {statement}"))
            .load(&mut database)
            .await
            .unwrap_or_else(|error| panic!("{error}: {statement:.300}"));
        for step in plan {
            let extra = step.extra.clone().unwrap_or_default();
            let Some(table) = step.table.filter(|table| !table.starts_with('<')) else {
                continue;
            };
            let access = step.access.unwrap_or_default();
            let by_key = ["const", "eq_ref", "ref", "range"].contains(&access.as_str()) && step.key.is_some();
            assert!(by_key, "{table}, {access}, {extra}: {statement:.300}");
            assert!(
                !extra.contains("filesort") && !extra.contains("temporary"),
                "{table}, {extra}: {statement:.300}"
            );
            *explained.entry(table).or_insert(0) += 1;
        }
    }
    held.release().await;
    for table in TABLES {
        assert!(
            explained.contains_key(table),
            "nothing was asked of {table}: {explained:?}"
        );
    }
}
