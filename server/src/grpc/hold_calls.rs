//! The calls of RedemptionService about holds.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::redemption_calls::{redemption, submit};
use super::{Context, convert, made_list, member_lookup, receipt_calls, status};
use crate::domain::answer::Answer;
use crate::domain::hold::{Hold, LONGEST_TIME_LIMIT_SECONDS};
use crate::domain::holding::{CaptureRequest, HoldOutcome, HoldRequest};
use crate::domain::receipt_text::Printed;
use crate::domain::redeeming::{RecordedRedemption, RedemptionRequest};
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;
use crate::posting::{Decided, Redeeming, RedeemingAct, content_hash};
use crate::storage::hold as table;

/// As long as a customer takes to decide and pay.
const DEFAULT_TIME_LIMIT_SECONDS: u32 = 900;

/// Points are set aside.
pub(super) async fn place(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::PlaceHoldRequest,
) -> Result<wire::PlaceHoldResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let member = convert::member::member_key(&mut fields, "member", request.member);
    let redemption = RedemptionRequest {
        redemptions: convert::redemption::redemptions(&mut fields, request.redemptions, false),
        ticket: convert::redemption::ticket(&mut fields, request.total, request.due),
        place: convert::redemption::place(
            &mut fields,
            request.store_id,
            request.terminal_id,
            request.cashier_id,
            request.document_number,
        ),
    };
    let time_limit_seconds = match request.time_limit_seconds {
        0 => DEFAULT_TIME_LIMIT_SECONDS,
        seconds => seconds,
    };
    if time_limit_seconds > LONGEST_TIME_LIMIT_SECONDS {
        fields.wrong(
            "time_limit_seconds",
            format!("must be at most {LONGEST_TIME_LIMIT_SECONDS}"),
        );
    }
    fields.finish(())?;

    let asked = HoldRequest {
        redemption,
        time_limit_seconds,
    };
    let content = content_hash("PlaceHold", &(&program_id, &member, &asked)).map_err(|_| status::internal())?;
    let redeeming = Redeeming {
        member,
        program_id,
        new_id: Uuid::now_v7(),
        actor,
        act: RedeemingAct::PlaceHold(asked),
    };
    let (outcome, replayed) = hold_outcome(submit(context, request_id, content, redeeming).await?)?;
    let receipt = receipt_calls::receipt(context, asked_text, Printed::Hold(&outcome)).await?;
    let hold = convert::redemption::hold_of_outcome(&outcome);
    let mut balance = Some(convert::member::balance(outcome.balance, &outcome.hold.currency));
    receipt.complete(&mut balance);
    Ok(wire::PlaceHoldResponse {
        receipt_text: receipt.text,
        hold: Some(hold),
        balance_before: convert::decimal(outcome.balance_before),
        balance,
        replayed,
    })
}

/// What was set aside, or less of it, is redeemed.
pub(super) async fn capture(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::CaptureHoldRequest,
) -> Result<wire::CaptureHoldResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    let asked = CaptureRequest {
        hold_id: convert::redemption::made_id(&mut fields, "hold_id", &request.hold_id),
        redemptions: convert::redemption::redemptions(&mut fields, request.redemptions, true),
        place: convert::redemption::place(
            &mut fields,
            request.store_id,
            request.terminal_id,
            request.cashier_id,
            request.document_number,
        ),
        occurred_at: fields.instant("occurred_at", request.occurred_at),
    };
    let member = optional_member(&mut fields, request.member);
    fields.finish(())?;

    let content = content_hash("CaptureHold", &(&member, &asked)).map_err(|_| status::internal())?;
    let (hold, expected) = find(context, asked.hold_id, &request.hold_id, member).await?;
    let redeeming = Redeeming {
        member: MemberKey::MemberId(hold.terms.member_id),
        program_id: String::new(),
        new_id: Uuid::now_v7(),
        actor,
        act: RedeemingAct::CaptureHold(asked, expected),
    };
    let (outcome, replayed) = redemption(context, request_id, content, redeeming).await?;
    let receipt = receipt_calls::receipt(context, asked_text, Printed::Redemption(&outcome)).await?;
    let mut balance = Some(convert::member::balance(outcome.balance, &outcome.redemption.currency));
    receipt.complete(&mut balance);
    Ok(wire::CaptureHoldResponse {
        receipt_text: receipt.text,
        redemption: Some(convert::redemption::redemption(RecordedRedemption::new(
            outcome.redemption,
        ))),
        balance_before: convert::decimal(outcome.balance_before),
        balance,
        replayed,
    })
}

