//! Tables `member` and `identifier`: the persons behind the accounts.

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::member_status::StatusRow;
use super::one_of::one_of;
use super::schema::{account, identifier, member};
use super::statement::Insert;
use super::value::{id, instant};
use crate::domain::account::Attributes;
use crate::domain::enrolment::{Identifier, IdentifierKind};
use crate::domain::member::{MarketingConsent, Member, Person};

/// Members of one question: fewer than the 1,000 from which on MariaDB treats a list of values as a table.
const IDS_OF_A_QUESTION: usize = 500;

#[derive(Queryable)]
struct MemberRow {
    member_id: Vec<u8>,
    program_id: String,
    name: String,
    birth_date: Option<NaiveDate>,
    language: String,
    marketing_consent: Option<u8>,
    consent_decided_at: Option<NaiveDateTime>,
    version: u32,
    enrolled_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    customer_group: String,
    territory: String,
    assigned_rule_id: Option<String>,
    status: StatusRow,
}

/// A member with the identifiers; `None` when there is none.
pub(crate) async fn find(connection: &mut Connection, key: AccountKey) -> Result<Option<Member>, StorageError> {
    Ok(find_all(connection, key.0, &[key.1]).await?.pop())
}

/// Those of these members that there are, in the order of their ids, with the identifiers.
pub(crate) async fn find_all(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: &[Uuid],
) -> Result<Vec<Member>, StorageError> {
    let mut members = Vec::with_capacity(member_ids.len());
    for question in member_ids.chunks(IDS_OF_A_QUESTION) {
        let ids: Vec<Vec<u8>> = question.iter().map(|id| id.as_bytes().to_vec()).collect();
        let mut identifiers = identifiers_of(connection, merchant_id, ids.clone()).await?;
        let rows: Vec<MemberRow> = member::table
            .inner_join(
                account::table.on(account::merchant_id
                    .eq(member::merchant_id)
                    .and(account::member_id.eq(member::member_id))),
            )
            .filter(member::merchant_id.eq(merchant_id))
            .filter(one_of(member::member_id, ids, true))
            .select((
                member::member_id,
                member::program_id,
                member::name,
                member::birth_date,
                member::language,
                member::marketing_consent,
                member::consent_decided_at,
                member::version,
                member::enrolled_at,
                member::updated_at,
                account::customer_group,
                account::territory,
                account::assigned_rule_id,
                StatusRow::as_select(),
            ))
            .load(connection)
            .await?;
        for row in rows {
            let identifiers = identifiers.remove(&row.member_id).unwrap_or_default();
            members.push(row.into_member(identifiers)?);
        }
    }
    members.sort_by_key(|member| member.member_id);
    Ok(members)
}

/// The identifiers of these members, each member's in order.
async fn identifiers_of(
    connection: &mut Connection,
    merchant_id: u32,
    member_ids: Vec<Vec<u8>>,
) -> Result<HashMap<Vec<u8>, Vec<Identifier>>, StorageError> {
    let rows: Vec<(Vec<u8>, u8, String)> = identifier::table
        .filter(identifier::merchant_id.eq(merchant_id))
        .filter(one_of(identifier::member_id, member_ids, true))
        .select((identifier::member_id, identifier::kind, identifier::value))
        .load(connection)
        .await?;
    let mut identifiers: HashMap<Vec<u8>, Vec<Identifier>> = HashMap::new();
    for (member_id, kind, value) in rows {
        let kind = kind_of(kind)?;
        identifiers
            .entry(member_id)
            .or_default()
            .push(Identifier { kind, value });
    }
    for identifiers in identifiers.values_mut() {
        identifiers.sort();
    }
    Ok(identifiers)
}

impl MemberRow {
    fn into_member(self, identifiers: Vec<Identifier>) -> Result<Member, StorageError> {
        Ok(Member {
            member_id: id(&self.member_id)?,
            program_id: self.program_id,
            identifiers,
            person: Person {
                name: self.name,
                birth_date: self.birth_date,
                language: self.language,
                marketing_consent: self.marketing_consent.map(|granted| MarketingConsent {
                    granted: granted != 0,
                    decided_at: self.consent_decided_at.map(instant),
                }),
            },
            attributes: Attributes {
                customer_group: self.customer_group,
                territory: self.territory,
                assigned_rule_id: self.assigned_rule_id,
            },
            status: self.status.try_into()?,
            enrolled_at: instant(self.enrolled_at),
            updated_at: instant(self.updated_at),
            version: self.version,
        })
    }
}

