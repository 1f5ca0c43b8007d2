//! Backups: all rows as they were at one instant, as text that any MySQL or MariaDB takes. The tables are not in it, only
//! which migrations had made them: a restore runs those, so that a backup of one kind of database goes into the other.

use std::io::{BufRead, Write};

use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection as _;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, Value};
use sha2::{Digest as _, Sha256};

use super::error::StorageError;
use super::{connection, migration};

/// The first line, with the version of the format.
const HEAD: &str = "-- loyalty backup 1";
/// What the last line begins with; behind it stands the hash of all lines before.
const SEAL: &str = "-- sealed by SHA-256 ";
/// What a line about a migration begins with; behind it stands its number.
const MADE_BY: &str = "-- made by migration ";
/// A statement is ended when it is so long: far below the 16 MiB that a database takes.
const STATEMENT_BYTES: usize = 256 << 10;
/// Says who migrates just now, which is nothing to keep.
const NOT_KEPT: [&str; 2] = ["__diesel_schema_migrations", "migration_lease"];

/// Times as they are, whatever the time zone of the database.
const TIME_ZONE: &str = "SET SESSION time_zone = '+00:00'";
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const SNAPSHOT: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Why there is no backup, or none that can be restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file.
    #[error("the file cannot be read or written: {0}")]
    File(#[from] std::io::Error),
    /// It is no backup, or a part of one, or was changed.
    #[error("this is no whole backup: {0}")]
    Damaged(&'static str),
    /// Its tables are others.
    #[error("it was made by a newer version of this program: restore it with that one")]
    Newer,
    /// There is something already.
    #[error("the database is not empty: restore into a new one")]
    NotEmpty,
}

impl From<mysql_async::Error> for BackupError {
    fn from(error: mysql_async::Error) -> Self {
        Self::Storage(match error {
            mysql_async::Error::Server(error) => StorageError::Fault(error.to_string()),
            other => StorageError::Unavailable(other.to_string()),
        })
    }
}

/// Writes all rows as they are now, beside whatever goes on; how many there were.
pub(crate) async fn write(url: &str, now: DateTime<Utc>, out: &mut impl Write) -> Result<u64, BackupError> {
    let mut connection = Conn::from_url(url).await?;
    connection.query_drop(TIME_ZONE).await?;
    connection.query_drop(ISOLATION).await?;
    connection.query_drop(SNAPSHOT).await?;
    let mut out = Sealed::new(out);
    out.line(HEAD)?;
    out.line(&format!("-- of {}", now.to_rfc3339()))?;
    let versions: Vec<String> = connection
        .query("SELECT version FROM __diesel_schema_migrations ORDER BY version")
        .await?;
    for version in versions {
        out.line(&format!("{MADE_BY}{version}"))?;
    }
    let tables: Vec<String> = connection
        .query(
            "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name",
        )
        .await?;
    let mut count = 0;
    for table in tables.iter().filter(|table| !NOT_KEPT.contains(&table.as_str())) {
        count += write_table(&mut connection, table, &mut out).await?;
    }
    out.seal()?;
    connection.disconnect().await?;
    Ok(count)
}

async fn write_table<W: Write>(
    connection: &mut Conn,
    table: &str,
    out: &mut Sealed<'_, W>,
) -> Result<u64, BackupError> {
    // What the database makes of other columns it takes from nobody.
    let columns: Vec<String> = connection
        .exec(
            "SELECT CAST(column_name AS CHAR) FROM information_schema.columns WHERE table_schema = DATABASE() \
             AND table_name = ? AND COALESCE(generation_expression, '') = '' ORDER BY ordinal_position",
            (table,),
        )
        .await?;
    let names: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let names = names.join(", ");
    let start = format!("INSERT INTO `{table}` ({names}) VALUES ");
    let mut rows = connection.query_iter(format!("SELECT {names} FROM `{table}`")).await?;
    let (mut statement, mut count) = (start.clone(), 0);
    while let Some(row) = rows.next().await? {
        if statement.len() > start.len() {
            statement.push_str(", ");
        }
        write_row(row, &mut statement);
        count += 1;
        if statement.len() > STATEMENT_BYTES {
            out.line(&format!("{statement};"))?;
            statement.truncate(start.len());
        }
    }
    if statement.len() > start.len() {
        out.line(&format!("{statement};"))?;
    }
    Ok(count)
}

fn write_row(row: Row, statement: &mut String) {
    let values: Vec<String> = row.unwrap().iter().map(literal).collect();
    statement.push('(');
    statement.push_str(&values.join(", "));
    statement.push(')');
}

/// A value as SQL writes it, on one line.
fn literal(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) if !is_plain(bytes) => format!("0x{}", hex::encode(bytes)),
        other => other.as_sql(false),
    }
}

/// Whether it is text that needs no thought: the rest is written by its bytes.
fn is_plain(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control))
}

/// Restores a backup that `read` reads twice, first to see that it is whole; how many statements it had. What was made by a
/// newer version is refused, what an older one made is brought up to date when the server starts.
pub(crate) async fn restore<R: BufRead>(
    url: &str,
    now: impl Fn() -> DateTime<Utc>,
    read: impl Fn() -> std::io::Result<R>,
) -> Result<u64, BackupError> {
    let versions = check(read()?)?;
    if versions.iter().any(|version| !migration::is_known(version)) {
        return Err(BackupError::Newer);
    }
    let mut connection = connection::establish(url).await?;
    if migration::has_begun(&mut connection).await? {
        return Err(BackupError::NotEmpty);
    }
    migration::run_those(url, now, |version| {
        versions.iter().any(|of_backup| of_backup == version)
    })
    .await?;
    connection.batch_execute(TIME_ZONE).await.map_err(StorageError::from)?;
    let mut count = 0;
    for line in read()?.lines() {
        let line = line?;
        if !line.starts_with("--") {
            connection.batch_execute(&line).await.map_err(StorageError::from)?;
            count += 1;
        }
    }
    Ok(count)
}

/// The migrations of a backup, when it is whole.
fn check(read: impl BufRead) -> Result<Vec<String>, BackupError> {
    let (mut hash, mut versions, mut is_sealed) = (Sha256::new(), Vec::new(), false);
    for (number, line) in read.lines().enumerate() {
        let line = line?;
        if is_sealed {
            return Err(BackupError::Damaged("there is something behind its end"));
        }
        if number == 0 && line != HEAD {
            return Err(BackupError::Damaged("it does not begin like one"));
        }
        if let Some(seal) = line.strip_prefix(SEAL) {
            let found = hex::encode(hash.clone().finalize());
            if seal != found {
                return Err(BackupError::Damaged("it was changed"));
            }
            is_sealed = true;
        }
        versions.extend(line.strip_prefix(MADE_BY).map(str::to_owned));
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    if is_sealed {
        Ok(versions)
    } else {
        Err(BackupError::Damaged("its end is missing"))
    }
}

/// Lines, and the hash of them all.
struct Sealed<'a, W> {
    out: &'a mut W,
    hash: Sha256,
}

impl<'a, W: Write> Sealed<'a, W> {
    fn new(out: &'a mut W) -> Self {
        let hash = Sha256::new();
        Self { out, hash }
    }

    fn line(&mut self, line: &str) -> Result<(), std::io::Error> {
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        writeln!(self.out, "{line}")
    }

    fn seal(self) -> Result<(), std::io::Error> {
        let hash = hex::encode(self.hash.finalize());
        writeln!(self.out, "{SEAL}{hash}")
    }
}
