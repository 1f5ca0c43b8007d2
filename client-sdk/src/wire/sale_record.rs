//! Recorded sales on the wire.

use loyalty_api::v1;

use super::{decimal, instant, money, optional_decimal, optional_text, present, timestamp};
use crate::{
    error::Error,
    id::{MemberId, ProgramId},
    member::MemberKey,
    page::PageRequest,
    receipt::Receipt,
    redemption::Redemption,
    sale::{Sale, SaleLine, SaleLineFlag, Tender},
    sale_record::{RecordedSale, SaleFilter, SaleSummary},
    sale_return::ReturnReceipt,
};

impl RecordedSale {
    pub(crate) fn from_wire(recorded: v1::RecordedSale) -> Result<Self, Error> {
        let receipt = Receipt::from_wire(present("sale.outcome", recorded.outcome)?, false)?;
        let returns = recorded.returns.into_iter();
        Ok(Self {
            sale: Sale::from_wire(present("sale.sale", recorded.sale)?, receipt.member_id.clone())?,
            receipt,
            occurred_at: instant("sale.occurred_at", recorded.occurred_at)?,
            recorded_at: instant("sale.recorded_at", recorded.recorded_at)?,
            returns: returns
                .map(|outcome| ReturnReceipt::from_wire(outcome, false))
                .collect::<Result<_, _>>()?,
            cancelled: recorded.cancelled,
        })
    }
}

impl SaleSummary {
    pub(crate) fn from_wire(sale: v1::SaleSummary) -> Result<Self, Error> {
        Ok(Self {
            store_id: sale.store_id,
            sale_id: sale.sale_id,
            member_id: sale.member_id.into(),
            program_id: sale.program_id.into(),
            terminal_id: optional_text(sale.terminal_id),
            cashier_id: optional_text(sale.cashier_id),
            document_type: optional_text(sale.document_type),
            document_number: optional_text(sale.document_number),
            occurred_at: instant("sale.occurred_at", sale.occurred_at)?,
            recorded_at: instant("sale.recorded_at", sale.recorded_at)?,
            total: money("sale.total", sale.total)?,
            points_earned: decimal("sale.points_earned", sale.points_earned)?,
            points_redeemed: decimal("sale.points_redeemed", sale.points_redeemed)?,
            return_count: sale.return_count,
            cancelled: sale.cancelled,
        })
    }
}

impl SaleFilter {
    pub(crate) fn to_wire(&self, page: &PageRequest) -> v1::ListSalesRequest {
        let of_program = self.program_id.as_ref().map(ProgramId::to_string).unwrap_or_default();
        let (program_id, member) = match self.member.clone() {
            Some(member) => member.into_wire(),
            None => (of_program, None),
        };
        v1::ListSalesRequest {
            program_id,
            member,
            store_id: self.store_id.clone().unwrap_or_default(),
            recorded_from: self.recorded_from.map(timestamp),
            recorded_until: self.recorded_until.map(timestamp),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        }
    }
}

impl Sale {
    /// A document that was kept; whose it is says its outcome.
    fn from_wire(sale: v1::Sale, member_id: MemberId) -> Result<Self, Error> {
        let (lines, tenders) = (sale.lines.into_iter(), sale.tenders.into_iter());
        let redemptions = sale.redemptions.into_iter();
        Ok(Self {
            sale_id: sale.sale_id,
            store_id: sale.store_id,
            terminal_id: sale.terminal_id,
            cashier_id: sale.cashier_id,
            document_type: sale.document_type,
            document_number: sale.document_number,
            program_id: optional_text::<String>(sale.program_id).map(ProgramId::from),
            member: MemberKey::MemberId(member_id),
            currency_code: sale.currency_code,
            total: decimal("sale.total", sale.total)?,
            lines: lines.map(SaleLine::from_wire).collect::<Result<_, _>>()?,
            tenders: tenders.map(Tender::from_wire).collect::<Result<_, _>>()?,
            redemptions: redemptions.map(Redemption::from_wire).collect::<Result<_, _>>()?,
            clamped: false,
            occurred_at: sale
                .occurred_at
                .map(|at| instant("sale.occurred_at", Some(at)))
                .transpose()?,
            do_not_earn: sale.do_not_earn,
            offline: sale.offline,
            receipt_language: None,
            quote_token: None,
            customer: None,
        })
    }
}

impl SaleLine {
    fn from_wire(line: v1::SaleLine) -> Result<Self, Error> {
        Ok(Self {
            product_id: line.product_id,
            category: line.category,
            brand: line.brand,
            quantity: optional_decimal("sale.lines.quantity", line.quantity)?,
            unit_price: optional_decimal("sale.lines.unit_price", line.unit_price)?,
            discount_percent: optional_decimal("sale.lines.discount_percent", line.discount_percent)?,
            discount_amount: optional_decimal("sale.lines.discount_amount", line.discount_amount)?,
            amount: decimal("sale.lines.amount", line.amount)?,
            tax_amount: optional_decimal("sale.lines.tax_amount", line.tax_amount)?,
            flag: (line.flag != 0).then(|| SaleLineFlag::from_number(line.flag)),
        })
    }
}

impl Tender {
    fn from_wire(tender: v1::Tender) -> Result<Self, Error> {
        Ok(Self {
            tender_type: tender.tender_type,
            amount: decimal("sale.tenders.amount", tender.amount)?,
        })
    }
}
