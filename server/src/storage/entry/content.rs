//! What of an entry is hashed: every column as it is stored, and what the entry did to lots.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{EntryRow, kind, kind_number};
use crate::domain::chain::Content;
use crate::domain::entry::{Entry, EntryKind, Lifetime, Occasion};
use crate::domain::lot::Allocation;
use crate::domain::verification::Fact;
use crate::storage::account::AccountKey;
use crate::storage::statement::Insert;
use crate::storage::value::instant;

impl EntryRow {
    /// The entry's sequence.
    pub(in crate::storage) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What it tells of the time before.
    pub(in crate::storage) fn lifetime_before(&self) -> Lifetime {
        Lifetime {
            earned: self.lifetime_earned.unwrap_or_default(),
            redeemed: self.lifetime_redeemed.unwrap_or_default(),
            expired: self.lifetime_expired.unwrap_or_default(),
        }
    }

    /// What of the entry does something to the books.
    pub(in crate::storage) fn fact(&self, allocations: Vec<Allocation>) -> Fact {
        Fact {
            sequence: self.sequence,
            kind: kind(self.kind).ok_or(self.kind),
            points: self.points,
            balance_after: self.balance_after,
            tier_spend: self.tier_spend,
            lot_expires_at: self.lot_expires_at.map(instant),
            lifetime_before: self.lifetime_before(),
            recorded_at: instant(self.recorded_at),
            inactive_at: self.inactive_at.map(instant),
            other_member: match kind(self.kind) {
                Some(EntryKind::MergeIn | EntryKind::MergeOut) => {
                    let other = self.reference.as_deref();
                    other.and_then(|text| text.parse().ok())
                }
                _ => None,
            },
            allocations,
        }
    }

    /// What is hashed.
    pub(in crate::storage) fn content(&self, account: AccountKey, allocations: &[Allocation]) -> Content {
        // Every field is named here, so that a new one is not forgotten.
        let Self {
            sequence,
            kind,
            points,
            balance_after,
            tier_spend,
            store_id,
            sale_id,
            document_type,
            document_number,
            program_version,
            lot_expires_at,
            expense_account,
            cost_center,
            occurred_at,
            recorded_at,
            reference,
            at_store_id,
            terminal_id,
            cashier_id,
            actor,
            reason_id,
            note,
            spend_at,
            inactive_at,
            lifetime_earned,
            lifetime_redeemed,
            lifetime_expired,
        } = self;
        let columns = Columns {
            sequence: *sequence,
            kind: *kind,
            points: *points,
            balance_after: *balance_after,
            tier_spend: *tier_spend,
            store_id: store_id.as_deref(),
            sale_id: sale_id.as_deref(),
            document_type: document_type.as_deref(),
            document_number: document_number.as_deref(),
            program_version: *program_version,
            lot_expires_at: lot_expires_at.map(instant),
            expense_account: expense_account.as_deref(),
            cost_center: cost_center.as_deref(),
            occurred_at: instant(*occurred_at),
            recorded_at: instant(*recorded_at),
            reference: reference.as_deref(),
            at_store_id: at_store_id.as_deref(),
            terminal_id: terminal_id.as_deref(),
            cashier_id: cashier_id.as_deref(),
            actor: actor.as_deref(),
            reason_id: reason_id.as_deref(),
            note: note.as_deref(),
            spend_at: spend_at.map(instant),
            inactive_at: inactive_at.map(instant),
            lifetime_earned: *lifetime_earned,
            lifetime_redeemed: *lifetime_redeemed,
            lifetime_expired: *lifetime_expired,
        };
        columns.content(account, allocations.iter())
    }
}

/// Entries that say nothing in the other columns.
pub(super) const OF_SALES: &str = "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, \
    tier_spend, store_id, sale_id, document_type, document_number, program_version, lot_expires_at, occurred_at, \
    recorded_at, terminal_id, cashier_id) VALUES";

/// Entries with all of their columns.
pub(super) const ALL: &str = "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, \
    tier_spend, store_id, sale_id, document_type, document_number, program_version, lot_expires_at, occurred_at, \
    recorded_at, terminal_id, cashier_id, expense_account, cost_center, reference, at_store_id, actor, reason_id, note, \
    spend_at, inactive_at, lifetime_earned, lifetime_redeemed, lifetime_expired) VALUES";

/// The columns of an entry: what is inserted of it, and what is hashed.
pub(super) struct Columns<'e> {
    sequence: u64,
    kind: u8,
    points: Decimal,
    balance_after: Decimal,
    tier_spend: Decimal,
    store_id: Option<&'e str>,
    sale_id: Option<&'e str>,
    document_type: Option<&'e str>,
    document_number: Option<&'e str>,
    program_version: u32,
    lot_expires_at: Option<DateTime<Utc>>,
    expense_account: Option<&'e str>,
    cost_center: Option<&'e str>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    reference: Option<&'e str>,
    at_store_id: Option<&'e str>,
    terminal_id: Option<&'e str>,
    cashier_id: Option<&'e str>,
    actor: Option<&'e str>,
    reason_id: Option<&'e str>,
    note: Option<&'e str>,
    spend_at: Option<DateTime<Utc>>,
    inactive_at: Option<DateTime<Utc>>,
    lifetime_earned: Option<Decimal>,
    lifetime_redeemed: Option<Decimal>,
    lifetime_expired: Option<Decimal>,
}

