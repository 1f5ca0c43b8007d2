//! Returns and cancellations, from the wire, and what they did, to the wire.

use loyalty_api::v1 as wire;
use wire::sale_return::Returned as Given;

use super::member::balance;
use super::outcome::{line_outcome, rate_outcome};
use super::sale::{AMOUNT_LIMIT, BILLION, MOST_LINES};
use super::{decimal, money, timestamp};
use crate::domain::number::{Currency, SCALE};
use crate::domain::return_outcome::{KeptLine, ReturnOutcome};
use crate::domain::sale_return::{Cancellation, Place, Returned, ReturnedLine, SaleName, SaleReturn};
use crate::grpc::fields::{Bounds, Fields};

/// A return.
pub(in crate::grpc) fn sale_return(fields: &mut Fields, given: Option<wire::SaleReturn>) -> Option<SaleReturn> {
    let Some(given) = given else {
        fields.wrong("sale_return", "is missing");
        return None;
    };
    let (store_id, terminal_id) = fields.place("sale_return.", given.store_id, given.terminal_id);
    let sale_store_id = fields.text("sale_return.sale_store_id", given.sale_store_id, 0, 64);
    Some(SaleReturn {
        return_id: fields.text("sale_return.return_id", given.return_id, 1, 64),
        sale: SaleName {
            store_id: if_empty(sale_store_id, &store_id),
            sale_id: fields.text("sale_return.sale_id", given.sale_id, 1, 64),
        },
        returned: returned(fields, given.returned)?,
        place: Place {
            store_id,
            terminal_id,
            cashier_id: fields.text("sale_return.cashier_id", given.cashier_id, 0, 64),
            document_type: fields.text("sale_return.document_type", given.document_type, 0, 64),
            document_number: fields.text("sale_return.document_number", given.document_number, 0, 64),
            occurred_at: fields.instant("sale_return.occurred_at", given.occurred_at),
        },
    })
}

/// A cancellation.
pub(in crate::grpc) fn cancellation(fields: &mut Fields, given: wire::CancelSaleRequest) -> Cancellation {
    let (store_id, terminal_id) = fields.place("", given.store_id, given.terminal_id);
    let sale_store_id = fields.text("sale_store_id", given.sale_store_id, 0, 64);
    Cancellation {
        sale: SaleName {
            store_id: if_empty(sale_store_id, &store_id),
            sale_id: fields.text("sale_id", given.sale_id, 1, 64),
        },
        place: Place {
            store_id,
            terminal_id,
            cashier_id: fields.text("cashier_id", given.cashier_id, 0, 64),
            document_type: fields.text("document_type", given.document_type, 0, 64),
            document_number: fields.text("document_number", given.document_number, 0, 64),
            occurred_at: fields.instant("occurred_at", given.occurred_at),
        },
    }
}

/// What a return or a cancellation did, on the wire.
pub(in crate::grpc) fn return_outcome(outcome: ReturnOutcome) -> wire::ReturnOutcome {
    let currency = outcome.currency;
    wire::ReturnOutcome {
        member_id: outcome.member_id.to_string(),
        program_id: outcome.program_id,
        program_version: outcome.program_version,
        sale_store_id: outcome.sale.store_id,
        sale_id: outcome.sale.sale_id,
        return_id: outcome.return_id.unwrap_or_default(),
        occurred_at: Some(timestamp(outcome.occurred_at)),
        amount: money(&currency, outcome.amount),
        points_amount: money(&currency, outcome.points_amount),
        refund: money(&currency, outcome.amount - outcome.points_amount),
        kept_amount: money(&currency, outcome.kept_amount),
        points_given_back: decimal(outcome.points_given_back),
        given_back_lapsed: decimal(outcome.given_back_lapsed),
        points_taken_back: decimal(outcome.points_taken_back),
        taken_back_lapsed: decimal(outcome.taken_back_lapsed),
        points_owed: decimal(outcome.owed),
        points_forgiven: decimal(outcome.forgiven),
        points_earned: decimal(outcome.points_earned),
        balance_before: decimal(outcome.balance_before),
        balance: Some(balance(outcome.balance, &currency)),
        tier_id_before: outcome.tier_id_before.unwrap_or_default(),
        lines: (0..)
            .zip(outcome.lines)
            .map(|line| kept_line(line, &currency))
            .collect(),
        rates: outcome
            .rates
            .into_iter()
            .map(|rate| rate_outcome(rate, &currency))
            .collect(),
        carried_after: outcome.carried.and_then(|carried| decimal(carried.shown())),
    }
}

fn kept_line((line, kept): (u32, KeptLine), currency: &Currency) -> wire::KeptLine {
    wire::KeptLine {
        line,
        returned_quantity: decimal(kept.returned_quantity),
        returned_amount: money(currency, kept.returned_amount),
        kept_quantity: decimal(kept.kept_quantity),
        kept_amount: money(currency, kept.kept_amount),
        kept: kept.kept.map(|outcome| line_outcome((line, outcome))),
    }
}

fn returned(fields: &mut Fields, given: Option<Given>) -> Option<Returned> {
    match given {
        Some(Given::Lines(wire::ReturnedLines { lines })) => {
            if lines.is_empty() {
                fields.wrong("sale_return.lines", "is empty");
            }
            if !fields.at_most("sale_return.lines", &lines, MOST_LINES) {
                return None;
            }
            let quantities = Bounds::up_to(BILLION, 6).positive();
            let lines = lines.into_iter().enumerate().map(|(number, given)| ReturnedLine {
                line: given.line,
                quantity: fields.decimal(
                    &format!("sale_return.lines[{number}].quantity"),
                    given.quantity,
                    quantities,
                ),
            });
            Some(Returned::Lines(lines.collect()))
        }
        Some(Given::Amount(amount)) => {
            let amounts = Bounds::up_to(AMOUNT_LIMIT, SCALE).positive();
            let amount = fields.decimal("sale_return.amount", Some(amount), amounts);
            amount.map(Returned::Amount)
        }
        Some(Given::Rest(true)) => Some(Returned::Rest),
        Some(Given::Rest(false)) => {
            fields.wrong("sale_return.rest", "must be true");
            None
        }
        None => {
            fields.wrong("sale_return.returned", "must say lines, an amount, or the rest");
            None
        }
    }
}

fn if_empty(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}
