//! Looks at the books behind the server's back.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Unsigned};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use loyalty_sdk::{Client, Drift, Error, VerifyRequest};

use super::Shop;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct TextValue {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Every statement finds what must not be there.
const WRONG: &[(&str, &str)] = &[
    (
        "an account whose points are not the sum of its entries",
        "SELECT COUNT(*) AS n FROM account a WHERE a.points - a.debt <> \
         (SELECT COALESCE(SUM(e.points), 0) FROM entry e WHERE e.merchant_id = a.merchant_id AND e.member_id = a.member_id)",
    ),
    (
        "an account whose points are not what remains of its lots",
        "SELECT COUNT(*) AS n FROM account a WHERE a.points <> \
         (SELECT COALESCE(SUM(l.remaining), 0) FROM lot l WHERE l.merchant_id = a.merchant_id AND l.member_id = a.member_id)",
    ),
    (
        "a lot below zero or above what arrived",
        "SELECT COUNT(*) AS n FROM lot WHERE remaining < 0 OR remaining > points",
    ),
    (
        "an account whose pending points are not those of its pending lots",
        "SELECT COUNT(*) AS n FROM account a WHERE a.pending <> (SELECT COALESCE(SUM(p.points), 0) FROM pending p \
         WHERE p.merchant_id = a.merchant_id AND p.member_id = a.member_id) OR COALESCE(a.pending_until, '1000-01-01') <> \
         COALESCE((SELECT MIN(p.pending_until) FROM pending p WHERE p.merchant_id = a.merchant_id \
         AND p.member_id = a.member_id AND p.points > 0), '1000-01-01')",
    ),
    (
        "more pending of a lot than remains of it",
        "SELECT COUNT(*) AS n FROM pending p LEFT JOIN lot l ON l.merchant_id = p.merchant_id \
         AND l.member_id = p.member_id AND l.expires_at = p.lot_expires_at AND l.sequence = p.lot_sequence \
         WHERE p.points > COALESCE(l.remaining, -1)",
    ),
    (
        "an account that holds other points than its holds say",
        "SELECT COUNT(*) AS n FROM account a WHERE a.held <> (SELECT COALESCE(SUM(CAST(JSON_UNQUOTE(JSON_EXTRACT(l.lots, \
         '$[1]')) AS DECIMAL(19,4))), 0) FROM hold h, JSON_TABLE(h.document, '$.lots[*]' COLUMNS (lots JSON PATH '$')) l \
         WHERE h.merchant_id = a.merchant_id AND h.member_id = a.member_id AND h.state = 0)",
    ),
    (
        "more held than all the lots have",
        "SELECT COUNT(*) AS n FROM account WHERE held > points",
    ),
    (
        "a lot that its allocations do not explain",
        "SELECT COUNT(*) AS n FROM lot l WHERE l.remaining <> l.points + (SELECT COALESCE(SUM(x.points), 0) \
         FROM allocation x WHERE x.merchant_id = l.merchant_id AND x.member_id = l.member_id \
         AND x.lot_expires_at = l.expires_at AND x.lot_sequence = l.sequence)",
    ),
    (
        "an entry that took points and took more from lots, or less though nothing is owed",
        "SELECT COUNT(*) AS n FROM (SELECT e.points, e.balance_after, (SELECT COALESCE(SUM(x.points), 0) \
         FROM allocation x WHERE x.merchant_id = e.merchant_id AND x.member_id = e.member_id AND x.sequence = e.sequence) \
         AS taken, (SELECT COALESCE(SUM(l.points), 0) FROM lot l WHERE l.merchant_id = e.merchant_id \
         AND l.member_id = e.member_id AND l.sequence <= e.sequence) + (SELECT COALESCE(SUM(x.points), 0) FROM allocation x \
         WHERE x.merchant_id = e.merchant_id AND x.member_id = e.member_id AND x.sequence <= e.sequence) AS in_lots \
         FROM entry e WHERE e.points < 0) t WHERE taken < points OR taken > 0 OR balance_after > in_lots \
         OR (taken > points AND balance_after = in_lots)",
    ),
    (
        "an account whose spend or lifetime totals are not those of its entries",
        "SELECT COUNT(*) AS n FROM account a WHERE (a.tier_spend, a.lifetime_earned, a.lifetime_redeemed, \
         a.lifetime_expired) <> (SELECT COALESCE(SUM(e.tier_spend), 0), COALESCE(SUM(IF(e.kind IN (1, 4, 5, 8), e.points, COALESCE(e.lifetime_earned, 0))), 0), \
         COALESCE(SUM(IF(e.kind IN (2, 6), -e.points, COALESCE(e.lifetime_redeemed, 0))), 0), \
         COALESCE(SUM(IF(e.kind = 3, -e.points, COALESCE(e.lifetime_expired, 0))), 0) FROM entry e \
         WHERE e.merchant_id = a.merchant_id AND e.member_id = a.member_id)",
    ),
    (
        "an account whose entries have gaps",
        "SELECT COUNT(*) AS n FROM account a WHERE a.last_sequence <> (SELECT COUNT(*) FROM entry e \
         WHERE e.merchant_id = a.merchant_id AND e.member_id = a.member_id)",
    ),
    (
        "an account whose first open lot is not where it says",
        "SELECT COUNT(*) AS n FROM account a WHERE COALESCE(a.first_open_lot_expires_at, '1000-01-01') <> \
         COALESCE((SELECT MIN(l.expires_at) FROM lot l WHERE l.merchant_id = a.merchant_id \
         AND l.member_id = a.member_id AND l.remaining > 0), '1000-01-01')",
    ),
    (
        "an account that a sweep would come to too late",
        "SELECT COUNT(*) AS n FROM account WHERE held = 0 AND first_open_lot_expires_at < '9999-12-31' \
         AND COALESCE(sweep_at, '9999-12-31') > first_open_lot_expires_at",
    ),
    (
        "an account that a sweep would come to too late when its member does nothing",
        "SELECT COUNT(*) AS n FROM account WHERE held = 0 AND points > 0 AND COALESCE(sweep_at, '9999-12-31') > inactive_at",
    ),
];

/// Entries, lots, allocations and accounts agree to the last decimal, also as the server itself verifies them.
pub(crate) async fn assert_books_agree(shop: &Shop) {
    let mut connection = shop.database().await;
    for (what, statement) in WRONG.iter().copied() {
        assert_eq!(count(&mut connection, statement).await, 0, "{what}");
    }
    if shop.is_open() {
        let drifts = drifts(&shop.client, &VerifyRequest::default()).await;
        assert!(drifts.is_empty(), "{}", drifts[0]);
    }
}

/// What the server's verification finds. Connections of the server that a test has cut are not its concern.
pub(crate) async fn drifts(client: &Client, request: &VerifyRequest) -> Vec<Drift> {
    let (mut verification, mut drifts) = (client.verify_ledger(request), Vec::new());
    loop {
        match verification.next().await {
            Ok(Some(part)) => drifts.extend(part.drifts),
            Ok(None) => return drifts,
            Err(Error::Unavailable(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// The number that a statement answers as `n`.
pub(crate) async fn count(connection: &mut AsyncMysqlConnection, statement: &str) -> i64 {
    let count: Count = diesel::sql_query(statement)
        .get_result(connection)
        .await
        .expect(statement);
    count.n
}

/// The texts that a statement answers as `value`.
pub(crate) async fn texts(connection: &mut AsyncMysqlConnection, statement: &str) -> Vec<String> {
    let rows: Vec<TextValue> = diesel::sql_query(statement).load(connection).await.expect(statement);
    rows.into_iter().map(|row| row.value).collect()
}

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = Unsigned<BigInt>, column_name = "Id")]
    id: u64,
    #[diesel(sql_type = Nullable<Text>, column_name = "db")]
    database: Option<String>,
}

/// The server's connections to the database of `connection`, by id.
pub(crate) async fn connections(connection: &mut AsyncMysqlConnection) -> Vec<u64> {
    let own = texts(
        connection,
        "SELECT DATABASE() AS value UNION ALL SELECT CAST(CONNECTION_ID() AS CHAR)",
    )
    .await;
    let processes: Vec<Process> = diesel::sql_query("SHOW PROCESSLIST")
        .load(connection)
        .await
        .expect("the processes");
    let of_this = processes
        .into_iter()
        .filter(|process| process.database.as_ref() == Some(&own[0]));
    of_this
        .map(|process| process.id)
        .filter(|id| id.to_string() != own[1])
        .collect()
}

/// Keeps the server from posting to a member until it is dropped or released.
pub(crate) struct Stall(AsyncMysqlConnection);

impl Stall {
    /// Locks the member's account.
    pub(crate) async fn of(shop: &Shop, member_id: &str) -> Self {
        let mut stall = Self::begin(shop).await;
        stall.also(member_id).await;
        stall
    }

    /// Locks nothing yet.
    pub(crate) async fn begin(shop: &Shop) -> Self {
        let mut connection = shop.database().await;
        connection
            .batch_execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN")
            .await
            .expect("BEGIN");
        Self(connection)
    }

    /// Locks one more account.
    pub(crate) async fn also(&mut self, member_id: &str) {
        let bytes = member_id.replace('-', "");
        let lock =
            format!("SELECT COUNT(*) AS n FROM account WHERE merchant_id = 1 AND member_id = x'{bytes}' FOR UPDATE");
        assert_eq!(count(&mut self.0, &lock).await, 1, "the account is there");
    }

    /// Runs a statement inside the stalling transaction.
    pub(crate) async fn executes(&mut self, statement: &str) {
        self.0.batch_execute(statement).await.expect(statement);
    }

    /// Lets the server go on.
    pub(crate) async fn release(mut self) {
        self.0.batch_execute("ROLLBACK").await.expect("ROLLBACK");
    }
}

#[derive(QueryableByName)]
struct Counter {
    #[diesel(sql_type = Text, column_name = "Variable_name")]
    name: String,
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// How many rows a statement reads and sorts, by the database's own names.
pub(crate) async fn counters(database: &mut AsyncMysqlConnection, statement: &str) -> BTreeMap<String, u64> {
    // The first time the database also reads what it keeps of the table; and to ask for the counters is counted too.
    counted(database, statement).await;
    let asking = counted(database, "DO 0").await;
    let mut counters = counted(database, statement).await;
    for (name, count) in &mut counters {
        *count = count.saturating_sub(asking[name]);
    }
    counters
}

async fn counted(database: &mut AsyncMysqlConnection, statement: &str) -> BTreeMap<String, u64> {
    let statements = format!("FLUSH STATUS; {statement}");
    database.batch_execute(&statements).await.expect(statement);
    let counters = "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name LIKE 'Sort%'";
    let counters: Vec<Counter> = diesel::sql_query(counters).load(database).await.expect("counters");
    let read = counters.into_iter();
    read.map(|counter| (counter.name, counter.value.parse().expect("a number")))
        .collect()
}
