//! Scenarios of RedemptionService.

use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::{customer, number, request_id};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("RedemptionService/CreateReward", |_world| [wire::CreateRewardRequest {
        request_id: request_id(),
        reward: Some(wire::Reward {
            program_id: "club".to_owned(),
            reward_id: "new".to_owned(),
            name: "New".to_owned(),
            points: number("50"),
            gives: Some(wire::reward::Gives::MoneyOff(wire::Decimal { value: "1".to_owned() })),
            ..wire::Reward::default()
        }),
    }]),
    scenario!("RedemptionService/GetReward", |_world| [wire::GetRewardRequest {
        program_id: "club".to_owned(),
        reward_id: "key".to_owned(),
    }]),
    scenario!("RedemptionService/ListRewards", |_world| [wire::ListRewardsRequest {
        program_id: "club".to_owned(),
        ..wire::ListRewardsRequest::default()
    }]),
    scenario!("RedemptionService/UpdateReward", |world| [wire::UpdateRewardRequest {
        request_id: request_id(),
        reward: Some(wire::Reward {
            program_id: "club".to_owned(),
            reward_id: "key".to_owned(),
            name: "Another name".to_owned(),
            etag: world.reward_etag().await,
            ..wire::Reward::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["name".to_owned()],
        }),
    }]),
    scenario!("RedemptionService/QuoteRedemption", |_world| [
        wire::QuoteRedemptionRequest {
            member: customer("alpha-ada"),
            ..wire::QuoteRedemptionRequest::default()
        }
    ]),
    scenario!("RedemptionService/ArchiveReward", |world| [
        wire::ArchiveRewardRequest {
            request_id: request_id(),
            program_id: "club".to_owned(),
            reward_id: "key".to_owned(),
            etag: world.reward_etag().await,
        }
    ]),
];
