//! Table `offline_policy`: what tills of a merchant may do without a line.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::offline_policy;
use super::value::instant;
use crate::domain::answer::OfflinePolicyRecord;
use crate::domain::offline::OfflinePolicy;

/// The policy of a merchant, who may have said nothing.
pub(crate) async fn find(connection: &mut Connection, merchant_id: u32) -> Result<OfflinePolicyRecord, StorageError> {
    let row: Option<(u32, Option<NaiveDateTime>, u32, Option<Decimal>)> = offline_policy::table
        .filter(offline_policy::merchant_id.eq(merchant_id))
        .select((
            offline_policy::since_version,
            offline_policy::updated_at,
            offline_policy::business_time_seconds,
            offline_policy::redeem_limit,
        ))
        .first(connection)
        .await
        .optional()?;
    let record = row.map(
        |(since_version, updated_at, business_time_seconds, redeem_limit)| OfflinePolicyRecord {
            since_version,
            updated_at: updated_at.map(instant),
            policy: OfflinePolicy {
                business_time_seconds,
                redeem_limit: redeem_limit.map(|limit| limit.normalize()),
            },
        },
    );
    Ok(record.unwrap_or_default())
}

/// Sets the policy of a merchant, whose row is locked, from a version on.
pub(crate) async fn set(
    connection: &mut Connection,
    merchant_id: u32,
    version: u32,
    policy: &OfflinePolicy,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let values = (
        offline_policy::business_time_seconds.eq(policy.business_time_seconds),
        offline_policy::redeem_limit.eq(policy.redeem_limit),
        offline_policy::since_version.eq(version),
        offline_policy::updated_at.eq(now.naive_utc()),
    );
    let inserted = diesel::insert_into(offline_policy::table)
        .values((offline_policy::merchant_id.eq(merchant_id), values))
        .execute(connection)
        .await
        .map_err(StorageError::from);
    match inserted {
        Ok(_) => Ok(()),
        Err(StorageError::Duplicate(_)) => {
            diesel::update(offline_policy::table.filter(offline_policy::merchant_id.eq(merchant_id)))
                .set(values)
                .execute(connection)
                .await?;
            Ok(())
        }
        Err(error) => Err(error),
    }
}
