//! The stored books as rows.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Integer, Nullable, Numeric, Text, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::domain::hold::HoldTerms;
use crate::domain::lot::{Lot, LotKey};
use crate::domain::verification::{StoredMove, StoredState};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::hold::OPEN as OPEN_HOLD;
use crate::storage::one_of::one_of;
use crate::storage::schema::{account, hold};
use crate::storage::value::{document, id, instant};

/// A member's place among all of a merchant, or of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MemberPlace {
    pub(crate) program_id: String,
    pub(crate) state: u8,
    pub(crate) member_id: Uuid,
}

const OF_PROGRAM: &str = "SELECT program_id, state, member_id, last_sequence FROM account FORCE INDEX (account_program) \
    WHERE merchant_id = ? AND program_id = ? AND (state > ? OR (state = ? AND member_id > ?)) \
    ORDER BY state, member_id LIMIT ?";

const OF_MERCHANT: &str = "SELECT program_id, state, member_id, last_sequence FROM account FORCE INDEX (account_program) \
    WHERE merchant_id = ? AND (program_id > ? OR (program_id = ? AND (state > ? OR (state = ? AND member_id > ?)))) \
    ORDER BY program_id, state, member_id LIMIT ?";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Mysql))]
struct ListedRow {
    #[diesel(sql_type = Text)]
    program_id: String,
    #[diesel(sql_type = Unsigned<TinyInt>)]
    state: u8,
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    last_sequence: u64,
}

/// The next members behind a place, of one program or of all, and how many entries each has.
pub(crate) async fn listed(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: Option<&str>,
    after: &MemberPlace,
    limit: i64,
) -> Result<Vec<(MemberPlace, u64)>, StorageError> {
    let MemberPlace { state, member_id, .. } = after;
    let member_id = member_id.as_bytes().to_vec();
    let rows: Vec<ListedRow> = match program_id {
        Some(program_id) => {
            diesel::sql_query(OF_PROGRAM)
                .bind::<Unsigned<Integer>, _>(merchant_id)
                .bind::<Text, _>(program_id)
                .bind::<Unsigned<TinyInt>, _>(state)
                .bind::<Unsigned<TinyInt>, _>(state)
                .bind::<Binary, _>(member_id)
                .bind::<BigInt, _>(limit)
                .load(connection)
                .await?
        }
        None => {
            diesel::sql_query(OF_MERCHANT)
                .bind::<Unsigned<Integer>, _>(merchant_id)
                .bind::<Text, _>(&after.program_id)
                .bind::<Text, _>(&after.program_id)
                .bind::<Unsigned<TinyInt>, _>(state)
                .bind::<Unsigned<TinyInt>, _>(state)
                .bind::<Binary, _>(member_id)
                .bind::<BigInt, _>(limit)
                .load(connection)
                .await?
        }
    };
    rows.into_iter()
        .map(|row| {
            let place = MemberPlace {
                program_id: row.program_id,
                state: row.state,
                member_id: id(&row.member_id)?,
            };
            Ok((place, row.last_sequence))
        })
        .collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = account, check_for_backend(Mysql))]
struct StateRow {
    member_id: Vec<u8>,
    last_sequence: u64,
    points: Decimal,
    debt: Decimal,
    pending: Decimal,
    pending_until: Option<NaiveDateTime>,
    held: Decimal,
    hold_lapses_at: Option<NaiveDateTime>,
    first_open_lot_expires_at: Option<NaiveDateTime>,
    first_open_lot_sequence: Option<u64>,
    inactive_at: Option<NaiveDateTime>,
    tier_spend: Decimal,
    lifetime_earned: Decimal,
    lifetime_redeemed: Decimal,
    lifetime_expired: Decimal,
}

