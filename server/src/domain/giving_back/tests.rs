//! However redemptions come back, in whatever pieces and order: the lots end as if they had never been taken from. Tried on
//! thousands of made-up programs, histories and reversals.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{Measure, Part, ReversalOutcome, ReversalRequest, give_back};
use crate::domain::account::{Account, Books, Stop};
use crate::domain::dice::Dice;
use crate::domain::entry::{EntryKind, Occasion};
use crate::domain::lot::{Lot, LotKey};
use crate::domain::program::ProgramVersion;
use crate::domain::redeeming::{Making, Place, RecordedRedemption, RedemptionRequest, redeem};
use crate::domain::redemption::properties::{ask, version};
use crate::domain::rejection::Rejection;

const CASES: u64 = 5_000;

/// A member's books on the way through a made-up history.
struct Scene {
    version: ProgramVersion,
    books: Books,
    now: DateTime<Utc>,
    redemptions: Vec<RecordedRedemption>,
}

impl Scene {
    /// Up to six lots, some of which lapse on the same day; none lapses within `days`.
    fn new(dice: &mut Dice, days: u64) -> Self {
        let now: DateTime<Utc> = "2026-01-01T10:00:00Z".parse().unwrap();
        let version = version(dice);
        let mut books = Books::new(Account::opened(1, Uuid::nil(), "club".into(), now));
        for _ in 0..=dice.below(6) {
            let points = Decimal::new(i64::try_from(1 + dice.below(90_000)).unwrap(), version.program.decimals);
            let lapses = TimeDelta::days(i64::try_from(1 + days + dice.below(4)).unwrap());
            books.credit(EntryKind::Earn, points, now + lapses, &Occasion::plain(1, now, now));
        }
        Self {
            version,
            books,
            now,
            redemptions: Vec::new(),
        }
    }

    fn making(&self) -> Making<'static> {
        Making {
            id: Uuid::from_u128(u128::try_from(self.redemptions.len()).unwrap() + 1),
            actor: "till",
            now: self.now,
        }
    }

    fn redeems(&mut self, dice: &mut Dice) {
        let decimals = self.version.program.decimals;
        let request = RedemptionRequest {
            redemptions: (0..=dice.below(3)).map(|_| ask(dice, decimals)).collect(),
            ticket: None,
            place: Place::default(),
        };
        let making = self.making();
        let Ok(outcome) = redeem(&mut self.books, &self.version, &request, making) else {
            return;
        };
        let redemption = outcome.redemption;
        let taken: Decimal = self
            .lots_of(
                &redemption
                    .entries
                    .iter()
                    .map(|entry| entry.sequence)
                    .collect::<Vec<_>>(),
            )
            .iter()
            .map(|(_, points)| points)
            .sum();
        assert_eq!(taken, redemption.points(), "allocations add up to what was redeemed");
        self.redemptions.push(RecordedRedemption::new(redemption));
    }

    /// What entries took, as the ledger tells it.
    fn lots_of(&self, sequences: &[u64]) -> Vec<(LotKey, Decimal)> {
        let of = |sequence: &u64| {
            let sequence = *sequence;
            let all = self.books.new_allocations.iter();
            all.filter(move |allocation| allocation.entry_sequence == sequence)
                .map(|allocation| (allocation.lot, -allocation.points))
        };
        sequences.iter().flat_map(of).collect()
    }

    fn reverses(&mut self, number: usize, parts: Vec<Part>) -> Result<ReversalOutcome, Stop> {
        let recorded = self.redemptions[number].clone();
        let entries = recorded.redemption.entries.iter();
        let lots = self.lots_of(&entries.map(|entry| entry.sequence).collect::<Vec<_>>());
        let request = ReversalRequest {
            redemption_id: recorded.redemption.redemption_id,
            parts,
            place: Place::default(),
        };
        let making = self.making();
        let outcome = give_back(&mut self.books, &self.version, &request, &recorded, &lots, making)?;
        self.redemptions[number] = outcome.redemption.clone();
        Ok(outcome)
    }

    /// Takes a part of something back, which may be more than there is.
    fn reverses_something(&mut self, dice: &mut Dice) {
        if self.redemptions.is_empty() {
            return;
        }
        let number = usize::try_from(dice.below(self.redemptions.len() as u64)).unwrap();
        let before = self.redemptions[number].clone();
        let books = self.books.clone();
        let parts: Vec<Part> = (0..dice.below(3)).map(|_| self.part(dice, &before)).collect();
        let all = parts.is_empty();
        let (available, lifetime) = (self.available(), self.books.account.lifetime_redeemed);
        match self.reverses(number, parts) {
            Ok(outcome) => {
                let given_back = &outcome.redemption.given_back;
                assert_eq!(self.available(), available + outcome.points - outcome.lapsed);
                assert_eq!(self.books.account.lifetime_redeemed, lifetime - outcome.points);
                for (place, tender) in before.redemption.tenders.iter().enumerate() {
                    let (back, earlier) = (given_back.of(place), before.given_back.of(place));
                    assert!(back.points >= earlier.points && back.points <= tender.points);
                    assert!(back.amount >= earlier.amount && back.amount <= tender.amount);
                    if all {
                        assert_eq!((back.points, back.amount), (tender.points, tender.amount));
                    }
                }
            }
            Err(Stop::Rejected(Rejection::ExceedsRedeemed { .. })) => {
                assert_eq!(self.books.new_entries, books.new_entries, "a refusal changes nothing");
                assert_eq!(self.lots(), lots_of(&books));
            }
            Err(stop) => panic!("{stop:?}"),
        }
    }

    fn part(&self, dice: &mut Dice, recorded: &RecordedRedemption) -> Part {
        let tenders = &recorded.redemption.tenders;
        let place = dice.below(tenders.len() as u64);
        let tender = &tenders[usize::try_from(place).unwrap()];
        let share = |dice: &mut Dice, of: Decimal, decimals: u32| {
            let part = of * Decimal::new(i64::try_from(1 + dice.below(110)).unwrap(), 2);
            let part = part.round_dp_with_strategy(decimals, rust_decimal::RoundingStrategy::AwayFromZero);
            part.max(Decimal::new(1, decimals))
        };
        let measure = match (dice.below(3), &tender.item) {
            (0, _) => Measure::Rest,
            (_, Some(item)) => Measure::Quantity(share(dice, item.quantity, 1)),
            (1, None) => Measure::Amount(share(dice, tender.amount, 2)),
            (_, None) => Measure::Points(share(dice, tender.points, self.version.program.decimals)),
        };
        Part {
            tender: u32::try_from(place).unwrap(),
            measure,
        }
    }

    fn available(&self) -> Decimal {
        self.books
            .available(self.now.max(self.books.account.recorded_at))
            .unwrap()
    }

    fn lots(&self) -> Vec<(LotKey, Lot)> {
        lots_of(&self.books)
    }

    fn check_lots(&self) {
        let lots = self.lots();
        for (key, lot) in &lots {
            assert!(
                lot.remaining >= Decimal::ZERO && lot.remaining <= lot.points,
                "{key:?} {lot:?}"
            );
        }
        let sum: Decimal = lots.iter().map(|(_, lot)| lot.remaining).sum();
        assert_eq!(self.books.account.points, sum);
    }
}

