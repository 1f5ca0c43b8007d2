//! Calls of the RedemptionService about the points of members.

use super::{Client, attempt};
use crate::{
    error::Error,
    redemption_quote::{RedemptionQuestion, RedemptionQuote},
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
}
