//! Entries on the wire.

use loyalty_api::v1;

use super::{decimal, instant, optional_instant, optional_text};
use crate::{
    entry::{Entry, EntryKind, LotMovement},
    error::Error,
};

impl Entry {
    pub(crate) fn from_wire(entry: v1::Entry) -> Result<Self, Error> {
        Ok(Self {
            member_id: entry.member_id.into(),
            sequence: entry.sequence,
            kind: EntryKind::from_number(entry.kind),
            points: decimal("entry.points", entry.points)?,
            balance_after: decimal("entry.balance_after", entry.balance_after)?,
            store_id: optional_text(entry.store_id),
            sale_id: optional_text(entry.sale_id),
            document_type: optional_text(entry.document_type),
            document_number: optional_text(entry.document_number),
            program_version: entry.program_version,
            occurred_at: instant("entry.occurred_at", entry.occurred_at)?,
            recorded_at: instant("entry.recorded_at", entry.recorded_at)?,
            expense_account: optional_text(entry.expense_account),
            cost_center: optional_text(entry.cost_center),
            reference: optional_text(entry.reference),
            at_store_id: optional_text(entry.at_store_id),
            terminal_id: optional_text(entry.terminal_id),
            cashier_id: optional_text(entry.cashier_id),
            actor: optional_text(entry.actor),
            reason_id: optional_text(entry.reason_id),
            note: optional_text(entry.note),
            lots: entry
                .lots
                .into_iter()
                .map(LotMovement::from_wire)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl LotMovement {
    fn from_wire(movement: v1::LotMovement) -> Result<Self, Error> {
        Ok(Self {
            lot_sequence: movement.lot_sequence,
            points: decimal("lot.points", movement.points)?,
            expires_at: optional_instant("lot.expires_at", movement.expires_at)?,
        })
    }
}
