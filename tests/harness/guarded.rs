//! The program itself, asking for keys, on a database that tests reach too.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use loyalty_sdk::Client;
use loyalty_server::tenants::{Role, Tenants};

use super::database::TestDatabase;
use super::keys::Keys as _;
use super::program::{Program, directory, free_port};

/// A server process that asks for keys, and the key of an operator of the merchant `acme`.
pub(crate) struct Guarded {
    pub(crate) program: Program,
    pub(crate) endpoint: String,
    pub(crate) key: String,
    pub(crate) database: TestDatabase,
}

impl Guarded {
    /// Started with these settings besides.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::create().await;
        let directory = directory();
        let set_up = |command: &mut Command| {
            command
                .env_remove("LOYALTY_DEVELOPMENT")
                .env("DATABASE_URL", &database.url)
                .envs(settings.iter().copied());
        };
        let (program, _) = Program::start_with(&directory.path().join("none"), free_port(), set_up).await;
        let tenants = Tenants::open(&database.url, Arc::new(Utc::now)).await;
        let mut tenants = tenants.expect("the tenants");
        tenants.create_merchant("acme").await.expect("a merchant");
        let key = tenants.key("acme", Role::Operator).await;
        let endpoint = format!("http://127.0.0.1:{}", program.port);
        Self {
            program,
            endpoint,
            key,
            database,
        }
    }

    /// A client with this key.
    pub(crate) async fn client(&self, key: &str) -> Client {
        let client = Client::builder(&self.endpoint).api_key(key);
        client.connect().await.expect("a client")
    }

    /// The first line of the log that has all these, as soon as it is there.
    pub(crate) async fn line(&self, parts: &[&str]) -> String {
        let began = Instant::now();
        loop {
            let log = self.program.log();
            if let Some(line) = log.iter().find(|line| parts.iter().all(|part| line.contains(part))) {
                return line.clone();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "no line has {parts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
