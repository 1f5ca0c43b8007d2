//! Table `sale`: the documents of the POS, with what they did.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::sale;
use super::statement::Insert;
use super::value::{document, id, instant, json};
use crate::domain::outcome::SaleOutcome;
use crate::domain::sale::{MemberKey, Sale};

/// A sale of a merchant: merchant, store, the POS's id.
pub(crate) type RecordedSaleKey = (u32, String, String);

/// A recorded sale, as far as a repetition needs it.
#[derive(Clone, Debug)]
pub(crate) struct RecordedSale {
    pub(crate) content_hash: [u8; 32],
    pub(crate) outcome: Arc<SaleOutcome>,
}

/// All that is kept of a sale.
#[derive(Clone, Debug)]
pub(crate) struct SaleRecord {
    /// The member that bought, who may have been merged into another since.
    pub(crate) member_id: Uuid,
    pub(crate) sale: Sale,
    pub(crate) outcome: Arc<SaleOutcome>,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
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
    let Some(filter) = of_keys(keys) else {
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

/// All that is kept of these sales, of those that are recorded.
pub(crate) async fn records(
    connection: &mut Connection,
    keys: impl Iterator<Item = RecordedSaleKey>,
) -> Result<Vec<(RecordedSaleKey, SaleRecord)>, StorageError> {
    let Some(filter) = of_keys(keys) else {
        return Ok(Vec::new());
    };
    let rows: Vec<RecordRow> = sale::table
        .filter(filter)
        .select(RecordRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(RecordRow::record).collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sale, check_for_backend(Mysql))]
struct RecordRow {
    merchant_id: u32,
    store_id: String,
    sale_id: String,
    member_id: Vec<u8>,
    occurred_at: NaiveDateTime,
    recorded_at: NaiveDateTime,
    document: String,
    outcome: String,
}

impl RecordRow {
    fn record(self) -> Result<(RecordedSaleKey, SaleRecord), StorageError> {
        let member_id = id(&self.member_id)?;
        let record = SaleRecord {
            member_id,
            sale: Sale {
                member: MemberKey::MemberId(member_id),
                ..document("a sale", &self.document)?
            },
            outcome: Arc::new(document("the outcome of a sale", &self.outcome)?),
            occurred_at: instant(self.occurred_at),
            recorded_at: instant(self.recorded_at),
        };
        Ok(((self.merchant_id, self.store_id, self.sale_id), record))
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
            sale::merchant_id
                .eq(merchant_id)
                .and(sale::store_id.eq(store_id))
                .and(one_of(sale::sale_id, sales, alone)),
        )
    });
    filters.reduce(|all, filter| Box::new(all.or(filter)))
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
