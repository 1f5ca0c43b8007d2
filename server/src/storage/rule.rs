//! Table `rule`.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::program::{CURRENT, ProgramKey};
use super::schema::rule;
use super::value::{document, instant, json};
use crate::domain::answer::RuleRecord;
use crate::domain::rule::Rule;

/// Most rules of a program, so that one version of it stays small enough to load and keep.
pub(crate) const MOST_RULES: i64 = 10_000;

/// The rules of a program in force under one version, by id, archived ones left out.
pub(crate) async fn in_force(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
) -> Result<Vec<(String, Rule)>, StorageError> {
    let rows: Vec<(String, String)> = rule::table
        .filter(rule::merchant_id.eq(key.0).and(rule::program_id.eq(&*key.1)))
        .filter(rule::from_version.le(version).and(rule::until_version.gt(version)))
        .order(rule::rule_id)
        .limit(MOST_RULES)
        .select((rule::rule_id, rule::definition))
        .load(connection)
        .await?;
    let mut rules = Vec::with_capacity(rows.len());
    for (rule_id, definition) in rows {
        let rule: Rule = document("a rule", &definition)?;
        if !rule.archived {
            rules.push((rule_id, rule));
        }
    }
    Ok(rules)
}

/// Up to `limit` rules of a program as they are now, by id, after `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<RuleRecord>, StorageError> {
    let rows: Vec<(String, u32, String, NaiveDateTime)> = rule::table
        .filter(rule::merchant_id.eq(merchant_id).and(rule::program_id.eq(program_id)))
        .filter(rule::rule_id.gt(after).and(rule::until_version.eq(CURRENT)))
        .order(rule::rule_id)
        .limit(limit)
        .select((rule::rule_id, rule::from_version, rule::definition, rule::recorded_at))
        .load(connection)
        .await?;
    rows.into_iter().map(|row| record(program_id, row)).collect()
}

/// A rule as it is now; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    rule_id: &str,
) -> Result<Option<RuleRecord>, StorageError> {
    let row: Option<(String, u32, String, NaiveDateTime)> = rule::table
        .filter(rule::merchant_id.eq(merchant_id).and(rule::program_id.eq(program_id)))
        .filter(rule::rule_id.eq(rule_id).and(rule::until_version.eq(CURRENT)))
        .select((rule::rule_id, rule::from_version, rule::definition, rule::recorded_at))
        .first(connection)
        .await
        .optional()?;
    row.map(|row| record(program_id, row)).transpose()
}

/// The rule that a version ended; `None` when there was none of this id.
pub(crate) async fn until(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    rule_id: &str,
    version: u32,
) -> Result<Option<Rule>, StorageError> {
    let definition: Option<String> = rule::table
        .filter(rule::merchant_id.eq(merchant_id).and(rule::program_id.eq(program_id)))
        .filter(rule::rule_id.eq(rule_id).and(rule::until_version.eq(version)))
        .select(rule::definition)
        .first(connection)
        .await
        .optional()?;
    definition.map(|definition| document("a rule", &definition)).transpose()
}

/// Up to `limit` versions of a rule, newest first, of those before the version `before`, each with the one that ended it.
pub(crate) async fn versions(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    rule_id: &str,
    before: u32,
    limit: i64,
) -> Result<Vec<(RuleRecord, u32)>, StorageError> {
    let rows: Vec<(String, u32, String, NaiveDateTime, u32)> = rule::table
        .filter(rule::merchant_id.eq(merchant_id).and(rule::program_id.eq(program_id)))
        .filter(rule::rule_id.eq(rule_id).and(rule::from_version.lt(before)))
        .order(rule::from_version.desc())
        .limit(limit)
        .select((
            rule::rule_id,
            rule::from_version,
            rule::definition,
            rule::recorded_at,
            rule::until_version,
        ))
        .load(connection)
        .await?;
    let versions = rows.into_iter().map(|(rule_id, from, definition, recorded_at, until)| {
        Ok((record(program_id, (rule_id, from, definition, recorded_at))?, until))
    });
    versions.collect()
}

/// Puts a rule in force from `version` on; the one of the same id before ends there.
pub(crate) async fn put(
    connection: &mut Connection,
    merchant_id: u32,
    record: &RuleRecord,
    version: u32,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(
        rule::table
            .filter(
                rule::merchant_id
                    .eq(merchant_id)
                    .and(rule::program_id.eq(&record.program_id)),
            )
            .filter(rule::rule_id.eq(&record.rule_id).and(rule::until_version.eq(CURRENT))),
    )
    .set(rule::until_version.eq(version))
    .execute(connection)
    .await?;
    diesel::insert_into(rule::table)
        .values((
            rule::merchant_id.eq(merchant_id),
            rule::program_id.eq(&record.program_id),
            rule::rule_id.eq(&record.rule_id),
            rule::from_version.eq(version),
            rule::until_version.eq(CURRENT),
            rule::definition.eq(json(&record.rule)?),
            rule::recorded_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

fn record(program_id: &str, row: (String, u32, String, NaiveDateTime)) -> Result<RuleRecord, StorageError> {
    let (rule_id, since_version, definition, updated_at) = row;
    Ok(RuleRecord {
        program_id: program_id.to_owned(),
        rule_id,
        since_version,
        rule: document("a rule", &definition)?,
        updated_at: instant(updated_at),
    })
}
