//! What the lists of holds and of redemptions have in common.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::fields::Fields;
use super::page_token::{self, Page};
use super::{Context, convert, member_lookup};
use crate::storage::hold::{Position, Wanted};

/// A question as it came.
pub(super) struct Asked {
    pub(super) program_id: String,
    pub(super) member: Option<wire::MemberKey>,
    pub(super) store_id: String,
    pub(super) from: Option<prost_types::Timestamp>,
    pub(super) until: Option<prost_types::Timestamp>,
    pub(super) page_size: u32,
    pub(super) page_token: String,
}

/// What is asked for, and behind what.
pub(super) async fn wanted(context: &Arc<Context>, asked: Asked) -> Result<(Page, Wanted, Option<Position>), Status> {
    let page = Page::parse(asked.page_size, &asked.page_token)?;
    let mut fields = Fields::default();
    let program_id = convert::member::optional_program(&mut fields, "program_id", asked.program_id);
    let member = asked
        .member
        .map(|member| convert::member::member_key(&mut fields, "member", Some(member)));
    if member.is_none() && !program_id.is_empty() {
        fields.wrong("program_id", "needs the member");
    }
    let store_id = fields.text("store_id", asked.store_id, 0, 64);
    let from = fields.instant("from", asked.from);
    let until = fields.instant("until", asked.until);
    let after = page.after.as_ref().and_then(|after| position(&mut fields, after));
    fields.finish(())?;

    let member_id = match member {
        Some(key) => Some(member_lookup::resolve(context, caller(context), &program_id, &key, "member").await?),
        None => None,
    };
    let wanted = Wanted {
        member_id,
        store_id: Some(store_id).filter(|store_id| !store_id.is_empty()),
        from,
        until,
    };
    Ok((page, wanted, after))
}

/// The key of a row.
pub(super) fn key(at: DateTime<Utc>, id: Uuid) -> String {
    format!("{} {id}", at.timestamp_micros())
}

fn position(fields: &mut Fields, key: &str) -> Option<Position> {
    let read = || {
        let (at, id) = key.split_once(' ')?;
        Some(Position {
            at: page_token::instant(at)?,
            id: id.parse().ok()?,
        })
    };
    read().or_else(|| {
        fields.wrong("page_token", "is not a token of this list");
        None
    })
}
