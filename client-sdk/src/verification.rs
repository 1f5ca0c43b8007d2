//! Whether the stored books are what the ledger says.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::{
    feed::ChainLink,
    id::{MemberId, ProgramId},
    member::MemberQuery,
    wire::open_enum,
};

/// What is verified. The default is all members of all programs, and the hash chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyRequest {
    /// The program; `None`: that of the member, or all.
    pub program_id: Option<ProgramId>,
    /// The member; `None`: all, and the hash chain.
    pub member: Option<MemberQuery>,
    /// Where to go on, as the part before said; empty: from the start. Not with a member.
    pub resume_token: String,
    /// Links of the hash chain that the feed told earlier and that were kept elsewhere, at most 100: they must still be
    /// in the chain. Without them, who can change the whole database can write the chain anew. Not with a member.
    pub known_links: Vec<ChainLink>,
}

impl VerifyRequest {
    /// All members of a program, and the hash chain, which is that of the whole merchant.
    #[must_use]
    pub fn program(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: Some(program_id.into()),
            ..Self::default()
        }
    }

    /// One member.
    #[must_use]
    pub fn member(member: impl Into<MemberQuery>) -> Self {
        Self {
            member: Some(member.into()),
            ..Self::default()
        }
    }

    /// The same, behind a part that was verified.
    #[must_use]
    pub fn resume(mut self, resume_token: impl Into<String>) -> Self {
        self.resume_token = resume_token.into();
        self
    }

    /// The same, with links that must still be in the hash chain.
    #[must_use]
    pub fn known_links(mut self, links: impl IntoIterator<Item = ChainLink>) -> Self {
        self.known_links = links.into_iter().collect();
        self
    }
}

/// What was found in a part of the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What differs; empty when everything agrees.
    pub drifts: Vec<Drift>,
    /// Drifts that are not told: beyond 100 of a member they say no more.
    pub drifts_left_out: u64,
    /// Members whose books were verified.
    pub members: u64,
    /// Entries that were replayed, or held against the hash chain: those of a whole program are both.
    pub entries: u64,
    /// Goes on behind this part; empty when it is the last.
    pub resume_token: String,
}

/// A difference between what the ledger says and what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// What differs.
    pub kind: DriftKind,
    /// The member; `None` when it is no member's.
    pub member_id: Option<MemberId>,
    /// The entry; `None` without one.
    pub sequence: Option<u64>,
    /// The lot; `None` without one.
    pub lot: Option<DriftLot>,
    /// Shard and position in the feed; `None` without one.
    pub place: Option<(u32, u64)>,
    /// What differs, by the name of its column in the database.
    pub field: String,
    /// What should be stored: a number, an instant, a hash in hex; `None`: nothing.
    pub expected: Option<String>,
    /// What is stored; `None`: nothing.
    pub stored: Option<String>,
}

/// Names a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DriftLot {
    /// Sequence of the entry that created it.
    pub lot_sequence: u64,
    /// When it lapses; `None` when it does not.
    pub expires_at: Option<DateTime<Utc>>,
}

open_enum! {
    /// What differs.
    DriftKind {
        /// An entry contradicts the entries beside it: its points, the balance after it, its time or its kind.
        Entry,
        /// Entries are missing, or the account counts others than there are.
        Sequence,
        /// What an entry put into or took out of a lot is missing, too much, or not what entry and lot need.
        Allocation,
        /// A lot is missing, too many, not what the entries left of it, or says that its points went elsewhere than they did.
        Lot,
        /// The points of the account are not what the entries left of the lots.
        Balance,
        /// The debt of the account is not what the entries left of it.
        Debt,
        /// What is pending is not what the account says, or more than the lots have.
        Pending,
        /// What is held is not what the account says, or more than the lots have.
        Held,
        /// The first lot with points left is another than the account says.
        FirstOpenLot,
        /// What was earned, redeemed or expired in all is not the sum of the entries.
        LifetimeTotals,
        /// The spend for tiers is not the sum of the entries.
        TierSpend,
        /// A member with entries has no account.
        Account,
        /// An entry is not what was sealed, or a link of the hash chain is missing or another: somebody changed, deleted
        /// or inserted rows behind the server's back.
        HashChain,
        /// No posting of the server announced the entry: somebody inserted it behind the server's back.
        Unannounced,
        /// When all points lapse for want of activity is not what the newest entry says.
        Inactivity,
    }
}

/// One line, such as `Lot of member … entry 7: remaining is 3, not 9`.
impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.kind)?;
        if let Some(member_id) = &self.member_id {
            write!(formatter, " of member {member_id}")?;
        }
        if let Some(sequence) = self.sequence {
            write!(formatter, " entry {sequence}")?;
        }
        if let Some(lot) = self.lot {
            write!(formatter, " lot {}", lot.lot_sequence)?;
        }
        if let Some((shard, position)) = self.place {
            write!(formatter, " position {position} of shard {shard}")?;
        }
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        let (stored, expected) = (said(&self.stored), said(&self.expected));
        write!(formatter, ": {} is {stored}, not {expected}", self.field)
    }
}
