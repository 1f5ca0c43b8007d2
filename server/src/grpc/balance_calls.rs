//! What a member has, now and at an instant that is over.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_api::v1 as wire;
use tonic::Status;

use super::auth::caller;
use super::convert::{decimal, timestamp};
use super::fields::Fields;
use super::{Context, convert, member_lookup, receipt_calls, status};
use crate::domain::outcome::Balance;
use crate::domain::program::ProgramVersion;
use crate::domain::receipt_text::{Printed, Standing};
use crate::domain::sale_recording;
use crate::domain::summary::Summary;
use crate::storage::account::AccountKey;
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::program_cache::ProgramCache;
use crate::storage::{books, summary};

/// As far ahead as it can be asked what lapses.
const MOST_DAYS: u32 = 36_600;

/// What is asked of a member's points.
#[derive(Clone, Copy)]
struct Asked {
    now: DateTime<Utc>,
    /// `None`: now.
    at: Option<DateTime<Utc>>,
    expiring_within_days: u32,
}

/// What there is to say: what can be done with the points only now.
type Found = (Option<Balance>, Summary, Arc<ProgramVersion>);

/// What a member has.
pub(super) async fn get(
    context: &Context,
    request: wire::GetBalanceRequest,
) -> Result<wire::GetBalanceResponse, Status> {
    let now = (context.clock)();
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", request.program_id);
    let key = convert::member::member_key(&mut fields, "member", request.member);
    let asked = Asked {
        now,
        at: fields.instant("at", request.at),
        expiring_within_days: request.expiring_within_days,
    };
    if asked.at.is_some_and(|at| at > now) {
        fields.wrong("at", "is not over");
    }
    if asked.expiring_within_days > MOST_DAYS {
        fields.wrong("expiring_within_days", format!("must be at most {MOST_DAYS}"));
    }
    let asked_text = receipt_calls::asked(&mut fields, request.receipt_language);
    if asked.at.is_some() && asked_text != receipt_calls::Asked::Nothing {
        fields.wrong("receipt_language", "is for what the member has now");
    }
    fields.finish(())?;

    let caller = caller(context);
    let member_id = member_lookup::resolve(context, caller, &program_id, &key, "member").await?;
    let (cache, key) = (context.programs.clone(), (caller.merchant_id, member_id));
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let found = read(connection, &cache, key, asked).await?;
            connection::end_snapshot(connection).await?;
            Ok(found)
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let found = found.filter(|(.., version)| program_id.is_empty() || *version.program_id == *program_id);
    let Some((balance, summary, version)) = found else {
        return Err(member_lookup::not_found(context, caller, &program_id, "member").await);
    };
    let receipt = match &balance {
        Some(balance) => {
            let standing = Standing {
                member_id,
                program_id: version.program_id.to_string(),
                currency: version.program.currency.clone(),
                balance: balance.clone(),
            };
            receipt_calls::receipt(context, asked_text, Printed::Balance(&standing)).await?
        }
        None => receipt_calls::Receipt::default(),
    };
    let mut balance = balance.map(|balance| convert::member::balance(balance, &version.program.currency));
    receipt.complete(&mut balance);
    Ok(wire::GetBalanceResponse {
        receipt_text: receipt.text,
        member_id: member_id.to_string(),
        program_id: version.program_id.to_string(),
        balance,
        summary: Some(told(asked, &summary)),
    })
}

async fn read(
    connection: &mut Connection,
    cache: &ProgramCache,
    key: AccountKey,
    asked: Asked,
) -> Result<Option<Found>, StorageError> {
    let Some((mut books, version)) = books::load(connection, cache, key, asked.now).await? else {
        return Ok(None);
    };
    let at = asked.at.unwrap_or(asked.now);
    let until = at + TimeDelta::days(i64::from(asked.expiring_within_days));
    // Also behind the newest entry: holds come and go without any.
    if asked.at.is_some() {
        let summary = summary::past(connection, &books.account, at, until).await?;
        return Ok(Some((None, summary, version)));
    }
    let (balance, mut summary) = books::ask(connection, key, &mut books, |books| {
        Ok((sale_recording::balance_at(books, &version, at)?, books.summary(at)?))
    })
    .await?;
    if asked.expiring_within_days > 0 {
        summary.expiring = summary::expiring(connection, &books.account, at, until).await?;
    }
    Ok(Some((Some(balance), summary, version)))
}

fn told(asked: Asked, summary: &Summary) -> wire::BalanceSummary {
    let is_asked = asked.expiring_within_days > 0;
    wire::BalanceSummary {
        at: Some(timestamp(asked.at.unwrap_or(asked.now))),
        balance: decimal(summary.balance),
        available: decimal(summary.available()),
        pending: decimal(summary.pending),
        held: decimal(summary.held),
        debt: decimal(summary.debt),
        expired_unswept: decimal(summary.expired_unswept),
        expiring: is_asked.then_some(summary.expiring).and_then(decimal),
        lifetime_earned: decimal(summary.lifetime.earned),
        lifetime_redeemed: decimal(summary.lifetime.redeemed),
        lifetime_expired: decimal(summary.lifetime.expired),
    }
}
