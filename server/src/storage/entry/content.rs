//! What of an entry is hashed: every column as it is stored, and what the entry did to lots.

use chrono::NaiveDateTime;

use super::{EntryRow, kind};
use crate::domain::chain::Content;
use crate::domain::entry::{EntryKind, Lifetime};
use crate::domain::lot::Allocation;
use crate::domain::verification::Fact;
use crate::storage::account::AccountKey;
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

    /// What is hashed. A column that is added is left out where it is NULL, so that the entries before it keep their
    /// hash. Tags are never given twice.
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
        let mut content = Content::new();
        content
            .number(1, account.0)
            .bytes(2, account.1.as_bytes())
            .number(3, *sequence)
            .number(4, *kind)
            .decimal(5, *points)
            .decimal(6, *balance_after)
            .decimal(7, *tier_spend)
            .text(8, store_id.as_deref())
            .text(9, sale_id.as_deref())
            .text(10, document_type.as_deref())
            .text(11, document_number.as_deref())
            .number(12, *program_version);
        optional_instant(&mut content, 13, *lot_expires_at);
        content
            .text(14, expense_account.as_deref())
            .text(15, cost_center.as_deref())
            .instant(16, instant(*occurred_at))
            .instant(17, instant(*recorded_at))
            .text(18, reference.as_deref())
            .text(19, at_store_id.as_deref())
            .text(20, terminal_id.as_deref())
            .text(21, cashier_id.as_deref())
            .text(22, actor.as_deref())
            .text(23, reason_id.as_deref())
            .text(24, note.as_deref());
        optional_instant(&mut content, 25, *spend_at);
        optional_instant(&mut content, 26, *inactive_at);
        for (tag, total) in [(27, lifetime_earned), (28, lifetime_redeemed), (29, lifetime_expired)] {
            if let Some(total) = total {
                content.decimal(tag, *total);
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

fn optional_instant(content: &mut Content, tag: u8, value: Option<NaiveDateTime>) {
    if let Some(value) = value {
        content.instant(tag, instant(value));
    }
}
