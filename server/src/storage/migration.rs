//! Brings the schema up to date: one server at a time, from wherever one that died left off, and beside servers that go on
//! serving.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

use super::connection::{self, Connection};
use super::error::StorageError;
use super::schema::migration_lease;

/// A folder of `migrations/`.
struct Migration {
    /// Its number, as it is noted.
    version: &'static str,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// The silence of a server that migrates after which another takes over.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often it shows that it lives, however long a statement takes.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// How often it is looked whether another server has finished.
const LOOK: Duration = Duration::from_millis(200);
/// The pause after a table was in use: whoever queued behind the statement goes first.
const PAUSE: Duration = Duration::from_secs(1);

/// A statement that changes a table waits until nobody reads it, and everybody else waits behind the statement: for no
/// longer than a till notices.
const PATIENCE: &str = "SET SESSION lock_wait_timeout = 1";

const LEASE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration_lease (\
    lease_id TINYINT UNSIGNED NOT NULL, holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    until DATETIME(6) NOT NULL, PRIMARY KEY (lease_id)\
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

/// Where it is noted what ran, as the program `diesel` does it.
const NOTES_TABLE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (\
    version VARCHAR(50) NOT NULL, run_on TIMESTAMP NULL, PRIMARY KEY (version)\
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

diesel::table! {
    #[sql_name = "__diesel_schema_migrations"]
    notes (version) {
        version -> VarChar,
        run_on -> Nullable<Timestamp>,
    }
}

/// Runs the migrations that are missing; how many ran. `now` is the clock.
pub(crate) async fn run(url: &str, now: impl Fn() -> DateTime<Utc>) -> Result<usize, StorageError> {
    run_those(url, now, |_| true).await
}

/// Whether this program knows the migration of this number.
pub(crate) fn is_known(version: &str) -> bool {
    MIGRATIONS.iter().any(|migration| migration.version == version)
}

/// Whether migrations ran on this database.
pub(crate) async fn has_begun(connection: &mut Connection) -> Result<bool, StorageError> {
    connection.batch_execute(NOTES_TABLE).await?;
    let noted: Option<String> = notes::table
        .select(notes::version)
        .order(notes::version)
        .first(connection)
        .await
        .optional()?;
    Ok(noted.is_some())
}

/// The same, of those that are wanted only.
pub(crate) async fn run_those(
    url: &str,
    now: impl Fn() -> DateTime<Utc>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<usize, StorageError> {
    let mut connection = connection::establish(url).await?;
    connection.batch_execute(LEASE_TABLE).await?;
    let holder = Uuid::new_v4().to_string();
    let mut has_told = false;
    while !acquire(&mut connection, &holder, now()).await? {
        if !has_told {
            tracing::info!("another server is migrating; waiting for it");
            has_told = true;
        }
        tokio::time::sleep(LOOK).await;
    }
    let outcome = {
        let migrating = migrate(url, &now, is_wanted);
        tokio::pin!(migrating);
        loop {
            tokio::select! {
                outcome = &mut migrating => break outcome,
                () = tokio::time::sleep(SIGN_OF_LIFE) => renew(&mut connection, &holder, now()).await?,
            }
        }
    };
    diesel::delete(migration_lease::table.filter(migration_lease::holder.eq(&holder)))
        .execute(&mut connection)
        .await?;
    outcome
}

async fn acquire(connection: &mut Connection, holder: &str, now: DateTime<Utc>) -> Result<bool, StorageError> {
    diesel::delete(migration_lease::table.filter(migration_lease::until.lt(now.naive_utc())))
        .execute(connection)
        .await?;
    let inserted = diesel::insert_into(migration_lease::table)
        .values((
            migration_lease::lease_id.eq(1),
            migration_lease::holder.eq(holder),
            migration_lease::until.eq((now + LEASE).naive_utc()),
        ))
        .execute(connection)
        .await
        .map_err(StorageError::from);
    match inserted {
        Ok(_) => Ok(true),
        Err(StorageError::Duplicate(_) | StorageError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn renew(connection: &mut Connection, holder: &str, now: DateTime<Utc>) -> Result<(), StorageError> {
    let renewed = diesel::update(migration_lease::table.filter(migration_lease::holder.eq(holder)))
        .set(migration_lease::until.eq((now + LEASE).naive_utc()))
        .execute(connection)
        .await?;
    match renewed {
        0 => Err(StorageError::Fault(
            "another server has taken over migrating".to_owned(),
        )),
        _ => Ok(()),
    }
}

async fn migrate(
    url: &str,
    now: impl Fn() -> DateTime<Utc>,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<usize, StorageError> {
    let mut connection = connection::establish(url).await?;
    connection.batch_execute(PATIENCE).await?;
    connection.batch_execute(NOTES_TABLE).await?;
    let noted: Vec<String> = notes::table
        .select(notes::version)
        .order(notes::version)
        .load(&mut connection)
        .await?;
    let missing = MIGRATIONS
        .iter()
        .filter(|migration| is_wanted(migration.version) && !noted.iter().any(|version| version == migration.version));
    let mut ran = 0;
    for migration in missing {
        tracing::debug!(name = migration.name, "migrating");
        for statement in statements(migration.sql) {
            execute(&mut connection, migration.name, statement).await?;
        }
        diesel::insert_into(notes::table)
            .values((
                notes::version.eq(migration.version),
                notes::run_on.eq(now().naive_utc()),
            ))
            .execute(&mut connection)
            .await?;
        ran += 1;
    }
    Ok(ran)
}

/// Executes a statement, however long its table is in use by others. The database does each whole or not at all; when it
/// did this one for a server that died before it could note it, it says so.
async fn execute(connection: &mut Connection, name: &str, statement: &str) -> Result<(), StorageError> {
    loop {
        match connection.batch_execute(statement).await.map_err(StorageError::from) {
            Ok(()) => return Ok(()),
            Err(error) if is_done(statement, &error) => {
                tracing::info!(name, "a statement of a migration was done before");
                return Ok(());
            }
            Err(StorageError::Conflict(reason)) => {
                tracing::debug!(name, reason, "a migration waits");
                tokio::time::sleep(PAUSE).await;
            }
            Err(StorageError::Fault(error)) => return Err(StorageError::Fault(format!("migration {name}: {error}"))),
            Err(error) => return Err(error),
        }
    }
}

fn is_done(statement: &str, error: &StorageError) -> bool {
    // 1050, 1060 and 1061.
    const DONE: [&str; 3] = ["already exists", "Duplicate column name", "Duplicate key name"];
    match error {
        StorageError::Fault(text) => DONE.iter().any(|done| text.contains(done)),
        StorageError::Duplicate(_) => statement.starts_with("INSERT"),
        _ => false,
    }
}

/// The statements of a file, without what only people read.
fn statements(sql: &str) -> Vec<&str> {
    let (mut found, mut from, mut is_text, mut is_comment) = (Vec::new(), None, false, false);
    for (place, byte) in sql.bytes().enumerate() {
        match byte {
            b'\n' => is_comment = false,
            _ if is_comment => {}
            b'\'' => is_text = !is_text,
            _ if is_text => {}
            b'-' if sql[place..].starts_with("--") => is_comment = true,
            b';' => found.extend(from.take().map(|from| sql[from..place].trim_end())),
            _ if !byte.is_ascii_whitespace() => from = from.or(Some(place)),
            _ => {}
        }
    }
    found.extend(from.map(|from| sql[from..].trim_end()));
    found
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, statements};

    #[test]
    fn a_file_is_taken_apart_where_its_statements_end() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("-- Why; and when.\n\nSELECT 1;\n", &["SELECT 1"]),
            ("SELECT 1; SELECT 2", &["SELECT 1", "SELECT 2"]),
            (
                "A COMMENT 'it''s; so';\n-- don't\nB (\n  1\n);\n",
                &["A COMMENT 'it''s; so'", "B (\n  1\n)"],
            ),
            ("A -- why; how\n B;", &["A -- why; how\n B"]),
        ];

        for (sql, expected) in cases {
            assert_eq!(statements(sql), expected, "{sql}");
        }
    }

    #[test]
    fn every_migration_is_embedded_in_order() {
        let versions: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.version).collect();

        assert!(versions.len() >= 36 && versions.is_sorted(), "{versions:?}");
        for migration in MIGRATIONS {
            assert!(!statements(migration.sql).is_empty(), "{}", migration.name);
        }
    }
}
