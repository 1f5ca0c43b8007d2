//! Table `product`.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::connection::Connection;
use super::error::StorageError;
use super::program::{CURRENT, ProgramKey};
use super::schema::product;
use super::statement::{self, Insert};
use crate::domain::answer::ProductRecord;
use crate::domain::product::{MOST_PRODUCTS, ProductEdit, ProductPoints, Products};

/// Products of one question: fewer than the 1,000 from which on MariaDB treats a list of values as a table.
const IDS_OF_A_QUESTION: usize = 500;
/// Products read at once on the way to memory.
const LOAD_PAGE: i64 = 20_000;

/// A product as it is now: `None` when it was removed.
pub(crate) struct CurrentProduct {
    pub(crate) from_version: u32,
    pub(crate) points: Option<ProductPoints>,
}

/// All products of a program in force under one version, which last changed in `products_version`.
pub(crate) async fn in_force(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
    products_version: u32,
) -> Result<Products, StorageError> {
    let mut products = Products::new(products_version);
    let mut after = String::new();
    loop {
        let rows: Vec<(String, Option<Decimal>, Option<Decimal>)> = product::table
            .filter(product::merchant_id.eq(key.0).and(product::program_id.eq(&*key.1)))
            .filter(product::product_id.gt(&after))
            .filter(
                product::from_version
                    .le(version)
                    .and(product::until_version.gt(version)),
            )
            .filter(product::points.is_not_null().or(product::redeem_points.is_not_null()))
            .order(product::product_id)
            .limit(LOAD_PAGE)
            .select((product::product_id, product::points, product::redeem_points))
            .load(connection)
            .await?;
        let is_last = rows.len() < usize::try_from(LOAD_PAGE).unwrap_or(usize::MAX);
        for (product_id, points, redeem_points) in rows {
            if !products.push(&product_id, ProductPoints { points, redeem_points }) {
                return Err(out_of_order(key));
            }
            after = product_id;
        }
        if is_last {
            products.shrink();
            return Ok(products);
        }
        if products.len() > MOST_PRODUCTS as usize {
            return Err(StorageError::Corrupt(format!(
                "program {} has too many products",
                key.1
            )));
        }
    }
}

/// Those of these products, which come in rising order, that were in force under one version.
pub(crate) async fn in_force_of(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
    product_ids: &[&str],
) -> Result<Products, StorageError> {
    let mut products = Products::new(version);
    for product_ids in product_ids.chunks(IDS_OF_A_QUESTION) {
        let rows: Vec<(String, Option<Decimal>, Option<Decimal>)> = product::table
            .filter(product::merchant_id.eq(key.0).and(product::program_id.eq(&*key.1)))
            .filter(product::product_id.eq_any(product_ids))
            .filter(
                product::from_version
                    .le(version)
                    .and(product::until_version.gt(version)),
            )
            .filter(product::points.is_not_null().or(product::redeem_points.is_not_null()))
            .order(product::product_id)
            .select((product::product_id, product::points, product::redeem_points))
            .load(connection)
            .await?;
        for (product_id, points, redeem_points) in rows {
            if !products.push(&product_id, ProductPoints { points, redeem_points }) {
                return Err(out_of_order(key));
            }
        }
    }
    Ok(products)
}

/// The products in force under `version`, from those of an earlier version and what changed since; `None` when so much
/// did that all of them are loaded faster.
pub(crate) async fn in_force_since(
    connection: &mut Connection,
    key: &ProgramKey,
    version: u32,
    products_version: u32,
    before: &Products,
) -> Result<Option<Products>, StorageError> {
    let rows: Vec<(String, Option<Decimal>, Option<Decimal>)> = product::table
        .filter(product::merchant_id.eq(key.0).and(product::program_id.eq(&*key.1)))
        .filter(
            product::from_version
                .gt(before.version())
                .and(product::from_version.le(version)),
        )
        .filter(product::until_version.gt(version))
        // The order of the index: in the order of ids the database would go through all products.
        .order((product::from_version, product::product_id))
        .limit(LOAD_PAGE)
        .select((product::product_id, product::points, product::redeem_points))
        .load(connection)
        .await?;
    if rows.len() >= usize::try_from(LOAD_PAGE).unwrap_or(usize::MAX) {
        return Ok(None);
    }
    let changes = rows
        .into_iter()
        .map(|(id, points, redeem_points)| (id, values(points, redeem_points)));
    let mut changes: Vec<(String, Option<ProductPoints>)> = changes.collect();
    changes.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let products = before
        .with_changes(products_version, &changes)
        .ok_or_else(|| out_of_order(key))?;
    Ok(Some(products))
}

