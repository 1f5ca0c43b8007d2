//! What points can do and did, to and from the wire.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use loyalty_api::v1::ErrorReason;
use loyalty_api::v1::quoted_reward::Gives as QuotedGives;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::member::balance;
use super::outcome::points_tender;
use super::program::currency;
use super::sale::{self, AMOUNT_LIMIT};
use super::{decimal, money as money_to_wire, timestamp};
use crate::domain::giving_back::{Measure, Part, ReversalOutcome};
use crate::domain::hold::{Hold, HoldState};
use crate::domain::holding::HoldOutcome;
use crate::domain::number::Currency;
use crate::domain::redeeming::{Place, RecordedRedemption, Ticket};
use crate::domain::redemption::quote::{Possible, Quote};
use crate::domain::reward::{Gives, Reward};
use crate::domain::sale::SaleRedemption;
use crate::grpc::fields::{Bounds, Fields};

const MOST_PARTS: usize = 10;

/// An amount of at least 0 that may be left out.
pub(in crate::grpc) fn money(
    fields: &mut Fields,
    field: &str,
    given: Option<wire::Money>,
) -> Option<(Currency, Decimal)> {
    bounded(fields, field, given, |bounds| bounds)
}

/// An amount above 0 that may be left out.
pub(in crate::grpc) fn positive_money(
    fields: &mut Fields,
    field: &str,
    given: Option<wire::Money>,
) -> Option<(Currency, Decimal)> {
    bounded(fields, field, given, Bounds::positive)
}

fn bounded(
    fields: &mut Fields,
    field: &str,
    given: Option<wire::Money>,
    bounds: fn(Bounds) -> Bounds,
) -> Option<(Currency, Decimal)> {
    let given = given?;
    let currency = currency(fields, &format!("{field}.currency_code"), &given.currency_code);
    let amounts = bounds(Bounds::up_to(AMOUNT_LIMIT, currency.minor_units));
    let amount = fields.required_decimal(&format!("{field}.amount"), given.amount, amounts);
    Some((currency, amount))
}

/// What is to be paid, and what of it points may pay; `None` without a total.
pub(in crate::grpc) fn ticket(
    fields: &mut Fields,
    total: Option<wire::Money>,
    due: Option<wire::Money>,
) -> Option<Ticket> {
    let total = money(fields, "total", total);
    let due = money(fields, "due", due);
    match (total, due) {
        (Some((currency, total)), None) => Some(Ticket {
            currency_code: currency.code,
            total,
            due: total,
        }),
        (Some((currency, total)), Some((due_currency, due))) => {
            if due_currency.code != currency.code {
                fields.wrong("due.currency_code", "is not that of the total");
            }
            if due > total {
                fields.wrong("due.amount", format!("is above the total of {total}"));
            }
            Some(Ticket {
                currency_code: currency.code,
                total,
                due,
            })
        }
        (None, Some(_)) => {
            fields.wrong("due", "needs the total that it is a part of");
            None
        }
        (None, None) => None,
    }
}

/// What points are asked to pay and buy; at least one thing unless nothing is an answer too.
pub(in crate::grpc) fn redemptions(
    fields: &mut Fields,
    given: Vec<wire::SaleRedemption>,
    may_be_none: bool,
) -> Vec<SaleRedemption> {
    if given.is_empty() && !may_be_none {
        fields.wrong("redemptions", "is missing");
    }
    sale::redemptions(fields, "redemptions", given, Bounds::up_to(AMOUNT_LIMIT, 4))
}

/// Where it happens.
pub(in crate::grpc) fn place(
    fields: &mut Fields,
    store_id: String,
    terminal_id: String,
    cashier_id: String,
    document_number: String,
) -> Place {
    let (store_id, terminal_id) = fields.place("", store_id, terminal_id);
    Place {
        store_id,
        terminal_id,
        cashier_id: fields.text("cashier_id", cashier_id, 0, 64),
        document_number: fields.text("document_number", document_number, 0, 64),
    }
}

