//! Members of another system on the wire.

use loyalty_api::v1::{self, opening_lot::Expiry};
use rust_decimal::Decimal;

use super::{day_text, decimal_message, sync::refused, timestamp};
use crate::{
    id::ProgramId,
    import::{ImportProgress, ImportedMember, OpeningExpiry, OpeningLot, RefusedRow},
};

impl ImportedMember {
    /// The row of an import for this program.
    pub(crate) fn to_wire(&self, program_id: &ProgramId) -> v1::ImportedMember {
        let mut member = self.member.to_wire(String::new());
        if self.member.program_id == *program_id {
            member.program_id.clear();
        }
        let total = |total: Decimal| (!total.is_zero()).then(|| decimal_message(total));
        let spend = |(day, amount): &(_, Decimal)| v1::OpeningSpend {
            day: day_text(Some(*day)),
            amount: Some(decimal_message(*amount)),
        };
        v1::ImportedMember {
            row_number: self.row_number,
            member: Some(member),
            enrolled_at: self.enrolled_at.map(timestamp),
            lots: self.lots.iter().copied().map(OpeningLot::to_wire).collect(),
            tier_spend: self.tier_spend.iter().map(spend).collect(),
            lifetime_earned: total(self.lifetime_earned),
            lifetime_redeemed: total(self.lifetime_redeemed),
            lifetime_expired: total(self.lifetime_expired),
            debt: total(self.debt),
            block_reason: self.block_reason.clone().unwrap_or_default(),
            opted_out: self.opted_out,
        }
    }
}

impl OpeningLot {
    fn to_wire(self) -> v1::OpeningLot {
        v1::OpeningLot {
            points: Some(decimal_message(self.points)),
            accrued_at: self.accrued_at.map(timestamp),
            expiry: match self.expiry {
                OpeningExpiry::AsProgram => None,
                OpeningExpiry::At(instant) => Some(Expiry::ExpiresAt(timestamp(instant))),
                OpeningExpiry::Never => Some(Expiry::NeverExpires(true)),
            },
            pending_until: self.pending_until.map(timestamp),
        }
    }
}

impl ImportProgress {
    /// What an answer adds to what was done before.
    pub(crate) fn add(&mut self, answer: v1::ImportMembersResponse) {
        let counts = &mut self.counts;
        counts.last_row_number = answer.last_row_number;
        counts.imported += u64::from(answer.imported_count);
        counts.unchanged += u64::from(answer.unchanged_count);
        counts.refused += answer.failures.len() as u64;
        self.refused = answer.failures.into_iter().map(RefusedRow::from_wire).collect();
    }
}

impl RefusedRow {
    fn from_wire(failure: v1::ImportFailure) -> Self {
        Self {
            row_number: failure.row_number,
            field: Some(failure.field).filter(|field| !field.is_empty()),
            error: refused(failure.refusal.unwrap_or_default()),
        }
    }
}