/// Those of these products that a program has, or had until they were removed.
pub(crate) async fn current(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    product_ids: &[&str],
) -> Result<HashMap<String, CurrentProduct>, StorageError> {
    let mut found = HashMap::with_capacity(product_ids.len());
    for product_ids in product_ids.chunks(IDS_OF_A_QUESTION) {
        let rows: Vec<(String, u32, Option<Decimal>, Option<Decimal>)> = product::table
            .filter(
                product::merchant_id
                    .eq(merchant_id)
                    .and(product::program_id.eq(program_id)),
            )
            .filter(product::product_id.eq_any(product_ids))
            .filter(product::until_version.eq(CURRENT))
            .select((
                product::product_id,
                product::from_version,
                product::points,
                product::redeem_points,
            ))
            .load(connection)
            .await?;
        for (product_id, from_version, points, redeem_points) in rows {
            let points = values(points, redeem_points);
            found.insert(product_id, CurrentProduct { from_version, points });
        }
    }
    Ok(found)
}

/// Puts these values in force from `version` on; the ones before, where there are some, end there.
pub(crate) async fn put(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    version: u32,
    edits: &[&ProductEdit],
    before: &HashMap<String, CurrentProduct>,
) -> Result<(), StorageError> {
    let mut rows = Insert::new(
        "INSERT INTO product (merchant_id, program_id, product_id, from_version, until_version, points, redeem_points) \
         VALUES",
        // A row that is there already is one that ends.
        " ON DUPLICATE KEY UPDATE until_version = VALUES(until_version)",
    );
    for edit in edits {
        let mut row = |from: u32, until: u32, points: Option<ProductPoints>| {
            let ProductPoints { points, redeem_points } = points.unwrap_or_default();
            rows.row()
                .integer(merchant_id)
                .text(program_id)
                .text(&edit.product_id)
                .integer(from)
                .integer(until)
                .optional(points, Insert::decimal)
                .optional(redeem_points, Insert::decimal);
        };
        if let Some(before) = before.get(&edit.product_id) {
            row(before.from_version, version, before.points);
        }
        row(version, CURRENT, edit.points);
    }
    statement::execute(connection, rows.finish()).await
}

/// Up to `limit` products of a program as they are now, by id, after `after` and with ids that begin with `prefix`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ProductRecord>, StorageError> {
    let rows: Vec<(String, u32, Option<Decimal>, Option<Decimal>)> = product::table
        .filter(
            product::merchant_id
                .eq(merchant_id)
                .and(product::program_id.eq(program_id)),
        )
        .filter(product::product_id.ge(prefix).and(product::product_id.gt(after)))
        .filter(product::until_version.eq(CURRENT))
        .filter(product::points.is_not_null().or(product::redeem_points.is_not_null()))
        .order(product::product_id)
        .limit(limit)
        .select((
            product::product_id,
            product::from_version,
            product::points,
            product::redeem_points,
        ))
        .load(connection)
        .await?;
    let records = rows
        .into_iter()
        .map(|(product_id, since_version, points, redeem_points)| ProductRecord {
            product_id,
            since_version,
            points: ProductPoints { points, redeem_points },
        });
    // Ids with the prefix lie together: the first without it ends them.
    Ok(records
        .take_while(|record| record.product_id.starts_with(prefix))
        .collect())
}

/// A product as it is now; `None` when there is none.
pub(crate) async fn find(
    connection: &mut Connection,
    merchant_id: u32,
    program_id: &str,
    product_id: &str,
) -> Result<Option<ProductRecord>, StorageError> {
    let current = current(connection, merchant_id, program_id, &[product_id]).await?;
    let found = current.into_iter().find_map(|(product_id, product)| {
        product.points.map(|points| ProductRecord {
            product_id,
            since_version: product.from_version,
            points,
        })
    });
    Ok(found)
}

fn out_of_order(key: &ProgramKey) -> StorageError {
    StorageError::Corrupt(format!("the products of program {} are out of order", key.1))
}

/// What a row says; `None`: the product was removed.
pub(super) fn values(points: Option<Decimal>, redeem_points: Option<Decimal>) -> Option<ProductPoints> {
    let is_there = points.is_some() || redeem_points.is_some();
    is_there.then_some(ProductPoints { points, redeem_points })
}
