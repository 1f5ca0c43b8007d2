//! Table `entry`: the ledger.

mod content;

use content::Columns;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Datetime};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::entry;
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::chain::Hash;
use crate::domain::entry::{Entry, EntryKind, Occasion, Origin, SaleKey};
use crate::domain::lot::Allocation;
use crate::domain::outcome::Accounting;
use crate::domain::sale_recording::MOST_BACK;

/// Members of one question: fewer than the 1,000 from which on MariaDB treats a list of values as a table.
const MEMBERS_OF_A_QUESTION: usize = 500;

/// The columns of `EntryRow`, for statements that are written out.
pub(super) const COLUMNS: &str = "sequence, kind, points, balance_after, tier_spend, store_id, sale_id, document_type, \
    document_number, program_version, lot_expires_at, expense_account, cost_center, occurred_at, recorded_at, reference, \
    at_store_id, terminal_id, cashier_id, actor, reason_id, note, spend_at, inactive_at, lifetime_earned, \
    lifetime_redeemed, lifetime_expired";

/// An entry as it is stored. What is added to it is added to what is hashed of it.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = entry, check_for_backend(Mysql))]
pub(super) struct EntryRow {
    sequence: u64,
    kind: u8,
    points: Decimal,
    balance_after: Decimal,
    tier_spend: Decimal,
    store_id: Option<String>,
    sale_id: Option<String>,
    document_type: Option<String>,
    document_number: Option<String>,
    program_version: u32,
    lot_expires_at: Option<NaiveDateTime>,
    expense_account: Option<String>,
    cost_center: Option<String>,
    occurred_at: NaiveDateTime,
    recorded_at: NaiveDateTime,
    reference: Option<String>,
    at_store_id: Option<String>,
    terminal_id: Option<String>,
    cashier_id: Option<String>,
    actor: Option<String>,
    reason_id: Option<String>,
    note: Option<String>,
    spend_at: Option<NaiveDateTime>,
    inactive_at: Option<NaiveDateTime>,
    lifetime_earned: Option<Decimal>,
    lifetime_redeemed: Option<Decimal>,
    lifetime_expired: Option<Decimal>,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(Mysql))]
struct InactiveRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Datetime)]
    inactive_at: NaiveDateTime,
}

