//! Calls of the LedgerService about adjustments and their reasons.

use loyalty_api::v1;
use prost_types::FieldMask;

use super::{Client, attempt};
use crate::{
    adjustment::{Adjustment, AdjustmentReceipt},
    error::Error,
    page::{Page, PageRequest},
    reason::{NewReason, Reason, ReasonUpdate},
    wire::present,
};

impl Client {
    /// Adds or removes points by hand, for a reason. Points that are removed are taken from what can be spent; what
    /// becomes of the rest the program's [`ShortfallPolicy`](crate::ShortfallPolicy) says. Who makes it is kept: see
    /// [`ClientBuilder::actor`](crate::ClientBuilder::actor).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`], [`Error::RequestIdReused`], [`Error::ProgramNotFound`], [`Error::MemberNotFound`],
    /// [`Error::AmbiguousMember`], [`Error::ReasonNotFound`], [`Error::ReasonArchived`], [`Error::TimeOutOfRange`],
    /// [`Error::TooManyDecimals`], [`Error::ApprovalLimitExceeded`], [`Error::LedgerRange`], and, where the program
    /// refuses to owe, [`Error::InsufficientPoints`]. None of them wrote anything to the books.
    pub async fn adjust_points(&self, adjustment: &Adjustment) -> Result<AdjustmentReceipt, Error> {
        let message = |request_id| adjustment.to_wire(request_id);
        let answer = self.write(message, attempt!(self.raw_ledger(), adjust_points)).await?;
        AdjustmentReceipt::from_wire(present("adjustment", answer.adjustment)?, answer.replayed)
    }

    /// Creates a reason for adjustments.
    ///
    /// # Errors
    ///
    /// [`Error::ReasonExists`] when the id is taken.
    pub async fn create_reason(&self, reason: &NewReason) -> Result<Reason, Error> {
        let message = |request_id| v1::CreateReasonRequest {
            request_id,
            reason: Some(reason.to_wire()),
        };
        let answer = self.write(message, attempt!(self.raw_ledger(), create_reason)).await?;
        Reason::from_wire(present("reason", answer.reason)?)
    }

    /// The merchant's reasons in order of id, archived ones included.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_reasons(&self, page: &PageRequest) -> Result<Page<Reason>, Error> {
        let message = v1::ListReasonsRequest {
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), list_reasons)).await?;
        let reasons = answer.reasons.into_iter().map(Reason::from_wire);
        Ok(Page::new(
            reasons.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// Changes a reason, or takes it out of use. It holds for every adjustment after this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when somebody changed it since it was read, [`Error::ReasonNotFound`].
    pub async fn update_reason(&self, update: &ReasonUpdate) -> Result<Reason, Error> {
        let message = |request_id| v1::UpdateReasonRequest {
            request_id,
            reason: Some(update.reason.clone()),
            update_mask: Some(FieldMask {
                paths: update.paths.clone(),
            }),
        };
        let answer = self.write(message, attempt!(self.raw_ledger(), update_reason)).await?;
        Reason::from_wire(present("reason", answer.reason)?)
    }
}
