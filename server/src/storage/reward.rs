//! Table `reward`.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::program::{CURRENT, ProgramKey};
use super::schema::reward;
use super::value::{document, instant, json};
use crate::domain::answer::RewardRecord;
use crate::domain::reward::{MOST_REWARDS, Reward};

/// The rewards of a program in force under one version, by id, archived ones left out.
pub(crate) async fn in_force(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
) -> Result<Vec<(String, Reward)>, StorageError> {
    let rows: Vec<(String, String)> = reward::table
        .filter(reward::merchant_id.eq(key.0).and(reward::program_id.eq(&*key.1)))
        .filter(reward::from_version.le(version).and(reward::until_version.gt(version)))
        .filter(reward::archived.eq(0))
        .order(reward::reward_id)
        .limit(MOST_REWARDS as i64)
        .select((reward::reward_id, reward::definition))
        .load(connection)
        .await?;
    let rewards = rows.into_iter().map(|(reward_id, definition)| {
        let reward = document("a reward", &definition)?;
        Ok((reward_id, reward))
    });
    rewards.collect()
}

/// Up to `limit` rewards of a program as they are now, by id, after `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<RewardRecord>, StorageError> {
    let rows: Vec<(String, u32, String, NaiveDateTime)> = reward::table
        .filter(
            reward::merchant_id
                .eq(merchant_id)
                .and(reward::program_id.eq(program_id)),
        )
        .filter(reward::reward_id.gt(after).and(reward::until_version.eq(CURRENT)))
        .order(reward::reward_id)
        .limit(limit)
        .select((
            reward::reward_id,
            reward::from_version,
            reward::definition,
            reward::recorded_at,
        ))
        .load(connection)
        .await?;
    rows.into_iter().map(|row| record(program_id, row)).collect()
}

/// A reward as it is now; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    reward_id: &str,
) -> Result<Option<RewardRecord>, StorageError> {
    let row: Option<(String, u32, String, NaiveDateTime)> = reward::table
        .filter(
            reward::merchant_id
                .eq(merchant_id)
                .and(reward::program_id.eq(program_id)),
        )
        .filter(reward::reward_id.eq(reward_id).and(reward::until_version.eq(CURRENT)))
        .select((
            reward::reward_id,
            reward::from_version,
            reward::definition,
            reward::recorded_at,
        ))
        .first(connection)
        .await
        .optional()?;
    row.map(|row| record(program_id, row)).transpose()
}

/// The reward that a version ended; `None` when there was none of this id.
pub(crate) async fn until(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    reward_id: &str,
    version: u32,
) -> Result<Option<Reward>, StorageError> {
    let definition: Option<String> = reward::table
        .filter(
            reward::merchant_id
                .eq(merchant_id)
                .and(reward::program_id.eq(program_id)),
        )
        .filter(reward::reward_id.eq(reward_id).and(reward::until_version.eq(version)))
        .select(reward::definition)
        .first(connection)
        .await
        .optional()?;
    definition
        .map(|definition| document("a reward", &definition))
        .transpose()
}

/// Puts a reward in force from `version` on; the one of the same id before ends there.
pub(crate) async fn put(
    connection: &mut Connection,
    merchant_id: u32,
    record: &RewardRecord,
    version: u32,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(
        reward::table
            .filter(
                reward::merchant_id
                    .eq(merchant_id)
                    .and(reward::program_id.eq(&record.program_id)),
            )
            .filter(
                reward::reward_id
                    .eq(&record.reward_id)
                    .and(reward::until_version.eq(CURRENT)),
            ),
    )
    .set(reward::until_version.eq(version))
    .execute(connection)
    .await?;
    diesel::insert_into(reward::table)
        .values((
            reward::merchant_id.eq(merchant_id),
            reward::program_id.eq(&record.program_id),
            reward::reward_id.eq(&record.reward_id),
            reward::from_version.eq(version),
            reward::until_version.eq(CURRENT),
            reward::archived.eq(u8::from(record.reward.archived)),
            reward::definition.eq(json(&record.reward)?),
            reward::recorded_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

fn record(program_id: &str, row: (String, u32, String, NaiveDateTime)) -> Result<RewardRecord, StorageError> {
    let (reward_id, since_version, definition, updated_at) = row;
    Ok(RewardRecord {
        program_id: program_id.to_owned(),
        reward_id,
        since_version,
        reward: document("a reward", &definition)?,
        updated_at: instant(updated_at),
    })
}
