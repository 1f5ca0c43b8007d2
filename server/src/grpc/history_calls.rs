//! The calls that tell the history of configuration: of ProgramService, and of RuleService.

use std::collections::HashMap;

use loyalty_api::v1 as wire;
use prost::Message;
use tonic::Status;

use super::auth::caller;
use super::fields::Fields;
use super::page_token::{self, Page};
use super::{Context, convert, status};
use crate::domain::configuration_change::{ConfigurationChange, ResourceKind};
use crate::domain::rejection::Rejection;
use crate::storage::configuration_change::{self, Position, Wanted};
use crate::storage::program::CURRENT;
use crate::storage::{product_change, rule};

/// Bytes of changes after which a page ends: well below the 4 MB that clients take by default.
const PAGE_BYTES: usize = 1 << 20;

/// Who changed what.
pub(super) async fn configuration_changes(
    context: &Context,
    request: wire::ListConfigurationChangesRequest,
) -> Result<wire::ListConfigurationChangesResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let after = position(&mut fields, &page);
    let wanted = wanted(&mut fields, request);
    fields.finish(())?;

    let merchant_id = caller(context).merchant_id;
    let limit = page.rows_to_read();
    let changes = context.database.run(move |connection| {
        Box::pin(
            async move { configuration_change::page(connection, merchant_id, &wanted, after.as_ref(), limit).await },
        )
    });
    let changes = changes.await.map_err(|error| status::storage(&error))?;
    let (changes, mut next_page_token) = page.cut(changes, key);

    let mut answered = Vec::with_capacity(changes.len());
    let mut size = 0;
    for change in changes {
        if size > PAGE_BYTES {
            break;
        }
        let key = key(&change);
        let change = convert::configuration_change::configuration_change(change).ok_or_else(status::internal)?;
        size += change.encoded_len();
        if size > PAGE_BYTES {
            next_page_token = page_token::token(&key);
        }
        answered.push(change);
    }
    Ok(wire::ListConfigurationChangesResponse {
        changes: answered,
        next_page_token,
    })
}

/// What versions changed of products.
pub(super) async fn product_changes(
    context: &Context,
    request: wire::ListProductChangesRequest,
) -> Result<wire::ListProductChangesResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let after = product_position(&mut fields, &page);
    let product_id = fields.text("product_id", request.product_id, 0, 64);
    let wanted = product_change::Wanted {
        program_id: fields.slug("program_id", request.program_id),
        product_id: Some(product_id).filter(|product_id| !product_id.is_empty()),
        from_version: request.from_version,
        to_version: if request.to_version == 0 {
            CURRENT - 1
        } else {
            request.to_version
        },
    };
    fields.finish(())?;

    let merchant_id = caller(context).merchant_id;
    let limit = page.rows_to_read();
    let changes = context.database.run(move |connection| {
        Box::pin(async move { product_change::page(connection, merchant_id, &wanted, after.as_ref(), limit).await })
    });
    let changes = changes.await.map_err(|error| status::storage(&error))?;
    let (changes, next_page_token) = page.cut(changes, |change| format!("{} {}", change.version, change.product_id));
    Ok(wire::ListProductChangesResponse {
        changes: changes
            .into_iter()
            .map(convert::configuration_change::product_change)
            .collect(),
        next_page_token,
    })
}

