//! What came and went in a period, and what is owed, read from entries, lots and allocations of some members at a time.
//! Entries count when they were recorded, a lapse at its own instant; one that no entry has written off yet is in the lots.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Nullable, Numeric, Text, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account;
use super::connection::Connection;
use super::entry::{self, kind, kind_number};
use super::error::StorageError;
use super::hold;
use super::statement::literal;
use super::value::{id, instant};
use crate::domain::entry::EntryKind;
use crate::domain::lot::LotKey;
use crate::domain::report::{AGES, Breakage, Liability, Movement};

/// From `from`, inclusive, to `until`, exclusive, which is not ahead of now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Period {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
}

/// By what movements are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    Nothing,
    Store,
    ExpenseAccount,
    CostCenter,
}

/// What a member had before a period, and what came and went in it, by label.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemberMovement {
    pub(crate) opening: Decimal,
    /// Sequence of the last entry before the end of the period; 0 without any.
    last: u64,
    pub(crate) by_label: BTreeMap<String, Movement>,
}

impl MemberMovement {
    /// What came and went in all.
    pub(crate) fn movement(&self) -> Movement {
        let mut sum = Movement::default();
        for movement in self.by_label.values() {
            sum += *movement;
        }
        sum
    }

    pub(crate) fn closing(&self) -> Decimal {
        self.opening + self.movement().sum()
    }
}

impl Grouping {
    fn column(self) -> &'static str {
        match self {
            Self::Nothing => "NULL",
            Self::Store => "COALESCE(at_store_id, store_id)",
            Self::ExpenseAccount => "expense_account",
            Self::CostCenter => "cost_center",
        }
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct SumRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<TinyInt>)]
    kind: u8,
    #[diesel(sql_type = Nullable<Text>)]
    label: Option<String>,
    #[diesel(sql_type = Numeric)]
    opening: Decimal,
    #[diesel(sql_type = Numeric)]
    moved: Decimal,
    #[diesel(sql_type = Unsigned<BigInt>)]
    last: u64,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct LotRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Datetime)]
    expires_at: NaiveDateTime,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
    #[diesel(sql_type = Nullable<Datetime>)]
    pending_until: Option<NaiveDateTime>,
    #[diesel(sql_type = Numeric)]
    points: Decimal,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct BreakageRow {
    #[diesel(sql_type = Numeric)]
    issued: Decimal,
    #[diesel(sql_type = Numeric)]
    lapsed: Decimal,
    #[diesel(sql_type = Numeric)]
    open: Decimal,
}

/// A lot of a member, and points of it.
type OfLot = (Uuid, LotKey);

/// What these members had and did, one for each.
pub(crate) async fn movements(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    period: Period,
    grouping: Grouping,
) -> Result<BTreeMap<Uuid, MemberMovement>, StorageError> {
    let mut members: BTreeMap<Uuid, MemberMovement> =
        member_ids.iter().map(|id| (*id, MemberMovement::default())).collect();
    if member_ids.is_empty() {
        return Ok(members);
    }
    let (from, until) = (literal(period.from), literal(period.until));
    let text = format!(
        "SELECT member_id, kind, label, SUM(IF(placed < {from}, points, 0)) AS opening, \
         SUM(IF(placed >= {from}, points, 0)) AS moved, MAX(sequence) AS last \
         FROM (SELECT member_id, sequence, kind, points, {} AS placed, {} AS label \
         FROM entry FORCE INDEX (PRIMARY) WHERE {}) placed_entry WHERE placed < {until} GROUP BY member_id, kind, label",
        placed("entry"),
        grouping.column(),
        of("entry", merchant_id, member_ids),
    );
    let rows: Vec<SumRow> = diesel::sql_query(text).load(connection).await?;
    for row in rows {
        let member = members.entry(id(&row.member_id)?).or_default();
        member.opening += row.opening;
        member.last = member.last.max(row.last);
        if !row.moved.is_zero() {
            let movement = member.by_label.entry(row.label.unwrap_or_default()).or_default();
            movement.count(known(row.kind)?, row.moved);
        }
    }
    for ((member_id, _), lapses) in unwritten(connection, merchant_id, member_ids, period.until).await? {
        let member = members.entry(member_id).or_default();
        for (lapsed_at, points) in lapses {
            if lapsed_at < period.from {
                member.opening -= points;
            } else {
                let movement = member.by_label.entry(String::new()).or_default();
                movement.count(EntryKind::Expire, -points);
            }
        }
    }
    Ok(members)
}

