//! Connections: how they are set up, how reads borrow them, and how a broken one never comes back.

use std::pin::Pin;
use std::time::Duration;

use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Text;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncMysqlConnection, RunQueryDsl, SimpleAsyncConnection};
use tracing::Instrument as _;

use super::error::StorageError;
use crate::measures::PoolState;

/// A connection with the session settings that all statements rely on.
pub(crate) type Connection = AsyncMysqlConnection;

/// Every statement may see what is committed (no snapshot), wrong values are errors, and nobody waits for a lock for
/// longer than a caller waits for an answer. Texts are UTF-8 both ways, under the name by which they are set back.
const SESSION: &str = "SET NAMES utf8mb4; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'; \
    SET SESSION innodb_lock_wait_timeout = 5";

/// The longest wait for a connection: a database that is there gives one in milliseconds.
const CONNECT: Duration = Duration::from_secs(5);

/// When a connection that lasts has been silent for so long, the database ends it and its transaction: a server that was
/// lost with its machine or its network keeps no locks for longer.
const SILENCE: &str = "SET SESSION wait_timeout = 60";

/// Whether this is the address of a database.
pub(crate) fn is_address(url: &str) -> bool {
    mysql_async::Opts::from_url(url).is_ok_and(|options| options.db_name().is_some_and(|name| !name.is_empty()))
}

/// Opens a connection.
pub(crate) async fn establish(url: &str) -> Result<Connection, StorageError> {
    let connect = async {
        let mut connection = AsyncMysqlConnection::establish(url).await?;
        connection.batch_execute(SESSION).await?;
        Ok(connection)
    };
    // A connection that is given up here is nobody's yet.
    match tokio::time::timeout(CONNECT, connect).await {
        Ok(connected) => connected,
        Err(_) => Err(StorageError::Unavailable(format!("no connection within {CONNECT:?}"))),
    }
}

/// Opens a connection that is kept, and is no longer than half a minute without work.
pub(crate) async fn establish_lasting(url: &str) -> Result<Connection, StorageError> {
    let mut connection = establish(url).await?;
    connection.batch_execute(SILENCE).await?;
    Ok(connection)
}

/// Opens a connection for a job. The database ends it, and with it the transaction and its locks, after `silence`: a
/// server that hangs must not keep another one from taking over.
pub(crate) async fn establish_for_job(url: &str, silence: Duration) -> Result<Connection, StorageError> {
    let mut connection = establish(url).await?;
    let seconds = silence.as_secs().max(1) + 1;
    let timeout = format!("SET SESSION wait_timeout = {seconds}");
    connection.batch_execute(&timeout).await?;
    Ok(connection)
}

/// `@@GLOBAL.read_only`; a type of its own, so that each connection prepares it once.
#[derive(QueryId)]
struct ReadOnly;

impl Query for ReadOnly {
    type SqlType = Text;
}

impl QueryFragment<Mysql> for ReadOnly {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        out.push_sql("SELECT CAST(@@GLOBAL.read_only AS CHAR)");
        Ok(())
    }
}

/// Fails when the server at the other end is gone or takes no writes any more. Another one may have taken its place at
/// the same address meanwhile: who stayed on this connection would read what was true before, and could write nothing.
async fn check_writable(connection: &mut Connection) -> QueryResult<()> {
    let read_only: String = ReadOnly.get_result(connection).await?;
    if matches!(read_only.as_str(), "0" | "OFF") {
        return Ok(());
    }
    let reason = Box::new("the database is read-only".to_owned());
    Err(DieselError::DatabaseError(
        DatabaseErrorKind::ReadOnlyTransaction,
        reason,
    ))
}

/// Whether a connection that was kept still leads to a server that takes writes; if not, a new one may.
pub(crate) async fn leads_to_writable(connection: &mut Connection, patience: Duration) -> bool {
    let check = tokio::time::timeout(patience.min(CONNECT), check_writable(connection));
    matches!(check.await, Ok(Ok(())))
}

