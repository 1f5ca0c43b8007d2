//! Table `posting_batch`: what each committed batch touched, until it is sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::posting_batch;
use super::statement::Insert;
use super::value::{hash, id};
use crate::domain::chain::Hash;
use crate::domain::sealing::Announced;

/// Bytes of a member in `touched`: its id, the first sequence and the count of its new entries.
const MEMBER_BYTES: usize = 16 + 8 + 4;

/// Bytes of an entry in `hashes`.
const HASH_BYTES: usize = 32;

/// A batch of a merchant.
pub(crate) type BatchKey = (u32, Uuid);

/// New entries of one member: its key, the first sequence, and for each the hash of what it says.
pub(crate) struct Touched {
    pub(crate) account: AccountKey,
    pub(crate) first_sequence: u64,
    pub(crate) hashes: Vec<Hash>,
}

/// What a batch announced, until it is sealed.
pub(crate) struct Unsealed {
    pub(crate) key: BatchKey,
    pub(crate) announced: Vec<Announced>,
    /// Of each entry in the order in which they are announced; none of an older server.
    pub(crate) hashes: Vec<Hash>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = posting_batch, check_for_backend(Mysql))]
struct BatchRow {
    merchant_id: u32,
    batch_id: Vec<u8>,
    touched: Vec<u8>,
    hashes: Option<Vec<u8>>,
}

impl BatchRow {
    fn read(self) -> Result<Unsealed, StorageError> {
        let members = self.touched.chunks(MEMBER_BYTES);
        let hashes = self.hashes.unwrap_or_default();
        let hashes = hashes.chunks(HASH_BYTES).map(|bytes| hash(bytes.to_vec()));
        Ok(Unsealed {
            key: (self.merchant_id, id(&self.batch_id)?),
            announced: members
                .map(|bytes| announced(self.merchant_id, bytes))
                .collect::<Result<_, _>>()?,
            hashes: hashes.collect::<Result<_, _>>()?,
        })
    }
}

/// The rows of a batch, one for each merchant in it.
pub(crate) fn insert(batch_id: Uuid, recorded_at: DateTime<Utc>, touched: &[Touched]) -> Vec<String> {
    let mut by_merchant: BTreeMap<u32, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
    for member in touched {
        let (bytes, hashes) = by_merchant.entry(member.account.0).or_default();
        let count = u32::try_from(member.hashes.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(member.account.1.as_bytes());
        bytes.extend_from_slice(&member.first_sequence.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        hashes.extend(member.hashes.iter().flatten());
    }
    let mut insert = Insert::new(
        "INSERT INTO posting_batch (merchant_id, batch_id, recorded_at, touched, hashes) VALUES",
        "",
    );
    for (merchant_id, (bytes, hashes)) in by_merchant {
        insert
            .row()
            .integer(merchant_id)
            .bytes(batch_id.as_bytes())
            .instant(recorded_at)
            .bytes(&bytes)
            .bytes(&hashes);
    }
    insert.finish()
}

/// Up to `limit` batches behind a key, by key: a batch stays here until it is sealed.
pub(crate) async fn unsealed(
    connection: &mut Connection,
    after: BatchKey,
    limit: i64,
) -> Result<Vec<Unsealed>, StorageError> {
    let of_merchant = posting_batch::merchant_id
        .eq(after.0)
        .and(posting_batch::batch_id.gt(after.1.as_bytes().to_vec()));
    let rows: Vec<BatchRow> = posting_batch::table
        .filter(of_merchant.or(posting_batch::merchant_id.gt(after.0)))
        .order((posting_batch::merchant_id, posting_batch::batch_id))
        .limit(limit)
        .select(BatchRow::as_select())
        .load(connection)
        .await?;
    rows.into_iter().map(BatchRow::read).collect()
}

/// Forgets batches that are sealed. All literals are integers and hex.
pub(crate) fn delete(keys: impl Iterator<Item = BatchKey>) -> Vec<String> {
    let mut by_merchant: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (merchant_id, batch_id) in keys {
        let ids = by_merchant.entry(merchant_id).or_default();
        ids.push(format!("x'{}'", batch_id.simple()));
    }
    let statements = by_merchant.into_iter().map(|(merchant_id, ids)| {
        let ids = ids.join(", ");
        format!("DELETE FROM posting_batch WHERE merchant_id = {merchant_id} AND batch_id IN ({ids})")
    });
    statements.collect()
}

fn announced(merchant_id: u32, bytes: &[u8]) -> Result<Announced, StorageError> {
    let parts = bytes.split_first_chunk().zip(bytes.last_chunk());
    let Some(((member_id, rest), count)) = parts.filter(|_| bytes.len() == MEMBER_BYTES) else {
        return Err(StorageError::Corrupt("a batch that touched half a member".to_owned()));
    };
    let first = rest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    let count = u32::from_be_bytes(*count);
    Ok(Announced {
        account: (merchant_id, Uuid::from_bytes(*member_id)),
        first,
        last: first.saturating_add(count.into()).saturating_sub(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_batch_announces_is_read_as_it_was_written() {
        let member_id = Uuid::from_u128(7);
        let touched = Touched {
            account: (1, member_id),
            first_sequence: 300,
            hashes: vec![[1; HASH_BYTES], [2; HASH_BYTES]],
        };
        let [statement] = insert(Uuid::nil(), DateTime::UNIX_EPOCH, &[touched])
            .try_into()
            .unwrap();
        let literals: Vec<&str> = statement.rsplit("x'").collect();
        let bytes_of = |place: usize| hex::decode(literals[place].trim_end_matches([')', ',', '\''])).unwrap();

        let read = announced(1, &bytes_of(1)).unwrap();

        assert_eq!(bytes_of(0), [[1; HASH_BYTES], [2; HASH_BYTES]].concat());
        let (first, last) = (300, 301);
        let account = (1, member_id);
        assert_eq!(read, Announced { account, first, last });
        assert!(announced(1, &[0; MEMBER_BYTES - 1]).is_err());
    }
}
