//! Sales on the wire.

use loyalty_api::v1;

use super::{decimal_message, timestamp};
use crate::{
    id::ProgramId,
    sale::{ReceiptLanguage, Sale, SaleLine, SaleLineFlag, Tender},
};

impl Sale {
    pub(crate) fn to_wire(&self) -> v1::Sale {
        v1::Sale {
            sale_id: self.sale_id.clone(),
            store_id: self.store_id.clone(),
            terminal_id: self.terminal_id.clone(),
            cashier_id: self.cashier_id.clone(),
            document_type: self.document_type.clone(),
            document_number: self.document_number.clone(),
            program_id: self.program_id.as_ref().map(ProgramId::to_string).unwrap_or_default(),
            member: Some(self.member.to_wire()),
            currency_code: self.currency_code.clone(),
            total: Some(decimal_message(self.total)),
            lines: self.lines.iter().map(SaleLine::to_wire).collect(),
            tenders: self.tenders.iter().map(Tender::to_wire).collect(),
            redemptions: self
                .redemptions
                .iter()
                .map(|redemption| redemption.to_wire(self.clamped))
                .collect(),
            occurred_at: self.occurred_at.map(timestamp),
            do_not_earn: self.do_not_earn,
            quote_token: self.quote_token.clone().unwrap_or_default(),
            customer: self.customer.as_ref().map(|customer| v1::Customer {
                name: customer.name.clone(),
                customer_group: customer.customer_group.clone(),
                territory: customer.territory.clone(),
            }),
            offline: self.offline,
        }
    }
}

impl ReceiptLanguage {
    /// The one that the contract has a template for.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::English),
            "es" => Some(Self::Spanish),
            "pt" => Some(Self::Portuguese),
            "el" => Some(Self::Greek),
            _ => None,
        }
    }

    /// As the contract asks for it; empty for none.
    pub(crate) fn asked(language: Option<Self>) -> String {
        let asked = match language {
            None => "",
            Some(Self::OfMember) => "member",
            Some(Self::English) => "en",
            Some(Self::Spanish) => "es",
            Some(Self::Portuguese) => "pt",
            Some(Self::Greek) => "el",
        };
        asked.to_owned()
    }
}

impl SaleLine {
    fn to_wire(&self) -> v1::SaleLine {
        v1::SaleLine {
            product_id: self.product_id.clone(),
            category: self.category.clone(),
            brand: self.brand.clone(),
            quantity: self.quantity.map(decimal_message),
            unit_price: self.unit_price.map(decimal_message),
            discount_percent: self.discount_percent.map(decimal_message),
            discount_amount: self.discount_amount.map(decimal_message),
            amount: Some(decimal_message(self.amount)),
            tax_amount: self.tax_amount.map(decimal_message),
            flag: self.flag.map(SaleLineFlag::number).unwrap_or_default(),
        }
    }
}

impl Tender {
    fn to_wire(&self) -> v1::Tender {
        v1::Tender {
            tender_type: self.tender_type.clone(),
            amount: Some(decimal_message(self.amount)),
        }
    }
}
