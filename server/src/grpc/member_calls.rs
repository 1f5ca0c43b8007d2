//! The calls of ProgramService about members.

use loyalty_api::v1 as wire;
use tonic::Status;
use uuid::Uuid;

use super::auth::{Caller, caller};
use super::fields::Fields;
use super::{Context, convert, member_lookup, status};
use crate::domain::answer::Answer;
use crate::domain::rejection::Rejection;
use crate::domain::sale_recording;
use crate::posting::{Action, Command, content_hash};
use crate::storage::{books, connection, member};

/// Enrols a customer. Answers also whether that had been done before.
pub(super) async fn enrol(
    context: &Context,
    mut request: wire::EnrollMemberRequest,
) -> Result<(wire::Member, bool), Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(std::mem::take(&mut request.request_id));
    let enrolment = convert::member::enrolment(&mut fields, request);
    fields.finish(())?;

    let content = content_hash("EnrollMember", &enrolment.canonical()).map_err(|_| status::internal())?;
    let action = Action::Enrol(Uuid::new_v4(), enrolment);
    write(context, request_id, content, action).await
}

/// The member that a key names.
pub(super) async fn look_up(
    context: &Context,
    request: wire::LookupMemberRequest,
) -> Result<wire::LookupMemberResponse, Status> {
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let key = convert::member::member_key(&mut fields, "member", request.member);
    fields.finish(())?;

    let caller = caller(context);
    let member_id = member_lookup::resolve(context, caller, &program_id, &key, "member").await?;
    let found = find(context, caller, member_id).await?;
    let found = found.filter(|(member, _)| program_id.is_empty() || member.program_id == program_id);
    let Some((member, balance)) = found else {
        return Err(member_lookup::not_found(context, caller, &program_id, "member").await);
    };
    Ok(wire::LookupMemberResponse {
        member: Some(member),
        balance: Some(balance),
    })
}

/// The record of a member.
pub(super) async fn get(context: &Context, request: wire::GetMemberRequest) -> Result<wire::GetMemberResponse, Status> {
    let mut fields = Fields::default();
    let member_id = convert::member::member_id(&mut fields, "member_id", &request.member_id);
    fields.finish(())?;

    let caller = caller(context);
    let member_id = member_lookup::current(context, caller, member_id).await?;
    let found = find(context, caller, member_id).await?;
    let (member, balance) = found.ok_or_else(|| {
        status::rejection(&Rejection::MemberNotFound {
            field: "member_id".to_owned(),
        })
    })?;
    Ok(wire::GetMemberResponse {
        member: Some(member),
        balance: Some(balance),
    })
}

/// Has a command about a member carried out. Answers also whether that had been done before.
pub(super) async fn write(
    context: &Context,
    request_id: String,
    content_hash: [u8; 32],
    action: Action,
) -> Result<(wire::Member, bool), Status> {
    let command = Command {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash,
        now: (context.clock)(),
        action,
    };
    let decision = context.posting.submit(command).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    let decided = decision.map_err(|refusal| status::refusal(&refusal))?;
    match decided.answer {
        Answer::Member(member) => Ok((convert::member::member(*member), decided.replayed)),
        _ => Err(status::internal()),
    }
}

/// A member as it is now; `None` when there is none.
pub(super) async fn find(
    context: &Context,
    caller: Caller,
    member_id: Uuid,
) -> Result<Option<(wire::Member, wire::Balance)>, Status> {
    let (cache, key, now) = (
        context.programs.clone(),
        (caller.merchant_id, member_id),
        (context.clock)(),
    );
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let found = match books::load(connection, &cache, key, now).await? {
                Some((mut books, version)) => {
                    let balance = |books: &_| sale_recording::balance_at(books, &version, now);
                    let balance = books::ask(connection, key, &mut books, balance).await?;
                    let member = member::find(connection, key).await?;
                    member.map(|member| (member, balance, version))
                }
                None => None,
            };
            connection::end_snapshot(connection).await?;
            Ok(found)
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    Ok(found.map(|(member, balance, version)| {
        let balance = convert::member::balance(balance, &version.program.currency);
        (convert::member::member(member), balance)
    }))
}
