//! Rules: what a sale, or a line of it, earns.

use chrono::{DateTime, Utc};

use crate::{
    id::{ProgramId, RuleId},
    tier::EarnRate,
};

/// A rule to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// The program. Never changes.
    pub program_id: ProgramId,
    /// Name of the rule in every call; `None`: the server makes one. Never changes.
    pub rule_id: Option<RuleId>,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// What it earns.
    pub earn_rate: EarnRate,
}

impl NewRule {
    /// The default rule of a program: what members earn whose tier has no rate of its own.
    pub fn new(program_id: impl Into<ProgramId>, name: impl Into<String>, earn_rate: EarnRate) -> Self {
        Self {
            program_id: program_id.into(),
            rule_id: None,
            name: name.into(),
            earn_rate,
        }
    }

    /// Chooses the rule's name in calls.
    #[must_use]
    pub fn rule_id(mut self, rule_id: impl Into<RuleId>) -> Self {
        self.rule_id = Some(rule_id.into());
        self
    }
}

/// A rule as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The program.
    pub program_id: ProgramId,
    /// Name of the rule in every call.
    pub rule_id: RuleId,
    /// What people call it.
    pub name: String,
    /// What it earns.
    pub earn_rate: EarnRate,
    /// Whether it was taken out of use.
    pub archived: bool,
    /// Changes with every change of the rule; an update brings the one it has read.
    pub etag: String,
    /// First program version with the rule as it is here.
    pub since_version: u32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Changes of a rule as it was read: only what is set here changes, and only if nobody changed the rule since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RuleUpdate {
    pub(crate) program_id: ProgramId,
    pub(crate) rule_id: RuleId,
    pub(crate) etag: String,
    pub(crate) name: Option<String>,
    pub(crate) earn_rate: Option<EarnRate>,
}

impl RuleUpdate {
    /// Changes nothing of `rule` yet.
    pub fn of(rule: &Rule) -> Self {
        Self {
            program_id: rule.program_id.clone(),
            rule_id: rule.rule_id.clone(),
            etag: rule.etag.clone(),
            name: None,
            earn_rate: None,
        }
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What it earns.
    pub fn earn_rate(mut self, earn_rate: EarnRate) -> Self {
        self.earn_rate = Some(earn_rate);
        self
    }
}
