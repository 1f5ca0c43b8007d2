//! Entries of the ledger, to the wire.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{decimal, timestamp};
use crate::domain::entry::{Entry, EntryKind, SaleKey};
use crate::domain::expiry::NEVER;
use crate::domain::lot::{Allocation, LotKey};

/// An entry with what it did to lots.
pub(in crate::grpc) fn entry(member_id: Uuid, entry: &Entry, allocations: &[Allocation]) -> wire::Entry {
    let created = entry.lot_expires_at.map(|expires_at| LotKey {
        expires_at,
        sequence: entry.sequence,
    });
    let touched = allocations
        .iter()
        .filter(|allocation| allocation.entry_sequence == entry.sequence)
        .copied();
    // What came from other lots is in the new one too.
    let moved = touched.clone().filter(|allocation| Some(allocation.lot) != created);
    let moved: Decimal = moved.map(|allocation| allocation.points).sum();
    let created = created.map(|lot| Allocation {
        entry_sequence: entry.sequence,
        lot,
        points: entry.points - moved,
    });
    let occasion = &entry.occasion;
    let origin = &occasion.origin;
    let of_sale = |field: fn(&SaleKey) -> &Arc<str>| {
        occasion
            .sale
            .as_ref()
            .map(field)
            .map(|text| text.to_string())
            .unwrap_or_default()
    };
    wire::Entry {
        member_id: member_id.to_string(),
        sequence: entry.sequence,
        kind: kind(entry.kind).into(),
        points: decimal(entry.points),
        balance_after: decimal(entry.balance_after),
        store_id: of_sale(|sale| &sale.store_id),
        sale_id: of_sale(|sale| &sale.sale_id),
        document_type: of_sale(|sale| &sale.document_type),
        document_number: of_sale(|sale| &sale.document_number),
        program_version: occasion.program_version,
        expense_account: entry.accounting.expense_account.clone(),
        cost_center: entry.accounting.cost_center.clone(),
        occurred_at: Some(timestamp(occasion.occurred_at)),
        recorded_at: Some(timestamp(occasion.recorded_at)),
        reference: text(&origin.reference),
        at_store_id: text(&origin.at_store_id),
        terminal_id: text(&origin.terminal_id),
        cashier_id: text(&origin.cashier_id),
        actor: text(&origin.actor),
        reason_id: text(&origin.reason_id),
        note: text(&origin.note),
        lots: created.into_iter().chain(touched).map(movement).collect(),
    }
}

fn text(text: &Option<Arc<str>>) -> String {
    text.as_deref().unwrap_or_default().to_owned()
}

fn movement(allocation: Allocation) -> wire::LotMovement {
    let expires_at = allocation.lot.expires_at;
    wire::LotMovement {
        lot_sequence: allocation.lot.sequence,
        points: decimal(allocation.points),
        expires_at: (expires_at < NEVER).then(|| timestamp(expires_at)),
    }
}

/// A kind of the wire; `None` for one that is not said.
pub(in crate::grpc) fn kind_from(kind: wire::EntryKind) -> Option<EntryKind> {
    Some(match kind {
        wire::EntryKind::Unspecified => return None,
        wire::EntryKind::Earn => EntryKind::Earn,
        wire::EntryKind::Redeem => EntryKind::Redeem,
        wire::EntryKind::Expire => EntryKind::Expire,
        wire::EntryKind::SignUpBonus => EntryKind::SignUpBonus,
        wire::EntryKind::EarnReversal => EntryKind::EarnReversal,
        wire::EntryKind::RedeemReversal => EntryKind::RedeemReversal,
        wire::EntryKind::Adjust => EntryKind::Adjust,
        wire::EntryKind::Opening => EntryKind::Opening,
        wire::EntryKind::BirthdayBonus => EntryKind::BirthdayBonus,
        wire::EntryKind::MergeOut => EntryKind::MergeOut,
        wire::EntryKind::MergeIn => EntryKind::MergeIn,
        wire::EntryKind::ExpiryChange => EntryKind::ExpiryChange,
    })
}

fn kind(kind: EntryKind) -> wire::EntryKind {
    match kind {
        EntryKind::Earn => wire::EntryKind::Earn,
        EntryKind::Redeem => wire::EntryKind::Redeem,
        EntryKind::Expire => wire::EntryKind::Expire,
        EntryKind::SignUpBonus => wire::EntryKind::SignUpBonus,
        EntryKind::EarnReversal => wire::EntryKind::EarnReversal,
        EntryKind::RedeemReversal => wire::EntryKind::RedeemReversal,
        EntryKind::Adjust => wire::EntryKind::Adjust,
        EntryKind::Opening => wire::EntryKind::Opening,
        EntryKind::BirthdayBonus => wire::EntryKind::BirthdayBonus,
        EntryKind::MergeOut => wire::EntryKind::MergeOut,
        EntryKind::MergeIn => wire::EntryKind::MergeIn,
        EntryKind::ExpiryChange => wire::EntryKind::ExpiryChange,
    }
}
