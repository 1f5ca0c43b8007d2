//! The only SQL about the database server as a whole: is it there, stop, and make a database.
//!
//! Each call opens a connection of its own and drops it at the end, also when its time is up in the middle of a
//! statement. Only therefore is a timeout around database work right here: a connection whose answer nobody has read is
//! never handed to anybody else.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder};

/// The longest wait for one call. A healthy server answers within milliseconds; `SHUTDOWN` answers before it begins.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The server's limit on the length of a database's name, in characters.
const DATABASE_NAME_LENGTH_MAX: usize = 64;

/// Why a call about the database server as a whole failed.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// The address is malformed, or the server is unreachable or refused.
    #[error("the database server is unreachable or refused")]
    Database(#[source] mysql_async::Error),

    /// The server took the call and said nothing.
    #[error("the database server did not answer within {} s", CALL_TIMEOUT.as_secs())]
    TimedOut,

    /// A name that could not be put into a statement safely, or that the server would not take.
    #[error("{0:?} is no name for a database: 1 to {DATABASE_NAME_LENGTH_MAX} of a-z, 0-9 and _ are")]
    InvalidName(String),
}

/// Succeeds when the server at `url` lets us in; the database that the url names need not exist.
pub(crate) async fn ping(url: &str) -> Result<(), AdministrationError> {
    bounded(async { connect(url).await?.disconnect().await }).await
}

/// Asks the server at `url` to stop. It has only begun to stop when this returns.
pub(crate) async fn shutdown(url: &str) -> Result<(), AdministrationError> {
    bounded(async { connect(url).await?.query_drop("SHUTDOWN").await }).await
}

/// Creates the database `name` at the server of `url`, if it is missing.
pub(crate) async fn create_database(url: &str, name: &str) -> Result<(), AdministrationError> {
    let is_safe = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > DATABASE_NAME_LENGTH_MAX || !name.bytes().all(is_safe) {
        return Err(AdministrationError::InvalidName(name.to_owned()));
    }

    let statement = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    bounded(async {
        let mut connection = connect(url).await?;
        connection.query_drop(statement).await?;
        connection.disconnect().await
    })
    .await
}

async fn bounded(call: impl Future<Output = mysql_async::Result<()>>) -> Result<(), AdministrationError> {
    match tokio::time::timeout(CALL_TIMEOUT, call).await {
        Ok(outcome) => outcome.map_err(AdministrationError::Database),
        Err(_elapsed) => Err(AdministrationError::TimedOut),
    }
}

/// Connects without a database, for it may not exist yet, and without the driver's questions about settings, which a
/// connection for one statement does not need.
async fn connect(url: &str) -> mysql_async::Result<Conn> {
    let options = OptsBuilder::from_opts(Opts::from_url(url)?)
        .db_name(None::<String>)
        .prefer_socket(false)
        .max_allowed_packet(Some(1 << 20))
        .wait_timeout(Some(CALL_TIMEOUT.as_secs() as usize));
    Conn::new(options).await
}
