//! Table `sale_reversal`: returns and cancellations of sales, with what they did.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::sale::RecordedSaleKey;
use super::schema::sale_reversal;
use super::statement::Insert;
use super::value::{document, json};
use crate::domain::return_outcome::ReturnOutcome;
use crate::domain::sale_return::{Returned, SaleReturn};
use crate::domain::sale_state::SaleState;

/// A return of a merchant: merchant, the store that took the goods back, the POS's id.
pub(crate) type ReturnKey = (u32, String, String);

/// What came of a sale's returns so far, as far as the next one needs it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reversals {
    /// What came back, in order; of a cancellation nothing: it is in the state.
    pub(crate) returned: Vec<Returned>,
    pub(crate) count: u32,
    /// After the newest; `None` before the first.
    pub(crate) state: Option<SaleState>,
    /// Hash of the cancellation, if the sale was cancelled.
    pub(crate) cancelled: Option<[u8; 32]>,
}

/// A return or a cancellation, as far as a repetition needs it.
#[derive(Clone, Debug)]
pub(crate) struct RecordedReversal {
    pub(crate) content_hash: [u8; 32],
    pub(crate) outcome: ReturnOutcome,
}

/// A return or a cancellation to be recorded.
pub(crate) struct NewReversal<'a> {
    pub(crate) sale: RecordedSaleKey,
    pub(crate) number: u32,
    pub(crate) store_id: &'a str,
    /// `None`: a cancellation.
    pub(crate) return_id: Option<&'a str>,
    pub(crate) content_hash: [u8; 32],
    /// The canonical form.
    pub(crate) document: &'a str,
    pub(crate) state: &'a SaleState,
    pub(crate) outcome: &'a ReturnOutcome,
    pub(crate) recorded_at: DateTime<Utc>,
}

type Filter = Box<dyn BoxableExpression<sale_reversal::table, Mysql, SqlType = diesel::sql_types::Bool>>;
type Row = (u32, String, String, u32, Option<String>, Vec<u8>, String, String);
type ReturnRow = (u32, String, Option<String>, Vec<u8>, String);

/// What came back of these sales; those of which nothing did are left out.
pub(crate) async fn of_sales(
    connection: &mut Connection,
    keys: impl Iterator<Item = RecordedSaleKey>,
) -> Result<BTreeMap<RecordedSaleKey, Reversals>, StorageError> {
    let mut found: BTreeMap<RecordedSaleKey, Reversals> = BTreeMap::new();
    let Some(filter) = of_keys(keys) else {
        return Ok(found);
    };
    let rows: Vec<Row> = sale_reversal::table
        .filter(filter)
        .order((
            sale_reversal::merchant_id,
            sale_reversal::sale_store_id,
            sale_reversal::sale_id,
            sale_reversal::number,
        ))
        .select((
            sale_reversal::merchant_id,
            sale_reversal::sale_store_id,
            sale_reversal::sale_id,
            sale_reversal::number,
            sale_reversal::return_id,
            sale_reversal::content_hash,
            sale_reversal::document,
            sale_reversal::state,
        ))
        .load(connection)
        .await?;
    for (merchant_id, store_id, sale_id, number, return_id, hash, text, state) in rows {
        let reversals = found.entry((merchant_id, store_id, sale_id)).or_default();
        reversals.count = number;
        reversals.state = Some(document("the state of a sale", &state)?);
        match return_id {
            Some(_) => {
                let sale_return: SaleReturn = document("a return", &text)?;
                reversals.returned.push(sale_return.returned);
            }
            None => reversals.cancelled = Some(hash_of(hash)?),
        }
    }
    Ok(found)
}

/// What the returns of a sale did, in order, each with its id; a cancellation has none.
pub(crate) async fn outcomes(
    connection: &mut Connection,
    key: &RecordedSaleKey,
) -> Result<Vec<(Option<String>, ReturnOutcome)>, StorageError> {
    let (merchant_id, store_id, sale_id) = key;
    let rows: Vec<(Option<String>, String)> = sale_reversal::table
        .filter(sale_reversal::merchant_id.eq(merchant_id))
        .filter(
            sale_reversal::sale_store_id
                .eq(store_id)
                .and(sale_reversal::sale_id.eq(sale_id)),
        )
        .order(sale_reversal::number)
        .select((sale_reversal::return_id, sale_reversal::outcome))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(return_id, outcome)| Ok((return_id, document("the outcome of a return", &outcome)?)))
        .collect()
}

