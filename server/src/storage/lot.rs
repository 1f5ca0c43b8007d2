//! Tables `lot` and `allocation`.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Integer, Nullable, Numeric, Unsigned};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::allocation;
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::lot::{Allocation, Lot, LotKey, LotPlace};

/// Lots of a page. A redemption rarely takes from more than a few lots, and a page is a few kilobytes.
pub(crate) const PAGE: usize = 128;

/// Lots that are asked for by their keys in one statement.
const LOTS_OF_A_QUESTION: usize = 100;

/// Asks for the next open lots of one member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageStart {
    pub(crate) account: AccountKey,
    /// The page starts at this lot, or behind it.
    pub(crate) lot: LotKey,
    pub(crate) behind: bool,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct LotRow {
    #[diesel(sql_type = Unsigned<Integer>)]
    merchant_id: u32,
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
    #[diesel(sql_type = Nullable<Datetime>)]
    moved_expires_at: Option<NaiveDateTime>,
    #[diesel(sql_type = Nullable<Unsigned<BigInt>>)]
    moved_sequence: Option<u64>,
    #[diesel(sql_type = Nullable<Binary>)]
    moved_member_id: Option<Vec<u8>>,
}

/// The columns of `LotRow`.
const COLUMNS: &str = "merchant_id, member_id, expires_at, sequence, points, remaining, lapsed, moved_expires_at, \
    moved_sequence, moved_member_id";

/// The next open lots of several members, up to a page of each, in one statement: every branch reads its own stretch
/// of the primary key and stops at its limit.
pub(crate) async fn open_pages(
    connection: &mut Connection,
    starts: &[PageStart],
) -> Result<HashMap<AccountKey, Vec<(LotKey, Lot)>>, StorageError> {
    let branches: Vec<String> = starts.iter().map(branch).collect();
    let mut pages: HashMap<AccountKey, Vec<(LotKey, Lot)>> = HashMap::new();
    if branches.is_empty() {
        return Ok(pages);
    }
    let rows: Vec<LotRow> = diesel::sql_query(branches.join(" UNION ALL ")).load(connection).await?;
    for row in rows {
        let account = (row.merchant_id, id(&row.member_id)?);
        pages.entry(account).or_default().push(row.lot());
    }
    // UNION ALL promises no order across or within branches.
    for page in pages.values_mut() {
        page.sort_by_key(|(key, _)| *key);
    }
    Ok(pages)
}

/// The plain bound on `expires_at` is what the key is read by; the pair behind it cuts off the first rows. All
/// literals are integers, hex and instants.
fn branch(start: &PageStart) -> String {
    let (merchant_id, member_id) = (start.account.0, start.account.1.simple());
    let expires_at = start.lot.expires_at.format("%Y-%m-%d %H:%M:%S%.6f");
    let sequence = start.lot.sequence + u64::from(start.behind);
    format!(
        "(SELECT {COLUMNS} FROM lot \
         WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}' AND expires_at >= '{expires_at}' \
         AND (expires_at > '{expires_at}' OR sequence >= {sequence}) AND remaining > 0 \
         ORDER BY expires_at, sequence LIMIT {PAGE})"
    )
}

/// These lots of a member, open or used up, those that there are, and where each went if it was moved.
pub(crate) async fn find(
    connection: &mut Connection,
    account: AccountKey,
    keys: &[LotKey],
) -> Result<Vec<(LotKey, Lot, Option<LotPlace>)>, StorageError> {
    let mut lots = Vec::with_capacity(keys.len());
    for keys in keys.chunks(LOTS_OF_A_QUESTION) {
        let branches: Vec<String> = keys.iter().map(|key| exactly(account, key)).collect();
        let rows: Vec<LotRow> = diesel::sql_query(branches.join(" UNION ALL ")).load(connection).await?;
        for row in rows {
            let (key, lot) = row.lot();
            lots.push((key, lot, row.moved_to()?));
        }
    }
    Ok(lots)
}

