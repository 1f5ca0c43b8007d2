//! Table `posting_batch`: what each committed batch touched, until it is sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::posting_batch;
use super::statement::Insert;
use super::value::id;
use crate::domain::sealing::Announced;

/// Bytes of a member in `touched`: its id, the first sequence and the count of its new entries.
const MEMBER_BYTES: usize = 16 + 8 + 4;

/// A batch of a merchant.
pub(crate) type BatchKey = (u32, Uuid);

/// New entries of one member: its key, the first sequence and how many.
pub(crate) struct Touched {
    pub(crate) account: AccountKey,
    pub(crate) first_sequence: u64,
    pub(crate) entry_count: u32,
}

/// The rows of a batch, one for each merchant in it.
pub(crate) fn insert(batch_id: Uuid, recorded_at: DateTime<Utc>, touched: &[Touched]) -> Vec<String> {
    let mut by_merchant: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for member in touched {
        let bytes = by_merchant.entry(member.account.0).or_default();
        bytes.extend_from_slice(member.account.1.as_bytes());
        bytes.extend_from_slice(&member.first_sequence.to_be_bytes());
        bytes.extend_from_slice(&member.entry_count.to_be_bytes());
    }
    let mut insert = Insert::new(
        "INSERT INTO posting_batch (merchant_id, batch_id, recorded_at, touched) VALUES",
        "",
    );
    for (merchant_id, bytes) in by_merchant {
        insert
            .row()
            .integer(merchant_id)
            .bytes(batch_id.as_bytes())
            .instant(recorded_at)
            .bytes(&bytes);
    }
    insert.finish()
}

/// Up to `limit` batches behind a key, by key: a batch stays here until it is sealed.
pub(crate) async fn unsealed(
    connection: &mut Connection,
    after: BatchKey,
    limit: i64,
) -> Result<Vec<(BatchKey, Vec<Announced>)>, StorageError> {
    let of_merchant = posting_batch::merchant_id
        .eq(after.0)
        .and(posting_batch::batch_id.gt(after.1.as_bytes().to_vec()));
    let rows: Vec<(u32, Vec<u8>, Vec<u8>)> = posting_batch::table
        .filter(of_merchant.or(posting_batch::merchant_id.gt(after.0)))
        .order((posting_batch::merchant_id, posting_batch::batch_id))
        .limit(limit)
        .select((
            posting_batch::merchant_id,
            posting_batch::batch_id,
            posting_batch::touched,
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(merchant_id, batch_id, touched)| {
            let members = touched.chunks(MEMBER_BYTES).map(|bytes| announced(merchant_id, bytes));
            Ok(((merchant_id, id(&batch_id)?), members.collect::<Result<_, _>>()?))
        })
        .collect()
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
            entry_count: 2,
        };
        let [statement] = insert(Uuid::nil(), DateTime::UNIX_EPOCH, &[touched])
            .try_into()
            .unwrap();
        let hex = statement.rsplit("x'").next().unwrap().trim_end_matches("')");

        let read = announced(1, &hex::decode(hex).unwrap()).unwrap();

        let (first, last) = (300, 301);
        let account = (1, member_id);
        assert_eq!(read, Announced { account, first, last });
        assert!(announced(1, &[0; MEMBER_BYTES - 1]).is_err());
    }
}
