//! Entries on the wire.

use loyalty_api::v1;

use super::{decimal, instant, optional_instant, optional_text, timestamp};
use crate::{
    entry::{Entry, EntryFilter, EntryKind, LotMovement},
    error::Error,
    page::PageRequest,
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

impl EntryFilter {
    pub(crate) fn into_wire(self, page: &PageRequest) -> v1::ListEntriesRequest {
        let (program_id, member) = match self.member {
            Some(member) => member.into_wire(),
            None => (self.program_id.map(String::from).unwrap_or_default(), None),
        };
        let (sale_store_id, sale_id) = self.sale.unwrap_or_default();
        v1::ListEntriesRequest {
            program_id,
            member,
            page_size: page.page_size,
            page_token: page.page_token.clone(),
            kinds: self.kinds.into_iter().map(EntryKind::number).collect(),
            recorded_from: self.recorded_from.map(timestamp),
            recorded_until: self.recorded_until.map(timestamp),
            store_id: self.store_id.unwrap_or_default(),
            terminal_id: self.terminal_id.unwrap_or_default(),
            cashier_id: self.cashier_id.unwrap_or_default(),
            sale_store_id,
            sale_id,
        }
    }
}
