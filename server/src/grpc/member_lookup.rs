//! From what a caller names to the member it means.

use tonic::Status;
use uuid::Uuid;

use super::auth::Caller;
use super::{Context, status};
use crate::domain::enrolment::IdentifierKind;
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;

/// The member's id. A member id is taken as it is: whether it is one of the merchant's shows where its books are read.
pub(super) async fn resolve(
    context: &Context,
    caller: Caller,
    program_id: &str,
    key: &MemberKey,
    field: &str,
) -> Result<Uuid, Status> {
    let (kind, value) = match key {
        MemberKey::MemberId(member_id) => return Ok(*member_id),
        MemberKey::CustomerId(value) => (IdentifierKind::CustomerId, value),
        MemberKey::Card(value) => (IdentifierKind::Card, value),
    };
    let found = context.member_index.find(caller.merchant_id, kind, value).await;
    let mut found = found.map_err(|error| status::storage(&error))?;
    found.retain(|(program, _)| program_id.is_empty() || program == program_id);
    match found.as_slice() {
        [] => Err(not_found(field)),
        [(_, member_id)] => Ok(*member_id),
        several => {
            let program_ids = several.iter().map(|(program, _)| program.clone()).collect();
            Err(status::rejection(&Rejection::AmbiguousMember { program_ids }))
        }
    }
}

/// There is no such member.
pub(super) fn not_found(field: &str) -> Status {
    status::rejection(&Rejection::MemberNotFound {
        field: field.to_owned(),
    })
}
