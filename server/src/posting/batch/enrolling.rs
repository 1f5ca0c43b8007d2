//! The decision of an enrolment.

use std::sync::Arc;

use uuid::Uuid;

use super::Batch;
use crate::domain::account::{Account, Books};
use crate::domain::enrolment::{Enrolment, Member};
use crate::domain::program::ProgramState;
use crate::domain::rejection::Rejection;
use crate::posting::Command;

impl Batch<'_> {
    /// A new member, unless somebody of the program has one of the identifiers.
    pub(super) fn enrol(
        &mut self,
        command: &Command,
        member_id: Uuid,
        enrolment: &Enrolment,
    ) -> Result<Member, Rejection> {
        let (merchant_id, program_id) = (command.merchant_id, enrolment.program_id.clone());
        let shared_id: Arc<str> = program_id.as_str().into();
        let Some(version) = self.versions.get(&(merchant_id, Arc::clone(&shared_id))) else {
            return Err(Rejection::ProgramNotFound { program_id });
        };
        if version.program.state == ProgramState::Archived {
            return Err(Rejection::ProgramArchived { program_id });
        }
        for (place, identifier) in enrolment.identifiers.iter().enumerate() {
            let mut holders = self
                .identifiers
                .get(&(merchant_id, identifier.clone()))
                .into_iter()
                .flatten();
            if let Some((_, holder)) = holders.find(|(program, _)| *program == program_id) {
                let (field, member_id) = (format!("identifiers[{place}]"), holder.to_string());
                return Err(Rejection::IdentifierTaken { field, member_id });
            }
        }

        for identifier in &enrolment.identifiers {
            let holders = self.identifiers.entry((merchant_id, identifier.clone())).or_default();
            holders.push((program_id.clone(), member_id));
        }
        let mut account = Account::opened(merchant_id, member_id, shared_id, command.now);
        account.attributes = enrolment.attributes.clone();
        self.books.insert((merchant_id, member_id), Books::new(account));
        let member = Member {
            member_id,
            program_id,
            identifiers: enrolment.canonical().identifiers,
            name: enrolment.name.clone(),
            enrolled_at: command.now,
            attributes: enrolment.attributes.clone(),
        };
        self.new_members.push((merchant_id, member.clone()));
        Ok(member)
    }
}
