//! The books of one member: state, open lots, and what the commands of a batch add to them.

mod activity;
mod lapsing;
mod merging;
mod moving;
mod opening;
mod reversing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use merging::{Estate, LotsMoved};

use super::entry::{Entry, EntryKind, Lifetime, Occasion};
use super::hold::Holds;
use super::lot::{Allocation, Lot, LotKey, LotPlace};
use super::member_status::MemberStatus;
use super::number::{Fraction, LEDGER_LIMIT};
use super::outcome::Accounting;
use super::pending::{Pending, PendingLot};
use super::rejection::Rejection;
use super::rule_usage::RuleUsage;
use super::shortfall::Cover;
use super::tier::Spend;

/// State of a member's books. It is derived from the entries and lots, which can rebuild it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) merchant_id: u32,
    pub(crate) member_id: Uuid,
    pub(crate) program_id: Arc<str>,
    /// Sequence of the newest entry; 0 without any.
    pub(crate) last_sequence: u64,
    /// Sum of what remains of the lots, lapsed ones included until an entry writes them off.
    pub(crate) points: Decimal,
    /// Sum of the live holds.
    pub(crate) held: Decimal,
    /// Points owed; the balance is `points - debt`.
    pub(crate) debt: Decimal,
    /// Sum of what is pending of the lots; what came due stays in it until a write settles it.
    pub(crate) pending: Decimal,
    /// When the first of it comes due.
    pub(crate) pending_until: Option<DateTime<Utc>>,
    /// The first lot in order of consumption with anything left; `None` when there is none.
    pub(crate) first_open_lot: Option<LotKey>,
    /// The next instant at which a hold lapses.
    pub(crate) hold_lapses_at: Option<DateTime<Utc>>,
    /// When a sweep has to look for lapsed points: not after the next lapse, but perhaps before it; `None` when nothing
    /// will lapse.
    pub(crate) sweep_at: Option<DateTime<Utc>>,
    /// When the member last did something of what keeps points, or got some after having none; `None`: not known.
    pub(crate) active_at: Option<DateTime<Utc>>,
    /// When all points lapse unless the member does something before; `None`: not for that.
    pub(crate) inactive_at: Option<DateTime<Utc>>,
    /// The birthday of the last bonus for one.
    pub(crate) birthday_bonus_on: Option<NaiveDate>,
    /// The tier as of the newest sale.
    pub(crate) tier_id: Option<String>,
    /// Spend that counts towards tiers, over the member's lifetime.
    pub(crate) tier_spend: Decimal,
    pub(crate) lifetime_earned: Decimal,
    pub(crate) lifetime_redeemed: Decimal,
    pub(crate) lifetime_expired: Decimal,
    /// The fraction of a point that sales left and that the next one adds.
    pub(crate) carry: Fraction,
    /// When the newest entry was recorded, or the member enrolled.
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) attributes: Attributes,
    pub(crate) status: MemberStatus,
}

/// What of a member the rules ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    /// A path such as `retail/vip`; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) customer_group: String,
    /// A path such as `south/lima`; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) territory: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) assigned_rule_id: Option<String>,
}

/// What a sale gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Earned {
    /// Possibly none.
    pub(crate) points: Decimal,
    pub(crate) expires_at: DateTime<Utc>,
    /// Until when they cannot be spent.
    pub(crate) pending_until: Option<DateTime<Utc>>,
    /// What it adds to the spend that counts towards tiers.
    pub(crate) tier_spend: Decimal,
    /// Day of the sale in the program's zone.
    pub(crate) day: NaiveDate,
}

/// Open lots beyond the known ones are needed: load the next page and decide again. Not a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LotsMissing;

/// Why a command did not come to an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Rejected(Rejection),
    LotsMissing,
}

/// How far the open lots are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    UpTo(LotKey),
    All,
}

