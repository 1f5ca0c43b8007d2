//! Where redeemed points were taken from, and where they go when they come back.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::lot::LotKey;

/// What redemptions took, in the order they took it; `None`: what no lot had, and is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spent(Vec<(Option<LotKey>, Decimal)>);

/// Where points go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Back {
    /// By expiry.
    pub(super) lots: Vec<(LotKey, Decimal)>,
    /// What no lot had.
    pub(super) owed: Decimal,
}

impl Spent {
    /// What tenders took, each so many points and so many of them owed, out of `lots` in the order they were taken.
    pub(super) fn new(tenders: impl Iterator<Item = (Decimal, Decimal)>, lots: &[(LotKey, Decimal)]) -> Self {
        let mut lots = lots.iter().copied();
        let mut open: Option<(LotKey, Decimal)> = None;
        let mut taken = Vec::new();
        for (points, owed) in tenders {
            let mut missing = points - owed;
            while missing > Decimal::ZERO {
                let Some((key, left)) = open.take().or_else(|| lots.next()) else {
                    break;
                };
                let part = left.min(missing);
                missing -= part;
                taken.push((Some(key), part));
                open = (left > part).then_some((key, left - part));
            }
            if owed > Decimal::ZERO {
                taken.push((None, owed));
            }
        }
        Self(taken)
    }

    /// Where `points` go when `given` went back before: what was taken last comes first, so that what stays redeemed comes
    /// out of the lots that it alone would have come out of.
    pub(super) fn back(&self, given: Decimal, points: Decimal) -> Back {
        let (mut given, mut left) = (given, points);
        let mut lots: BTreeMap<LotKey, Decimal> = BTreeMap::new();
        let mut owed = Decimal::ZERO;
        for (key, taken) in self.0.iter().rev() {
            let there = (taken - given).max(Decimal::ZERO);
            given = (given - taken).max(Decimal::ZERO);
            let points = there.min(left);
            left -= points;
            if points > Decimal::ZERO {
                let sum = key.map_or(&mut owed, |key| lots.entry(key).or_default());
                *sum += points;
            }
        }
        Back {
            lots: lots.into_iter().collect(),
            owed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(sequence: u64) -> LotKey {
        LotKey {
            expires_at: "2027-01-01T00:00:00Z".parse().unwrap(),
            sequence,
        }
    }

    /// 30 of lot 1 and 20 of lot 2; then 10 of lot 2, and 5 that are owed.
    fn spent() -> Spent {
        let tenders = [(50, 0), (15, 5)].map(|(points, owed)| (Decimal::from(points), Decimal::from(owed)));
        let lots = [(lot(1), 30), (lot(2), 20), (lot(2), 10)].map(|(key, points)| (key, Decimal::from(points)));
        Spent::new(tenders.into_iter(), &lots)
    }

    #[test]
    fn what_was_taken_last_comes_back_first() {
        let cases = [
            (0, 3, vec![], 3),
            (0, 5, vec![], 5),
            (0, 6, vec![(2, 1)], 5),
            (3, 6, vec![(2, 4)], 2),
            (5, 30, vec![(2, 30)], 0),
            (5, 31, vec![(1, 1), (2, 30)], 0),
            (34, 31, vec![(1, 30), (2, 1)], 0),
            (0, 65, vec![(1, 30), (2, 30)], 5),
            (60, 5, vec![(1, 5)], 0),
        ];
        for (given, points, lots, owed) in cases {
            let back = spent().back(Decimal::from(given), Decimal::from(points));

            let expected: Vec<_> = lots
                .into_iter()
                .map(|(sequence, points)| (lot(sequence), Decimal::from(points)))
                .collect();
            assert_eq!(back.lots, expected, "{points} after {given}");
            assert_eq!(back.owed, Decimal::from(owed), "{points} after {given}");
        }
    }
}
