//! What members bring along of another system.

use chrono::{TimeDelta, Utc};
use loyalty_sdk::{DateTime, ImportedMember, Member, MemberKey, NewMember, OpeningLot, ProgramId};

use super::books::Books;
use super::chance::Chance;
use super::lots::Lot;
use super::play::{cents, points};
use super::program::Shape;
use crate::harness::Shop;

/// What a member brings along; nothing: the member enrols.
#[derive(Clone, Debug, Default)]
pub(super) struct Opening {
    lots: Vec<Brought>,
    /// Cents, and how many days ago they were spent.
    spend: Vec<(i64, i64)>,
}

/// Points that the member had.
#[derive(Clone, Copy, Debug)]
struct Brought {
    points: i64,
    days_ago: i64,
    ends: Ends,
}

/// When they lapse.
#[derive(Clone, Copy, Debug)]
enum Ends {
    AsProgram,
    InDays(i64),
    Never,
}

impl Opening {
    pub(super) fn random(chance: &mut Chance, program: &Shape) -> Self {
        if !chance.one_in(4) {
            return Self::default();
        }
        let lots = (0..chance.between(1, 3)).map(|_| Brought {
            points: chance.between(1, 100 * 10_i64.pow(program.decimals)),
            days_ago: chance.between(0, 40),
            ends: match chance.between(1, 4) {
                1 => Ends::Never,
                2 => Ends::InDays(chance.between(-3, 40)),
                _ => Ends::AsProgram,
            },
        });
        let lots = lots.collect();
        let spend = match chance.one_in(2) {
            true => vec![(chance.between(1, 30_000), chance.between(0, 40))],
            false => Vec::new(),
        };
        Self { lots, spend }
    }

    /// Brings the member, on both sides.
    pub(super) async fn bring(&self, shop: &Shop, program: &Shape, program_id: &ProgramId) -> (Member, Books) {
        let customer_id = shop.next_sale_id();
        let new = NewMember::new(program_id).customer_id(&customer_id);
        if self.lots.is_empty() {
            let member = shop.client.enroll_member(&new).await.expect("a member");
            return (member, Books::default());
        }
        let now = shop.now();
        let mut row = ImportedMember::new(1, new);
        for brought in &self.lots {
            let lot = OpeningLot::new(points(program, brought.points));
            let lot = lot.accrued_at(now - TimeDelta::days(brought.days_ago));
            row = row.lot(match brought.ends {
                Ends::AsProgram => lot,
                Ends::InDays(days) => lot.expires_at(now + TimeDelta::days(days)),
                Ends::Never => lot.never_expires(),
            });
        }
        for (spend, days_ago) in &self.spend {
            row = row.tier_spend(program.day(now - TimeDelta::days(*days_ago)), cents(*spend));
        }
        let counts = shop
            .client
            .import_members(program_id, &customer_id, vec![row], |_| {})
            .await;
        assert_eq!(counts.expect("an import").imported, 1);
        let (member, _) = shop
            .client
            .lookup_member(MemberKey::customer_id(&customer_id).in_program(program_id))
            .await
            .expect("a member");
        (member, self.books(program, now))
    }

    fn books(&self, program: &Shape, now: DateTime<Utc>) -> Books {
        let mut books = Books::default();
        for brought in &self.lots {
            books.lots.push(Lot {
                expires_at: match brought.ends {
                    Ends::AsProgram => program.expires_at(now - TimeDelta::days(brought.days_ago)),
                    Ends::InDays(days) => Some(now + TimeDelta::days(days)),
                    Ends::Never => None,
                },
                spendable_from: now,
                remaining: brought.points,
                held: 0,
                lapsed: 0,
                sale: None,
                came_at: None,
                came_by: books.lots.len(),
                went_to: None,
            });
        }
        for (spend, days_ago) in &self.spend {
            let at = program.start_of_day(now - TimeDelta::days(*days_ago));
            books.spends.push((at, *spend));
        }
        books.lapse(now);
        books
    }
}
