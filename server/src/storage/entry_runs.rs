//! Entries of several members with what they did to lots, by stretches of their sequences: for who goes through the
//! ledger as a whole.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Numeric, Unsigned};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::connection::Connection;
use super::entry::{COLUMNS, EntryRow};
use super::error::StorageError;
use super::value::{id, instant};
use crate::domain::chain::Content;
use crate::domain::entry::Entry;
use crate::domain::lot::{Allocation, LotKey};
use crate::domain::verification::Fact;

/// Stretches of one question: a text of some 40 KB at most.
const STRETCHES_OF_A_QUESTION: usize = 500;

/// Fewer entries than this are a short stretch.
const SHORT: u64 = 4;

/// Entries of one member that follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    pub(crate) member_id: Uuid,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// An entry as it is stored, whatever it says.
pub(crate) struct StoredEntry {
    row: EntryRow,
    /// In order of the lots' keys.
    pub(crate) allocations: Vec<Allocation>,
}

impl StoredEntry {
    /// What is hashed of it.
    pub(crate) fn content(&self, merchant_id: u32, member_id: Uuid) -> Content {
        self.row.content((merchant_id, member_id), &self.allocations)
    }

    /// What of it does something to the books.
    pub(crate) fn fact(self) -> Fact {
        self.row.fact(self.allocations)
    }

    /// The entry, with what it did to lots.
    pub(crate) fn read(self) -> Result<(Entry, Vec<Allocation>), StorageError> {
        Ok((Entry::try_from(self.row)?, self.allocations))
    }
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
pub(super) struct MemberEntryRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(embed)]
    entry: EntryRow,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct AllocationRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
    #[diesel(sql_type = Datetime)]
    lot_expires_at: NaiveDateTime,
    #[diesel(sql_type = Unsigned<BigInt>)]
    lot_sequence: u64,
    #[diesel(sql_type = Numeric)]
    points: Decimal,
}

/// By member and sequence.
pub(super) type Entries = BTreeMap<(Uuid, u64), StoredEntry>;

/// What there is of some stretches.
pub(crate) struct Loaded {
    pub(crate) entries: Entries,
    /// Of entries that are not there.
    pub(crate) orphans: Vec<(Uuid, Allocation)>,
}

/// The entries of these stretches, with what they did to lots.
pub(crate) async fn load(
    connection: &mut Connection,
    merchant_id: u32,
    stretches: &[Stretch],
) -> Result<Loaded, StorageError> {
    let mut entries = entries_where(connection, merchant_id, stretches, "TRUE").await?;
    let orphans = allocate_stretches(connection, merchant_id, stretches, &mut entries).await?;
    Ok(Loaded { entries, orphans })
}

/// The entries of these stretches that a condition on rows of `entry` is true of, without what they did to lots.
pub(super) async fn entries_where(
    connection: &mut Connection,
    merchant_id: u32,
    stretches: &[Stretch],
    condition: &str,
) -> Result<Entries, StorageError> {
    let mut entries = Entries::new();
    for question in stretches.chunks(STRETCHES_OF_A_QUESTION) {
        let filter = filter(merchant_id, question);
        let text =
            format!("SELECT member_id, {COLUMNS} FROM entry FORCE INDEX (PRIMARY) WHERE {filter} AND {condition}");
        let rows: Vec<MemberEntryRow> = diesel::sql_query(text).load(connection).await?;
        entries.append(&mut collect(rows)?);
    }
    Ok(entries)
}

/// Rows by member and sequence, without what they did to lots.
pub(super) fn collect(rows: Vec<MemberEntryRow>) -> Result<Entries, StorageError> {
    let entries = rows.into_iter().map(|row| {
        let key = (id(&row.member_id)?, row.entry.sequence());
        let stored = StoredEntry {
            row: row.entry,
            allocations: Vec::new(),
        };
        Ok((key, stored))
    });
    entries.collect()
}

/// Adds to entries what they did to lots.
pub(super) async fn allocate(
    connection: &mut Connection,
    merchant_id: u32,
    entries: &mut Entries,
) -> Result<(), StorageError> {
    let stretches: Vec<Stretch> = entries
        .keys()
        .map(|(member_id, sequence)| Stretch {
            member_id: *member_id,
            first: *sequence,
            last: *sequence,
        })
        .collect();
    allocate_stretches(connection, merchant_id, &stretches, entries).await?;
    Ok(())
}

/// Adds to the entries of these stretches what they did to lots. Answers what entries did that are not there.
async fn allocate_stretches(
    connection: &mut Connection,
    merchant_id: u32,
    stretches: &[Stretch],
    entries: &mut Entries,
) -> Result<Vec<(Uuid, Allocation)>, StorageError> {
    let mut orphans = Vec::new();
    for question in stretches.chunks(STRETCHES_OF_A_QUESTION) {
        let text = format!(
            "SELECT member_id, sequence, lot_expires_at, lot_sequence, points \
             FROM allocation FORCE INDEX (PRIMARY) WHERE {}",
            filter(merchant_id, question)
        );
        let rows: Vec<AllocationRow> = diesel::sql_query(text).load(connection).await?;
        for row in rows {
            let lot = LotKey {
                expires_at: instant(row.lot_expires_at),
                sequence: row.lot_sequence,
            };
            let allocation = Allocation {
                entry_sequence: row.sequence,
                lot,
                points: row.points,
            };
            let member_id = id(&row.member_id)?;
            match entries.get_mut(&(member_id, row.sequence)) {
                Some(StoredEntry { allocations, .. }) => allocations.push(allocation),
                None => orphans.push((member_id, allocation)),
            }
        }
    }
    for entry in entries.values_mut() {
        entry.allocations.sort_by_key(|allocation| allocation.lot);
    }
    Ok(orphans)
}

/// All literals are integers and hex. A short stretch is named key by key: a database finds a row among keys by bisection,
/// but asks one condition after the other.
fn filter(merchant_id: u32, stretches: &[Stretch]) -> String {
    let is_short = |stretch: &&Stretch| stretch.last.saturating_sub(stretch.first) < SHORT;
    let (short, long): (Vec<&Stretch>, Vec<&Stretch>) = stretches.iter().partition(is_short);
    let mut filters = Vec::new();
    if !short.is_empty() {
        let keys = short.iter().flat_map(|stretch| {
            let member_id = stretch.member_id.simple();
            (stretch.first..=stretch.last).map(move |sequence| format!("(x'{member_id}',{sequence})"))
        });
        let keys: Vec<String> = keys.collect();
        filters.push(format!("(member_id, sequence) IN ({})", keys.join(",")));
    }
    filters.extend(long.iter().map(|stretch| {
        let Stretch { member_id, first, last } = stretch;
        format!(
            "(member_id = x'{}' AND sequence BETWEEN {first} AND {last})",
            member_id.simple()
        )
    }));
    format!("merchant_id = {merchant_id} AND ({})", filters.join(" OR "))
}
