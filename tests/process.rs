//! The program itself: its private database, its signals, and what survives `kill -9`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use loyalty_sdk::{Client, EarnRate, MemberKey, NewMember, NewProgram, NewRule, Sale};
use loyalty_server::embedded::{EmbeddedDatabase, EmbeddedOptions};
use loyalty_server::serve::{ServeError, ServeOptions, Server};
use rust_decimal::Decimal;

use crate::harness::database::{TestDatabase, database_binary};
use crate::harness::dec;
use crate::harness::program::{Program, directory, free_port, kill, program};

async fn opens(client: &Client) {
    client
        .create_program(&NewProgram::new("Club", "EUR").program_id("club"))
        .await
        .expect("a program");
    client
        .create_rule(&NewRule::new("club", "Default", EarnRate::new(dec("1"), dec("1"))))
        .await
        .expect("a rule");
    client
        .enroll_member(&NewMember::new("club").customer_id("ada"))
        .await
        .expect("a member");
}

fn ada() -> MemberKey {
    MemberKey::customer_id("ada")
}

fn sale(number: u32) -> Sale {
    Sale::new(format!("ticket-{number}"), "store-1", ada(), "EUR", Decimal::ONE)
}

async fn points(client: &Client) -> Decimal {
    client.get_balance(ada()).await.expect("a balance").balance.available
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_stops_its_database_and_keeps_the_data() {
    let directory = directory();
    let (program, client) = Program::start(directory.path()).await;
    opens(&client).await;
    client.record_sale(&sale(1)).await.expect("a receipt");
    assert_eq!(Program::databases(directory.path()).len(), 1);

    program.signal("-TERM");
    let code = program.wait();

    assert_eq!(code, Some(0));
    assert_eq!(Program::databases(directory.path()).len(), 0);
    let (_program, client) = Program::start(directory.path()).await;
    assert_eq!(points(&client).await, dec("1"));
}

/// Records sales until one is not answered; how many were.
async fn sells(client: Client, numbers: std::ops::Range<u32>) -> u32 {
    let mut answered = 0;
    for number in numbers {
        let once = client.with_request_id(format!("request-{number}"));
        if once.record_sale(&sale(number)).await.is_err() {
            break;
        }
        answered += 1;
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn restarted_under_load_it_loses_no_sale_of_tills_that_try_again() {
    let directory = directory();
    let (program, client) = Program::start(directory.path()).await;
    let port = program.port;
    opens(&client).await;
    let patient = client.with_deadline(Duration::from_secs(40));
    let tills: Vec<_> = (0..8_u32)
        .map(|till| {
            let client = patient.clone();
            tokio::spawn(async move {
                for number in 0..60 {
                    let sold = client.record_sale(&sale(till * 1_000 + number)).await;
                    sold.unwrap_or_else(|error| panic!("{error}"));
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect();

    tokio::time::sleep(Duration::from_millis(400)).await;
    let stopping = std::time::Instant::now();
    program.signal("-TERM");
    let code = program.wait();
    let stopped = stopping.elapsed();
    let (_program, client) = Program::start_with(directory.path(), port, |_| {}).await;
    for till in tills {
        till.await.expect("a till");
    }

    assert_eq!(code, Some(0));
    assert!(stopped < Duration::from_secs(30), "{stopped:?}");
    assert_eq!(points(&client).await, dec("480"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_database_may_stand_in_a_file() {
    let database = TestDatabase::create().await;
    let directory = directory();
    let file = directory.path().join("url");
    std::fs::write(&file, format!("{}\n", database.url)).expect("a file");
    let url_file = |command: &mut Command| {
        command.env("DATABASE_URL_FILE", &file);
    };

    let (program, client) = Program::start_with(&directory.path().join("none"), free_port(), url_file).await;
    opens(&client).await;
    program.signal("-TERM");

    assert_eq!(program.wait(), Some(0));
    assert!(!directory.path().join("none").exists(), "it has no private database");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_sales_it_comes_back_with_each_recorded_once() {
    let directory = directory();
    let (mut program, client) = Program::start(directory.path()).await;
    opens(&client).await;

    let mut acknowledged = 0;
    for round in 0..3_u32 {
        let numbers = (round * 100)..(round * 100 + 100);
        let selling = tokio::spawn(sells(client.with_deadline(Duration::from_millis(500)), numbers.clone()));
        tokio::time::sleep(Duration::from_millis(40 + u64::from(round) * 30)).await;
        program.signal("-KILL");
        let before = selling.await.expect("the till");
        assert_eq!(
            Program::databases(directory.path()).len(),
            1,
            "the database outlives its server"
        );

        let (again, client) = Program::start(directory.path()).await;
        assert_eq!(Program::databases(directory.path()).len(), 1, "and is replaced");
        std::mem::replace(&mut program, again).forget();
        let after = sells(client.clone(), numbers).await;
        assert_eq!(after, 100, "every sale is answered when it is sent again");
        acknowledged += 100;
        assert_eq!(
            points(&client).await,
            Decimal::from(acknowledged),
            "{before} were answered before"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_database_comes_back_and_no_sale_is_lost_or_doubled() {
    let directory = directory();
    let (_program, client) = Program::start(directory.path()).await;
    opens(&client).await;

    for number in 0..150 {
        if number % 50 == 25 {
            Program::databases(directory.path())
                .into_iter()
                .for_each(|process_id| kill("-KILL", process_id));
        }
        client
            .with_deadline(Duration::from_secs(30))
            .record_sale(&sale(number))
            .await
            .expect("a receipt");
    }

    assert_eq!(points(&client).await, dec("150"));
}

fn refused(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().expect("the program runs");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_data_is_refused() {
    let directory = directory();
    let (first, _client) = Program::start(directory.path()).await;

    let (code, log) = refused(&mut program(directory.path(), 0));

    assert_eq!(code, Some(1));
    assert!(log.contains("in use") && log.contains(&first.id().to_string()), "{log}");
    assert!(log.contains(&directory.path().display().to_string()), "{log}");
}

#[test]
fn without_a_database_it_says_what_to_install() {
    let directory = directory();
    let mut command = program(directory.path(), 0);

    let (code, log) = refused(command.env("LOYALTY_DATABASE_BINARY", "/nowhere/mariadbd"));

    assert_eq!(code, Some(1));
    assert!(log.contains("/nowhere/mariadbd"), "{log}");
}

#[test]
fn wrong_settings_are_named_before_anything_starts() {
    let cases: [(&str, &str, &str); 20] = [
        ("RUST_LOG", "loyalty_server=loud", "--log"),
        ("LOYALTY_LOG_FORMAT", "xml", "--log-format"),
        ("LOYALTY_METRICS_ADDRESS", "everywhere", "--metrics-address"),
        ("DATABASE_URL", "mysql://root:geheim@:port/", "--database-url"),
        ("DATABASE_URL", "mysql://root:geheim@localhost", "--database-url"),
        ("DATABASE_URL_FILE", "/nowhere/url", "/nowhere/url"),
        ("LOYALTY_REQUEST_RETENTION_DAYS", "29", "--request-retention-days"),
        ("LOYALTY_LISTEN", "0.0.0.0:50051", "loopback"),
        ("LOYALTY_TLS_CERTIFICATE", "/nowhere/server.pem", "--tls-key"),
        ("LOYALTY_TLS_CLIENT_CA", "/nowhere/ca.pem", "--tls-certificate"),
        ("LOYALTY_LISTEN", "somewhere", "--listen"),
        ("LOYALTY_WRITERS", "0", "--writers"),
        ("LOYALTY_BATCH_LIMIT", "5000", "--batch-limit"),
        ("LOYALTY_DATABASE_MEMORY_MIB", "1", "--database-memory-mib"),
        ("LOYALTY_WEB_ORIGINS", "*", "--web-origins"),
        ("LOYALTY_WEB_ORIGINS", "office.example.com", "--web-origins"),
        ("LOYALTY_WEB_ORIGINS", "https://office.example.com/", "--web-origins"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector:4317",
            "--otlp-endpoint",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4317", "--otlp-endpoint"),
        ("LOYALTY_TRACES_PER_THOUSAND", "1001", "--traces-per-thousand"),
    ];
    for (name, value, expected) in cases {
        let directory = directory();
        let data_dir: PathBuf = directory.path().join("data");

        let (code, log) = refused(program(&data_dir, 0).env(name, value));

        assert_eq!(code, Some(2), "{name}={value}");
        assert!(log.contains(expected), "{name}={value}: {log}");
        assert!(!log.contains("geheim"), "{log}");
        assert!(!data_dir.exists(), "{name}={value} started something");
    }
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    let directory = directory();
    let mut command = program(directory.path(), 0);

    let (code, log) = refused(command.env("DATABASE_URL", "mysql://root:geheim@127.0.0.1:1/loyalty"));

    assert_eq!(code, Some(1));
    assert!(
        log.contains("the database cannot be used") && !log.contains("geheim"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_can_lose_sales_is_refused_unless_told_otherwise() {
    let directory = directory();
    let options = EmbeddedOptions {
        data_dir: directory.path().to_owned(),
        binary: database_binary(),
        extra_arguments: vec!["--innodb-flush-log-at-trx-commit=2".to_owned()],
    };
    let database = EmbeddedDatabase::start(options).await.expect("a database");
    let mut options = ServeOptions::new(database.url());
    let clock: loyalty_server::Clock = std::sync::Arc::new(chrono::Utc::now);

    let refused = Server::start(&options, clock.clone()).await.err();
    options.allow_weak_durability = true;
    let allowed = Server::start(&options, clock).await;

    assert!(
        matches!(&refused, Some(ServeError::WeakDurability(what)) if what.contains("innodb_flush_log_at_trx_commit=2")),
        "{refused:?}"
    );
    assert!(allowed.is_ok());
    database.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_sales_play_from_python_by_reflection() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin/python3");
    assert!(
        python.exists(),
        "run `.ci/python` once: it installs the Python client under target/python"
    );
    let directory = directory();
    let (program, _client) = Program::start(directory.path()).await;

    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/two_sales.py");
    let address = format!("127.0.0.1:{}", program.port);
    let output = Command::new(python)
        .arg(story)
        .arg(address)
        .output()
        .expect("Python runs");

    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    assert!(said.contains("second sale: balance: 9"), "{said}");
}
