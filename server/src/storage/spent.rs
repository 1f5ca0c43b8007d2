//! What redemptions took out of which lots, for what gives it back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::lot;
use crate::domain::account::Books;
use crate::domain::lot::{Lot, LotKey, LotPlace};

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

/// Lots of merged members as an unfinished batch leaves them, and where each went.
pub(crate) type Unwritten = HashMap<LotPlace, (Lot, Option<LotPlace>)>;

/// What became of a lot of a member who was merged into another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    /// The lot that its points came into at last.
    pub(crate) place: LotPlace,
    /// What lapsed of it, and of those it went through, in books of members who are merged by now.
    pub(crate) lapsed: Decimal,
}

/// Follows lots into the books of `into`, as far as their points went.
pub(crate) async fn follow(
    connection: &mut Connection,
    (merchant_id, into): AccountKey,
    lots: impl Iterator<Item = LotPlace>,
    unwritten: &Unwritten,
) -> Result<BTreeMap<LotPlace, Followed>, StorageError> {
    let lapsed = Decimal::ZERO;
    let mut followed: BTreeMap<LotPlace, Followed> = lots.map(|place| (place, Followed { place, lapsed })).collect();
    let mut going: Vec<LotPlace> = followed.keys().copied().collect();
    while !going.is_empty() {
        let mut asked: BTreeMap<Uuid, Vec<LotKey>> = BTreeMap::new();
        going.retain(|start| followed.get(start).is_some_and(|lot| lot.place.member_id != into));
        for place in going.iter().filter_map(|start| Some(followed.get(start)?.place)) {
            if !unwritten.contains_key(&place) {
                asked.entry(place.member_id).or_default().push(place.lot);
            }
        }
        let mut found = Unwritten::new();
        for (member_id, keys) in asked {
            for (lot, row, moved_to) in lot::find(connection, (merchant_id, member_id), &keys).await? {
                found.insert(LotPlace { member_id, lot }, (row, moved_to));
            }
        }
        going.retain(|start| {
            let Some(lot) = followed.get_mut(start) else {
                return false;
            };
            let Some((row, moved_to)) = unwritten.get(&lot.place).or_else(|| found.get(&lot.place)) else {
                return false;
            };
            lot.lapsed += row.lapsed;
            lot.place = moved_to.unwrap_or(lot.place);
            moved_to.is_some()
        });
    }
    Ok(followed)
}

/// What was taken out of lots of a member who is merged by now, out of the lots that these went to: points that come back
/// lapse as those do.
pub(crate) async fn taken_where_it_went(
    connection: &mut Connection,
    account: AccountKey,
    books: &mut Books,
    (member_id, taken): (Uuid, Vec<(LotKey, Decimal)>),
    unwritten: &Unwritten,
) -> Result<Vec<(LotKey, Decimal)>, StorageError> {
    let place = |lot| LotPlace { member_id, lot };
    let places = taken.iter().map(|(key, _)| place(*key));
    let followed = follow(connection, account, places, unwritten).await?;
    let here = followed.values().map(|followed| followed.place);
    let here = here.filter(|place| place.member_id == account.1);
    let here: Vec<LotKey> = here.map(|place| place.lot).collect();
    learn(connection, account, books, here.into_iter()).await?;
    let went_to = |key: LotKey| {
        let went_to = followed.get(&place(key)).map_or(place(key), |followed| followed.place);
        match went_to.member_id == account.1 {
            true => books.with_moves(went_to.lot).last().unwrap_or(went_to.lot),
            false => went_to.lot,
        }
    };
    Ok(taken.iter().map(|(key, points)| (went_to(*key), *points)).collect())
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
                let is_unknown = into.member_id == account.1 && books.lot(into.lot).is_none();
                asked.extend(is_unknown.then_some(into.lot));
            }
        }
    }
    Ok(())
}
