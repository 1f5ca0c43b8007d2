//! Redemptions that stand alone, and holds, on the wire.

use loyalty_api::v1;

use super::{
    decimal, instant, money, money_message, optional_decimal, optional_instant, optional_text, present, timestamp,
};
use crate::{
    error::Error,
    member::{Balance, MemberKey},
    page::PageRequest,
    receipt::PointsTender,
    redemption::Redemption,
    redemption_reversal::TenderGivenBack,
    sale::ReceiptLanguage,
    stand_alone::{
        Hold, HoldCapture, HoldReceipt, HoldRelease, HoldState, NewHold, RedemptionFilter, RedemptionPlace,
        RedemptionReceipt, RedemptionRecord, RedemptionRequest,
    },
};

impl RedemptionRequest {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::RedeemRequest {
        let (program_id, member) = self.member.clone().into_wire();
        let place = self.place.clone();
        v1::RedeemRequest {
            request_id,
            program_id,
            member,
            redemptions: to_wire(&self.redemptions),
            total: self.total.as_ref().map(money_message),
            due: self.due.as_ref().map(money_message),
            store_id: place.store_id,
            terminal_id: place.terminal_id,
            cashier_id: place.cashier_id,
            document_number: place.document_number,
            receipt_language: ReceiptLanguage::asked(self.receipt_language),
        }
    }
}

impl NewHold {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::PlaceHoldRequest {
        let redeem = self.request.to_wire(request_id);
        v1::PlaceHoldRequest {
            request_id: redeem.request_id,
            program_id: redeem.program_id,
            member: redeem.member,
            redemptions: redeem.redemptions,
            total: redeem.total,
            due: redeem.due,
            store_id: redeem.store_id,
            terminal_id: redeem.terminal_id,
            cashier_id: redeem.cashier_id,
            document_number: redeem.document_number,
            time_limit_seconds: self.time_limit.map_or(0, |limit| {
                // A limit below a second is one; beyond what a number holds the server refuses it.
                u32::try_from(limit.as_secs()).unwrap_or(u32::MAX).max(1)
            }),
            receipt_language: redeem.receipt_language,
        }
    }
}

impl HoldCapture {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::CaptureHoldRequest {
        let place = self.place.clone();
        v1::CaptureHoldRequest {
            request_id,
            hold_id: self.hold_id.to_string(),
            member: self.member.as_ref().map(MemberKey::to_wire),
            redemptions: to_wire(&self.redemptions),
            store_id: place.store_id,
            terminal_id: place.terminal_id,
            cashier_id: place.cashier_id,
            document_number: place.document_number,
            occurred_at: self.occurred_at.map(timestamp),
            receipt_language: ReceiptLanguage::asked(self.receipt_language),
        }
    }
}

impl HoldRelease {
    pub(crate) fn to_wire(&self, request_id: String) -> v1::ReleaseHoldRequest {
        v1::ReleaseHoldRequest {
            request_id,
            hold_id: self.hold_id.to_string(),
            member: self.member.as_ref().map(MemberKey::to_wire),
            receipt_language: ReceiptLanguage::asked(self.receipt_language),
        }
    }
}

impl RedemptionFilter {
    pub(crate) fn to_redemptions(&self, page: &PageRequest) -> v1::ListRedemptionsRequest {
        let holds = self.to_holds(page);
        v1::ListRedemptionsRequest {
            program_id: holds.program_id,
            member: holds.member,
            store_id: holds.store_id,
            from: holds.from,
            until: holds.until,
            page_size: holds.page_size,
            page_token: holds.page_token,
        }
    }

    pub(crate) fn to_holds(&self, page: &PageRequest) -> v1::ListHoldsRequest {
        let (program_id, member) = match self.member.clone() {
            Some(member) => member.into_wire(),
            None => (String::new(), None),
        };
        v1::ListHoldsRequest {
            program_id,
            member,
            store_id: self.store_id.clone().unwrap_or_default(),
            from: self.from.map(timestamp),
            until: self.until.map(timestamp),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        }
    }
}

