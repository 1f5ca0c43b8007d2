//! A backup goes from one kind of database into the other and back, and nothing is another than it was. The lane's database
//! is one, the one that is installed the other: on the lane of MySQL they are MySQL and MariaDB.

use std::process::Command;

use loyalty_sdk::{Client, VerifyRequest};

use crate::every_call::{World, scenarios};
use crate::harness::any_call::call;
use crate::harness::database::TestDatabase;
use crate::harness::program::{Program, directory, free_port, program};

/// What is asked of the program on a database: succeeds.
fn asks(arguments: &[&str], on: impl FnOnce(&mut Command)) {
    let mut command = program(std::path::Path::new("/nowhere"), free_port());
    on(&mut command);
    let output = command.args(arguments).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// The rows of a backup, in an order that does not depend on the database; how it was made and sealed is left out.
fn rows(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a backup");
    let made = text.lines().filter(|line| !line.starts_with("--"));
    let mut rows: Vec<String> = made
        .flat_map(|line| {
            let (table, rows) = line.split_once(" VALUES ").expect("rows");
            let rows = rows.trim_end_matches(';').split("), (");
            rows.map(move |row| format!("{table}: {}", row.trim_matches(['(', ')'])))
        })
        .collect();
    rows.sort_unstable();
    rows
}

/// Everything that there can be: each call of the contract has been carried out, and all entries have their place.
async fn everything() -> World {
    let mut world = World::make().await;
    let channel = world.shop.client.channel();
    for scenario in scenarios() {
        let messages = (scenario.messages)(&world).await;
        let answer = call(&channel, Some(&world.key), scenario.call, messages).await;
        assert!(answer.is_ok(), "{}: {answer:?}", scenario.call);
    }
    world.shop.begins_to_close().await.expect("it closes");
    world
}

/// The ledger and its hash chain have nothing to complain of.
async fn verifies(endpoint: &str, key: &str) {
    let client = Client::builder(endpoint)
        .api_key(key)
        .connect()
        .await
        .expect("a client");
    let verified = client.verify_ledger(&VerifyRequest::default()).finish().await;
    let verified = verified.expect("a verification");
    assert!(verified.drifts.is_empty(), "{}", verified.drifts[0]);
    assert!(verified.entries > 10, "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_goes_into_the_other_kind_of_database_and_back_whole() {
    let world = everything().await;
    let home = directory();
    let path = |name: &str| home.path().join(name).display().to_string();
    let (there, back) = (home.path().join("there"), TestDatabase::create().await);
    let of_lane = |url: &str| {
        let url = url.to_owned();
        move |command: &mut Command| {
            command.env("DATABASE_URL", url);
        }
    };
    let installed = |command: &mut Command| {
        command
            .env_remove("LOYALTY_DATABASE_BINARY")
            .env_remove("LOYALTY_DEVELOPMENT")
            .env("LOYALTY_DATA_DIR", &there);
    };

    asks(&["backup", &path("first")], of_lane(world.shop.database_url()));
    asks(&["restore", &path("first")], installed);
    asks(&["backup", &path("second")], installed);
    asks(&["restore", &path("second")], of_lane(&back.url));
    asks(&["backup", &path("third")], of_lane(&back.url));

    let first = rows(&path("first"));
    assert!(first.len() > 100, "{}", first.len());
    for name in ["second", "third"] {
        let copied = rows(&path(name));
        assert_eq!(copied.len(), first.len(), "{name}");
        for (row, of_first) in copied.iter().zip(&first) {
            assert_eq!(row, of_first, "{name}");
        }
    }
    for on in [&installed as &dyn Fn(&mut Command), &|command| {
        command.env_remove("LOYALTY_DEVELOPMENT").env("DATABASE_URL", &back.url);
    }] {
        let (served, _) = Program::start_with(&there, free_port(), on).await;
        verifies(&format!("http://127.0.0.1:{}", served.port), &world.key).await;
    }
}
