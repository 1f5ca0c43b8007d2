//! Points that are taken away: what of them lots cover, and what nothing does.

use rust_decimal::Decimal;

use super::lot::LotKey;

/// Where points come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    pub(crate) allocations: Vec<(LotKey, Decimal)>,
    /// What no lot has: it is owed.
    pub(crate) debt: Decimal,
}

impl Cover {
    /// All of it from lots.
    pub(crate) fn of_lots(allocations: Vec<(LotKey, Decimal)>) -> Self {
        Self {
            allocations,
            debt: Decimal::ZERO,
        }
    }
}
