//! The calls of LedgerService that undo sales.

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, receipt_calls, status};
use crate::domain::account::Stop;
use crate::domain::answer::Answer;
use crate::domain::receipt_text::Printed;
use crate::domain::rejection::Rejection;
use crate::domain::return_outcome::ReturnOutcome;
use crate::domain::reversing::Making;
use crate::domain::sale_return::{SaleName, SaleReversal};
use crate::posting::{Action, Command};
use crate::storage::error::StorageError;
use crate::storage::program_cache::ProgramCache;
use crate::storage::spent::Unwritten;
use crate::storage::{account, books, connection, sale, sale_history, sale_reversal};

/// What a return would do.
pub(super) async fn quote(
    context: &Context,
    request: wire::QuoteReturnRequest,
) -> Result<wire::QuoteReturnResponse, Status> {
    let mut fields = Fields::default();
    let asked = receipt_calls::asked(&mut fields, request.receipt_language);
    let sale_return = convert::sale_return::sale_return(&mut fields, request.sale_return);
    let Some(sale_return) = fields.finish(sale_return)? else {
        return Err(status::internal());
    };
    let (merchant_id, now) = (caller(context).merchant_id, (context.clock)());
    let cache = context.programs.clone();
    let quoted = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let quoted = quoted(connection, &cache, merchant_id, SaleReversal::Return(sale_return), now).await?;
            connection::end_snapshot(connection).await?;
            Ok(quoted)
        })
    });
    let quoted = quoted.await.map_err(|error| status::storage(&error))?;
    let outcome = quoted.map_err(|rejection| status::rejection(&rejection))?;
    let receipt_text = receipt_calls::quoted_text(context, asked, Printed::Return(&outcome)).await?;
    Ok(wire::QuoteReturnResponse {
        receipt_text,
        outcome: Some(convert::sale_return::return_outcome(outcome)),
    })
}

/// Records a return.
pub(super) async fn record(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::ReturnSaleRequest,
) -> Result<wire::ReturnSaleResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let asked = receipt_calls::asked(&mut fields, request.receipt_language);
    let sale_return = convert::sale_return::sale_return(&mut fields, request.sale_return);
    let actor = actor(&mut fields, metadata);
    let Some(sale_return) = fields.finish(sale_return)? else {
        return Err(status::internal());
    };
    let (outcome, replayed) = reverse(context, request_id, SaleReversal::Return(sale_return), actor).await?;
    let receipt = receipt_calls::receipt(context, asked, Printed::Return(&outcome)).await?;
    let mut outcome = convert::sale_return::return_outcome(outcome);
    receipt.complete(&mut outcome.balance);
    Ok(wire::ReturnSaleResponse {
        receipt_text: receipt.text,
        outcome: Some(outcome),
        replayed,
    })
}

/// Cancels a sale.
pub(super) async fn cancel(
    context: &Context,
    metadata: &MetadataMap,
    mut request: wire::CancelSaleRequest,
) -> Result<wire::CancelSaleResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(std::mem::take(&mut request.request_id));
    let asked = receipt_calls::asked(&mut fields, std::mem::take(&mut request.receipt_language));
    let cancellation = convert::sale_return::cancellation(&mut fields, request);
    let actor = actor(&mut fields, metadata);
    let cancellation = fields.finish(cancellation)?;
    let (outcome, replayed) = reverse(context, request_id, SaleReversal::Cancellation(cancellation), actor).await?;
    let receipt = receipt_calls::receipt(context, asked, Printed::Return(&outcome)).await?;
    let mut outcome = convert::sale_return::return_outcome(outcome);
    receipt.complete(&mut outcome.balance);
    Ok(wire::CancelSaleResponse {
        receipt_text: receipt.text,
        outcome: Some(outcome),
        replayed,
    })
}

async fn reverse(
    context: &Context,
    request_id: String,
    reversal: SaleReversal,
    actor: String,
) -> Result<(ReturnOutcome, bool), Status> {
    let (action, content_hash) = Action::reverse_sale(reversal, actor).map_err(|_| status::internal())?;
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
    let Answer::Return(outcome) = decided.answer else {
        return Err(status::internal());
    };
    Ok((*outcome, decided.replayed))
}

/// The decision on a copy of the books.
async fn quoted(
    connection: &mut connection::Connection,
    cache: &ProgramCache,
    merchant_id: u32,
    reversal: SaleReversal,
    now: DateTime<Utc>,
) -> Result<Result<ReturnOutcome, Rejection>, StorageError> {
    let SaleName { store_id, sale_id } = reversal.sale().clone();
    let key = (merchant_id, store_id.clone(), sale_id.clone());
    let Some((_, record)) = sale::records(connection, std::iter::once(key.clone())).await?.pop() else {
        return Ok(Err(Rejection::SaleNotFound { store_id, sale_id }));
    };
    let reversals = sale_reversal::of_sales(connection, std::iter::once(key.clone())).await?;
    let reversals = reversals.into_values().next().unwrap_or_default();
    let member_id = account::current(connection, (merchant_id, record.member_id)).await?;
    let account = (merchant_id, member_id);
    let Some((mut books, current)) = books::load(connection, cache, account, now).await? else {
        return Err(StorageError::Corrupt(format!("sale {sale_id} of no member")));
    };
    let (sale, unwritten) = ((record, reversals), Unwritten::new());
    let history = sale_history::load(
        connection,
        cache,
        account,
        &mut books,
        sale,
        (&current, &unwritten),
        now,
    )
    .await?;
    loop {
        match history
            .recorded()
            .reverse(&mut books, &current, &reversal, Making { actor: "", now })
        {
            Ok((outcome, _)) => return Ok(Ok(outcome)),
            Err(Stop::Rejected(rejection)) => return Ok(Err(rejection)),
            Err(Stop::LotsMissing) => books::learn_next_page(connection, account, &mut books).await?,
        }
    }
}
