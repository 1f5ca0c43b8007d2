//! The text of receipts, for calls that ask for it.

use std::sync::Arc;

use tonic::Status;

use super::auth::caller;
use super::fields::Fields;
use super::{Context, convert, status};
use crate::domain::outcome::SaleOutcome;
use crate::domain::receipt_text::{Language, receipt_text};
use crate::storage::{connection, member};

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

/// The text; empty when none was asked for. It is made of the program as it is now: what people call the tiers, and the
/// time zone.
pub(super) async fn text(context: &Context, asked: Asked, outcome: &SaleOutcome) -> Result<String, Status> {
    if asked == Asked::Nothing {
        return Ok(String::new());
    }
    let merchant_id = caller(context).merchant_id;
    let (cache, member_id) = (context.programs.clone(), outcome.member_id);
    let program = (merchant_id, Arc::<str>::from(outcome.program_id.as_str()));
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
            connection::end_snapshot(connection).await?;
            Ok((versions.into_values().next(), language))
        })
    });
    let (version, language) = found.await.map_err(|error| status::storage(&error))?;
    let version = version.ok_or_else(status::internal)?;
    Ok(receipt_text(language, &version.program, outcome))
}
