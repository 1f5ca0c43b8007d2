//! The calls of LedgerService that read recorded sales.

use loyalty_api::v1 as wire;
use tonic::Status;

use super::auth::caller;
use super::fields::Fields;
use super::page_token::{self, Page};
use super::{Context, convert, entry_calls, member_lookup, program_service, status};
use crate::domain::entry::EntryKind;
use crate::domain::rejection::Rejection;
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::entry_search::{self, EntryPosition, FoundEntry, WantedEntries};
use crate::storage::error::StorageError;
use crate::storage::sale::{self, RecordedSaleKey, SaleRecord};
use crate::storage::{account, sale_reversal};

/// A sale, whether it was cancelled, and how many returns and cancellations it has.
type Listed = (SaleRecord, bool, u32);

/// A sale as it was recorded, and what came back of it.
pub(super) async fn get(context: &Context, request: wire::GetSaleRequest) -> Result<wire::GetSaleResponse, Status> {
    let mut fields = Fields::default();
    let store_id = fields.text("store_id", request.store_id, 1, 64);
    let sale_id = fields.text("sale_id", request.sale_id, 1, 64);
    fields.finish(())?;
    let key = (caller(context).merchant_id, store_id.clone(), sale_id.clone());
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            let found = sale::records(connection, std::iter::once(key.clone())).await?.pop();
            let Some((_, record)) = found else {
                return Ok(None);
            };
            Ok(Some((record, sale_reversal::outcomes(connection, &key).await?)))
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let Some((record, reversals)) = found else {
        return Err(status::rejection(&Rejection::SaleNotFound { store_id, sale_id }));
    };
    let cancelled = reversals.iter().any(|(return_id, _)| return_id.is_none());
    let returns = reversals.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(wire::GetSaleResponse {
        sale: Some(convert::sale_record::recorded(record, returns, cancelled)),
    })
}

/// A page of sales, found by the entries that they made: each has one, if it earned nothing then of 0 points.
pub(super) async fn list(
    context: &Context,
    request: wire::ListSalesRequest,
) -> Result<wire::ListSalesResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let member = request
        .member
        .map(|member| convert::member::member_key(&mut fields, "member", Some(member)));
    let store_id = fields.text("store_id", request.store_id, 0, 64);
    let wanted = WantedEntries {
        kinds: vec![EntryKind::Earn],
        from: fields.instant("recorded_from", request.recorded_from),
        until: fields.instant("recorded_until", request.recorded_until),
        store_id: Some(store_id).filter(|store_id| !store_id.is_empty()),
        program_id: Some(program_id.clone()).filter(|program_id| !program_id.is_empty()),
        ..WantedEntries::default()
    };
    fields.finish(())?;
    let caller = caller(context);
    let after: Option<EntryPosition> = page.after.as_deref().map(entry_calls::position).transpose()?;
    let (merchant_id, size) = (caller.merchant_id, page.size());
    let found = match member {
        Some(key) => {
            let member_id = member_lookup::resolve(context, caller, &program_id, &key, "member").await?;
            let found = context.database.run(move |connection| {
                Box::pin(async move { of_person(connection, (merchant_id, member_id), wanted, after, size).await })
            });
            let found = found.await.map_err(|error| status::storage(&error))?;
            let Some(found) = found else {
                return Err(member_lookup::not_found(context, caller, &program_id, "member").await);
            };
            found
        }
        None => {
            if !program_id.is_empty() {
                program_service::find_program(context, caller, &program_id).await?;
            }
            let found = context.database.run(move |connection| {
                Box::pin(async move {
                    let (entries, next) =
                        entry_search::of_merchant(connection, merchant_id, &wanted, after, size).await?;
                    Ok((sales(connection, merchant_id, &entries).await?, next))
                })
            });
            found.await.map_err(|error| status::storage(&error))?
        }
    };
    Ok(told(found.0, found.1.map(entry_calls::key)))
}

/// `None` when there is no such member of the program that is wanted.
async fn of_person(
    connection: &mut Connection,
    key: AccountKey,
    mut wanted: WantedEntries,
    after: Option<EntryPosition>,
    size: usize,
) -> Result<Option<(Vec<Listed>, Option<EntryPosition>)>, StorageError> {
    let program = account::program_of(connection, key).await?;
    let wanted_program = wanted.program_id.take();
    if program.is_none_or(|program| wanted_program.is_some_and(|wanted| wanted != program)) {
        return Ok(None);
    }
    let (entries, next) = entry_search::of_person(connection, key, &wanted, after, size).await?;
    Ok(Some((sales(connection, key.0, &entries).await?, next)))
}

/// The sales of these entries, in the same order.
async fn sales(
    connection: &mut Connection,
    merchant_id: u32,
    entries: &[FoundEntry],
) -> Result<Vec<Listed>, StorageError> {
    let keys: Vec<RecordedSaleKey> = entries
        .iter()
        .filter_map(|(_, entry, _)| entry.occasion.sale.as_ref())
        .map(|sale| (merchant_id, sale.store_id.to_string(), sale.sale_id.to_string()))
        .collect();
    let records = sale::records(connection, keys.iter().cloned()).await?;
    let mut records: std::collections::HashMap<RecordedSaleKey, SaleRecord> = records.into_iter().collect();
    let reversals = sale_reversal::counts(connection, keys.iter().cloned()).await?;
    let listed = keys.into_iter().filter_map(|key| {
        let record = records.remove(&key)?;
        let (count, cancelled) = reversals.get(&key).copied().unwrap_or_default();
        Some((record, cancelled, count))
    });
    Ok(listed.collect())
}

fn told(sales: Vec<Listed>, next: Option<String>) -> wire::ListSalesResponse {
    let summaries = sales
        .into_iter()
        .map(|(record, cancelled, count)| convert::sale_record::summary(record, count, cancelled));
    wire::ListSalesResponse {
        sales: summaries.collect(),
        next_page_token: next.map(|key| page_token::token(&key)).unwrap_or_default(),
    }
}
