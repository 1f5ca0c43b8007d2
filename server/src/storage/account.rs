//! Table `account`: the state of members' books.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::member_status::{self, StatusRow};
use super::one_of::one_of;
use super::schema::account;
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::account::{Account, Attributes};
use crate::domain::lot::LotKey;
use crate::domain::member_status::MemberStatus;
use crate::domain::number::Fraction;

/// Accounts of one question: fewer than the 1,000 from which on MariaDB treats a list of values as a table.
const ACCOUNTS_OF_A_QUESTION: usize = 500;

/// A member of a merchant.
pub(crate) type AccountKey = (u32, Uuid);

#[derive(Queryable, Selectable)]
#[diesel(table_name = account, check_for_backend(Mysql))]
struct AccountRow {
    merchant_id: u32,
    member_id: Vec<u8>,
    program_id: String,
    last_sequence: u64,
    points: Decimal,
    held: Decimal,
    debt: Decimal,
    pending: Decimal,
    pending_until: Option<NaiveDateTime>,
    first_open_lot_expires_at: Option<NaiveDateTime>,
    first_open_lot_sequence: Option<u64>,
    hold_lapses_at: Option<NaiveDateTime>,
    sweep_at: Option<NaiveDateTime>,
    active_at: Option<NaiveDateTime>,
    inactive_at: Option<NaiveDateTime>,
    birthday_bonus_on: Option<NaiveDate>,
    tier_id: Option<String>,
    tier_spend: Decimal,
    lifetime_earned: Decimal,
    lifetime_redeemed: Decimal,
    lifetime_expired: Decimal,
    carry: Option<String>,
    recorded_at: NaiveDateTime,
    customer_group: String,
    territory: String,
    assigned_rule_id: Option<String>,
    #[diesel(embed)]
    status: StatusRow,
}

/// The accounts of these members, locked until the transaction ends, in the order of their keys, so that two batches
/// never wait for each other. Members without an account are left out.
pub(crate) async fn lock(connection: &mut Connection, keys: &[AccountKey]) -> Result<Vec<Account>, StorageError> {
    let Some(filter) = of_keys(keys) else {
        return Ok(Vec::new());
    };
    let rows = account::table
        .filter(filter)
        .order((account::merchant_id, account::member_id))
        .select(AccountRow::as_select())
        .for_update()
        .load(connection)
        .await?;
    rows.into_iter().map(Account::try_from).collect()
}

