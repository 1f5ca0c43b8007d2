//! RuleService.

use std::sync::Arc;

use loyalty_api::v1 as wire;
use loyalty_api::v1::rule_service_server::RuleService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, deadline, history_calls, page_token, status};
use crate::domain::answer::Answer;
use crate::domain::rejection::Rejection;
use crate::domain::rule::editing::RuleEdit;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::{program, rule};

/// Rules.
pub(crate) struct Rules(pub(super) Arc<Context>);

#[tonic::async_trait]
impl RuleService for Rules {
    async fn create_rule(
        &self,
        request: Request<wire::CreateRuleRequest>,
    ) -> Result<Response<wire::CreateRuleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.rule.unwrap_or_default();
            let program_id = fields.slug("rule.program_id", given.program_id.clone());
            let rule_id = given.rule_id.clone();
            if !rule_id.is_empty() {
                fields.slug("rule.rule_id", rule_id.clone());
            }
            let rule = convert::rule::new_rule(&mut fields, given);
            let Some(rule) = fields.finish(rule)? else {
                return Err(status::internal());
            };

            let content = content_hash("CreateRule", &(&program_id, &rule_id, &rule));
            let content = content.map_err(|_| status::internal())?;
            let rule_id = if rule_id.is_empty() {
                Uuid::now_v7().to_string()
            } else {
                rule_id
            };
            let action = ChangeAction::CreateRule {
                rule_id,
                rule: Box::new(rule),
            };
            let rule = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::CreateRuleResponse { rule: Some(rule) })
        })
        .await
    }

    async fn get_rule(
        &self,
        request: Request<wire::GetRuleRequest>,
    ) -> Result<Response<wire::GetRuleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let program_id = fields.slug("program_id", request.program_id);
            let rule_id = fields.slug("rule_id", request.rule_id);
            fields.finish(())?;

            let missing = Rejection::RuleNotFound {
                program_id: program_id.clone(),
                rule_id: rule_id.clone(),
            };
            let merchant_id = caller(&self.0).merchant_id;
            let found = self.0.database.run(move |connection| {
                Box::pin(async move { rule::find(connection, merchant_id, &program_id, &rule_id).await })
            });
            let found = found.await.map_err(|error| status::storage(&error))?;
            let record = found.ok_or_else(|| status::rejection(&missing))?;
            Ok(wire::GetRuleResponse {
                rule: Some(convert::rule::rule(record)),
            })
        })
        .await
    }

    async fn list_rules(
        &self,
        request: Request<wire::ListRulesRequest>,
    ) -> Result<Response<wire::ListRulesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let page = page_token::Page::parse(request.page_size, &request.page_token)?;
            let mut fields = Fields::default();
            let program_id = fields.slug("program_id", request.program_id);
            fields.finish(())?;

            let missing = Rejection::ProgramNotFound {
                program_id: program_id.clone(),
            };
            let merchant_id = caller(&self.0).merchant_id;
            let (after, limit) = (page.after_slug()?, page.rows_to_read());
            let records = self.0.database.run(move |connection| {
                Box::pin(async move {
                    if program::find(connection, merchant_id, &program_id).await?.is_none() {
                        return Ok(None);
                    }
                    Ok(Some(
                        rule::page(connection, merchant_id, &program_id, &after, limit).await?,
                    ))
                })
            });
            let records = records.await.map_err(|error| status::storage(&error))?;
            let records = records.ok_or_else(|| status::rejection(&missing))?;
            let (records, next_page_token) = page.cut(records, |record| record.rule_id.clone());
            let rules = records.into_iter().map(convert::rule::rule).collect();
            Ok(wire::ListRulesResponse { rules, next_page_token })
        })
        .await
    }

    async fn update_rule(
        &self,
        request: Request<wire::UpdateRuleRequest>,
    ) -> Result<Response<wire::UpdateRuleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let given = request.rule.unwrap_or_default();
            let program_id = fields.slug("rule.program_id", given.program_id.clone());
            let rule_id = fields.slug("rule.rule_id", given.rule_id.clone());
            let etag = fields.etag("rule.etag", &given.etag);
            let mut paths = request.update_mask.unwrap_or_default().paths;
            paths.sort();
            let edit = convert::rule::rule_edit(&mut fields, given, &paths);
            fields.finish(())?;

            let content = content_hash("UpdateRule", &(&program_id, &rule_id, etag, &edit));
            let content = content.map_err(|_| status::internal())?;
            let action = ChangeAction::UpdateRule {
                rule_id,
                etag,
                edit: Box::new(edit),
            };
            let rule = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::UpdateRuleResponse { rule: Some(rule) })
        })
        .await
    }

    async fn archive_rule(
        &self,
        request: Request<wire::ArchiveRuleRequest>,
    ) -> Result<Response<wire::ArchiveRuleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            let actor = actor(&mut fields, &metadata);
            let program_id = fields.slug("program_id", request.program_id);
            let rule_id = fields.slug("rule_id", request.rule_id);
            let etag = fields.etag("etag", &request.etag);
            fields.finish(())?;

            let content = content_hash("ArchiveRule", &(&program_id, &rule_id, etag));
            let content = content.map_err(|_| status::internal())?;
            let edit = RuleEdit {
                archived: Some(true),
                ..RuleEdit::default()
            };
            let action = ChangeAction::UpdateRule {
                rule_id,
                etag,
                edit: Box::new(edit),
            };
            let rule = self.change(request_id, actor, content, program_id, action).await?;
            Ok(wire::ArchiveRuleResponse { rule: Some(rule) })
        })
        .await
    }

    async fn list_rule_versions(
        &self,
        request: Request<wire::ListRuleVersionsRequest>,
    ) -> Result<Response<wire::ListRuleVersionsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, history_calls::rule_versions(&self.0, request)).await
    }
}

impl Rules {
    async fn change(
        &self,
        request_id: String,
        actor: String,
        content_hash: [u8; 32],
        program_id: String,
        action: ChangeAction,
    ) -> Result<wire::Rule, Status> {
        let merchant_id = caller(&self.0).merchant_id;
        let now = (self.0.clock)();
        let change = Change {
            merchant_id,
            request_id,
            content_hash,
            actor,
            now,
            program_id,
            action,
        };
        let decision = configuration::apply(&self.0.database, change)
            .await
            .map_err(|error| status::posting(&error))?;
        match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
            Answer::Rule(record) => Ok(convert::rule::rule(*record)),
            _ => Err(status::internal()),
        }
    }
}
