//! A backup is made beside a server under writes, is of one instant, and goes into a new database of either kind.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection as _;
use loyalty_sdk::{Client, EarnRate, MemberKey, NewMember, NewProgram, NewRule, Sale, VerifyRequest};
use rust_decimal::Decimal;

use crate::harness::Shop;
use crate::harness::database::{TestDatabase, connect};
use crate::harness::program::{Program, directory, free_port, program};

/// What is asked of the program, on the private database of a directory.
fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command: Command = program(data_dir, free_port());
    command.args(arguments).output().expect("the program runs")
}

/// The same on a database of its own server.
fn run_on(url: &str, arguments: &[&str]) -> Output {
    let mut command: Command = program(Path::new("/nowhere"), free_port());
    command
        .args(arguments)
        .env("DATABASE_URL", url)
        .output()
        .expect("the program runs")
}

/// What it said when it went well.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Why it did not.
fn refused(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    said
}

/// A club of two members, one of whom is called what no file likes.
async fn opens(client: &Client) {
    let program = NewProgram::new("Club", "EUR").program_id("club");
    client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
    client.create_rule(&rule).await.expect("a rule");
    for (customer, name) in [("ada", "Ada \"O'Neill\\\"; -- ñ🎫"), ("bob", "Bob")] {
        let member = NewMember::new("club").customer_id(customer).name(name);
        client.enroll_member(&member).await.expect("a member");
    }
}

async fn points(client: &Client, customer: &str) -> Decimal {
    let balance = client.get_balance(MemberKey::customer_id(customer)).await;
    balance.expect("a balance").balance.available
}

/// A sale of a euro to one of the two by turns, each when the one before has its receipt; how many there were.
async fn sells_until(client: Client, over: Arc<AtomicBool>) -> u32 {
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let customer = ["ada", "bob"][count as usize % 2];
        let sale = Sale::new(
            format!("ticket-{count}"),
            "store-1",
            MemberKey::customer_id(customer),
            "EUR",
            1,
        );
        client.record_sale(&sale).await.expect("a receipt");
        count += 1;
    }
    count
}

