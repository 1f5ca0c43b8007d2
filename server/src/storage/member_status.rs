//! What a member may do, in columns of table `account`: beside the books, whose commands ask it.

use chrono::NaiveDateTime;
use diesel::mysql::Mysql;
use diesel::prelude::*;

use super::schema::account;
use super::value::instant;
use crate::domain::member_status::{Block, MemberStatus};

#[derive(Queryable, Selectable)]
#[diesel(table_name = account, check_for_backend(Mysql))]
pub(super) struct StatusRow {
    block_reason: Option<String>,
    blocked_at: Option<NaiveDateTime>,
    opted_out_at: Option<NaiveDateTime>,
}

impl From<StatusRow> for MemberStatus {
    fn from(row: StatusRow) -> Self {
        let block = row.block_reason.zip(row.blocked_at);
        Self {
            block: block.map(|(reason, blocked_at)| Block {
                reason,
                blocked_at: instant(blocked_at),
            }),
            opted_out_at: row.opted_out_at.map(instant),
        }
    }
}
