//! The schema is brought up to date while others serve, by one of several at a time, and from wherever one that was killed
//! left off.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncMysqlConnection, SimpleAsyncConnection as _};

use crate::every_call::{World, scenarios};
use crate::harness::any_call::call;
use crate::harness::books::assert_books_agree;
use crate::harness::database::{TestDatabase, connect};
use crate::harness::program::{directory, free_port, program};
use crate::harness::{Shop, dec};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

async fn ask(database: &mut AsyncMysqlConnection, question: &str) -> Vec<String> {
    let lines: Vec<Line> = diesel_async::RunQueryDsl::load(diesel::sql_query(question), database)
        .await
        .expect("rows");
    lines.into_iter().map(|line| line.line).collect()
}

/// Columns and keys of all tables.
async fn schema(url: &str) -> BTreeSet<String> {
    let mut database = connect(url).await;
    let columns = "SELECT CAST(CONCAT_WS(' ', table_name, column_name, column_type, is_nullable) AS CHAR) AS line \
                   FROM information_schema.columns WHERE table_schema = DATABASE()";
    let keys = "SELECT CAST(CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name) AS CHAR) AS line \
                FROM information_schema.statistics WHERE table_schema = DATABASE()";
    let mut lines = ask(&mut database, columns).await;
    lines.extend(ask(&mut database, keys).await);
    lines.into_iter().collect()
}

