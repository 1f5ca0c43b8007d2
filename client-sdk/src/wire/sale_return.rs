//! Returns and cancellations on the wire.

use loyalty_api::v1::{self, sale_return};

use super::{decimal, decimal_message, instant, money, optional_decimal, optional_text, present, timestamp};
use crate::{
    error::Error,
    member::Balance,
    receipt::{LineOutcome, RateOutcome},
    sale::ReceiptLanguage,
    sale_return::{Cancellation, KeptLine, ReturnReceipt, Returned, ReturnedLine, SaleReturn},
};

impl SaleReturn {
    pub(crate) fn to_wire(&self) -> v1::SaleReturn {
        v1::SaleReturn {
            return_id: self.return_id.clone(),
            store_id: self.store_id.clone(),
            terminal_id: self.terminal_id.clone(),
            cashier_id: self.cashier_id.clone(),
            document_type: self.document_type.clone(),
            document_number: self.document_number.clone(),
            sale_store_id: self.sale_store_id.clone().unwrap_or_default(),
            sale_id: self.sale_id.clone(),
            returned: Some(match &self.returned {
                Returned::Lines(lines) => sale_return::Returned::Lines(v1::ReturnedLines {
                    lines: lines.iter().map(ReturnedLine::to_wire).collect(),
                }),
                Returned::Amount(amount) => sale_return::Returned::Amount(decimal_message(*amount)),
                Returned::Rest => sale_return::Returned::Rest(true),
            }),
            occurred_at: self.occurred_at.map(timestamp),
        }
    }
}

impl ReturnedLine {
    fn to_wire(&self) -> v1::ReturnedLine {
        v1::ReturnedLine {
            line: self.line,
            quantity: self.quantity.map(decimal_message),
        }
    }
}

impl Cancellation {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::CancelSaleRequest {
        v1::CancelSaleRequest {
            request_id,
            store_id: self.store_id.clone(),
            sale_id: self.sale_id.clone(),
            sale_store_id: self.sale_store_id.clone().unwrap_or_default(),
            terminal_id: self.terminal_id.clone(),
            cashier_id: self.cashier_id.clone(),
            document_type: self.document_type.clone(),
            document_number: self.document_number.clone(),
            occurred_at: self.occurred_at.map(timestamp),
            receipt_language: ReceiptLanguage::asked(self.receipt_language),
        }
    }
}

impl ReturnReceipt {
    pub(crate) fn of_quote(answer: v1::QuoteReturnResponse) -> Result<Self, Error> {
        Ok(Self::from_wire(present("outcome", answer.outcome)?, false)?.with_text(answer.receipt_text))
    }

    pub(crate) fn of_return(answer: v1::ReturnSaleResponse) -> Result<Self, Error> {
        let outcome = present("outcome", answer.outcome)?;
        Ok(Self::from_wire(outcome, answer.replayed)?.with_text(answer.receipt_text))
    }

    pub(crate) fn of_cancellation(answer: v1::CancelSaleResponse) -> Result<Self, Error> {
        let outcome = present("outcome", answer.outcome)?;
        Ok(Self::from_wire(outcome, answer.replayed)?.with_text(answer.receipt_text))
    }

    fn with_text(self, text: String) -> Self {
        let text = optional_text(text);
        Self { text, ..self }
    }

    pub(crate) fn from_wire(outcome: v1::ReturnOutcome, replayed: bool) -> Result<Self, Error> {
        let lines = outcome.lines.into_iter();
        let rates = outcome.rates.into_iter();
        Ok(Self {
            member_id: outcome.member_id.into(),
            program_id: outcome.program_id.into(),
            program_version: outcome.program_version,
            sale_store_id: outcome.sale_store_id,
            sale_id: outcome.sale_id,
            return_id: optional_text(outcome.return_id),
            occurred_at: instant("outcome.occurred_at", outcome.occurred_at)?,
            amount: money("outcome.amount", outcome.amount)?,
            points_amount: money("outcome.points_amount", outcome.points_amount)?,
            refund: money("outcome.refund", outcome.refund)?,
            kept_amount: money("outcome.kept_amount", outcome.kept_amount)?,
            points_given_back: decimal("outcome.points_given_back", outcome.points_given_back)?,
            given_back_lapsed: decimal("outcome.given_back_lapsed", outcome.given_back_lapsed)?,
            points_taken_back: decimal("outcome.points_taken_back", outcome.points_taken_back)?,
            taken_back_lapsed: decimal("outcome.taken_back_lapsed", outcome.taken_back_lapsed)?,
            points_owed: decimal("outcome.points_owed", outcome.points_owed)?,
            points_forgiven: decimal("outcome.points_forgiven", outcome.points_forgiven)?,
            points_earned: decimal("outcome.points_earned", outcome.points_earned)?,
            balance_before: decimal("outcome.balance_before", outcome.balance_before)?,
            balance: Balance::from_wire(present("outcome.balance", outcome.balance)?)?,
            tier_id_before: optional_text(outcome.tier_id_before),
            lines: lines.map(KeptLine::from_wire).collect::<Result<_, _>>()?,
            rates: rates.map(RateOutcome::from_wire).collect::<Result<_, _>>()?,
            carried_after: optional_decimal("outcome.carried_after", outcome.carried_after)?,
            replayed,
            text: None,
        })
    }
}

impl KeptLine {
    fn from_wire(line: v1::KeptLine) -> Result<Self, Error> {
        Ok(Self {
            line: line.line,
            returned_quantity: decimal("line.returned_quantity", line.returned_quantity)?,
            returned_amount: money("line.returned_amount", line.returned_amount)?,
            kept_quantity: decimal("line.kept_quantity", line.kept_quantity)?,
            kept_amount: money("line.kept_amount", line.kept_amount)?,
            kept: line.kept.map(LineOutcome::from_wire).transpose()?,
        })
    }
}
