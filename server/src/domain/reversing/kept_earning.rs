//! What the kept goods of a sale earn, on the ground of the sale.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::Recorded;
use super::tenders::Back;
use crate::domain::counting::{Counted, Counting};
use crate::domain::earning::{self, Earning};
use crate::domain::expiry;
use crate::domain::kept_goods::KeptGoods;
use crate::domain::outcome::LineOutcome;
use crate::domain::rejection::Rejection;
use crate::domain::return_outcome::KeptLine;

impl Recorded<'_> {
    /// Day of the sale in the zone of the program that rated it.
    pub(super) fn day(&self) -> NaiveDate {
        self.rated.program.local_date(self.occurred_at)
    }

    /// What the kept goods count when points go on paying as `back` says, and the places that the explained lines have in
    /// the sale.
    pub(super) fn counted(&self, kept: &KeptGoods<'_>, back: &Back) -> Result<(Counted, Vec<usize>), Rejection> {
        let ground = &self.outcome.ground;
        let counting = Counting {
            version: self.rated,
            occurred_at: self.occurred_at,
            day: self.day(),
            member: &ground.member,
            is_opted_out: ground.opted_out,
            prior: &ground.prior,
            carry: self.outcome.carry.map(|carry| carry.before),
            allowances: &self.outcome.allowances,
        };
        let (sale, places) = kept.sale();
        let bought = back.bought_of(&places);
        Ok((counting.count(&sale, back.paid, &bought)?, places))
    }

    /// When points of the sale lapse, and until when they cannot be spent.
    pub(super) fn lot_terms(&self, recorded_at: DateTime<Utc>) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
        let program = &self.rated.program;
        let policy = earning::expiry(self.rated, &self.outcome.ground.member);
        let expires_at = expiry::expires_under(policy, program.time_zone, self.occurred_at);
        let pending_until = expiry::pending_until(program.pending_days, program.time_zone, self.occurred_at);
        (expires_at, pending_until.filter(|until| *until > recorded_at))
    }
}

/// What a sale counts of which nothing is kept: it leaves the fraction that earlier sales left.
pub(super) fn earned_by_nothing(recorded: &Recorded<'_>) -> Counted {
    let prior = &recorded.outcome.ground.prior;
    Counted {
        earning: Earning {
            points: Decimal::ZERO,
            rated_amount: Decimal::ZERO,
            lines: Vec::new(),
            rates: Vec::new(),
            carry: recorded.outcome.carry.map(|carry| carry.before),
        },
        tier_spend: Decimal::ZERO,
        tier_id: prior.standing(&recorded.rated.program, Decimal::ZERO).tier_id(),
    }
}

/// What becomes of every line, with what its kept goods earn: `explained` are those of `places`.
pub(super) fn kept_lines(
    before: &KeptGoods<'_>,
    after: &KeptGoods<'_>,
    explained: Vec<LineOutcome>,
    places: &[usize],
) -> Vec<KeptLine> {
    let lines = before
        .lines()
        .iter()
        .zip(after.lines())
        .map(|(before, after)| KeptLine {
            returned_quantity: before.quantity - after.quantity,
            returned_amount: before.amount - after.amount,
            kept_quantity: after.quantity,
            kept_amount: after.amount,
            kept: None,
        });
    let mut lines: Vec<KeptLine> = lines.collect();
    for (place, explained) in places.iter().zip(explained) {
        if let Some(line) = lines.get_mut(*place) {
            line.kept = Some(explained);
        }
    }
    lines
}
