//! Members and balances on the wire.

use loyalty_api::v1::{self, identifier, member_key::Key};

use super::{decimal, instant, money, optional_instant, optional_text, present};
use crate::{
    error::Error,
    member::{Balance, Identifier, Member, MemberBalance, MemberKey, MemberQuery, NextTier},
};

impl MemberKey {
    pub(crate) fn to_wire(&self) -> v1::MemberKey {
        v1::MemberKey {
            key: Some(match self {
                Self::MemberId(member_id) => Key::MemberId(member_id.to_string()),
                Self::CustomerId(customer_id) => Key::CustomerId(customer_id.clone()),
                Self::Card(card) => Key::Card(card.clone()),
                Self::Phone(phone) => Key::Phone(phone.clone()),
                Self::Email(email) => Key::Email(email.clone()),
                Self::QrCode(qr_code) => Key::QrCode(qr_code.clone()),
            }),
        }
    }
}

impl MemberQuery {
    /// The two fields that name a member in every read.
    pub(crate) fn into_wire(self) -> (String, Option<v1::MemberKey>) {
        let program_id = self.program_id.map(String::from).unwrap_or_default();
        (program_id, Some(self.member.to_wire()))
    }
}

impl Identifier {
    pub(crate) fn to_wire(&self) -> v1::Identifier {
        v1::Identifier {
            identifier: match self {
                Self::CustomerId(customer_id) => Some(identifier::Identifier::CustomerId(customer_id.clone())),
                Self::Card(card) => Some(identifier::Identifier::Card(card.clone())),
                Self::Phone(phone) => Some(identifier::Identifier::Phone(phone.clone())),
                Self::Email(email) => Some(identifier::Identifier::Email(email.clone())),
                Self::QrCode(qr_code) => Some(identifier::Identifier::QrCode(qr_code.clone())),
                Self::Unknown => None,
            },
        }
    }

    fn from_wire(identifier: v1::Identifier) -> Self {
        match identifier.identifier {
            Some(identifier::Identifier::CustomerId(customer_id)) => Self::CustomerId(customer_id),
            Some(identifier::Identifier::Card(card)) => Self::Card(card),
            Some(identifier::Identifier::Phone(phone)) => Self::Phone(phone),
            Some(identifier::Identifier::Email(email)) => Self::Email(email),
            Some(identifier::Identifier::QrCode(qr_code)) => Self::QrCode(qr_code),
            None => Self::Unknown,
        }
    }
}

impl Member {
    pub(crate) fn from_wire(member: v1::Member) -> Result<Self, Error> {
        Ok(Self {
            member_id: member.member_id.into(),
            program_id: member.program_id.into(),
            identifiers: member.identifiers.into_iter().map(Identifier::from_wire).collect(),
            name: member.name,
            enrolled_at: instant("member.enrolled_at", member.enrolled_at)?,
            customer_group: optional_text(member.customer_group),
            territory: optional_text(member.territory),
            assigned_rule_id: optional_text(member.assigned_rule_id),
        })
    }
}

impl MemberBalance {
    pub(crate) fn from_wire(answer: v1::GetBalanceResponse) -> Result<Self, Error> {
        Ok(Self {
            member_id: answer.member_id.into(),
            program_id: answer.program_id.into(),
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
        })
    }
}

impl Balance {
    pub(crate) fn from_wire(balance: v1::Balance) -> Result<Self, Error> {
        Ok(Self {
            available: decimal("balance.available", balance.available)?,
            value: balance
                .value
                .map(|value| money("balance.value", Some(value)))
                .transpose()?,
            tier_id: optional_text(balance.tier_id),
            tier_spend: money("balance.tier_spend", balance.tier_spend)?,
            next_tier: balance.next_tier.map(NextTier::from_wire).transpose()?,
            next_expiry_at: optional_instant("balance.next_expiry_at", balance.next_expiry_at)?,
        })
    }
}

impl NextTier {
    fn from_wire(next_tier: v1::NextTier) -> Result<Self, Error> {
        Ok(Self {
            tier_id: next_tier.tier_id,
            missing_spend: money("next_tier.missing_spend", next_tier.missing_spend)?,
        })
    }
}
