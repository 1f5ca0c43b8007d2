//! One database server for all tests that run at the same time, and a database of its own for each.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel_async::{AsyncConnection, AsyncMysqlConnection, SimpleAsyncConnection};
use loyalty_server::embedded::{EmbeddedDatabase, EmbeddedOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

static RUNNING: Mutex<Weak<DatabaseServer>> = Mutex::new(Weak::new());

/// The database server that the tests share: the one that `TEST_DATABASE_URL` names (a URL without a database), else a
/// private one, run by the code that the product runs it with, and stopped by the last test that uses it.
pub(crate) struct DatabaseServer {
    url: String,
    // In this order they are dropped: the database while its runtime lives, its directory when it is gone.
    embedded: Option<(EmbeddedDatabase, Runtime)>,
    _directory: Option<TempDir>,
}

impl DatabaseServer {
    async fn shared() -> Arc<Self> {
        let start = || {
            let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
            running.upgrade().unwrap_or_else(|| {
                let started = Arc::new(Self::start());
                *running = Arc::downgrade(&started);
                started
            })
        };
        tokio::task::spawn_blocking(start)
            .await
            .expect("the database server starts")
    }

    fn start() -> Self {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            return Self {
                url,
                embedded: None,
                _directory: None,
            };
        }
        Self::start_private(Vec::new())
    }

    fn start_private(extra_arguments: Vec<String>) -> Self {
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let options = EmbeddedOptions {
            data_dir: directory.path().to_owned(),
            binary: database_binary(),
            extra_arguments,
        };
        let database = runtime
            .block_on(EmbeddedDatabase::start(options))
            .unwrap_or_else(|error| panic!("{error}"));
        Self {
            url: database.url_of(""),
            embedded: Some((database, runtime)),
            _directory: Some(directory),
        }
    }

    fn url_of(&self, database: &str) -> String {
        match self.url.split_once('?') {
            Some((address, options)) => format!("{}/{database}?{options}", address.trim_end_matches('/')),
            None => format!("{}/{database}", self.url.trim_end_matches('/')),
        }
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        if let Some((database, runtime)) = self.embedded.take() {
            // Not on the dropping test's own runtime, which must not block.
            let stopper = std::thread::spawn(move || runtime.block_on(database.stop()));
            // A failure to stop cleanly has been told by the database's own log.
            let _ = stopper.join();
        }
    }
}

/// The database server program that this lane tests with; `None` for the one that is installed.
pub(crate) fn database_binary() -> Option<PathBuf> {
    std::env::var_os("LOYALTY_DATABASE_BINARY").map(PathBuf::from)
}

/// An empty database of its own for one test.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    _server: Option<Arc<DatabaseServer>>,
}

impl TestDatabase {
    /// A database of a server that the test runs itself.
    pub(crate) fn at(url: String) -> Self {
        Self { url, _server: None }
    }

    pub(crate) async fn create() -> Self {
        Self::create_on(DatabaseServer::shared().await).await
    }

    /// The same on a database server of its own, started with these arguments.
    pub(crate) async fn create_apart(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let start = tokio::task::spawn_blocking(|| DatabaseServer::start_private(arguments));
        Self::create_on(Arc::new(start.await.expect("the database server starts"))).await
    }

    async fn create_on(server: Arc<DatabaseServer>) -> Self {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        let mut connection = connect(&server.url_of("mysql")).await;
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        connection.batch_execute(&create).await.expect("a database");
        Self {
            url: server.url_of(&name),
            _server: Some(server),
        }
    }
}

/// A connection for a test that looks behind the server's back.
pub(crate) async fn connect(url: &str) -> AsyncMysqlConnection {
    AsyncMysqlConnection::establish(url)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// A database server of its own, which the shop reaches as a user who is not its administrator.
pub(crate) async fn own_database(extra_arguments: &[&str]) -> (EmbeddedDatabase, TempDir, TestDatabase) {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let options = EmbeddedOptions {
        data_dir: directory.path().to_owned(),
        binary: database_binary(),
        extra_arguments: extra_arguments.iter().map(|&argument| argument.to_owned()).collect(),
    };
    let database = EmbeddedDatabase::start(options)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let mut root = connect(&database.url()).await;
    let user = "CREATE USER IF NOT EXISTS 'app'@'localhost'; GRANT ALL ON loyalty.* TO 'app'@'localhost'";
    root.batch_execute(user).await.expect("a user");
    let url = database.url().replace("//root@", "//app@");
    (database, directory, TestDatabase::at(url))
}
