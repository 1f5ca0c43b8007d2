//! The movements of a member's points.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ReasonId},
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
        /// What left a member who was merged into another: the points, and (positive) what was owed.
        MergeOut,
        /// What came of a member who was merged into this one: points, (negative) what was owed, and (0) spend.
        MergeIn,
    }
}