/// What has become by `now` of the points that came to these members by sales and bonuses in a period.
pub(crate) async fn breakage(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    period: Period,
    now: DateTime<Utc>,
) -> Result<Breakage, StorageError> {
    if member_ids.is_empty() {
        return Ok(Breakage::default());
    }
    let (from, until, now) = (literal(period.from), literal(period.until), literal(now));
    let has_lapsed = format!("(lot.expires_at <= {now} OR COALESCE(account.inactive_at <= {now}, FALSE))");
    let kinds = [EntryKind::Earn, EntryKind::SignUpBonus, EntryKind::BirthdayBonus];
    let kinds = kinds.map(|kind| kind_number(kind).to_string()).join(", ");
    let lots_of = "STRAIGHT_JOIN lot ON lot.merchant_id = entry.merchant_id AND lot.member_id = entry.member_id \
         AND lot.expires_at = entry.lot_expires_at AND lot.sequence = entry.sequence \
         STRAIGHT_JOIN account ON account.merchant_id = entry.merchant_id AND account.member_id = entry.member_id";
    let whose = of("entry", merchant_id, member_ids);
    let became = format!(
        "COALESCE(SUM(lot.lapsed + IF({has_lapsed}, lot.remaining, 0)), 0) AS lapsed, \
         COALESCE(SUM(IF({has_lapsed}, 0, lot.remaining)), 0) AS open"
    );
    let came = |entry: &str| {
        format!("{entry}.kind IN ({kinds}) AND {entry}.recorded_at >= {from} AND {entry}.recorded_at < {until}")
    };
    let issued = format!(
        "SELECT COALESCE(SUM(lot.points), 0) AS issued, {became} FROM entry FORCE INDEX (PRIMARY) {lots_of} \
         WHERE {whose} AND {}",
        came("entry")
    );
    // Of those that went to another expiry since then, in the lots they went to.
    let moved = format!(
        "SELECT 0 + 0.0 AS issued, {became} FROM entry FORCE INDEX (PRIMARY) {lots_of} \
         STRAIGHT_JOIN entry origin ON origin.merchant_id = entry.merchant_id AND origin.member_id = entry.member_id \
         AND origin.sequence = CAST(entry.reference AS UNSIGNED) WHERE {whose} AND entry.kind = {} AND {}",
        kind_number(EntryKind::ExpiryChange),
        came("origin"),
    );
    let mut breakage = Breakage::default();
    for text in [issued, moved] {
        let row: BreakageRow = diesel::sql_query(text).get_result(connection).await?;
        breakage.issued += row.issued;
        breakage.lapsed += row.lapsed;
        breakage.open += row.open;
    }
    Ok(breakage)
}

