//! Changes of members.

use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::request_id;

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("ProgramService/UpdateMember", |world| [wire::UpdateMemberRequest {
        request_id: request_id(),
        member: Some(wire::Member {
            member_id: world.member_id.clone(),
            etag: world.member_etag().await,
            language: "es".to_owned(),
            ..wire::Member::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["language".to_owned()],
        }),
    }]),
    scenario!("ProgramService/BlockMember", |world| [wire::BlockMemberRequest {
        request_id: request_id(),
        member_id: world.member_id.clone(),
        reason: "stolen card".to_owned(),
    }]),
    scenario!("ProgramService/UnblockMember", |world| [wire::UnblockMemberRequest {
        request_id: request_id(),
        member_id: world.member_id.clone(),
        reason: String::new(),
    }]),
    scenario!("ProgramService/OptOutMember", |world| [wire::OptOutMemberRequest {
        request_id: request_id(),
        member_id: world.member_id.clone(),
        reason: String::new(),
    }]),
    scenario!("ProgramService/OptInMember", |world| [wire::OptInMemberRequest {
        request_id: request_id(),
        member_id: world.member_id.clone(),
        reason: String::new(),
    }]),
    scenario!("ProgramService/ReplaceIdentifier", |world| [
        wire::ReplaceIdentifierRequest {
            request_id: request_id(),
            member_id: world.member_id.clone(),
            old_identifier: None,
            new_identifier: Some(wire::Identifier {
                identifier: Some(wire::identifier::Identifier::Card("another-card".to_owned())),
            }),
        }
    ]),
    scenario!("ProgramService/MergeMembers", |world| [wire::MergeMembersRequest {
        request_id: request_id(),
        member_id: world.member_id.clone(),
        merged_member_id: world.newcomer_id().await,
        reason: "one customer".to_owned(),
    }]),
    scenario!("ProgramService/EraseMember", |world| [wire::EraseMemberRequest {
        request_id: request_id(),
        member_id: world.newcomer_id().await,
    }]),
    scenario!("ProgramService/ListMemberChanges", |world| [
        wire::ListMemberChangesRequest {
            member_id: world.member_id.clone(),
            ..wire::ListMemberChangesRequest::default()
        }
    ]),
];
