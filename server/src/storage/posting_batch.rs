//! Table `posting_batch`: what each committed batch touched.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::account::AccountKey;
use super::statement::Insert;

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
