//! The calls of RedemptionService about points of members.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use tonic::Status;

use super::auth::caller;
use super::fields::Fields;
use super::{Context, convert, member_lookup, status};
use crate::domain::account::Stop;
use crate::domain::number::Currency;
use crate::domain::redemption::quote::{self, Question};
use crate::domain::rejection::Rejection;
use crate::storage::{books, connection};

/// What points can do.
pub(super) async fn quote(
    context: &Arc<Context>,
    request: wire::QuoteRedemptionRequest,
) -> Result<wire::QuoteRedemptionResponse, Status> {
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let key = convert::member::member_key(&mut fields, "member", request.member);
    let total = convert::redemption::money(&mut fields, "total", request.total);
    let due = convert::redemption::money(&mut fields, "due", request.due);
    let amount = convert::redemption::positive_money(&mut fields, "amount", request.amount);
    let question = question(&mut fields, total.as_ref(), due.as_ref(), amount.as_ref());
    let currencies = [("total", total), ("due", due), ("amount", amount)];
    fields.finish(())?;

    let (caller, now) = (caller(context), (context.clock)());
    let member_id = member_lookup::resolve(context, caller, &program_id, &key, "member").await?;
    let (cache, key) = (context.programs.clone(), (caller.merchant_id, member_id));
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let found = match books::load(connection, &cache, key, now).await? {
                Some((mut books, version)) => {
                    let quoted = loop {
                        match quote::quote(&books, &version, question, now) {
                            Err(Stop::LotsMissing) => books::learn_next_page(connection, key, &mut books).await?,
                            Err(Stop::Rejected(rejection)) => break Err(rejection),
                            Ok(quote) => break Ok(quote),
                        }
                    };
                    Some((quoted, version))
                }
                None => None,
            };
            connection::end_snapshot(connection).await?;
            Ok(found)
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let found = found.filter(|(_, version)| program_id.is_empty() || *version.program_id == *program_id);
    let Some((quoted, version)) = found else {
        return Err(member_lookup::not_found(context, caller, &program_id, "member").await);
    };
    check_currencies(&currencies, &version.program.currency).map_err(|rejection| status::rejection(&rejection))?;
    let quote = quoted.map_err(|rejection| status::rejection(&rejection))?;
    let amount = question.amount.or(question.sale.map(|(_, due)| due));
    Ok(wire::QuoteRedemptionResponse {
        member_id: member_id.to_string(),
        program_id: version.program_id.to_string(),
        ..convert::redemption::quote(quote, amount)
    })
}

/// Money with its currency, as a request brings it.
type Given = Option<(Currency, Decimal)>;

fn question(
    fields: &mut Fields,
    total: Option<&(Currency, Decimal)>,
    due: Option<&(Currency, Decimal)>,
    amount: Option<&(Currency, Decimal)>,
) -> Question {
    let sale = match (total, due) {
        (Some((_, total)), Some((_, due))) => {
            if due > total {
                fields.wrong("due", format!("is above the total of {total}"));
            }
            Some((*total, *due))
        }
        (Some((_, total)), None) => Some((*total, *total)),
        (None, Some(_)) => {
            fields.wrong("due", "needs the total that it is a part of");
            None
        }
        (None, None) => None,
    };
    Question {
        sale,
        amount: amount.map(|(_, amount)| *amount),
    }
}

fn check_currencies(given: &[(&'static str, Given)], currency: &Currency) -> Result<(), Rejection> {
    for (field, money) in given {
        if money.as_ref().is_some_and(|(given, _)| given.code != currency.code) {
            return Err(Rejection::CurrencyMismatch {
                field,
                currency_code: currency.code.clone(),
            });
        }
    }
    Ok(())
}
