//! What came and went in a period, and what is owed.

use std::ops::AddAssign;

use rust_decimal::Decimal;

use super::entry::{EntryKind, Lifetime};

/// Points that came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) lifetime: Lifetime,
    pub(crate) adjusted: Decimal,
    pub(crate) merged: Decimal,
    /// Brought along from another system.
    pub(crate) imported: Decimal,
}

impl Movement {
    /// Counts the points of entries of a kind.
    pub(crate) fn count(&mut self, kind: EntryKind, points: Decimal) {
        match kind {
            EntryKind::Adjust => self.adjusted += points,
            EntryKind::Opening => self.imported += points,
            EntryKind::MergeOut | EntryKind::MergeIn => self.merged += points,
            EntryKind::ExpiryChange => {}
            EntryKind::Earn
            | EntryKind::Redeem
            | EntryKind::Expire
            | EntryKind::SignUpBonus
            | EntryKind::BirthdayBonus
            | EntryKind::EarnReversal
            | EntryKind::RedeemReversal => self.lifetime.count(kind, points),
        }
    }

    /// By how much the balance changed.
    pub(crate) fn sum(&self) -> Decimal {
        let Lifetime {
            earned,
            redeemed,
            expired,
        } = self.lifetime;
        earned - redeemed - expired + self.adjusted + self.merged + self.imported
    }
}

impl AddAssign for Movement {
    fn add_assign(&mut self, other: Self) {
        self.lifetime += other.lifetime;
        self.adjusted += other.adjusted;
        self.merged += other.merged;
        self.imported += other.imported;
    }
}

/// Days after which the ages of points end; what lapses later, or never, is behind them.
pub(crate) const AGES: [u32; 4] = [30, 90, 180, 365];

/// What has become of points that came by sales and bonuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Breakage {
    pub(crate) issued: Decimal,
    pub(crate) lapsed: Decimal,
    pub(crate) open: Decimal,
}

/// What a program owes some members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Liability {
    pub(crate) points: Decimal,
    pub(crate) pending: Decimal,
    pub(crate) debt: Decimal,
    /// `points` by when they lapse: of each of `AGES`, and of what is behind them.
    pub(crate) ageing: [Decimal; AGES.len() + 1],
}
