//! History: the entries of a member, or across the members of a merchant, newest first.

use std::cmp::Reverse;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Datetime, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::entry::{COLUMNS, kind_number};
use super::entry_runs::{MemberEntryRow, Stretch, allocate, collect, entries_where};
use super::error::StorageError;
use super::statement::{hex_text, literal};
use super::value::{id, instant};
use super::{entry, erasure, summary};
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::lot::Allocation;

/// Entries that are looked at in one step, where not every one is wanted.
const STEP: i64 = 500;
/// Steps of one page: what is wanted seldom is searched in several pages.
const MOST_STEPS: usize = 20;
/// Entries of a member that are looked at for one page, where not every one is wanted.
const MOST_OF_MEMBER: u64 = 10_000;

/// Instants are stored by it.
const TICK: TimeDelta = TimeDelta::microseconds(1);

/// Which entries are wanted; what is `None` or empty is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct WantedEntries {
    pub(crate) kinds: Vec<EntryKind>,
    /// When they were recorded: inclusive.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(crate) until: Option<DateTime<Utc>>,
    /// Store that sold, and sale.
    pub(crate) sale: Option<(String, String)>,
    /// Where they happened.
    pub(crate) store_id: Option<String>,
    pub(crate) terminal_id: Option<String>,
    pub(crate) cashier_id: Option<String>,
    /// Only of the members of this program.
    pub(crate) program_id: Option<String>,
}

/// Where an entry stands among those of all members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct EntryPosition {
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) member_id: Uuid,
    pub(crate) sequence: u64,
}

/// An entry of a member, with what it did to lots.
pub(crate) type FoundEntry = (Uuid, Entry, Vec<Allocation>);

impl WantedEntries {
    /// The condition on rows of `entry`, beside their time. All literals are integers and hex.
    fn condition(&self, merchant_id: u32) -> String {
        let mut text = "TRUE".to_owned();
        if !self.kinds.is_empty() {
            let kinds: Vec<String> = self.kinds.iter().map(|kind| kind_number(*kind).to_string()).collect();
            let _ = write!(text, " AND entry.kind IN ({})", kinds.join(", "));
        }
        if let Some((store_id, sale_id)) = &self.sale {
            let (store_id, sale_id) = (hex_text(store_id), hex_text(sale_id));
            let _ = write!(text, " AND entry.store_id = {store_id} AND entry.sale_id = {sale_id}");
        }
        let place = "COALESCE(entry.at_store_id, entry.store_id)";
        for (column, value) in [
            (place, &self.store_id),
            ("entry.terminal_id", &self.terminal_id),
            ("entry.cashier_id", &self.cashier_id),
        ] {
            if let Some(value) = value {
                let _ = write!(text, " AND {column} = {}", hex_text(value));
            }
        }
        if let Some(program_id) = &self.program_id {
            let _ = write!(
                text,
                " AND EXISTS (SELECT 1 FROM account WHERE account.merchant_id = {merchant_id} \
                 AND account.member_id = entry.member_id AND account.program_id = {})",
                hex_text(program_id)
            );
        }
        text
    }

    /// The condition on the time of rows of `entry`.
    fn period(&self) -> String {
        let mut text = String::new();
        for (sign, instant) in [(">=", self.from), ("<", self.until)] {
            if let Some(instant) = instant {
                let _ = write!(text, " AND entry.recorded_at {sign} {}", literal(instant));
            }
        }
        text
    }

    /// Whether every entry of the period is wanted.
    fn is_any(&self) -> bool {
        let Self {
            kinds,
            from: _,
            until: _,
            sale,
            store_id,
            terminal_id,
            cashier_id,
            program_id,
        } = self;
        let texts = [store_id, terminal_id, cashier_id, program_id];
        kinds.is_empty() && sale.is_none() && texts.iter().all(|text| text.is_none())
    }
}

/// Up to `limit` entries of a member, older than `before` (a sequence), newest first; and the sequence down to which was
/// looked for them, `None` when there is nothing older.
pub(crate) async fn of_member(
    connection: &mut Connection,
    key: AccountKey,
    wanted: &WantedEntries,
    before: u64,
    limit: i64,
) -> Result<(Vec<FoundEntry>, Option<u64>), StorageError> {
    // Of one member the time of recording rises with the sequence.
    let (mut first, mut before) = (1, before);
    if let Some(from) = wanted.from {
        first = summary::last_recorded(connection, key, from - TICK).await? + 1;
    }
    if let Some(until) = wanted.until {
        before = before.min(summary::last_recorded(connection, key, until - TICK).await? + 1);
    }
    // What is wanted seldom is searched in several pages.
    let mut rest = None;
    if !wanted.is_any() {
        before = before.min(summary::newest(connection, key).await? + 1);
        let least = before.saturating_sub(MOST_OF_MEMBER);
        rest = (least > first).then_some(least);
        first = first.max(least);
    }
    let text = format!(
        "SELECT member_id, {COLUMNS} FROM entry FORCE INDEX (PRIMARY) WHERE merchant_id = {} AND member_id = x'{}' \
         AND sequence >= {first} AND sequence < {before} AND {} ORDER BY sequence DESC LIMIT {limit}",
        key.0,
        key.1.simple(),
        wanted.condition(key.0),
    );
    let rows: Vec<MemberEntryRow> = diesel::sql_query(text).load(connection).await?;
    let mut entries = collect(rows)?;
    allocate(connection, key.0, &mut entries).await?;
    let newest_first = entries.into_iter().rev().map(|((member_id, _), stored)| {
        let (entry, allocations) = stored.read()?;
        Ok((member_id, entry, allocations))
    });
    Ok((newest_first.collect::<Result<_, StorageError>>()?, rest))
}