/// The books of one member while a batch works on them.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    pub(crate) account: Account,
    known: Known,
    lots: BTreeMap<LotKey, Lot>,
    /// Where lots went that were moved to another expiry, or to the books of another member, as far as that is known.
    moved: BTreeMap<LotKey, LotPlace>,
    pub(crate) pending: Pending,
    pub(crate) holds: Holds,
    /// Spend by day of the program's zone, where its window needs it.
    pub(crate) spend_by_day: Option<BTreeMap<NaiveDate, Decimal>>,
    /// What limited rules gave, of the days that matter to the commands.
    pub(crate) rule_usage: RuleUsage,
    pub(crate) new_entries: Vec<Entry>,
    pub(crate) new_allocations: Vec<Allocation>,
    /// Lots whose rows have to be written.
    touched_lots: BTreeSet<LotKey>,
    /// Whether the account has to be written though it has no new entry.
    pub(crate) is_swept: bool,
}

impl Attributes {
    /// Whether there is nothing to ask about.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Account {
    /// The empty books of a new member.
    pub(crate) fn opened(merchant_id: u32, member_id: Uuid, program_id: Arc<str>, now: DateTime<Utc>) -> Self {
        Self {
            merchant_id,
            member_id,
            program_id,
            last_sequence: 0,
            points: Decimal::ZERO,
            held: Decimal::ZERO,
            debt: Decimal::ZERO,
            pending: Decimal::ZERO,
            pending_until: None,
            first_open_lot: None,
            hold_lapses_at: None,
            sweep_at: None,
            active_at: None,
            inactive_at: None,
            birthday_bonus_on: None,
            tier_id: None,
            tier_spend: Decimal::ZERO,
            lifetime_earned: Decimal::ZERO,
            lifetime_redeemed: Decimal::ZERO,
            lifetime_expired: Decimal::ZERO,
            carry: Fraction::ZERO,
            recorded_at: now,
            attributes: Attributes::default(),
            status: MemberStatus::default(),
        }
    }
}

impl Books {
    /// The books as loaded, without any lots yet.
    pub(crate) fn new(account: Account) -> Self {
        let known = if account.first_open_lot.is_none() {
            Known::All
        } else {
            Known::Nothing
        };
        Self {
            pending: Pending::unknown(account.pending),
            holds: Holds::unknown(account.held),
            account,
            known,
            lots: BTreeMap::new(),
            moved: BTreeMap::new(),
            spend_by_day: None,
            rule_usage: RuleUsage::default(),
            new_entries: Vec::new(),
            new_allocations: Vec::new(),
            touched_lots: BTreeSet::new(),
            is_swept: false,
        }
    }

    /// The lot after which the next page of open lots begins; `None` for the first page.
    pub(crate) fn lots_known_to(&self) -> Option<LotKey> {
        match self.known {
            Known::UpTo(key) => Some(key),
            Known::Nothing | Known::All => None,
        }
    }

    /// Takes in the next page of open lots, in order of consumption; a page shorter than asked was the last.
    pub(crate) fn learn_lots(&mut self, page: Vec<(LotKey, Lot)>, was_last: bool) {
        self.known = match page.last() {
            Some((key, _)) if !was_last => Known::UpTo(*key),
            _ => Known::All,
        };
        for (key, lot) in page {
            self.lots.entry(key).or_insert(lot);
        }
    }

    /// Lots whose rows have to be written, as they are now.
    pub(crate) fn touched_lots(&self) -> impl Iterator<Item = (LotKey, Lot)> {
        self.touched_lots
            .iter()
            .filter_map(|key| self.lots.get(key).map(|lot| (*key, *lot)))
    }

    /// Known open lots in order of consumption, unbroken from the first.
    pub(crate) fn open_lots(&self) -> impl Iterator<Item = (LotKey, Decimal)> {
        let known = self.known;
        self.lots
            .iter()
            .take_while(move |(key, _)| match known {
                Known::All => true,
                Known::UpTo(last) => **key <= last,
                Known::Nothing => false,
            })
            .filter(|(_, lot)| lot.remaining > Decimal::ZERO)
            .map(|(key, lot)| (*key, lot.remaining))
    }

    /// Whether `open_lots` goes to the end.
    pub(crate) fn knows_all_lots(&self) -> bool {
        self.known == Known::All
    }

