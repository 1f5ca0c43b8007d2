//! Members, their identifiers and balances.

use loyalty_api::v1 as wire;
use uuid::Uuid;

use super::person::{self, consent_to_wire};
use super::{decimal, money, timestamp};
use crate::domain::account::Attributes;
use crate::domain::enrolment::{Enrolment, Identifier, IdentifierKind};
use crate::domain::identifiers::{self, check_one_more};
use crate::domain::member::{Member, Person};
use crate::domain::number::Currency;
use crate::domain::outcome::{AffordableReward, Balance};
use crate::domain::sale::MemberKey;
use crate::grpc::fields::{Fields, is_unseen};

const IDENTIFIER_LENGTH: usize = 128;

/// A request to enrol.
pub(in crate::grpc) fn enrolment(fields: &mut Fields, request: wire::EnrollMemberRequest) -> Enrolment {
    let program_id = fields.slug("program_id", request.program_id);
    let name = fields.text("name", request.name, 0, 200);
    if request.identifiers.is_empty() {
        fields.wrong("identifiers", "is missing");
    }
    let mut identifiers: Vec<Identifier> = Vec::new();
    if fields.at_most("identifiers", &request.identifiers, identifiers::MOST) {
        for (place, given) in request.identifiers.into_iter().enumerate() {
            let field = format!("identifiers[{place}]");
            let Some(identifier) = identifier(fields, &field, given) else {
                continue;
            };
            match check_one_more(&identifiers, &identifier) {
                Ok(()) => identifiers.push(identifier),
                Err(description) => fields.wrong(field, description),
            }
        }
    }
    Enrolment {
        program_id,
        identifiers,
        person: Person {
            name,
            birth_date: person::birth_date(fields, "birth_date", &request.birth_date),
            language: person::language(fields, "language", request.language),
            marketing_consent: person::consent(fields, "marketing_consent", request.marketing_consent),
        },
        attributes: Attributes {
            customer_group: path(fields, "customer_group", request.customer_group),
            territory: path(fields, "territory", request.territory),
            assigned_rule_id: assigned_rule(fields, "assigned_rule_id", request.assigned_rule_id),
        },
    }
}

/// A rule that a member scores under, or nothing.
pub(super) fn assigned_rule(fields: &mut Fields, field: &str, rule_id: String) -> Option<String> {
    (!rule_id.is_empty()).then(|| fields.slug(field, rule_id))
}

/// A node of a tree, or nothing.
pub(in crate::grpc) fn path(fields: &mut Fields, field: &str, given: String) -> String {
    if !given.is_empty() && !is_path(&given) {
        fields.wrong(field, "must be a path such as `south/lima`");
        return given;
    }
    fields.text(field, given, 0, 200)
}

/// Whether every node of a path has a name.
pub(super) fn is_path(text: &str) -> bool {
    text.split('/').all(|node| !node.is_empty() && node.trim() == node)
}

/// An identifier as it is compared: a telephone number without what only helps the eye, an address in lower case.
fn canonical(fields: &mut Fields, field: &str, kind: IdentifierKind, value: String) -> String {
    let value = fields.text(field, value, 1, IDENTIFIER_LENGTH);
    if value.chars().any(is_unseen) {
        fields.wrong(field, "has characters that are not seen");
    }
    match kind {
        IdentifierKind::CustomerId | IdentifierKind::Card | IdentifierKind::QrCode => value,
        IdentifierKind::Email => {
            let parts = value
                .split_once('@')
                .filter(|(name, host)| !name.is_empty() && !host.is_empty());
            if parts.is_none() || value.contains(char::is_whitespace) {
                fields.wrong(field, "is no e-mail address");
            }
            let lower = value.to_lowercase();
            // Of some letters the small one is two.
            if lower.chars().count() > IDENTIFIER_LENGTH {
                fields.wrong(field, "is too long in lower case");
            }
            lower
        }
        IdentifierKind::Phone => {
            let digits: String = value
                .chars()
                .filter(|c| !matches!(c, ' ' | '.' | '-' | '/' | '(' | ')'))
                .collect();
            let number = digits.strip_prefix('+').unwrap_or(&digits);
            if number.len() < 3 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                fields.wrong(field, "is no telephone number");
            }
            digits
        }
    }
}

/// An identifier as it is kept; `None` when it is missing.
pub(super) fn identifier(fields: &mut Fields, field: &str, given: wire::Identifier) -> Option<Identifier> {
    use wire::identifier::Identifier as Given;
    let (kind, name, value) = match given.identifier {
        Some(Given::CustomerId(value)) => (IdentifierKind::CustomerId, "customer_id", value),
        Some(Given::Card(value)) => (IdentifierKind::Card, "card", value),
        Some(Given::Phone(value)) => (IdentifierKind::Phone, "phone", value),
        Some(Given::Email(value)) => (IdentifierKind::Email, "email", value),
        Some(Given::QrCode(value)) => (IdentifierKind::QrCode, "qr_code", value),
        None => {
            fields.wrong(field, "is missing");
            return None;
        }
    };
    let value = canonical(fields, &format!("{field}.{name}"), kind, value);
    Some(Identifier { kind, value })
}