/// A hold is given up.
pub(super) async fn release(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::ReleaseHoldRequest,
) -> Result<wire::ReleaseHoldResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    let hold_id = convert::redemption::made_id(&mut fields, "hold_id", &request.hold_id);
    let member = optional_member(&mut fields, request.member);
    fields.finish(())?;

    let content = content_hash("ReleaseHold", &(&member, &hold_id)).map_err(|_| status::internal())?;
    let (hold, expected) = find(context, hold_id, &request.hold_id, member).await?;
    let redeeming = Redeeming {
        member: MemberKey::MemberId(hold.terms.member_id),
        program_id: String::new(),
        new_id: Uuid::now_v7(),
        actor,
        act: RedeemingAct::ReleaseHold(hold_id, expected),
    };
    let (outcome, replayed) = hold_outcome(submit(context, request_id, content, redeeming).await?)?;
    let receipt = receipt_calls::receipt(context, asked_text, Printed::Release(&outcome)).await?;
    let hold = convert::redemption::hold_of_outcome(&outcome);
    let mut balance = Some(convert::member::balance(outcome.balance, &outcome.hold.currency));
    receipt.complete(&mut balance);
    Ok(wire::ReleaseHoldResponse {
        receipt_text: receipt.text,
        hold: Some(hold),
        balance_before: convert::decimal(outcome.balance_before),
        balance,
        replayed,
    })
}

/// Holds.
pub(super) async fn list(
    context: &Arc<Context>,
    request: wire::ListHoldsRequest,
) -> Result<wire::ListHoldsResponse, Status> {
    let asked = made_list::Asked {
        program_id: request.program_id,
        member: request.member,
        store_id: request.store_id,
        from: request.from,
        until: request.until,
        page_size: request.page_size,
        page_token: request.page_token,
    };
    let (page, wanted, after) = made_list::wanted(context, asked).await?;
    let (merchant_id, limit, now) = (caller(context).merchant_id, page.rows_to_read(), (context.clock)());
    let found = context.database.run(move |connection| {
        Box::pin(async move { table::page(connection, merchant_id, &wanted, after, limit).await })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let (found, next_page_token) = page.cut(found, |hold| made_list::key(hold.terms.placed_at, hold.terms.hold_id));
    Ok(wire::ListHoldsResponse {
        holds: found.iter().map(|hold| convert::redemption::hold(hold, now)).collect(),
        next_page_token,
    })
}

/// The hold, and the member whose it must be.
async fn find(
    context: &Arc<Context>,
    hold_id: Uuid,
    given_id: &str,
    member: Option<MemberKey>,
) -> Result<(Hold, Option<Uuid>), Status> {
    let caller = caller(context);
    let merchant_id = caller.merchant_id;
    let found = context
        .database
        .run(move |connection| Box::pin(async move { table::find(connection, merchant_id, &[hold_id]).await }));
    let found = found.await.map_err(|error| status::storage(&error))?.pop();
    let hold = found.ok_or_else(|| {
        let hold_id = given_id.to_owned();
        status::rejection(&Rejection::HoldNotFound { hold_id })
    })?;
    let expected = match member {
        Some(key) => Some(member_lookup::resolve(context, caller, &hold.terms.program_id, &key, "member").await?),
        None => None,
    };
    Ok((hold, expected))
}

fn optional_member(fields: &mut Fields, given: Option<wire::MemberKey>) -> Option<MemberKey> {
    given.map(|member| convert::member::member_key(fields, "member", Some(member)))
}

fn hold_outcome(decided: Decided) -> Result<(HoldOutcome, bool), Status> {
    match decided.answer {
        Answer::Hold(outcome) => Ok((*outcome, decided.replayed)),
        _ => Err(status::internal()),
    }
}
