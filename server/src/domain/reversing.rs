//! The decision of a return and of a cancellation: what the kept goods would have done at the moment of the sale, and how
//! the books get there from what all of the sale did. `server/docs/returns.md` says it for people.

mod kept_earning;
mod tenders;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use ethnum::I256;
use rust_decimal::Decimal;

use super::account::{Books, Stop, within_ledger};
use super::counting::Counted;
use super::entry::{EntryKind, Occasion, Origin, SaleKey, said};
use super::giving_back::Returning;
use super::kept_goods::KeptGoods;
use super::lot::LotKey;
use super::number::Fraction;
use super::outcome::SaleOutcome;
use super::program::{DocumentTreatment, ProgramVersion};
use super::rejection::Rejection;
use super::return_outcome::ReturnOutcome;
use super::sale::Sale;
use super::sale_recording::{MOST_AHEAD, MOST_BACK, balance_at};
use super::sale_return::{Returned, SaleName, SaleReversal};
use super::sale_state::{self, SaleState};
use super::shortfall;
use super::spent::Spent;
use super::tier;
use crate::domain::reversing::kept_earning::{earned_by_nothing, kept_lines};

/// Returns of one sale: each reckons with all before it.
const MOST_RETURNS: usize = 1_000;

/// A sale as it was recorded, with what came back of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded<'a> {
    pub(crate) sale: &'a Sale,
    pub(crate) outcome: &'a SaleOutcome,
    pub(crate) occurred_at: DateTime<Utc>,
    /// What came back before, in order.
    pub(crate) returned: &'a [Returned],
    pub(crate) state: &'a SaleState,
    /// The version that rated it.
    pub(crate) rated: &'a ProgramVersion,
    /// The lots that its tenders took points from, in the order they took them.
    pub(crate) redeemed: &'a [(LotKey, Decimal)],
    /// The lots of these books in which its points came, or went when its member was merged into another.
    pub(crate) own_lots: &'a [LotKey],
    /// What of its points had lapsed before that, and was not taken back yet.
    pub(crate) lapsed_before_merger: Decimal,
    /// Whether the books are another member's by now, since the two were merged.
    pub(crate) is_moved: bool,
}

/// Who makes a change, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making<'a> {
    pub(crate) actor: &'a str,
    pub(crate) now: DateTime<Utc>,
}

