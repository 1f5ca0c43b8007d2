//! Rules on the wire.

use loyalty_api::v1;

use super::{instant, present};
use crate::{
    error::Error,
    id::RuleId,
    rule::{NewRule, Rule, RuleUpdate},
    tier::EarnRate,
};

impl NewRule {
    pub(crate) fn to_wire(&self) -> v1::Rule {
        v1::Rule {
            program_id: self.program_id.to_string(),
            rule_id: self.rule_id.as_ref().map(RuleId::to_string).unwrap_or_default(),
            name: self.name.clone(),
            earn_rate: Some(self.earn_rate.to_wire()),
            ..v1::Rule::default()
        }
    }
}

impl Rule {
    pub(crate) fn from_wire(rule: v1::Rule) -> Result<Self, Error> {
        Ok(Self {
            program_id: rule.program_id.into(),
            rule_id: rule.rule_id.into(),
            name: rule.name,
            earn_rate: EarnRate::from_wire(present("rule.earn_rate", rule.earn_rate)?)?,
            archived: rule.archived,
            etag: rule.etag,
            since_version: rule.since_version,
            updated_at: instant("rule.updated_at", rule.updated_at)?,
        })
    }
}

impl RuleUpdate {
    pub(crate) fn to_wire(&self) -> v1::Rule {
        v1::Rule {
            program_id: self.program_id.to_string(),
            rule_id: self.rule_id.to_string(),
            etag: self.etag.clone(),
            name: self.name.clone().unwrap_or_default(),
            earn_rate: self.earn_rate.as_ref().map(EarnRate::to_wire),
            ..v1::Rule::default()
        }
    }

    /// The names of the fields that change.
    pub(crate) fn paths(&self) -> Vec<String> {
        let name = self.name.is_some().then(|| "name".to_owned());
        let earn_rate = self.earn_rate.is_some().then(|| "earn_rate".to_owned());
        name.into_iter().chain(earn_rate).collect()
    }
}
