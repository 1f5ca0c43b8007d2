//! The decision about a redemption that comes back, fully or partly: its points go to the lots they were taken from, which
//! keep their expiry.

mod part;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Books, Stop, within_ledger};
use super::earning;
use super::entry::Occasion;
use super::expiry;
use super::lot::LotKey;
use super::outcome::{Accounting, Balance};
use super::program::ProgramVersion;
use super::redeeming::{Making, Place, RecordedRedemption};
use super::sale_recording::balance_at;
use super::spent::Spent;

/// What of a redemption is to come back. Its serialized form is canonical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReversalRequest {
    pub(crate) redemption_id: Uuid,
    /// None: all that has not come back yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part>,
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// How much of a tender is to come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Its place in the redemption, from 0.
    pub(crate) tender: u32,
    #[serde(flatten)]
    pub(crate) measure: Measure,
}

/// By what a part is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Measure {
    Points(Decimal),
    /// Money that the points paid.
    Amount(Decimal),
    /// Units of what the points bought.
    Quantity(Decimal),
    /// All that has not come back yet.
    Rest,
}

/// What came back. Its serialized form is kept, so that a repetition gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReversalOutcome {
    /// As it is afterwards.
    pub(crate) redemption: RecordedRedemption,
    pub(crate) points: Decimal,
    /// What of the points had lapsed meanwhile.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) lapsed: Decimal,
    pub(crate) amount: Decimal,
    pub(crate) balance_before: Decimal,
    pub(crate) balance: Balance,
}

/// Gives back what is asked, or leaves the books as they were. `lots` are those that the redemption took from, in the order
/// it took them.
pub(crate) fn give_back(
    books: &mut Books,
    version: &ProgramVersion,
    request: &ReversalRequest,
    recorded: &RecordedRedemption,
    lots: &[(LotKey, Decimal)],
    making: Making<'_>,
) -> Result<ReversalOutcome, Stop> {
    let recorded_at = making.now.max(books.account.recorded_at);
    let parts = part::parts(recorded, &request.parts, version.program.decimals)?;
    let mut changed = books.clone();
    changed.settle_pending(recorded_at)?;
    changed.expire_lapsed(version.version, recorded_at)?;
    let balance_before = changed.available(recorded_at)?;

    let redemption = &recorded.redemption;
    let tenders = redemption.tenders.iter().zip(&redemption.entries);
    let returning = Returning {
        spent: Spent::new(tenders.map(|(tender, entry)| (tender.points, entry.owed)), lots),
        is_moved: recorded.is_moved(),
        owed_expires_at: expiry::expires_under(
            earning::expiry(version, &changed.account.attributes),
            version.program.time_zone,
            recorded_at,
        ),
        occasion: Occasion {
            origin: request.place.origin(Making {
                id: request.redemption_id,
                ..making
            }),
            ..Occasion::plain(version.version, making.now, recorded_at)
        },
    };
    let mut after = recorded.clone();
    let lapsed_before = changed.account.lifetime_expired;
    for (place, part) in parts {
        let accounting = redemption.tenders.get(place).map(|tender| tender.accounting.clone());
        let given = after.given_back.points();
        returning.give(&mut changed, given, part.points, &accounting.unwrap_or_default());
        after.given_back.add(place, part);
    }
    within_ledger("points", changed.account.points)?;
    changed.expire_lapsed(version.version, recorded_at)?;
    let outcome = ReversalOutcome {
        points: after.given_back.points() - recorded.given_back.points(),
        amount: after.given_back.amount() - recorded.given_back.amount(),
        redemption: after,
        lapsed: changed.account.lifetime_expired - lapsed_before,
        balance_before: balance_before.normalize(),
        balance: balance_at(&changed, version, recorded_at)?,
    };
    *books = changed;
    Ok(outcome)
}

/// Points on their way back.
pub(super) struct Returning {
    pub(super) spent: Spent,
    /// Whether the points were taken out of books of a member who is merged by now: what comes back is as the lots that
    /// those went to.
    pub(super) is_moved: bool,
    /// When points lapse that no lot had, and whose debt is repaid by now.
    pub(super) owed_expires_at: DateTime<Utc>,
    pub(super) occasion: Occasion,
}

impl Returning {
    /// Gives points back that one tender took, when `given` of all went back before.
    pub(super) fn give(&self, books: &mut Books, given: Decimal, points: Decimal, accounting: &Accounting) {
        let back = self.spent.back(given, points);
        // What remained of a lot may have gone to another expiry since then: what comes back has that expiry too.
        let went_to = |key: LotKey| {
            let into = books.with_moves(key).last();
            into.filter(|into| *into != key && !self.is_moved)
        };
        let (gone, there): (Vec<_>, Vec<_>) = back
            .lots
            .into_iter()
            .map(|(key, points)| (key, went_to(key), points))
            .partition(|(_, into, _)| self.is_moved || into.is_some());
        let there: Vec<_> = there.into_iter().map(|(key, _, points)| (key, points)).collect();
        let gone: Vec<_> = gone
            .into_iter()
            .map(|(key, into, points)| (into.unwrap_or(key), points))
            .collect();
        if !there.is_empty() {
            books.give_back(&there, accounting, &self.occasion);
        }
        books.give_back_as_new(&gone, accounting, &self.occasion);
        if !back.owed.is_zero() {
            books.give_back_owed(back.owed, self.owed_expires_at, accounting, &self.occasion);
        }
    }
}