/// How many returns and cancellations these sales have, and whether one is a cancellation; those without any are left out.
pub(crate) async fn counts(
    connection: &mut Connection,
    keys: impl Iterator<Item = RecordedSaleKey>,
) -> Result<BTreeMap<RecordedSaleKey, (u32, bool)>, StorageError> {
    let mut counts: BTreeMap<RecordedSaleKey, (u32, bool)> = BTreeMap::new();
    let Some(filter) = of_keys(keys) else {
        return Ok(counts);
    };
    let rows: Vec<(u32, String, String, Option<String>)> = sale_reversal::table
        .filter(filter)
        .select((
            sale_reversal::merchant_id,
            sale_reversal::sale_store_id,
            sale_reversal::sale_id,
            sale_reversal::return_id,
        ))
        .load(connection)
        .await?;
    for (merchant_id, store_id, sale_id, return_id) in rows {
        let (count, cancelled) = counts.entry((merchant_id, store_id, sale_id)).or_default();
        *count += 1;
        *cancelled |= return_id.is_none();
    }
    Ok(counts)
}

/// Those of these returns that are recorded.
pub(crate) async fn find_returns(
    connection: &mut Connection,
    keys: impl Iterator<Item = ReturnKey>,
) -> Result<Vec<(ReturnKey, RecordedReversal)>, StorageError> {
    let mut by_store: BTreeMap<(u32, String), Vec<String>> = BTreeMap::new();
    for (merchant_id, store_id, return_id) in keys {
        by_store.entry((merchant_id, store_id)).or_default().push(return_id);
    }
    let alone = by_store.len() == 1;
    let filters = by_store
        .into_iter()
        .map(|((merchant_id, store_id), returns)| -> Filter {
            Box::new(
                sale_reversal::merchant_id
                    .eq(merchant_id)
                    .and(sale_reversal::store_id.eq(store_id))
                    .and(one_of(sale_reversal::return_id.assume_not_null(), returns, alone)),
            )
        });
    let Some(filter) = filters.reduce(|all, filter| Box::new(all.or(filter))) else {
        return Ok(Vec::new());
    };
    let rows: Vec<ReturnRow> = sale_reversal::table
        .filter(filter)
        .select((
            sale_reversal::merchant_id,
            sale_reversal::store_id,
            sale_reversal::return_id,
            sale_reversal::content_hash,
            sale_reversal::outcome,
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(merchant_id, store_id, return_id, hash, outcome)| {
            let recorded = RecordedReversal {
                content_hash: hash_of(hash)?,
                outcome: document("the outcome of a return", &outcome)?,
            };
            Ok(((merchant_id, store_id, return_id.unwrap_or_default()), recorded))
        })
        .collect()
}

/// What one return or cancellation of a sale did; `None` when there is none of this number.
pub(crate) async fn outcome(
    connection: &mut Connection,
    sale: &RecordedSaleKey,
    number: u32,
) -> Result<Option<ReturnOutcome>, StorageError> {
    let outcome: Option<String> = sale_reversal::table
        .filter(
            sale_reversal::merchant_id
                .eq(sale.0)
                .and(sale_reversal::sale_store_id.eq(&sale.1)),
        )
        .filter(sale_reversal::sale_id.eq(&sale.2).and(sale_reversal::number.eq(number)))
        .select(sale_reversal::outcome)
        .first(connection)
        .await
        .optional()?;
    outcome
        .map(|outcome| document("the outcome of a return", &outcome))
        .transpose()
}

/// The rows of new returns and cancellations.
pub(crate) struct ReversalRows(Insert);

impl ReversalRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO sale_reversal (merchant_id, sale_store_id, sale_id, number, store_id, return_id, content_hash, \
             occurred_at, recorded_at, document, state, outcome) VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, new: &NewReversal<'_>) -> Result<(), StorageError> {
        let (state, outcome) = (json(new.state)?, json(new.outcome)?);
        self.0
            .row()
            .integer(new.sale.0)
            .text(&new.sale.1)
            .text(&new.sale.2)
            .integer(new.number)
            .text(new.store_id)
            .optional(new.return_id, Insert::text)
            .bytes(&new.content_hash)
            .instant(new.outcome.occurred_at)
            .instant(new.recorded_at)
            .text(new.document)
            .text(&state)
            .text(&outcome);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}

fn of_keys(keys: impl Iterator<Item = RecordedSaleKey>) -> Option<Filter> {
    let mut by_store: BTreeMap<(u32, String), Vec<String>> = BTreeMap::new();
    for (merchant_id, store_id, sale_id) in keys {
        by_store.entry((merchant_id, store_id)).or_default().push(sale_id);
    }
    let alone = by_store.len() == 1;
    let filters = by_store.into_iter().map(|((merchant_id, store_id), sales)| -> Filter {
        Box::new(
            sale_reversal::merchant_id
                .eq(merchant_id)
                .and(sale_reversal::sale_store_id.eq(store_id))
                .and(one_of(sale_reversal::sale_id, sales, alone)),
        )
    });
    filters.reduce(|all, filter| Box::new(all.or(filter)))
}

fn hash_of(bytes: Vec<u8>) -> Result<[u8; 32], StorageError> {
    let hash = bytes.try_into();
    hash.map_err(|_| StorageError::Corrupt("a hash that is not 32 bytes long".to_owned()))
}