/// Up to `size` entries of a member and of those who were merged into it, behind `after`, newest first by the time of
/// recording; and behind which the next page begins, `None` when nothing is left.
pub(crate) async fn of_person(
    connection: &mut Connection,
    key: AccountKey,
    wanted: &WantedEntries,
    after: Option<EntryPosition>,
    size: usize,
) -> Result<(Vec<FoundEntry>, Option<EntryPosition>), StorageError> {
    let limit = i64::try_from(size).unwrap_or(STEP) + 1;
    let mut found = Vec::new();
    // Behind this not everything of everybody was looked at.
    let mut horizon: Option<EntryPosition> = None;
    for member_id in erasure::persons(connection, key).await? {
        let key = (key.0, member_id);
        let before = match after {
            None => i64::MAX.unsigned_abs(),
            Some(after) if after.member_id == member_id => after.sequence,
            Some(after) => {
                let is_behind = member_id < after.member_id;
                let at = after.recorded_at - if is_behind { TimeDelta::zero() } else { TICK };
                summary::last_recorded(connection, key, at).await? + 1
            }
        };
        let (entries, rest) = of_member(connection, key, wanted, before, limit).await?;
        found.extend(entries);
        if let Some(sequence) = rest {
            let recorded_at = entry::recorded_at(connection, key, sequence).await?;
            horizon = horizon.max(Some(EntryPosition {
                recorded_at,
                member_id,
                sequence,
            }));
        }
    }
    let position = |(member_id, entry, _): &FoundEntry| EntryPosition {
        recorded_at: entry.occasion.recorded_at,
        member_id: *member_id,
        sequence: entry.sequence,
    };
    found.retain(|entry| horizon.is_none_or(|horizon| position(entry) >= horizon));
    found.sort_by_key(|entry| Reverse(position(entry)));
    let is_last = found.len() <= size;
    found.truncate(size);
    let next = match is_last {
        true => horizon,
        false => found.last().map(position),
    };
    Ok((found, next))
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct KeyRow {
    #[diesel(sql_type = Datetime)]
    recorded_at: NaiveDateTime,
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
}

/// Up to `size` entries of a merchant behind `after`, and behind which the next page begins; `None` when nothing is left.
/// A page may be short, even empty, though it is not the last: what is wanted seldom takes long to find.
pub(crate) async fn of_merchant(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &WantedEntries,
    after: Option<EntryPosition>,
    size: usize,
) -> Result<(Vec<FoundEntry>, Option<EntryPosition>), StorageError> {
    let condition = wanted.condition(merchant_id);
    let mut found = Vec::new();
    let mut position = after;
    for _ in 0..MOST_STEPS {
        let missing = i64::try_from(size - found.len()).unwrap_or(STEP);
        // One more tells whether there is a next page.
        let limit = if wanted.is_any() { missing + 1 } else { STEP };
        let keys = keys(connection, merchant_id, wanted, position, limit).await?;
        let stretches: Vec<Stretch> = keys
            .iter()
            .map(|key| Stretch {
                member_id: key.member_id,
                first: key.sequence,
                last: key.sequence,
            })
            .collect();
        let mut entries = entries_where(connection, merchant_id, &stretches, &condition).await?;
        let is_last = i64::try_from(keys.len()).unwrap_or(i64::MAX) < limit;
        let fitting: Vec<EntryPosition> = keys
            .iter()
            .filter(|key| entries.contains_key(&(key.member_id, key.sequence)))
            .copied()
            .collect();
        let room = size - found.len();
        entries.retain(|key, _| {
            let mut kept = fitting.iter().take(room);
            kept.any(|fits| (fits.member_id, fits.sequence) == *key)
        });
        allocate(connection, merchant_id, &mut entries).await?;
        for key in fitting.iter().take(room) {
            if let Some(stored) = entries.remove(&(key.member_id, key.sequence)) {
                let (entry, allocations) = stored.read()?;
                found.push((key.member_id, entry, allocations));
            }
        }
        if fitting.len() > room {
            return Ok((found, fitting.get(room - 1).copied()));
        }
        if is_last {
            return Ok((found, None));
        }
        position = keys.last().copied();
        if found.len() == size {
            break;
        }
    }
    Ok((found, position))
}

/// The next entries of a merchant by time, from the key alone.
async fn keys(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &WantedEntries,
    after: Option<EntryPosition>,
    limit: i64,
) -> Result<Vec<EntryPosition>, StorageError> {
    let text = format!(
        "SELECT recorded_at, member_id, sequence FROM entry FORCE INDEX (entry_time) WHERE merchant_id = {merchant_id}{}{} \
         ORDER BY recorded_at DESC, member_id DESC, sequence DESC LIMIT {limit}",
        wanted.period(),
        behind(after)
    );
    let rows: Vec<KeyRow> = diesel::sql_query(text).load(connection).await?;
    rows.into_iter()
        .map(|row| {
            Ok(EntryPosition {
                recorded_at: instant(row.recorded_at),
                member_id: id(&row.member_id)?,
                sequence: row.sequence,
            })
        })
        .collect()
}

/// The condition that rows of `entry` come behind a position.
fn behind(after: Option<EntryPosition>) -> String {
    after.map_or_else(String::new, |after| {
        let (at, member_id) = (literal(after.recorded_at), after.member_id.simple());
        let sequence = after.sequence;
        // The first condition, which the second implies, is the one that a key can begin at.
        format!(
            " AND recorded_at <= {at} AND (recorded_at < {at} OR member_id < x'{member_id}' \
             OR (member_id = x'{member_id}' AND sequence < {sequence}))"
        )
    })
}
