//! Calls of the LedgerService that read recorded sales.

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    error::Error,
    page::{Page, PageRequest},
    sale_record::{RecordedSale, SaleFilter, SaleSummary},
    wire::present,
};

impl Client {
    /// A sale as it was recorded, and what came back of it.
    ///
    /// # Errors
    ///
    /// [`Error::SaleNotFound`] when the store has recorded no such sale.
    pub async fn get_sale(
        &self,
        store_id: impl Into<String>,
        sale_id: impl Into<String>,
    ) -> Result<RecordedSale, Error> {
        let message = v1::GetSaleRequest {
            store_id: store_id.into(),
            sale_id: sale_id.into(),
        };
        let answer = self.read(message, attempt!(self.raw_ledger(), get_sale)).await?;
        RecordedSale::from_wire(present("sale", answer.sale)?)
    }

    /// Sales, newest first by the time of recording. Sales recorded meanwhile do not shift the pages. A page may be short,
    /// even empty, though it is not the last.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::MemberNotFound`],
    /// [`Error::ProgramNotFound`], [`Error::AmbiguousMember`] when several programs have the member.
    pub async fn list_sales(&self, filter: &SaleFilter, page: &PageRequest) -> Result<Page<SaleSummary>, Error> {
        let message = filter.to_wire(page);
        let answer = self.read(message, attempt!(self.raw_ledger(), list_sales)).await?;
        let sales = answer.sales.into_iter().map(SaleSummary::from_wire);
        Ok(Page::new(
            sales.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}
