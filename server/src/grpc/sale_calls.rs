//! The calls of LedgerService that quote and record sales.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::fields::Fields;
use super::quote_calls::Quoted;
use super::receipt_calls::{Asked, Receipt};
use super::{Context, convert, member_lookup, quote_calls, receipt_calls, status};
use crate::domain::account::Stop;
use crate::domain::answer::Answer;
use crate::domain::opt_in;
use crate::domain::outcome::SaleOutcome;
use crate::domain::program::ProgramVersion;
use crate::domain::receipt_text::Printed;
use crate::domain::rejection::Rejection;
use crate::domain::sale::Sale;
use crate::domain::sale_recording;
use crate::posting::{Action, Command, Decision, PostingError};
use crate::storage::account::AccountKey;
use crate::storage::{books, business_time, connection, offline_policy, program};

/// What a sale would do.
pub(super) async fn quote(
    context: &Context,
    request: wire::QuoteSaleRequest,
) -> Result<wire::QuoteSaleResponse, Status> {
    let mut fields = Fields::default();
    let asked = receipt_calls::asked(&mut fields, request.receipt_language);
    let sale = convert::sale::sale(&mut fields, request.sale);
    let Some(sale) = fields.finish(sale)? else {
        return Err(status::internal());
    };
    let (caller, now) = (caller(context), (context.clock)());
    let asked_quote = Quoted::of(context, &sale, now)?;
    let program_id = sale.program_id.clone();
    let quoted = match member_lookup::find(context, caller, &program_id, &sale.member).await? {
        Some(member_id) => quoted(context, (caller.merchant_id, member_id), sale, now).await?,
        None => quoted_opt_in(context, caller.merchant_id, sale, now).await?,
    };
    let outcome = match quoted {
        Ok(outcome) => outcome,
        Err(Rejection::MemberNotFound { field }) => {
            return Err(member_lookup::not_found(context, caller, &program_id, &field).await);
        }
        Err(rejection) => return Err(status::rejection(&rejection)),
    };
    let receipt_text = receipt_calls::quoted_text(context, asked, Printed::Sale(&outcome)).await?;
    let (quote_token, expires_at) = asked_quote.token(context, &outcome);
    Ok(wire::QuoteSaleResponse {
        quote_token,
        quote_expires_at: Some(convert::timestamp(expires_at)),
        receipt_text,
        outcome: Some(convert::outcome::sale_outcome(outcome)),
    })
}

/// Records a sale.
pub(super) async fn record(
    context: &Context,
    request: wire::RecordSaleRequest,
) -> Result<wire::RecordSaleResponse, Status> {
    let (command, asked) = command(context, request)?;
    let (outcome, replayed) = decided(context.posting.submit(command).await)?;
    let receipt = receipt_calls::receipt(context, asked, Printed::Sale(&outcome)).await?;
    Ok(answer(outcome, replayed, receipt))
}

/// The command that records a sale, and the text that is asked for.
pub(super) fn command(context: &Context, mut request: wire::RecordSaleRequest) -> Result<(Command, Asked), Status> {
    let quote_token = request.sale.as_mut().map(|sale| std::mem::take(&mut sale.quote_token));
    let mut fields = Fields::default();
    let asked = receipt_calls::asked(&mut fields, request.receipt_language);
    let request_id = fields.request_id(request.request_id);
    let sale = convert::sale::sale(&mut fields, request.sale);
    let Some(mut sale) = fields.finish(sale)? else {
        return Err(status::internal());
    };
    sale.quote = quote_calls::held(context, &sale, &quote_token.unwrap_or_default())?;
    let (action, content_hash) = Action::record_sale(sale).map_err(|_| status::internal())?;
    let command = Command {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash,
        now: (context.clock)(),
        action,
    };
    Ok((command, asked))
}

