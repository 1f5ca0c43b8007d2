//! The calls of RedemptionService about points of members.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, made_list, member_lookup, receipt_calls, status};
use crate::domain::account::Stop;
use crate::domain::answer::Answer;
use crate::domain::giving_back::ReversalRequest;
use crate::domain::number::Currency;
use crate::domain::receipt_text::Printed;
use crate::domain::redeeming::{RecordedRedemption, RedemptionOutcome, RedemptionRequest};
use crate::domain::redemption::quote::{self, Question};
use crate::domain::rejection::Rejection;
use crate::domain::sale::MemberKey;
use crate::posting::{Action, Command, Decided, Redeeming, RedeemingAct, content_hash};
use crate::storage::{books, connection, redemption as table};

/// What points can do.
pub(super) async fn quote(
    context: &Arc<Context>,
    request: wire::QuoteRedemptionRequest,
) -> Result<wire::QuoteRedemptionResponse, Status> {
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let key = convert::member::member_key(&mut fields, "member", request.member);
    let ticket = convert::redemption::ticket(&mut fields, request.total, request.due);
    let amount = convert::redemption::positive_money(&mut fields, "amount", request.amount);
    fields.finish(())?;
    let question = Question {
        sale: ticket.as_ref().map(|ticket| (ticket.total, ticket.due)),
        amount: amount.as_ref().map(|(_, amount)| *amount),
    };
    let currencies = [
        ("total.currency_code", ticket.map(|ticket| ticket.currency_code)),
        ("amount.currency_code", amount.map(|(currency, _)| currency.code)),
    ];

    let (caller, now) = (caller(context), (context.clock)());
    let member_id = member_lookup::resolve(context, caller, &program_id, &key, "member").await?;
    let (cache, key) = (context.programs.clone(), (caller.merchant_id, member_id));
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let found = match books::load(connection, &cache, key, now).await? {
                Some((mut books, version)) => {
                    let quoted = loop {
                        match quote::quote(&books, &version, question, now) {
                            Err(Stop::LotsMissing) => books::learn_next_page(connection, key, &mut books).await?,
                            Err(Stop::Rejected(rejection)) => break Err(rejection),
                            Ok(quote) => break Ok(quote),
                        }
                    };
                    Some((quoted, version))
                }
                None => None,
            };
            connection::end_snapshot(connection).await?;
            Ok(found)
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let found = found.filter(|(_, version)| program_id.is_empty() || *version.program_id == *program_id);
    let Some((quoted, version)) = found else {
        return Err(member_lookup::not_found(context, caller, &program_id, "member").await);
    };
    check_currencies(&currencies, &version.program.currency).map_err(|rejection| status::rejection(&rejection))?;
    let quote = quoted.map_err(|rejection| status::rejection(&rejection))?;
    let amount = question.amount.or(question.sale.map(|(_, due)| due));
    Ok(wire::QuoteRedemptionResponse {
        member_id: member_id.to_string(),
        program_id: version.program_id.to_string(),
        ..convert::redemption::quote(quote, amount)
    })
}

/// What of a member's points is redeemed without a sale.
pub(super) async fn redeem(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::RedeemRequest,
) -> Result<wire::RedeemResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let member = convert::member::member_key(&mut fields, "member", request.member);
    let asked = RedemptionRequest {
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
    fields.finish(())?;

    let content = content_hash("Redeem", &(&program_id, &member, &asked)).map_err(|_| status::internal())?;
    let redeeming = Redeeming {
        member,
        program_id,
        new_id: Uuid::now_v7(),
        actor,
        act: RedeemingAct::Redeem(asked),
    };
    let (outcome, replayed) = redemption(context, request_id, content, redeeming).await?;
    let receipt = receipt_calls::receipt(context, asked_text, Printed::Redemption(&outcome)).await?;
    let mut balance = Some(convert::member::balance(outcome.balance, &outcome.redemption.currency));
    receipt.complete(&mut balance);
    Ok(wire::RedeemResponse {
        receipt_text: receipt.text,
        redemption: Some(convert::redemption::redemption(RecordedRedemption::new(
            outcome.redemption,
        ))),
        balance_before: convert::decimal(outcome.balance_before),
        balance,
        replayed,
    })
}

/// A redemption.
pub(super) async fn get(
    context: &Arc<Context>,
    request: wire::GetRedemptionRequest,
) -> Result<wire::GetRedemptionResponse, Status> {
    let mut fields = Fields::default();
    let redemption_id = convert::redemption::made_id(&mut fields, "redemption_id", &request.redemption_id);
    fields.finish(())?;

    let redemption = find(context, redemption_id, request.redemption_id).await?;
    Ok(wire::GetRedemptionResponse {
        redemption: Some(convert::redemption::redemption(redemption)),
    })
}