/// The outcome of work on a connection that it owns, or `Unavailable` after `patience`: then the connection is dropped
/// with the work, never handed on, for an answer may still be under way on it.
pub(crate) async fn bounded<T, E: From<StorageError>>(
    patience: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(patience, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(StorageError::Unavailable(format!("no answer within {patience:?}")).into()),
    }
}

/// The database, for reads. Writes go through `posting`, whose writers own their connections.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Connection>,
    patience: Duration,
}

impl Database {
    /// A pool of at most `connections`, opened as they are needed. What takes longer than `patience` is given up.
    pub(crate) fn new(url: &str, connections: usize, patience: Duration) -> Result<Self, StorageError> {
        let manager = AsyncDieselConnectionManager::new_with_config(url, manager_config());
        let pool = Pool::builder(manager)
            .max_size(connections)
            .build()
            .map_err(|error| StorageError::Fault(error.to_string()))?;
        Ok(Self { pool, patience })
    }

    /// How the pool is.
    pub(crate) fn state(&self) -> PoolState {
        let status = self.pool.status();
        PoolState {
            in_use: status.size.saturating_sub(status.available),
            idle: status.available,
            waiting: status.waiting,
        }
    }

    /// Runs one unit of work on a pooled connection, in a task of its own: a caller that is dropped in the middle (its
    /// client hung up) must not leave a statement in flight, or the next user of the connection would read its rows.
    /// The connection goes back only when the unit ended well.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Unit<'c, T> + Send + 'static,
    {
        let pool = self.pool.clone();
        let unit = async move {
            let borrowed = pool
                .get()
                .await
                .map_err(|error| StorageError::Unavailable(error.to_string()))?;
            let mut guard = Guard(Some(borrowed));
            let Some(connection) = guard.0.as_deref_mut() else {
                return Err(StorageError::Fault("the guard lost its connection".to_owned()));
            };
            let result = work(connection).await;
            if result.is_ok() {
                drop(guard.0.take());
            }
            result
        };
        let unit = tokio::spawn(bounded(self.patience, unit).in_current_span());
        unit.await.map_err(|error| StorageError::Fault(error.to_string()))?
    }
}

/// Begins a transaction. Who does not reach `commit` drops the connection, and the database rolls back.
pub(crate) async fn begin(connection: &mut Connection) -> Result<(), StorageError> {
    Ok(connection.batch_execute("BEGIN").await?)
}

/// Gives up what was locked since `begin`, and begins anew.
pub(crate) async fn begin_again(connection: &mut Connection) -> Result<(), StorageError> {
    Ok(connection.batch_execute("ROLLBACK; BEGIN").await?)
}

/// Commits what was written since `begin`. When this fails for a lost connection, it is unknown whether it did.
pub(crate) async fn commit(connection: &mut Connection) -> Result<(), StorageError> {
    Ok(connection.batch_execute("COMMIT").await?)
}

/// Everything read until `end_snapshot` is as of one instant.
pub(crate) async fn begin_snapshot(connection: &mut Connection) -> Result<(), StorageError> {
    const SNAPSHOT: &str = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
        START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    Ok(connection.batch_execute(SNAPSHOT).await?)
}

/// Ends what `begin_snapshot` began.
pub(crate) async fn end_snapshot(connection: &mut Connection) -> Result<(), StorageError> {
    Ok(connection.batch_execute("COMMIT").await?)
}

/// One unit of work on a connection.
pub(crate) type Unit<'c, T> = Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'c>>;

/// Takes the connection out of the pool for good unless the unit gave it back.
struct Guard(Option<Object<Connection>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

fn manager_config() -> ManagerConfig<Connection> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|url| {
        Box::pin(async move {
            establish_lasting(url)
                .await
                .map_err(|error| diesel::ConnectionError::BadConnection(error.to_string()))
        })
    });
    // As many round trips as the usual question whether the server is there.
    config.recycling_method =
        RecyclingMethod::CustomFunction(Box::new(|connection| Box::pin(check_writable(connection))));
    config
}
