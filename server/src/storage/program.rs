//! Tables `program` and `program_definition`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::{program, program_definition};
use super::value::{document, instant, json};
use super::{reward, rule};
use crate::domain::answer::ProgramRecord;
use crate::domain::product::Products;
use crate::domain::program::{Program, ProgramVersion};
use crate::domain::reward::Rewards;
use crate::domain::rule::set::RuleSet;

/// Rows with this upper bound are in force now.
pub(crate) const CURRENT: u32 = u32::MAX;

/// Programs that are asked whether they take a customer: more than one with the same priority is refused anyway.
const MOST_OPT_IN: i64 = 1_000;

/// A program of a merchant.
pub(crate) type ProgramKey = (u32, Arc<str>);

type Filter = Box<dyn BoxableExpression<program::table, Mysql, SqlType = diesel::sql_types::Bool>>;
/// What is current of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CurrentVersion {
    pub(crate) version: u32,
    /// In which its products last changed; 0 when it never had any.
    pub(crate) products_version: u32,
}

/// A program that is locked against other changes of its configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Locked {
    pub(crate) version: u32,
    pub(crate) product_count: u32,
}

type DefinitionRow = (String, u32, String, NaiveDateTime, u32, NaiveDateTime);

/// The current versions; programs that do not exist are left out.
pub(crate) async fn current_versions(
    connection: &mut Connection,
    keys: impl Iterator<Item = ProgramKey>,
) -> Result<Vec<(ProgramKey, CurrentVersion)>, StorageError> {
    let mut by_merchant: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (merchant_id, program_id) in keys {
        by_merchant.entry(merchant_id).or_default().push(program_id.to_string());
    }
    let alone = by_merchant.len() == 1;
    let filters = by_merchant.into_iter().map(|(merchant_id, ids)| -> Filter {
        Box::new(
            program::merchant_id
                .eq(merchant_id)
                .and(one_of(program::program_id, ids, alone)),
        )
    });
    let Some(filter) = filters.reduce(|all, filter| Box::new(all.or(filter))) else {
        return Ok(Vec::new());
    };
    let rows: Vec<(u32, String, u32, u32)> = program::table
        .filter(filter)
        .select((
            program::merchant_id,
            program::program_id,
            program::version,
            program::products_version,
        ))
        .load(connection)
        .await?;
    let versions = rows.into_iter().map(|(merchant, id, version, products_version)| {
        let current = CurrentVersion {
            version,
            products_version,
        };
        ((merchant, id.into()), current)
    });
    Ok(versions.collect())
}

/// Programs that enrol customers by their first sale.
pub(crate) async fn with_auto_opt_in(
    connection: &mut Connection,
    merchant_id: u32,
) -> Result<Vec<ProgramKey>, StorageError> {
    let rows: Vec<String> = program::table
        .filter(program::merchant_id.eq(merchant_id).and(program::auto_opt_in.eq(1)))
        .order(program::program_id)
        .limit(MOST_OPT_IN)
        .select(program::program_id)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|id| (merchant_id, id.into())).collect())
}

/// Locks a program against other changes of its configuration; `None` when there is none.
pub(crate) async fn lock(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
) -> Result<Option<Locked>, StorageError> {
    let row: Option<(u32, u32)> = program::table
        .filter(
            program::merchant_id
                .eq(merchant_id)
                .and(program::program_id.eq(program_id)),
        )
        .select((program::version, program::product_count))
        .for_update()
        .first(connection)
        .await
        .optional()?;
    Ok(row.map(|(version, product_count)| Locked { version, product_count }))
}

/// A program with the rules and rewards in force under one version, and these products.
pub(crate) async fn load_version(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
    products: Arc<Products>,
) -> Result<ProgramVersion, StorageError> {
    let definition: String = program_definition::table
        .filter(
            program_definition::merchant_id
                .eq(key.0)
                .and(program_definition::program_id.eq(&*key.1)),
        )
        .filter(
            program_definition::from_version
                .le(version)
                .and(program_definition::until_version.gt(version)),
        )
        .select(program_definition::definition)
        .first(connection)
        .await?;
    Ok(ProgramVersion {
        program_id: Arc::clone(&key.1),
        version,
        program: document("a program", &definition)?,
        rules: Arc::new(RuleSet::new(rule::in_force(connection, key, version).await?)),
        rewards: Arc::new(Rewards::new(reward::in_force(connection, key, version).await?)),
        products,
    })
}

/// A program as it is now; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
) -> Result<Option<ProgramRecord>, StorageError> {
    let mut page = page(connection, merchant_id, Start::At(program_id), 1).await?;
    Ok(page.pop().filter(|record| record.program_id == program_id))
}

/// The settings of a program that a version ended; `None` when there were none.
pub(crate) async fn until(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
) -> Result<Option<Program>, StorageError> {
    let definition: Option<String> = program_definition::table
        .filter(
            program_definition::merchant_id
                .eq(merchant_id)
                .and(program_definition::program_id.eq(program_id)),
        )
        .filter(program_definition::until_version.eq(version))
        .select(program_definition::definition)
        .first(connection)
        .await
        .optional()?;
    definition
        .map(|definition| document("a program", &definition))
        .transpose()
}

