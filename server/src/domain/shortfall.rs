//! Points that are taken back though they may have been spent: what of them lots cover, and what becomes of the rest.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::account::{Books, Stop};
use super::lot::LotKey;
use super::redemption;
use super::rejection::Rejection;

/// What happens where fewer points can be spent than are to be taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShortfallPolicy {
    /// The rest is owed: the next credits repay it.
    #[default]
    AllowNegative,
    /// Only what is there is taken.
    ClampToZero,
    /// Nothing is taken.
    Refuse,
}

/// Where points come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cover {
    pub(crate) allocations: Vec<(LotKey, Decimal)>,
    /// What no lot has: it is owed.
    pub(crate) debt: Decimal,
}

impl ShortfallPolicy {
    /// Whether this is what goes without saying.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Cover {
    /// All that is taken, and owed.
    pub(crate) fn points(&self) -> Decimal {
        self.allocations.iter().map(|(_, points)| points).sum::<Decimal>() + self.debt
    }

    /// All of it from lots.
    pub(crate) fn of_lots(allocations: Vec<(LotKey, Decimal)>) -> Self {
        Self {
            allocations,
            debt: Decimal::ZERO,
        }
    }
}

/// Covers `points` by what can be spent at `at`, in order of consumption, and the rest as the policy says. Pending points
/// have been settled, and lapsed lots written off, before.
pub(crate) fn cover(books: &Books, points: Decimal, policy: ShortfallPolicy, at: DateTime<Utc>) -> Result<Cover, Stop> {
    cover_from(books, &[], points, policy, at)
}

/// The same, first out of these lots, in order, also out of what waits in them. What is held is not touched.
pub(crate) fn cover_from(
    books: &Books,
    first: &[LotKey],
    points: Decimal,
    policy: ShortfallPolicy,
    at: DateTime<Utc>,
) -> Result<Cover, Stop> {
    if books.pending.has_unknown() || books.holds.has_unknown() {
        return Err(Stop::LotsMissing);
    }
    let mut available = books.available(at)?;
    let mut missing = points;
    let mut allocations = Vec::new();
    for key in first {
        let remaining = books.lot(*key).map_or(Decimal::ZERO, |lot| lot.remaining);
        let waiting = remaining - books.pending.spendable(*key, remaining, at);
        let spendable = books.spendable(*key, remaining, at).max(Decimal::ZERO);
        // A debt is no reason to leave them there: it would go on beside points that lapse.
        let taken = missing.min(waiting + spendable);
        available -= (taken - waiting).max(Decimal::ZERO);
        missing -= taken;
        if taken > Decimal::ZERO {
            allocations.push((*key, taken));
        }
    }
    let others = missing.min(available.max(Decimal::ZERO));
    missing -= others;
    if missing > Decimal::ZERO && policy == ShortfallPolicy::Refuse {
        return Err(Stop::Rejected(Rejection::InsufficientPoints {
            available: (points - missing).normalize(),
            requested: points,
        }));
    }
    allocations.extend(redemption::allocate_beside(books, first, others, at)?);
    Ok(Cover {
        allocations,
        debt: match policy {
            ShortfallPolicy::AllowNegative => missing,
            ShortfallPolicy::ClampToZero | ShortfallPolicy::Refuse => Decimal::ZERO,
        },
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::Account;
    use crate::domain::entry::{EntryKind, Occasion};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Two lots: 30 points that lapse last, 20 that lapse first.
    fn books() -> Books {
        let now = at("2026-01-01T00:00:00Z");
        let mut books = Books::new(Account::opened(1, Uuid::nil(), "club".into(), now));
        for (points, expires_at) in [(30, "2028-01-01T00:00:00Z"), (20, "2027-01-01T00:00:00Z")] {
            let occasion = Occasion::plain(1, now, now);
            books.credit(EntryKind::Earn, Decimal::from(points), at(expires_at), &occasion);
        }
        books
    }

    #[test]
    fn what_is_missing_is_owed_given_up_or_refused() {
        let cases = [
            (ShortfallPolicy::AllowNegative, 45, Ok((vec![20, 25], 0))),
            (ShortfallPolicy::AllowNegative, 50, Ok((vec![20, 30], 0))),
            (ShortfallPolicy::AllowNegative, 51, Ok((vec![20, 30], 1))),
            (ShortfallPolicy::ClampToZero, 20, Ok((vec![20], 0))),
            (ShortfallPolicy::ClampToZero, 51, Ok((vec![20, 30], 0))),
            (ShortfallPolicy::Refuse, 50, Ok((vec![20, 30], 0))),
            (ShortfallPolicy::Refuse, 51, Err((50, 51))),
        ];
        for (policy, points, expected) in cases {
            let covered = cover(&books(), Decimal::from(points), policy, at("2026-01-02T00:00:00Z"));
            let expected = match expected {
                Ok((taken, debt)) => Ok((
                    taken.into_iter().map(Decimal::from).collect::<Vec<_>>(),
                    Decimal::from(debt),
                )),
                Err((available, requested)) => Err(Stop::Rejected(Rejection::InsufficientPoints {
                    available: available.into(),
                    requested: requested.into(),
                })),
            };
            let covered = covered.map(|cover| {
                let taken = cover.allocations.iter().map(|(_, taken)| *taken).collect();
                (taken, cover.debt)
            });
            assert_eq!(covered, expected, "{policy:?} {points}");
        }
    }

    #[test]
    fn a_debt_is_not_covered_twice() {
        let mut books = books();
        let occasion = Occasion::plain(1, at("2026-01-02T00:00:00Z"), at("2026-01-02T00:00:00Z"));
        let first = cover(
            &books,
            Decimal::from(60),
            ShortfallPolicy::AllowNegative,
            occasion.recorded_at,
        )
        .unwrap();
        books.take(EntryKind::Redeem, &first, &occasion).unwrap();

        let second = cover(
            &books,
            Decimal::from(5),
            ShortfallPolicy::AllowNegative,
            occasion.recorded_at,
        )
        .unwrap();
        let clamped = cover(
            &books,
            Decimal::from(5),
            ShortfallPolicy::ClampToZero,
            occasion.recorded_at,
        )
        .unwrap();

        assert_eq!((second.allocations.len(), second.debt), (0, Decimal::from(5)));
        assert_eq!(clamped, Cover::default());
    }
}
