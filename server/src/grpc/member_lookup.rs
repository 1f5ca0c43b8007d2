//! From what a caller names to the member it means.

use tonic::Status;
use uuid::Uuid;

use super::auth::Caller;
use super::{Context, program_service, status};
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;
use crate::storage::{account, member};

/// The member's id, or why there is none; of one that was merged into another, that of the other. Whether a member id is one
/// of the merchant's shows where its books are read.
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

/// The same, but a member id is taken as it is: what was written under it stays there.
pub(super) async fn resolve_as_named(
    context: &Context,
    caller: Caller,
    program_id: &str,
    key: &MemberKey,
    field: &str,
) -> Result<Uuid, Status> {
    match key {
        MemberKey::MemberId(member_id) => Ok(*member_id),
        _ => resolve(context, caller, program_id, key, field).await,
    }
}

/// The member who is meant by an id: where that one was merged into another, the other.
pub(super) async fn current(context: &Context, caller: Caller, member_id: Uuid) -> Result<Uuid, Status> {
    let key = (caller.merchant_id, member_id);
    let found = context
        .database
        .run(move |connection| Box::pin(async move { account::current(connection, key).await }));
    found.await.map_err(|error| status::storage(&error))
}

/// The member's id; `None` when nobody has the identifier.
pub(super) async fn find(
    context: &Context,
    caller: Caller,
    program_id: &str,
    key: &MemberKey,
) -> Result<Option<Uuid>, Status> {
    let identifier = match (key, key.identifier()) {
        (MemberKey::MemberId(member_id), _) => return Ok(Some(current(context, caller, *member_id).await?)),
        (_, Some(identifier)) => identifier,
        (_, None) => return Err(status::internal()),
    };
    let (merchant_id, kind, values) = (caller.merchant_id, identifier.kind, vec![identifier.value]);
    let of_program = program_id.to_owned();
    let found = context.database.run(move |connection| {
        Box::pin(async move { member::find_identifiers(connection, merchant_id, kind, &of_program, values).await })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
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
