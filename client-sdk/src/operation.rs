//! What became of a write.

use chrono::{DateTime, Utc};

use crate::{
    adjustment::AdjustmentReceipt,
    error::Error,
    expiry::ExpirySchedule,
    id::{ProgramId, ReasonId, RewardId, RuleId},
    member::Member,
    offline::OfflinePolicy,
    product::ProductLoad,
    receipt::Receipt,
    receipt_templates::ReceiptTemplates,
    redemption_reversal::ReversedRedemption,
    sale_return::ReturnReceipt,
    stand_alone::{Hold, RedemptionRecord},
};

/// What became of a write, as [`Client::get_operation`](crate::Client::get_operation) tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// When it was decided.
    pub recorded_at: DateTime<Utc>,
    /// The decision.
    pub result: OperationResult,
}

/// The decision on a write.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationResult {
    /// A sale was recorded.
    Sale(Box<Receipt>),
    /// A return was recorded, or a sale cancelled.
    Return(Box<ReturnReceipt>),
    /// A member was enrolled.
    Member(Box<Member>),
    /// A program was created, changed or archived.
    Program(ProgramId),
    /// A rule was created, changed or archived.
    Rule(RuleId),
    /// A reward was created, changed or archived.
    Reward(RewardId),
    /// Points were redeemed, as they were then.
    Redemption(Box<RedemptionRecord>),
    /// A redemption, or a part of it, came back.
    RedemptionReversal(Box<ReversedRedemption>),
    /// A hold was placed or released, as it was then.
    Hold(Box<Hold>),
    /// The schedule of the expiry was changed: as it was then.
    ExpirySchedule(ExpirySchedule),
    /// What tills may do without a line was changed: as it was set.
    OfflinePolicy(OfflinePolicy),
    /// What receipts say about points was changed: as it was set.
    ReceiptTemplates(Box<ReceiptTemplates>),
    /// Points were adjusted.
    Adjustment(Box<AdjustmentReceipt>),
    /// A reason was created or changed.
    Reason(ReasonId),
    /// Products were loaded.
    Products(ProductLoad),
    /// It was refused for a business reason: the error that the call answered.
    Refused(Box<Error>),
    /// A decision that this version of the SDK does not know.
    Unknown,
}
