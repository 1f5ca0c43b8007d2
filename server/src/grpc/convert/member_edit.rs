//! Changes of members, from the wire, and what is kept of them.

use loyalty_api::v1 as wire;

use super::member::{assigned_rule, identifier, path};
use super::{person, timestamp};
use crate::domain::enrolment::Identifier;
use crate::domain::member_change::{MemberChangeKind, MemberChangeRecord, MemberEdit};
use crate::grpc::fields::Fields;

pub(in crate::grpc) const REASON_LENGTH: usize = 200;

/// The changes that a mask names.
pub(in crate::grpc) fn member_edit(fields: &mut Fields, given: wire::Member, paths: &[String]) -> MemberEdit {
    let mut edit = MemberEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    for changed in paths {
        match changed.as_str() {
            "name" => edit.name = Some(fields.text("member.name", given.name.clone(), 0, 200)),
            "birth_date" => {
                edit.birth_date = Some(person::birth_date(fields, "member.birth_date", &given.birth_date));
            }
            "language" => edit.language = Some(person::language(fields, "member.language", given.language.clone())),
            "marketing_consent" => {
                let consent = person::consent(fields, "member.marketing_consent", given.marketing_consent);
                edit.marketing_consent = Some(consent);
            }
            "customer_group" => {
                edit.customer_group = Some(path(fields, "member.customer_group", given.customer_group.clone()));
            }
            "territory" => edit.territory = Some(path(fields, "member.territory", given.territory.clone())),
            "assigned_rule_id" => {
                let rule_id = assigned_rule(fields, "member.assigned_rule_id", given.assigned_rule_id.clone());
                edit.assigned_rule_id = Some(rule_id);
            }
            other => fields.wrong("update_mask", format!("`{other}` is no field that can be changed")),
        }
    }
    edit
}

/// The identifier that goes and the one that comes: at least one of them.
pub(in crate::grpc) fn replacement(
    fields: &mut Fields,
    old: Option<wire::Identifier>,
    new: Option<wire::Identifier>,
) -> (Option<Identifier>, Option<Identifier>) {
    if old.is_none() && new.is_none() {
        fields.wrong("old_identifier", "is missing, and so is `new_identifier`");
    }
    let old = old.and_then(|given| identifier(fields, "old_identifier", given));
    let new = new.and_then(|given| identifier(fields, "new_identifier", given));
    if old.is_some() && old == new {
        fields.wrong("new_identifier", "is the old one");
    }
    (old, new)
}

/// Why something is done to a member, at least `min` characters.
pub(in crate::grpc) fn reason(fields: &mut Fields, reason: String, min: usize) -> String {
    fields.text("reason", reason, min, REASON_LENGTH)
}

/// What is kept of a change, on the wire.
pub(in crate::grpc) fn member_change(change: MemberChangeRecord) -> wire::MemberChange {
    wire::MemberChange {
        version: change.version,
        kind: kind(change.kind).into(),
        changed_at: Some(timestamp(change.recorded_at)),
        actor: change.actor,
        reason: change.reason,
        request_id: change.request_id,
    }
}

fn kind(kind: MemberChangeKind) -> wire::MemberChangeKind {
    match kind {
        MemberChangeKind::Updated => wire::MemberChangeKind::Updated,
        MemberChangeKind::Blocked => wire::MemberChangeKind::Blocked,
        MemberChangeKind::Unblocked => wire::MemberChangeKind::Unblocked,
        MemberChangeKind::IdentifierReplaced => wire::MemberChangeKind::IdentifierReplaced,
        MemberChangeKind::OptedOut => wire::MemberChangeKind::OptedOut,
        MemberChangeKind::OptedIn => wire::MemberChangeKind::OptedIn,
        MemberChangeKind::Merged => wire::MemberChangeKind::Merged,
        MemberChangeKind::TookIn => wire::MemberChangeKind::TookIn,
        MemberChangeKind::Erased => wire::MemberChangeKind::Erased,
    }
}
