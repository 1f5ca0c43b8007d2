//! Members: customers enrolled in a program, and what they have.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId},
    money::Money,
};

/// Names a member in a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MemberKey {
    /// By the server's own id.
    MemberId(MemberId),
    /// By the shop's own customer number, 1 to 128 characters.
    CustomerId(String),
    /// By the number of a loyalty card, 1 to 128 characters.
    Card(String),
}

impl MemberKey {
    /// By the server's own id.
    pub fn member_id(member_id: impl Into<MemberId>) -> Self {
        Self::MemberId(member_id.into())
    }

    /// By the shop's own customer number.
    pub fn customer_id(customer_id: impl Into<String>) -> Self {
        Self::CustomerId(customer_id.into())
    }

    /// By the number of a loyalty card.
    pub fn card(card: impl Into<String>) -> Self {
        Self::Card(card.into())
    }

    /// The member of one program; without it the member is looked for in all programs of the merchant.
    pub fn in_program(self, program_id: impl Into<ProgramId>) -> MemberQuery {
        MemberQuery {
            program_id: Some(program_id.into()),
            member: self,
        }
    }
}

impl From<MemberId> for MemberKey {
    fn from(member_id: MemberId) -> Self {
        Self::MemberId(member_id)
    }
}

impl From<&MemberId> for MemberKey {
    fn from(member_id: &MemberId) -> Self {
        Self::MemberId(member_id.clone())
    }
}

impl From<&Member> for MemberKey {
    fn from(member: &Member) -> Self {
        Self::MemberId(member.member_id.clone())
    }
}

impl From<&MemberKey> for MemberKey {
    fn from(key: &MemberKey) -> Self {
        key.clone()
    }
}

/// Which member a read is about. Anything that names a member will do: a [`MemberKey`], a [`MemberId`], a `&Member`; add
/// the program with [`MemberKey::in_program`] when several programs may have the member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberQuery {
    /// The program; `None`: found by the member, and [`Error::AmbiguousMember`](crate::Error::AmbiguousMember) when
    /// several programs have it.
    pub program_id: Option<ProgramId>,
    /// The member.
    pub member: MemberKey,
}

impl<K: Into<MemberKey>> From<K> for MemberQuery {
    fn from(key: K) -> Self {
        Self {
            program_id: None,
            member: key.into(),
        }
    }
}

/// A customer to enrol: at least one identifier, at most one of each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// The program.
    pub program_id: ProgramId,
    /// What the customer is known by.
    pub identifiers: Vec<Identifier>,
    /// The customer's name, at most 200 characters; may be empty.
    pub name: String,
}

impl NewMember {
    /// A member of `program_id`, still without identifiers.
    pub fn new(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: program_id.into(),
            identifiers: Vec::new(),
            name: String::new(),
        }
    }

    /// Known by the shop's own customer number, 1 to 128 characters.
    #[must_use]
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::CustomerId(customer_id.into()));
        self
    }

    /// Known by the number of a loyalty card, 1 to 128 characters.
    #[must_use]
    pub fn card(mut self, card: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::Card(card.into()));
        self
    }

    /// Sets the customer's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

/// Something a customer is known by, unique in a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// The shop's own customer number.
    CustomerId(String),
    /// The number of a loyalty card.
    Card(String),
    /// A kind of identifier that this version of the SDK does not know.
    Unknown,
}

/// A customer's enrolment in a program: the account that holds the balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name of the member in every call.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// What the customer is known by.
    pub identifiers: Vec<Identifier>,
    /// The customer's name; may be empty.
    pub name: String,
    /// When the customer was enrolled.
    pub enrolled_at: DateTime<Utc>,
}

/// A balance and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberBalance {
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// What the member has.
    pub balance: Balance,
}

/// What a member has, at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Points that can be spent now; negative only by a debt.
    pub available: Decimal,
    /// What `available` pays at the member's rate; `None` when points cannot pay or nothing is available.
    pub value: Option<Money>,
    /// The member's tier; `None` without one.
    pub tier_id: Option<String>,
    /// Spend that counts towards tiers, in the program's currency.
    pub tier_spend: Money,
    /// The next higher tier; `None` when there is none.
    pub next_tier: Option<NextTier>,
    /// When the next points lapse; `None` when none will.
    pub next_expiry_at: Option<DateTime<Utc>>,
}

/// The distance to the next tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextTier {
    /// The tier.
    pub tier_id: String,
    /// Spend missing to it, above 0.
    pub missing_spend: Money,
}