impl<'e> Columns<'e> {
    pub(super) fn of(entry: &'e Entry) -> Self {
        let Occasion { sale, origin, .. } = &entry.occasion;
        let Lifetime {
            earned,
            redeemed,
            expired,
        } = entry.lifetime_before;
        let sale = sale.as_ref();
        let moved = |total: Decimal| Some(total).filter(|total| !total.is_zero());
        Self {
            sequence: entry.sequence,
            kind: kind_number(entry.kind),
            points: entry.points,
            balance_after: entry.balance_after,
            tier_spend: entry.tier_spend,
            store_id: sale.map(|sale| &*sale.store_id),
            sale_id: sale.map(|sale| &*sale.sale_id),
            document_type: sale.and_then(|sale| said(&sale.document_type)),
            document_number: sale.and_then(|sale| said(&sale.document_number)),
            program_version: entry.occasion.program_version,
            lot_expires_at: entry.lot_expires_at,
            expense_account: said(&entry.accounting.expense_account),
            cost_center: said(&entry.accounting.cost_center),
            occurred_at: entry.occasion.occurred_at,
            recorded_at: entry.occasion.recorded_at,
            reference: origin.reference.as_deref(),
            at_store_id: origin.at_store_id.as_deref(),
            terminal_id: origin.terminal_id.as_deref(),
            cashier_id: origin.cashier_id.as_deref(),
            actor: origin.actor.as_deref(),
            reason_id: origin.reason_id.as_deref(),
            note: origin.note.as_deref(),
            spend_at: entry.spend_at,
            inactive_at: entry.inactive_at,
            lifetime_earned: moved(earned),
            lifetime_redeemed: moved(redeemed),
            lifetime_expired: moved(expired),
        }
    }

    /// The texts that entries of sales lack.
    fn texts(&self) -> [Option<&'e str>; 7] {
        [
            self.expense_account,
            self.cost_center,
            self.reference,
            self.at_store_id,
            self.actor,
            self.reason_id,
            self.note,
        ]
    }

    /// The instants that entries of sales lack.
    fn instants(&self) -> [Option<DateTime<Utc>>; 2] {
        [self.spend_at, self.inactive_at]
    }

    /// What only openings have.
    fn totals(&self) -> [Option<Decimal>; 3] {
        [self.lifetime_earned, self.lifetime_redeemed, self.lifetime_expired]
    }

    /// Whether they fit into a row of `OF_SALES`.
    pub(super) fn are_of_sale(&self) -> bool {
        self.texts().iter().all(Option::is_none)
            && self.instants().iter().all(Option::is_none)
            && self.totals().iter().all(Option::is_none)
    }

    /// As a row of `OF_SALES`, or as the beginning of one of `ALL`.
    pub(super) fn push_first(&self, account: AccountKey, rows: &mut Insert) {
        rows.row()
            .integer(account.0)
            .bytes(account.1.as_bytes())
            .integer(self.sequence)
            .integer(self.kind)
            .decimal(self.points)
            .decimal(self.balance_after)
            .decimal(self.tier_spend)
            .optional(self.store_id, Insert::text)
            .optional(self.sale_id, Insert::text)
            .optional(self.document_type, Insert::text)
            .optional(self.document_number, Insert::text)
            .integer(self.program_version)
            .optional(self.lot_expires_at, Insert::instant)
            .instant(self.occurred_at)
            .instant(self.recorded_at)
            .optional(self.terminal_id, Insert::text)
            .optional(self.cashier_id, Insert::text);
    }

    /// As a row of `ALL`.
    pub(super) fn push(&self, account: AccountKey, rows: &mut Insert) {
        self.push_first(account, rows);
        for text in self.texts() {
            rows.optional(text, Insert::text);
        }
        for instant in self.instants() {
            rows.optional(instant, Insert::instant);
        }
        for total in self.totals() {
            rows.optional(total, Insert::decimal);
        }
    }

    /// What is hashed, allocations in order of their lots' keys. A column that is added is left out where it is NULL, so
    /// that the entries before it keep their hash. Tags are never given twice.
    pub(super) fn content<'a>(
        &self,
        account: AccountKey,
        allocations: impl Iterator<Item = &'a Allocation>,
    ) -> Content {
        let mut content = Content::new();
        content
            .number(1, account.0)
            .bytes(2, account.1.as_bytes())
            .number(3, self.sequence)
            .number(4, self.kind)
            .decimal(5, self.points)
            .decimal(6, self.balance_after)
            .decimal(7, self.tier_spend)
            .text(8, self.store_id)
            .text(9, self.sale_id)
            .text(10, self.document_type)
            .text(11, self.document_number)
            .number(12, self.program_version);
        optional_instant(&mut content, 13, self.lot_expires_at);
        content
            .text(14, self.expense_account)
            .text(15, self.cost_center)
            .instant(16, self.occurred_at)
            .instant(17, self.recorded_at)
            .text(18, self.reference)
            .text(19, self.at_store_id)
            .text(20, self.terminal_id)
            .text(21, self.cashier_id)
            .text(22, self.actor)
            .text(23, self.reason_id)
            .text(24, self.note);
        optional_instant(&mut content, 25, self.spend_at);
        optional_instant(&mut content, 26, self.inactive_at);
        for (tag, total) in (27..).zip(self.totals()) {
            if let Some(total) = total {
                content.decimal(tag, total);
            }
        }
        for allocation in allocations {
            content
                .instant(128, allocation.lot.expires_at)
                .number(129, allocation.lot.sequence)
                .decimal(130, allocation.points);
        }
        content
    }
}

fn optional_instant(content: &mut Content, tag: u8, value: Option<DateTime<Utc>>) {
    if let Some(value) = value {
        content.instant(tag, value);
    }
}

/// What is not empty.
fn said(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
