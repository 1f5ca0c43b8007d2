//! Calls of the RedemptionService about rewards.

use loyalty_api::v1;
use prost_types::FieldMask;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::{ProgramId, RewardId},
    page::{Page, PageRequest},
    reward::{NewReward, Reward, RewardUpdate},
    wire::present,
};

impl Client {
    /// Creates a reward. It can be redeemed once this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::RewardExists`] when the id is taken, [`Error::InvalidFields`] when the program has as many rewards as it
    /// may, [`Error::ProgramNotFound`], [`Error::ProgramArchived`].
    pub async fn create_reward(&self, reward: &NewReward) -> Result<Reward, Error> {
        let message = |request_id| v1::CreateRewardRequest {
            request_id,
            reward: Some(reward.to_wire()),
        };
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), create_reward))
            .await?;
        Reward::from_wire(present("reward", answer.reward)?)
    }

    /// The reward as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::RewardNotFound`] when there is none, [`Error::ProgramNotFound`].
    pub async fn get_reward(
        &self,
        program_id: impl Into<ProgramId>,
        reward_id: impl Into<RewardId>,
    ) -> Result<Reward, Error> {
        let message = v1::GetRewardRequest {
            program_id: program_id.into().into(),
            reward_id: reward_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_redemptions(), get_reward)).await?;
        Reward::from_wire(present("reward", answer.reward)?)
    }

    /// The rewards of a program in order of id, archived ones included.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::ProgramNotFound`].
    pub async fn list_rewards(
        &self,
        program_id: impl Into<ProgramId>,
        page: &PageRequest,
    ) -> Result<Page<Reward>, Error> {
        let message = v1::ListRewardsRequest {
            program_id: program_id.into().into(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self
            .read(message, attempt!(self.raw_redemptions(), list_rewards))
            .await?;
        let rewards = answer.rewards.into_iter().map(Reward::from_wire);
        Ok(Page::new(
            rewards.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// Changes a reward. The change holds for every redemption after this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when somebody changed it since it was read, [`Error::RewardArchived`],
    /// [`Error::ProgramArchived`], [`Error::RewardNotFound`], [`Error::ProgramNotFound`].
    pub async fn update_reward(&self, update: &RewardUpdate) -> Result<Reward, Error> {
        let message = |request_id| v1::UpdateRewardRequest {
            request_id,
            reward: Some(update.reward.clone()),
            update_mask: Some(FieldMask {
                paths: update.paths.clone(),
            }),
        };
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), update_reward))
            .await?;
        Reward::from_wire(present("reward", answer.reward)?)
    }

    /// Takes a reward out of use. `etag` is the one that was read.
    ///
    /// # Errors
    ///
    /// As [`update_reward`](Self::update_reward).
    pub async fn archive_reward(
        &self,
        program_id: impl Into<ProgramId>,
        reward_id: impl Into<RewardId>,
        etag: impl Into<String>,
    ) -> Result<Reward, Error> {
        let message = |request_id| v1::ArchiveRewardRequest {
            request_id,
            program_id: program_id.into().into(),
            reward_id: reward_id.into().into(),
            etag: etag.into(),
        };
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), archive_reward))
            .await?;
        Reward::from_wire(present("reward", answer.reward)?)
    }
}
