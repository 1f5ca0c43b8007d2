//! What a return needs to know of its sale and of the books, for those who write it and for those who only ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::entry;
use super::error::StorageError;
use super::program_cache::ProgramCache;
use super::rule_usage;
use super::sale::SaleRecord;
use super::sale_reversal::Reversals;
use super::spent::{self, Unwritten};
use crate::domain::account::Books;
use crate::domain::lot::{LotKey, LotPlace};
use crate::domain::program::ProgramVersion;
use crate::domain::reversing::Recorded;
use crate::domain::rule_usage::ALL_DAYS;
use crate::domain::sale_state::SaleState;
use crate::domain::tier;

/// A sale with what came back of it and what it was rated by.
pub(crate) struct SaleHistory {
    record: SaleRecord,
    reversals: Reversals,
    state: SaleState,
    rated: Arc<ProgramVersion>,
    /// The lots that its tenders took points from.
    redeemed: Vec<(LotKey, Decimal)>,
    own_lots: Vec<LotKey>,
    lapsed_before_merger: Decimal,
    is_moved: bool,
}

impl SaleHistory {
    pub(crate) fn recorded(&self) -> Recorded<'_> {
        Recorded {
            sale: &self.record.sale,
            outcome: &self.record.outcome,
            occurred_at: self.record.occurred_at,
            returned: &self.reversals.returned,
            state: &self.state,
            rated: &self.rated,
            redeemed: &self.redeemed,
            own_lots: &self.own_lots,
            lapsed_before_merger: self.lapsed_before_merger,
            is_moved: self.is_moved,
        }
    }
}

/// Loads what a sale was rated by, and into the books of `account` what its return will touch. `current` is the version
/// of the program that rules now, `unwritten` what an unfinished batch knows of merged members.
pub(crate) async fn load(
    connection: &mut Connection,
    cache: &ProgramCache,
    account: AccountKey,
    books: &mut Books,
    (record, reversals): (SaleRecord, Reversals),
    (current, unwritten): (&ProgramVersion, &Unwritten),
    now: DateTime<Utc>,
) -> Result<SaleHistory, StorageError> {
    let (sale, outcome) = (&record.sale, &record.outcome);
    let program = (account.0, Arc::from(outcome.program_id.as_str()));
    let product_ids: BTreeSet<&str> = sale.lines.iter().map(|line| line.product_id.as_str()).collect();
    let version = outcome.program_version;
    let rated = cache.under(connection, &program, version, &product_ids).await?;
    let state = reversals.state.clone().unwrap_or_else(|| SaleState::of(outcome));
    let is_moved = record.member_id != account.1;

    let sequences = &outcome.ground.redeem_sequences;
    let mut redeemed = spent::lots(connection, (account.0, record.member_id), sequences, books).await?;
    let mut own_lots = state.own_lots.clone();
    let mut lapsed_before_merger = Decimal::ZERO;
    if is_moved {
        let taken = (record.member_id, redeemed);
        redeemed = spent::taken_where_it_went(connection, account, books, taken, unwritten).await?;
        (own_lots, lapsed_before_merger) =
            moved_lots(connection, account, (record.member_id, &state), unwritten).await?;
        spent::learn(connection, account, books, own_lots.iter().copied()).await?;
    } else {
        let redeemed = redeemed.iter().map(|(key, _)| *key);
        let keys = redeemed.chain(own_lots.iter().copied());
        spent::learn(connection, account, books, keys).await?;
    }
    if !outcome.allowances.is_empty() {
        let days = [rated.program.local_date(record.occurred_at), ALL_DAYS];
        for (_, day, rule_id, points) in
            rule_usage::find(connection, account.0, std::iter::once(account.1), &days).await?
        {
            books.rule_usage.learn(day, rule_id, points);
        }
    }
    learn_spend(connection, account, books, current, now).await?;
    Ok(SaleHistory {
        record,
        reversals,
        state,
        rated,
        redeemed,
        own_lots,
        lapsed_before_merger,
        is_moved,
    })
}

/// Where the own lots of a sale went whose member was merged into that of `account`, and what of them had lapsed before
/// and was not taken back yet.
async fn moved_lots(
    connection: &mut Connection,
    account: AccountKey,
    (member_id, state): (Uuid, &SaleState),
    unwritten: &Unwritten,
) -> Result<(Vec<LotKey>, Decimal), StorageError> {
    let own = state.own_lots.iter().map(|lot| LotPlace { member_id, lot: *lot });
    let own = own.chain(state.later_lots.iter().copied());
    let followed = spent::follow(connection, account, own, unwritten).await?;
    let lapsed: Decimal = followed.values().map(|lot| lot.lapsed).sum();
    let here = followed.values().filter(|lot| lot.place.member_id == account.1);
    let left = (lapsed - state.lapsed_before_merger).max(Decimal::ZERO);
    Ok((here.map(|lot| lot.place.lot).collect(), left))
}

/// The spend by day, where the program adds it up over a window; all there ever was, where a tier once reached stays.
async fn learn_spend(
    connection: &mut Connection,
    account: AccountKey,
    books: &mut Books,
    current: &ProgramVersion,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let program = &current.program;
    let Some(since) = tier::spend_needed_since(program, now) else {
        return Ok(());
    };
    let since = match tier::never_downgrades(program.tier_spend_window) {
        true => DateTime::UNIX_EPOCH,
        false => since,
    };
    let day_of = |instant| program.local_date(instant);
    let mut days = entry::spend_by_day(connection, account, since, day_of).await?;
    for entry in books.new_entries.iter().filter(|entry| !entry.tier_spend.is_zero()) {
        let at = entry.spend_at.unwrap_or(entry.occasion.occurred_at);
        *days.entry(day_of(at)).or_default() += entry.tier_spend;
    }
    // What the books know of days before these stays.
    books.spend_by_day.get_or_insert_default().extend(days);
    Ok(())
}
