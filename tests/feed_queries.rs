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

/// The statements of a text in the log, which has binary values as they are: those become hex. A semicolon within quotes is
/// part of a value.
fn apart(text: &[u8]) -> Vec<String> {
    let (mut statements, mut statement) = (Vec::new(), String::new());
    let mut value: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (&mut value, byte) {
            (Some(quoted), b'\'') => {
                match quoted.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
                    true => statement.push_str(&format!("'{}'", String::from_utf8_lossy(quoted).replace('\\', "\\\\"))),
                    false => statement.push_str(&format!("x'{}'", hex(quoted))),
                }
                value = None;
            }
            (Some(quoted), b'\\') => quoted.push(match bytes.next() {
                Some(b'0') => 0,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'Z') => 0x1a,
                Some(other) => other,
                None => b'\\',
            }),
            (Some(quoted), byte) => quoted.push(byte),
            (None, b'\'') => value = Some(Vec::new()),
            (None, b';') => statements.push(std::mem::take(&mut statement)),
            (None, byte) => statement.push(char::from(byte)),
        }
    }
    statements.push(statement);
    statements
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Statements of one shape that are kept.
const OF_A_SHAPE: usize = 20;

/// Some statements of every shape that the server has sent, those that differ only in their values: the log has binary
/// values as they are, quotes and all, so that not every statement in it can be read.
async fn statements(database: &mut AsyncMysqlConnection) -> BTreeMap<String, Vec<String>> {
    let log = "SELECT HEX(argument) AS value FROM mysql.general_log WHERE command_type IN ('Execute', 'Query')";
    let mut shapes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in texts(database, log).await {
        let bytes: Vec<u8> = (0..text.len() / 2)
            .map(|place| u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hex"))
            .collect();
        for statement in apart(&bytes) {
            // Explaining a statement that locks would wait for whoever has the lock.
            let statement = statement.trim().trim_end_matches(" FOR UPDATE");
            let shape = statement
                .split(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '\''])
                .next();
            let reads = ["SELECT", "(SELECT", "UPDATE", "DELETE"];
            let name =
                |table: &&str| statement.contains(&format!("{table} ")) || statement.contains(&format!("`{table}`"));
            if reads.iter().any(|verb| statement.starts_with(verb)) && TABLES.iter().any(name) {
                let of_shape = shapes.entry(shape.unwrap_or_default().to_owned()).or_default();
                if of_shape.len() < OF_A_SHAPE {
                    of_shape.push(statement.to_owned());
                }
            }
        }
    }
    shapes
}

impl Step {
    fn is_by_key(&self) -> bool {
        let by_key = ["const", "eq_ref", "ref", "range"];
        self.key.is_some() && self.access.as_deref().is_some_and(|access| by_key.contains(&access))
    }
}

/// The plan of one of these statements, and the statement: of one that goes by a key, for to ask for every row of a small
/// table a key is of no use; else of any that can be read.
async fn plan<'a>(database: &mut AsyncMysqlConnection, statements: &'a [String]) -> (Vec<Step>, &'a str) {
    let (mut other, mut unread) = (None, None);
    for statement in statements {
        let plan: Result<Vec<Step>, _> = diesel::sql_query(format!("EXPLAIN FORMAT=TRADITIONAL {statement}"))
            .load(database)
            .await;
        match plan {
            Ok(plan) if plan.iter().all(Step::is_by_key) => return (plan, statement),
            Ok(plan) => other = Some((plan, statement.as_str())),
            Err(error) => unread = Some(format!("{error}: {statement:.300}")),
        }
    }
    other.unwrap_or_else(|| panic!("{unread:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_of_the_feed_goes_through_a_table() {
    let database = TestDatabase::create_apart(&["--general-log=1", "--log-output=TABLE"]).await;
    let shop = Shop::on(database, quick).await;
    opens(&shop).await;
    // The migrations may go through tables.
    let forget = shop
        .database()
        .await
        .batch_execute("TRUNCATE TABLE mysql.general_log")
        .await;
    forget.expect("an empty log");
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
    let shapes = statements(&mut database).await;
    let analyze = "ANALYZE TABLE feed, feed_head, posting_batch, job_lease, entry, allocation, account, lot, pending";
    database.batch_execute(analyze).await.expect("statistics");

    let mut explained = BTreeMap::new();
    for statements in shapes.values() {
        let (steps, statement) = plan(&mut database, statements).await;
        for step in steps {
            let by_key = step.is_by_key();
            let key = step.key.clone().unwrap_or_default();
            let extra = step.extra.clone().unwrap_or_default();
            let Some(table) = step.table.filter(|table| !table.starts_with('<')) else {
                continue;
            };
            let access = step.access.unwrap_or_default();
            assert!(by_key, "{table}, {access}, {extra}: {statement:.300}");
            assert!(
                !extra.contains("filesort") && !extra.contains("temporary"),
                "{table} by {key}, {extra}: {statement}"
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
