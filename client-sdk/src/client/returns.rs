//! Calls of the LedgerService that undo sales.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    error::Error,
    sale::ReceiptLanguage,
    sale_return::{Cancellation, ReturnReceipt, SaleReturn},
};

impl Client {
    /// What a return would do if it were recorded now, without recording it: same answer, same refusals as
    /// [`return_sale`](Self::return_sale).
    ///
    /// # Errors
    ///
    /// As [`return_sale`](Self::return_sale), except for [`Error::RequestIdReused`] and [`Error::ReturnIdConflict`].
    pub async fn quote_return(&self, sale_return: &SaleReturn) -> Result<ReturnReceipt, Error> {
        let message = v1::QuoteReturnRequest {
            sale_return: Some(sale_return.to_wire()),
            receipt_language: ReceiptLanguage::asked(sale_return.receipt_language),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), quote_return)).await?;
        ReturnReceipt::of_quote(answer)
    }

    /// Records a return of goods: takes back what they earned, gives back the points that paid for them, and takes back what
    /// they added to the spend for tiers. The same return recorded again gives the original answer, marked as
    /// [`replayed`](ReturnReceipt::replayed).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`], [`Error::RequestIdReused`], [`Error::SaleNotFound`], [`Error::ReturnIdConflict`],
    /// [`Error::SaleCancelled`], [`Error::TimeOutOfRange`], [`Error::DocumentTypeRefused`], [`Error::NothingToReturn`],
    /// [`Error::ReturnExceedsSold`], [`Error::TooManyDecimals`], [`Error::LedgerRange`]. None of them wrote anything to the
    /// books.
    pub async fn return_sale(&self, sale_return: &SaleReturn) -> Result<ReturnReceipt, Error> {
        let message = |request_id| v1::ReturnSaleRequest {
            request_id,
            sale_return: Some(sale_return.to_wire()),
            receipt_language: ReceiptLanguage::asked(sale_return.receipt_language),
        };
        let answer = self.write(message, attempt!(self.raw_ledger(), return_sale)).await?;
        ReturnReceipt::of_return(answer)
    }

    /// Cancels what is left of a sale, once: everything it did is undone. The same cancellation again gives the original
    /// answer, marked as [`replayed`](ReturnReceipt::replayed).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`], [`Error::RequestIdReused`], [`Error::SaleNotFound`], [`Error::SaleCancelled`],
    /// [`Error::TimeOutOfRange`], [`Error::DocumentTypeRefused`], [`Error::LedgerRange`]. None of them wrote anything to the
    /// books.
    pub async fn cancel_sale(&self, cancellation: &Cancellation) -> Result<ReturnReceipt, Error> {
        let message = |request_id| cancellation.to_wire(request_id);
        let answer = self.write(message, attempt!(self.raw_ledger(), cancel_sale)).await?;
        ReturnReceipt::of_cancellation(answer)
    }
}
