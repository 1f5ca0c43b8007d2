//! Members, their identifiers and balances.

use loyalty_api::v1 as wire;
use uuid::Uuid;

use super::{decimal, money, timestamp};
use crate::domain::enrolment::{Enrolment, Identifier, IdentifierKind, Member};
use crate::domain::number::Currency;
use crate::domain::outcome::Balance;
use crate::domain::sale::MemberKey;
use crate::grpc::fields::Fields;

const IDENTIFIER_LENGTH: usize = 128;

/// A request to enrol.
pub(in crate::grpc) fn enrolment(fields: &mut Fields, request: wire::EnrollMemberRequest) -> Enrolment {
    let program_id = fields.slug("program_id", request.program_id);
    let name = fields.text("name", request.name, 0, 200);
    if request.identifiers.is_empty() {
        fields.wrong("identifiers", "is missing");
    }
    let mut identifiers: Vec<Identifier> = Vec::new();
    if fields.at_most("identifiers", &request.identifiers, 10) {
        for (place, given) in request.identifiers.into_iter().enumerate() {
            let field = format!("identifiers[{place}]");
            let Some(identifier) = identifier(fields, &field, given) else {
                continue;
            };
            if identifiers.iter().any(|other| other.kind == identifier.kind) {
                fields.wrong(field, "is the second of its kind");
            } else {
                identifiers.push(identifier);
            }
        }
    }
    Enrolment {
        program_id,
        identifiers,
        name,
    }
}

fn identifier(fields: &mut Fields, field: &str, given: wire::Identifier) -> Option<Identifier> {
    use wire::identifier::Identifier as Given;
    let (kind, name, value) = match given.identifier {
        Some(Given::CustomerId(value)) => (IdentifierKind::CustomerId, "customer_id", value),
        Some(Given::Card(value)) => (IdentifierKind::Card, "card", value),
        None => {
            fields.wrong(field, "is missing");
            return None;
        }
    };
    let value = fields.text(&format!("{field}.{name}"), value, 1, IDENTIFIER_LENGTH);
    Some(Identifier { kind, value })
}

/// Names a member; the nil id when it is wrong.
pub(in crate::grpc) fn member_key(fields: &mut Fields, field: &str, given: Option<wire::MemberKey>) -> MemberKey {
    use wire::member_key::Key;
    match given.and_then(|given| given.key) {
        None => fields.wrong(field, "is missing"),
        Some(Key::MemberId(id)) => match Uuid::try_parse(&id) {
            Ok(id) => return MemberKey::MemberId(id),
            Err(_) => fields.wrong(format!("{field}.member_id"), "must be a UUID"),
        },
        Some(Key::CustomerId(value)) => {
            let field = format!("{field}.customer_id");
            return MemberKey::CustomerId(fields.text(&field, value, 1, IDENTIFIER_LENGTH));
        }
        Some(Key::Card(value)) => {
            return MemberKey::Card(fields.text(&format!("{field}.card"), value, 1, IDENTIFIER_LENGTH));
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
        }),
    });
    wire::Member {
        member_id: member.member_id.to_string(),
        program_id: member.program_id,
        identifiers: identifiers.collect(),
        name: member.name,
        enrolled_at: Some(timestamp(member.enrolled_at)),
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
    }
}
