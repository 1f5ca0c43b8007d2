//! Table `member_change`: who changed members, when and why.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::schema::member_change;
use super::statement::Insert;
use super::value::instant;
use crate::domain::member_change::{MemberChangeKind, MemberChangeRecord};

type Row = (u32, u8, String, String, String, NaiveDateTime);

/// Up to `limit` changes of a member, newest first, before that of version `before`.
pub(crate) async fn page(
    connection: &mut Connection,
    key: AccountKey,
    before: u32,
    limit: i64,
) -> Result<Vec<MemberChangeRecord>, StorageError> {
    let rows: Vec<Row> = member_change::table
        .filter(
            member_change::merchant_id
                .eq(key.0)
                .and(member_change::member_id.eq(key.1.as_bytes().to_vec())),
        )
        .filter(member_change::version.lt(before))
        .order(member_change::version.desc())
        .limit(limit)
        .select((
            member_change::version,
            member_change::kind,
            member_change::actor,
            member_change::reason,
            member_change::request_id,
            member_change::recorded_at,
        ))
        .load(connection)
        .await?;
    rows.into_iter().map(record).collect()
}

fn record((version, kind, actor, reason, request_id, recorded_at): Row) -> Result<MemberChangeRecord, StorageError> {
    let kind = match kind {
        1 => MemberChangeKind::Updated,
        2 => MemberChangeKind::Blocked,
        3 => MemberChangeKind::Unblocked,
        4 => MemberChangeKind::IdentifierReplaced,
        5 => MemberChangeKind::OptedOut,
        6 => MemberChangeKind::OptedIn,
        7 => MemberChangeKind::Merged,
        8 => MemberChangeKind::TookIn,
        9 => MemberChangeKind::Erased,
        other => {
            let message = format!("a change of a member of the unknown kind {other}");
            return Err(StorageError::Corrupt(message));
        }
    };
    Ok(MemberChangeRecord {
        version,
        kind,
        actor,
        reason,
        request_id,
        recorded_at: instant(recorded_at),
    })
}

/// The rows of new changes.
pub(crate) struct MemberChangeRows(Insert);

impl MemberChangeRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO member_change (merchant_id, member_id, version, kind, actor, reason, request_id, recorded_at) \
             VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, member: AccountKey, change: &MemberChangeRecord) {
        self.0
            .row()
            .integer(member.0)
            .bytes(member.1.as_bytes())
            .integer(change.version)
            .integer(kind_number(change.kind))
            .text(&change.actor)
            .text(&change.reason)
            .text(&change.request_id)
            .instant(change.recorded_at);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}

fn kind_number(kind: MemberChangeKind) -> u8 {
    match kind {
        MemberChangeKind::Updated => 1,
        MemberChangeKind::Blocked => 2,
        MemberChangeKind::Unblocked => 3,
        MemberChangeKind::IdentifierReplaced => 4,
        MemberChangeKind::OptedOut => 5,
        MemberChangeKind::OptedIn => 6,
        MemberChangeKind::Merged => 7,
        MemberChangeKind::TookIn => 8,
        MemberChangeKind::Erased => 9,
    }
}
