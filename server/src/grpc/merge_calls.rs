//! The call of ProgramService that merges members.

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::auth::actor;
use super::fields::Fields;
use super::{Context, convert, member_calls, status};
use crate::domain::sale::MemberKey;
use crate::posting::{Action, MergingMembers, content_hash};

/// Merges a member into another.
pub(super) async fn merge(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::MergeMembersRequest,
) -> Result<wire::MergeMembersResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let member_id = convert::member::member_id(&mut fields, "member_id", &request.member_id);
    let merged_id = convert::member::member_id(&mut fields, "merged_member_id", &request.merged_member_id);
    if member_id == merged_id && !member_id.is_nil() {
        fields.wrong("merged_member_id", "is the member itself");
    }
    let reason = convert::member_edit::reason(&mut fields, request.reason, 0);
    fields.finish(())?;

    let content = content_hash("MergeMembers", &(member_id, merged_id, &reason)).map_err(|_| status::internal())?;
    let action = Action::MergeMembers(Box::new(MergingMembers {
        member: MemberKey::MemberId(member_id),
        merged_id,
        reason,
        actor,
    }));
    let (member, _) = member_calls::write(context, request_id, content, action).await?;
    Ok(wire::MergeMembersResponse { member: Some(member) })
}
