//! Tables `feed` and `feed_head`: all entries of a merchant in the order in which others follow them.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Unsigned};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::{feed, feed_head};
use super::statement::Insert;
use super::value::{hash, id};
use crate::domain::chain::{FORM, Hash, Head, Source};

/// Members of one question, with two keys each: fewer than the 1,000 from which on MariaDB treats a list of values as a
/// table.
const MEMBERS_OF_A_QUESTION: usize = 400;

/// Members of one question that has a branch for each.
const MEMBERS_OF_A_UNION: usize = 100;

/// A place of the feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) position: u64,
    pub(crate) member_id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) hash: Hash,
}

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::mysql::Mysql))]
struct SealedRow {
    #[diesel(sql_type = Binary)]
    member_id: Vec<u8>,
    #[diesel(sql_type = Unsigned<BigInt>)]
    sequence: u64,
}

/// The next places of a shard behind a position, in order.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    shard: u8,
    after: u64,
    limit: i64,
) -> Result<Vec<Place>, StorageError> {
    let rows: Vec<(u64, Vec<u8>, u64, Vec<u8>)> = feed::table
        .filter(feed::merchant_id.eq(merchant_id).and(feed::shard.eq(shard)))
        .filter(feed::position.gt(after))
        .order(feed::position)
        .limit(limit)
        .select((feed::position, feed::member_id, feed::sequence, feed::hash))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(position, member_id, sequence, row_hash)| {
            Ok(Place {
                position,
                member_id: id(&member_id)?,
                sequence,
                hash: hash(row_hash)?,
            })
        })
        .collect()
}

/// The heads of a merchant's shards; those without entries are left out.
pub(crate) async fn heads(connection: &mut Connection, merchant_id: u32) -> Result<HashMap<u8, Head>, StorageError> {
    let rows: Vec<(u8, u64, Vec<u8>)> = feed_head::table
        .filter(feed_head::merchant_id.eq(merchant_id))
        .select((feed_head::shard, feed_head::position, feed_head::hash))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(shard, position, row_hash)| {
            let hash = hash(row_hash)?;
            Ok((shard, Head { position, hash }))
        })
        .collect()
}

/// Up to which sequence members are sealed, given for each a sequence that nearly always is the next to be sealed.
/// Members of whom nothing is sealed are left out.
pub(crate) async fn sealed(
    connection: &mut Connection,
    merchant_id: u32,
    members: &[(Uuid, u64)],
) -> Result<HashMap<Uuid, u64>, StorageError> {
    let mut sealed: HashMap<Uuid, u64> = HashMap::new();
    for question in members.chunks(MEMBERS_OF_A_QUESTION) {
        let keys: Vec<String> = question.iter().map(|(id, next)| keys_around(*id, *next)).collect();
        let text = format!(
            "SELECT member_id, MAX(sequence) AS sequence FROM feed FORCE INDEX (feed_entry) \
             WHERE merchant_id = {merchant_id} AND (member_id, sequence) IN ({}) GROUP BY member_id",
            keys.join(",")
        );
        sealed.extend(load(connection, text).await?);
        let is_elsewhere = |(id, next): &&(Uuid, u64)| match sealed.get(id) {
            Some(to) => to >= next,
            None => *next > 1,
        };
        let elsewhere = question.iter().filter(is_elsewhere);
        let elsewhere: Vec<String> = elsewhere.map(|(id, _)| newest(merchant_id, *id)).collect();
        for question in elsewhere.chunks(MEMBERS_OF_A_UNION) {
            sealed.extend(load(connection, question.join(" UNION ALL ")).await?);
        }
    }
    Ok(sealed)
}

/// What nearly always is a member's last key and the next, as literals.
fn keys_around(member_id: Uuid, next: u64) -> String {
    let (member_id, last) = (member_id.simple(), next.saturating_sub(1));
    format!("(x'{member_id}',{last}),(x'{member_id}',{next})")
}

fn newest(merchant_id: u32, member_id: Uuid) -> String {
    format!(
        "(SELECT member_id, sequence FROM feed FORCE INDEX (feed_entry) WHERE merchant_id = {merchant_id} \
         AND member_id = x'{}' ORDER BY sequence DESC LIMIT 1)",
        member_id.simple()
    )
}

async fn load(connection: &mut Connection, text: String) -> Result<Vec<(Uuid, u64)>, StorageError> {
    let rows: Vec<SealedRow> = diesel::sql_query(text).load(connection).await?;
    rows.into_iter()
        .map(|row| Ok((id(&row.member_id)?, row.sequence)))
        .collect()
}

/// The rows of new places, and of the heads they make.
pub(crate) struct FeedRows {
    places: Insert,
    heads: Insert,
}

impl FeedRows {
    pub(crate) fn new() -> Self {
        Self {
            places: Insert::new(
                "INSERT INTO feed (merchant_id, shard, position, member_id, sequence, source, form, hash) VALUES",
                "",
            ),
            heads: Insert::new(
                "INSERT INTO feed_head (merchant_id, shard, position, hash) VALUES",
                " ON DUPLICATE KEY UPDATE position = VALUES(position), hash = VALUES(hash)",
            ),
        }
    }

    pub(crate) fn push(&mut self, merchant_id: u32, shard: u8, place: &Place, source: Source) {
        self.places
            .row()
            .integer(merchant_id)
            .integer(shard)
            .integer(place.position)
            .bytes(place.member_id.as_bytes())
            .integer(place.sequence)
            .integer(source_number(source))
            .integer(FORM)
            .bytes(&place.hash);
    }

    pub(crate) fn push_head(&mut self, merchant_id: u32, shard: u8, head: &Head) {
        self.heads
            .row()
            .integer(merchant_id)
            .integer(shard)
            .integer(head.position)
            .bytes(&head.hash);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        let mut statements = self.places.finish();
        statements.extend(self.heads.finish());
        statements
    }
}

fn source_number(source: Source) -> u8 {
    match source {
        Source::Announced => 1,
        Source::Found => 2,
    }
}
