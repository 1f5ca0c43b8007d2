//! What a member may do, in columns of table `account`: beside the books, whose commands ask it.

use chrono::NaiveDateTime;
use diesel::mysql::Mysql;
use diesel::prelude::*;

use super::error::StorageError;
use super::schema::account;
use super::value::{id, instant};
use crate::domain::member_status::{Block, MemberStatus};

#[derive(Queryable, Selectable)]
#[diesel(table_name = account, check_for_backend(Mysql))]
pub(super) struct StatusRow {
    block_reason: Option<String>,
    blocked_at: Option<NaiveDateTime>,
    opted_out_at: Option<NaiveDateTime>,
    merged_into: Option<Vec<u8>>,
    erased_at: Option<NaiveDateTime>,
}

/// States of accounts, by which lists are read. They follow from the status.
pub(super) const OPEN: u8 = 0;
const MERGED: u8 = 1;
const ERASED: u8 = 2;

/// The state of an account of this status.
pub(super) fn state(status: &MemberStatus) -> u8 {
    match (status.merged_into, status.erased_at) {
        (Some(_), _) => MERGED,
        (None, Some(_)) => ERASED,
        (None, None) => OPEN,
    }
}

impl TryFrom<StatusRow> for MemberStatus {
    type Error = StorageError;

    fn try_from(row: StatusRow) -> Result<Self, StorageError> {
        let block = row.block_reason.zip(row.blocked_at);
        Ok(Self {
            block: block.map(|(reason, blocked_at)| Block {
                reason,
                blocked_at: instant(blocked_at),
            }),
            opted_out_at: row.opted_out_at.map(instant),
            merged_into: row.merged_into.as_deref().map(id).transpose()?,
            erased_at: row.erased_at.map(instant),
        })
    }
}
