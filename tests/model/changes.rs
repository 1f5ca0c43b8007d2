//! A program changes in the middle of a history, and lots go to the expiry that it has by then.

use chrono::{DateTime, Utc};
use loyalty_sdk::{ExpiryChange, ExpiryChangeCounts, NewRule, Program, ProgramId, ProgramUpdate, Rule, RuleUpdate};

use super::books::Books;
use super::lots::last;
use super::play::{Stage, units};
use super::program::Shape;
use crate::harness::Shop;

/// A program on the server, and what it was since when.
pub(super) struct Versions<'a> {
    program: Program,
    rule: Rule,
    since: Vec<(DateTime<Utc>, &'a Shape)>,
}

impl<'a> Versions<'a> {
    /// A new program.
    pub(super) async fn create(shop: &Shop, shape: &'a Shape) -> Self {
        let program = shop.client.create_program(&shape.sdk()).await.expect("a program");
        let rule = NewRule::new(&program.program_id, "Default", shape.default_rate());
        let rule = shop.client.create_rule(&rule).await.expect("a rule");
        let mut versions = Self {
            program,
            rule,
            since: Vec::new(),
        };
        versions.change(shop, shape).await;
        versions
    }

    /// Gives the program another shape.
    async fn change(&mut self, shop: &Shop, shape: &'a Shape) {
        let update = shape.settings(ProgramUpdate::of(&self.program));
        self.program = shop.client.update_program(&update).await.expect("an update");
        let update = RuleUpdate::of(&self.rule).earn_rate(shape.default_rate());
        self.rule = shop.client.update_rule(&update).await.expect("an update");
        self.since.push((shop.now(), shape));
    }

    pub(super) fn program_id(&self) -> &ProgramId {
        &self.program.program_id
    }

    /// What ruled at an instant; before there was any, what rules now.
    pub(super) fn at(&self, at: DateTime<Utc>) -> &'a Shape {
        let ruled = self.since.iter().rev().find(|(since, _)| *since <= at);
        ruled.or(self.since.last()).expect("a version").1
    }
}

impl<'a> Stage<'a> {
    pub(super) async fn change(&mut self, shape: &'a Shape) {
        self.versions.change(self.shop, shape).await;
        self.program = shape;
    }

    pub(super) async fn move_lots(&mut self, extend_only: bool) -> Result<(), String> {
        let (client, now) = (&self.shop.client, self.shop.now());
        let mut change = ExpiryChange::of(self.program_id.clone());
        change.extend_only = extend_only;
        let forecast = client.preview_expiry_policy(&change, 0, |_| {}).await;
        let forecast = forecast.map_err(|error| error.to_string())?;
        let answer = client.apply_expiry_policy(&change, &forecast.etag, |_| {}).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let mut told = Moved::default();
        for person in &mut self.people {
            person.books.move_lots(self.program, extend_only, &mut told, now);
        }
        match answer == forecast.counts && Moved::of(&answer, self.program).as_ref() == Some(&told) {
            true => Ok(()),
            false => Err(format!(
                "the server tells {forecast:?} and {answer:?}, the model {told:?}"
            )),
        }
    }
}

/// What a move of lots did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Moved {
    members: u64,
    lots: u64,
    points: i64,
    lapsed: i64,
    kept_lots: u64,
    kept_points: i64,
}

impl Moved {
    fn of(counts: &ExpiryChangeCounts, program: &Shape) -> Option<Self> {
        Some(Self {
            members: counts.members,
            lots: counts.lots,
            points: units(counts.points, program.decimals)?,
            lapsed: units(counts.lapsed_points, program.decimals)?,
            kept_lots: counts.kept_lots,
            kept_points: units(counts.kept_points, program.decimals)?,
        })
    }
}

impl Books {
    /// Lots of sales go to the expiry that the program says by now, but not while some of a lot is held.
    fn move_lots(&mut self, program: &Shape, extend_only: bool, moved: &mut Moved, now: DateTime<Utc>) {
        let moved_before = moved.lots;
        for place in self.in_order() {
            let lot = &self.lots[place];
            let Some(came_at) = lot.came_at.filter(|_| lot.held == 0) else {
                moved.kept_lots += u64::from(lot.remaining > 0);
                moved.kept_points += lot.remaining;
                continue;
            };
            let (is, becomes) = (lot.expires_at, program.expires_at(came_at));
            if lot.remaining == 0 || is == becomes || (extend_only && last(becomes) < last(is)) {
                continue;
            }
            moved.lots += 1;
            moved.points += lot.remaining;
            moved.lapsed += if last(becomes) <= now { lot.remaining } else { 0 };
            self.go(place, becomes);
        }
        moved.members += u64::from(moved.lots > moved_before);
        self.lapse(now);
    }
}