/// A redemption, or a part of it, comes back.
pub(super) async fn reverse(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::ReverseRedemptionRequest,
) -> Result<wire::ReverseRedemptionResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    let redemption_id = convert::redemption::made_id(&mut fields, "redemption_id", &request.redemption_id);
    let asked = ReversalRequest {
        redemption_id,
        parts: convert::redemption::parts(&mut fields, request.parts),
        place: convert::redemption::place(
            &mut fields,
            request.store_id,
            request.terminal_id,
            request.cashier_id,
            request.document_number,
        ),
    };
    fields.finish(())?;

    let content = content_hash("ReverseRedemption", &asked).map_err(|_| status::internal())?;
    let recorded = find(context, redemption_id, request.redemption_id).await?;
    let redeeming = Redeeming {
        member: MemberKey::MemberId(recorded.member_id),
        program_id: String::new(),
        new_id: Uuid::now_v7(),
        actor,
        act: RedeemingAct::Reverse(asked),
    };
    let decided = submit(context, request_id, content, redeeming).await?;
    let Answer::Reversal(outcome) = decided.answer else {
        return Err(status::internal());
    };
    let receipt = receipt_calls::receipt(context, asked_text, Printed::Reversal(&outcome)).await?;
    let (reversal, balance_before, balance) = convert::redemption::reversal(*outcome);
    let mut balance = Some(balance);
    receipt.complete(&mut balance);
    Ok(wire::ReverseRedemptionResponse {
        receipt_text: receipt.text,
        reversal: Some(reversal),
        balance_before,
        balance,
        replayed: decided.replayed,
    })
}

async fn find(context: &Arc<Context>, redemption_id: Uuid, given_id: String) -> Result<RecordedRedemption, Status> {
    let merchant_id = caller(context).merchant_id;
    let found = context
        .database
        .run(move |connection| Box::pin(async move { table::find(connection, merchant_id, &[redemption_id]).await }));
    let found = found.await.map_err(|error| status::storage(&error))?.pop();
    found.ok_or_else(|| {
        let redemption_id = given_id;
        status::rejection(&Rejection::RedemptionNotFound { redemption_id })
    })
}

/// Redemptions that stand alone.
pub(super) async fn list(
    context: &Arc<Context>,
    request: wire::ListRedemptionsRequest,
) -> Result<wire::ListRedemptionsResponse, Status> {
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
    let (merchant_id, limit) = (caller(context).merchant_id, page.rows_to_read());
    let found = context.database.run(move |connection| {
        Box::pin(async move { table::page(connection, merchant_id, &wanted, after, limit).await })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let (found, next_page_token) = page.cut(found, |recorded| {
        let redemption = &recorded.redemption;
        made_list::key(redemption.recorded_at, redemption.redemption_id)
    });
    let redemptions = found.into_iter();
    Ok(wire::ListRedemptionsResponse {
        redemptions: redemptions.map(convert::redemption::redemption).collect(),
        next_page_token,
    })
}

/// Has points redeemed.
pub(super) async fn redemption(
    context: &Arc<Context>,
    request_id: String,
    content_hash: [u8; 32],
    redeeming: Redeeming,
) -> Result<(RedemptionOutcome, bool), Status> {
    let decided = submit(context, request_id, content_hash, redeeming).await?;
    match decided.answer {
        Answer::Redemption(outcome) => Ok((*outcome, decided.replayed)),
        _ => Err(status::internal()),
    }
}

/// Has something done with points of a member.
pub(super) async fn submit(
    context: &Arc<Context>,
    request_id: String,
    content_hash: [u8; 32],
    redeeming: Redeeming,
) -> Result<Decided, Status> {
    let command = Command {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash,
        now: (context.clock)(),
        action: Action::Redeeming(Box::new(redeeming)),
    };
    let decision = context.posting.submit(command).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    decision.map_err(|refusal| status::refusal(&refusal))
}

fn check_currencies(given: &[(&'static str, Option<String>)], currency: &Currency) -> Result<(), Rejection> {
    for (field, code) in given {
        if code.as_ref().is_some_and(|code| *code != currency.code) {
            return Err(Rejection::CurrencyMismatch {
                field,
                currency_code: currency.code.clone(),
            });
        }
    }
    Ok(())
}
