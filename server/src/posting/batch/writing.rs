//! What a batch writes: everything its commands did, in one text.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::{NoContext, Timestamp, Uuid};

use super::Batch;
use crate::domain::account::Books;
use crate::domain::chain::Hash;
use crate::domain::lot::Allocation;
use crate::measures::PointsMoved;
use crate::posting::{Action, Command};
use crate::storage::account::{AccountKey, AccountRows};
use crate::storage::connection::Connection;
use crate::storage::entry::EntryRows;
use crate::storage::erasure::MemberRequestRows;
use crate::storage::error::StorageError;
use crate::storage::hold::{self, HoldRows};
use crate::storage::lot::{AllocationRows, LotRows};
use crate::storage::merger;
use crate::storage::pending::{self, PendingRows};
use crate::storage::posting_batch::{self, Touched};
use crate::storage::redemption::RedemptionRows;
use crate::storage::request::RequestRows;
use crate::storage::rule_usage::RuleUsageRows;
use crate::storage::sale::{NewSale, SaleRows};
use crate::storage::statement;

impl Batch<'_> {
    /// A batch of repetitions writes nothing.
    pub(super) async fn write(&self, connection: &mut Connection, commands: &[Command]) -> Result<(), StorageError> {
        let (mut entries, mut lots, mut allocations) = (EntryRows::new(), LotRows::new(), AllocationRows::new());
        let (mut usage, mut pending_lots, mut due) = (RuleUsageRows::new(), PendingRows::new(), Vec::new());
        let (mut holds, mut lapsed) = (HoldRows::new(), Vec::new());
        let (mut accounts, mut touched) = (AccountRows::new(), Vec::new());
        for (key, books) in &self.books {
            let hashes = push_entries(*key, books, &mut entries, &mut allocations);
            for (lot_key, lot) in books.touched_lots() {
                let (pending_until, moved_to) = (books.pending.until(lot_key), books.moved_to(lot_key));
                lots.push(*key, (lot_key, lot), pending_until, moved_to);
            }
            for hold in books.holds.touched() {
                holds.push(key.0, hold)?;
            }
            lapsed.extend(books.holds.settled_until().map(|until| hold::mark_lapsed(*key, until)));
            if let Some(first) = books.new_entries.first() {
                for (day, rule_id, points) in books.rule_usage.changed() {
                    usage.push(*key, day, rule_id, points);
                }
                touched.push(Touched {
                    account: *key,
                    first_sequence: first.sequence,
                    hashes,
                });
            } else if !(self.records.is_written(*key) || books.holds.is_changed() || books.is_swept) {
                continue;
            }
            for (lot_key, lot) in books.pending.touched() {
                pending_lots.push(*key, lot_key, lot);
            }
            // The account no longer counts them as pending: a hold settles what came due, as an entry does.
            let settled_until = books.pending.settled_until();
            due.extend(settled_until.map(|until| pending::remove_due(*key, until)));
            accounts.push(&books.account, self.rests.get(key));
        }
        let mut statements = entries.finish();
        statements.extend(allocations.finish());
        statements.extend(lots.finish());
        statements.extend(usage.finish());
        statements.extend(pending_lots.finish());
        statements.extend(due);
        // Before the rows of those that end: a late capture wins over the lapse.
        statements.extend(lapsed);
        statements.extend(holds.finish());
        statements.extend(self.redemption_rows()?);
        statements.extend(self.sale_rows()?);
        statements.extend(self.reversing.rows()?);
        statements.extend(self.records.rows());
        statements.extend(accounts.finish());
        for (from, into) in &self.merged {
            statements.extend(merger::statements(*from, *into));
        }
        statements.extend(self.erasures.iter().cloned());
        statements.extend(self.told_rows());
        statements.extend(self.imports.rows());
        statements.extend(self.request_rows()?);
        if let Some(last) = commands.last().filter(|_| !touched.is_empty()) {
            statements.extend(posting_batch::insert(batch_id(last.now), last.now, &touched));
        }
        statement::execute(connection, statements).await
    }

    /// What the new entries did, by program and kind.
    pub(super) fn points_moved(&self) -> Vec<PointsMoved> {
        let mut moved: Vec<PointsMoved> = Vec::new();
        for ((merchant_id, _), books) in &self.books {
            let program_id = &books.account.program_id;
            for entry in &books.new_entries {
                let is_it = |moved: &PointsMoved| {
                    moved.kind == entry.kind && moved.merchant_id == *merchant_id && moved.program_id == *program_id
                };
                let place = moved.iter().position(is_it).unwrap_or_else(|| {
                    moved.push(PointsMoved {
                        merchant_id: *merchant_id,
                        program_id: Arc::clone(program_id),
                        kind: entry.kind,
                        added: Decimal::ZERO,
                        taken: Decimal::ZERO,
                    });
                    moved.len() - 1
                });
                let of_kind = &mut moved[place];
                let side = match entry.points.is_sign_negative() {
                    true => &mut of_kind.taken,
                    false => &mut of_kind.added,
                };
                *side = side.saturating_add(entry.points.abs());
            }
        }
        moved
    }

    fn sale_rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = SaleRows::new();
        for (command, sale, outcome) in &self.new_sales {
            let Action::RecordSale(_, document) = &command.action else {
                continue;
            };
            rows.push(&NewSale {
                merchant_id: command.merchant_id,
                member_id: outcome.member_id,
                sale,
                document,
                content_hash: command.content_hash,
                outcome,
                occurred_at: sale.made_at(command.now),
                recorded_at: command.now,
            })?;
        }
        Ok(rows.finish())
    }

    fn redemption_rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = RedemptionRows::new();
        for ((merchant_id, _), redemption) in &self.redemptions {
            rows.push(*merchant_id, redemption)?;
        }
        Ok(rows.finish())
    }

    fn told_rows(&self) -> Vec<String> {
        let mut rows = MemberRequestRows::new();
        for (member, request_id) in &self.told {
            rows.push(*member, request_id);
        }
        rows.finish()
    }

    fn request_rows(&self) -> Result<Vec<String>, StorageError> {
        let mut rows = RequestRows::new();
        for key in &self.new_requests {
            if let Some(record) = self.requests.get(key) {
                rows.push(key, record)?;
            }
        }
        Ok(rows.finish())
    }
}

/// Adds the new entries of an account and what they did to lots. Answers the hash of each.
fn push_entries(
    key: AccountKey,
    books: &Books,
    entries: &mut EntryRows,
    allocations: &mut AllocationRows,
) -> Vec<Hash> {
    let mut allocated: Vec<&Allocation> = books.new_allocations.iter().collect();
    allocated.sort_by_key(|allocation| (allocation.entry_sequence, allocation.lot));
    for allocation in &allocated {
        allocations.push(key, allocation);
    }
    let hashes = books.new_entries.iter().map(|entry| {
        let of_entry = allocated.partition_point(|allocation| allocation.entry_sequence < entry.sequence);
        let of_entry = allocated.iter().skip(of_entry).copied();
        let of_entry = of_entry.take_while(|allocation| allocation.entry_sequence == entry.sequence);
        entries.push(key, entry, of_entry)
    });
    hashes.collect()
}

/// Ids that rise with time, so that new rows land side by side.
fn batch_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