/// Drifts that the ledger reports of itself.
async fn drifts(client: &Client) -> Vec<String> {
    let verified = client.verify_ledger(&VerifyRequest::program("club")).finish().await;
    let verified = verified.expect("a verification");
    assert!(verified.entries > 20, "{verified:?}");
    verified.drifts.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_server_under_writes_is_of_one_instant_and_its_books_are_right() {
    let (home, elsewhere) = (directory(), directory());
    let data_dir = home.path().join("data");
    let (served, client) = Program::start(&data_dir).await;
    opens(&client).await;
    let over = Arc::<AtomicBool>::default();
    let till = tokio::spawn(sells_until(client.clone(), Arc::clone(&over)));
    while points(&client, "bob").await < Decimal::from(20) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let before = points(&client, "ada").await;
    let file = home.path().join("backup.sql").display().to_string();
    let made = said(&run(&data_dir, &["backup", &file]));
    let after = points(&client, "ada").await;
    over.store(true, Ordering::Relaxed);
    let sold = till.await.expect("a task");
    drop(served);
    let restored_dir = elsewhere.path().join("data");
    let restored = said(&run(&restored_dir, &["restore", &file]));
    let (_again, client) = Program::start(&restored_dir).await;

    assert!(
        made.contains("rows=") && restored.contains("statements="),
        "{made} {restored}"
    );
    let (ada, bob) = (points(&client, "ada").await, points(&client, "bob").await);
    assert!(before <= ada && ada <= after, "{before} {ada} {after}");
    assert!(
        ada == bob || ada == bob + Decimal::ONE,
        "{ada} {bob}: no instant was so"
    );
    assert!(
        ada + bob < Decimal::from(sold),
        "the backup was made while sales went on"
    );
    assert_eq!(drifts(&client).await, Vec::<String>::new());
    let (member, _) = client
        .lookup_member(MemberKey::customer_id("ada"))
        .await
        .expect("a member");
    assert_eq!(member.name, "Ada \"O'Neill\\\"; -- ñ🎫");
    // What was recorded is known, what was recorded since is not.
    let old = Sale::new("ticket-0", "store-1", MemberKey::customer_id("ada"), "EUR", 1);
    client.record_sale(&old).await.expect("the receipt of then");
    assert_eq!(points(&client, "ada").await, ada);
    let new = Sale::new("ticket-new", "store-1", MemberKey::customer_id("ada"), "EUR", 1);
    client.record_sale(&new).await.expect("a receipt");
    assert_eq!(points(&client, "ada").await, ada + Decimal::ONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_before_a_migration_is_brought_up_to_date_when_it_is_served() {
    let shop = Shop::empty().await;
    opens(&shop.client).await;
    let mut behind = shop.database().await;
    let older = "ALTER TABLE entry DROP KEY entry_time; \
                 DELETE FROM __diesel_schema_migrations WHERE version = '20261122000018'";
    behind.batch_execute(older).await.expect("the schema of before");
    let home = directory();
    let file = home.path().join("backup.sql").display().to_string();
    said(&run_on(shop.database_url(), &["backup", &file]));
    let other = TestDatabase::create().await;

    said(&run_on(&other.url, &["restore", &file]));
    let migrated = said(&run_on(&other.url, &["migrate"]));

    assert!(migrated.contains("migrations=1"), "{migrated}");
    let (_served, client) = Program::start_with(&home.path().join("none"), free_port(), |command| {
        command.env("DATABASE_URL", &other.url);
    })
    .await;
    client.get_program("club").await.expect("the program");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_backup_is_refused_and_so_is_a_database_that_has_something() {
    let shop = Shop::empty().await;
    opens(&shop.client).await;
    let home = directory();
    let path = |name: &str| home.path().join(name).display().to_string();
    said(&run_on(shop.database_url(), &["backup", &path("whole")]));
    let whole = std::fs::read_to_string(path("whole")).expect("the backup");
    let other = TestDatabase::create().await;
    let lines: Vec<&str> = whole.lines().collect();
    let damaged = [
        ("cut", lines[..lines.len() - 1].join("\n")),
        (
            "shortened",
            [&lines[..lines.len() - 3], &lines[lines.len() - 2..]]
                .concat()
                .join("\n"),
        ),
        ("changed", whole.replacen("Bob", "Eve", 1)),
        ("continued", format!("{whole}DROP TABLE sale;\n")),
        ("something else", "SELECT 1;\n".to_owned()),
        ("empty", String::new()),
    ];

    for (name, text) in damaged {
        std::fs::write(path(name), text).expect("a file");
        let why = refused(&run_on(&other.url, &["restore", &path(name)]));
        assert!(why.contains("no whole backup"), "{name}: {why}");
    }
    let mut behind = shop.database().await;
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    behind.batch_execute(newer).await.expect("a newer schema");
    said(&run_on(shop.database_url(), &["backup", &path("newer")]));
    let newer = refused(&run_on(&other.url, &["restore", &path("newer")]));
    let missing = refused(&run_on(&other.url, &["restore", &path("missing")]));
    let taken = refused(&run_on(shop.database_url(), &["restore", &path("whole")]));
    let nowhere = refused(&run_on(shop.database_url(), &["backup", "/nowhere/backup"]));

    assert!(newer.contains("newer version"), "{newer}");
    assert!(missing.contains("file cannot be read"), "{missing}");
    assert!(taken.contains("not empty"), "{taken}");
    assert!(nowhere.contains("cannot be read or written"), "{nowhere}");
    // Nothing was begun: the whole one still goes in.
    let mut database = connect(&other.url).await;
    database
        .batch_execute("CREATE TABLE sale (a INT)")
        .await
        .expect("there is none");
    database.batch_execute("DROP TABLE sale").await.expect("it goes");
    said(&run_on(&other.url, &["restore", &path("whole")]));
    let is_private = std::fs::metadata(path("whole")).expect("the file").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&is_private) & 0o077, 0);
}
