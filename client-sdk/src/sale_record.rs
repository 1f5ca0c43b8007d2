//! Sales as they were recorded.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId},
    member::MemberQuery,
    money::Money,
    receipt::Receipt,
    sale::Sale,
    sale_return::ReturnReceipt,
};

/// A sale as it was recorded, and what came back of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedSale {
    /// The document of the POS; it names the member by its id, and its customer is not kept.
    pub sale: Sale,
    /// What the sale did when it was recorded.
    pub receipt: Receipt,
    /// When it was sold.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What came back of it, in order, the cancellation last; without what became of each line and rate.
    pub returns: Vec<ReturnReceipt>,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

/// A sale in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleSummary {
    /// The store.
    pub store_id: String,
    /// The POS's own id of the document.
    pub sale_id: String,
    /// The member that bought.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// The terminal; `None` when nobody said.
    pub terminal_id: Option<String>,
    /// The cashier; `None` when nobody said.
    pub cashier_id: Option<String>,
    /// The shop's own type of the document.
    pub document_type: Option<String>,
    /// The shop's own number of the document.
    pub document_number: Option<String>,
    /// When it was sold.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// What the customer had to pay in all.
    pub total: Money,
    /// Points that it earned when it was recorded.
    pub points_earned: Decimal,
    /// Points that it used when it was recorded.
    pub points_redeemed: Decimal,
    /// How many returns and cancellations it has.
    pub return_count: u32,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

/// Which sales are asked for: all conditions that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleFilter {
    pub(crate) program_id: Option<ProgramId>,
    pub(crate) member: Option<MemberQuery>,
    pub(crate) store_id: Option<String>,
    pub(crate) recorded_from: Option<DateTime<Utc>>,
    pub(crate) recorded_until: Option<DateTime<Utc>>,
}

impl SaleFilter {
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

    /// Only those of this store.
    pub fn store(mut self, store_id: impl Into<String>) -> Self {
        self.store_id = Some(store_id.into());
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
}
