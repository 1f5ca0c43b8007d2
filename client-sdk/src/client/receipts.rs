//! Calls of the LedgerService about what receipts say about points.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    error::Error,
    receipt_templates::{ReceiptTemplate, ReceiptTemplates},
    wire::present,
};

impl Client {
    /// How the merchant prints what receipts say about points.
    ///
    /// # Errors
    ///
    /// Failures only.
    pub async fn get_receipt_templates(&self) -> Result<ReceiptTemplates, Error> {
        let answer = self.receipt_templates().await?;
        ReceiptTemplates::from_wire(present("templates", answer.templates)?)
    }

    /// What is printed for merchants who have no templates of their own: one for each document, language and unit, to begin
    /// from.
    ///
    /// # Errors
    ///
    /// Failures only.
    pub async fn list_built_in_receipt_templates(&self) -> Result<Vec<ReceiptTemplate>, Error> {
        let answer = self.receipt_templates().await?;
        let templates = answer.built_in.into_iter();
        templates.map(ReceiptTemplate::from_wire).collect()
    }

    /// Changes how the merchant prints what receipts say about points. It holds for every text made after this call
    /// returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when somebody changed it since it was read, [`Error::InvalidFields`] where a text names what
    /// its documents do not have, or is none.
    pub async fn set_receipt_templates(&self, templates: &ReceiptTemplates) -> Result<ReceiptTemplates, Error> {
        let message = |request_id| v1::SetReceiptTemplatesRequest {
            request_id,
            templates: Some(templates.to_wire()),
        };
        let answer = self
            .write(message, attempt!(self.raw_ledger(), set_receipt_templates))
            .await?;
        ReceiptTemplates::from_wire(present("templates", answer.templates)?)
    }

    async fn receipt_templates(&self) -> Result<v1::GetReceiptTemplatesResponse, Error> {
        let message = v1::GetReceiptTemplatesRequest {};
        self.read(message, attempt!(self.raw_ledger(), get_receipt_templates))
            .await
    }
}
