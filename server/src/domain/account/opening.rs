//! Books that begin with what a member brings along from another system.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::Books;
use crate::domain::entry::{EntryKind, Lifetime, Occasion};

impl Books {
    /// Points that came together and lapse together. What is owed is repaid out of them first, as by any credit.
    pub(crate) fn bring_lot(
        &mut self,
        points: Decimal,
        expires_at: DateTime<Utc>,
        pending_until: Option<DateTime<Utc>>,
        occasion: &Occasion,
    ) {
        self.credit_pending(EntryKind::Opening, points, expires_at, pending_until, occasion);
    }

    /// Points that are owed.
    pub(crate) fn bring_debt(&mut self, debt: Decimal, occasion: &Occasion) {
        self.account.debt += debt;
        self.push(EntryKind::Opening, -debt, occasion);
    }

    /// Spend of a day that counts towards tiers.
    pub(crate) fn bring_spend(&mut self, day: NaiveDate, spend: Decimal, occasion: &Occasion) {
        self.account.tier_spend += spend;
        if let Some(days) = &mut self.spend_by_day {
            *days.entry(day).or_default() += spend;
        }
        self.push(EntryKind::Opening, Decimal::ZERO, occasion);
        if let Some(entry) = self.new_entries.last_mut() {
            entry.tier_spend = spend;
        }
    }

    /// What was earned, redeemed and lost before: it goes with the last entry of the opening, or one of its own.
    pub(crate) fn bring_lifetime(&mut self, lifetime: Lifetime, occasion: &Occasion) {
        if lifetime.is_zero() {
            return;
        }
        if self.new_entries.is_empty() {
            self.push(EntryKind::Opening, Decimal::ZERO, occasion);
        }
        self.account.lifetime_earned += lifetime.earned;
        self.account.lifetime_redeemed += lifetime.redeemed;
        self.account.lifetime_expired += lifetime.expired;
        if let Some(entry) = self.new_entries.last_mut() {
            entry.lifetime_before = lifetime;
        }
    }
}
