//! A program changes in the middle of a history.

use chrono::{DateTime, Utc};
use loyalty_sdk::{NewRule, Program, ProgramId, ProgramUpdate, Rule, RuleUpdate};

use super::play::Stage;
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
}
