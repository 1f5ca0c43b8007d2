//! Brings the schema up to date, one server at a time.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use uuid::Uuid;

use super::connection::{self, Connection};
use super::error::StorageError;
use super::schema::migration_lease;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// How long a server may migrate before another takes over. One migration of a large table takes minutes.
const LEASE: TimeDelta = TimeDelta::minutes(15);

const LEASE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration_lease (\
    lease_id TINYINT UNSIGNED NOT NULL, holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
    until DATETIME(6) NOT NULL, PRIMARY KEY (lease_id)\
    ) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

/// Runs the migrations that are missing; how many ran. `now` is the clock.
pub(crate) async fn run(url: &str, now: impl Fn() -> DateTime<Utc>) -> Result<usize, StorageError> {
    let mut connection = connection::establish(url).await?;
    connection.batch_execute(LEASE_TABLE).await?;
    let holder = Uuid::new_v4().to_string();
    while !acquire(&mut connection, &holder, now()).await? {
        tracing::info!("another server is migrating; waiting for it");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let outcome = migrate(url).await;
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

/// The harness of diesel blocks its thread; it gets one where that hurts nobody.
async fn migrate(url: &str) -> Result<usize, StorageError> {
    let connection = connection::establish(url).await?;
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| StorageError::Fault(error.to_string());
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(connection);
        let versions = harness.run_pending_migrations(MIGRATIONS).map_err(fault)?;
        Ok(versions.len())
    })
    .await
    .map_err(|error| StorageError::Fault(error.to_string()))?
}
