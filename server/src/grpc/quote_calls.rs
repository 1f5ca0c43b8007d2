//! Tokens of quotes: what QuoteSale gives out, and what RecordSale takes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tonic::Status;

use super::auth::caller;
use super::{Context, status};
use crate::domain::outcome::SaleOutcome;
use crate::domain::quote::{Basket, Holder, Quote, QuoteKey};
use crate::domain::rejection::Rejection;
use crate::domain::sale::{MemberKey, Sale};
use crate::posting::content_hash;

/// Characters of the longest token, with room for a layout to come.
const TOKEN_LENGTH: usize = 512;

/// How quotes are held.
pub(crate) struct Quotes {
    pub(crate) key: QuoteKey,
    /// For which time.
    pub(crate) lifetime: Duration,
}

/// What of a sale its quote is about.
pub(super) struct Quoted {
    basket: [u8; 16],
    customer: [u8; 16],
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Quoted {
    /// Of a sale that is quoted now.
    pub(super) fn of(context: &Context, sale: &Sale, now: DateTime<Utc>) -> Result<Self, Status> {
        let lifetime = TimeDelta::from_std(context.quotes.lifetime).map_err(|_| status::internal())?;
        Ok(Self {
            basket: basket(sale)?,
            customer: customer(&sale.member)?,
            at: sale.made_at(now),
            expires_at: now + lifetime,
        })
    }

    /// The token, and until when it is held.
    pub(super) fn token(self, context: &Context, outcome: &SaleOutcome) -> (String, DateTime<Utc>) {
        let quote = Quote {
            merchant_id: caller(context).merchant_id,
            program_id: outcome.program_id.clone(),
            version: outcome.program_version,
            // The quote of a sale that would enrol its customer has no member yet.
            holder: match outcome.member_id.is_nil() {
                true => Holder::Customer(self.customer),
                false => Holder::Member(outcome.member_id),
            },
            basket: self.basket,
            at: self.at,
            expires_at: self.expires_at,
        };
        (hex::encode(quote.seal(&context.quotes.key)), quote.expires_at)
    }
}

/// The quote of the token that a sale brings; `None` without one. What shows without clock and books is refused here.
pub(super) fn held(context: &Context, sale: &Sale, token: &str) -> Result<Option<Quote>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let quote = Some(token)
        .filter(|token| token.len() <= TOKEN_LENGTH)
        .and_then(|token| hex::decode(token).ok())
        .and_then(|token| Quote::open(&token, &context.quotes.key));
    let Some(quote) = quote else {
        return Err(status::rejection(&Rejection::QuoteTokenInvalid));
    };
    if quote.merchant_id != caller(context).merchant_id {
        return Err(status::rejection(&Rejection::QuoteOfOtherMerchant));
    }
    if quote.basket != basket(sale)? {
        return Err(status::rejection(&Rejection::QuoteOfOtherBasket));
    }
    if !quote.is_for_customer(customer(&sale.member)?, &sale.member) {
        return Err(status::rejection(&Rejection::QuoteOfOtherMember));
    }
    Ok(Some(quote))
}

fn basket(sale: &Sale) -> Result<[u8; 16], Status> {
    let hash = content_hash("Basket", &Basket::of(sale)).map_err(|_| status::internal())?;
    Ok(first_half(hash))
}

fn customer(member: &MemberKey) -> Result<[u8; 16], Status> {
    let hash = content_hash("Customer", member).map_err(|_| status::internal())?;
    Ok(first_half(hash))
}

fn first_half(hash: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash) {
        *to = from;
    }
    half
}
