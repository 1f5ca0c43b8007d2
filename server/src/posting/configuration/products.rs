//! A load of products: one version of the program, however many they are.

use super::{Change, open_program};
use crate::domain::answer::{ProductsRecord, StoredAnswer};
use crate::domain::product::{self, ProductEdit};
use crate::domain::rejection::Rejection;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::product as table;
use crate::storage::program::{self, Locked};

/// Puts what changes in force with the next version. A load that changes nothing makes none.
pub(super) async fn upsert(
    connection: &mut Connection,
    change: &Change,
    locked: Locked,
    edits: &[ProductEdit],
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let program = match open_program(connection, change).await? {
        Ok(program) => program,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let product_ids: Vec<&str> = edits.iter().map(|edit| edit.product_id.as_str()).collect();
    let current = table::current(connection, merchant_id, program_id, &product_ids).await?;
    let points_of = |product_id: &str| current.get(product_id).and_then(|product| product.points);
    let (changed, counts) = match product::changes(edits, points_of, locked.product_count, program.decimals) {
        Ok(changes) => changes,
        Err(rejection) => return Ok(Err(rejection)),
    };

    let mut version = locked.version;
    if !counts.is_nothing() {
        version += 1;
        table::put(connection, merchant_id, program_id, version, &changed, &current).await?;
        let product_count = counts.count_after(locked.product_count);
        program::set_products_version(connection, merchant_id, program_id, version, product_count).await?;
    }
    Ok(Ok(StoredAnswer::Products(ProductsRecord { version, counts })))
}