/// Who has one of these identifiers, in this program of the merchant or, where it is empty, in any: identifier, program,
/// member.
pub(crate) async fn find_identifiers(
    connection: &mut Connection,
    merchant_id: u32,
    kind: IdentifierKind,
    program_id: &str,
    values: Vec<String>,
) -> Result<Vec<(String, String, Uuid)>, StorageError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let of_kind = identifier::merchant_id
        .eq(merchant_id)
        .and(identifier::kind.eq(kind_number(kind)));
    let asked = identifier::table
        .filter(of_kind)
        .filter(one_of(identifier::value, values, true))
        .select((identifier::value, identifier::program_id, identifier::member_id));
    let rows: Vec<(String, String, Vec<u8>)> = match program_id {
        "" => asked.load(connection).await?,
        // Whole keys: the database need not look how many rows begin like each.
        _ => {
            let asked = asked.filter(identifier::program_id.eq(program_id));
            asked.load(connection).await?
        }
    };
    let rows = rows
        .into_iter()
        .map(|(value, program_id, member_id)| Ok((value, program_id, id(&member_id)?)));
    let mut found = rows.collect::<Result<Vec<_>, StorageError>>()?;
    found.sort();
    Ok(found)
}

const MEMBERS: &str = "INSERT INTO member (merchant_id, member_id, program_id, name, birth_date, language, \
    marketing_consent, consent_decided_at, version, enrolled_at, updated_at) VALUES";

/// The rows of members, new or changed, and of their identifiers.
pub(crate) struct MemberRows {
    members: Insert,
    changed: Insert,
    /// Statements that remove identifiers: before others add them.
    removed: Vec<String>,
    identifiers: Insert,
}

impl MemberRows {
    pub(crate) fn new() -> Self {
        Self {
            members: Insert::new(MEMBERS, ""),
            changed: Insert::new(
                MEMBERS,
                " ON DUPLICATE KEY UPDATE name = VALUES(name), birth_date = VALUES(birth_date), \
                 language = VALUES(language), marketing_consent = VALUES(marketing_consent), \
                 consent_decided_at = VALUES(consent_decided_at), version = VALUES(version), \
                 updated_at = VALUES(updated_at)",
            ),
            removed: Vec::new(),
            identifiers: Insert::new(
                "INSERT INTO identifier (merchant_id, kind, value, program_id, member_id) VALUES",
                "",
            ),
        }
    }

    /// A member whose record was `stored`.
    pub(crate) fn push_changed(&mut self, merchant_id: u32, stored: &Member, member: &Member) {
        push(&mut self.changed, merchant_id, member);
        let key = (merchant_id, member.member_id);
        for identifier in &stored.identifiers {
            if !member.identifiers.contains(identifier) {
                self.removed.push(remove(key, identifier));
            }
        }
        for identifier in &member.identifiers {
            if !stored.identifiers.contains(identifier) {
                self.push_identifier(merchant_id, member, identifier);
            }
        }
    }

    pub(crate) fn push_new(&mut self, merchant_id: u32, member: &Member) {
        push(&mut self.members, merchant_id, member);
        for identifier in &member.identifiers {
            self.push_identifier(merchant_id, member, identifier);
        }
    }

    fn push_identifier(&mut self, merchant_id: u32, member: &Member, identifier: &Identifier) {
        self.identifiers
            .row()
            .integer(merchant_id)
            .integer(kind_number(identifier.kind))
            .text(&identifier.value)
            .text(&member.program_id)
            .bytes(member.member_id.as_bytes());
    }

    pub(crate) fn finish(self) -> Vec<String> {
        let mut statements = self.members.finish();
        statements.extend(self.changed.finish());
        statements.extend(self.removed);
        statements.extend(self.identifiers.finish());
        statements
    }
}

fn push(rows: &mut Insert, merchant_id: u32, member: &Member) {
    let consent = member.person.marketing_consent;
    rows.row()
        .integer(merchant_id)
        .bytes(member.member_id.as_bytes())
        .text(&member.program_id)
        .text(&member.person.name)
        .optional(member.person.birth_date, Insert::date)
        .text(&member.person.language)
        .optional(consent, |row, consent| row.integer(u8::from(consent.granted)))
        .optional(consent.and_then(|consent| consent.decided_at), Insert::instant)
        .integer(member.version)
        .instant(member.enrolled_at)
        .instant(member.updated_at);
}

/// Removes an identifier of a member. All literals are integers and hex.
fn remove(member: AccountKey, identifier: &Identifier) -> String {
    let (merchant_id, member_id, kind) = (member.0, member.1.simple(), kind_number(identifier.kind));
    let value = hex::encode(&identifier.value);
    format!(
        "DELETE FROM identifier WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}' AND kind = {kind} \
         AND value = _utf8mb4 x'{value}'"
    )
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
