//! The decision of a merger.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::Batch;
use crate::domain::account::{Books, Stop};
use crate::domain::expiry::start_of_day;
use crate::domain::member::Member;
use crate::domain::member_change::{MemberChangeKind, MemberChangeRecord};
use crate::domain::merging::{self, Merging};
use crate::domain::program::Program;
use crate::domain::rejection::Rejection;
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::sale::MemberKey;
use crate::posting::Command;
use crate::posting::command::MergingMembers;
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::spent::Unwritten;
use crate::storage::{books, entry, rule_usage};

impl Batch<'_> {
    /// Moves everything of one member to another. Both accounts are locked; whoever waited for the one goes on with the
    /// other.
    pub(super) async fn merge(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        asked: &MergingMembers,
    ) -> Result<Result<Member, Rejection>, StorageError> {
        let not_found = |field: &str| Rejection::MemberNotFound {
            field: field.to_owned(),
        };
        let MemberKey::MemberId(member_id) = asked.member else {
            return Ok(Err(not_found("member_id")));
        };
        let (into_key, from_key) = ((command.merchant_id, member_id), (command.merchant_id, asked.merged_id));
        let Some(mut into) = self.books.get(&into_key).cloned() else {
            return Ok(Err(not_found("member_id")));
        };
        let Some(mut from) = self.books.get(&from_key).cloned() else {
            return Ok(Err(not_found("merged_member_id")));
        };
        if let Err(rejection) = merging::check(&from, &into) {
            return Ok(Err(rejection));
        }
        let records = self
            .records
            .get(from_key)
            .cloned()
            .zip(self.records.get(into_key).cloned());
        let (Some(version), Some((mut from_record, mut into_record))) =
            (self.version_of(command.merchant_id, &into), records)
        else {
            return Err(StorageError::Corrupt(format!(
                "an account without a record: {member_id}"
            )));
        };
        let last = from.account.recorded_at.max(into.account.recorded_at);
        let act = Merging {
            actor: &asked.actor,
            at: command.now.max(last),
        };

        self.learn_all(connection, from_key, &mut from).await?;
        let spend = all_spend(connection, from_key, &version.program).await?;
        let tier_id = from.account.tier_id.clone();
        let estate = act.leave(&mut from, member_id, &version, spend);
        let estate = estate.map_err(|_| StorageError::Corrupt("books that do not add up".to_owned()))?;
        let moved = loop {
            let mut changed = into.clone();
            match act.enter(&mut changed, asked.merged_id, &version, &estate, tier_id.as_deref()) {
                Ok(moved) => {
                    into = changed;
                    break moved;
                }
                Err(Stop::Rejected(rejection)) => return Ok(Err(rejection)),
                Err(Stop::LotsMissing) => {
                    books::learn_next_page(connection, into_key, &mut into).await?;
                    self.round_trips += 1;
                }
            }
        };
        from.note_moves(moved, member_id);
        self.move_usage(connection, from_key, into_key, &mut into).await?;
        merging::merge_records(&mut from_record, &mut into_record, command.now);
        for (key, mut books, record, kind) in [
            (from_key, from, from_record, MemberChangeKind::Merged),
            (into_key, into, into_record.clone(), MemberChangeKind::TookIn),
        ] {
            books.account.status.clone_from(&record.status);
            self.books.insert(key, books);
            self.records
                .changed(key, record.clone(), told(command, asked, kind, &record));
        }
        self.merged.push((from_key, member_id));
        Ok(Ok(into_record))
    }

    /// Lots of members whom this batch has merged, which no row tells of yet.
    pub(super) fn lots_of_merged(&self) -> Unwritten {
        let merged = self.merged.iter().filter_map(|(from, _)| self.books.get(from));
        let lots = merged.flat_map(|books| {
            let touched = books.touched_lots();
            touched.map(|(key, lot)| (books.place(key), (lot, books.moved_to(key))))
        });
        lots.collect()
    }

    /// Loads all open lots, what is pending and what is held.
    pub(super) async fn learn_all(
        &mut self,
        connection: &mut Connection,
        key: AccountKey,
        from: &mut Books,
    ) -> Result<(), StorageError> {
        while from.pending.has_unknown() || from.holds.has_unknown() || !from.knows_all_lots() {
            books::learn_next_page(connection, key, from).await?;
            self.round_trips += 1;
        }
        Ok(())
    }

    /// What limited rules gave to the one counts for the other.
    async fn move_usage(
        &mut self,
        connection: &mut Connection,
        from: AccountKey,
        into: AccountKey,
        books: &mut Books,
    ) -> Result<(), StorageError> {
        self.round_trips += 2;
        let moved = rule_usage::of_member(connection, from).await?;
        let mut days: Vec<_> = moved.iter().map(|(day, ..)| *day).collect();
        days.sort_unstable();
        days.dedup();
        if days.is_empty() {
            return Ok(());
        }
        days.push(ALL_DAYS);
        let own = rule_usage::find(connection, into.0, std::iter::once(into.1), &days).await?;
        for (_, day, rule_id, points) in own {
            books.rule_usage.learn(day, rule_id, points);
        }
        books.rule_usage.add(moved);
        Ok(())
    }
}

/// What a member spent that counts towards tiers, by day, with an instant of that day.
async fn all_spend(
    connection: &mut Connection,
    key: AccountKey,
    program: &Program,
) -> Result<BTreeMap<NaiveDate, (DateTime<Utc>, Decimal)>, StorageError> {
    let day_of = |instant| program.local_date(instant);
    let spend = entry::spend_by_day(connection, key, DateTime::UNIX_EPOCH, day_of).await?;
    let of_day = |(day, spend)| (day, (start_of_day(day, program.time_zone), spend));
    Ok(spend.into_iter().map(of_day).collect())
}

/// What the history of a member says of a merger.
fn told(command: &Command, asked: &MergingMembers, kind: MemberChangeKind, record: &Member) -> MemberChangeRecord {
    MemberChangeRecord {
        version: record.version,
        kind,
        actor: asked.actor.clone(),
        reason: asked.reason.clone(),
        request_id: command.request_id.clone(),
        recorded_at: record.updated_at,
    }
}
