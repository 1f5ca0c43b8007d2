//! Members: customers enrolled in a program, and what they have.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId, RewardId, RuleId},
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
    /// By a telephone number, written in whatever way.
    Phone(String),
    /// By an e-mail address, in whatever case.
    Email(String),
    /// By what a QR code says, 1 to 128 characters.
    QrCode(String),
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

    /// By a telephone number.
    pub fn phone(phone: impl Into<String>) -> Self {
        Self::Phone(phone.into())
    }

    /// By an e-mail address.
    pub fn email(email: impl Into<String>) -> Self {
        Self::Email(email.into())
    }

    /// By what a QR code says.
    pub fn qr_code(qr_code: impl Into<String>) -> Self {
        Self::QrCode(qr_code.into())
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

impl From<&Member> for MemberId {
    fn from(member: &Member) -> Self {
        member.member_id.clone()
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

/// Something a customer is known by, unique in a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// The shop's own customer number.
    CustomerId(String),
    /// The number of a loyalty card.
    Card(String),
    /// A telephone number; the server keeps its digits and a leading `+`.
    Phone(String),
    /// An e-mail address; the server keeps it in lower case.
    Email(String),
    /// What a QR code says.
    QrCode(String),
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
    /// The customer's group as a path; `None` without one.
    pub customer_group: Option<String>,
    /// Where the customer is at home, as a path; `None` without one.
    pub territory: Option<String>,
    /// The rule that the member scores under, before all others.
    pub assigned_rule_id: Option<RuleId>,
    /// The customer's day of birth; `None` when it is not known.
    pub birth_date: Option<NaiveDate>,
    /// The language that the customer reads, as a BCP 47 tag; `None` when it is not known.
    pub language: Option<String>,
    /// What the customer said to marketing; `None` when nobody asked.
    pub marketing_consent: Option<MarketingConsent>,
    /// Changes with every change of the record, not with sales.
    pub etag: String,
    /// When the record last changed.
    pub updated_at: DateTime<Utc>,
    /// Why points of the member cannot be redeemed; `None` when they can. The member goes on earning.
    pub block: Option<MemberBlock>,
    /// Since when the member takes no part: sales from then on earn nothing, and what is there can be redeemed until it lapses.
    /// `None`: the member takes part.
    pub opted_out_at: Option<DateTime<Utc>>,
    /// Since when nothing is known of the person; `None`: the person was not erased.
    pub erased_at: Option<DateTime<Utc>>,
}

/// Why points of a member cannot be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberBlock {
    /// As whoever blocked the member said.
    pub reason: String,
    /// Since when.
    pub blocked_at: DateTime<Utc>,
}

/// What a customer said to marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketingConsent {
    /// Whether the customer agreed.
    pub granted: bool,
    /// When the customer said so; `None` in a request: when it is carried out.
    pub decided_at: Option<DateTime<Utc>>,
}

impl MarketingConsent {
    /// The customer agrees, now.
    pub fn granted() -> Self {
        Self {
            granted: true,
            decided_at: None,
        }
    }

    /// The customer does not agree, or not any more.
    pub fn refused() -> Self {
        Self {
            granted: false,
            decided_at: None,
        }
    }

    /// The same said at another time.
    #[must_use]
    pub fn at(self, decided_at: DateTime<Utc>) -> Self {
        Self {
            decided_at: Some(decided_at),
            ..self
        }
    }
}

/// Which members of a program a list is about: all of them, unless told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct MemberFilter {
    /// The program.
    pub program_id: ProgramId,
    /// Only members who are in this tier now.
    pub tier_id: Option<String>,
    /// Only members of this customer group or of one below it.
    pub customer_group: Option<String>,
    /// Only members of this territory or of one below it.
    pub territory: Option<String>,
}

impl MemberFilter {
    /// All members of a program.
    pub fn of(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: program_id.into(),
            tier_id: None,
            customer_group: None,
            territory: None,
        }
    }

    /// Only members who are in this tier now.
    pub fn tier(mut self, tier_id: impl Into<String>) -> Self {
        self.tier_id = Some(tier_id.into());
        self
    }

    /// Only members of this customer group or of one below it, as a path such as `retail`.
    pub fn customer_group(mut self, path: impl Into<String>) -> Self {
        self.customer_group = Some(path.into());
        self
    }

    /// Only members of this territory or of one below it, as a path such as `south`.
    pub fn territory(mut self, path: impl Into<String>) -> Self {
        self.territory = Some(path.into());
        self
    }
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
    /// Lines about it, ready to print, in the language that [`get_balance_in`](crate::Client::get_balance_in) asked for;
    /// `None` when none was.
    pub text: Option<String>,
}

/// What of a member's points is what, at one instant: by what was recorded by then; but a lapse counts from its own instant
/// on, whether it was written to the ledger by then or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceSummary {
    /// The instant.
    pub at: DateTime<Utc>,
    /// What remained of lots that had not lapsed, less the debt: `available` + `pending` + `held`.
    pub balance: Decimal,
    /// Points that could be spent; negative only by a debt.
    pub available: Decimal,
    /// Points that could not be spent yet.
    pub pending: Decimal,
    /// Points set aside by holds.
    pub held: Decimal,
    /// Points owed; the next that come repay them.
    pub debt: Decimal,
    /// Points that had lapsed and were not written off in the ledger yet; in none of the above.
    pub expired_unswept: Decimal,
    /// Points that would lapse within the days asked, unless they were spent before; `None` when not asked.
    pub expiring: Option<Decimal>,
    /// Points that came by sales and bonuses until then, less what returns took back.
    pub lifetime_earned: Decimal,
    /// Points that were redeemed until then, less what came back.
    pub lifetime_redeemed: Decimal,
    /// Points that had lapsed until then.
    pub lifetime_expired: Decimal,
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
    /// How many lapse then, unless they are spent before: in answers that bring a text for the receipt, but for quotes;
    /// `None` otherwise.
    pub next_expiry_points: Option<Decimal>,
    /// Points that cannot be spent yet; not in `available`.
    pub pending: Decimal,
    /// When the next of them can be spent; `None` when none are pending.
    pub next_pending_until: Option<DateTime<Utc>>,
    /// Points set aside by holds; not in `available`.
    pub held: Decimal,
    /// Whether the customer is entitled to a reward: the points have reached the program's limit, else the price of its
    /// first reward.
    pub reward_reminder: bool,
    /// The rewards that the available points buy, in the order of tills, at most 20.
    pub affordable_rewards: Vec<AffordableReward>,
}

/// A reward that the points of a member buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffordableReward {
    /// The reward.
    pub reward_id: RewardId,
    /// Points that one costs.
    pub points: Decimal,
    /// What is printed for it.
    pub printed_text: String,
}

/// The distance to the next tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextTier {
    /// The tier.
    pub tier_id: String,
    /// Spend missing to it, above 0.
    pub missing_spend: Money,
}
