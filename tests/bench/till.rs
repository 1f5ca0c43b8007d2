//! The sales: two lines, paid in cash, by customer number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use loyalty_api::v1 as wire;
use uuid::Uuid;

use crate::members::Dice;

/// The program that all members are in.
pub(crate) const PROGRAM: &str = "bench";

/// Stores that the sales come from.
const STORES: u64 = 50;
/// What the second line costs; the first one varies.
const SECOND_LINE_CENTS: u64 = 500;

/// Rings up sales, each with an id of its own, and counts those that were answered.
#[derive(Default)]
pub(crate) struct Till {
    rung_up: AtomicU64,
    answered: AtomicU64,
}

impl Till {
    /// The next sale, for this member.
    pub(crate) fn ring_up(&self, member: u64, dice: &mut Dice) -> wire::RecordSaleRequest {
        let number = self.rung_up.fetch_add(1, Ordering::Relaxed);
        let cents = 1_000 + dice.below(4_000);
        let total = decimal(cents + SECOND_LINE_CENTS);
        let sale = wire::Sale {
            sale_id: format!("ticket-{number:09}"),
            store_id: format!("store-{:02}", member % STORES),
            terminal_id: "till-3".to_owned(),
            cashier_id: "cashier-17".to_owned(),
            document_type: "TICKET".to_owned(),
            document_number: format!("T{number:09}"),
            program_id: PROGRAM.to_owned(),
            member: Some(wire::MemberKey {
                key: Some(wire::member_key::Key::CustomerId(customer_id(member))),
            }),
            currency_code: "EUR".to_owned(),
            total: total.clone(),
            lines: vec![
                line("espresso-machine", "household/kitchen", cents),
                line("beans-250g", "food/coffee", SECOND_LINE_CENTS),
            ],
            tenders: vec![wire::Tender {
                tender_type: "CASH".to_owned(),
                amount: total,
            }],
            redemptions: Vec::new(),
            occurred_at: Some(SystemTime::now().into()),
            do_not_earn: false,
            customer: None,
            offline: false,
            quote_token: String::new(),
        };
        wire::RecordSaleRequest {
            request_id: Uuid::now_v7().to_string(),
            sale: Some(sale),
            receipt_language: String::new(),
        }
    }

    /// Counts an answer: a sale that is in the books now.
    pub(crate) fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Sales that must be in the books.
    pub(crate) fn recorded(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

/// The shop's number of a member.
pub(crate) fn customer_id(member: u64) -> String {
    format!("customer-{member:07}")
}

fn line(product: &str, category: &str, cents: u64) -> wire::SaleLine {
    wire::SaleLine {
        product_id: product.to_owned(),
        category: category.to_owned(),
        quantity: text("1"),
        unit_price: decimal(cents),
        amount: decimal(cents),
        tax_amount: decimal(cents * 19 / 119),
        ..wire::SaleLine::default()
    }
}

fn decimal(cents: u64) -> Option<wire::Decimal> {
    let value = format!("{}.{:02}", cents / 100, cents % 100);
    Some(wire::Decimal { value })
}

fn text(value: &str) -> Option<wire::Decimal> {
    let value = value.to_owned();
    Some(wire::Decimal { value })
}
