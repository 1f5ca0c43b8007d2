//! From what a caller names to the member it means.

use tonic::Status;
use uuid::Uuid;

use super::auth::Caller;
use super::{Context, program_service, status};
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;
use crate::storage::member;

/// The member's id, or why there is none. A member id is taken as it is: whether it is one of the merchant's shows where its books are read.
pub(super) async fn resolve(
    context: &Context,
    caller: Caller,
    program_id: &str,
    key: &MemberKey,
    field: &str,
) -> Result<Uuid, Status> {
    match find(context, caller, program_id, key).await? {
        Some(member_id) => Ok(member_id),
        None => Err(not_found(context, caller, program_id, field).await),
    }
}

/// The member's id; `None` when nobody has the identifier.
pub(super) async fn find(
    context: &Context,
    caller: Caller,
    program_id: &str,
    key: &MemberKey,
) -> Result<Option<Uuid>, Status> {
    let identifier = match (key, key.identifier()) {
        (MemberKey::MemberId(member_id), _) => return Ok(Some(*member_id)),
        (_, Some(identifier)) => identifier,
        (_, None) => return Err(status::internal()),
    };
    let (merchant_id, kind, values) = (caller.merchant_id, identifier.kind, [identifier.value]);
    let found = context.database.run(move |connection| {
        Box::pin(async move { member::find_identifiers(connection, merchant_id, kind, &values).await })
    });
    let mut found = found.await.map_err(|error| status::storage(&error))?;
    found.retain(|(_, program, _)| program_id.is_empty() || program == program_id);
    match found.as_slice() {
        [] => Ok(None),
        [(_, _, member_id)] => Ok(Some(*member_id)),
        several => {
            let program_ids = several.iter().map(|(_, program, _)| program.clone()).collect();
            Err(status::rejection(&Rejection::AmbiguousMember { program_ids }))
        }
    }
}

/// There is no such member, or not even the program that it is looked for in.
pub(super) async fn not_found(context: &Context, caller: Caller, program_id: &str, field: &str) -> Status {
    if !program_id.is_empty()
        && let Err(status) = program_service::find_program(context, caller, program_id).await
    {
        return status;
    }
    status::rejection(&Rejection::MemberNotFound {
        field: field.to_owned(),
    })
}
