//! Entries: the immutable movements of the ledger.

use std::ops::AddAssign;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::outcome::Accounting;

/// One immutable movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) sequence: u64,
    pub(crate) kind: EntryKind,
    pub(crate) points: Decimal,
    pub(crate) balance_after: Decimal,
    /// What the sale added to the spend that counts towards tiers, or what its return took off again.
    pub(crate) tier_spend: Decimal,
    /// When the sale was made whose spend a return takes off: it counts on that day. `None`: when this occurred.
    pub(crate) spend_at: Option<DateTime<Utc>>,
    /// Expiry of the lot it created: with the sequence the lot's key.
    pub(crate) lot_expires_at: Option<DateTime<Utc>>,
    /// When all points lapse for want of activity, as it was known from this entry on.
    pub(crate) inactive_at: Option<DateTime<Utc>>,
    /// What an opening tells of the time before.
    pub(crate) lifetime_before: Lifetime,
    /// Where a redemption is booked.
    pub(crate) accounting: Accounting,
    pub(crate) occasion: Occasion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Earn,
    Redeem,
    Expire,
    SignUpBonus,
    /// What a return or a cancellation takes back of what a sale earned.
    EarnReversal,
    /// Redeemed points that come back.
    RedeemReversal,
    /// Points added or removed by hand, for a reason.
    Adjust,
    /// What a member brings along from another system.
    Opening,
    /// Given for a birthday.
    BirthdayBonus,
    /// What a member who is merged into another leaves.
    MergeOut,
    /// What comes of a member who is merged into this one.
    MergeIn,
    /// A lot that goes to another expiry, or another instant of the member's: no points come or go.
    ExpiryChange,
}

/// What a member earned, redeemed and lost by expiry, over all entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Lifetime {
    pub(crate) earned: Decimal,
    pub(crate) redeemed: Decimal,
    pub(crate) expired: Decimal,
}

impl Lifetime {
    /// Counts the points of an entry.
    pub(crate) fn count(&mut self, kind: EntryKind, points: Decimal) {
        match kind {
            EntryKind::Earn | EntryKind::SignUpBonus | EntryKind::BirthdayBonus | EntryKind::EarnReversal => {
                self.earned += points
            }
            EntryKind::Redeem | EntryKind::RedeemReversal => self.redeemed -= points,
            EntryKind::Expire => self.expired -= points,
            // What a merged member earned, redeemed and lost stays counted there; what one did who is imported is told
            // beside the points.
            EntryKind::Adjust
            | EntryKind::Opening
            | EntryKind::MergeOut
            | EntryKind::MergeIn
            | EntryKind::ExpiryChange => {}
        }
    }

    /// Whether nothing ever came or went.
    pub(crate) fn is_zero(&self) -> bool {
        self.earned.is_zero() && self.redeemed.is_zero() && self.expired.is_zero()
    }
}

impl AddAssign for Lifetime {
    fn add_assign(&mut self, other: Self) {
        self.earned += other.earned;
        self.redeemed += other.redeemed;
        self.expired += other.expired;
    }
}

/// What every entry of one command has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    pub(crate) program_version: u32,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
    /// The sale that it belongs to.
    pub(crate) sale: Option<SaleKey>,
    pub(crate) origin: Origin,
}

/// The POS's name of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SaleKey {
    pub(crate) store_id: Arc<str>,
    pub(crate) sale_id: Arc<str>,
    /// The shop's own type of the document; may be empty.
    pub(crate) document_type: Arc<str>,
    /// The shop's own number of the document; may be empty.
    pub(crate) document_number: Arc<str>,
}

/// Where entries come from and who made them. Every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Id of what the entry belongs to beside the sale: a return, a redemption, a hold, another member.
    pub(crate) reference: Option<Arc<str>>,
    /// The store where it happened, where that is not the sale's.
    pub(crate) at_store_id: Option<Arc<str>>,
    pub(crate) terminal_id: Option<Arc<str>>,
    pub(crate) cashier_id: Option<Arc<str>>,
    /// Who made it, of what is not a sale.
    pub(crate) actor: Option<Arc<str>>,
    pub(crate) reason_id: Option<Arc<str>>,
    pub(crate) note: Option<Arc<str>>,
}

impl Occasion {
    /// What happens by itself, or to the member as such, at one instant.
    pub(crate) fn plain(program_version: u32, occurred_at: DateTime<Utc>, recorded_at: DateTime<Utc>) -> Self {
        Self {
            program_version,
            occurred_at,
            recorded_at,
            sale: None,
            origin: Origin::default(),
        }
    }
}

/// What is not empty.
pub(crate) fn said(text: &str) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}