impl Recorded<'_> {
    /// Decides a return, or the cancellation of what is left of the sale, and changes the books, or leaves them as they
    /// were.
    pub(crate) fn reverse(
        &self,
        books: &mut Books,
        current: &ProgramVersion,
        reversal: &SaleReversal,
        making: Making<'_>,
    ) -> Result<(ReturnOutcome, SaleState), Stop> {
        let occurred_at = self.check(current, reversal, making.now)?;
        let before = self.kept()?;
        let after = match reversal {
            SaleReversal::Return(sale_return) => before.clone().less(&sale_return.returned)?,
            SaleReversal::Cancellation(_) if before.is_nothing() => before.clone(),
            SaleReversal::Cancellation(_) => before.clone().less(&Returned::Rest)?,
        };
        let taking = Taking {
            recorded: *self,
            current,
            before,
            after,
            occasion: self.occasion(reversal, occurred_at, making, books),
            return_id: reversal.return_id(),
        };
        let mut changed = books.clone();
        let (outcome, state) = taking.apply(&mut changed)?;
        *books = changed;
        let is_cancelled = reversal.return_id().is_none();
        Ok((outcome, SaleState { is_cancelled, ..state }))
    }

    /// What is kept of the sale so far.
    pub(crate) fn kept(&self) -> Result<KeptGoods<'_>, Rejection> {
        let all = KeptGoods::all_of(self.sale, self.outcome.currency.minor_units);
        if self.state.is_cancelled {
            return all.less(&Returned::Rest);
        }
        self.returned.iter().try_fold(all, KeptGoods::less)
    }

    /// When it occurred, if it may be recorded at all.
    fn check(
        &self,
        current: &ProgramVersion,
        reversal: &SaleReversal,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Rejection> {
        let place = reversal.place();
        if self.state.is_cancelled {
            return Err(Rejection::SaleCancelled {
                store_id: self.sale.store_id.clone(),
                sale_id: self.sale.sale_id.clone(),
            });
        }
        let occurred_at = place.occurred_at.unwrap_or(now.max(self.occurred_at));
        let earliest = self.occurred_at.max(now - MOST_BACK);
        let latest = now.max(self.occurred_at) + MOST_AHEAD;
        if occurred_at < earliest || occurred_at > latest {
            let field = match reversal {
                SaleReversal::Return(_) => "sale_return.occurred_at",
                SaleReversal::Cancellation(_) => "occurred_at",
            };
            return Err(Rejection::TimeOutOfRange {
                field,
                earliest,
                latest,
            });
        }
        let listed = current
            .program
            .document_types
            .iter()
            .find(|listed| listed.document_type == place.document_type);
        if listed.is_some_and(|listed| listed.treatment != DocumentTreatment::Returning) {
            return Err(Rejection::DocumentTypeRefused {
                document_type: place.document_type.clone(),
            });
        }
        if reversal.return_id().is_some() && self.returned.len() >= MOST_RETURNS {
            return Err(Rejection::LedgerRange { field: "returns" });
        }
        Ok(occurred_at)
    }

    fn occasion(
        &self,
        reversal: &SaleReversal,
        occurred_at: DateTime<Utc>,
        making: Making<'_>,
        books: &Books,
    ) -> Occasion {
        let place = reversal.place();
        Occasion {
            program_version: self.outcome.program_version,
            occurred_at,
            recorded_at: making.now.max(books.account.recorded_at),
            sale: Some(SaleKey {
                store_id: self.sale.store_id.as_str().into(),
                sale_id: self.sale.sale_id.as_str().into(),
                document_type: place.document_type.as_str().into(),
                document_number: place.document_number.as_str().into(),
            }),
            origin: Origin {
                reference: reversal.return_id().and_then(said),
                at_store_id: said(&place.store_id).filter(|store_id| **store_id != *self.sale.store_id),
                terminal_id: said(&place.terminal_id),
                cashier_id: said(&place.cashier_id),
                actor: said(making.actor),
                ..Origin::default()
            },
        }
    }
}

/// A return or a cancellation on its way into the books.
struct Taking<'a> {
    recorded: Recorded<'a>,
    /// The version that rules now.
    current: &'a ProgramVersion,
    before: KeptGoods<'a>,
    after: KeptGoods<'a>,
    occasion: Occasion,
    return_id: Option<&'a str>,
}

/// What was taken back.
struct Taken {
    points: Decimal,
    lapsed: Decimal,
    owed: Decimal,
    /// What was no longer there and the program lets go.
    forgiven: Decimal,
    /// The lot of what the kept goods earn beyond what all did.
    new_lot: Option<LotKey>,
    /// What of `lapsed` had lapsed before the member was merged into another.
    lapsed_before_merger: Decimal,
}

