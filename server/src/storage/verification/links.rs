//! Links of the hash chain as rows.

use std::collections::{BTreeMap, HashSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, TinyInt, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::domain::chain::{GENESIS, Hash, Source};
use crate::domain::verification::{Drift, DriftKind, StoredLink, check_link};
use crate::storage::connection::Connection;
use crate::storage::entry_runs::{StoredEntry, Stretch};
use crate::storage::error::StorageError;
use crate::storage::value::{hash, id};

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct LinkRow {
    #[diesel(sql_type = Unsigned<TinyInt>)]
    shard: u8,
    #[diesel(sql_type = Unsigned<BigInt>)]
    position: u64,
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
    #[diesel(sql_type = Unsigned<TinyInt>)]
    source: u8,
    #[diesel(sql_type = Unsigned<TinyInt>)]
    form: u8,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Nullable<Binary>)]
    before: Option<Vec<u8>>,
}

impl LinkRow {
    fn read(self) -> Result<(StoredLink, Option<Hash>), StorageError> {
        let before = match self.before {
            Some(before) => Some(hash(before)?),
            None => (self.position == 1).then_some(GENESIS),
        };
        let link = StoredLink {
            shard: self.shard,
            position: self.position,
            member_id: id(&self.member_id)?,
            sequence: self.sequence,
            source: match self.source {
                1 => Some(Source::Announced),
                2 => Some(Source::Found),
                _ => None,
            },
            form: self.form,
            hash: hash(self.hash)?,
        };
        Ok((link, before))
    }
}

/// Holds entries of a member, who is sealed up to `sealed`, against their links.
pub(super) async fn check_member(
    connection: &mut Connection,
    merchant_id: u32,
    stretch: &Stretch,
    sealed: u64,
    entries: &BTreeMap<(Uuid, u64), StoredEntry>,
) -> Result<Vec<Drift>, StorageError> {
    let Stretch { member_id, first, last } = *stretch;
    let links = of_member(connection, merchant_id, stretch).await?;
    let (mut drifts, mut linked) = (Vec::new(), HashSet::new());
    for (link, before) in links {
        let entry = entries.get(&(member_id, link.sequence));
        let content = entry.map(|entry| entry.content(merchant_id, member_id));
        drifts.extend(check_link(&link, before.as_ref(), content.as_ref()));
        linked.insert(link.sequence);
    }
    let stretch = entries.range((member_id, first)..=(member_id, last));
    let unlinked = stretch.filter(|((_, sequence), _)| *sequence <= sealed && !linked.contains(sequence));
    drifts.extend(unlinked.map(|((_, sequence), _)| {
        let drift = Drift::new(DriftKind::HashChain, "position").of_member(member_id);
        drift.of_entry(*sequence)
    }));
    Ok(drifts)
}

/// The links of a member's entries, each with the hash before it (none: that link is missing).
async fn of_member(
    connection: &mut Connection,
    merchant_id: u32,
    stretch: &Stretch,
) -> Result<Vec<(StoredLink, Option<Hash>)>, StorageError> {
    let Stretch { member_id, first, last } = stretch;
    let text = format!(
        "SELECT f.shard, f.position, f.member_id, f.sequence, f.source, f.form, f.hash, b.hash AS `before` \
         FROM feed f FORCE INDEX (feed_entry) LEFT JOIN feed b \
         ON b.merchant_id = f.merchant_id AND b.shard = f.shard AND b.position = f.position - 1 \
         WHERE f.merchant_id = {merchant_id} AND f.member_id = x'{}' AND f.sequence BETWEEN {first} AND {last} \
         ORDER BY f.sequence",
        member_id.simple()
    );
    let rows: Vec<LinkRow> = diesel::sql_query(text).load(connection).await?;
    rows.into_iter().map(LinkRow::read).collect()
}

/// The next links of a shard from a position on.
pub(super) async fn of_shard(
    connection: &mut Connection,
    merchant_id: u32,
    shard: u8,
    from: u64,
    limit: u64,
) -> Result<Vec<StoredLink>, StorageError> {
    let text = format!(
        "SELECT shard, position, member_id, sequence, source, form, hash, NULL AS `before` FROM feed \
         FORCE INDEX (PRIMARY) WHERE merchant_id = {merchant_id} AND shard = {shard} AND position >= {from} \
         ORDER BY position LIMIT {limit}"
    );
    let rows: Vec<LinkRow> = diesel::sql_query(text).load(connection).await?;
    rows.into_iter().map(|row| Ok(row.read()?.0)).collect()
}