/// An id that the server made; the nil one, which is nobody's, for one that it did not.
pub(in crate::grpc) fn made_id(fields: &mut Fields, field: &str, given: &str) -> Uuid {
    if given.is_empty() {
        fields.wrong(field, "is missing");
    }
    given.parse().unwrap_or_default()
}

/// A redemption on the wire.
pub(in crate::grpc) fn redemption(recorded: RecordedRedemption) -> wire::Redemption {
    let RecordedRedemption {
        redemption,
        member_id,
        given_back,
    } = recorded;
    let places = (0..redemption.tenders.len()).filter(|_| !given_back.is_nothing());
    let of_tenders = places.map(|place| given_back.of(place));
    let currency = &redemption.currency;
    let owed = redemption.entries.iter().map(|entry| entry.owed).sum();
    wire::Redemption {
        redemption_id: redemption.redemption_id.to_string(),
        member_id: member_id.to_string(),
        program_version: redemption.program_version,
        points: decimal(redemption.points()),
        amount: money_to_wire(currency, redemption.amount()),
        given_back_points: decimal(given_back.points()),
        given_back_amount: money_to_wire(currency, given_back.amount()),
        given_back: of_tenders
            .map(|back| wire::TenderGivenBack {
                points: decimal(back.points),
                amount: decimal(back.amount),
                quantity: decimal(back.quantity),
            })
            .collect(),
        owed_points: decimal(owed),
        hold_id: redemption
            .hold_id
            .map(|hold_id| hold_id.to_string())
            .unwrap_or_default(),
        occurred_at: Some(timestamp(redemption.occurred_at)),
        recorded_at: Some(timestamp(redemption.recorded_at)),
        tenders: redemption
            .tenders
            .into_iter()
            .map(|tender| points_tender(tender, currency))
            .collect(),
        program_id: redemption.program_id,
        store_id: redemption.place.store_id,
        terminal_id: redemption.place.terminal_id,
        cashier_id: redemption.place.cashier_id,
        document_number: redemption.place.document_number,
    }
}

/// What came back, and what the member had before and has afterwards.
pub(in crate::grpc) fn reversal(
    outcome: ReversalOutcome,
) -> (wire::RedemptionReversal, Option<wire::Decimal>, wire::Balance) {
    let currency = outcome.redemption.redemption.currency.clone();
    let reversal = wire::RedemptionReversal {
        redemption: Some(redemption(outcome.redemption)),
        points: decimal(outcome.points),
        lapsed_points: decimal(outcome.lapsed),
        amount: money_to_wire(&currency, outcome.amount),
    };
    let after = balance(outcome.balance, &currency);
    (reversal, decimal(outcome.balance_before), after)
}

/// What of a redemption is to come back.
pub(in crate::grpc) fn parts(fields: &mut Fields, given: Vec<wire::RedemptionPart>) -> Vec<Part> {
    use wire::redemption_part::Part as Measured;
    if !fields.at_most("parts", &given, MOST_PARTS) {
        return Vec::new();
    }
    let amounts = Bounds::up_to(AMOUNT_LIMIT, 4).positive();
    let mut parts = Vec::with_capacity(given.len());
    for (place, given) in given.into_iter().enumerate() {
        let mut number = |name: &str, asked, bounds| {
            let field = format!("parts[{place}].{name}");
            fields.required_decimal(&field, Some(asked), bounds)
        };
        let measure = match given.part {
            Some(Measured::Points(asked)) => Measure::Points(number("points", asked, amounts)),
            Some(Measured::Amount(asked)) => Measure::Amount(number("amount", asked, amounts)),
            Some(Measured::Quantity(asked)) => Measure::Quantity(number("quantity", asked, amounts.with_decimals(6))),
            None => Measure::Rest,
        };
        parts.push(Part {
            tender: given.tender,
            measure,
        });
    }
    parts
}

