//! Queues of tills on the wire.

use loyalty_api::v1::{self, sync_sales_request::Operation, sync_sales_response::Answer};

use super::present;
use crate::{
    error::{self, Error, FieldViolation},
    id::RequestId,
    member::{Balance, Member, MemberKey},
    receipt::Receipt,
    sale::ReceiptLanguage,
    sale_return::ReturnReceipt,
    stand_alone::{HoldReceipt, RedemptionReceipt},
    sync::{QueuedOperation, SyncAnswer, SyncOutcome, SyncStatus, TillOperation},
};

impl QueuedOperation {
    pub(crate) fn to_wire(&self, position: u64) -> v1::SyncSalesRequest {
        v1::SyncSalesRequest {
            position,
            operation: Some(self.operation.to_wire(&self.request_id)),
        }
    }
}

impl TillOperation {
    fn to_wire(&self, request_id: &RequestId) -> Operation {
        let request_id = request_id.to_string();
        match self {
            Self::Sale(sale) => Operation::RecordSale(v1::RecordSaleRequest {
                request_id,
                sale: Some(sale.to_wire()),
                receipt_language: ReceiptLanguage::asked(sale.receipt_language),
            }),
            Self::Return(sale_return) => Operation::ReturnSale(v1::ReturnSaleRequest {
                request_id,
                sale_return: Some(sale_return.to_wire()),
                receipt_language: ReceiptLanguage::asked(sale_return.receipt_language),
            }),
            Self::Cancellation(cancellation) => Operation::CancelSale(cancellation.to_wire(request_id)),
            Self::Capture(capture) => Operation::CaptureHold(capture.to_wire(request_id)),
            Self::Release { hold_id, member } => Operation::ReleaseHold(v1::ReleaseHoldRequest {
                request_id,
                hold_id: hold_id.to_string(),
                member: member.as_ref().map(MemberKey::to_wire),
                receipt_language: String::new(),
            }),
            Self::Enrolment(member) => Operation::EnrollMember(member.to_wire(request_id)),
        }
    }
}

impl SyncOutcome {
    pub(crate) fn from_wire(outcome: v1::SyncSalesResponse) -> Result<Self, Error> {
        let answer = match outcome.answer {
            Some(Answer::RecordSale(answer)) => {
                let receipt = Receipt::from_wire(present("outcome", answer.outcome)?, answer.replayed)?;
                SyncAnswer::Sale(Box::new(receipt.with_text(answer.receipt_text)))
            }
            Some(Answer::ReturnSale(answer)) => SyncAnswer::Return(Box::new(ReturnReceipt::of_return(answer)?)),
            Some(Answer::CancelSale(answer)) => SyncAnswer::Return(Box::new(ReturnReceipt::of_cancellation(answer)?)),
            Some(Answer::CaptureHold(answer)) => SyncAnswer::Capture(Box::new(RedemptionReceipt::of_capture(answer)?)),
            Some(Answer::ReleaseHold(answer)) => SyncAnswer::Release(Box::new(HoldReceipt::of_release(answer)?)),
            Some(Answer::EnrollMember(answer)) => {
                SyncAnswer::Member(Box::new(Member::from_wire(present("member", answer.member)?)?))
            }
            Some(Answer::Refusal(refusal)) => SyncAnswer::Refused(Box::new(refused(refusal))),
            None => SyncAnswer::Unknown,
        };
        Ok(Self {
            position: outcome.position,
            status: SyncStatus::from_number(outcome.status),
            answer,
            balance: outcome.balance.map(Balance::from_wire).transpose()?,
        })
    }
}

/// The error that the operation's own call would have ended in.
pub(super) fn refused(refusal: v1::Refusal) -> Error {
    let v1::Refusal {
        reason,
        message,
        metadata,
    } = refusal;
    if reason != "INVALID_FIELD" || metadata.contains_key("description") {
        return error::refusal(reason, message, metadata);
    }
    let violations = metadata.into_iter();
    let mut violations: Vec<FieldViolation> = violations
        .map(|(field, description)| FieldViolation { field, description })
        .collect();
    violations.sort_by(|one, other| one.field.cmp(&other.field));
    Error::InvalidFields(violations)
}
