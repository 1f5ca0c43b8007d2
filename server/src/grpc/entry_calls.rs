//! The history of members, and that across members.

use loyalty_api::v1 as wire;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::fields::Fields;
use super::page_token::{self, Page};
use super::{Context, convert, member_lookup, program_service, status};
use crate::storage::entry_search::{self, EntryPosition, FoundEntry, WantedEntries};
use crate::storage::{account, sale};

const MOST_KINDS: usize = 32;

/// A page of entries.
pub(super) async fn list(
    context: &Context,
    request: wire::ListEntriesRequest,
) -> Result<wire::ListEntriesResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let member = request
        .member
        .map(|member| convert::member::member_key(&mut fields, "member", Some(member)));
    let said = |text: String| Some(text).filter(|text| !text.is_empty());
    let sale_store_id = said(fields.text("sale_store_id", request.sale_store_id, 0, 64));
    let sale_id = said(fields.text("sale_id", request.sale_id, 0, 64));
    if sale_store_id.is_some() != sale_id.is_some() {
        let (missing, given) = match sale_id {
            Some(_) => ("sale_store_id", "sale_id"),
            None => ("sale_id", "sale_store_id"),
        };
        fields.wrong(missing, format!("is missing beside {given}"));
    }
    let mut wanted = WantedEntries {
        kinds: Vec::new(),
        from: fields.instant("recorded_from", request.recorded_from),
        until: fields.instant("recorded_until", request.recorded_until),
        sale: sale_store_id.zip(sale_id),
        store_id: said(fields.text("store_id", request.store_id, 0, 64)),
        terminal_id: said(fields.text("terminal_id", request.terminal_id, 0, 64)),
        cashier_id: said(fields.text("cashier_id", request.cashier_id, 0, 64)),
        program_id: said(program_id.clone()),
    };
    if fields.at_most("kinds", &request.kinds, MOST_KINDS) {
        for (place, number) in request.kinds.into_iter().enumerate() {
            let field = format!("kinds[{place}]");
            let kind = fields.choice::<wire::EntryKind>(&field, number);
            match kind.and_then(convert::entry::kind_from) {
                Some(kind) => wanted.kinds.push(kind),
                None => fields.wrong(field, "is no kind of entries"),
            }
        }
    }
    fields.finish(())?;

    match (&member, wanted.sale.clone()) {
        (Some(key), _) => {
            let caller = caller(context);
            let member_id = member_lookup::resolve_as_named(context, caller, &program_id, key, "member").await?;
            of_member(context, &page, &program_id, member_id, wanted).await
        }
        (None, Some(named)) => of_sale(context, &page, &program_id, named, wanted).await,
        (None, None) => of_merchant(context, &page, &program_id, wanted).await,
    }
}

/// All entries of a sale are its member's, or of who the member was merged into.
async fn of_sale(
    context: &Context,
    page: &Page,
    program_id: &str,
    named: (String, String),
    wanted: WantedEntries,
) -> Result<wire::ListEntriesResponse, Status> {
    let caller = caller(context);
    let after = page.after.as_deref().map(position).transpose()?;
    if !program_id.is_empty() {
        program_service::find_program(context, caller, program_id).await?;
    }
    let (merchant_id, size) = (caller.merchant_id, page.size());
    let sale_key = (merchant_id, named.0, named.1);
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            let Some((_, record)) = sale::records(connection, std::iter::once(sale_key)).await?.pop() else {
                return Ok((Vec::new(), None));
            };
            let member_id = account::current(connection, (merchant_id, record.member_id)).await?;
            entry_search::of_person(connection, (merchant_id, member_id), &wanted, after, size).await
        })
    });
    let (entries, next) = found.await.map_err(|error| status::storage(&error))?;
    Ok(wire::ListEntriesResponse {
        entries: entries.iter().map(told).collect(),
        next_page_token: next.map(|next| page_token::token(&key(next))).unwrap_or_default(),
    })
}

async fn of_member(
    context: &Context,
    page: &Page,
    program_id: &str,
    member_id: Uuid,
    wanted: WantedEntries,
) -> Result<wire::ListEntriesResponse, Status> {
    let before = page.after_sequence()?;
    let caller = caller(context);
    let (key, limit) = ((caller.merchant_id, member_id), page.rows_to_read());
    // The member's program is compared with its account.
    let wanted = WantedEntries {
        program_id: None,
        ..wanted
    };
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            let Some(account) = account::find(connection, key).await? else {
                return Ok(None);
            };
            let entries = entry_search::of_member(connection, key, &wanted, before, limit).await?;
            Ok(Some((account.program_id, entries)))
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let found = found.filter(|(program, _)| program_id.is_empty() || **program == *program_id);
    let Some((_, (entries, rest))) = found else {
        return Err(member_lookup::not_found(context, caller, program_id, "member").await);
    };
    let (entries, mut next_page_token) = page.cut(entries, |(_, entry, _)| entry.sequence.to_string());
    if let Some(rest) = rest.filter(|_| next_page_token.is_empty()) {
        next_page_token = page_token::token(&rest.to_string());
    }
    Ok(wire::ListEntriesResponse {
        entries: entries.iter().map(told).collect(),
        next_page_token,
    })
}

async fn of_merchant(
    context: &Context,
    page: &Page,
    program_id: &str,
    wanted: WantedEntries,
) -> Result<wire::ListEntriesResponse, Status> {
    let caller = caller(context);
    let after = page.after.as_deref().map(position).transpose()?;
    if !program_id.is_empty() {
        program_service::find_program(context, caller, program_id).await?;
    }
    let (merchant_id, size) = (caller.merchant_id, page.size());
    let found = context.database.run(move |connection| {
        Box::pin(async move { entry_search::of_merchant(connection, merchant_id, &wanted, after, size).await })
    });
    let (entries, next) = found.await.map_err(|error| status::storage(&error))?;
    Ok(wire::ListEntriesResponse {
        entries: entries.iter().map(told).collect(),
        next_page_token: next.map(|next| page_token::token(&key(next))).unwrap_or_default(),
    })
}

fn told((member_id, entry, allocations): &FoundEntry) -> wire::Entry {
    convert::entry::entry(*member_id, entry, allocations)
}

/// The key of an entry among those of all members.
pub(super) fn key(position: EntryPosition) -> String {
    let EntryPosition {
        recorded_at,
        member_id,
        sequence,
    } = position;
    format!("{} {member_id} {sequence}", recorded_at.timestamp_micros())
}

/// The position of a key that `key` made.
pub(super) fn position(key: &str) -> Result<EntryPosition, Status> {
    let read = || {
        let mut parts = key.split(' ');
        let position = EntryPosition {
            recorded_at: page_token::instant(parts.next()?)?,
            member_id: parts.next()?.parse().ok()?,
            sequence: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(position)
    };
    let mut fields = Fields::default();
    let position = read();
    if position.is_none() {
        fields.wrong("page_token", "is not a token of this list");
    }
    fields.finish(())?;
    position.ok_or_else(status::internal)
}