    /// Asks for everything there is to load of the points.
    pub(crate) fn all_known(&self) -> Result<(), LotsMissing> {
        let is_missing = self.pending.has_unknown() || self.holds.has_unknown() || !self.knows_all_lots();
        if is_missing { Err(LotsMissing) } else { Ok(()) }
    }

    /// Whether no page of open lots was loaded though there are some.
    pub(crate) fn knows_no_lots(&self) -> bool {
        self.known == Known::Nothing
    }

    /// Points that can be spent at an instant not before the newest entry: what remains of lots that have not lapsed,
    /// less holds and debt.
    pub(crate) fn available(&self, at: DateTime<Utc>) -> Result<Decimal, LotsMissing> {
        let lapsed: Decimal = if self.has_lapsed_lots(at) {
            self.lapsed_lots(at)?.iter().map(|(_, points)| points).sum()
        } else {
            Decimal::ZERO
        };
        Ok(self.account.points - lapsed - self.pending_at(at)? - self.held_at(at)? - self.account.debt)
    }

    /// Spend that counts towards tiers, as the program's window needs it.
    pub(crate) fn spend(&self) -> Spend {
        match &self.spend_by_day {
            Some(days) => Spend::ByDay(days.clone()),
            None => Spend::Lifetime(self.account.tier_spend),
        }
    }

    /// Changes the books whole, or leaves them as they were.
    pub(crate) fn whole<T>(&mut self, change: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        let mut changed = self.clone();
        let outcome = change(&mut changed)?;
        *self = changed;
        Ok(outcome)
    }

    /// Takes points that pay. Answers the sequence of the entry.
    pub(crate) fn redeem(
        &mut self,
        cover: &Cover,
        occasion: &Occasion,
        accounting: &Accounting,
    ) -> Result<u64, LotsMissing> {
        self.take(EntryKind::Redeem, cover, occasion)?;
        if let Some(entry) = self.new_entries.last_mut() {
            entry.accounting.clone_from(accounting);
        }
        Ok(self.account.last_sequence)
    }

    /// Gives the points a sale earned, possibly none, and counts its spend. Answers the sequence of the entry.
    pub(crate) fn earn(&mut self, earned: Earned, occasion: &Occasion) -> u64 {
        let Earned {
            points,
            expires_at,
            pending_until,
            tier_spend,
            day,
        } = earned;
        self.account.tier_spend += tier_spend;
        if let Some(days) = &mut self.spend_by_day {
            *days.entry(day).or_default() += tier_spend;
        }
        self.credit_pending(EntryKind::Earn, points, expires_at, pending_until, occasion);
        if let Some(entry) = self.new_entries.last_mut() {
            entry.tier_spend = tier_spend;
        }
        self.account.last_sequence
    }

    /// Gives points that may have to wait before they can be spent.
    fn credit_pending(
        &mut self,
        kind: EntryKind,
        points: Decimal,
        expires_at: DateTime<Utc>,
        pending_until: Option<DateTime<Utc>>,
        occasion: &Occasion,
    ) {
        self.credit(kind, points, expires_at, occasion);
        let sequence = self.account.last_sequence;
        let key = LotKey { expires_at, sequence };
        // What repaid a debt does not wait.
        let waiting = self.lots.get(&key).map_or(Decimal::ZERO, |lot| lot.remaining);
        let until = pending_until.filter(|until| *until > occasion.recorded_at);
        if let Some(until) = until.filter(|_| waiting > Decimal::ZERO) {
            self.pending.add(key, PendingLot { until, points: waiting });
            self.account.pending += waiting;
            let first = self.account.pending_until.map_or(until, |first| first.min(until));
            self.account.pending_until = Some(first);
        }
    }

