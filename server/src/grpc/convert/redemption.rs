//! What points can do and did, to and from the wire.

use loyalty_api::v1 as wire;
use loyalty_api::v1::ErrorReason;
use loyalty_api::v1::quoted_reward::Gives as QuotedGives;
use rust_decimal::Decimal;

use super::member::balance;
use super::outcome::points_tender;
use super::program::currency;
use super::sale::AMOUNT_LIMIT;
use super::{decimal, money as money_to_wire};
use crate::domain::number::Currency;
use crate::domain::redemption::quote::{Possible, Quote};
use crate::domain::reward::{Gives, Reward};
use crate::grpc::fields::{Bounds, Fields};

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
