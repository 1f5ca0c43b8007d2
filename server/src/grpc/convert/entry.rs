//! Entries of the ledger, to the wire.

use loyalty_api::v1 as wire;
use uuid::Uuid;

use super::{decimal, timestamp};
use crate::domain::account::{Entry, EntryKind};
use crate::domain::expiry::NEVER;
use crate::domain::lot::{Allocation, LotKey};

/// An entry with what it did to lots.
pub(in crate::grpc) fn entry(member_id: Uuid, entry: &Entry, allocations: &[Allocation]) -> wire::Entry {
    let created = entry.lot_expires_at.map(|expires_at| LotKey {
        expires_at,
        sequence: entry.sequence,
    });
    let created = created.map(|lot| Allocation {
        entry_sequence: entry.sequence,
        lot,
        points: entry.points,
    });
    let touched = allocations
        .iter()
        .filter(|allocation| allocation.entry_sequence == entry.sequence)
        .copied();
    wire::Entry {
        member_id: member_id.to_string(),
        sequence: entry.sequence,
        kind: kind(entry.kind).into(),
        points: decimal(entry.points),
        balance_after: decimal(entry.balance_after),
        store_id: entry
            .sale
            .as_ref()
            .map(|sale| sale.store_id.to_string())
            .unwrap_or_default(),
        sale_id: entry
            .sale
            .as_ref()
            .map(|sale| sale.sale_id.to_string())
            .unwrap_or_default(),
        document_type: entry
            .sale
            .as_ref()
            .map(|sale| sale.document_type.to_string())
            .unwrap_or_default(),
        document_number: entry
            .sale
            .as_ref()
            .map(|sale| sale.document_number.to_string())
            .unwrap_or_default(),
        program_version: entry.program_version,
        expense_account: entry.accounting.expense_account.clone(),
        cost_center: entry.accounting.cost_center.clone(),
        occurred_at: Some(timestamp(entry.occurred_at)),
        recorded_at: Some(timestamp(entry.recorded_at)),
        lots: created.into_iter().chain(touched).map(movement).collect(),
    }
}

fn movement(allocation: Allocation) -> wire::LotMovement {
    let expires_at = allocation.lot.expires_at;
    wire::LotMovement {
        lot_sequence: allocation.lot.sequence,
        points: decimal(allocation.points),
        expires_at: (expires_at < NEVER).then(|| timestamp(expires_at)),
    }
}

fn kind(kind: EntryKind) -> wire::EntryKind {
    match kind {
        EntryKind::Earn => wire::EntryKind::Earn,
        EntryKind::Redeem => wire::EntryKind::Redeem,
        EntryKind::Expire => wire::EntryKind::Expire,
        EntryKind::SignUpBonus => wire::EntryKind::SignUpBonus,
    }
}
