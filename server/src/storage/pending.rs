//! Table `pending`: what of which lots cannot be spent yet.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::pending;
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::lot::LotKey;
use crate::domain::pending::PendingLot;

type Row = (Vec<u8>, NaiveDateTime, NaiveDateTime, u64, Decimal);

/// All that is pending of these members of a merchant. A member has at most a row for each sale of the last year.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<(LotKey, PendingLot)>>, StorageError> {
    let members: Vec<Vec<u8>> = member_ids.map(|member_id| member_id.as_bytes().to_vec()).collect();
    let rows: Vec<Row> = pending::table
        .filter(pending::merchant_id.eq(merchant_id))
        .filter(pending::member_id.eq_any(members))
        .select((
            pending::member_id,
            pending::pending_until,
            pending::lot_expires_at,
            pending::lot_sequence,
            pending::points,
        ))
        .load(connection)
        .await?;
    let mut found: HashMap<Uuid, Vec<(LotKey, PendingLot)>> = HashMap::new();
    for (member_id, until, expires_at, sequence, points) in rows {
        let key = LotKey {
            expires_at: instant(expires_at),
            sequence,
        };
        let until = instant(until);
        found
            .entry(id(&member_id)?)
            .or_default()
            .push((key, PendingLot { until, points }));
    }
    Ok(found)
}

/// The rows of pending lots, new or changed.
pub(crate) struct PendingRows(Insert);

impl PendingRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO pending (merchant_id, member_id, pending_until, lot_expires_at, lot_sequence, points) VALUES",
            " ON DUPLICATE KEY UPDATE points = VALUES(points)",
        ))
    }

    pub(crate) fn push(&mut self, account: AccountKey, key: LotKey, lot: PendingLot) {
        self.0
            .row()
            .integer(account.0)
            .bytes(account.1.as_bytes())
            .instant(lot.until)
            .instant(key.expires_at)
            .integer(key.sequence)
            .decimal(lot.points);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}

/// Removes the rows of a member whose time has come. All literals are integers, hex and instants.
pub(crate) fn remove_due(account: AccountKey, until: DateTime<Utc>) -> String {
    let (merchant_id, member_id) = (account.0, account.1.simple());
    let until = until.format("%Y-%m-%d %H:%M:%S%.6f");
    format!(
        "DELETE FROM pending WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}' \
         AND pending_until <= '{until}'"
    )
}