fn lots_of(books: &Books) -> Vec<(LotKey, Lot)> {
    books.touched_lots().collect()
}

#[test]
fn whatever_was_redeemed_and_came_back_all_lots_end_as_they_were() {
    let (mut redeemed, mut pieces) = (0, 0);
    for case in 1..=CASES {
        let mut dice = Dice::of_case(case);
        let mut scene = Scene::new(&mut dice, 30);
        let (before, available) = (scene.lots(), scene.available());

        for _ in 0..dice.below(12) {
            if dice.one_in(2) {
                scene.redeems(&mut dice);
            } else {
                scene.reverses_something(&mut dice);
                pieces += 1;
            }
            scene.check_lots();
        }
        for number in 0..scene.redemptions.len() {
            redeemed += 1;
            let outcome = scene.reverses(number, Vec::new());
            let is_done = matches!(outcome, Err(Stop::Rejected(Rejection::ExceedsRedeemed { .. })));
            assert!(outcome.is_ok() || is_done, "case {case}: {outcome:?}");
            let RecordedRedemption {
                redemption, given_back, ..
            } = &scene.redemptions[number];
            assert_eq!(given_back.points(), redemption.points(), "case {case}");
            assert_eq!(given_back.amount(), redemption.amount(), "case {case}");
        }

        assert_eq!(scene.lots(), before, "case {case}");
        assert_eq!(scene.available(), available, "case {case}");
        assert_eq!(scene.books.account.lifetime_redeemed, Decimal::ZERO, "case {case}");
    }
    assert!(redeemed > CASES && pieces > CASES, "{redeemed} {pieces}");
}

#[test]
fn what_lapses_meanwhile_comes_back_lapsed_and_nothing_is_lost_or_won() {
    let mut lapsed = 0;
    for case in 1..=CASES {
        let mut dice = Dice::of_case(case);
        let mut scene = Scene::new(&mut dice, 0);
        let available = scene.available();

        for _ in 0..dice.below(12) {
            match dice.below(3) {
                0 => scene.redeems(&mut dice),
                1 => scene.reverses_something(&mut dice),
                _ => scene.now += TimeDelta::hours(i64::try_from(dice.below(30)).unwrap()),
            }
            scene.check_lots();
        }
        for number in 0..scene.redemptions.len() {
            if let Ok(outcome) = scene.reverses(number, Vec::new()) {
                lapsed += u64::from(!outcome.lapsed.is_zero());
            }
        }
        let at = scene.now;
        scene.books.expire_lapsed(1, at).unwrap();

        let expired = scene.books.account.lifetime_expired;
        assert_eq!(scene.available() + expired, available, "case {case}");
        for (key, lot) in scene.lots() {
            let expected = match key.expires_at > at {
                true => (lot.points, Decimal::ZERO),
                false => (Decimal::ZERO, lot.points),
            };
            assert_eq!((lot.remaining, lot.lapsed), expected, "case {case}");
        }
    }
    assert!(lapsed > CASES / 10, "{lapsed}");
}
