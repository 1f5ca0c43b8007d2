//! Tables `member` and `identifier`: the persons behind the accounts.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::one_of::one_of;
use super::schema::{account, identifier, member};
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::account::Attributes;
use crate::domain::enrolment::{Identifier, IdentifierKind, Member};

/// Program, name, time of enrolment, group, territory and assigned rule.
type MemberRow = (String, String, NaiveDateTime, String, String, Option<String>);

/// A member with the identifiers; `None` when there is none.
pub(crate) async fn find(connection: &mut Connection, key: AccountKey) -> Result<Option<Member>, StorageError> {
    let member_id = key.1.as_bytes().to_vec();
    let row: Option<MemberRow> = member::table
        .inner_join(
            account::table.on(account::merchant_id
                .eq(member::merchant_id)
                .and(account::member_id.eq(member::member_id))),
        )
        .filter(member::merchant_id.eq(key.0).and(member::member_id.eq(&member_id)))
        .select((
            member::program_id,
            member::name,
            member::enrolled_at,
            account::customer_group,
            account::territory,
            account::assigned_rule_id,
        ))
        .first(connection)
        .await
        .optional()?;
    let Some((program_id, name, enrolled_at, customer_group, territory, assigned_rule_id)) = row else {
        return Ok(None);
    };
    let identifiers: Vec<(u8, String)> = identifier::table
        .filter(
            identifier::merchant_id
                .eq(key.0)
                .and(identifier::member_id.eq(&member_id)),
        )
        .order((identifier::kind, identifier::value))
        .select((identifier::kind, identifier::value))
        .load(connection)
        .await?;
    let identifiers = identifiers
        .into_iter()
        .map(|(kind, value)| {
            Ok(Identifier {
                kind: kind_of(kind)?,
                value,
            })
        })
        .collect::<Result<_, StorageError>>()?;
    let enrolled_at = instant(enrolled_at);
    Ok(Some(Member {
        member_id: key.1,
        program_id,
        identifiers,
        name,
        enrolled_at,
        attributes: Attributes {
            customer_group,
            territory,
            assigned_rule_id,
        },
    }))
}

/// Who has one of these identifiers, in any program of the merchant: identifier, program, member.
pub(crate) async fn find_identifiers(
    connection: &mut Connection,
    merchant_id: u32,
    kind: IdentifierKind,
    values: &[String],
) -> Result<Vec<(String, String, Uuid)>, StorageError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String, Vec<u8>)> = identifier::table
        .filter(
            identifier::merchant_id
                .eq(merchant_id)
                .and(identifier::kind.eq(kind_number(kind))),
        )
        .filter(one_of(identifier::value, values.to_vec(), true))
        .select((identifier::value, identifier::program_id, identifier::member_id))
        .load(connection)
        .await?;
    let rows = rows
        .into_iter()
        .map(|(value, program_id, member_id)| Ok((value, program_id, id(&member_id)?)));
    let mut found = rows.collect::<Result<Vec<_>, StorageError>>()?;
    found.sort();
    Ok(found)
}

/// The rows of new members and their identifiers.
pub(crate) struct MemberRows {
    members: Insert,
    identifiers: Insert,
}

impl MemberRows {
    pub(crate) fn new() -> Self {
        Self {
            members: Insert::new(
                "INSERT INTO member (merchant_id, member_id, program_id, name, enrolled_at) VALUES",
                "",
            ),
            identifiers: Insert::new(
                "INSERT INTO identifier (merchant_id, kind, value, program_id, member_id) VALUES",
                "",
            ),
        }
    }

    pub(crate) fn push(&mut self, merchant_id: u32, member: &Member) {
        self.members
            .row()
            .integer(merchant_id)
            .bytes(member.member_id.as_bytes())
            .text(&member.program_id)
            .text(&member.name)
            .instant(member.enrolled_at);
        for identifier in &member.identifiers {
            self.identifiers
                .row()
                .integer(merchant_id)
                .integer(kind_number(identifier.kind))
                .text(&identifier.value)
                .text(&member.program_id)
                .bytes(member.member_id.as_bytes());
        }
    }

    pub(crate) fn finish(self) -> Vec<String> {
        let mut statements = self.members.finish();
        statements.extend(self.identifiers.finish());
        statements
    }
}

fn kind_number(kind: IdentifierKind) -> u8 {
    match kind {
        IdentifierKind::CustomerId => 1,
        IdentifierKind::Card => 2,
        IdentifierKind::Phone => 3,
        IdentifierKind::Email => 4,
        IdentifierKind::QrCode => 5,
    }
}

fn kind_of(number: u8) -> Result<IdentifierKind, StorageError> {
    match number {
        1 => Ok(IdentifierKind::CustomerId),
        2 => Ok(IdentifierKind::Card),
        3 => Ok(IdentifierKind::Phone),
        4 => Ok(IdentifierKind::Email),
        5 => Ok(IdentifierKind::QrCode),
        other => Err(StorageError::Corrupt(format!(
            "an identifier of the unknown kind {other}"
        ))),
    }
}
