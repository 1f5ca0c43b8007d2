//! The text of receipts, for calls that ask for it, and the calls about its templates.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use tonic::Status;
use tonic::metadata::MetadataMap;

use super::auth::{actor, caller};
use super::fields::Fields;
use super::{Context, convert, status};
use crate::domain::answer::Answer;
use crate::domain::receipt_text::{Language, Printed, receipt_text};
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::{account, connection, member, receipt_templates, summary};

/// What stands for the member's own language.
const OF_MEMBER: &str = "member";

/// In which language a text is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    In(Language),
    OfMember,
}

/// What a request asks for.
pub(super) fn asked(fields: &mut Fields, given: String) -> Asked {
    match given.as_str() {
        "" => Asked::Nothing,
        OF_MEMBER => Asked::OfMember,
        _ => Asked::In(Language::of_tag(&convert::person::language(
            fields,
            "receipt_language",
            given,
        ))),
    }
}

/// What is told beside an answer, where it was asked for.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    pub(super) text: String,
    /// Points that lapse next.
    expiring: Option<Decimal>,
}

impl Receipt {
    /// The balance of the answer, with how many of its points lapse next.
    pub(super) fn complete(&self, balance: &mut Option<wire::Balance>) {
        if let Some(balance) = balance {
            balance.next_expiry_points = self.expiring.and_then(convert::decimal);
        }
    }
}

/// The text about what would happen; empty when none was asked for.
pub(super) async fn quoted_text(context: &Context, asked: Asked, printed: Printed<'_>) -> Result<String, Status> {
    let receipt = made(context, asked, printed, None).await?;
    Ok(receipt.text)
}

/// What there is to tell of what has happened; nothing when no text was asked for.
pub(super) async fn receipt(context: &Context, asked: Asked, printed: Printed<'_>) -> Result<Receipt, Status> {
    made(context, asked, printed, printed.next_expiry_at()).await
}

/// The text is made of the program and the merchant's templates as they are now: what people call the tiers, and the time
/// zone. With how many points lapse at an instant.
async fn made(
    context: &Context,
    asked: Asked,
    printed: Printed<'_>,
    lapses_at: Option<DateTime<Utc>>,
) -> Result<Receipt, Status> {
    if asked == Asked::Nothing {
        return Ok(Receipt::default());
    }
    let merchant_id = caller(context).merchant_id;
    let (cache, member_id) = (context.programs.clone(), printed.member_id());
    let program = (merchant_id, Arc::<str>::from(printed.program_id()));
    let found = context.database.run(move |connection| {
        Box::pin(async move {
            connection::begin_snapshot(connection).await?;
            let versions = cache.current(connection, std::iter::once(program)).await?;
            let language = match asked {
                Asked::OfMember => {
                    let member = member::find(connection, (merchant_id, member_id)).await?;
                    member
                        .map(|member| Language::of_tag(&member.person.language))
                        .unwrap_or_default()
                }
                Asked::In(language) => language,
                Asked::Nothing => Language::default(),
            };
            let record = receipt_templates::find(connection, merchant_id).await?;
            let account = match lapses_at {
                Some(_) => account::find(connection, (merchant_id, member_id)).await?,
                None => None,
            };
            let expiring = match (account, lapses_at) {
                (Some(account), Some(at)) => {
                    let before = at - TimeDelta::microseconds(1);
                    Some(summary::expiring(connection, &account, before, at).await?)
                }
                _ => None,
            };
            connection::end_snapshot(connection).await?;
            Ok((versions.into_values().next(), language, record.templates, expiring))
        })
    });
    let (version, language, templates, expiring) = found.await.map_err(|error| status::storage(&error))?;
    let version = version.ok_or_else(status::internal)?;
    let text = receipt_text(&templates, language, &version.program, printed, expiring);
    Ok(Receipt { text, expiring })
}

/// How the merchant prints now.
pub(super) async fn templates(context: &Context) -> Result<wire::GetReceiptTemplatesResponse, Status> {
    let merchant_id = caller(context).merchant_id;
    let found = context
        .database
        .run(move |connection| Box::pin(async move { receipt_templates::find(connection, merchant_id).await }));
    let record = found.await.map_err(|error| status::storage(&error))?;
    Ok(wire::GetReceiptTemplatesResponse {
        templates: Some(convert::receipt::templates(record)),
        built_in: convert::receipt::built_in(),
    })
}

/// Changes how the merchant prints.
pub(super) async fn set_templates(
    context: &Context,
    metadata: &MetadataMap,
    request: wire::SetReceiptTemplatesRequest,
) -> Result<wire::SetReceiptTemplatesResponse, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let (etag, templates) = convert::receipt::templates_from(&mut fields, request.templates);
    fields.finish(())?;

    let content = content_hash("SetReceiptTemplates", &(etag, &templates));
    let change = Change {
        merchant_id: caller(context).merchant_id,
        request_id,
        content_hash: content.map_err(|_| status::internal())?,
        actor,
        now: (context.clock)(),
        program_id: String::new(),
        action: ChangeAction::SetReceiptTemplates {
            etag,
            templates: Box::new(templates),
        },
    };
    let decision = configuration::apply(&context.database, change).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    match decision.map_err(|refusal| status::refusal(&refusal))?.answer {
        Answer::ReceiptTemplates(record) => Ok(wire::SetReceiptTemplatesResponse {
            templates: Some(convert::receipt::templates(*record)),
        }),
        _ => Err(status::internal()),
    }
}
