//! The lots of a member: how points come, go, lapse, come back and go to another expiry.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::books::{Books, Refused};
use super::program::{Shape, Shortfall};

/// Points that arrived together, in the program's smallest unit.
#[derive(Clone, Debug)]
pub(super) struct Lot {
    /// `None`: never.
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) spendable_from: DateTime<Utc>,
    pub(super) remaining: i64,
    /// What of `remaining` holds set aside.
    pub(super) held: i64,
    /// What of it lapsed.
    pub(super) lapsed: i64,
    /// Place of the sale that gave it.
    pub(super) sale: Option<usize>,
    /// When it came, where only the program says how long it stays.
    pub(super) came_at: Option<DateTime<Utc>>,
    /// Place of the lot that its points came by.
    pub(super) came_by: usize,
    /// Place of the lot that what remained of it went to.
    pub(super) went_to: Option<usize>,
}

/// Lots in the order that points were taken out of them, and how much is not given back.
pub(super) type Places = Vec<(usize, i64)>;

/// What paid, as far as it is not given back.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    pub(super) lots: Places,
    /// What no lot had: it was taken last.
    pub(super) owed: i64,
}

impl Books {
    /// What lapsed is gone, but for what a hold set aside.
    pub(super) fn lapse(&mut self, now: DateTime<Utc>) {
        self.end_holds(now);
        for lot in &mut self.lots {
            if lot.expires_at.is_some_and(|at| at <= now) {
                lot.lapsed += lot.remaining - lot.held;
                lot.remaining = lot.held;
            }
        }
    }

    /// All that is there, whether it can be spent or not, less the debt.
    pub(super) fn all(&self) -> i64 {
        self.lots.iter().map(|lot| lot.remaining).sum::<i64>() - self.debt
    }

    pub(super) fn live(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Lot> {
        self.lots
            .iter()
            .filter(move |lot| lot.expires_at.is_none_or(|at| at > now))
    }

    pub(super) fn spendable(&self, now: DateTime<Utc>) -> i64 {
        let spendable = self.live(now).filter(|lot| lot.spendable_from <= now);
        spendable.map(|lot| lot.remaining - lot.held).sum()
    }

    /// A debt is repaid first, but not by what has lapsed already.
    pub(super) fn arrive(
        &mut self,
        points: i64,
        (expires_at, spendable_from): (Option<DateTime<Utc>>, DateTime<Utc>),
        sale: Option<usize>,
        now: DateTime<Utc>,
    ) {
        let repaid = match expires_at.is_none_or(|at| at > now) {
            true => points.min(self.debt),
            false => 0,
        };
        self.debt -= repaid;
        self.lots.push(Lot {
            expires_at,
            spendable_from,
            remaining: points - repaid,
            held: 0,
            lapsed: 0,
            sale,
            came_at: None,
            came_by: self.lots.len(),
            went_to: None,
        });
    }

    /// Places of lots: earliest expiry first, never-expiring last, oldest first among equals.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        order.sort_by_key(|place| last(self.lots[*place].expires_at));
        order
    }

    /// What remains of a lot goes to one of its own.
    pub(super) fn go(&mut self, place: usize, expires_at: Option<DateTime<Utc>>) {
        let gone = Lot {
            lapsed: 0,
            expires_at,
            ..self.lots[place].clone()
        };
        self.lots[place].remaining = 0;
        self.lots[place].went_to = Some(self.lots.len());
        self.lots.push(gone);
    }

    /// Where points of a lot are by now.
    fn follow(&self, place: usize) -> usize {
        self.lots[place].went_to.map_or(place, |place| self.follow(place))
    }

    pub(super) fn take(&mut self, points: i64, now: DateTime<Utc>) -> Places {
        let chosen = self.choose(points, now);
        for (place, points) in &chosen {
            self.lots[*place].remaining -= points;
        }
        chosen
    }

    /// Points are redeemed out of these lots.
    pub(super) fn redeem_points(&mut self, points: i64, now: DateTime<Utc>) -> Taken {
        self.redeemed += points;
        let lots = self.take(points, now);
        Taken { lots, owed: 0 }
    }

