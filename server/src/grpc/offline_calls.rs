//! The calls about what tills may do without a line.

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, status};
use crate::domain::answer::Answer;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::offline_policy;

/// The policy as it is now.
pub(super) async fn policy(context: &Context) -> Result<wire::GetOfflinePolicyResponse, Status> {
    let merchant_id = caller(context).merchant_id;
    let found = context
        .database
        .run(move |connection| Box::pin(async move { offline_policy::find(connection, merchant_id).await }));
    let record = found.await.map_err(|error| status::storage(&error))?;
    Ok(wire::GetOfflinePolicyResponse {
        policy: Some(convert::offline::policy(record)),
    })
}

/// Changes it.
pub(super) async fn set_policy(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::SetOfflinePolicyRequest,
) -> Result<wire::SetOfflinePolicyResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let (etag, policy) = convert::offline::policy_from(&mut fields, request.policy);
    fields.finish(())?;

    let change = Change {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash: content_hash("SetOfflinePolicy", &(etag, &policy)).map_err(|_| status::internal())?,
        actor,
        now: (context.clock)(),
        program_id: String::new(),
        action: ChangeAction::SetOfflinePolicy { etag, policy },
    };
    let decision = configuration::apply(&context.database, change).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
        Answer::OfflinePolicy(policy) => Ok(wire::SetOfflinePolicyResponse {
            policy: Some(convert::offline::policy(policy)),
        }),
        _ => Err(status::internal()),
    }
}
