//! Calls of the RuleService: what sales earn.

use loyalty_api::v1;
use prost_types::FieldMask;

use super::{Client, attempt};
use crate::{
    error::Error,
    id::{ProgramId, RuleId},
    page::{Page, PageRequest},
    rule::{NewRule, Rule, RuleUpdate},
    wire::present,
};

impl Client {
    /// Creates a rule. It holds for every sale recorded after this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::RuleExists`] when the id is taken, [`Error::RuleTie`] when another rule would rate the same lines with
    /// the same precedence, [`Error::ProgramNotFound`], [`Error::ProgramArchived`].
    pub async fn create_rule(&self, rule: &NewRule) -> Result<Rule, Error> {
        let message = |request_id| v1::CreateRuleRequest {
            request_id,
            rule: Some(rule.to_wire()),
        };
        let answer = self.write(message, attempt!(self.raw_rules(), create_rule)).await?;
        Rule::from_wire(present("rule", answer.rule)?)
    }

    /// The rule as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::RuleNotFound`] when there is none, [`Error::ProgramNotFound`].
    pub async fn get_rule(&self, program_id: impl Into<ProgramId>, rule_id: impl Into<RuleId>) -> Result<Rule, Error> {
        let message = v1::GetRuleRequest {
            program_id: program_id.into().into(),
            rule_id: rule_id.into().into(),
        };
        let answer = self.read(message, attempt!(self.raw_rules(), get_rule)).await?;
        Rule::from_wire(present("rule", answer.rule)?)
    }

    /// The rules of a program in order of id, archived ones included.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave, [`Error::ProgramNotFound`].
    pub async fn list_rules(&self, program_id: impl Into<ProgramId>, page: &PageRequest) -> Result<Page<Rule>, Error> {
        let message = v1::ListRulesRequest {
            program_id: program_id.into().into(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self.read(message, attempt!(self.raw_rules(), list_rules)).await?;
        let rules = answer.rules.into_iter().map(Rule::from_wire);
        Ok(Page::new(
            rules.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// Changes a rule. The change holds for every sale recorded after this call returned.
    ///
    /// # Errors
    ///
    /// [`Error::EtagMismatch`] when somebody changed it since it was read, [`Error::RuleArchived`],
    /// [`Error::ProgramArchived`], [`Error::RuleNotFound`], [`Error::ProgramNotFound`].
    pub async fn update_rule(&self, update: &RuleUpdate) -> Result<Rule, Error> {
        let message = |request_id| v1::UpdateRuleRequest {
            request_id,
            rule: Some(update.rule.clone()),
            update_mask: Some(FieldMask {
                paths: update.paths.clone(),
            }),
        };
        let answer = self.write(message, attempt!(self.raw_rules(), update_rule)).await?;
        Rule::from_wire(present("rule", answer.rule)?)
    }

    /// Takes a rule out of use. `etag` is the one that was read.
    ///
    /// # Errors
    ///
    /// As [`update_rule`](Self::update_rule).
    pub async fn archive_rule(
        &self,
        program_id: impl Into<ProgramId>,
        rule_id: impl Into<RuleId>,
        etag: impl Into<String>,
    ) -> Result<Rule, Error> {
        let message = |request_id| v1::ArchiveRuleRequest {
            request_id,
            program_id: program_id.into().into(),
            rule_id: rule_id.into().into(),
            etag: etag.into(),
        };
        let answer = self.write(message, attempt!(self.raw_rules(), archive_rule)).await?;
        Rule::from_wire(present("rule", answer.rule)?)
    }
}
