//! What redemptions took out of which lots, for what gives it back.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::lot;
use crate::domain::account::Books;
use crate::domain::lot::LotKey;

/// What entries took out of which lots, in the order they took it; some of it perhaps not written yet. `account` is whose
/// books they were in.
pub(crate) async fn lots(
    connection: &mut Connection,
    account: AccountKey,
    sequences: &[u64],
    books: &Books,
) -> Result<Vec<(LotKey, Decimal)>, StorageError> {
    let (Some(first), Some(last)) = (sequences.iter().min(), sequences.iter().max()) else {
        return Ok(Vec::new());
    };
    let written = lot::allocations(connection, account, *first, *last).await?;
    let of_entry = |sequence: &u64| {
        let sequence = *sequence;
        let all = written.iter().chain(&books.new_allocations);
        let taken = all.filter(move |allocation| allocation.entry_sequence == sequence);
        taken.map(|allocation| (allocation.lot, -allocation.points))
    };
    Ok(sequences.iter().flat_map(of_entry).collect())
}

/// Takes these lots into the books, open or used up, and those that their points went to.
pub(crate) async fn learn(
    connection: &mut Connection,
    account: AccountKey,
    books: &mut Books,
    keys: impl Iterator<Item = LotKey>,
) -> Result<(), StorageError> {
    let mut asked: BTreeSet<LotKey> = keys.filter(|key| books.lot(*key).is_none()).collect();
    while !asked.is_empty() {
        let keys: Vec<LotKey> = std::mem::take(&mut asked).into_iter().collect();
        for (key, lot, moved_to) in lot::find(connection, account, &keys).await? {
            books.learn_lot(key, lot);
            if let Some(into) = moved_to {
                books.learn_move(key, into);
                asked.extend(Some(into).filter(|into| books.lot(*into).is_none()));
            }
        }
    }
    Ok(())
}
