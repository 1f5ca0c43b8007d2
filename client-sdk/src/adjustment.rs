//! Points added or removed by hand, for a reason.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{AdjustmentId, MemberId, ProgramId, ReasonId},
    member::{Balance, MemberQuery},
};

/// An adjustment to make.
///
/// ```
/// use loyalty_sdk::{Adjustment, MemberKey};
///
/// let birthday = Adjustment::new(MemberKey::customer_id("ada"), "birthday", 50).note("came in person");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Whose points.
    pub member: MemberQuery,
    /// Why: the reason says whether points are added or removed.
    pub reason_id: ReasonId,
    /// How many, above 0, with at most the program's decimals.
    pub points: Decimal,
    /// What whoever makes it writes beside it, at most 200 characters; may be empty.
    pub note: String,
    /// Of a reason that adds: when the points lapse; `None`: as points of a sale of this moment would.
    pub expires_at: Option<DateTime<Utc>>,
    /// The store where it is made.
    pub store_id: Option<String>,
    /// The terminal.
    pub terminal_id: Option<String>,
    /// The cashier.
    pub cashier_id: Option<String>,
}

impl Adjustment {
    /// So many points of a member, for a reason.
    pub fn new(member: impl Into<MemberQuery>, reason_id: impl Into<ReasonId>, points: impl Into<Decimal>) -> Self {
        Self {
            member: member.into(),
            reason_id: reason_id.into(),
            points: points.into(),
            note: String::new(),
            expires_at: None,
            store_id: None,
            terminal_id: None,
            cashier_id: None,
        }
    }

    /// Writes something beside it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Lets points that are added lapse at an instant of their own.
    #[must_use]
    pub fn expires_at(mut self, instant: DateTime<Utc>) -> Self {
        self.expires_at = Some(instant);
        self
    }

    /// Says in which store it is made.
    #[must_use]
    pub fn store(mut self, store_id: impl Into<String>) -> Self {
        self.store_id = Some(store_id.into());
        self
    }

    /// Says at which terminal it is made.
    #[must_use]
    pub fn terminal(mut self, terminal_id: impl Into<String>) -> Self {
        self.terminal_id = Some(terminal_id.into());
        self
    }

    /// Says by which cashier it is made.
    #[must_use]
    pub fn cashier(mut self, cashier_id: impl Into<String>) -> Self {
        self.cashier_id = Some(cashier_id.into());
        self
    }
}

/// What an adjustment did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentReceipt {
    /// Name of the adjustment: [`Entry::reference`](crate::Entry::reference) of its entry.
    pub adjustment_id: AdjustmentId,
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program that ruled.
    pub program_version: u32,
    /// Why.
    pub reason_id: ReasonId,
    /// Points that came (positive) or went (negative); fewer than asked may have gone, as the program's
    /// [`ShortfallPolicy`](crate::ShortfallPolicy) says.
    pub points: Decimal,
    /// When the points lapse that came; `None` when they do not, or none came.
    pub points_expire_at: Option<DateTime<Utc>>,
    /// Points available before it.
    pub balance_before: Decimal,
    /// What the member has after it.
    pub balance: Balance,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Whether it had been made before this call.
    pub replayed: bool,
}