/// A hold on the wire, as it is at `now`.
pub(in crate::grpc) fn hold(hold: &Hold, now: DateTime<Utc>) -> wire::Hold {
    let terms = &hold.terms;
    let (state, ended_at, captured) = match hold.state {
        HoldState::Open if terms.lapses_at > now => (wire::HoldState::Live, None, None),
        HoldState::Open => (wire::HoldState::Lapsed, None, None),
        HoldState::Captured {
            redemption_id,
            points,
            at,
        } => (wire::HoldState::Captured, Some(at), Some((redemption_id, points))),
        HoldState::Released { at } => (wire::HoldState::Released, Some(at), None),
    };
    let tenders = terms.tenders.iter().cloned();
    wire::Hold {
        hold_id: terms.hold_id.to_string(),
        member_id: terms.member_id.to_string(),
        program_id: terms.program_id.clone(),
        program_version: terms.program_version,
        points: decimal(terms.points()),
        amount: money_to_wire(&terms.currency, terms.amount()),
        tenders: tenders.map(|tender| points_tender(tender, &terms.currency)).collect(),
        store_id: terms.place.store_id.clone(),
        terminal_id: terms.place.terminal_id.clone(),
        cashier_id: terms.place.cashier_id.clone(),
        document_number: terms.place.document_number.clone(),
        placed_at: Some(timestamp(terms.placed_at)),
        lapses_at: Some(timestamp(terms.lapses_at)),
        state: state.into(),
        ended_at: ended_at.map(timestamp),
        redemption_id: captured.map(|(id, _)| id.to_string()).unwrap_or_default(),
        captured_points: captured.and_then(|(_, points)| decimal(points)),
    }
}

/// A hold as its call answered it: placed, or released.
pub(in crate::grpc) fn hold_of_outcome(outcome: &HoldOutcome) -> wire::Hold {
    let state = match outcome.released_at {
        Some(at) => HoldState::Released { at },
        None => HoldState::Open,
    };
    let terms = Arc::new(outcome.hold.clone());
    hold(&Hold { terms, state }, outcome.hold.placed_at)
}

/// What points can do, on the wire; whose they are is left to the caller.
pub(in crate::grpc) fn quote(quote: Quote, amount: Option<Decimal>) -> wire::QuoteRedemptionResponse {
    let currency = &quote.currency;
    let cost = quote.cover.zip(amount).map(|(cover, amount)| wire::AmountCost {
        amount: money_to_wire(currency, amount),
        points: cover.points.and_then(decimal),
        missing_points: decimal(cover.missing),
        refusal: refusal(&cover),
    });
    let rewards = quote.rewards.into_iter();
    wire::QuoteRedemptionResponse {
        program_version: quote.program_version,
        most: quote.most.map(|tender| points_tender(tender, currency)),
        cost,
        rewards: rewards
            .map(|(reward_id, reward, possible)| quoted_reward(reward_id, reward, &possible, currency))
            .collect(),
        balance: Some(balance(quote.balance, currency)),
        ..wire::QuoteRedemptionResponse::default()
    }
}

fn quoted_reward(reward_id: String, reward: Reward, possible: &Possible, currency: &Currency) -> wire::QuotedReward {
    wire::QuotedReward {
        reward_id,
        printed_text: reward.text().to_owned(),
        name: reward.name,
        product_code: reward.product_code,
        position: reward.position,
        points: decimal(reward.points),
        gives: match reward.gives {
            Gives::MoneyOff(amount) => money_to_wire(currency, amount).map(QuotedGives::MoneyOff),
            Gives::Product(product_id) => Some(QuotedGives::ProductId(product_id)),
        },
        affordable: possible.refusal.is_none(),
        missing_points: decimal(possible.missing),
        refusal: refusal(possible),
    }
}

fn refusal(possible: &Possible) -> i32 {
    let name = possible
        .refusal
        .as_ref()
        .map(|refusal| format!("ERROR_REASON_{}", refusal.reason()));
    let reason = name.and_then(|name| ErrorReason::from_str_name(&name));
    reason.unwrap_or_default().into()
}
