//! Records of members: the decision of their changes, and what of them is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::Batch;
use super::loading::Needed;
use crate::domain::member::Member;
use crate::domain::member_change::{MemberChangeRecord, Met};
use crate::domain::rejection::Rejection;
use crate::posting::command::ChangingMember;
use crate::posting::{Action, Command};
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::member::{self, MemberRows};
use crate::storage::member_change::MemberChangeRows;

/// Records of members, as they are stored and as the commands of a batch leave them.
#[derive(Default)]
pub(super) struct MemberRecords {
    stored: BTreeMap<AccountKey, Member>,
    /// New ones and changed ones.
    written: BTreeMap<AccountKey, Member>,
    changes: Vec<(AccountKey, MemberChangeRecord)>,
}

impl MemberRecords {
    pub(super) fn get(&self, key: AccountKey) -> Option<&Member> {
        self.written.get(&key).or_else(|| self.stored.get(&key))
    }

    /// The record of a member, new or changed.
    pub(super) fn put(&mut self, merchant_id: u32, member: Member) {
        self.written.insert((merchant_id, member.member_id), member);
    }

    /// The changed record of a member, and what of the change is kept.
    pub(super) fn changed(&mut self, key: AccountKey, member: Member, change: MemberChangeRecord) {
        self.changes.push((key, change));
        self.written.insert(key, member);
    }

    /// Takes back a new record.
    pub(super) fn forget(&mut self, key: AccountKey) {
        self.written.remove(&key);
    }

    /// Whether a record is new or changed.
    pub(super) fn is_written(&self, key: AccountKey) -> bool {
        self.written.contains_key(&key)
    }

    /// The rows of all that is new or changed.
    pub(super) fn rows(&self) -> Vec<String> {
        let (mut members, mut changes) = (MemberRows::new(), MemberChangeRows::new());
        for (key, member) in &self.written {
            match self.stored.get(key) {
                Some(stored) => members.push_changed(key.0, stored, member),
                None => members.push_new(key.0, member),
            }
        }
        for (key, change) in &self.changes {
            changes.push(*key, change);
        }
        let mut statements = members.finish();
        statements.extend(changes.finish());
        statements
    }
}

impl Batch<'_> {
    /// The records of the members that commands change: they change under the locks of their accounts only.
    pub(super) async fn load_records(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
        needs: &[Needed],
    ) -> Result<(), StorageError> {
        let mut asked: BTreeMap<u32, BTreeSet<Uuid>> = BTreeMap::new();
        for (key, needs, _) in needs.iter().copied() {
            if needs.record {
                asked.entry(key.0).or_default().insert(key.1);
            }
        }
        for command in commands {
            if let Action::MergeMembers(merging) = &command.action {
                asked.entry(command.merchant_id).or_default().insert(merging.merged_id);
            }
        }
        for (merchant_id, members) in asked {
            // The members and their identifiers.
            self.round_trips += 2;
            let members: Vec<Uuid> = members.into_iter().collect();
            for member in member::find_all(connection, merchant_id, &members).await? {
                self.records.stored.insert((merchant_id, member.member_id), member);
            }
        }
        Ok(())
    }

    /// Changes the record of a member, and what of it the books ask.
    pub(super) fn change_member(&mut self, command: &Command, changing: &ChangingMember) -> Result<Member, Rejection> {
        let named = changing.named();
        let key = self.account_of(command.merchant_id, named)?;
        let books = self.books.get_mut(&key);
        let version = books.as_ref().and_then(|books| {
            let program = (key.0, Arc::clone(&books.account.program_id));
            self.versions.get(&program)
        });
        let (Some(books), Some(version), Some(member)) = (books, version, self.records.get(key)) else {
            return Err(Rejection::MemberNotFound {
                field: named.field.to_owned(),
            });
        };
        let met = Met {
            version,
            holder: changing.change.new_identifier().and_then(|new| {
                let holders = self.identifiers.get(&(key.0, new.clone()));
                holder_in(holders.into_iter().flatten(), &member.program_id)
            }),
            now: command.now,
        };
        let mut member = member.clone();
        if !changing.change.apply(&mut member, met)? {
            return Ok(member);
        }
        books.account.attributes.clone_from(&member.attributes);
        books.account.status.clone_from(&member.status);
        let change = MemberChangeRecord {
            version: member.version,
            kind: changing.change.kind(),
            actor: changing.actor.clone(),
            reason: changing.change.reason().to_owned(),
            request_id: command.request_id.clone(),
            recorded_at: member.updated_at,
        };
        self.records.changed(key, member.clone(), change);
        Ok(member)
    }
}

/// Who of a program is among the holders of an identifier.
pub(super) fn holder_in<'a>(mut holders: impl Iterator<Item = &'a (String, Uuid)>, program_id: &str) -> Option<Uuid> {
    let holder = holders.find(|(program, _)| program == program_id);
    holder.map(|(_, member_id)| *member_id)
}
