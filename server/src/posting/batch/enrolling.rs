//! The decision of an enrolment.

use std::sync::Arc;

use uuid::Uuid;

use super::Batch;
use super::members::holder_in;
use crate::domain::account::Books;
use crate::domain::enrolment::Enrolment;
use crate::domain::member::Member;
use crate::domain::member_status::MemberStatus;
use crate::domain::opt_in;
use crate::domain::program::{ProgramState, ProgramVersion};
use crate::domain::rejection::Rejection;
use crate::domain::sale::Sale;
use crate::posting::Command;
use crate::storage::account::AccountKey;

impl Batch<'_> {
    /// A new member, unless somebody of the program has one of the identifiers.
    pub(super) fn enrol(
        &mut self,
        command: &Command,
        member_id: Uuid,
        enrolment: &Enrolment,
    ) -> Result<Member, Rejection> {
        let (merchant_id, now) = (command.merchant_id, command.now);
        self.admit(command, member_id, enrolment, |version| {
            opt_in::open(version, merchant_id, member_id, enrolment.attributes.clone(), now)
        })
    }

    /// A new member whose books `open` opens.
    pub(super) fn admit(
        &mut self,
        command: &Command,
        member_id: Uuid,
        enrolment: &Enrolment,
        open: impl FnOnce(&ProgramVersion) -> Result<Books, Rejection>,
    ) -> Result<Member, Rejection> {
        let (merchant_id, program_id) = (command.merchant_id, enrolment.program_id.clone());
        let shared_id: Arc<str> = program_id.as_str().into();
        let Some(version) = self.versions.get(&(merchant_id, Arc::clone(&shared_id))) else {
            return Err(Rejection::ProgramNotFound { program_id });
        };
        if version.program.state == ProgramState::Archived {
            return Err(Rejection::ProgramArchived { program_id });
        }
        opt_in::check_assigned_rule("assigned_rule_id", &enrolment.attributes, version)?;
        let person = enrolment.person.clone().known_at("", command.now)?;
        opt_in::check_eligible(version, &enrolment.attributes)?;
        for (place, identifier) in enrolment.identifiers.iter().enumerate() {
            let holders = self.identifiers.get(&(merchant_id, identifier.clone()));
            if let Some(holder) = holder_in(holders.into_iter().flatten(), &program_id) {
                return Err(Rejection::IdentifierTaken {
                    field: format!("identifiers[{place}]"),
                    member_id: holder.to_string(),
                });
            }
        }

        let books = open(version)?;
        for identifier in &enrolment.identifiers {
            let holders = self.identifiers.entry((merchant_id, identifier.clone())).or_default();
            holders.push((program_id.clone(), member_id));
        }
        self.books.insert((merchant_id, member_id), books);
        let member = Member {
            member_id,
            program_id,
            identifiers: enrolment.canonical().identifiers,
            person,
            attributes: enrolment.attributes.clone(),
            status: MemberStatus::default(),
            enrolled_at: command.now,
            updated_at: command.now,
            version: 1,
        };
        self.records.put(merchant_id, member.clone());
        Ok(member)
    }

    /// The account of a customer whom the sale enrols; `None` where no program does.
    pub(super) fn opt_in(&mut self, command: &Command, sale: &Sale) -> Result<Option<AccountKey>, Rejection> {
        let programs = self
            .versions
            .iter()
            .filter(|((merchant_id, _), _)| *merchant_id == command.merchant_id);
        let chosen = opt_in::choose(programs.map(|(_, version)| version), sale, command.now)?;
        let Some(enrolment) = chosen.and_then(|version| opt_in::enrolment(version, sale)) else {
            return Ok(None);
        };
        let member_id = Uuid::new_v4();
        self.enrol(command, member_id, &enrolment)?;
        Ok(Some((command.merchant_id, member_id)))
    }

    /// Takes back the enrolment by a sale that was refused.
    pub(super) fn forget_opt_in(&mut self, key: AccountKey) {
        self.books.remove(&key);
        self.records.forget(key);
        for holders in self.identifiers.values_mut() {
            holders.retain(|(_, member_id)| *member_id != key.1);
        }
    }
}
