//! The program's commands about merchants and keys on its private database, and the mode without keys.

use std::path::Path;
use std::process::Output;

use loyalty_sdk::{Client, Error};
use loyalty_server::serve::{ServeError, ServeOptions, Server};

use crate::harness::database::TestDatabase;
use crate::harness::program::{Program, directory, program};

/// Runs a command; its standard output.
fn run(data_dir: &Path, arguments: &str) -> String {
    let Output { status, stdout, stderr } = program(data_dir, 0)
        .args(arguments.split(' '))
        .output()
        .expect("the program runs");
    assert!(status.success(), "{arguments}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text").trim_end().to_owned()
}

async fn is_let_in(program: &Program, key: &str) -> bool {
    let client = Client::builder(format!("http://127.0.0.1:{}", program.port)).api_key(key);
    let answer = client.connect().await.expect("a client").get_program("none").await;
    match answer {
        Err(Error::ProgramNotFound { .. }) => true,
        Err(Error::Unauthenticated { .. }) => false,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_before_the_first_start_and_while_a_server_runs() {
    let directory = directory();
    let path = directory.path();
    run(path, "merchant create acme");
    let early = run(path, "key create --merchant acme --role operator");
    assert_eq!(Program::databases(path).len(), 0, "a command leaves nothing running");

    let (program, _client) = Program::start(path).await;
    let late = run(path, "key create --merchant acme --role read-only");
    assert!(is_let_in(&program, &early).await && is_let_in(&program, &late).await);
    run(path, &format!("key revoke {}", early.split('_').nth(1).expect("an id")));
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;

    assert!(!is_let_in(&program, &early).await && is_let_in(&program, &late).await);
    assert_eq!(Program::databases(path).len(), 1, "the server has its database");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_nobody_is_served_but_on_a_loopback_address() {
    let database = TestDatabase::create().await;
    let clock: loyalty_server::Clock = std::sync::Arc::new(chrono::Utc::now);
    let server = Server::start(&ServeOptions::new(&database.url), clock).await;
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a free port");

    let refused = server
        .unwrap_or_else(|error| panic!("{error}"))
        .serve(listener, std::future::pending())
        .await;

    assert!(matches!(refused, Err(ServeError::AnonymousAccess)), "{refused:?}");
}
