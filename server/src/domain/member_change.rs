//! Changes of members: of what is known of the customer, and of what the member may do.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::enrolment::Identifier;
use super::identifiers;
use super::member::{MarketingConsent, Member, Person};
use super::member_status::Block;
use super::opt_in;
use super::program::ProgramVersion;
use super::rejection::Rejection;

/// What is to be changed. Its serialized form is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberChange {
    Update {
        etag: u32,
        edit: Box<MemberEdit>,
    },
    Block {
        reason: String,
    },
    Unblock {
        reason: String,
    },
    OptOut {
        reason: String,
    },
    OptIn {
        reason: String,
    },
    Erase,
    /// At least one of them.
    ReplaceIdentifier {
        old: Option<Identifier>,
        new: Option<Identifier>,
    },
}

/// What a change meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met<'a> {
    pub(crate) version: &'a ProgramVersion,
    /// Who of the program is known by the new identifier.
    pub(crate) holder: Option<Uuid>,
    pub(crate) now: DateTime<Utc>,
}

/// New values of some fields of a member. Its serialized form is canonical: only what changes is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct MemberEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) birth_date: Option<Option<NaiveDate>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marketing_consent: Option<Option<MarketingConsent>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) territory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) assigned_rule_id: Option<Option<String>>,
}

/// What was changed, by whom and why: what stays of a change. It holds nothing of the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberChangeRecord {
    /// The version of the record that it made.
    pub(crate) version: u32,
    pub(crate) kind: MemberChangeKind,
    pub(crate) actor: String,
    /// As the actor wrote it; may be empty.
    pub(crate) reason: String,
    pub(crate) request_id: String,
    pub(crate) recorded_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberChangeKind {
    Updated,
    Blocked,
    Unblocked,
    IdentifierReplaced,
    OptedOut,
    OptedIn,
    /// Merged into another member, and gone since.
    Merged,
    /// Another member was merged into this one.
    TookIn,
    /// The person was erased.
    Erased,
}

impl MemberChange {
    /// Carries the change out; `false` when all is as it says already.
    pub(crate) fn apply(&self, member: &mut Member, met: Met<'_>) -> Result<bool, Rejection> {
        let now = met.now;
        if member.status.erased_at.is_some() && *self == Self::Erase {
            return Ok(false);
        }
        member.status.check_known()?;
        match self {
            Self::Update { etag, edit } => {
                if *etag != member.version {
                    return Err(Rejection::EtagMismatch {
                        etag: member.version.to_string(),
                    });
                }
                edit.apply(member, met.version, now)?;
            }
            Self::Block { reason } => {
                let block = &mut member.status.block;
                if block.as_ref().is_some_and(|block| block.reason == *reason) {
                    return Ok(false);
                }
                *block = Some(Block {
                    reason: reason.clone(),
                    blocked_at: now,
                });
            }
            Self::Unblock { .. } => {
                if member.status.block.take().is_none() {
                    return Ok(false);
                }
            }
            Self::OptOut { .. } => {
                if member.status.opted_out_at.is_some() {
                    return Ok(false);
                }
                member.status.opted_out_at = Some(now);
            }
            Self::OptIn { .. } => {
                if member.status.opted_out_at.take().is_none() {
                    return Ok(false);
                }
            }
            Self::Erase => {
                member.forget();
                member.status.erased_at = Some(now);
            }
            Self::ReplaceIdentifier { old, new } => {
                identifiers::replace(&mut member.identifiers, old.as_ref(), new.as_ref(), met.holder)?;
            }
        }
        member.version += 1;
        member.updated_at = now.max(member.updated_at);
        Ok(true)
    }

    pub(crate) fn kind(&self) -> MemberChangeKind {
        match self {
            Self::Update { .. } => MemberChangeKind::Updated,
            Self::Block { .. } => MemberChangeKind::Blocked,
            Self::Unblock { .. } => MemberChangeKind::Unblocked,
            Self::ReplaceIdentifier { .. } => MemberChangeKind::IdentifierReplaced,
            Self::OptOut { .. } => MemberChangeKind::OptedOut,
            Self::OptIn { .. } => MemberChangeKind::OptedIn,
            Self::Erase => MemberChangeKind::Erased,
        }
    }

    /// What the member is to be known by from then on: nobody else of the program may be.
    pub(crate) fn new_identifier(&self) -> Option<&Identifier> {
        match self {
            Self::ReplaceIdentifier { new, .. } => new.as_ref(),
            _ => None,
        }
    }

    /// Whether it changes who is meant by what.
    pub(crate) fn is_about_identity(&self) -> bool {
        matches!(self, Self::ReplaceIdentifier { .. } | Self::Erase)
    }

    /// Why, as the actor wrote it.
    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Update { .. } | Self::ReplaceIdentifier { .. } | Self::Erase => "",
            Self::Block { reason } | Self::Unblock { reason } | Self::OptOut { reason } | Self::OptIn { reason } => {
                reason
            }
        }
    }
}

impl MemberEdit {
    fn apply(&self, member: &mut Member, version: &ProgramVersion, now: DateTime<Utc>) -> Result<(), Rejection> {
        let edit = self.clone();
        let said = Person {
            birth_date: edit.birth_date.flatten(),
            marketing_consent: edit.marketing_consent.flatten(),
            ..Person::default()
        };
        let said = said.known_at("member.", now)?;
        let attributes = &mut member.attributes;
        set(&mut attributes.customer_group, edit.customer_group);
        set(&mut attributes.territory, edit.territory);
        if let Some(rule_id) = edit.assigned_rule_id {
            attributes.assigned_rule_id = rule_id;
            opt_in::check_assigned_rule("member.assigned_rule_id", attributes, version)?;
        }
        let person = &mut member.person;
        set(&mut person.name, edit.name);
        set(&mut person.language, edit.language);
        set(&mut person.birth_date, edit.birth_date.map(|_| said.birth_date));
        let consent = edit.marketing_consent.map(|_| said.marketing_consent);
        set(&mut person.marketing_consent, consent);
        Ok(())
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}
