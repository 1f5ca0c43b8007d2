//! S2: another database server takes over with the data, at the address that the service knows. Tills that try again
//! notice a sale that takes longer; nothing is lost, nothing happens twice, and nobody restarts the service.

use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text, Unsigned};
use diesel_async::{AsyncMysqlConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use loyalty_sdk::{Client, MemberKey, RetryPolicy};
use loyalty_server::PostingOptions;
use loyalty_server::embedded::{EmbeddedDatabase, EmbeddedOptions};
use loyalty_server::serve::ServeOptions;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic::Code;

use crate::failover::{Tills, assert_nothing_is_lost, customers};
use crate::harness::database::{TestDatabase, connect, database_binary};
use crate::harness::program::{directory, free_port};
use crate::harness::proxy::{Line, Proxy};
use crate::harness::{Shop, dec};
use crate::outages::{assert_comes_back, attempts};

/// The database of the shop, which both servers have.
const NAME: &str = "shop";

/// A database server on files of its own.
struct Server {
    database: EmbeddedDatabase,
    directory: TempDir,
    port: u16,
}

impl Server {
    /// Keeps a log from which another one can copy, and listens for it.
    async fn start(number: u32) -> Self {
        let (directory, port) = (directory(), free_port());
        let extra_arguments = [
            "--skip-networking=0".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            format!("--server-id={number}"),
            "--log-bin=log".to_owned(),
            "--sync-binlog=1".to_owned(),
            "--binlog-format=ROW".to_owned(),
        ];
        let database = start(&directory, extra_arguments.to_vec()).await;
        Self {
            database,
            directory,
            port,
        }
    }

    async fn root(&self) -> AsyncMysqlConnection {
        connect(&self.database.url_of("")).await
    }

    /// The shop's database, as a user whom read-only holds for.
    fn url(&self) -> String {
        self.database.url_of(NAME).replace("//root@", "//app@")
    }
}

async fn start(directory: &TempDir, extra_arguments: Vec<String>) -> EmbeddedDatabase {
    let options = EmbeddedOptions {
        data_dir: directory.path().to_owned(),
        binary: database_binary(),
        extra_arguments,
    };
    let started = EmbeddedDatabase::start(options).await;
    started.unwrap_or_else(|error| panic!("{error}"))
}

const USERS: &str = "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin; CREATE USER 'app'@'localhost'; \
    GRANT ALL ON shop.* TO 'app'@'localhost'; CREATE USER 'copier'@'127.0.0.1'; CREATE USER 'copier'@'localhost'; \
    GRANT REPLICATION SLAVE ON *.* TO 'copier'@'127.0.0.1'; GRANT REPLICATION SLAVE ON *.* TO 'copier'@'localhost'";

/// A place in the log of a server.
#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Text, column_name = "File")]
    file: String,
    #[diesel(sql_type = Unsigned<BigInt>, column_name = "Position")]
    position: u64,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = BigInt)]
    answer: i64,
}

async fn is_mariadb(root: &mut AsyncMysqlConnection) -> bool {
    let question = "SELECT CAST(VERSION() LIKE '%MariaDB%' AS SIGNED) AS answer";
    let answer: Answer = diesel::sql_query(question).get_result(root).await.expect("a version");
    answer.answer == 1
}

async fn place(root: &mut AsyncMysqlConnection) -> Place {
    let question = match is_mariadb(root).await {
        true => "SHOW MASTER STATUS",
        false => "SHOW BINARY LOG STATUS",
    };
    diesel::sql_query(question).get_result(root).await.expect("a place")
}

/// From now on `copy` gets all that `first` writes.
async fn copies(first: &Server, copy: &Server) {
    let (mut of_first, mut of_copy) = (first.root().await, copy.root().await);
    for root in [&mut of_first, &mut of_copy] {
        root.batch_execute(USERS).await.expect("users");
    }
    let Place { file, position } = place(&mut of_first).await;
    let port = first.port;
    let follow = match is_mariadb(&mut of_copy).await {
        true => format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'copier', \
             MASTER_LOG_FILE = '{file}', MASTER_LOG_POS = {position}; START SLAVE"
        ),
        false => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, SOURCE_USER = 'copier', \
             SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = {position}, SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1; START REPLICA"
        ),
    };
    of_copy.batch_execute(&follow).await.expect("it copies");
    of_copy
        .batch_execute("SET GLOBAL read_only = 1")
        .await
        .expect("a copy only reads");
}