/// What the accounts of these members say, of those that have one.
pub(super) async fn states(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<HashMap<Uuid, StoredState>, StorageError> {
    if member_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = member_ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let rows: Vec<StateRow> = account::table
        .filter(account::merchant_id.eq(merchant_id))
        .filter(one_of(account::member_id, ids, true))
        .select(StateRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let first_open_lot = row.first_open_lot_expires_at.zip(row.first_open_lot_sequence);
            let state = StoredState {
                last_sequence: row.last_sequence,
                points: row.points,
                debt: row.debt,
                pending: row.pending,
                pending_until: row.pending_until.map(instant),
                held: row.held,
                hold_lapses_at: row.hold_lapses_at.map(instant),
                first_open_lot: first_open_lot.map(|(expires_at, sequence)| LotKey {
                    expires_at: instant(expires_at),
                    sequence,
                }),
                inactive_at: row.inactive_at.map(instant),
                tier_spend: row.tier_spend,
                lifetime_earned: row.lifetime_earned,
                lifetime_redeemed: row.lifetime_redeemed,
                lifetime_expired: row.lifetime_expired,
            };
            Ok((id(&row.member_id)?, state))
        })
        .collect()
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Mysql))]
struct LotRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Datetime)]
    expires_at: NaiveDateTime,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
    #[diesel(sql_type = Numeric)]
    points: Decimal,
    #[diesel(sql_type = Numeric)]
    remaining: Decimal,
    #[diesel(sql_type = Numeric)]
    lapsed: Decimal,
    #[diesel(sql_type = Nullable<Binary>)]
    moved_member_id: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Datetime>)]
    moved_expires_at: Option<NaiveDateTime>,
    #[diesel(sql_type = Nullable<Unsigned<BigInt>>)]
    moved_sequence: Option<u64>,
}

/// The lots of a member.
#[derive(Default)]
pub(super) struct StoredLots {
    pub(super) lots: Vec<(LotKey, Lot)>,
    /// Where they say that their points went; what other members' entries say of it is not known yet.
    pub(super) moves: Vec<(LotKey, StoredMove)>,
}

/// All lots of these members.
pub(super) async fn lots(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<HashMap<Uuid, StoredLots>, StorageError> {
    let mut lots: HashMap<Uuid, StoredLots> = HashMap::new();
    if member_ids.is_empty() {
        return Ok(lots);
    }
    let ids: Vec<String> = member_ids.iter().map(|id| format!("x'{}'", id.simple())).collect();
    let text = format!(
        "SELECT member_id, expires_at, sequence, points, remaining, lapsed, moved_member_id, moved_expires_at, \
         moved_sequence FROM lot FORCE INDEX (PRIMARY) WHERE merchant_id = {merchant_id} AND member_id IN ({})",
        ids.join(", ")
    );
    let rows: Vec<LotRow> = diesel::sql_query(text).load(connection).await?;
    for row in rows {
        let key = LotKey {
            expires_at: instant(row.expires_at),
            sequence: row.sequence,
        };
        let lot = Lot {
            points: row.points,
            remaining: row.remaining,
            lapsed: row.lapsed,
        };
        let of_member = lots.entry(id(&row.member_id)?).or_default();
        of_member.lots.push((key, lot));
        let moved = StoredMove {
            member_id: row.moved_member_id.as_deref().map(id).transpose()?,
            expires_at: row.moved_expires_at.map(instant),
            sequence: row.moved_sequence,
            has_come: false,
        };
        if moved != StoredMove::default() {
            of_member.moves.push((key, moved));
        }
    }
    Ok(lots)
}

/// The open holds of these members; `None` for one that cannot be read.
pub(super) async fn open_holds(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Option<HoldTerms>>>, StorageError> {
    let ids: Vec<Vec<u8>> = member_ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    let rows: Vec<(Vec<u8>, String)> = hold::table
        .filter(hold::merchant_id.eq(merchant_id))
        .filter(hold::member_id.eq_any(ids).and(hold::state.eq(OPEN_HOLD)))
        .select((hold::member_id, hold::document))
        .load(connection)
        .await?;
    let mut holds: HashMap<Uuid, Vec<Option<HoldTerms>>> = HashMap::new();
    for (member_id, text) in rows {
        let of_member = holds.entry(id(&member_id)?).or_default();
        of_member.push(document("a hold", &text).ok());
    }
    Ok(holds)
}
