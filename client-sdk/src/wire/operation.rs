//! Operations on the wire.

use loyalty_api::v1::{self, get_operation_response as answer};

use super::instant;
use crate::{
    adjustment::AdjustmentReceipt,
    error::{self, Error},
    expiry::ExpirySchedule,
    member::Member,
    offline::OfflinePolicy,
    operation::{Operation, OperationResult},
    product::ProductLoad,
    receipt::Receipt,
    receipt_templates::ReceiptTemplates,
    redemption_reversal::ReversedRedemption,
    sale_return::ReturnReceipt,
    stand_alone::{Hold, RedemptionRecord},
};

impl Operation {
    pub(crate) fn from_wire(operation: v1::GetOperationResponse) -> Result<Self, Error> {
        Ok(Self {
            recorded_at: instant("recorded_at", operation.recorded_at)?,
            result: match operation.result {
                Some(result) => OperationResult::from_wire(result)?,
                None => OperationResult::Unknown,
            },
        })
    }
}

impl OperationResult {
    fn from_wire(result: answer::Result) -> Result<Self, Error> {
        Ok(match result {
            answer::Result::Sale(outcome) => Self::Sale(Box::new(Receipt::from_wire(outcome, true)?)),
            answer::Result::SaleReturn(outcome) => Self::Return(Box::new(ReturnReceipt::from_wire(outcome, true)?)),
            answer::Result::Member(member) => Self::Member(Box::new(Member::from_wire(member)?)),
            answer::Result::ProgramId(program_id) => Self::Program(program_id.into()),
            answer::Result::RuleId(rule_id) => Self::Rule(rule_id.into()),
            answer::Result::RewardId(reward_id) => Self::Reward(reward_id.into()),
            answer::Result::Redemption(redemption) => {
                Self::Redemption(Box::new(RedemptionRecord::from_wire(redemption)?))
            }
            answer::Result::RedemptionReversal(reversal) => {
                Self::RedemptionReversal(Box::new(ReversedRedemption::from_wire(reversal)?))
            }
            answer::Result::Hold(hold) => Self::Hold(Box::new(Hold::from_wire(hold)?)),
            answer::Result::ExpirySchedule(schedule) => Self::ExpirySchedule(ExpirySchedule::from_wire(schedule)?),
            answer::Result::OfflinePolicy(policy) => Self::OfflinePolicy(OfflinePolicy::from_wire(policy)?),
            answer::Result::ReceiptTemplates(templates) => {
                Self::ReceiptTemplates(Box::new(ReceiptTemplates::from_wire(templates)?))
            }
            answer::Result::Adjustment(adjustment) => {
                Self::Adjustment(Box::new(AdjustmentReceipt::from_wire(adjustment, true)?))
            }
            answer::Result::ReasonId(reason_id) => Self::Reason(reason_id.into()),
            answer::Result::ProductLoad(load) => Self::Products(ProductLoad::from_wire(load)),
            answer::Result::Refusal(v1::Refusal {
                reason,
                message,
                metadata,
            }) => Self::Refused(Box::new(error::refusal(reason, message, metadata))),
        })
    }
}