/// The copy has all that the first one wrote, and takes writes from now on.
async fn takes_over(first: &Server, copy: &Server) {
    let (mut of_first, mut of_copy) = (first.root().await, copy.root().await);
    let Place { file, position } = place(&mut of_first).await;
    let (wait, end) = match is_mariadb(&mut of_copy).await {
        true => ("MASTER_POS_WAIT", "STOP SLAVE"),
        false => ("SOURCE_POS_WAIT", "STOP REPLICA"),
    };
    let question = format!("SELECT CAST({wait}('{file}', {position}, 20) AS SIGNED) AS answer");
    let waited: Answer = diesel::sql_query(question)
        .get_result(&mut of_copy)
        .await
        .expect("it copies");
    assert!(waited.answer >= 0, "the copy does not come along");
    let writable = format!("{end}; SET GLOBAL read_only = 0");
    of_copy.batch_execute(&writable).await.expect("it takes writes");
}

/// A shop that reaches its database over a line.
async fn shop_over(line: &Proxy, url: String) -> Shop {
    let database_url = line.url.clone();
    let shop = Shop::on(TestDatabase::at(url), |options| ServeOptions {
        database_url,
        posting: PostingOptions {
            patience: Duration::from_secs(5),
            ..options.posting
        },
        ..options
    })
    .await;
    shop.opens().await;
    shop
}

/// A client that tries again for as long as a failover takes.
async fn patient(shop: &Shop) -> Client {
    let retry = RetryPolicy::default().attempts(100);
    let client = Client::builder(&shop.endpoint)
        .retry(retry)
        .deadline(Duration::from_secs(60));
    client.connect().await.expect("a client")
}

/// Asks so much at once that all connections for questions are there.
async fn asks_at_once(shop: &Shop, customer: &str) {
    let mut asked = JoinSet::new();
    for _ in 0..64 {
        let (client, customer) = (shop.client.clone(), MemberKey::customer_id(customer));
        asked.spawn(async move { client.get_balance(customer).await });
    }
    for balance in asked.join_all().await {
        balance.expect("a balance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_turns_read_only_and_another_takes_over_the_service_goes_over_to_it() {
    let (first, copy) = tokio::join!(Server::start(1), Server::start(2));
    copies(&first, &copy).await;
    let line = Proxy::to(&first.url()).await;
    // The books are looked at where they are in the end.
    let shop = shop_over(&line, copy.url()).await;
    let members = customers(&shop).await;
    let tills = Tills::open(&patient(&shop).await);
    tills.sell(100).await;
    asks_at_once(&shop, "till-0").await;

    // Nobody closes the connections to the first one, which goes on answering questions.
    let mut root = first.root().await;
    root.batch_execute("SET GLOBAL read_only = 1").await.expect("read-only");
    let refused = attempts(&shop, true, Duration::from_secs(10)).await;
    takes_over(&first, &copy).await;
    line.turns_to(&copy.url());
    let turned = Instant::now();
    tills.sell(200).await;
    let took = turned.elapsed();
    // What is answered now is what the copy knows, not what the first one knew once.
    let newcomer = shop.enrols("newcomer").await;
    newcomer.buys("7").await;
    for _ in 0..32 {
        assert_eq!(newcomer.points().await, dec("7"));
    }
    asks_at_once(&shop, "newcomer").await;
    let sold = tills.close().await;

    assert_comes_back(&refused.expect_err("read-only"), &[Code::Unavailable]);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_nothing_is_lost(&shop, &members, sold).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_goes_away_and_another_starts_on_its_files_nothing_is_lost() {
    let first = Server::start(1).await;
    first.root().await.batch_execute(USERS).await.expect("users");
    let line = Proxy::to(&first.url()).await;
    // It is the same address for those who look behind the service's back.
    let shop = shop_over(&line, line.url.clone()).await;
    let members = customers(&shop).await;
    let tills = Tills::open(&patient(&shop).await);
    tills.sell(100).await;
    asks_at_once(&shop, "till-0").await;

    // The network loses it first, in the middle of whatever is under way.
    line.becomes(Line::Cut);
    let refused = attempts(&shop, true, Duration::from_secs(10)).await;
    let Server {
        database, directory, ..
    } = first;
    database.stop().await;
    let second = start(
        &directory,
        vec!["--server-id=2".to_owned(), "--skip-log-bin".to_owned()],
    )
    .await;
    line.turns_to(&second.url_of(NAME).replace("//root@", "//app@"));
    line.becomes(Line::Works(Duration::ZERO));
    let turned = Instant::now();
    tills.sell(200).await;
    let took = turned.elapsed();
    let sold = tills.close().await;

    assert_comes_back(&refused.expect_err("away"), &[Code::Unavailable]);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_nothing_is_lost(&shop, &members, sold).await;
}
