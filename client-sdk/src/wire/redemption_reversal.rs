//! Redemptions that come back, on the wire.

use loyalty_api::v1;

use super::{decimal, decimal_message, money, optional_text, present};
use crate::{
    error::Error,
    member::Balance,
    redemption_reversal::{
        PartMeasure, RedemptionPart, RedemptionReversal, ReversalReceipt, ReversedRedemption, TenderGivenBack,
    },
    sale::ReceiptLanguage,
    stand_alone::RedemptionRecord,
};

impl RedemptionReversal {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::ReverseRedemptionRequest {
        let place = self.place.clone();
        v1::ReverseRedemptionRequest {
            request_id,
            redemption_id: self.redemption_id.to_string(),
            parts: self.parts.iter().map(RedemptionPart::to_wire).collect(),
            store_id: place.store_id,
            terminal_id: place.terminal_id,
            cashier_id: place.cashier_id,
            document_number: place.document_number,
            receipt_language: ReceiptLanguage::asked(self.receipt_language),
        }
    }
}

impl RedemptionPart {
    fn to_wire(&self) -> v1::RedemptionPart {
        use v1::redemption_part::Part;
        v1::RedemptionPart {
            tender: self.tender,
            part: match self.measure {
                PartMeasure::Points(points) => Some(Part::Points(decimal_message(points))),
                PartMeasure::Amount(amount) => Some(Part::Amount(decimal_message(amount))),
                PartMeasure::Quantity(quantity) => Some(Part::Quantity(decimal_message(quantity))),
                PartMeasure::Rest => None,
            },
        }
    }
}

impl TenderGivenBack {
    pub(crate) fn from_wire(back: v1::TenderGivenBack) -> Result<Self, Error> {
        Ok(Self {
            points: decimal("given_back.points", back.points)?,
            amount: decimal("given_back.amount", back.amount)?,
            quantity: decimal("given_back.quantity", back.quantity)?,
        })
    }
}

impl ReversedRedemption {
    pub(crate) fn from_wire(reversal: v1::RedemptionReversal) -> Result<Self, Error> {
        Ok(Self {
            redemption: RedemptionRecord::from_wire(present("reversal.redemption", reversal.redemption)?)?,
            points: decimal("reversal.points", reversal.points)?,
            lapsed_points: decimal("reversal.lapsed_points", reversal.lapsed_points)?,
            amount: money("reversal.amount", reversal.amount)?,
        })
    }
}

impl ReversalReceipt {
    pub(crate) fn from_wire(answer: v1::ReverseRedemptionResponse) -> Result<Self, Error> {
        Ok(Self {
            reversed: ReversedRedemption::from_wire(present("reversal", answer.reversal)?)?,
            balance_before: decimal("balance_before", answer.balance_before)?,
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
            replayed: answer.replayed,
            text: optional_text(answer.receipt_text),
        })
    }
}