/// All versions of a rule.
pub(super) async fn rule_versions(
    context: &Context,
    request: wire::ListRuleVersionsRequest,
) -> Result<wire::ListRuleVersionsResponse, Status> {
    let page = Page::parse(request.page_size, &request.page_token)?;
    let mut fields = Fields::default();
    let before = match &page.after {
        None => CURRENT,
        Some(after) => after.parse().unwrap_or_else(|_| {
            wrong_token(&mut fields);
            CURRENT
        }),
    };
    let program_id = fields.slug("program_id", request.program_id);
    let rule_id = fields.slug("rule_id", request.rule_id);
    fields.finish(())?;

    let missing = Rejection::RuleNotFound {
        program_id: program_id.clone(),
        rule_id: rule_id.clone(),
    };
    let merchant_id = caller(context).merchant_id;
    let limit = page.rows_to_read();
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            if rule::find(connection, merchant_id, &program_id, &rule_id)
                .await?
                .is_none()
            {
                return Ok(None);
            }
            let rules = rule::versions(connection, merchant_id, &program_id, &rule_id, before, limit).await?;
            let versions: Vec<u32> = rules.iter().map(|(rule, _)| rule.since_version).collect();
            let actors = configuration_change::actors(connection, merchant_id, &program_id, &versions).await?;
            Ok(Some((rules, actors)))
        })
    });
    let found = found.await.map_err(|error| status::storage(&error))?;
    let (rules, actors) = found.ok_or_else(|| status::rejection(&missing))?;
    let mut actors: HashMap<u32, String> = actors.into_iter().collect();
    let (rules, next_page_token) = page.cut(rules, |(rule, _)| rule.since_version.to_string());
    let versions = rules.into_iter().map(|(rule, until_version)| wire::RuleVersion {
        from_version: rule.since_version,
        until_version: if until_version == CURRENT { 0 } else { until_version },
        actor: actors.remove(&rule.since_version).unwrap_or_default(),
        rule: Some(convert::rule::rule(rule)),
    });
    Ok(wire::ListRuleVersionsResponse {
        versions: versions.collect(),
        next_page_token,
    })
}

fn wanted(fields: &mut Fields, request: wire::ListConfigurationChangesRequest) -> Wanted {
    let kind = convert::configuration_change::resource_kind(fields, "resource", request.resource);
    let mut slug = |field: &str, value: String| (!value.is_empty()).then(|| fields.slug(field, value));
    let program_id = slug("program_id", request.program_id);
    let resource_id = slug("resource_id", request.resource_id);
    let is_named = match kind {
        Some(ResourceKind::Rule | ResourceKind::Reward) => program_id.is_some(),
        Some(ResourceKind::Reason) => true,
        Some(ResourceKind::Program | ResourceKind::Products) | None => false,
        Some(ResourceKind::ReceiptTemplates | ResourceKind::ExpirySchedule | ResourceKind::OfflinePolicy) => false,
    };
    if resource_id.is_some() && !is_named {
        let description = "needs program_id and the resource RULE or REWARD, or the resource REASON";
        fields.wrong("resource_id", description);
    }
    let program_id = match kind {
        Some(kind) if kind.is_of_no_program() => program_id.or(Some(String::new())),
        _ => program_id,
    };
    let actor = fields.text("actor", request.actor, 0, 64);
    Wanted {
        program_id,
        kind,
        resource_id,
        actor: Some(actor).filter(|actor| !actor.is_empty()),
        from: fields.instant("from", request.from),
        until: fields.instant("until", request.until),
    }
}

fn key(change: &ConfigurationChange) -> String {
    let micros = change.recorded_at.timestamp_micros();
    format!("{micros} {} {}", change.version, change.program_id)
}

fn position(fields: &mut Fields, page: &Page) -> Option<Position> {
    let after = page.after.as_ref()?;
    let mut parts = after.splitn(3, ' ');
    let mut read = || {
        Some(Position {
            recorded_at: page_token::instant(parts.next()?)?,
            version: parts.next()?.parse().ok()?,
            program_id: parts.next().filter(|id| id.is_ascii())?.to_owned(),
        })
    };
    read().or_else(|| {
        wrong_token(fields);
        None
    })
}

fn product_position(fields: &mut Fields, page: &Page) -> Option<product_change::Position> {
    let (version, product_id) = page.after.as_ref()?.split_once(' ').unwrap_or_default();
    match version.parse() {
        Ok(version) => Some(product_change::Position {
            version,
            product_id: product_id.to_owned(),
        }),
        Err(_) => {
            wrong_token(fields);
            None
        }
    }
}

fn wrong_token(fields: &mut Fields) {
    fields.wrong("page_token", "is not a token of this list");
}
