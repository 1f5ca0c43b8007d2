//! Two members turn out to be one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use loyalty_sdk::Error;

use super::books::Books;
use super::play::Stage;
use super::program::Shape;

/// Where what a member did is among what the other did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offsets {
    pub(super) sales: usize,
    pub(super) redemptions: usize,
    pub(super) holds: usize,
}

impl Stage<'_> {
    /// Whose books they are by now.
    pub(super) fn who(&self, member: usize) -> usize {
        match self.people[member].merged_into {
            Some(into) => self.who(into),
            None => member,
        }
    }

    pub(super) async fn merge(&mut self, member: usize, merged: usize) -> Result<(), String> {
        let ids = [member, merged].map(|member| self.people[member].member_id.clone());
        let [stays, goes] = ids;
        let answer = self.shop.client.merge_members(stays, goes, "").await;
        let were_merged = [member, merged].map(|member| self.people[member].merged_into.is_some());
        match (answer, were_merged) {
            (Ok(_), [false, false]) => {}
            (Err(Error::MemberMerged { .. }), [true, _] | [_, true]) => return Ok(()),
            (answer, _) => return Err(format!("the merger is answered {answer:#?}")),
        }
        let (program, now) = (self.program, self.shop.now());
        let mut from = std::mem::take(&mut self.people[merged].books);
        let offsets = self.people[member].books.take_in(program, &mut from, now);
        self.people[merged].books = from;
        self.people[merged].merged_into = Some(member);
        self.moved(merged, member, offsets);
        Ok(())
    }
}

impl Books {
    /// All of the other's books goes into these, but for what was redeemed and adjusted there.
    pub(super) fn take_in(&mut self, program: &Shape, from: &mut Self, now: DateTime<Utc>) -> Offsets {
        from.end_holds(now);
        from.release_holds();
        from.lapse(now);
        self.lapse(now);
        let some = from.debt.min((self.spendable(now) - self.debt).max(0));
        self.take(some, now);
        self.debt += from.debt - some;

        let offsets = Offsets {
            sales: self.sales.len(),
            redemptions: self.redemptions.len(),
            holds: self.holds.len(),
        };
        let lots = self.lots.len();
        for place in from.in_order() {
            let expires_at = from.lots[place].expires_at;
            from.go(place, expires_at);
            let lot = from.lots.last_mut().expect("the lot that it went to");
            let repaid = lot.remaining.min(self.debt);
            self.debt -= repaid;
            lot.remaining -= repaid;
            lot.came_at = None;
        }
        for mut lot in from.lots.drain(..) {
            lot.sale = lot.sale.map(|sale| sale + offsets.sales);
            lot.came_by += lots;
            lot.went_to = lot.went_to.map(|place| place + lots);
            self.lots.push(lot);
        }
        for mut sold in from.sales.drain(..) {
            sold.taken.lots.iter_mut().for_each(|(place, _)| *place += lots);
            self.sales.push(sold);
        }
        for mut redeemed in from.redemptions.drain(..) {
            redeemed.taken.lots.iter_mut().for_each(|(place, _)| *place += lots);
            self.redemptions.push(redeemed);
        }
        for mut hold in from.holds.drain(..) {
            hold.aside.iter_mut().for_each(|(place, _)| *place += lots);
            self.holds.push(hold);
        }
        // Spend moves day by day.
        let mut days: BTreeMap<DateTime<Utc>, i64> = BTreeMap::new();
        for (at, spend) in from.spends.drain(..) {
            *days.entry(program.start_of_day(at)).or_default() += spend;
        }
        self.spends.extend(days);
        from.debt = 0;
        offsets
    }
}