impl Taking<'_> {
    fn apply(&self, books: &mut Books) -> Result<(ReturnOutcome, SaleState), Stop> {
        let recorded_at = self.occasion.recorded_at;
        let (outcome, state) = (self.recorded.outcome, self.recorded.state);
        books.settle_pending(recorded_at)?;
        books.expire_lapsed(self.current.version, recorded_at)?;
        let before = balance_at(books, self.current, recorded_at)?;

        let back = self.recorded.tenders_back(&self.after)?;
        let (counted, places) = match self.after.is_nothing() {
            true => (earned_by_nothing(&self.recorded), Vec::new()),
            false => self.recorded.counted(&self.after, &back)?,
        };
        let lapsed_before = books.account.lifetime_expired;
        self.give_back(books, &back.points)?;
        let given_back_lapsed = books.account.lifetime_expired - lapsed_before;
        let carried = self.carry(books, &counted)?;
        let taken = self.take_back(books, state.points_earned - counted.earning.points - carried)?;
        self.take_spend(books, &counted)?;
        let limited = sale_state::limited(&outcome.allowances, &counted.earning.rates);
        let day = self.recorded.day();
        for rule_id in state.limited.keys().chain(limited.keys()).collect::<BTreeSet<_>>() {
            let given = |limited: &BTreeMap<String, Decimal>| limited.get(rule_id).copied().unwrap_or_default();
            let less = given(&state.limited) - given(&limited);
            books.rule_usage.take_back(rule_id, day, less);
        }
        let balance = balance_at(books, self.current, recorded_at)?;
        books.account.tier_id.clone_from(&balance.tier_id);

        let amount = self.before.total() - self.after.total();
        // Of a line of which points bought a part, cents of both parts are rounded: none of them counts twice.
        let points_amount = outcome.points_paid() - back.paid - state.points_amount;
        let points_amount = points_amount.clamp(Decimal::ZERO, amount);
        let points_given_back = back.points.iter().sum();
        let given_back = state
            .given_back
            .iter()
            .zip(&back.points)
            .map(|(given, more)| given + more);
        let (own_lot, later_lot) = match self.recorded.is_moved {
            true => (None, taken.new_lot.map(|lot| books.place(lot))),
            false => (taken.new_lot, None),
        };
        let new_state = SaleState {
            points_earned: counted.earning.points,
            tier_spend: counted.tier_spend,
            carry: counted.earning.carry,
            limited,
            given_back: given_back.collect(),
            points_amount: state.points_amount + points_amount,
            own_lots: state.own_lots.iter().copied().chain(own_lot).collect(),
            later_lots: state.later_lots.iter().copied().chain(later_lot).collect(),
            lapsed_before_merger: state.lapsed_before_merger + taken.lapsed_before_merger,
            is_cancelled: false,
        };
        let answer = ReturnOutcome {
            member_id: books.account.member_id,
            program_id: outcome.program_id.clone(),
            program_version: outcome.program_version,
            currency: outcome.currency.clone(),
            sale: SaleName {
                store_id: self.recorded.sale.store_id.clone(),
                sale_id: self.recorded.sale.sale_id.clone(),
            },
            return_id: self.return_id.map(str::to_owned),
            occurred_at: self.occasion.occurred_at,
            amount,
            points_amount,
            kept_amount: self.after.total(),
            points_given_back,
            given_back_lapsed,
            points_taken_back: taken.points,
            taken_back_lapsed: taken.lapsed,
            owed: taken.owed,
            forgiven: taken.forgiven,
            points_earned: counted.earning.points,
            balance_before: before.available,
            balance,
            tier_id_before: before.tier_id,
            lines: kept_lines(&self.before, &self.after, counted.earning.lines, &places),
            rates: counted.earning.rates,
            carried: outcome.carry.map(|_| books.account.carry),
        };
        Ok((answer, new_state))
    }

    /// Points go back to the lots that the tenders took them from, the last one first, whichever tender took it: so the kept
    /// goods are paid out of the lots that a sale of them alone would have been paid out of.
    fn give_back(&self, books: &mut Books, points: &[Decimal]) -> Result<(), Stop> {
        let Recorded {
            outcome,
            state,
            redeemed,
            ..
        } = self.recorded;
        let owed = outcome
            .ground
            .redeem_owed
            .iter()
            .copied()
            .chain(std::iter::repeat(Decimal::ZERO));
        let tenders = outcome.points_tenders.iter().map(|tender| tender.points);
        let returning = Returning {
            spent: Spent::new(tenders.zip(owed), redeemed),
            is_moved: self.recorded.is_moved,
            owed_expires_at: self.recorded.lot_terms(self.occasion.recorded_at).0,
            occasion: self.occasion.clone(),
        };
        let mut given: Decimal = state.given_back.iter().sum();
        for (tender, points) in outcome.points_tenders.iter().zip(points) {
            if points.is_zero() {
                continue;
            }
            returning.give(books, given, *points, &tender.accounting);
            given += points;
        }
        within_ledger("points", books.account.points)?;
        Ok(books.expire_lapsed(self.current.version, self.occasion.recorded_at)?)
    }

    /// Sets the member's kept fraction right: what this sale left of it is what the kept goods would have left. Answers the
    /// points by which later sales, which have used it up, turn out to have been given too many (negative) or too few.
    fn carry(&self, books: &mut Books, counted: &Counted) -> Result<Decimal, Rejection> {
        let out_of_range = Rejection::LedgerRange { field: "carry" };
        let Some((before, after)) = self.recorded.state.carry.zip(counted.earning.carry) else {
            return Ok(Decimal::ZERO);
        };
        let minus_one = Fraction::new(I256::from(-1), I256::ONE);
        let change = before.times(minus_one).and_then(|less| after.plus(less));
        let sum = change.and_then(|change| books.account.carry.plus(change));
        let decimals = self.recorded.rated.program.decimals;
        let whole = sum.and_then(|sum| Some((sum, sum.floor(decimals)?)));
        let (sum, whole) = whole.ok_or(out_of_range.clone())?;
        books.account.carry = sum.less(whole).ok_or(out_of_range)?.bounded();
        Ok(whole)
    }

    /// Takes points back, first out of the sale's own lots; negative ones are given.
    fn take_back(&self, books: &mut Books, points: Decimal) -> Result<Taken, Stop> {
        let recorded_at = self.occasion.recorded_at;
        if points < Decimal::ZERO {
            let (expires_at, pending_until) = self.recorded.lot_terms(recorded_at);
            within_ledger("points", books.account.points - points)?;
            let new_lot = books.earn_more(-points, expires_at, pending_until, &self.occasion);
            books.expire_lapsed(self.current.version, recorded_at)?;
            return Ok(Taken {
                points,
                lapsed: Decimal::ZERO,
                owed: Decimal::ZERO,
                forgiven: Decimal::ZERO,
                new_lot: Some(new_lot),
                lapsed_before_merger: Decimal::ZERO,
            });
        }
        let own = self.recorded.own_lots.iter();
        let own: Vec<LotKey> = own.flat_map(|key| books.with_moves(*key)).collect();
        let mut lapsed = Vec::new();
        // Was written off in books that have ended: nothing is left of it to be taken out of these.
        let lapsed_before_merger = self.recorded.lapsed_before_merger.min(points);
        let mut left = points - lapsed_before_merger;
        for key in &own {
            let gone = books.lot(*key).map_or(Decimal::ZERO, |lot| lot.lapsed).min(left);
            if gone > Decimal::ZERO {
                left -= gone;
                lapsed.push((*key, gone));
            }
        }
        let policy = self.current.program.shortfall_policy;
        let mut cover = shortfall::cover_from(books, &own, left, policy, recorded_at)?;
        let owed = cover.debt;
        within_ledger("debt", books.account.debt + owed)?;
        for (key, gone) in &lapsed {
            books.take_back_lapse(*key, *gone, &self.occasion);
        }
        for (key, gone) in lapsed {
            // Points may have come back to a lot after it had lapsed.
            match cover.allocations.iter_mut().find(|(lot, _)| *lot == key) {
                Some((_, taken)) => *taken += gone,
                None => cover.allocations.push((key, gone)),
            }
        }
        let taken = cover.allocations.iter().map(|(_, taken)| taken).sum::<Decimal>() + owed + lapsed_before_merger;
        books.take(EntryKind::EarnReversal, &cover, &self.occasion)?;
        Ok(Taken {
            points: taken,
            lapsed: points - left,
            owed,
            forgiven: points - taken,
            new_lot: None,
            lapsed_before_merger,
        })
    }

    /// Takes back what the returned goods added to the spend for tiers, on the day of the sale, and an upgrade with it.
    fn take_spend(&self, books: &mut Books, counted: &Counted) -> Result<(), Stop> {
        let less = self.recorded.state.tier_spend - counted.tier_spend;
        let (program, account) = (&self.current.program, &mut books.account);
        let day = program.local_date(self.recorded.occurred_at);
        account.tier_spend -= less;
        if let Some(days) = &mut books.spend_by_day {
            if tier::never_downgrades(program.tier_spend_window) {
                account.tier_id = tier::kept_with_less(program, days, (day, less), account.tier_id.as_deref());
            }
            *days.entry(day).or_default() -= less;
        }
        let mut entries = books.new_entries.iter_mut();
        if let Some(entry) = entries.rfind(|entry| entry.kind == EntryKind::EarnReversal) {
            entry.tier_spend = -less;
            entry.spend_at = Some(self.recorded.occurred_at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
