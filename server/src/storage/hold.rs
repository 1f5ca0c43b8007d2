//! Table `hold`.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::hold;
use super::statement::Insert;
use super::value::{document, id, instant, json};
use crate::domain::hold::{Hold, HoldState, LONGEST_TIME_LIMIT_SECONDS};

/// Which holds, or redemptions, are asked for; `None` is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) member_id: Option<Uuid>,
    pub(crate) store_id: Option<String>,
    /// Inclusive.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// Where a hold, or a redemption, stands in its list, newest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    pub(crate) at: DateTime<Utc>,
    pub(crate) id: Uuid,
}

/// State of holds whose points the account counts.
pub(super) const OPEN: u8 = 0;
const CAPTURED: u8 = 1;
const RELEASED: u8 = 2;
const LAPSED: u8 = 3;

#[derive(Queryable, Selectable)]
#[diesel(table_name = hold, check_for_backend(Mysql))]
struct HoldRow {
    state: u8,
    ended_at: Option<NaiveDateTime>,
    redemption_id: Option<Vec<u8>>,
    captured_points: Option<Decimal>,
    document: String,
}

/// Those of these holds that there are.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    hold_ids: &[Uuid],
) -> Result<Vec<Hold>, StorageError> {
    let ids: Vec<&[u8]> = hold_ids.iter().map(|hold_id| hold_id.as_bytes().as_slice()).collect();
    let rows: Vec<HoldRow> = hold::table
        .filter(hold::merchant_id.eq(merchant_id).and(hold::hold_id.eq_any(ids)))
        .select(HoldRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(Hold::try_from).collect()
}

/// The holds of these members of a merchant that their accounts count. A member has at most a hundred.
pub(crate) async fn open(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<Hold>>, StorageError> {
    let members: Vec<Vec<u8>> = member_ids.map(|member_id| member_id.as_bytes().to_vec()).collect();
    let rows: Vec<HoldRow> = hold::table
        .filter(hold::merchant_id.eq(merchant_id))
        .filter(hold::member_id.eq_any(members).and(hold::state.eq(OPEN)))
        .select(HoldRow::as_select())
        .load(connection)
        .await?;
    let mut found: HashMap<Uuid, Vec<Hold>> = HashMap::new();
    for row in rows {
        let hold = Hold::try_from(row)?;
        found.entry(hold.terms.member_id).or_default().push(hold);
    }
    Ok(found)
}

/// The holds of a member that were live at an instant that is over.
pub(crate) async fn live_at(
    connection: &mut Connection,
    key: AccountKey,
    at: DateTime<Utc>,
) -> Result<Vec<Hold>, StorageError> {
    let longest = TimeDelta::seconds(i64::from(LONGEST_TIME_LIMIT_SECONDS));
    let rows: Vec<HoldRow> = hold::table
        .filter(hold::merchant_id.eq(key.0))
        .filter(hold::member_id.eq(key.1.as_bytes().to_vec()))
        .filter(hold::placed_at.between((at - longest).naive_utc(), at.naive_utc()))
        .filter(hold::lapses_at.gt(at.naive_utc()))
        .filter(hold::ended_at.is_null().or(hold::ended_at.gt(at.naive_utc())))
        .select(HoldRow::as_select())
        .load(connection)
        .await?;
    let holds: Result<Vec<Hold>, StorageError> = rows.into_iter().map(Hold::try_from).collect();
    // Those of members who were merged into this one since set aside points that were not this one's then.
    let own = holds?.into_iter().filter(|hold| hold.terms.member_id == key.1);
    Ok(own.collect())
}

/// Up to `limit` holds, newest first, behind `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &Wanted,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Hold>, StorageError> {
    let mut query = hold::table
        .filter(hold::merchant_id.eq(merchant_id))
        .order((hold::placed_at.desc(), hold::hold_id.desc()))
        .limit(limit)
        .select(HoldRow::as_select())
        .into_boxed();
    if let Some(member_id) = wanted.member_id {
        query = query.filter(hold::member_id.eq(member_id.as_bytes().to_vec()));
    }
    if let Some(store_id) = &wanted.store_id {
        query = query.filter(hold::store_id.eq(store_id));
    }
    if let Some(from) = wanted.from {
        query = query.filter(hold::placed_at.ge(from.naive_utc()));
    }
    if let Some(until) = wanted.until {
        query = query.filter(hold::placed_at.lt(until.naive_utc()));
    }
    if let Some(Position { at, id }) = after {
        let at = at.naive_utc();
        let same_instant = hold::placed_at.eq(at).and(hold::hold_id.lt(id.as_bytes().to_vec()));
        // The first condition, which the second implies, is the one that a key can begin at.
        query = query
            .filter(hold::placed_at.le(at))
            .filter(hold::placed_at.lt(at).or(same_instant));
    }
    let rows: Vec<HoldRow> = query.load(connection).await?;
    rows.into_iter().map(Hold::try_from).collect()
}

/// Marks the open holds of a member whose time has come. All literals are integers, hex and instants.
pub(crate) fn mark_lapsed(account: AccountKey, until: DateTime<Utc>) -> String {
    let (merchant_id, member_id) = (account.0, account.1.simple());
    let until = until.format("%Y-%m-%d %H:%M:%S%.6f");
    format!(
        "UPDATE hold SET state = {LAPSED} WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}' \
         AND state = {OPEN} AND lapses_at <= '{until}'"
    )
}

/// The rows of holds, new or ended.
pub(crate) struct HoldRows(Insert);

impl HoldRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO hold (merchant_id, hold_id, member_id, store_id, state, placed_at, lapses_at, ended_at, \
             redemption_id, captured_points, document) VALUES",
            " ON DUPLICATE KEY UPDATE state = VALUES(state), ended_at = VALUES(ended_at), \
             redemption_id = VALUES(redemption_id), captured_points = VALUES(captured_points)",
        ))
    }

    pub(crate) fn push(&mut self, merchant_id: u32, hold: &Hold) -> Result<(), StorageError> {
        let terms = &hold.terms;
        let (state, ended_at, captured) = match hold.state {
            HoldState::Open => (OPEN, None, None),
            HoldState::Captured {
                redemption_id,
                points,
                at,
            } => (CAPTURED, Some(at), Some((redemption_id, points))),
            HoldState::Released { at } => (RELEASED, Some(at), None),
        };
        self.0
            .row()
            .integer(merchant_id)
            .bytes(terms.hold_id.as_bytes())
            .bytes(terms.member_id.as_bytes())
            .text(&terms.place.store_id)
            .integer(state)
            .instant(terms.placed_at)
            .instant(terms.lapses_at)
            .optional(ended_at, Insert::instant)
            .optional(captured, |row, (redemption_id, _)| row.bytes(redemption_id.as_bytes()))
            .optional(captured, |row, (_, points)| row.decimal(points))
            .text(&json(&*hold.terms)?);
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}

impl TryFrom<HoldRow> for Hold {
    type Error = StorageError;

    fn try_from(row: HoldRow) -> Result<Self, StorageError> {
        let captured = row.redemption_id.zip(row.captured_points).zip(row.ended_at);
        let state = match (row.state, captured, row.ended_at) {
            (OPEN | LAPSED, _, _) => HoldState::Open,
            (CAPTURED, Some(((redemption_id, points), at)), _) => HoldState::Captured {
                redemption_id: id(&redemption_id)?,
                points,
                at: instant(at),
            },
            (RELEASED, _, Some(at)) => HoldState::Released { at: instant(at) },
            (other, ..) => return Err(StorageError::Corrupt(format!("a hold of the unknown state {other}"))),
        };
        Ok(Self {
            terms: Arc::new(document("a hold", &row.document)?),
            state,
        })
    }
}
