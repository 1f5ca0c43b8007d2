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
    scenario!("RedemptionService/Redeem", |_world| [wire::RedeemRequest {
        request_id: request_id(),
        member: customer("alpha-ada"),
        redemptions: vec![points("100")],
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        ..wire::RedeemRequest::default()
    }]),
    scenario!("RedemptionService/PlaceHold", |_world| [wire::PlaceHoldRequest {
        request_id: request_id(),
        member: customer("alpha-ada"),
        redemptions: vec![points("100")],
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        ..wire::PlaceHoldRequest::default()
    }]),
    scenario!("RedemptionService/CaptureHold", |world| [wire::CaptureHoldRequest {
        request_id: request_id(),
        hold_id: world.hold_id().await,
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        ..wire::CaptureHoldRequest::default()
    }]),
    scenario!("RedemptionService/ReleaseHold", |world| [wire::ReleaseHoldRequest {
        request_id: request_id(),
        hold_id: world.hold_id().await,
        ..wire::ReleaseHoldRequest::default()
    }]),
    scenario!("RedemptionService/ReverseRedemption", |world| [
        wire::ReverseRedemptionRequest {
            request_id: request_id(),
            redemption_id: world.redemption_id().await,
            store_id: "store-1".to_owned(),
            terminal_id: "till-1".to_owned(),
            ..wire::ReverseRedemptionRequest::default()
        }
    ]),
    scenario!("RedemptionService/GetRedemption", |world| [
        wire::GetRedemptionRequest {
            redemption_id: world.redemption_id().await,
        }
    ]),
    scenario!("RedemptionService/ListRedemptions", |_world| [
        wire::ListRedemptionsRequest {
            member: customer("alpha-ada"),
            ..wire::ListRedemptionsRequest::default()
        }
    ]),
    scenario!("RedemptionService/ListHolds", |_world| [wire::ListHoldsRequest {
        member: customer("alpha-ada"),
        ..wire::ListHoldsRequest::default()
    }]),
];

fn points(points: &str) -> wire::SaleRedemption {
    wire::SaleRedemption {
        ask: number(points).map(wire::sale_redemption::Ask::Points),
        ..wire::SaleRedemption::default()
    }
}
