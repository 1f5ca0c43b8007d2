//! The movements of a member's points.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId, ReasonId},
    member::MemberQuery,
    wire::open_enum,
};

/// One immutable movement of a member's points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The member.
    pub member_id: MemberId,
    /// Number of the entry among the member's, rising from 1 without gaps.
    pub sequence: u64,
    /// What happened.
    pub kind: EntryKind,
    /// Points that came (positive) or went (negative); 0 for a sale that earned nothing.
    pub points: Decimal,
    /// The member's balance after it.
    pub balance_after: Decimal,
    /// The store of the sale; `None` without one.
    pub store_id: Option<String>,
    /// The sale; `None` without one.
    pub sale_id: Option<String>,
    /// The shop's own type of the document, of the sale or of its return; `None` without one.
    pub document_type: Option<String>,
    /// The shop's own number of the document, of the sale or of its return; `None` without one.
    pub document_number: Option<String>,
    /// Version of the program that ruled.
    pub program_version: u32,
    /// When it happened in the shop; of an expiry the instant of the lapse: that of the lot, or later, when a
    /// hold ended that had kept the points, or when they came to a lot that had lapsed.
    pub occurred_at: DateTime<Utc>,
    /// When it was written; never before that of an earlier entry of the member.
    pub recorded_at: DateTime<Utc>,
    /// Of a redemption: the expense account it is booked to; `None` without one.
    pub expense_account: Option<String>,
    /// Of a redemption: the cost center it is booked to; `None` without one.
    pub cost_center: Option<String>,
    /// Id of what it belongs to beside the sale, such as an adjustment; `None` without one.
    pub reference: Option<String>,
    /// The store where it happened, where that is not the store of the sale.
    pub at_store_id: Option<String>,
    /// The terminal where it happened; `None` when nobody said.
    pub terminal_id: Option<String>,
    /// The cashier; `None` when nobody said.
    pub cashier_id: Option<String>,
    /// Who made it, of what is not a sale.
    pub actor: Option<String>,
    /// Why it was made by hand; else `None`.
    pub reason_id: Option<ReasonId>,
    /// What whoever made it wrote beside it.
    pub note: Option<String>,
    /// The lots it created or took from.
    pub lots: Vec<LotMovement>,
}

/// What an entry did to a lot: points that arrived together and expire together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotMovement {
    /// Sequence of the entry that created the lot.
    pub lot_sequence: u64,
    /// Points put in (positive) or taken (negative).
    pub points: Decimal,
    /// When the lot lapses; `None` when it does not.
    pub expires_at: Option<DateTime<Utc>>,
}

open_enum! {
    /// Kinds of entries.
    EntryKind {
        /// Points earned by a sale.
        Earn,
        /// Points that paid.
        Redeem,
        /// Points that lapsed.
        Expire,
        /// Points given at enrolment.
        SignUpBonus,
        /// What a return or a cancellation takes back of what a sale earned; positive where the kept goods earn more.
        EarnReversal,
        /// Redeemed points that come back.
        RedeemReversal,
        /// Points added or removed by hand, for a reason.
        Adjust,
        /// What a member brought along from another system: a lot, or (0 points) the spend of a day.
        Opening,
        /// Points given for a birthday.
        BirthdayBonus,
        /// What left a member who was merged into another: the points, and (positive) what was owed.
        MergeOut,
        /// What came of a member who was merged into this one: points, (negative) what was owed, and (0) spend.
        MergeIn,
        /// A lot that went to the expiry which its program has by now, or only another instant of the member's: 0 points.
        ExpiryChange,
    }
}

/// Which entries are asked for: all conditions that are given must hold. Anything that names a member is a filter of its
/// own.
///
/// ```
/// use loyalty_sdk::{EntryFilter, EntryKind, MemberKey};
///
/// let used_by_ada = EntryFilter::of_member(MemberKey::customer_id("ada")).kind(EntryKind::Redeem);
/// let of_the_shop = EntryFilter::all().store("store-1");
/// # let _ = (used_by_ada, of_the_shop);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub(crate) program_id: Option<ProgramId>,
    pub(crate) member: Option<MemberQuery>,
    pub(crate) kinds: Vec<EntryKind>,
    pub(crate) recorded_from: Option<DateTime<Utc>>,
    pub(crate) recorded_until: Option<DateTime<Utc>>,
    pub(crate) store_id: Option<String>,
    pub(crate) terminal_id: Option<String>,
    pub(crate) cashier_id: Option<String>,
    pub(crate) sale: Option<(String, String)>,
}

impl EntryFilter {
    /// All of the merchant.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those of a member.
    pub fn of_member(member: impl Into<MemberQuery>) -> Self {
        Self {
            member: Some(member.into()),
            ..Self::default()
        }
    }

    /// Those of the members of a program.
    pub fn of_program(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: Some(program_id.into()),
            ..Self::default()
        }
    }

    /// Those of a sale: what it earned and used, and what came back of it.
    pub fn of_sale(store_id: impl Into<String>, sale_id: impl Into<String>) -> Self {
        Self {
            sale: Some((store_id.into(), sale_id.into())),
            ..Self::default()
        }
    }

    /// Only of this kind; given several times, of any of them.
    pub fn kind(mut self, kind: EntryKind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Only those recorded at or after this instant.
    pub fn recorded_from(mut self, instant: DateTime<Utc>) -> Self {
        self.recorded_from = Some(instant);
        self
    }

    /// Only those recorded before this instant.
    pub fn recorded_until(mut self, instant: DateTime<Utc>) -> Self {
        self.recorded_until = Some(instant);
        self
    }

    /// Only what happened in this store.
    pub fn store(mut self, store_id: impl Into<String>) -> Self {
        self.store_id = Some(store_id.into());
        self
    }

    /// Only what happened at this terminal.
    pub fn terminal(mut self, terminal_id: impl Into<String>) -> Self {
        self.terminal_id = Some(terminal_id.into());
        self
    }

    /// Only what this cashier did.
    pub fn cashier(mut self, cashier_id: impl Into<String>) -> Self {
        self.cashier_id = Some(cashier_id.into());
        self
    }
}

impl<M: Into<MemberQuery>> From<M> for EntryFilter {
    fn from(member: M) -> Self {
        Self::of_member(member)
    }
}