    /// Points are redeemed that may not be there: then the program says what becomes of the rest.
    pub(super) fn redeem_some(
        &mut self,
        program: &Shape,
        points: i64,
        now: DateTime<Utc>,
    ) -> Result<(i64, Taken), Refused> {
        let some = points.min((self.spendable(now) - self.debt).max(0));
        let missing = points - some;
        let owed = match program.shortfall {
            Shortfall::Owed => missing,
            Shortfall::Refused if missing > 0 => return Err("INSUFFICIENT_POINTS"),
            Shortfall::LetGo | Shortfall::Refused => 0,
        };
        let taken = self.redeem_points(some, now);
        self.debt += owed;
        self.redeemed += owed;
        Ok((some + owed, Taken { owed, ..taken }))
    }

    pub(super) fn choose(&self, points: i64, now: DateTime<Utc>) -> Places {
        let (mut missing, mut taken) = (points, Vec::new());
        for place in self.in_order() {
            let lot = &self.lots[place];
            if lot.spendable_from > now || last(lot.expires_at) <= now {
                continue;
            }
            let some = missing.min(lot.remaining - lot.held);
            if some > 0 {
                missing -= some;
                taken.push((place, some));
            }
        }
        assert_eq!(missing, 0, "the model takes what is free");
        taken
    }

    /// First what of the sale's lots lapsed, then out of these lots, then out of what can be spent, then as the program says.
    pub(super) fn take_back(
        &mut self,
        program: &Shape,
        sale: usize,
        points: i64,
        now: DateTime<Utc>,
    ) -> Result<(), Refused> {
        let mut missing = points;
        let mut own: Vec<&mut Lot> = self.lots.iter_mut().filter(|lot| lot.sale == Some(sale)).collect();
        own.sort_by_key(|lot| lot.came_by);
        for lot in &mut own {
            let some = missing.min(lot.lapsed);
            lot.lapsed -= some;
            missing -= some;
        }
        for lot in &mut own {
            let some = missing.min(lot.remaining - lot.held);
            lot.remaining -= some;
            missing -= some;
        }
        let some = missing.min((self.spendable(now) - self.debt).max(0));
        self.take(some, now);
        missing -= some;
        match program.shortfall {
            Shortfall::Owed => self.debt += missing,
            Shortfall::Refused if missing > 0 => return Err("INSUFFICIENT_POINTS"),
            Shortfall::LetGo | Shortfall::Refused => {}
        }
        Ok(())
    }

    /// To the lots they came from, the last one first; a debt is repaid out of them. Where what was left of one has gone
    /// elsewhere, they are a lot beside it, one for each expiry. What no lot had is a credit, of `at`.
    pub(super) fn put_back(
        &mut self,
        program: &Shape,
        taken: &mut Taken,
        points: i64,
        (at, now): (DateTime<Utc>, DateTime<Utc>),
    ) {
        self.redeemed -= points;
        let owed = points.min(taken.owed);
        taken.owed -= owed;
        let (mut missing, mut returned) = (points - owed, Vec::new());
        for (place, left) in taken.lots.iter_mut().rev() {
            let some = missing.min(*left);
            *left -= some;
            missing -= some;
            returned.push((*place, some));
        }
        assert_eq!(missing, 0, "the model gives back what was taken");
        // Those of one instant in the order they arrived.
        returned.sort_by_key(|(place, _)| (last(self.lots[*place].expires_at), *place));
        let (there, gone): (Places, Places) = returned
            .into_iter()
            .partition(|(place, _)| self.lots[*place].went_to.is_none());
        for (place, points) in there {
            let repaid = match last(self.lots[place].expires_at) > now {
                true => points.min(self.debt),
                false => 0,
            };
            self.debt -= repaid;
            self.lots[place].remaining += points - repaid;
        }
        let mut beside: BTreeMap<(DateTime<Utc>, Option<DateTime<Utc>>), i64> = BTreeMap::new();
        for (place, points) in gone {
            let expires_at = self.lots[self.follow(place)].expires_at;
            *beside.entry((last(expires_at), expires_at)).or_default() += points;
        }
        for ((_, expires_at), points) in beside {
            self.arrive(points, (expires_at, now), None, now);
        }
        if owed > 0 {
            self.arrive(owed, (program.expires_at(at), now), None, now);
        }
        self.lapse(now);
    }
}

/// When it lapses, if never: at the end of all time.
pub(super) fn last(expires_at: Option<DateTime<Utc>>) -> DateTime<Utc> {
    expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC)
}