/// The program as it was under one of its versions; `None` when it has no such version.
pub(crate) async fn under(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
) -> Result<Option<Program>, StorageError> {
    let definition: Option<String> = program_definition::table
        .filter(
            program_definition::merchant_id
                .eq(merchant_id)
                .and(program_definition::program_id.eq(program_id)),
        )
        .filter(program_definition::from_version.le(version))
        .filter(program_definition::until_version.gt(version))
        .select(program_definition::definition)
        .first(connection)
        .await
        .optional()?;
    definition
        .map(|definition| document("a program", &definition))
        .transpose()
}

/// Where a page of programs starts.
pub(crate) enum Start<'a> {
    At(&'a str),
    After(&'a str),
}

/// Up to `limit` programs of a merchant by id.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    start: Start<'_>,
    limit: i64,
) -> Result<Vec<ProgramRecord>, StorageError> {
    let bound: Box<dyn BoxableExpression<_, Mysql, SqlType = diesel::sql_types::Bool>> = match start {
        Start::At(id) => Box::new(program::program_id.ge(id.to_owned())),
        Start::After(id) => Box::new(program::program_id.gt(id.to_owned())),
    };
    let rows: Vec<DefinitionRow> = program::table
        .inner_join(
            program_definition::table.on(program_definition::merchant_id
                .eq(program::merchant_id)
                .and(program_definition::program_id.eq(program::program_id))
                .and(program_definition::until_version.eq(CURRENT))),
        )
        .filter(program::merchant_id.eq(merchant_id))
        .filter(bound)
        .order(program::program_id)
        .limit(limit)
        .select((
            program::program_id,
            program::version,
            program_definition::definition,
            program::created_at,
            program_definition::from_version,
            program_definition::recorded_at,
        ))
        .load(connection)
        .await?;
    rows.into_iter().map(record).collect()
}

/// Writes a new program as its version 1.
pub(crate) async fn insert(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    settings: &Program,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(program::table)
        .values((
            program::merchant_id.eq(merchant_id),
            program::program_id.eq(program_id),
            program::version.eq(1),
            program::products_version.eq(0),
            program::product_count.eq(0),
            program::auto_opt_in.eq(u8::from(settings.enrolment.auto_opt_in)),
            program::birthdays_due_at.eq(birthdays_due_at(settings, now)),
            program::created_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    insert_definition(connection, merchant_id, program_id, 1, settings, now).await
}

/// Puts settings in force from `version` on; the ones before end there.
pub(crate) async fn replace(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
    settings: &Program,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::update(
        program_definition::table
            .filter(
                program_definition::merchant_id
                    .eq(merchant_id)
                    .and(program_definition::program_id.eq(program_id)),
            )
            .filter(program_definition::until_version.eq(CURRENT)),
    )
    .set(program_definition::until_version.eq(version))
    .execute(connection)
    .await?;
    insert_definition(connection, merchant_id, program_id, version, settings, now).await?;
    diesel::update(
        program::table.filter(
            program::merchant_id
                .eq(merchant_id)
                .and(program::program_id.eq(program_id)),
        ),
    )
    .set((
        program::version.eq(version),
        program::auto_opt_in.eq(u8::from(settings.enrolment.auto_opt_in)),
        program::birthdays_due_at.eq(birthdays_due_at(settings, now)),
    ))
    .execute(connection)
    .await?;
    Ok(())
}

/// After every change of the settings it is looked for birthdays at once, if they give anything for them.
fn birthdays_due_at(settings: &Program, now: DateTime<Utc>) -> Option<NaiveDateTime> {
    settings.birthday_bonus.map(|_| now.naive_utc())
}

/// Makes `version` the current one.
pub(crate) async fn set_version(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
) -> Result<(), StorageError> {
    diesel::update(
        program::table.filter(
            program::merchant_id
                .eq(merchant_id)
                .and(program::program_id.eq(program_id)),
        ),
    )
    .set(program::version.eq(version))
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes `version` the current one, in which the products changed.
pub(crate) async fn set_products_version(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
    product_count: u32,
) -> Result<(), StorageError> {
    diesel::update(
        program::table.filter(
            program::merchant_id
                .eq(merchant_id)
                .and(program::program_id.eq(program_id)),
        ),
    )
    .set((
        program::version.eq(version),
        program::products_version.eq(version),
        program::product_count.eq(product_count),
    ))
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert_definition(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
    settings: &Program,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    diesel::insert_into(program_definition::table)
        .values((
            program_definition::merchant_id.eq(merchant_id),
            program_definition::program_id.eq(program_id),
            program_definition::from_version.eq(version),
            program_definition::until_version.eq(CURRENT),
            program_definition::definition.eq(json(settings)?),
            program_definition::recorded_at.eq(now.naive_utc()),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

fn record(row: DefinitionRow) -> Result<ProgramRecord, StorageError> {
    let (program_id, version, definition, created_at, since_version, updated_at) = row;
    Ok(ProgramRecord {
        program_id,
        version,
        since_version,
        program: document("a program", &definition)?,
        created_at: instant(created_at),
        updated_at: instant(updated_at),
    })
}
