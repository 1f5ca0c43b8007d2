//! What of a member's points is what, at one instant.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::account::{Account, Books, LotsMissing};
use super::entry::Lifetime;

/// What of a member's points is what, at one instant. Points that lapsed by then are in nothing but `lifetime.expired`,
/// whether an entry wrote them off or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// What remains of lots, less the debt.
    pub(crate) balance: Decimal,
    pub(crate) pending: Decimal,
    pub(crate) held: Decimal,
    pub(crate) debt: Decimal,
    /// What had lapsed by then and was not written off by then.
    pub(crate) expired_unswept: Decimal,
    /// What will lapse soon, unless it is spent.
    pub(crate) expiring: Decimal,
    pub(crate) lifetime: Lifetime,
}

impl Summary {
    /// Points that can be spent.
    pub(crate) fn available(&self) -> Decimal {
        self.balance - self.pending - self.held
    }
}

impl Lifetime {
    /// As the account counts it: without what has lapsed and was not written off.
    pub(crate) fn of(account: &Account) -> Self {
        Self {
            earned: account.lifetime_earned,
            redeemed: account.lifetime_redeemed,
            expired: account.lifetime_expired,
        }
    }
}

impl Books {
    /// What of the points is what at an instant not before the newest entry, but for what expires soon, which takes more
    /// lots than the books know.
    pub(crate) fn summary(&self, at: DateTime<Utc>) -> Result<Summary, LotsMissing> {
        let account = &self.account;
        let expired_unswept: Decimal = if self.has_lapsed_lots(at) {
            self.lapsed_lots(at)?.iter().map(|(_, points)| points).sum()
        } else {
            Decimal::ZERO
        };
        let lifetime = Lifetime::of(account);
        Ok(Summary {
            balance: account.points - expired_unswept - account.debt,
            pending: self.pending_at(at)?,
            held: self.held_at(at)?,
            debt: account.debt,
            expired_unswept,
            expiring: Decimal::ZERO,
            lifetime: Lifetime {
                expired: lifetime.expired + expired_unswept,
                ..lifetime
            },
        })
    }
}
