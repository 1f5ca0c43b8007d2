//! Table `configuration_change`.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::configuration_change as changes;
use super::value::{document, instant, json};
use crate::domain::configuration_change::{Changed, ConfigurationChange, ResourceKind};

/// Which changes are asked for; `None` is any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) program_id: Option<String>,
    pub(crate) kind: Option<ResourceKind>,
    pub(crate) resource_id: Option<String>,
    pub(crate) actor: Option<String>,
    /// Inclusive.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub(crate) until: Option<DateTime<Utc>>,
}

/// Where a change stands in the list, newest first: two changes of one program at one instant in the order of their
/// versions.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) version: u32,
    pub(crate) program_id: String,
}

type Row = (
    String,
    u32,
    u8,
    String,
    String,
    String,
    NaiveDateTime,
    Option<String>,
    String,
);

/// Writes down a change.
pub(crate) async fn insert(
    connection: &mut Connection,
    merchant_id: u32,
    change: &ConfigurationChange,
) -> Result<(), StorageError> {
    let (resource_id, before, after) = match &change.changed {
        Changed::Program { before, after } => {
            let before = before.as_ref().map(json).transpose()?;
            (change.program_id.as_str(), before, json(after)?)
        }
        Changed::Rule { rule_id, before, after } => {
            let before = before.as_ref().map(json).transpose()?;
            (rule_id.as_str(), before, json(after)?)
        }
        Changed::Reward {
            reward_id,
            before,
            after,
        } => {
            let before = before.as_ref().map(json).transpose()?;
            (reward_id.as_str(), before, json(after)?)
        }
        Changed::Products(counts) => ("", None, json(counts)?),
        Changed::Reason {
            reason_id,
            before,
            after,
        } => {
            let before = before.as_ref().map(json).transpose()?;
            (reason_id.as_str(), before, json(after)?)
        }
        Changed::ReceiptTemplates { before, after } => {
            let before = before.as_ref().map(json).transpose()?;
            ("", before, json(after)?)
        }
        Changed::ExpirySchedule { before, after } => ("", Some(json(before)?), json(after)?),
        Changed::OfflinePolicy { before, after } => ("", Some(json(before)?), json(after)?),
    };
    diesel::insert_into(changes::table)
        .values((
            changes::merchant_id.eq(merchant_id),
            changes::program_id.eq(&change.program_id),
            changes::version.eq(change.version),
            changes::resource_kind.eq(number(change.changed.kind())),
            changes::resource_id.eq(resource_id),
            changes::actor.eq(&change.actor),
            changes::request_id.eq(&change.request_id),
            changes::recorded_at.eq(change.recorded_at.naive_utc()),
            changes::old_document.eq(before),
            changes::new_document.eq(after),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// When a program last changed; `None` when it never did.
pub(crate) async fn last_instant(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
) -> Result<Option<DateTime<Utc>>, StorageError> {
    let last: Option<NaiveDateTime> = changes::table
        .filter(
            changes::merchant_id
                .eq(merchant_id)
                .and(changes::program_id.eq(program_id)),
        )
        .order(changes::version.desc())
        .select(changes::recorded_at)
        .first(connection)
        .await
        .optional()?;
    Ok(last.map(instant))
}

/// The version of a program that ruled at an instant; `None` before there was any.
pub(crate) async fn version_at(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    at: DateTime<Utc>,
) -> Result<Option<u32>, StorageError> {
    Ok(changes::table
        .filter(
            changes::merchant_id
                .eq(merchant_id)
                .and(changes::program_id.eq(program_id)),
        )
        .filter(changes::recorded_at.le(at.naive_utc()))
        .order((changes::recorded_at.desc(), changes::version.desc()))
        .select(changes::version)
        .first(connection)
        .await
        .optional()?)
}

/// Up to `limit` changes, newest first, behind `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &Wanted,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<ConfigurationChange>, StorageError> {
    let mut query = changes::table
        .filter(changes::merchant_id.eq(merchant_id))
        .order((
            changes::recorded_at.desc(),
            changes::version.desc(),
            changes::program_id.desc(),
        ))
        .limit(limit)
        .select((
            changes::program_id,
            changes::version,
            changes::resource_kind,
            changes::resource_id,
            changes::actor,
            changes::request_id,
            changes::recorded_at,
            changes::old_document,
            changes::new_document,
        ))
        .into_boxed();
    if let Some(program_id) = &wanted.program_id {
        query = query.filter(changes::program_id.eq(program_id));
    }
    if let Some(kind) = wanted.kind {
        query = query.filter(changes::resource_kind.eq(number(kind)));
    }
    if let Some(resource_id) = &wanted.resource_id {
        query = query.filter(changes::resource_id.eq(resource_id));
    }
    if let Some(actor) = &wanted.actor {
        query = query.filter(changes::actor.eq(actor));
    }
    if let Some(from) = wanted.from {
        query = query.filter(changes::recorded_at.ge(from.naive_utc()));
    }
    if let Some(until) = wanted.until {
        query = query.filter(changes::recorded_at.lt(until.naive_utc()));
    }
    if let Some(after) = after {
        let at = after.recorded_at.naive_utc();
        let same_program_or_less = changes::version
            .eq(after.version)
            .and(changes::program_id.lt(&after.program_id));
        let same_instant = changes::recorded_at
            .eq(at)
            .and(changes::version.lt(after.version).or(same_program_or_less));
        // The first condition, which the second implies, is the one that a key can begin at.
        query = query
            .filter(changes::recorded_at.le(at))
            .filter(changes::recorded_at.lt(at).or(same_instant));
    }
    let rows: Vec<Row> = query.load(connection).await?;
    rows.into_iter().map(change).collect()
}

/// Who made these versions of a program.
pub(crate) async fn actors(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    versions: &[u32],
) -> Result<Vec<(u32, String)>, StorageError> {
    Ok(changes::table
        .filter(
            changes::merchant_id
                .eq(merchant_id)
                .and(changes::program_id.eq(program_id)),
        )
        .filter(changes::version.eq_any(versions))
        .select((changes::version, changes::actor))
        .load(connection)
        .await?)
}

fn change(row: Row) -> Result<ConfigurationChange, StorageError> {
    let (program_id, version, kind, resource_id, actor, request_id, recorded_at, before, after) = row;
    let changed = match kind {
        1 => Changed::Program {
            before: before.as_deref().map(|text| document("a program", text)).transpose()?,
            after: document("a program", &after)?,
        },
        2 => Changed::Rule {
            rule_id: resource_id,
            before: before.as_deref().map(|text| document("a rule", text)).transpose()?,
            after: document("a rule", &after)?,
        },
        3 => Changed::Products(document("counts of products", &after)?),
        4 => Changed::Reward {
            reward_id: resource_id,
            before: before.as_deref().map(|text| document("a reward", text)).transpose()?,
            after: document("a reward", &after)?,
        },
        10 => Changed::Reason {
            reason_id: resource_id,
            before: before.as_deref().map(|text| document("a reason", text)).transpose()?,
            after: document("a reason", &after)?,
        },
        11 => Changed::ReceiptTemplates {
            before: before
                .as_deref()
                .map(|text| document("receipt templates", text))
                .transpose()?,
            after: document("receipt templates", &after)?,
        },
        12 => Changed::ExpirySchedule {
            before: document("a schedule", before.as_deref().unwrap_or_default())?,
            after: document("a schedule", &after)?,
        },
        13 => Changed::OfflinePolicy {
            before: document("an offline policy", before.as_deref().unwrap_or_default())?,
            after: document("an offline policy", &after)?,
        },
        other => return Err(StorageError::Corrupt(format!("a change of the unknown kind {other}"))),
    };
    Ok(ConfigurationChange {
        program_id,
        version,
        actor,
        request_id,
        recorded_at: instant(recorded_at),
        changed,
    })
}

fn number(kind: ResourceKind) -> u8 {
    match kind {
        ResourceKind::Program => 1,
        ResourceKind::Rule => 2,
        ResourceKind::Products => 3,
        ResourceKind::Reward => 4,
        ResourceKind::Reason => 10,
        ResourceKind::ReceiptTemplates => 11,
        ResourceKind::ExpirySchedule => 12,
        ResourceKind::OfflinePolicy => 13,
    }
}
