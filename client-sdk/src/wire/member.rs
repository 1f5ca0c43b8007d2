//! Members and balances on the wire.

use loyalty_api::v1::{self, identifier, member_key::Key};

use super::{
    day, day_text, decimal, instant, money, optional_decimal, optional_instant, optional_text, present, timestamp,
};
use crate::{
    error::Error,
    id::RuleId,
    member::{
        AffordableReward, Balance, BalanceSummary, Identifier, MarketingConsent, Member, MemberBalance, MemberBlock,
        MemberFilter, MemberKey, MemberQuery, NextTier,
    },
    new_member::NewMember,
    page::PageRequest,
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
            birth_date: day("member.birth_date", member.birth_date)?,
            language: optional_text(member.language),
            marketing_consent: member.marketing_consent.map(MarketingConsent::from_wire).transpose()?,
            etag: member.etag,
            updated_at: instant("member.updated_at", member.updated_at)?,
            block: member.block.map(MemberBlock::from_wire).transpose()?,
            opted_out_at: optional_instant("member.opted_out_at", member.opted_out_at)?,
            erased_at: optional_instant("member.erased_at", member.erased_at)?,
        })
    }
}

impl MemberBlock {
    fn from_wire(block: v1::MemberBlock) -> Result<Self, Error> {
        Ok(Self {
            reason: block.reason,
            blocked_at: instant("member.block.blocked_at", block.blocked_at)?,
        })
    }
}

impl NewMember {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::EnrollMemberRequest {
        v1::EnrollMemberRequest {
            request_id,
            program_id: self.program_id.to_string(),
            identifiers: self.identifiers.iter().map(Identifier::to_wire).collect(),
            name: self.name.clone(),
            customer_group: self.customer_group.clone().unwrap_or_default(),
            territory: self.territory.clone().unwrap_or_default(),
            assigned_rule_id: self
                .assigned_rule_id
                .as_ref()
                .map(RuleId::to_string)
                .unwrap_or_default(),
            birth_date: day_text(self.birth_date),
            language: self.language.clone().unwrap_or_default(),
            marketing_consent: self.marketing_consent.map(MarketingConsent::to_wire),
        }
    }
}

impl MarketingConsent {
    pub(crate) fn to_wire(self) -> v1::MarketingConsent {
        v1::MarketingConsent {
            granted: self.granted,
            decided_at: self.decided_at.map(timestamp),
        }
    }

    fn from_wire(consent: v1::MarketingConsent) -> Result<Self, Error> {
        Ok(Self {
            granted: consent.granted,
            decided_at: optional_instant("member.marketing_consent.decided_at", consent.decided_at)?,
        })
    }
}

impl MemberFilter {
    pub(crate) fn to_wire(&self, page: &PageRequest) -> v1::ListMembersRequest {
        v1::ListMembersRequest {
            program_id: self.program_id.to_string(),
            tier_id: self.tier_id.clone().unwrap_or_default(),
            customer_group: self.customer_group.clone().unwrap_or_default(),
            territory: self.territory.clone().unwrap_or_default(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        }
    }
}

impl MemberBalance {
    pub(crate) fn from_wire(answer: v1::GetBalanceResponse) -> Result<Self, Error> {
        Ok(Self {
            member_id: answer.member_id.into(),
            program_id: answer.program_id.into(),
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
            text: optional_text(answer.receipt_text),
        })
    }
}

impl BalanceSummary {
    pub(crate) fn from_wire(summary: v1::BalanceSummary) -> Result<Self, Error> {
        Ok(Self {
            at: instant("summary.at", summary.at)?,
            balance: decimal("summary.balance", summary.balance)?,
            available: decimal("summary.available", summary.available)?,
            pending: decimal("summary.pending", summary.pending)?,
            held: decimal("summary.held", summary.held)?,
            debt: decimal("summary.debt", summary.debt)?,
            expired_unswept: decimal("summary.expired_unswept", summary.expired_unswept)?,
            expiring: optional_decimal("summary.expiring", summary.expiring)?,
            lifetime_earned: decimal("summary.lifetime_earned", summary.lifetime_earned)?,
            lifetime_redeemed: decimal("summary.lifetime_redeemed", summary.lifetime_redeemed)?,
            lifetime_expired: decimal("summary.lifetime_expired", summary.lifetime_expired)?,
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
            next_expiry_points: optional_decimal("balance.next_expiry_points", balance.next_expiry_points)?,
            pending: decimal("balance.pending", balance.pending)?,
            next_pending_until: optional_instant("balance.next_pending_until", balance.next_pending_until)?,
            held: decimal("balance.held", balance.held)?,
            reward_reminder: balance.reward_reminder,
            affordable_rewards: balance
                .affordable_rewards
                .into_iter()
                .map(AffordableReward::from_wire)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl AffordableReward {
    fn from_wire(reward: v1::AffordableReward) -> Result<Self, Error> {
        Ok(Self {
            reward_id: reward.reward_id.into(),
            points: decimal("affordable_reward.points", reward.points)?,
            printed_text: reward.printed_text,
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
