//! The calls of LedgerService about adjustments and their reasons.

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, page_token, status};
use crate::domain::adjustment::Adjusting;
use crate::domain::answer::Answer;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::{Action, Command, content_hash};
use crate::storage::reason;

/// Adjusts a member's points.
pub(super) async fn adjust(
    context: &Context,
    metadata: &MetadataMap,
    mut request: wire::AdjustPointsRequest,
) -> Result<wire::AdjustPointsResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(std::mem::take(&mut request.request_id));
    let actor = actor(&mut fields, metadata);
    let adjustment = convert::adjustment::adjustment(&mut fields, request);
    fields.finish(())?;

    let caller = caller(context);
    let content_hash = content_hash("AdjustPoints", &adjustment).map_err(|_| status::internal())?;
    let adjusting = Adjusting {
        adjustment_id: Uuid::now_v7(),
        adjustment,
        actor,
        role: caller.role,
    };
    let command = Command {
        merchant_id: caller.merchant_id,
        request_id,
        content_hash,
        now: (context.clock)(),
        action: Action::Adjust(Box::new(adjusting)),
    };
    let decision = context.posting.submit(command).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    let decided = decision.map_err(|refusal| status::refusal(&refusal))?;
    let Answer::Adjustment(outcome) = decided.answer else {
        return Err(status::internal());
    };
    Ok(wire::AdjustPointsResponse {
        adjustment: Some(convert::adjustment::outcome(*outcome)),
        replayed: decided.replayed,
    })
}

/// Creates a reason.
pub(super) async fn create_reason(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::CreateReasonRequest,
) -> Result<wire::CreateReasonResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let given = request.reason.unwrap_or_default();
    let reason_id = given.reason_id.clone();
    if !reason_id.is_empty() {
        fields.slug("reason.reason_id", reason_id.clone());
    }
    let reason = convert::reason::new_reason(&mut fields, given);
    let Some(reason) = fields.finish(reason)? else {
        return Err(status::internal());
    };

    let content = content_hash("CreateReason", &(&reason_id, &reason)).map_err(|_| status::internal())?;
    let reason_id = if reason_id.is_empty() {
        Uuid::now_v7().to_string()
    } else {
        reason_id
    };
    let action = ChangeAction::CreateReason {
        reason_id,
        reason: Box::new(reason),
    };
    let reason = change(context, request_id, actor, content, action).await?;
    Ok(wire::CreateReasonResponse { reason: Some(reason) })
}

/// Changes a reason.
pub(super) async fn update_reason(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::UpdateReasonRequest,
) -> Result<wire::UpdateReasonResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let given = request.reason.unwrap_or_default();
    let reason_id = fields.slug("reason.reason_id", given.reason_id.clone());
    let etag = fields.etag("reason.etag", &given.etag);
    let mut paths = request.update_mask.unwrap_or_default().paths;
    paths.sort();
    let edit = convert::reason::reason_edit(&mut fields, &given, &paths);
    fields.finish(())?;

    let content = content_hash("UpdateReason", &(&reason_id, etag, &edit)).map_err(|_| status::internal())?;
    let action = ChangeAction::UpdateReason {
        reason_id,
        etag,
        edit: Box::new(edit),
    };
    let reason = change(context, request_id, actor, content, action).await?;
    Ok(wire::UpdateReasonResponse { reason: Some(reason) })
}

/// The merchant's reasons.
pub(super) async fn list_reasons(
    context: &Context,
    request: wire::ListReasonsRequest,
) -> Result<wire::ListReasonsResponse, Status> {
    let page = page_token::Page::parse(request.page_size, &request.page_token)?;
    let merchant_id = caller(context).merchant_id;
    let (after, limit) = (page.after_slug()?, page.rows_to_read());
    let records = context
        .database
        .run(move |connection| Box::pin(async move { reason::page(connection, merchant_id, &after, limit).await }));
    let records = records.await.map_err(|error| status::storage(&error))?;
    let (records, next_page_token) = page.cut(records, |record| record.reason_id.clone());
    let reasons = records.into_iter().map(convert::reason::reason).collect();
    Ok(wire::ListReasonsResponse {
        reasons,
        next_page_token,
    })
}

async fn change(
    context: &Context,
    request_id: String,
    actor: String,
    content_hash: [u8; 32],
    action: ChangeAction,
) -> Result<wire::Reason, Status> {
    let change = Change {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash,
        actor,
        now: (context.clock)(),
        program_id: String::new(),
        action,
    };
    let decision = configuration::apply(&context.database, change).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
        Answer::Reason(record) => Ok(convert::reason::reason(*record)),
        _ => Err(status::internal()),
    }
}
