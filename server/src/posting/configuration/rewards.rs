//! Changes of rewards: one version of the program each.

use super::{Change, open_program};
use crate::domain::answer::{RewardRecord, StoredAnswer};
use crate::domain::rejection::Rejection;
use crate::domain::reward::{self, Reward, RewardEdit};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{program, reward as table};

pub(super) async fn create(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    reward_id: &str,
    reward: &Reward,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let program = match open_program(connection, change).await? {
        Ok(program) => program,
        Err(rejection) => return Ok(Err(rejection)),
    };
    if let Err(rejection) = reward::check(reward, &program) {
        return Ok(Err(rejection));
    }
    if table::find(connection, merchant_id, program_id, reward_id)
        .await?
        .is_some()
    {
        return Ok(Err(Rejection::RewardExists {
            program_id: program_id.clone(),
            reward_id: reward_id.to_owned(),
        }));
    }
    let key = (merchant_id, program_id.as_str().into());
    let in_force = table::in_force(connection, &key, next).await?.len();
    if let Err(rejection) = reward::check_count(in_force) {
        return Ok(Err(rejection));
    }
    put(connection, change, next, reward_id, reward.clone()).await
}

pub(super) async fn update(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    reward_id: &str,
    etag: u32,
    edit: &RewardEdit,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let program = match open_program(connection, change).await? {
        Ok(program) => program,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let reward_id = reward_id.to_owned();
    let Some(current) = table::find(connection, merchant_id, program_id, &reward_id).await? else {
        return Ok(Err(Rejection::RewardNotFound {
            program_id: program_id.clone(),
            reward_id,
        }));
    };
    if current.reward.archived {
        return Ok(Err(Rejection::RewardArchived { reward_id }));
    }
    if current.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: current.since_version.to_string(),
        }));
    }
    match edit.apply(current.reward.clone(), &program) {
        Ok(reward) if reward == current.reward => Ok(Ok(StoredAnswer::Reward(Box::new(current)))),
        Ok(reward) => put(connection, change, next, &reward_id, reward).await,
        Err(rejection) => Ok(Err(rejection)),
    }
}

async fn put(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    reward_id: &str,
    reward: Reward,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let record = RewardRecord {
        program_id: change.program_id.clone(),
        reward_id: reward_id.to_owned(),
        since_version: version,
        reward,
        updated_at: change.now,
    };
    table::put(connection, change.merchant_id, &record, version, change.now).await?;
    program::set_version(connection, change.merchant_id, &change.program_id, version).await?;
    Ok(Ok(StoredAnswer::Reward(Box::new(record))))
}