impl RedemptionReceipt {
    pub(crate) fn from_wire(answer: v1::RedeemResponse) -> Result<Self, Error> {
        Ok(Self {
            redemption: RedemptionRecord::from_wire(present("redemption", answer.redemption)?)?,
            balance_before: decimal("balance_before", answer.balance_before)?,
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
            replayed: answer.replayed,
            text: optional_text(answer.receipt_text),
        })
    }

    pub(crate) fn of_capture(answer: v1::CaptureHoldResponse) -> Result<Self, Error> {
        Self::from_wire(v1::RedeemResponse {
            redemption: answer.redemption,
            balance_before: answer.balance_before,
            balance: answer.balance,
            replayed: answer.replayed,
            receipt_text: answer.receipt_text,
        })
    }
}

impl RedemptionRecord {
    pub(crate) fn from_wire(redemption: v1::Redemption) -> Result<Self, Error> {
        let tenders = redemption.tenders.into_iter().map(PointsTender::from_wire);
        let given_back = redemption.given_back.into_iter().map(TenderGivenBack::from_wire);
        Ok(Self {
            redemption_id: redemption.redemption_id.into(),
            member_id: redemption.member_id.into(),
            program_id: redemption.program_id.into(),
            program_version: redemption.program_version,
            points: decimal("redemption.points", redemption.points)?,
            amount: money("redemption.amount", redemption.amount)?,
            tenders: tenders.collect::<Result<_, _>>()?,
            place: RedemptionPlace {
                store_id: redemption.store_id,
                terminal_id: redemption.terminal_id,
                cashier_id: redemption.cashier_id,
                document_number: redemption.document_number,
            },
            hold_id: optional_text(redemption.hold_id),
            occurred_at: instant("redemption.occurred_at", redemption.occurred_at)?,
            recorded_at: instant("redemption.recorded_at", redemption.recorded_at)?,
            given_back_points: decimal("redemption.given_back_points", redemption.given_back_points)?,
            given_back_amount: money("redemption.given_back_amount", redemption.given_back_amount)?,
            owed_points: decimal("redemption.owed_points", redemption.owed_points)?,
            given_back: given_back.collect::<Result<_, _>>()?,
        })
    }
}

impl HoldReceipt {
    pub(crate) fn from_wire(answer: v1::PlaceHoldResponse) -> Result<Self, Error> {
        Ok(Self {
            hold: Hold::from_wire(present("hold", answer.hold)?)?,
            balance_before: decimal("balance_before", answer.balance_before)?,
            balance: Balance::from_wire(present("balance", answer.balance)?)?,
            replayed: answer.replayed,
            text: optional_text(answer.receipt_text),
        })
    }

    pub(crate) fn of_release(answer: v1::ReleaseHoldResponse) -> Result<Self, Error> {
        Self::from_wire(v1::PlaceHoldResponse {
            hold: answer.hold,
            balance_before: answer.balance_before,
            balance: answer.balance,
            replayed: answer.replayed,
            receipt_text: answer.receipt_text,
        })
    }
}

impl Hold {
    pub(crate) fn from_wire(hold: v1::Hold) -> Result<Self, Error> {
        let tenders = hold.tenders.into_iter().map(PointsTender::from_wire);
        Ok(Self {
            hold_id: hold.hold_id.into(),
            member_id: hold.member_id.into(),
            program_id: hold.program_id.into(),
            program_version: hold.program_version,
            points: decimal("hold.points", hold.points)?,
            amount: money("hold.amount", hold.amount)?,
            tenders: tenders.collect::<Result<_, _>>()?,
            place: RedemptionPlace {
                store_id: hold.store_id,
                terminal_id: hold.terminal_id,
                cashier_id: hold.cashier_id,
                document_number: hold.document_number,
            },
            placed_at: instant("hold.placed_at", hold.placed_at)?,
            lapses_at: instant("hold.lapses_at", hold.lapses_at)?,
            state: HoldState::from_number(hold.state),
            ended_at: optional_instant("hold.ended_at", hold.ended_at)?,
            redemption_id: optional_text(hold.redemption_id),
            captured_points: optional_decimal("hold.captured_points", hold.captured_points)?,
        })
    }
}

fn to_wire(redemptions: &[Redemption]) -> Vec<v1::SaleRedemption> {
    redemptions.iter().map(|redemption| redemption.to_wire(false)).collect()
}
