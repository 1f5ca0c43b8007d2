//! Table `offline_policy`: what tills of a merchant may do without a line.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::offline_policy;
use crate::domain::offline::OfflinePolicy;

/// The policy of a merchant, who may have said nothing.
pub(crate) async fn find(connection: &mut Connection, merchant_id: u32) -> Result<OfflinePolicy, StorageError> {
    let row: Option<(u32, Option<Decimal>)> = offline_policy::table
        .filter(offline_policy::merchant_id.eq(merchant_id))
        .select((offline_policy::business_time_seconds, offline_policy::redeem_limit))
        .first(connection)
        .await
        .optional()?;
    Ok(
        row.map_or_else(OfflinePolicy::default, |(business_time_seconds, redeem_limit)| {
            OfflinePolicy {
                business_time_seconds,
                redeem_limit: redeem_limit.map(|limit| limit.normalize()),
            }
        }),
    )
}

/// Sets the policy of a merchant, whose row is locked.
pub(crate) async fn set(
    connection: &mut Connection,
    merchant_id: u32,
    policy: &OfflinePolicy,
) -> Result<(), StorageError> {
    let values = (
        offline_policy::business_time_seconds.eq(policy.business_time_seconds),
        offline_policy::redeem_limit.eq(policy.redeem_limit),
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