/// An id of a member; the nil id when it is wrong.
pub(in crate::grpc) fn member_id(fields: &mut Fields, field: &str, given: &str) -> Uuid {
    if given.is_empty() {
        fields.wrong(field, "is missing");
        return Uuid::nil();
    }
    Uuid::try_parse(given).unwrap_or_else(|_| {
        fields.wrong(field, "must be a UUID");
        Uuid::nil()
    })
}

/// Names a member; the nil id when it is wrong.
pub(in crate::grpc) fn member_key(fields: &mut Fields, field: &str, given: Option<wire::MemberKey>) -> MemberKey {
    use wire::member_key::Key;
    let at = |name: &str| format!("{field}.{name}");
    match given.and_then(|given| given.key) {
        None => fields.wrong(field, "is missing"),
        Some(Key::MemberId(id)) => match Uuid::try_parse(&id) {
            Ok(id) => return MemberKey::MemberId(id),
            Err(_) => fields.wrong(format!("{field}.member_id"), "must be a UUID"),
        },
        Some(Key::CustomerId(value)) => {
            return MemberKey::CustomerId(canonical(fields, &at("customer_id"), IdentifierKind::CustomerId, value));
        }
        Some(Key::Card(value)) => {
            return MemberKey::Card(canonical(fields, &at("card"), IdentifierKind::Card, value));
        }
        Some(Key::Phone(value)) => {
            return MemberKey::Phone(canonical(fields, &at("phone"), IdentifierKind::Phone, value));
        }
        Some(Key::Email(value)) => {
            return MemberKey::Email(canonical(fields, &at("email"), IdentifierKind::Email, value));
        }
        Some(Key::QrCode(value)) => {
            return MemberKey::QrCode(canonical(fields, &at("qr_code"), IdentifierKind::QrCode, value));
        }
    }
    MemberKey::MemberId(Uuid::nil())
}

/// The program of a look-up, which may be empty.
pub(in crate::grpc) fn optional_program(fields: &mut Fields, field: &str, program_id: String) -> String {
    if program_id.is_empty() {
        program_id
    } else {
        fields.slug(field, program_id)
    }
}

/// A member on the wire.
pub(in crate::grpc) fn member(member: Member) -> wire::Member {
    use wire::identifier::Identifier as Given;
    let identifiers = member.identifiers.into_iter().map(|identifier| wire::Identifier {
        identifier: Some(match identifier.kind {
            IdentifierKind::CustomerId => Given::CustomerId(identifier.value),
            IdentifierKind::Card => Given::Card(identifier.value),
            IdentifierKind::Phone => Given::Phone(identifier.value),
            IdentifierKind::Email => Given::Email(identifier.value),
            IdentifierKind::QrCode => Given::QrCode(identifier.value),
        }),
    });
    wire::Member {
        member_id: member.member_id.to_string(),
        program_id: member.program_id,
        identifiers: identifiers.collect(),
        name: member.person.name,
        enrolled_at: Some(timestamp(member.enrolled_at)),
        customer_group: member.attributes.customer_group,
        territory: member.attributes.territory,
        assigned_rule_id: member.attributes.assigned_rule_id.unwrap_or_default(),
        birth_date: member
            .person
            .birth_date
            .map(|day| day.format("%Y-%m-%d").to_string())
            .unwrap_or_default(),
        language: member.person.language,
        marketing_consent: member.person.marketing_consent.map(consent_to_wire),
        etag: member.version.to_string(),
        updated_at: Some(timestamp(member.updated_at)),
        block: member.status.block.map(|block| wire::MemberBlock {
            reason: block.reason,
            blocked_at: Some(timestamp(block.blocked_at)),
        }),
        opted_out_at: member.status.opted_out_at.map(timestamp),
        erased_at: member.status.erased_at.map(timestamp),
    }
}

/// A balance on the wire.
pub(in crate::grpc) fn balance(balance: Balance, currency: &Currency) -> wire::Balance {
    wire::Balance {
        available: decimal(balance.available),
        value: balance.value.and_then(|value| money(currency, value)),
        tier_id: balance.tier_id.unwrap_or_default(),
        tier_spend: money(currency, balance.tier_spend),
        next_tier: balance.next_tier.map(|next| wire::NextTier {
            tier_id: next.tier_id,
            missing_spend: money(currency, next.missing_spend),
        }),
        next_expiry_at: balance.next_expiry_at.map(timestamp),
        next_expiry_points: None,
        pending: decimal(balance.pending),
        next_pending_until: balance.next_pending_until.map(timestamp),
        held: decimal(balance.held),
        reward_reminder: balance.reward_reminder,
        affordable_rewards: balance.affordable_rewards.into_iter().map(affordable_reward).collect(),
    }
}

fn affordable_reward(reward: AffordableReward) -> wire::AffordableReward {
    wire::AffordableReward {
        reward_id: reward.reward_id,
        points: decimal(reward.points),
        printed_text: reward.printed_text,
    }
}