/// A member's account as it is committed; `None` when there is none.
pub(crate) async fn find(connection: &mut Connection, key: AccountKey) -> Result<Option<Account>, StorageError> {
    let row = account::table
        .filter(
            account::merchant_id
                .eq(key.0)
                .and(account::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .select(AccountRow::as_select())
        .first(connection)
        .await
        .optional()?;
    row.map(Account::try_from).transpose()
}

/// The member who is meant by one: where that one was merged into another, the other.
pub(crate) async fn current(connection: &mut Connection, key: AccountKey) -> Result<Uuid, StorageError> {
    let mut current = key.1;
    loop {
        let of_member = account::merchant_id
            .eq(key.0)
            .and(account::member_id.eq(current.as_bytes().to_vec()));
        let merged = account::table.filter(of_member).select(account::merged_into);
        let merged: Option<Option<Vec<u8>>> = merged.first(connection).await.optional()?;
        match merged.flatten() {
            Some(into) => current = id(&into)?,
            None => return Ok(current),
        }
    }
}

/// The program of a member's account; `None` when there is none.
pub(crate) async fn program_of(connection: &mut Connection, key: AccountKey) -> Result<Option<String>, StorageError> {
    let of_member = account::merchant_id
        .eq(key.0)
        .and(account::member_id.eq(key.1.as_bytes().to_vec()));
    let program = account::table.filter(of_member).select(account::program_id);
    Ok(program.first(connection).await.optional()?)
}

/// Those of these accounts of a merchant that there are, as they are committed, in the order of their keys.
pub(crate) async fn find_all(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<Vec<Account>, StorageError> {
    let mut accounts = Vec::with_capacity(member_ids.len());
    for question in member_ids.chunks(ACCOUNTS_OF_A_QUESTION) {
        let ids = question.iter().map(|id| id.as_bytes().to_vec()).collect();
        let rows: Vec<AccountRow> = account::table
            .filter(account::merchant_id.eq(merchant_id))
            .filter(one_of(account::member_id, ids, true))
            .select(AccountRow::as_select())
            .load(connection)
            .await?;
        for row in rows {
            accounts.push(Account::try_from(row)?);
        }
    }
    accounts.sort_by_key(|account| account.member_id);
    Ok(accounts)
}

/// Those of these members all of whose points lapsed before an instant, for want of activity, and when.
pub(crate) async fn inactive_before(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
    until: DateTime<Utc>,
) -> Result<HashMap<Uuid, DateTime<Utc>>, StorageError> {
    let mut inactive = HashMap::new();
    for question in member_ids.chunks(ACCOUNTS_OF_A_QUESTION) {
        let ids = question.iter().map(|id| id.as_bytes().to_vec()).collect();
        let rows: Vec<(Vec<u8>, Option<NaiveDateTime>)> = account::table
            .filter(account::merchant_id.eq(merchant_id))
            .filter(one_of(account::member_id, ids, true))
            .filter(account::inactive_at.lt(until.naive_utc()))
            .select((account::member_id, account::inactive_at))
            .load(connection)
            .await?;
        for (member_id, inactive_at) in rows {
            if let Some(inactive_at) = inactive_at {
                inactive.insert(id(&member_id)?, instant(inactive_at));
            }
        }
    }
    Ok(inactive)
}

/// The first columns of every row. Where a row is there already, only what stands behind `UPDATE` counts.
const OF_SALES: &str = "INSERT INTO account (merchant_id, member_id, program_id, last_sequence, points, \
    first_open_lot_expires_at, first_open_lot_sequence, sweep_at, active_at, tier_id, tier_spend, lifetime_earned, \
    lifetime_redeemed, recorded_at, held, debt, pending, lifetime_expired, customer_group, territory) VALUES";

const ALL: &str = "INSERT INTO account (merchant_id, member_id, program_id, last_sequence, points, \
    first_open_lot_expires_at, first_open_lot_sequence, sweep_at, active_at, tier_id, tier_spend, lifetime_earned, \
    lifetime_redeemed, recorded_at, held, debt, pending, lifetime_expired, customer_group, territory, pending_until, \
    hold_lapses_at, inactive_at, birthday_bonus_on, carry, assigned_rule_id, block_reason, blocked_at, opted_out_at, \
    merged_into, erased_at, state) VALUES";

const UPDATE_OF_SALES: &str = " ON DUPLICATE KEY UPDATE last_sequence = VALUES(last_sequence), \
    points = VALUES(points), first_open_lot_expires_at = VALUES(first_open_lot_expires_at), \
    first_open_lot_sequence = VALUES(first_open_lot_sequence), sweep_at = VALUES(sweep_at), \
    active_at = VALUES(active_at), tier_id = VALUES(tier_id), tier_spend = VALUES(tier_spend), \
    lifetime_earned = VALUES(lifetime_earned), lifetime_redeemed = VALUES(lifetime_redeemed), \
    recorded_at = VALUES(recorded_at)";

const UPDATE_ALL: &str = " ON DUPLICATE KEY UPDATE last_sequence = VALUES(last_sequence), \
    points = VALUES(points), first_open_lot_expires_at = VALUES(first_open_lot_expires_at), \
    first_open_lot_sequence = VALUES(first_open_lot_sequence), sweep_at = VALUES(sweep_at), \
    active_at = VALUES(active_at), tier_id = VALUES(tier_id), tier_spend = VALUES(tier_spend), \
    lifetime_earned = VALUES(lifetime_earned), lifetime_redeemed = VALUES(lifetime_redeemed), \
    recorded_at = VALUES(recorded_at), held = VALUES(held), debt = VALUES(debt), pending = VALUES(pending), \
    lifetime_expired = VALUES(lifetime_expired), customer_group = VALUES(customer_group), \
    territory = VALUES(territory), pending_until = VALUES(pending_until), hold_lapses_at = VALUES(hold_lapses_at), \
    inactive_at = VALUES(inactive_at), birthday_bonus_on = VALUES(birthday_bonus_on), carry = VALUES(carry), \
    assigned_rule_id = VALUES(assigned_rule_id), block_reason = VALUES(block_reason), \
    blocked_at = VALUES(blocked_at), opted_out_at = VALUES(opted_out_at), merged_into = VALUES(merged_into), \
    erased_at = VALUES(erased_at), state = VALUES(state)";

/// What of an account a sale seldom changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rest {
    held: Decimal,
    debt: Decimal,
    pending: Decimal,
    lifetime_expired: Decimal,
    attributes: Attributes,
    pending_until: Option<DateTime<Utc>>,
    hold_lapses_at: Option<DateTime<Utc>>,
    inactive_at: Option<DateTime<Utc>>,
    birthday_bonus_on: Option<NaiveDate>,
    carry: Fraction,
    status: MemberStatus,
}

impl Rest {
    pub(crate) fn of(account: &Account) -> Self {
        // Every field is named here, so that a new one is not forgotten.
        let Account {
            merchant_id: _,
            member_id: _,
            program_id: _,
            last_sequence: _,
            points: _,
            held,
            debt,
            pending,
            pending_until,
            first_open_lot: _,
            hold_lapses_at,
            sweep_at: _,
            active_at: _,
            inactive_at,
            birthday_bonus_on,
            tier_id: _,
            tier_spend: _,
            lifetime_earned: _,
            lifetime_redeemed: _,
            lifetime_expired,
            carry,
            recorded_at: _,
            attributes,
            status,
        } = account;
        Self {
            held: *held,
            debt: *debt,
            pending: *pending,
            lifetime_expired: *lifetime_expired,
            attributes: attributes.clone(),
            pending_until: *pending_until,
            hold_lapses_at: *hold_lapses_at,
            inactive_at: *inactive_at,
            birthday_bonus_on: *birthday_bonus_on,
            carry: *carry,
            status: status.clone(),
        }
    }
}

/// The rows of accounts, new or changed. Most changed by sales alone, which leave a dozen columns as they are: those are
/// not written again.
pub(crate) struct AccountRows {
    of_sales: Insert,
    others: Insert,
}

impl AccountRows {
    pub(crate) fn new() -> Self {
        Self {
            of_sales: Insert::new(OF_SALES, UPDATE_OF_SALES),
            others: Insert::new(ALL, UPDATE_ALL),
        }
    }

    /// Adds an account. `rest` is how the rest of it was read under the lock that the transaction has, `None` where it is
    /// not there yet.
    pub(crate) fn push(&mut self, account: &Account, rest: Option<&Rest>) {
        let is_of_sale = rest.is_some_and(|rest| *rest == Rest::of(account));
        let row = match is_of_sale {
            true => self.of_sales.row(),
            false => self.others.row(),
        };
        row.integer(account.merchant_id)
            .bytes(account.member_id.as_bytes())
            .text(&account.program_id)
            .integer(account.last_sequence)
            .decimal(account.points)
            .optional(account.first_open_lot, |row, lot| row.instant(lot.expires_at))
            .optional(account.first_open_lot, |row, lot| row.integer(lot.sequence))
            .optional(account.sweep_at, Insert::instant)
            .optional(account.active_at, Insert::instant)
            .optional(account.tier_id.as_deref(), Insert::text)
            .decimal(account.tier_spend)
            .decimal(account.lifetime_earned)
            .decimal(account.lifetime_redeemed)
            .instant(account.recorded_at)
            .decimal(account.held)
            .decimal(account.debt)
            .decimal(account.pending)
            .decimal(account.lifetime_expired)
            .text(&account.attributes.customer_group)
            .text(&account.attributes.territory);
        if is_of_sale {
            return;
        }
        let block = account.status.block.as_ref();
        row.optional(account.pending_until, Insert::instant)
            .optional(account.hold_lapses_at, Insert::instant)
            .optional(account.inactive_at, Insert::instant)
            .optional(account.birthday_bonus_on, Insert::date)
            .optional(account.carry.text(), |row, carry| row.text(&carry))
            .optional(account.attributes.assigned_rule_id.as_deref(), Insert::text)
            .optional(block, |row, block| row.text(&block.reason))
            .optional(block, |row, block| row.instant(block.blocked_at))
            .optional(account.status.opted_out_at, Insert::instant)
            .optional(account.status.merged_into, |row, into| row.bytes(into.as_bytes()))
            .optional(account.status.erased_at, Insert::instant)
            .integer(member_status::state(&account.status));
    }

    pub(crate) fn finish(self) -> Vec<String> {
        let mut statements = self.of_sales.finish();
        statements.extend(self.others.finish());
        statements
    }
}

type Filter = Box<dyn BoxableExpression<account::table, Mysql, SqlType = diesel::sql_types::Bool>>;

fn of_keys(keys: &[AccountKey]) -> Option<Filter> {
    let mut by_merchant: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
    for (merchant_id, member_id) in keys {
        by_merchant
            .entry(*merchant_id)
            .or_default()
            .push(member_id.as_bytes().to_vec());
    }
    let alone = by_merchant.len() == 1;
    let mut filters = by_merchant.into_iter().map(|(merchant_id, members)| -> Filter {
        Box::new(
            account::merchant_id
                .eq(merchant_id)
                .and(one_of(account::member_id, members, alone)),
        )
    });
    let first = filters.next()?;
    Some(filters.fold(first, |all, filter| Box::new(all.or(filter))))
}

impl TryFrom<AccountRow> for Account {
    type Error = StorageError;

    fn try_from(row: AccountRow) -> Result<Self, StorageError> {
        let first_open_lot = row.first_open_lot_expires_at.zip(row.first_open_lot_sequence);
        Ok(Self {
            merchant_id: row.merchant_id,
            member_id: id(&row.member_id)?,
            program_id: row.program_id.into(),
            last_sequence: row.last_sequence,
            points: row.points,
            held: row.held,
            debt: row.debt,
            pending: row.pending,
            pending_until: row.pending_until.map(instant),
            first_open_lot: first_open_lot.map(|(expires_at, sequence)| LotKey {
                expires_at: instant(expires_at),
                sequence,
            }),
            hold_lapses_at: row.hold_lapses_at.map(instant),
            sweep_at: row.sweep_at.map(instant),
            active_at: row.active_at.map(instant),
            inactive_at: row.inactive_at.map(instant),
            birthday_bonus_on: row.birthday_bonus_on,
            tier_id: row.tier_id,
            tier_spend: row.tier_spend,
            lifetime_earned: row.lifetime_earned,
            lifetime_redeemed: row.lifetime_redeemed,
            lifetime_expired: row.lifetime_expired,
            carry: carry(row.carry.as_deref())?,
            recorded_at: instant(row.recorded_at),
            attributes: Attributes {
                customer_group: row.customer_group,
                territory: row.territory,
                assigned_rule_id: row.assigned_rule_id,
            },
            status: row.status.try_into()?,
        })
    }
}

fn carry(kept: Option<&str>) -> Result<Fraction, StorageError> {
    let Some(text) = kept else {
        return Ok(Fraction::ZERO);
    };
    Fraction::parse(text).ok_or_else(|| StorageError::Corrupt(format!("an account that carries `{text}`")))
}