    /// Gives points, possibly none, as a lot of their own. A debt is repaid out of it first, unless it has lapsed already:
    /// the lot's allocation by the entry that created it.
    pub(crate) fn credit(&mut self, kind: EntryKind, points: Decimal, expires_at: DateTime<Utc>, occasion: &Occasion) {
        let lapses_at = self
            .account
            .inactive_at
            .map_or(expires_at, |instant| instant.min(expires_at));
        let repaid = match lapses_at > occasion.recorded_at {
            true => points.min(self.account.debt),
            false => Decimal::ZERO,
        };
        let remaining = points - repaid;
        self.account.debt -= repaid;
        self.account.points += remaining;
        let sequence = self.push(kind, points, occasion);
        if points <= Decimal::ZERO {
            return;
        }
        let key = LotKey { expires_at, sequence };
        if let Some(entry) = self.new_entries.last_mut() {
            entry.lot_expires_at = Some(expires_at);
        }
        let lapsed = Decimal::ZERO;
        let lot = Lot {
            points,
            remaining,
            lapsed,
        };
        self.lots.insert(key, lot);
        self.touched_lots.insert(key);
        if !repaid.is_zero() {
            self.new_allocations.push(Allocation {
                entry_sequence: sequence,
                lot: key,
                points: -repaid,
            });
        }
        if remaining > Decimal::ZERO {
            let first = self.account.first_open_lot.map_or(key, |first| first.min(key));
            self.account.first_open_lot = Some(first);
            self.sweep_by(lapses_at);
        }
    }

    /// Takes points out of lots, and what they do not cover as a debt.
    pub(crate) fn take(&mut self, kind: EntryKind, cover: &Cover, occasion: &Occasion) -> Result<(), LotsMissing> {
        if self.pending.has_unknown() {
            return Err(LotsMissing);
        }
        let from_lots: Decimal = cover.allocations.iter().map(|(_, points)| points).sum();
        self.account.points -= from_lots;
        self.account.debt += cover.debt;
        let sequence = self.push(kind, Decimal::ZERO - from_lots - cover.debt, occasion);
        for (key, taken) in &cover.allocations {
            if let Some(lot) = self.lots.get_mut(key) {
                lot.remaining -= taken;
                if kind == EntryKind::Expire {
                    lot.lapsed += taken;
                }
                self.account.pending -= self.pending.shrink(*key, lot.remaining);
            }
            self.touched_lots.insert(*key);
            self.new_allocations.push(Allocation {
                entry_sequence: sequence,
                lot: *key,
                points: -taken,
            });
        }
        let first_open_lot = self.open_lots().next().map(|(key, _)| key);
        if first_open_lot.is_none() && !self.knows_all_lots() {
            return Err(LotsMissing);
        }
        self.account.first_open_lot = first_open_lot;
        self.account.pending_until = self.pending.first();
        Ok(())
    }

    fn push(&mut self, kind: EntryKind, points: Decimal, occasion: &Occasion) -> u64 {
        let mut lifetime = Lifetime::default();
        lifetime.count(kind, points);
        self.account.lifetime_earned += lifetime.earned;
        self.account.lifetime_redeemed += lifetime.redeemed;
        self.account.lifetime_expired += lifetime.expired;
        self.account.last_sequence += 1;
        self.account.recorded_at = occasion.recorded_at;
        self.new_entries.push(Entry {
            sequence: self.account.last_sequence,
            kind,
            points,
            balance_after: self.account.points - self.account.debt,
            tier_spend: Decimal::ZERO,
            spend_at: None,
            lot_expires_at: None,
            inactive_at: self.account.inactive_at,
            lifetime_before: Lifetime::default(),
            accounting: Accounting::default(),
            occasion: occasion.clone(),
        });
        self.account.last_sequence
    }

    /// What of a lot of `remaining` points can be spent: neither pending nor held.
    pub(crate) fn spendable(&self, key: LotKey, remaining: Decimal, at: DateTime<Utc>) -> Decimal {
        self.pending.spendable(key, remaining, at) - self.holds.of_lot(key, at)
    }
}

/// Refuses what the columns of the ledger cannot hold.
pub(crate) fn within_ledger(field: &'static str, value: Decimal) -> Result<(), Rejection> {
    if value.abs() < LEDGER_LIMIT {
        Ok(())
    } else {
        Err(Rejection::LedgerRange { field })
    }
}

impl From<LotsMissing> for Stop {
    fn from(_: LotsMissing) -> Self {
        Self::LotsMissing
    }
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