/// Spend that counts towards tiers, by day as `day_of` says, of sales from `since` on, less what came back of them.
pub(crate) async fn spend_by_day(
    connection: &mut Connection,
    key: AccountKey,
    since: DateTime<Utc>,
    day_of: impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Result<BTreeMap<NaiveDate, Decimal>, StorageError> {
    let mut of_members = spend_by_day_of(connection, key.0, &[key.1], since, day_of).await?;
    Ok(of_members.remove(&key.1).unwrap_or_default())
}

/// The same of several members of a merchant; those who spent nothing are left out.
pub(crate) async fn spend_by_day_of(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    since: DateTime<Utc>,
    day_of: impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Result<HashMap<Uuid, BTreeMap<NaiveDate, Decimal>>, StorageError> {
    let mut spend: HashMap<Uuid, BTreeMap<NaiveDate, Decimal>> = HashMap::new();
    for question in member_ids.chunks(MEMBERS_OF_A_QUESTION) {
        let ids = question.iter().map(|id| id.as_bytes().to_vec()).collect();
        let rows: Vec<(Vec<u8>, NaiveDateTime, Option<NaiveDateTime>, Decimal)> = entry::table
            .filter(entry::merchant_id.eq(merchant_id))
            .filter(one_of(entry::member_id, ids, true))
            .filter(entry::tier_spend.ne(Decimal::ZERO))
            .filter(entry::occurred_at.ge(since.naive_utc()))
            .filter(entry::recorded_at.ge((since - MOST_BACK).naive_utc()))
            .select((entry::member_id, entry::occurred_at, entry::spend_at, entry::tier_spend))
            .load(connection)
            .await?;
        for (member_id, occurred_at, spend_at, amount) in rows {
            let at = instant(spend_at.unwrap_or(occurred_at));
            if at >= since {
                let days = spend.entry(id(&member_id)?).or_default();
                *days.entry(day_of(at)).or_default() += amount;
            }
        }
    }
    Ok(spend)
}

/// When all points lapsed for want of activity, as it was known from these entries of members on; nothing where they did
/// not.
pub(super) async fn inactive_at(
    connection: &mut Connection,
    merchant_id: u32,
    newest: Vec<(Uuid, u64)>,
) -> Result<HashMap<Uuid, DateTime<Utc>>, StorageError> {
    let pairs: Vec<String> = newest
        .iter()
        .map(|(member_id, sequence)| format!("member_id = x'{}' AND sequence = {sequence}", member_id.simple()))
        .collect();
    if pairs.is_empty() {
        return Ok(HashMap::new());
    }
    // All literals are integers and hex.
    let text = format!(
        "SELECT member_id, inactive_at FROM entry FORCE INDEX (PRIMARY) WHERE merchant_id = {merchant_id} \
         AND ({}) AND inactive_at IS NOT NULL",
        pairs.join(" OR ")
    );
    let rows: Vec<InactiveRow> = diesel::sql_query(text).load(connection).await?;
    let known = rows
        .into_iter()
        .map(|row| Ok((id(&row.member_id)?, instant(row.inactive_at))));
    known.collect()
}

/// What the spend that counts towards tiers moved by, and when, since an instant.
pub(crate) async fn spend_moves(
    connection: &mut Connection,
    key: AccountKey,
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Decimal)>, StorageError> {
    let rows: Vec<(NaiveDateTime, Option<NaiveDateTime>, Decimal)> = entry::table
        .filter(
            entry::merchant_id
                .eq(key.0)
                .and(entry::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .filter(entry::tier_spend.ne(Decimal::ZERO))
        .filter(entry::occurred_at.ge(since.naive_utc()))
        .select((entry::occurred_at, entry::spend_at, entry::tier_spend))
        .load(connection)
        .await?;
    let moves = rows.into_iter().map(|(occurred_at, spend_at, amount)| {
        let at = instant(spend_at.unwrap_or(occurred_at));
        (at, amount)
    });
    Ok(moves.filter(|(at, _)| *at >= since).collect())
}

/// When an entry was recorded.
pub(crate) async fn recorded_at(
    connection: &mut Connection,
    key: AccountKey,
    sequence: u64,
) -> Result<DateTime<Utc>, StorageError> {
    let recorded_at: NaiveDateTime = entry::table
        .find((key.0, key.1.as_bytes().to_vec(), sequence))
        .select(entry::recorded_at)
        .first(connection)
        .await?;
    Ok(instant(recorded_at))
}

/// The rows of new entries. Most are of sales, and say nothing in a dozen columns: those are not named in theirs, which a
/// database reads that much faster.
pub(crate) struct EntryRows {
    of_sales: Insert,
    others: Insert,
}

impl EntryRows {
    pub(crate) fn new() -> Self {
        Self {
            of_sales: Insert::new(content::OF_SALES, ""),
            others: Insert::new(content::ALL, ""),
        }
    }

    /// Adds an entry, with what it did to lots in order of their keys. Answers the hash of what it says.
    pub(crate) fn push<'a>(
        &mut self,
        account: AccountKey,
        entry: &Entry,
        allocations: impl Iterator<Item = &'a Allocation>,
    ) -> Hash {
        let columns = Columns::of(entry);
        match columns.are_of_sale() {
            true => columns.push_first(account, &mut self.of_sales),
            false => columns.push(account, &mut self.others),
        }
        columns.content(account, allocations).hash()
    }

    pub(crate) fn finish(self) -> Vec<String> {
        let mut statements = self.of_sales.finish();
        statements.extend(self.others.finish());
        statements
    }
}

pub(super) fn kind_number(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Earn => 1,
        EntryKind::Redeem => 2,
        EntryKind::Expire => 3,
        EntryKind::SignUpBonus => 4,
        EntryKind::EarnReversal => 5,
        EntryKind::RedeemReversal => 6,
        EntryKind::Adjust => 7,
        EntryKind::Opening => 9,
        EntryKind::BirthdayBonus => 8,
        EntryKind::MergeOut => 10,
        EntryKind::MergeIn => 11,
        EntryKind::ExpiryChange => 12,
    }
}

pub(super) fn kind(number: u8) -> Option<EntryKind> {
    match number {
        1 => Some(EntryKind::Earn),
        2 => Some(EntryKind::Redeem),
        3 => Some(EntryKind::Expire),
        4 => Some(EntryKind::SignUpBonus),
        5 => Some(EntryKind::EarnReversal),
        6 => Some(EntryKind::RedeemReversal),
        7 => Some(EntryKind::Adjust),
        9 => Some(EntryKind::Opening),
        8 => Some(EntryKind::BirthdayBonus),
        10 => Some(EntryKind::MergeOut),
        11 => Some(EntryKind::MergeIn),
        12 => Some(EntryKind::ExpiryChange),
        _ => None,
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = StorageError;

    fn try_from(row: EntryRow) -> Result<Self, StorageError> {
        let unknown = || StorageError::Corrupt(format!("an entry of the unknown kind {}", row.kind));
        let kind = kind(row.kind).ok_or_else(unknown)?;
        let lifetime_before = row.lifetime_before();
        let sale = row.store_id.zip(row.sale_id);
        Ok(Self {
            sequence: row.sequence,
            kind,
            points: row.points,
            balance_after: row.balance_after,
            tier_spend: row.tier_spend,
            spend_at: row.spend_at.map(instant),
            lot_expires_at: row.lot_expires_at.map(instant),
            inactive_at: row.inactive_at.map(instant),
            lifetime_before,
            accounting: Accounting {
                expense_account: row.expense_account.unwrap_or_default(),
                cost_center: row.cost_center.unwrap_or_default(),
            },
            occasion: Occasion {
                program_version: row.program_version,
                occurred_at: instant(row.occurred_at),
                recorded_at: instant(row.recorded_at),
                sale: sale.map(|(store_id, sale_id)| SaleKey {
                    store_id: store_id.into(),
                    sale_id: sale_id.into(),
                    document_type: row.document_type.unwrap_or_default().into(),
                    document_number: row.document_number.unwrap_or_default().into(),
                }),
                origin: Origin {
                    reference: row.reference.map(Arc::from),
                    at_store_id: row.at_store_id.map(Arc::from),
                    terminal_id: row.terminal_id.map(Arc::from),
                    cashier_id: row.cashier_id.map(Arc::from),
                    actor: row.actor.map(Arc::from),
                    reason_id: row.reason_id.map(Arc::from),
                    note: row.note.map(Arc::from),
                },
            },
        })
    }
}
