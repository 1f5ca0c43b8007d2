//! Table `redemption`: redemptions that stand alone.

use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::hold::{Position, Wanted};
use super::schema::redemption;
use super::statement::Insert;
use super::value::{document, id, json};
use crate::domain::redeeming::RecordedRedemption;

#[derive(Queryable, Selectable)]
#[diesel(table_name = redemption, check_for_backend(Mysql))]
struct RedemptionRow {
    member_id: Vec<u8>,
    document: String,
    given_back: Option<String>,
}

/// Those of these redemptions that there are.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    redemption_ids: &[Uuid],
) -> Result<Vec<RecordedRedemption>, StorageError> {
    let ids: Vec<&[u8]> = redemption_ids.iter().map(|id| id.as_bytes().as_slice()).collect();
    let rows: Vec<RedemptionRow> = redemption::table
        .filter(redemption::merchant_id.eq(merchant_id))
        .filter(redemption::redemption_id.eq_any(ids))
        .select(RedemptionRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(RedemptionRow::read).collect()
}

/// Up to `limit` redemptions, newest first, behind `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &Wanted,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<RecordedRedemption>, StorageError> {
    let mut query = redemption::table
        .filter(redemption::merchant_id.eq(merchant_id))
        .order((redemption::recorded_at.desc(), redemption::redemption_id.desc()))
        .limit(limit)
        .select(RedemptionRow::as_select())
        .into_boxed();
    if let Some(member_id) = wanted.member_id {
        query = query.filter(redemption::member_id.eq(member_id.as_bytes().to_vec()));
    }
    if let Some(store_id) = &wanted.store_id {
        query = query.filter(redemption::store_id.eq(store_id));
    }
    if let Some(from) = wanted.from {
        query = query.filter(redemption::recorded_at.ge(from.naive_utc()));
    }
    if let Some(until) = wanted.until {
        query = query.filter(redemption::recorded_at.lt(until.naive_utc()));
    }
    if let Some(Position { at, id }) = after {
        let at = at.naive_utc();
        let same_instant = redemption::recorded_at
            .eq(at)
            .and(redemption::redemption_id.lt(id.as_bytes().to_vec()));
        // The first condition, which the second implies, is the one that a key can begin at.
        query = query
            .filter(redemption::recorded_at.le(at))
            .filter(redemption::recorded_at.lt(at).or(same_instant));
    }
    let rows: Vec<RedemptionRow> = query.load(connection).await?;
    rows.into_iter().map(RedemptionRow::read).collect()
}

impl RedemptionRow {
    fn read(self) -> Result<RecordedRedemption, StorageError> {
        let given_back = self.given_back.as_deref().map(|text| document("what came back", text));
        Ok(RecordedRedemption {
            redemption: document("a redemption", &self.document)?,
            member_id: id(&self.member_id)?,
            given_back: given_back.transpose()?.unwrap_or_default(),
        })
    }
}

/// The rows of redemptions, new or of which more came back.
pub(crate) struct RedemptionRows(Insert);

impl RedemptionRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO redemption (merchant_id, redemption_id, member_id, store_id, recorded_at, given_back_points, \
             given_back_amount, document, given_back) VALUES",
            " ON DUPLICATE KEY UPDATE given_back_points = VALUES(given_back_points), \
             given_back_amount = VALUES(given_back_amount), given_back = VALUES(given_back)",
        ))
    }

    pub(crate) fn push(&mut self, merchant_id: u32, recorded: &RecordedRedemption) -> Result<(), StorageError> {
        let RecordedRedemption {
            redemption,
            member_id,
            given_back,
        } = recorded;
        let row = self
            .0
            .row()
            .integer(merchant_id)
            .bytes(redemption.redemption_id.as_bytes())
            .bytes(member_id.as_bytes())
            .text(&redemption.place.store_id)
            .instant(redemption.recorded_at)
            .decimal(given_back.points())
            .decimal(given_back.amount())
            .text(&json(redemption)?);
        match given_back.is_nothing() {
            true => row.null(),
            false => row.text(&json(given_back)?),
        };
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
