//! Table `product`, read as the history that it is: every change is a row that begins.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::connection::Connection;
use super::error::StorageError;
use super::product::values;
use super::schema::product;
use crate::domain::answer::ProductChange;
use crate::domain::product::ProductPoints;

/// Where a change of a product stands in the list: by version, then by id.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) version: u32,
    pub(crate) product_id: String,
}

/// Which changes of products are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) program_id: String,
    /// `None`: of all products.
    pub(crate) product_id: Option<String>,
    pub(crate) from_version: u32,
    /// Inclusive.
    pub(crate) to_version: u32,
}

/// Up to `limit` changes of products, oldest first, behind `after`.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    wanted: &Wanted,
    after: Option<&Position>,
    limit: i64,
) -> Result<Vec<ProductChange>, StorageError> {
    let of_program = product::merchant_id
        .eq(merchant_id)
        .and(product::program_id.eq(&wanted.program_id));
    let from_version = after.map_or(wanted.from_version, |after| after.version.max(wanted.from_version));
    let mut query = product::table
        .filter(of_program)
        .filter(product::from_version.ge(from_version))
        .filter(product::from_version.le(wanted.to_version))
        .order((product::from_version, product::product_id))
        .limit(limit)
        .select((
            product::product_id,
            product::from_version,
            product::points,
            product::redeem_points,
        ))
        .into_boxed();
    if let Some(product_id) = &wanted.product_id {
        query = query.filter(product::product_id.eq(product_id));
    }
    if let Some(after) = after {
        let is_behind = product::from_version
            .gt(after.version)
            .or(product::product_id.gt(&after.product_id));
        query = query.filter(is_behind);
    }
    let rows: Vec<(String, u32, Option<Decimal>, Option<Decimal>)> = query.load(connection).await?;

    let ids: BTreeSet<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    let ended: Vec<(String, u32, Option<Decimal>, Option<Decimal>)> = product::table
        .filter(of_program)
        .filter(product::product_id.eq_any(ids))
        .filter(product::until_version.ge(from_version))
        .filter(product::until_version.le(wanted.to_version))
        .select((
            product::product_id,
            product::until_version,
            product::points,
            product::redeem_points,
        ))
        .load(connection)
        .await?;
    let mut ended: HashMap<(String, u32), Option<ProductPoints>> = ended
        .into_iter()
        .map(|(id, version, points, redeem_points)| ((id, version), values(points, redeem_points)))
        .collect();
    let changes = rows.into_iter().map(|(product_id, version, points, redeem_points)| {
        let key = (product_id, version);
        ProductChange {
            before: ended.remove(&key).flatten(),
            after: values(points, redeem_points),
            product_id: key.0,
            version,
        }
    });
    Ok(changes.collect())
}
