//! What ruled when a sale was made that arrives later, or was quoted, for those who record it and for those who only ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::program_cache::ProgramCache;
use super::{configuration_change, entry, rule_usage};
use crate::domain::account::Books;
use crate::domain::offline::{self, BusinessTime, OfflinePolicy};
use crate::domain::program::ProgramVersion;
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::sale::{RedemptionAsk, Sale};
use crate::domain::sale_recording::MOST_AHEAD;

/// Whether anything but the version that rules now, and what the books know, can rate the sale.
pub(crate) fn is_needed(sale: &Sale, current: &ProgramVersion) -> bool {
    sale.offline
        || sale
            .quote
            .as_ref()
            .is_some_and(|quote| quote.version != current.version)
}

/// What rates the sale; `None` where that is `current`, the version that rules now, and what the books know. Into the
/// books comes what limited rules gave on its day.
pub(crate) async fn load(
    connection: &mut Connection,
    cache: &ProgramCache,
    account: AccountKey,
    books: &mut Books,
    (sale, policy): (&Sale, &OfflinePolicy),
    current: &Arc<ProgramVersion>,
    now: DateTime<Utc>,
) -> Result<Option<BusinessTime>, StorageError> {
    let reached = sale.occurred_at.filter(|at| sale.offline && policy.reaches(*at, now));
    let program = (account.0, Arc::clone(&current.program_id));
    let (ruled, at) = match (&sale.quote, reached) {
        (Some(quote), Some(at)) => (Some(quote.version), at),
        // What the member has spent counts as it is now, whatever the clocks of tills say.
        (Some(quote), None) => (Some(quote.version), now + MOST_AHEAD),
        (None, Some(at)) => {
            let ruled = configuration_change::version_at(connection, program.0, &program.1, at).await?;
            (ruled, at)
        }
        (None, None) => return Ok(None),
    };
    // Nothing ruled before the program was made: then it is the one that is there now.
    let version = match ruled {
        Some(ruled) if ruled < current.version => cache.under(connection, &program, ruled, &product_ids(sale)).await?,
        _ => Arc::clone(current),
    };
    let since = offline::moves_needed_since(&version.program, at);
    let mut moves = entry::spend_moves(connection, account, since).await?;
    for entry in books.new_entries.iter().filter(|entry| !entry.tier_spend.is_zero()) {
        let moved_at = entry.spend_at.unwrap_or(entry.occasion.occurred_at);
        moves.push((moved_at, entry.tier_spend));
    }
    if version.rules.count_usage() {
        let days = [version.program.local_date(sale.made_at(now)), ALL_DAYS];
        for (_, day, rule_id, points) in
            rule_usage::find(connection, account.0, std::iter::once(account.1), &days).await?
        {
            books.rule_usage.learn(day, rule_id, points);
        }
    }
    let kept = books.account.tier_id.as_deref();
    let total = books.account.tier_spend;
    Ok(Some(BusinessTime::of(
        version,
        reached.and(policy.redeem_limit),
        &moves,
        total,
        kept,
        at,
    )))
}

/// The products that the sale sells, or that its points buy.
fn product_ids(sale: &Sale) -> BTreeSet<&str> {
    let bought = sale.redemptions.iter().filter_map(|redemption| match &redemption.ask {
        RedemptionAsk::Product { product_id, .. } => Some(product_id.as_str()),
        RedemptionAsk::Points(_) | RedemptionAsk::Amount(_) | RedemptionAsk::Reward { .. } => None,
    });
    let sold = sale.lines.iter().map(|line| line.product_id.as_str());
    sold.chain(bought).collect()
}
