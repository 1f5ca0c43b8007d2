//! Drifts of the books, to the wire.

use loyalty_api::v1 as wire;

use super::timestamp;
use crate::domain::expiry::NEVER;
use crate::domain::verification::{Drift, DriftKind};

/// A drift.
pub(in crate::grpc) fn drift(drift: Drift) -> wire::Drift {
    wire::Drift {
        kind: kind(drift.kind).into(),
        member_id: drift.member_id.map(|id| id.to_string()).unwrap_or_default(),
        sequence: drift.sequence.unwrap_or_default(),
        lot: drift.lot.map(|lot| wire::DriftLot {
            lot_sequence: lot.sequence,
            expires_at: (lot.expires_at < NEVER).then(|| timestamp(lot.expires_at)),
        }),
        link: drift.place.map(|(shard, position)| wire::ChainLink {
            shard: shard.into(),
            position,
            hash: Vec::new(),
        }),
        field: drift.field.to_owned(),
        expected: drift.expected.unwrap_or_default(),
        stored: drift.stored.unwrap_or_default(),
    }
}

fn kind(kind: DriftKind) -> wire::DriftKind {
    match kind {
        DriftKind::Entry => wire::DriftKind::Entry,
        DriftKind::Sequence => wire::DriftKind::Sequence,
        DriftKind::Allocation => wire::DriftKind::Allocation,
        DriftKind::Lot => wire::DriftKind::Lot,
        DriftKind::Balance => wire::DriftKind::Balance,
        DriftKind::Debt => wire::DriftKind::Debt,
        DriftKind::Pending => wire::DriftKind::Pending,
        DriftKind::Held => wire::DriftKind::Held,
        DriftKind::FirstOpenLot => wire::DriftKind::FirstOpenLot,
        DriftKind::Inactivity => wire::DriftKind::Inactivity,
        DriftKind::LifetimeTotals => wire::DriftKind::LifetimeTotals,
        DriftKind::TierSpend => wire::DriftKind::TierSpend,
        DriftKind::Account => wire::DriftKind::Account,
        DriftKind::HashChain => wire::DriftKind::HashChain,
        DriftKind::Unannounced => wire::DriftKind::Unannounced,
    }
}