/// What a recorded sale did, and whether it had done so before.
pub(super) fn decided(decision: Result<Decision, PostingError>) -> Result<(Arc<SaleOutcome>, bool), Status> {
    let decision = decision.map_err(|error| status::posting(&error))?;
    let decided = decision.map_err(|refusal| status::refusal(&refusal))?;
    let Answer::Sale(outcome) = decided.answer else {
        return Err(status::internal());
    };
    Ok((outcome, decided.replayed))
}

/// The answer to a recorded sale.
pub(super) fn answer(outcome: Arc<SaleOutcome>, replayed: bool, receipt: Receipt) -> wire::RecordSaleResponse {
    let mut outcome = convert::outcome::sale_outcome(Arc::unwrap_or_clone(outcome));
    receipt.complete(&mut outcome.balance);
    wire::RecordSaleResponse {
        outcome: Some(outcome),
        replayed,
        receipt_text: receipt.text,
    }
}

async fn quoted(
    context: &Context,
    key: AccountKey,
    sale: Sale,
    now: DateTime<Utc>,
) -> Result<Result<SaleOutcome, Rejection>, Status> {
    let cache = context.programs.clone();
    let at = sale_recording::spend_counts_at(&sale, now);
    let quoted = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let quoted = match books::load(connection, &cache, key, at).await? {
                Some((mut books, version)) if sale.program_id.is_empty() || *version.program_id == *sale.program_id => {
                    let mut then = None;
                    if sale.offline {
                        let policy = offline_policy::find(connection, key.0).await?.policy;
                        let asked = (&sale, &policy);
                        then = business_time::load(connection, &cache, key, &mut books, asked, &version, now).await?;
                    }
                    loop {
                        match sale_recording::record(&mut books, &version, then.as_ref(), &sale, now) {
                            Err(Stop::LotsMissing) => books::learn_next_page(connection, key, &mut books).await?,
                            Err(Stop::Rejected(rejection)) => break Err(rejection),
                            Ok(outcome) => break Ok(outcome),
                        }
                    }
                }
                _ => Err(Rejection::MemberNotFound {
                    field: "sale.member".to_owned(),
                }),
            };
            connection::end_snapshot(connection).await?;
            Ok(quoted)
        })
    });
    quoted.await.map_err(|error| status::storage(&error))
}

/// The quote of a sale to a customer who is no member: as if the sale enrolled the customer, where a program does.
async fn quoted_opt_in(
    context: &Context,
    merchant_id: u32,
    sale: Sale,
    now: DateTime<Utc>,
) -> Result<Result<SaleOutcome, Rejection>, Status> {
    let cache = context.programs.clone();
    let versions = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let programs = program::with_auto_opt_in(connection, merchant_id).await?;
            let versions = cache.current(connection, programs.into_iter()).await?;
            connection::end_snapshot(connection).await?;
            Ok(versions)
        })
    });
    let versions = versions.await.map_err(|error| status::storage(&error))?;
    Ok(opt_in_outcome(merchant_id, versions.values(), &sale, now))
}

fn opt_in_outcome<'a>(
    merchant_id: u32,
    versions: impl Iterator<Item = &'a Arc<ProgramVersion>>,
    sale: &Sale,
    now: DateTime<Utc>,
) -> Result<SaleOutcome, Rejection> {
    let not_found = || Rejection::MemberNotFound {
        field: "sale.member".to_owned(),
    };
    let version = opt_in::choose(versions, sale, now)?.ok_or_else(not_found)?;
    let enrolment = opt_in::enrolment(version, sale).ok_or_else(not_found)?;
    let mut books = opt_in::open(version, merchant_id, Uuid::nil(), enrolment.attributes, now)?;
    match sale_recording::record(&mut books, version, None, sale, now) {
        Ok(outcome) => Ok(SaleOutcome {
            enrolled: true,
            ..outcome
        }),
        Err(Stop::Rejected(rejection)) => Err(rejection),
        // New books have no lots but the ones they know.
        Err(Stop::LotsMissing) => Err(not_found()),
    }
}
