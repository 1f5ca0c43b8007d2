//! Calls of the LedgerService: sales, balances and history.

use chrono::{DateTime, Utc};
use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    entry::{Entry, EntryFilter},
    error::Error,
    id::RequestId,
    member::{BalanceSummary, MemberBalance, MemberQuery},
    operation::Operation,
    page::{Page, PageRequest},
    receipt::{QuoteToken, Receipt},
    sale::{ReceiptLanguage, Sale},
    wire::{present, timestamp},
};

impl Client {
    /// What a sale would do if it were recorded now, without recording it: same rules, same answer, same refusals as
    /// [`record_sale`](Self::record_sale). It holds for a while when the sale is recorded
    /// [with the quote](Sale::with_quote).
    ///
    /// # Errors
    ///
    /// As [`record_sale`](Self::record_sale), except for [`Error::RequestIdReused`].
    pub async fn quote_sale(&self, sale: &Sale) -> Result<Receipt, Error> {
        let message = v1::QuoteSaleRequest {
            sale: Some(sale.to_wire()),
            receipt_language: ReceiptLanguage::asked(sale.receipt_language),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), quote_sale)).await?;
        let receipt = Receipt::from_wire(present("outcome", answer.outcome)?, false)?;
        let quote = QuoteToken::from_wire(answer.quote_token, answer.quote_expires_at)?;
        Ok(Receipt {
            quote: Some(quote),
            ..receipt.with_text(answer.receipt_text)
        })
    }

    /// Records a sale: takes the points that pay for it and gives the points it earns, both or neither. The same sale
    /// recorded again gives the original answer, marked as [`replayed`](Receipt::replayed).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`], [`Error::RequestIdReused`], [`Error::SaleIdConflict`], [`Error::ProgramNotFound`],
    /// [`Error::MemberNotFound`], [`Error::AmbiguousMember`], [`Error::CurrencyMismatch`], [`Error::TimeOutOfRange`],
    /// [`Error::DocumentTypeRefused`], [`Error::LedgerRange`]; when points should pay also
    /// [`Error::InsufficientPoints`], [`Error::ExceedsDue`], [`Error::NothingToRedeem`], [`Error::TooManyDecimals`],
    /// [`Error::RedemptionClosed`], [`Error::RedemptionNotOffered`], [`Error::RewardNotFound`],
    /// [`Error::ProductNotRedeemable`], [`Error::ExceedsSaleLines`], and the limits of the program:
    /// [`Error::ExceedsSaleShare`], [`Error::BelowMinimumPoints`], [`Error::NotInSteps`],
    /// [`Error::ExceedsMaximumPoints`]; with a quote [`Error::QuoteTokenInvalid`], [`Error::QuoteOfOtherMerchant`],
    /// [`Error::QuoteOfOtherBasket`], [`Error::QuoteOfOtherMember`], [`Error::QuoteExpired`]. None of them wrote anything to the books.
    pub async fn record_sale(&self, sale: &Sale) -> Result<Receipt, Error> {
        let message = |request_id| v1::RecordSaleRequest {
            request_id,
            sale: Some(sale.to_wire()),
            receipt_language: ReceiptLanguage::asked(sale.receipt_language),
        };
        let answer = self.write(message, attempt!(self.raw_ledger(), record_sale)).await?;
        let receipt = Receipt::from_wire(present("outcome", answer.outcome)?, answer.replayed)?;
        Ok(receipt.with_text(answer.receipt_text))
    }

    /// What a member has now.
    ///
    /// # Errors
    ///
    /// [`Error::MemberNotFound`], [`Error::AmbiguousMember`] when several programs have the member.
    pub async fn get_balance(&self, member: impl Into<MemberQuery>) -> Result<MemberBalance, Error> {
        let (program_id, member) = member.into().into_wire();
        let message = v1::GetBalanceRequest {
            program_id,
            member,
            ..v1::GetBalanceRequest::default()
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), get_balance)).await?;
        MemberBalance::from_wire(answer)
    }

    /// The same with a [text](MemberBalance::text) for a customer who asks, ready to print.
    ///
    /// # Errors
    ///
    /// As [`get_balance`](Self::get_balance).
    pub async fn get_balance_in(
        &self,
        member: impl Into<MemberQuery>,
        language: ReceiptLanguage,
    ) -> Result<MemberBalance, Error> {
        let (program_id, member) = member.into().into_wire();
        let message = v1::GetBalanceRequest {
            program_id,
            member,
            receipt_language: ReceiptLanguage::asked(Some(language)),
            ..v1::GetBalanceRequest::default()
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), get_balance)).await?;
        MemberBalance::from_wire(answer)
    }

    /// What of a member's points is what, now or at an instant `at` that is over; and what will lapse within so many days of
    /// it, unless 0 is asked.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the instant is not over, [`Error::MemberNotFound`], [`Error::AmbiguousMember`] when
    /// several programs have the member.
    pub async fn summarize_balance(
        &self,
        member: impl Into<MemberQuery>,
        at: Option<DateTime<Utc>>,
        expiring_within_days: u32,
    ) -> Result<BalanceSummary, Error> {
        let (program_id, member) = member.into().into_wire();
        let message = v1::GetBalanceRequest {
            program_id,
            member,
            at: at.map(timestamp),
            expiring_within_days,
            receipt_language: String::new(),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), get_balance)).await?;
        BalanceSummary::from_wire(present("summary", answer.summary)?)
    }

    /// Entries, newest first: of a member, which is named by itself, or of a whole program or merchant and by more
    /// conditions, as an [`EntryFilter`]. Entries written meanwhile do not shift the pages. A page may be short, even empty, though
    /// it is not the last.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::MemberNotFound`],
    /// [`Error::ProgramNotFound`], [`Error::AmbiguousMember`] when several programs have the member.
    pub async fn list_entries(&self, filter: impl Into<EntryFilter>, page: &PageRequest) -> Result<Page<Entry>, Error> {
        let message = filter.into().into_wire(page);
        let answer = self.read(message, attempt!(self.raw_ledger(), list_entries)).await?;
        let entries = answer.entries.into_iter().map(Entry::from_wire);
        Ok(Page::new(
            entries.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// What became of a write, by its request id: settles an outcome that the caller did not learn.
    ///
    /// # Errors
    ///
    /// [`Error::OperationNotFound`] when no write with this id was carried out or refused for a business reason. A write
    /// that is still under way may appear later: repeat it with its id instead of taking this for a no.
    pub async fn get_operation(&self, request_id: impl Into<RequestId>) -> Result<Operation, Error> {
        let message = v1::GetOperationRequest {
            request_id: request_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), get_operation)).await?;
        Operation::from_wire(answer)
    }
}
