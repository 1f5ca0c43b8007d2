//! RedemptionService.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use loyalty_api::v1::redemption_service_server::RedemptionService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, deadline, hold_calls, page_token, redemption_calls, status};
use crate::domain::answer::Answer;
use crate::domain::rejection::Rejection;
use crate::domain::reward::RewardEdit;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::{program, reward};

/// Rewards and what is redeemed.
pub(crate) struct Redemptions(pub(super) Arc<Context>);

#[tonic::async_trait]
impl RedemptionService for Redemptions {
    async fn create_reward(
        &self,
        request: Request<wire::CreateRewardRequest>,
    ) -> Result<Response<wire::CreateRewardResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.reward.unwrap_or_default();
            let program_id = fields.slug("reward.program_id", given.program_id.clone());
            let reward_id = given.reward_id.clone();
            if !reward_id.is_empty() {
                fields.slug("reward.reward_id", reward_id.clone());
            }
            let reward = convert::reward::new_reward(&mut fields, given);
            let Some(reward) = fields.finish(reward)? else {
                return Err(status::internal());
            };

            let content = content_hash("CreateReward", &(&program_id, &reward_id, &reward));
            let content = content.map_err(|_| status::internal())?;
            let reward_id = if reward_id.is_empty() {
                Uuid::now_v7().to_string()
            } else {
                reward_id
            };
            let action = ChangeAction::CreateReward {
                reward_id,
                reward: Box::new(reward),
            };
            let reward = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::CreateRewardResponse { reward: Some(reward) })
        })
        .await
    }

    async fn get_reward(
        &self,
        request: Request<wire::GetRewardRequest>,
    ) -> Result<Response<wire::GetRewardResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let program_id = fields.slug("program_id", request.program_id);
            let reward_id = fields.slug("reward_id", request.reward_id);
            fields.finish(())?;

            let missing = Rejection::RewardNotFound {
                program_id: program_id.clone(),
                reward_id: reward_id.clone(),
            };
            let merchant_id = caller(&self.0).merchant_id;
            let found = self.0.database.run(move |connection| {
                Box::pin(async move { reward::find(connection, merchant_id, &program_id, &reward_id).await })
            });
            let found = found.await.map_err(|error| status::storage(&error))?;
            let record = found.ok_or_else(|| status::rejection(&missing))?;
            Ok(wire::GetRewardResponse {
                reward: Some(convert::reward::reward(record)),
            })
        })
        .await
    }

    async fn list_rewards(
        &self,
        request: Request<wire::ListRewardsRequest>,
    ) -> Result<Response<wire::ListRewardsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let page = page_token::Page::parse(request.page_size, &request.page_token)?;
            let mut fields = Fields::default();
            let program_id = fields.slug("program_id", request.program_id);
            fields.finish(())?;

            let missing = Rejection::ProgramNotFound {
                program_id: program_id.clone(),
            };
            let merchant_id = caller(&self.0).merchant_id;
            let (after, limit) = (page.after_slug()?, page.rows_to_read());
            let records = self.0.database.run(move |connection| {
                Box::pin(async move {
                    if program::find(connection, merchant_id, &program_id).await?.is_none() {
                        return Ok(None);
                    }
                    Ok(Some(
                        reward::page(connection, merchant_id, &program_id, &after, limit).await?,
                    ))
                })
            });
            let records = records.await.map_err(|error| status::storage(&error))?;
            let records = records.ok_or_else(|| status::rejection(&missing))?;
            let (records, next_page_token) = page.cut(records, |record| record.reward_id.clone());
            let rewards = records.into_iter().map(convert::reward::reward).collect();
            Ok(wire::ListRewardsResponse {
                rewards,
                next_page_token,
            })
        })
        .await
    }

    async fn update_reward(
        &self,
        request: Request<wire::UpdateRewardRequest>,
    ) -> Result<Response<wire::UpdateRewardResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.reward.unwrap_or_default();
            let program_id = fields.slug("reward.program_id", given.program_id.clone());
            let reward_id = fields.slug("reward.reward_id", given.reward_id.clone());
            let etag = fields.etag("reward.etag", &given.etag);
            let mut paths = request.update_mask.unwrap_or_default().paths;
            paths.sort();
            let edit = convert::reward::reward_edit(&mut fields, given, &paths);
            fields.finish(())?;

            let content = content_hash("UpdateReward", &(&program_id, &reward_id, etag, &edit));
            let content = content.map_err(|_| status::internal())?;
            let action = ChangeAction::UpdateReward {
                reward_id,
                etag,
                edit: Box::new(edit),
            };
            let reward = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::UpdateRewardResponse { reward: Some(reward) })
        })
        .await
    }

    async fn archive_reward(
        &self,
        request: Request<wire::ArchiveRewardRequest>,
    ) -> Result<Response<wire::ArchiveRewardResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let program_id = fields.slug("program_id", request.program_id);
            let reward_id = fields.slug("reward_id", request.reward_id);
            let etag = fields.etag("etag", &request.etag);
            fields.finish(())?;

            let content = content_hash("ArchiveReward", &(&program_id, &reward_id, etag));
            let content = content.map_err(|_| status::internal())?;
            let edit = RewardEdit {
                archived: Some(true),
                ..RewardEdit::default()
            };
            let action = ChangeAction::UpdateReward {
                reward_id,
                etag,
                edit: Box::new(edit),
            };
            let reward = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::ArchiveRewardResponse { reward: Some(reward) })
        })
        .await
    }

    async fn quote_redemption(
        &self,
        request: Request<wire::QuoteRedemptionRequest>,
    ) -> Result<Response<wire::QuoteRedemptionResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, redemption_calls::quote(&self.0, request)).await
    }

    async fn redeem(&self, request: Request<wire::RedeemRequest>) -> Result<Response<wire::RedeemResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, redemption_calls::redeem(&self.0, &metadata, request)).await
    }

    async fn place_hold(
        &self,
        request: Request<wire::PlaceHoldRequest>,
    ) -> Result<Response<wire::PlaceHoldResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, hold_calls::place(&self.0, &metadata, request)).await
    }

    async fn capture_hold(
        &self,
        request: Request<wire::CaptureHoldRequest>,
    ) -> Result<Response<wire::CaptureHoldResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, hold_calls::capture(&self.0, &metadata, request)).await
    }

    async fn release_hold(
        &self,
        request: Request<wire::ReleaseHoldRequest>,
    ) -> Result<Response<wire::ReleaseHoldResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, hold_calls::release(&self.0, &metadata, request)).await
    }

    async fn reverse_redemption(
        &self,
        request: Request<wire::ReverseRedemptionRequest>,
    ) -> Result<Response<wire::ReverseRedemptionResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, redemption_calls::reverse(&self.0, &metadata, request)).await
    }

    async fn get_redemption(
        &self,
        request: Request<wire::GetRedemptionRequest>,
    ) -> Result<Response<wire::GetRedemptionResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, redemption_calls::get(&self.0, request)).await
    }

    async fn list_redemptions(
        &self,
        request: Request<wire::ListRedemptionsRequest>,
    ) -> Result<Response<wire::ListRedemptionsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, redemption_calls::list(&self.0, request)).await
    }

    async fn list_holds(
        &self,
        request: Request<wire::ListHoldsRequest>,
    ) -> Result<Response<wire::ListHoldsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, hold_calls::list(&self.0, request)).await
    }
}

impl Redemptions {
    async fn change(
        &self,
        request_id: String,
        actor: String,
        content_hash: [u8; 32],
        program_id: String,
        action: ChangeAction,
    ) -> Result<wire::Reward, Status> {
        let merchant_id = caller(&self.0).merchant_id;
        let now = (self.0.clock)();
        let change = Change {
            merchant_id,
            request_id,
            content_hash,
            actor,
            now,
            program_id,
            action,
        };
        let decision = configuration::apply(&self.0.database, change)
            .await
            .map_err(|error| status::posting(&error))?;
        match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
            Answer::Reward(record) => Ok(convert::reward::reward(*record)),
            _ => Err(status::internal()),
        }
    }
}
