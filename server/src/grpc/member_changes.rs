//! The calls of ProgramService that change members, and the list of what they did.

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::page_token::Page;
use super::{Context, convert, member_calls, status};
use crate::domain::member_change::MemberChange;
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;
use crate::posting::{Action, ChangingMember, content_hash};
use crate::storage::{account, member_change};

/// A change that a call asks for, as far as all of them have it in common.
struct Asked {
    operation: &'static str,
    request_id: String,
    actor: String,
    member_id: Uuid,
    /// Where the request names the member.
    field: &'static str,
}

/// Changes what is known of a member.
pub(super) async fn update(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::UpdateMemberRequest,
) -> Result<wire::UpdateMemberResponse, Status> {
    let mut fields = Fields::default();
    let given = request.member.unwrap_or_default();
    let asked = Asked {
        operation: "UpdateMember",
        request_id: fields.request_id(request.request_id),
        actor: actor(&mut fields, metadata),
        member_id: convert::member::member_id(&mut fields, "member.member_id", &given.member_id),
        field: "member.member_id",
    };
    let etag = fields.etag("member.etag", &given.etag);
    let mut paths = request.update_mask.unwrap_or_default().paths;
    paths.sort();
    let edit = Box::new(convert::member_edit::member_edit(&mut fields, given, &paths));
    fields.finish(())?;

    let member = asked.make(context, MemberChange::Update { etag, edit }).await?;
    Ok(wire::UpdateMemberResponse { member: Some(member) })
}

/// Keeps points of a member from being redeemed.
pub(super) async fn block(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::BlockMemberRequest,
) -> Result<wire::BlockMemberResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "BlockMember",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    let reason = convert::member_edit::reason(&mut fields, request.reason, 1);
    fields.finish(())?;

    let member = asked.make(context, MemberChange::Block { reason }).await?;
    Ok(wire::BlockMemberResponse { member: Some(member) })
}

/// Lets points of a member be redeemed again.
pub(super) async fn unblock(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::UnblockMemberRequest,
) -> Result<wire::UnblockMemberResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "UnblockMember",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    let reason = convert::member_edit::reason(&mut fields, request.reason, 0);
    fields.finish(())?;

    let member = asked.make(context, MemberChange::Unblock { reason }).await?;
    Ok(wire::UnblockMemberResponse { member: Some(member) })
}

/// Lets a member take no part any more.
pub(super) async fn opt_out(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::OptOutMemberRequest,
) -> Result<wire::OptOutMemberResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "OptOutMember",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    let reason = convert::member_edit::reason(&mut fields, request.reason, 0);
    fields.finish(())?;

    let member = asked.make(context, MemberChange::OptOut { reason }).await?;
    Ok(wire::OptOutMemberResponse { member: Some(member) })
}

/// Lets a member take part again.
pub(super) async fn opt_in(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::OptInMemberRequest,
) -> Result<wire::OptInMemberResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "OptInMember",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    let reason = convert::member_edit::reason(&mut fields, request.reason, 0);
    fields.finish(())?;

    let member = asked.make(context, MemberChange::OptIn { reason }).await?;
    Ok(wire::OptInMemberResponse { member: Some(member) })
}

/// Forgets the person behind a member.
pub(super) async fn erase(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::EraseMemberRequest,
) -> Result<wire::EraseMemberResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "EraseMember",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    fields.finish(())?;

    let member = asked.make(context, MemberChange::Erase).await?;
    Ok(wire::EraseMemberResponse { member: Some(member) })
}

/// Replaces, adds or removes an identifier.
pub(super) async fn replace_identifier(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::ReplaceIdentifierRequest,
) -> Result<wire::ReplaceIdentifierResponse, Status> {
    let mut fields = Fields::default();
    let asked = Asked::new(
        "ReplaceIdentifier",
        &mut fields,
        metadata,
        request.request_id,
        &request.member_id,
    );
    let (old, new) = convert::member_edit::replacement(&mut fields, request.old_identifier, request.new_identifier);
    fields.finish(())?;

    let member = asked
        .make(context, MemberChange::ReplaceIdentifier { old, new })
        .await?;
    Ok(wire::ReplaceIdentifierResponse { member: Some(member) })
}

impl Asked {
    fn new(
        operation: &'static str,
        fields: &mut Fields,
        metadata: &MetadataMap,
        request_id: String,
        member_id: &str,
    ) -> Self {
        Self {
            operation,
            request_id: fields.request_id(request_id),
            actor: actor(fields, metadata),
            member_id: convert::member::member_id(fields, "member_id", member_id),
            field: "member_id",
        }
    }

    async fn make(self, context: &Context, change: MemberChange) -> Result<wire::Member, Status> {
        let content = content_hash(self.operation, &(self.member_id, &change)).map_err(|_| status::internal())?;
        let action = Action::ChangeMember(Box::new(ChangingMember {
            member: MemberKey::MemberId(self.member_id),
            field: self.field,
            change,
            actor: self.actor,
        }));
        let (member, _) = member_calls::write(context, self.request_id, content, action).await?;
        Ok(member)
    }
}

/// Who changed a member.
pub(super) async fn list(
    context: &Context,
    request: wire::ListMemberChangesRequest,
) -> Result<wire::ListMemberChangesResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let member_id = convert::member::member_id(&mut fields, "member_id", &request.member_id);
    let before = page.after.as_deref().map_or(Ok(u32::MAX), str::parse);
    let before = before.unwrap_or_else(|_| {
        fields.wrong("page_token", "is not a token of this list");
        u32::MAX
    });
    fields.finish(())?;

    let (key, limit) = ((caller(context).merchant_id, member_id), page.rows_to_read());
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            if account::find(connection, key).await?.is_none() {
                return Ok(None);
            }
            Ok(Some(member_change::page(connection, key, before, limit).await?))
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let changes = found.ok_or_else(|| {
        status::rejection(&Rejection::MemberNotFound {
            field: "member_id".to_owned(),
        })
    })?;
    let (changes, next_page_token) = page.cut(changes, |change| change.version.to_string());
    Ok(wire::ListMemberChangesResponse {
        changes: changes.into_iter().map(convert::member_edit::member_change).collect(),
        next_page_token,
    })
}
