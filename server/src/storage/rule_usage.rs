//! Table `rule_usage`: what limited rules gave to members.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::rule_usage;
use super::statement::Insert;
use super::value::id;

/// What rules gave to these members of a merchant on these days: member, day, rule, points.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: impl Iterator<Item = Uuid>,
    days: &[NaiveDate],
) -> Result<Vec<(Uuid, NaiveDate, String, Decimal)>, StorageError> {
    let members: Vec<Vec<u8>> = member_ids.map(|member_id| member_id.as_bytes().to_vec()).collect();
    let rows: Vec<(Vec<u8>, NaiveDate, String, Decimal)> = rule_usage::table
        .filter(rule_usage::merchant_id.eq(merchant_id))
        .filter(rule_usage::member_id.eq_any(members))
        .filter(rule_usage::day.eq_any(days))
        .select((
            rule_usage::member_id,
            rule_usage::day,
            rule_usage::rule_id,
            rule_usage::points,
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(member_id, day, rule_id, points)| Ok((id(&member_id)?, day, rule_id, points)))
        .collect()
}

/// All that rules gave to a member: day, rule, points.
pub(crate) async fn of_member(
    connection: &mut Connection,
    key: AccountKey,
) -> Result<Vec<(NaiveDate, String, Decimal)>, StorageError> {
    let rows = rule_usage::table
        .filter(rule_usage::merchant_id.eq(key.0))
        .filter(rule_usage::member_id.eq(key.1.as_bytes().to_vec()))
        .select((rule_usage::day, rule_usage::rule_id, rule_usage::points))
        .load(connection)
        .await?;
    Ok(rows)
}

/// The rows of usage, new or changed.
pub(crate) struct RuleUsageRows(Insert);

impl RuleUsageRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO rule_usage (merchant_id, member_id, day, rule_id, points) VALUES",
            " ON DUPLICATE KEY UPDATE points = VALUES(points)",
        ))
    }

    pub(crate) fn push(&mut self, account: AccountKey, day: NaiveDate, rule_id: &str, points: Decimal) {
        self.0
            .row()
            .integer(account.0)
            .bytes(account.1.as_bytes())
            .date(day)
            .text(rule_id)
            .decimal(points);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
