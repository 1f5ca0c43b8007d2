//! Table `sale`: the documents of the POS, with what they did.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::sale;
use super::statement::Insert;
use super::value::{document, json};
use crate::domain::outcome::SaleOutcome;
use crate::domain::sale::Sale;

/// A sale of a merchant: merchant, store, the POS's id.
pub(crate) type RecordedSaleKey = (u32, String, String);

/// A recorded sale, as far as a repetition needs it.
#[derive(Clone, Debug)]
pub(crate) struct RecordedSale {
    pub(crate) content_hash: [u8; 32],
    pub(crate) outcome: Arc<SaleOutcome>,
}

/// A sale to be recorded.
pub(crate) struct NewSale<'a> {
    pub(crate) merchant_id: u32,
    pub(crate) member_id: Uuid,
    pub(crate) sale: &'a Sale,
    /// The sale's canonical form.
    pub(crate) document: &'a str,
    pub(crate) content_hash: [u8; 32],
    pub(crate) outcome: &'a SaleOutcome,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
}

type Filter = Box<dyn BoxableExpression<sale::table, Mysql, SqlType = diesel::sql_types::Bool>>;

/// Those of these sales that are recorded.
pub(crate) async fn find(
    connection: &mut Connection,
    keys: impl Iterator<Item = RecordedSaleKey>,
) -> Result<Vec<(RecordedSaleKey, RecordedSale)>, StorageError> {
    let mut by_store: BTreeMap<(u32, String), Vec<String>> = BTreeMap::new();
    for (merchant_id, store_id, sale_id) in keys {
        by_store.entry((merchant_id, store_id)).or_default().push(sale_id);
    }
    let alone = by_store.len() == 1;
    let filters = by_store.into_iter().map(|((merchant_id, store_id), sales)| -> Filter {
        Box::new(
            sale::merchant_id
                .eq(merchant_id)
                .and(sale::store_id.eq(store_id))
                .and(one_of(sale::sale_id, sales, alone)),
        )
    });
    let Some(filter) = filters.reduce(|all, filter| Box::new(all.or(filter))) else {
        return Ok(Vec::new());
    };
    let rows: Vec<(u32, String, String, Vec<u8>, String)> = sale::table
        .filter(filter)
        .select((
            sale::merchant_id,
            sale::store_id,
            sale::sale_id,
            sale::content_hash,
            sale::outcome,
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(merchant_id, store_id, sale_id, hash, outcome)| {
            let content_hash = hash
                .try_into()
                .map_err(|_| StorageError::Corrupt("a hash that is not 32 bytes long".to_owned()))?;
            let recorded = RecordedSale {
                content_hash,
                outcome: Arc::new(document("the outcome of a sale", &outcome)?),
            };
            Ok(((merchant_id, store_id, sale_id), recorded))
        })
        .collect()
}

/// The rows of new sales.
pub(crate) struct SaleRows(Insert);

impl SaleRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO sale (merchant_id, store_id, sale_id, member_id, content_hash, program_version, occurred_at, \
             recorded_at, document, outcome) VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, new: &NewSale<'_>) -> Result<(), StorageError> {
        let outcome = json(new.outcome)?;
        self.0
            .row()
            .integer(new.merchant_id)
            .text(&new.sale.store_id)
            .text(&new.sale.sale_id)
            .bytes(new.member_id.as_bytes())
            .bytes(&new.content_hash)
            .integer(new.outcome.program_version)
            .instant(new.occurred_at)
            .instant(new.recorded_at)
            .text(new.document)
            .text(&outcome);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