/// `loyalty-server migrate` on a database.
fn migrates(url: &str) -> Child {
    let nothing = directory();
    let mut command: Command = program(&nothing.path().join("none"), free_port());
    command.arg("migrate").env("DATABASE_URL", url);
    command.stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// What it said, when it went well.
fn finishes(child: Child) -> String {
    let output = child.wait_with_output().expect("its end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Calls of tills until they are told to stop; how many there were and how long the longest took.
async fn sells_until(shop: Arc<Shop>, over: Arc<AtomicBool>) -> (u32, Duration) {
    let ada = shop.enrols("ada").await;
    let (mut count, mut longest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let began = Instant::now();
        ada.buys("1").await;
        ada.points().await;
        longest = longest.max(began.elapsed());
        count += 1;
    }
    assert_eq!(ada.points().await, dec(&count.to_string()));
    (count, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_runs_while_a_server_serves_and_waits_for_readers_without_holding_up_tills() {
    let shop = Arc::new(Shop::empty().await);
    shop.opens().await;
    let whole = schema(shop.database_url()).await;
    let mut behind = shop.database().await;
    behind
        .batch_execute(
            "ALTER TABLE entry DROP KEY entry_time; \
             DELETE FROM __diesel_schema_migrations WHERE version = '20261122000018'",
        )
        .await
        .expect("the schema of before");
    let over = Arc::<AtomicBool>::default();
    let till = tokio::spawn(sells_until(Arc::clone(&shop), Arc::clone(&over)));
    // A report that takes its time: a till that waited for it would wait as long.
    let began = Instant::now();
    let mut reader = shop.database().await;
    reader.batch_execute("START TRANSACTION").await.expect("a transaction");
    ask(&mut reader, "SELECT CAST(COUNT(*) AS CHAR) AS line FROM entry").await;

    let migrating = migrates(shop.database_url());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let while_read = schema(shop.database_url()).await;
    let read = began.elapsed();
    reader.batch_execute("COMMIT").await.expect("an end");
    let said = tokio::task::spawn_blocking(|| finishes(migrating))
        .await
        .expect("a task");
    over.store(true, Ordering::Relaxed);
    let (count, longest) = till.await.expect("a task");

    assert!(said.contains("migrations=1"), "{said}");
    assert_ne!(while_read, whole);
    assert_eq!(schema(shop.database_url()).await, whole);
    assert!(count > 2 && longest < read, "{count} sales, {longest:?} of {read:?}");
    assert_books_agree(&shop).await;
}

/// What a newer server may add, to every table there is.
async fn adds_everywhere(database: &mut AsyncMysqlConnection) {
    let tables = "SELECT CAST(table_name AS CHAR) AS line FROM information_schema.tables \
                  WHERE table_schema = DATABASE() ORDER BY table_name";
    let key = "SELECT CAST(column_name AS CHAR) AS line FROM information_schema.statistics WHERE \
               table_schema = DATABASE() AND index_name = 'PRIMARY' AND seq_in_index = 1 AND table_name = ";
    for table in ask(database, tables).await {
        let first = ask(database, &format!("{key}'{table}'")).await.remove(0);
        let change = format!(
            "ALTER TABLE {table} ADD COLUMN of_the_future VARCHAR(20) NULL FIRST, \
             ADD COLUMN later INT UNSIGNED NOT NULL DEFAULT 7, ADD KEY future_key ({first}, later)"
        );
        database.batch_execute(&change).await.expect("a change");
    }
    let more = "CREATE TABLE future (merchant_id INT UNSIGNED NOT NULL, PRIMARY KEY (merchant_id)); \
                INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    database.batch_execute(more).await.expect("a table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_carries_out_every_call_on_the_schema_of_a_newer_one() {
    let world = World::make().await;
    let channel = world.shop.client.channel();
    let before = (world.client.get_program("club").await).expect("a program");

    // While it serves, with its statements prepared.
    adds_everywhere(&mut world.shop.database().await).await;

    assert_eq!(world.client.get_program("club").await.expect("a program"), before);
    for scenario in scenarios() {
        let messages = (scenario.messages)(&world).await;
        let answer = call(&channel, Some(&world.key), scenario.call, messages).await;
        assert!(answer.is_ok(), "{}: {answer:?}", scenario.call);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_on_the_schema_of_a_newer_one() {
    let shop = Shop::empty().await;
    shop.opens().await;
    adds_everywhere(&mut shop.database().await).await;

    let started = shop.second_server().await;

    let ada = shop.enrols("ada").await;
    let sale = ada.sale("5");
    started.record_sale(&sale).await.expect("a receipt");
    assert_eq!(ada.points().await, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_servers_that_migrate_at_once_one_does_it() {
    let whole = schema(Shop::empty().await.database_url()).await;
    let database = TestDatabase::create().await;

    let all: Vec<Child> = (0..4).map(|_| migrates(&database.url)).collect();
    let said: Vec<String> = all.into_iter().map(finishes).collect();

    let idle = said.iter().filter(|said| said.contains("migrations=0")).count();
    assert_eq!(idle, 3, "{said:?}");
    assert_eq!(schema(&database.url).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_in_the_middle_it_gets_to_the_same_schema() {
    let whole = schema(Shop::empty().await.database_url()).await;
    let database = TestDatabase::create().await;
    let mut behind = connect(&database.url).await;

    let mut kills = 0;
    for wait_ms in (6_u64..).step_by(6) {
        let mut child = migrates(&database.url);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        if child.try_wait().expect("its state").is_some() {
            break;
        }
        child.kill().expect("it lives");
        drop(child.wait());
        kills += 1;
        // As if its lease had run out.
        drop(behind.batch_execute("DELETE FROM migration_lease").await);
    }
    let said = finishes(migrates(&database.url));

    assert!(kills >= 3, "{kills}");
    assert!(said.contains("migrations=0"), "{said}");
    assert_eq!(schema(&database.url).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_of_one_that_died_runs_out() {
    let database = TestDatabase::create().await;
    finishes(migrates(&database.url));
    let mut behind = connect(&database.url).await;
    let until = chrono::Utc::now().naive_utc() + chrono::TimeDelta::seconds(2);
    let lease = format!("INSERT INTO migration_lease VALUES (1, 'a server that died', '{until}')");
    behind.batch_execute(&lease).await.expect("a lease");

    let began = Instant::now();
    let said = finishes(migrates(&database.url));

    assert!(said.contains("another server is migrating"), "{said}");
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
}
