//! Table `merchant`: the tenants.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::expiry_schedule;
use super::schema::merchant;

/// The id of the merchant with this code; `None` when there is none.
pub(crate) async fn find(connection: &mut Connection, code: &str) -> Result<Option<u32>, StorageError> {
    let found = merchant::table
        .filter(merchant::code.eq(code))
        .select(merchant::merchant_id);
    Ok(found.first(connection).await.optional()?)
}

/// The next merchants behind `after`, by code.
pub(crate) async fn page(connection: &mut Connection, after: &str, limit: i64) -> Result<Vec<String>, StorageError> {
    let merchants = merchant::table
        .filter(merchant::code.gt(after))
        .select(merchant::code)
        .order(merchant::code)
        .limit(limit);
    Ok(merchants.load(connection).await?)
}

/// Locks a merchant against other changes of its own configuration. Answers the version that it has.
pub(crate) async fn lock(connection: &mut Connection, merchant_id: u32) -> Result<u32, StorageError> {
    Ok(merchant::table
        .filter(merchant::merchant_id.eq(merchant_id))
        .select(merchant::configuration_version)
        .for_update()
        .first(connection)
        .await?)
}

/// Makes `version` the current one of a merchant's own configuration.
pub(crate) async fn set_configuration_version(
    connection: &mut Connection,
    merchant_id: u32,
    version: u32,
) -> Result<(), StorageError> {
    diesel::update(merchant::table.filter(merchant::merchant_id.eq(merchant_id)))
        .set(merchant::configuration_version.eq(version))
        .execute(connection)
        .await?;
    Ok(())
}

/// The next merchants behind `after`, by id.
pub(crate) async fn ids(connection: &mut Connection, after: u32, limit: i64) -> Result<Vec<u32>, StorageError> {
    let merchants = merchant::table
        .filter(merchant::merchant_id.gt(after))
        .select(merchant::merchant_id)
        .order(merchant::merchant_id)
        .limit(limit);
    Ok(merchants.load(connection).await?)
}

/// The id of the merchant with this code, who is made when there is none.
pub(crate) async fn ensure(connection: &mut Connection, code: &str, now: DateTime<Utc>) -> Result<u32, StorageError> {
    loop {
        if let Some(merchant_id) = find(connection, code).await? {
            return Ok(merchant_id);
        }
        let newest: Option<u32> = merchant::table
            .select(diesel::dsl::max(merchant::merchant_id))
            .first(connection)
            .await?;
        let merchant_id = newest.unwrap_or_default() + 1;
        // Before the merchant: one without a schedule would be passed over for good.
        expiry_schedule::open(connection, merchant_id, now).await?;
        let inserted = diesel::insert_into(merchant::table)
            .values((
                merchant::merchant_id.eq(merchant_id),
                merchant::code.eq(code),
                merchant::created_at.eq(now.naive_utc()),
            ))
            .execute(connection)
            .await;
        match inserted {
            // Another server made a merchant at the same moment: look again.
            Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) | Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
