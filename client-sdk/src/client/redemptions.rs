//! Calls of the RedemptionService about the points of members.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::{HoldId, RedemptionId},
    member::MemberKey,
    page::{Page, PageRequest},
    redemption_quote::{RedemptionQuestion, RedemptionQuote},
    redemption_reversal::{RedemptionReversal, ReversalReceipt},
    stand_alone::{
        Hold, HoldCapture, HoldReceipt, HoldRelease, NewHold, RedemptionFilter, RedemptionReceipt, RedemptionRecord,
        RedemptionRequest,
    },
    wire::present,
};

impl Client {
    /// What the points of a member can pay and buy now, and what is missing to what they cannot.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`], [`Error::AmbiguousMember`] when several programs have the member,
    /// [`Error::CurrencyMismatch`], [`Error::RedemptionClosed`] when points cannot be redeemed at all.
    pub async fn quote_redemption(&self, question: &RedemptionQuestion) -> Result<RedemptionQuote, Error> {
        let message = question.to_wire();
        let answer = self
            .read(message, attempt!(self.raw_redemptions(), quote_redemption))
            .await?;
        RedemptionQuote::from_wire(answer)
    }

    /// Redeems points without a sale, all that is asked or nothing. Points that pay for a sale go with
    /// [`record_sale`](Self::record_sale).
    ///
    /// # Errors
    ///
    /// Those of a sale's redemptions: see [`record_sale`](Self::record_sale).
    pub async fn redeem(&self, request: &RedemptionRequest) -> Result<RedemptionReceipt, Error> {
        let message = |request_id| request.to_wire(request_id);
        let answer = self.write(message, attempt!(self.raw_redemptions(), redeem)).await?;
        RedemptionReceipt::from_wire(answer)
    }

    /// Sets points aside for a redemption that is not certain yet.
    ///
    /// # Errors
    ///
    /// As [`redeem`](Self::redeem), and [`Error::TooManyHolds`].
    pub async fn place_hold(&self, hold: &NewHold) -> Result<HoldReceipt, Error> {
        let message = |request_id| hold.to_wire(request_id);
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), place_hold))
            .await?;
        HoldReceipt::from_wire(answer)
    }

    /// Redeems what a hold set aside, or less of it; the rest goes back to its lots.
    ///
    /// # Errors
    ///
    /// [`Error::HoldNotFound`], [`Error::HoldOfOtherMember`], [`Error::HoldCaptured`], [`Error::HoldReleased`],
    /// [`Error::HoldLapsed`] after its time limit unless the capture happened inside its life,
    /// [`Error::TimeOutOfRange`], [`Error::ExceedsHold`].
    pub async fn capture_hold(&self, capture: &HoldCapture) -> Result<RedemptionReceipt, Error> {
        let message = |request_id| capture.to_wire(request_id);
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), capture_hold))
            .await?;
        RedemptionReceipt::of_capture(answer)
    }

    /// Gives a hold up; `member`: whose it must be.
    ///
    /// # Errors
    ///
    /// [`Error::HoldNotFound`], [`Error::HoldOfOtherMember`], [`Error::HoldCaptured`], [`Error::HoldReleased`],
    /// [`Error::HoldLapsed`].
    pub async fn release_hold(
        &self,
        hold_id: impl Into<HoldId>,
        member: Option<MemberKey>,
    ) -> Result<HoldReceipt, Error> {
        let release = HoldRelease {
            member,
            ..HoldRelease::of(hold_id)
        };
        self.release(&release).await
    }

    /// The same, with all that can be said of it.
    ///
    /// # Errors
    ///
    /// As [`release_hold`](Self::release_hold).
    pub async fn release(&self, release: &HoldRelease) -> Result<HoldReceipt, Error> {
        let message = |request_id| release.to_wire(request_id);
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), release_hold))
            .await?;
        HoldReceipt::of_release(answer)
    }

    /// Gives a redemption back, fully or partly: its points go to the lots they were taken from, which keep their expiry.
    ///
    /// # Errors
    ///
    /// [`Error::RedemptionNotFound`], [`Error::ExceedsRedeemed`] when that is more than is left of it.
    pub async fn reverse_redemption(&self, reversal: &RedemptionReversal) -> Result<ReversalReceipt, Error> {
        let message = |request_id| reversal.to_wire(request_id);
        let answer = self
            .write(message, attempt!(self.raw_redemptions(), reverse_redemption))
            .await?;
        ReversalReceipt::from_wire(answer)
    }

    /// A redemption that stands alone.
    ///
    /// # Errors
    ///
    /// [`Error::RedemptionNotFound`] when there is none.
    pub async fn get_redemption(&self, redemption_id: impl Into<RedemptionId>) -> Result<RedemptionRecord, Error> {
        let message = v1::GetRedemptionRequest {
            redemption_id: redemption_id.into().into(),
        };
        let answer = self
            .read(message, attempt!(self.raw_redemptions(), get_redemption))
            .await?;
        RedemptionRecord::from_wire(present("redemption", answer.redemption)?)
    }

    /// Redemptions that stand alone, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::MemberNotFound`],
    /// [`Error::AmbiguousMember`].
    pub async fn list_redemptions(
        &self,
        filter: &RedemptionFilter,
        page: &PageRequest,
    ) -> Result<Page<RedemptionRecord>, Error> {
        let message = filter.to_redemptions(page);
        let answer = self
            .read(message, attempt!(self.raw_redemptions(), list_redemptions))
            .await?;
        let redemptions = answer.redemptions.into_iter().map(RedemptionRecord::from_wire);
        Ok(Page::new(
            redemptions.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// Holds, newest first.
    ///
    /// # Errors
    ///
    /// As [`list_redemptions`](Self::list_redemptions).
    pub async fn list_holds(&self, filter: &RedemptionFilter, page: &PageRequest) -> Result<Page<Hold>, Error> {
        let message = filter.to_holds(page);
        let answer = self.read(message, attempt!(self.raw_redemptions(), list_holds)).await?;
        let holds = answer.holds.into_iter().map(Hold::from_wire);
        Ok(Page::new(
            holds.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}