/// What these members were owed before `at`, which is not ahead of now.
pub(crate) async fn liability(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<Liability, StorageError> {
    let mut liability = Liability::default();
    if member_ids.is_empty() {
        return Ok(liability);
    }
    let period = Period {
        from: DateTime::UNIX_EPOCH,
        until: at,
    };
    let movements = movements(connection, merchant_id, member_ids, period, Grouping::Nothing).await?;
    let balance: Decimal = movements.values().map(MemberMovement::closing).sum();
    let newest = movements.iter().map(|(member_id, moved)| (*member_id, moved.last));
    let inactive = entry::inactive_at(connection, merchant_id, newest.collect()).await?;
    let mut lots = lots_before(connection, merchant_id, member_ids, at).await?;
    for (lot, lapses) in unwritten(connection, merchant_id, member_ids, at).await? {
        if let Some((_, points)) = lots.get_mut(&lot) {
            *points -= lapses.iter().map(|(_, points)| points).sum::<Decimal>();
        }
    }
    for ((member_id, key), (pending_until, points)) in lots {
        let inactive_at = inactive.get(&member_id).copied().unwrap_or(key.expires_at);
        liability.points += points;
        if pending_until.is_some_and(|until| until > at) {
            liability.pending += points;
        }
        let ends = AGES.map(|days| at + TimeDelta::days(i64::from(days)));
        let age = ends
            .iter()
            .position(|end| inactive_at.min(key.expires_at) <= *end)
            .unwrap_or(AGES.len());
        if let Some(aged) = liability.ageing.get_mut(age) {
            *aged += points;
        }
    }
    liability.debt = liability.points - balance;
    Ok(liability)
}

/// What remained of lots before `at`, lapsed ones that no entry has written off included, and until when they were
/// pending.
async fn lots_before(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    at: DateTime<Utc>,
) -> Result<HashMap<OfLot, (Option<DateTime<Utc>>, Decimal)>, StorageError> {
    let (at, lots_of, allocations_of) = (
        literal(at),
        of("lot", merchant_id, member_ids),
        of("allocation", merchant_id, member_ids),
    );
    let came_before = |lot_sequence: &str, of: &str| {
        format!(
            "EXISTS (SELECT 1 FROM entry came WHERE came.merchant_id = {of}.merchant_id AND came.member_id = {of}.member_id \
             AND came.sequence = {lot_sequence} AND came.recorded_at < {at})"
        )
    };
    let open = format!(
        "SELECT member_id, expires_at, sequence, pending_until, remaining AS points FROM lot FORCE INDEX (PRIMARY) \
         WHERE {lots_of} AND remaining > 0 AND {}",
        came_before("lot.sequence", "lot")
    );
    // What was put in (positive) or taken since.
    let since = format!(
        "SELECT allocation.member_id, allocation.lot_expires_at AS expires_at, allocation.lot_sequence AS sequence, \
         lot.pending_until, SUM(allocation.points) AS points FROM allocation FORCE INDEX (PRIMARY) \
         STRAIGHT_JOIN entry ON entry.merchant_id = allocation.merchant_id AND entry.member_id = allocation.member_id \
         AND entry.sequence = allocation.sequence \
         STRAIGHT_JOIN lot ON lot.merchant_id = allocation.merchant_id AND lot.member_id = allocation.member_id \
         AND lot.expires_at = allocation.lot_expires_at AND lot.sequence = allocation.lot_sequence \
         WHERE {allocations_of} AND {} >= {at} AND {} GROUP BY allocation.member_id, allocation.lot_expires_at, \
         allocation.lot_sequence, lot.pending_until",
        placed("entry"),
        came_before("allocation.lot_sequence", "allocation"),
    );
    let mut lots: HashMap<OfLot, (Option<DateTime<Utc>>, Decimal)> = HashMap::new();
    for (text, sign) in [(open, Decimal::ONE), (since, Decimal::NEGATIVE_ONE)] {
        let rows: Vec<LotRow> = diesel::sql_query(text).load(connection).await?;
        for row in rows {
            let key = LotKey {
                expires_at: instant(row.expires_at),
                sequence: row.sequence,
            };
            let lot = lots.entry((id(&row.member_id)?, key)).or_default();
            lot.0 = row.pending_until.map(instant);
            lot.1 += sign * row.points;
        }
    }
    Ok(lots)
}

/// What of lots lapsed before `until` and no entry has written off, by the instant at which it lapsed: that of the lot, or
/// at which the hold ended that kept it.
async fn unwritten(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    until: DateTime<Utc>,
) -> Result<BTreeMap<OfLot, Vec<(DateTime<Utc>, Decimal)>>, StorageError> {
    // Those whose time without activity has passed, all of whose lots have lapsed.
    let inactive = account::inactive_before(connection, merchant_id, member_ids, until).await?;
    let inactive_ids: Vec<Uuid> = inactive.keys().copied().collect();
    let all_lapsed = match inactive_ids.is_empty() {
        true => String::new(),
        false => format!(" OR {}", of("lot", merchant_id, &inactive_ids)),
    };
    let text = format!(
        "SELECT member_id, expires_at, sequence, pending_until, remaining AS points FROM lot FORCE INDEX (PRIMARY) \
         WHERE {} AND (expires_at < {}{all_lapsed}) AND remaining > 0",
        of("lot", merchant_id, member_ids),
        literal(until)
    );
    let rows: Vec<LotRow> = diesel::sql_query(text).load(connection).await?;
    let mut lapses: BTreeMap<OfLot, Vec<(DateTime<Utc>, Decimal)>> = BTreeMap::new();
    if rows.is_empty() {
        return Ok(lapses);
    }
    let holds = hold::open(connection, merchant_id, member_ids.iter().copied()).await?;
    for row in rows {
        let member_id = id(&row.member_id)?;
        let key = LotKey {
            expires_at: instant(row.expires_at),
            sequence: row.sequence,
        };
        let lapsed_at = inactive
            .get(&member_id)
            .copied()
            .unwrap_or(key.expires_at)
            .min(key.expires_at);
        let mut free = row.points;
        let mut of_lot = Vec::new();
        for hold in holds.get(&member_id).into_iter().flatten() {
            let held = hold.terms.lots.iter().filter(|(lot, _)| *lot == key);
            let held: Decimal = held.map(|(_, points)| points).sum();
            free -= held;
            let end = hold.terms.lapses_at.max(lapsed_at);
            if end < until && !held.is_zero() {
                of_lot.push((end, held));
            }
        }
        of_lot.push((lapsed_at, free));
        lapses.insert((member_id, key), of_lot);
    }
    Ok(lapses)
}

/// When an entry counts: when it was recorded, a lapse at its own instant; but one that takes a lapse back happens with
/// what takes it back.
fn placed(entry: &str) -> String {
    let lapse = kind_number(EntryKind::Expire);
    format!("IF({entry}.kind = {lapse} AND {entry}.points < 0, {entry}.occurred_at, {entry}.recorded_at)")
}

/// The condition that rows of a table are of these members. All literals are integers and hex.
fn of(table: &str, merchant_id: u32, member_ids: &[Uuid]) -> String {
    let ids: Vec<String> = member_ids.iter().map(|id| format!("x'{}'", id.simple())).collect();
    format!(
        "{table}.merchant_id = {merchant_id} AND {table}.member_id IN ({})",
        ids.join(", ")
    )
}

fn known(number: u8) -> Result<EntryKind, StorageError> {
    kind(number).ok_or_else(|| StorageError::Corrupt(format!("an entry of the unknown kind {number}")))
}
