//! Members who come from another system, with what they have there.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::{error::Error, new_member::NewMember};

/// A row of an import: a member with points, spend and totals of the time before.
///
/// ```
/// use loyalty_sdk::{ImportedMember, NewMember, OpeningLot};
///
/// let ada = NewMember::new("club").customer_id("ada").name("Ada");
/// let row = ImportedMember::new(17, ada).lot(OpeningLot::new(250)).lifetime(1_000, 700, 50);
/// # let _ = row;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedMember {
    /// The number of the row in its table, from 1 on.
    pub row_number: u64,
    /// The member, of the program that the import is for.
    pub member: NewMember,
    /// Since when the customer is a member; `None`: since the import.
    pub enrolled_at: Option<DateTime<Utc>>,
    /// Points that are there, as they lapse: up to 100.
    pub lots: Vec<OpeningLot>,
    /// What was spent before and counts towards tiers, by day of the program's zone: up to 400 days.
    pub tier_spend: Vec<(NaiveDate, Decimal)>,
    /// Points that were ever earned.
    pub lifetime_earned: Decimal,
    /// Points that were ever redeemed.
    pub lifetime_redeemed: Decimal,
    /// Points that ever lapsed.
    pub lifetime_expired: Decimal,
    /// Points that the member owes, 0 or more. Points that come along repay them first.
    pub debt: Decimal,
    /// Why the member's points cannot be redeemed, up to 200 characters; `None`: they can.
    pub block_reason: Option<String>,
    /// The member takes no part, as after [`Client::opt_out_member`](crate::Client::opt_out_member).
    pub opted_out: bool,
}

/// Points that came together and lapse together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningLot {
    /// How many, above 0.
    pub points: Decimal,
    /// When they came; `None`: with the import.
    pub accrued_at: Option<DateTime<Utc>>,
    /// When they lapse.
    pub expiry: OpeningExpiry,
    /// Until when they cannot be spent; `None`: they can.
    pub pending_until: Option<DateTime<Utc>>,
}

/// When points lapse that are brought along. What has lapsed already is written off at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpeningExpiry {
    /// As the program says of points that came then.
    #[default]
    AsProgram,
    /// At this instant.
    At(DateTime<Utc>),
    /// Never.
    Never,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportCounts {
    /// The last row that was dealt with, and with it all before; 0 before the first.
    pub last_row_number: u64,
    /// Rows that were written.
    pub imported: u64,
    /// Rows that had been written before.
    pub unchanged: u64,
    /// Rows that were refused.
    pub refused: u64,
}

/// A part of an import that was dealt with: some hundred rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ImportProgress {
    /// How far the whole import has come.
    pub counts: ImportCounts,
    /// The rows of this part that were refused, in order.
    pub refused: Vec<RefusedRow>,
}

/// A row that was not written. Corrected, it can come again under its number, in any later call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RefusedRow {
    /// The row.
    pub row_number: u64,
    /// The field that is wrong, the first of them where several are, such as `lots[1].points`.
    pub field: Option<String>,
    /// Why.
    pub error: Error,
}

impl ImportedMember {
    /// A member who brings nothing along yet.
    pub fn new(row_number: u64, member: NewMember) -> Self {
        Self {
            row_number,
            member,
            enrolled_at: None,
            lots: Vec::new(),
            tier_spend: Vec::new(),
            lifetime_earned: Decimal::ZERO,
            lifetime_redeemed: Decimal::ZERO,
            lifetime_expired: Decimal::ZERO,
            debt: Decimal::ZERO,
            block_reason: None,
            opted_out: false,
        }
    }

    /// Says how many points the member owes: a balance below 0.
    #[must_use]
    pub fn debt(mut self, debt: impl Into<Decimal>) -> Self {
        self.debt = debt.into();
        self
    }

    /// Keeps the member's points from being redeemed, for this reason.
    #[must_use]
    pub fn blocked(mut self, reason: impl Into<String>) -> Self {
        self.block_reason = Some(reason.into());
        self
    }

    /// Lets the member take no part.
    #[must_use]
    pub fn opted_out(mut self) -> Self {
        self.opted_out = true;
        self
    }

    /// Says since when the customer is a member.
    #[must_use]
    pub fn enrolled_at(mut self, at: DateTime<Utc>) -> Self {
        self.enrolled_at = Some(at);
        self
    }

    /// Adds points.
    #[must_use]
    pub fn lot(mut self, lot: OpeningLot) -> Self {
        self.lots.push(lot);
        self
    }

    /// Adds what was spent on a day, or until then where the program counts the spend of a lifetime.
    #[must_use]
    pub fn tier_spend(mut self, day: NaiveDate, amount: impl Into<Decimal>) -> Self {
        self.tier_spend.push((day, amount.into()));
        self
    }

    /// Says what was earned, redeemed and lost by expiry in all the time before.
    #[must_use]
    pub fn lifetime(
        mut self,
        earned: impl Into<Decimal>,
        redeemed: impl Into<Decimal>,
        expired: impl Into<Decimal>,
    ) -> Self {
        self.lifetime_earned = earned.into();
        self.lifetime_redeemed = redeemed.into();
        self.lifetime_expired = expired.into();
        self
    }
}

impl OpeningLot {
    /// Points that came with the import and lapse as the program says.
    pub fn new(points: impl Into<Decimal>) -> Self {
        Self {
            points: points.into(),
            accrued_at: None,
            expiry: OpeningExpiry::AsProgram,
            pending_until: None,
        }
    }

    /// Keeps them from being spent until an instant.
    #[must_use]
    pub fn pending_until(self, at: DateTime<Utc>) -> Self {
        Self {
            pending_until: Some(at),
            ..self
        }
    }

    /// Says when they came.
    #[must_use]
    pub fn accrued_at(self, at: DateTime<Utc>) -> Self {
        Self {
            accrued_at: Some(at),
            ..self
        }
    }

    /// Has them lapse at an instant.
    #[must_use]
    pub fn expires_at(self, at: DateTime<Utc>) -> Self {
        Self {
            expiry: OpeningExpiry::At(at),
            ..self
        }
    }

    /// Has them never lapse.
    #[must_use]
    pub fn never_expires(self) -> Self {
        Self {
            expiry: OpeningExpiry::Never,
            ..self
        }
    }
}