/// One lot by its key. All literals are integers, hex and instants.
fn exactly(account: AccountKey, key: &LotKey) -> String {
    let (merchant_id, member_id) = (account.0, account.1.simple());
    let expires_at = key.expires_at.format("%Y-%m-%d %H:%M:%S%.6f");
    format!(
        "(SELECT {COLUMNS} FROM lot WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}' \
         AND expires_at = '{expires_at}' AND sequence = {})",
        key.sequence
    )
}

impl LotRow {
    fn lot(&self) -> (LotKey, Lot) {
        let key = LotKey {
            expires_at: instant(self.expires_at),
            sequence: self.sequence,
        };
        let lot = Lot {
            points: self.points,
            remaining: self.remaining,
            lapsed: self.lapsed,
        };
        (key, lot)
    }

    fn moved_to(&self) -> Result<Option<LotPlace>, StorageError> {
        let Some((expires_at, sequence)) = self.moved_expires_at.zip(self.moved_sequence) else {
            return Ok(None);
        };
        let member_id = self.moved_member_id.as_deref().unwrap_or(&self.member_id);
        Ok(Some(LotPlace {
            member_id: id(member_id)?,
            lot: LotKey {
                expires_at: instant(expires_at),
                sequence,
            },
        }))
    }
}

/// What the entries of a member from `first` to `last` took out of lots, by sequence of the entry.
pub(crate) async fn allocations(
    connection: &mut Connection,
    key: AccountKey,
    first: u64,
    last: u64,
) -> Result<Vec<Allocation>, StorageError> {
    let rows: Vec<(u64, NaiveDateTime, u64, Decimal)> = allocation::table
        .filter(
            allocation::merchant_id
                .eq(key.0)
                .and(allocation::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .filter(allocation::sequence.between(first, last))
        .order((
            allocation::sequence,
            allocation::lot_expires_at,
            allocation::lot_sequence,
        ))
        .select((
            allocation::sequence,
            allocation::lot_expires_at,
            allocation::lot_sequence,
            allocation::points,
        ))
        .load(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(entry_sequence, expires_at, sequence, points)| Allocation {
            entry_sequence,
            lot: LotKey {
                expires_at: instant(expires_at),
                sequence,
            },
            points,
        })
        .collect())
}

/// The rows of lots, new or changed.
pub(crate) struct LotRows(Insert);

impl LotRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO lot (merchant_id, member_id, expires_at, sequence, points, remaining, lapsed, pending_until, \
             moved_expires_at, moved_sequence, moved_member_id) VALUES",
            " ON DUPLICATE KEY UPDATE remaining = VALUES(remaining), lapsed = VALUES(lapsed), \
             moved_expires_at = COALESCE(VALUES(moved_expires_at), moved_expires_at), \
             moved_sequence = COALESCE(VALUES(moved_sequence), moved_sequence), \
             moved_member_id = COALESCE(VALUES(moved_member_id), moved_member_id)",
        ))
    }

    /// `pending_until` is kept of a new lot alone; `moved_to` stays once it is known.
    pub(crate) fn push(
        &mut self,
        account: AccountKey,
        (key, lot): (LotKey, Lot),
        pending_until: Option<DateTime<Utc>>,
        moved_to: Option<LotPlace>,
    ) {
        self.0
            .row()
            .integer(account.0)
            .bytes(account.1.as_bytes())
            .instant(key.expires_at)
            .integer(key.sequence)
            .decimal(lot.points)
            .decimal(lot.remaining)
            .decimal(lot.lapsed)
            .optional(pending_until, Insert::instant)
            .optional(moved_to, |row, place| row.instant(place.lot.expires_at))
            .optional(moved_to, |row, place| row.integer(place.lot.sequence))
            .optional(moved_to.filter(|place| place.member_id != account.1), |row, place| {
                row.bytes(place.member_id.as_bytes())
            });
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}

/// The rows of new allocations.
pub(crate) struct AllocationRows(Insert);

impl AllocationRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO allocation (merchant_id, member_id, sequence, lot_expires_at, lot_sequence, points) VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, account: AccountKey, allocation: &Allocation) {
        self.0
            .row()
            .integer(account.0)
            .bytes(account.1.as_bytes())
            .integer(allocation.entry_sequence)
            .instant(allocation.lot.expires_at)
            .integer(allocation.lot.sequence)
            .decimal(allocation.points);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
