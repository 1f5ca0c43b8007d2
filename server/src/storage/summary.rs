//! What of a member's points was what at an instant that is over: from entries, lots, allocations and holds, as they were
//! then. Nothing of that is ever altered but what remains of lots, which allocations explain.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Numeric, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::account::AccountKey;
use super::connection::Connection;
use super::entry::kind;
use super::error::StorageError;
use super::hold;
use super::one_of::one_of;
use super::schema::entry;
use super::statement::literal;
use super::value::instant;
use crate::domain::account::Account;
use crate::domain::entry::{EntryKind, Lifetime};
use crate::domain::expiry::NEVER;
use crate::domain::summary::Summary;

/// Entries that are looked at in one step of a search: three steps find one among a million.
const PROBES: u64 = 100;

/// The instant by which entries are placed. Both rise with the sequence.
#[derive(Clone, Copy, Debug)]
enum Placed {
    /// When it was written.
    Recorded,
    /// From when on it counts: a lapse from its own instant on.
    Counted,
}

/// What of lots that had not lapsed was what.
#[derive(Default, QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct Parts {
    #[diesel(sql_type = Numeric)]
    total: Decimal,
    #[diesel(sql_type = Numeric)]
    pending: Decimal,
    #[diesel(sql_type = Numeric)]
    expiring: Decimal,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct Sum {
    #[diesel(sql_type = Numeric)]
    points: Decimal,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct KindSum {
    #[diesel(sql_type = Unsigned<TinyInt>)]
    kind: u8,
    #[diesel(sql_type = Numeric)]
    points: Decimal,
    #[diesel(sql_type = Numeric)]
    earned: Decimal,
    #[diesel(sql_type = Numeric)]
    redeemed: Decimal,
    #[diesel(sql_type = Numeric)]
    expired: Decimal,
}

/// What of the points was what at `at`, and would lapse by `expiring_until`.
pub(crate) async fn past(
    connection: &mut Connection,
    account: &Account,
    at: DateTime<Utc>,
    expiring_until: DateTime<Utc>,
) -> Result<Summary, StorageError> {
    let key = (account.merchant_id, account.member_id);
    let counted = last_entry(connection, key, account.last_sequence, at, Placed::Counted).await?;
    let written = last_entry(connection, key, counted, at, Placed::Recorded).await?;
    let side = Side::shorter(counted, account.last_sequence);
    let last = after(connection, key, counted).await?;
    // What lapsed for want of activity is in the lots until the next entry writes it off; then it is gone from them, but for
    // what a hold kept.
    let all_lapsed = counted == account.last_sequence && last.inactive_at.is_some_and(|instant| instant <= at);

    let holds = hold::live_at(connection, key, at).await?;
    let held = holds.iter().map(|hold| hold.terms.points()).sum();
    let held_lots = holds.iter().flat_map(|hold| &hold.terms.lots);
    let held_after_lapse: Decimal = held_lots
        .filter(|(lot, _)| all_lapsed || lot.expires_at <= at)
        .map(|(_, points)| points)
        .sum();
    // The first entry after `at` wrote off what had lapsed by then; where there is none yet, the lots still have it.
    let unswept = if counted == account.last_sequence {
        let until = if all_lapsed { NEVER } else { at };
        lapsed(connection, key, until).await? - held_after_lapse
    } else {
        Decimal::ZERO
    };
    let swept_later = expired_between(connection, key, written, counted).await?;
    let balance = last.balance - unswept;
    let open = match all_lapsed {
        true => Parts::default(),
        false => {
            let until = expiring_lots_until(last.inactive_at, at, expiring_until);
            open_lots(connection, key, counted, side, at, until).await?
        }
    };
    let mut lifetime = lifetime(connection, account, counted, side).await?;
    lifetime.expired += unswept;
    Ok(Summary {
        balance,
        pending: open.pending,
        held,
        debt: open.total + held_after_lapse - balance,
        expired_unswept: swept_later + unswept,
        expiring: open.expiring,
        lifetime,
    })
}

/// What remains of lots that lapse after `at` and by `until`, as they are now.
pub(crate) async fn expiring(
    connection: &mut Connection,
    account: &Account,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Decimal, StorageError> {
    let key = (account.merchant_id, account.member_id);
    let until = expiring_lots_until(account.inactive_at, at, until);
    let (at, until) = (literal(at), literal(until));
    let text = format!(
        "SELECT COALESCE(SUM(remaining), 0) AS points FROM lot WHERE {} AND expires_at > {at} AND expires_at <= {until}",
        of(key)
    );
    sum(connection, text).await
}

/// By which own instant lots lapse that lapse after `at` and by `until`: all of them where the member's does, none where
/// it has passed.
fn expiring_lots_until(inactive_at: Option<DateTime<Utc>>, at: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
    match inactive_at {
        Some(instant) if instant <= at => at,
        Some(instant) if instant <= until => NEVER,
        _ => until,
    }
}

/// On which side of an entry fewer others are: what was then is what is now less what came since, or the sum of all that
/// was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Since,
    Before,
}

impl Side {
    fn shorter(counted: u64, newest: u64) -> Self {
        if newest - counted <= counted {
            Self::Since
        } else {
            Self::Before
        }
    }

    /// Condition on the sequence.
    fn of(self, counted: u64) -> String {
        match self {
            Self::Since => format!("sequence > {counted}"),
            Self::Before => format!("sequence <= {counted}"),
        }
    }
}

/// Sequence of a member's last entry that was recorded at or before `at`; 0 when none was.
pub(super) async fn last_recorded(
    connection: &mut Connection,
    key: AccountKey,
    at: DateTime<Utc>,
) -> Result<u64, StorageError> {
    let newest = newest(connection, key).await?;
    last_entry(connection, key, newest, at, Placed::Recorded).await
}

/// Sequence of a member's last entry; 0 when there is none.
pub(super) async fn newest(connection: &mut Connection, key: AccountKey) -> Result<u64, StorageError> {
    let newest = entry::table
        .filter(
            entry::merchant_id
                .eq(key.0)
                .and(entry::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .order(entry::sequence.desc())
        .select(entry::sequence)
        .first(connection)
        .await
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// Sequence of the last entry, up to `newest`, that is placed at or before `at`; 0 when none is.
async fn last_entry(
    connection: &mut Connection,
    key: AccountKey,
    newest: u64,
    at: DateTime<Utc>,
    placed: Placed,
) -> Result<u64, StorageError> {
    let (mut low, mut high) = (0, newest);
    while low < high {
        let step = (high - low).div_ceil(PROBES);
        let probes: Vec<u64> = (1..=PROBES)
            .map(|place| low + place * step)
            .take_while(|probe| *probe <= high)
            .collect();
        let instants = instants(connection, key, &probes, placed).await?;
        for probe in probes {
            let placed_at = instants.get(&probe);
            let placed_at = placed_at.ok_or_else(|| StorageError::Corrupt(format!("no entry {probe} of {}", key.1)))?;
            if *placed_at > at {
                high = probe - 1;
                break;
            }
            low = probe;
        }
        if step == 1 {
            break;
        }
    }
    Ok(low)
}

/// Where these entries are placed.
async fn instants(
    connection: &mut Connection,
    key: AccountKey,
    sequences: &[u64],
    placed: Placed,
) -> Result<HashMap<u64, DateTime<Utc>>, StorageError> {
    let rows: Vec<(u64, u8, Decimal, NaiveDateTime, NaiveDateTime)> = entry::table
        .filter(
            entry::merchant_id
                .eq(key.0)
                .and(entry::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .filter(one_of(entry::sequence, sequences.to_vec(), true))
        .select((
            entry::sequence,
            entry::kind,
            entry::points,
            entry::occurred_at,
            entry::recorded_at,
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(sequence, number, points, occurred_at, recorded_at)| {
            // One that takes a lapse back happens with what takes it back.
            let is_lapse = known(number)? == EntryKind::Expire && points < Decimal::ZERO;
            let placed_at = match placed {
                Placed::Counted if is_lapse => occurred_at,
                Placed::Counted | Placed::Recorded => recorded_at,
            };
            Ok((sequence, instant(placed_at)))
        })
        .collect()
}

/// What was known after an entry; before the first there was nothing.
#[derive(Default)]
struct After {
    balance: Decimal,
    inactive_at: Option<DateTime<Utc>>,
}

async fn after(connection: &mut Connection, key: AccountKey, sequence: u64) -> Result<After, StorageError> {
    let found: Option<(Decimal, Option<NaiveDateTime>)> = entry::table
        .filter(
            entry::merchant_id
                .eq(key.0)
                .and(entry::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .filter(entry::sequence.eq(sequence))
        .select((entry::balance_after, entry::inactive_at))
        .first(connection)
        .await
        .optional()?;
    let after = found.map(|(balance, inactive_at)| After {
        balance,
        inactive_at: inactive_at.map(instant),
    });
    Ok(after.unwrap_or_default())
}

/// What entries behind `first`, up to `last`, wrote off.
async fn expired_between(
    connection: &mut Connection,
    key: AccountKey,
    first: u64,
    last: u64,
) -> Result<Decimal, StorageError> {
    if first == last {
        return Ok(Decimal::ZERO);
    }
    let text = format!(
        "SELECT COALESCE(SUM(-points), 0) AS points FROM entry WHERE {} AND sequence > {first} AND sequence <= {last}",
        of(key)
    );
    sum(connection, text).await
}

/// What remains of lots that have lapsed, as they are now.
async fn lapsed(connection: &mut Connection, key: AccountKey, at: DateTime<Utc>) -> Result<Decimal, StorageError> {
    let text = format!(
        "SELECT COALESCE(SUM(remaining), 0) AS points FROM lot WHERE {} AND expires_at <= {}",
        of(key),
        literal(at)
    );
    sum(connection, text).await
}

/// What of the lots that had not lapsed at `at` was what after the entry `counted`.
async fn open_lots(
    connection: &mut Connection,
    key: AccountKey,
    counted: u64,
    side: Side,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Parts, StorageError> {
    let column = match side {
        Side::Since => "remaining",
        Side::Before => "points",
    };
    let (at, until) = (literal(at), literal(until));
    let lots = format!(
        "SELECT COALESCE(SUM({column}), 0) AS total, \
         COALESCE(SUM(CASE WHEN pending_until > {at} THEN {column} ELSE 0 END), 0) AS pending, \
         COALESCE(SUM(CASE WHEN expires_at <= {until} THEN {column} ELSE 0 END), 0) AS expiring \
         FROM lot WHERE {} AND expires_at > {at} AND sequence <= {counted}",
        of(key)
    );
    // From the allocations to their lots, never the other way round: a lot has no key to its allocations.
    let allocations = format!(
        "SELECT COALESCE(SUM(taken.points), 0) AS total, \
         COALESCE(SUM(CASE WHEN lot.pending_until > {at} THEN taken.points ELSE 0 END), 0) AS pending, \
         COALESCE(SUM(CASE WHEN taken.expires_at <= {until} THEN taken.points ELSE 0 END), 0) AS expiring \
         FROM (SELECT merchant_id, member_id, lot_expires_at AS expires_at, lot_sequence AS sequence, points \
         FROM allocation WHERE {} AND {} AND lot_expires_at > {at} AND lot_sequence <= {counted}) taken \
         STRAIGHT_JOIN lot ON lot.merchant_id = taken.merchant_id AND lot.member_id = taken.member_id \
         AND lot.expires_at = taken.expires_at AND lot.sequence = taken.sequence",
        of(key),
        side.of(counted)
    );
    let lots: Parts = diesel::sql_query(lots).get_result(connection).await?;
    let moved: Parts = diesel::sql_query(allocations).get_result(connection).await?;
    Ok(match side {
        Side::Since => Parts {
            total: lots.total - moved.total,
            pending: lots.pending - moved.pending,
            expiring: lots.expiring - moved.expiring,
        },
        Side::Before => Parts {
            total: lots.total + moved.total,
            pending: lots.pending + moved.pending,
            expiring: lots.expiring + moved.expiring,
        },
    })
}

/// What had come and gone after the entry `counted`.
async fn lifetime(
    connection: &mut Connection,
    account: &Account,
    counted: u64,
    side: Side,
) -> Result<Lifetime, StorageError> {
    let text = format!(
        "SELECT kind, SUM(points) AS points, COALESCE(SUM(lifetime_earned), 0) AS earned, \
         COALESCE(SUM(lifetime_redeemed), 0) AS redeemed, COALESCE(SUM(lifetime_expired), 0) AS expired FROM entry FORCE INDEX (PRIMARY) WHERE {} AND {} GROUP BY kind",
        of((account.merchant_id, account.member_id)),
        side.of(counted)
    );
    let kinds: Vec<KindSum> = diesel::sql_query(text).load(connection).await?;
    let mut moved = Lifetime::default();
    for of_kind in kinds {
        moved.count(known(of_kind.kind)?, of_kind.points);
        moved += Lifetime {
            earned: of_kind.earned,
            redeemed: of_kind.redeemed,
            expired: of_kind.expired,
        };
    }
    let now = Lifetime::of(account);
    Ok(match side {
        Side::Since => Lifetime {
            earned: now.earned - moved.earned,
            redeemed: now.redeemed - moved.redeemed,
            expired: now.expired - moved.expired,
        },
        Side::Before => moved,
    })
}

/// The condition that rows are a member's. All literals are integers, hex and instants.
fn of(key: AccountKey) -> String {
    format!("merchant_id = {} AND member_id = x'{}'", key.0, key.1.simple())
}

async fn sum(connection: &mut Connection, text: String) -> Result<Decimal, StorageError> {
    let sum: Sum = diesel::sql_query(text).get_result(connection).await?;
    Ok(sum.points)
}

fn known(number: u8) -> Result<EntryKind, StorageError> {
    kind(number).ok_or_else(|| StorageError::Corrupt(format!("an entry of the unknown kind {number}")))
}
