//! What an erasure finds and overwrites beside the record: all that tells something of the person.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::account::AccountKey;
use super::connection::Connection;
use super::error::StorageError;
use super::request::{self, RequestKey, RequestRecord};
use super::schema::{account, member_request};
use super::statement::Insert;
use super::value::{id, json};
use crate::domain::answer::StoredAnswer;

/// Requests that are read at once: fewer than the 1,000 from which on MariaDB treats a list of values as a table.
const REQUESTS_OF_A_QUESTION: usize = 500;

/// A member and all who were merged into it.
pub(crate) async fn persons(connection: &mut Connection, key: AccountKey) -> Result<Vec<Uuid>, StorageError> {
    let merged: Vec<Vec<u8>> = account::table
        .filter(account::merchant_id.eq(key.0))
        .filter(account::merged_into.eq(key.1.as_bytes().to_vec()))
        .select(account::member_id)
        .load(connection)
        .await?;
    let mut persons = vec![key.1];
    for member_id in merged {
        persons.push(id(&member_id)?);
    }
    Ok(persons)
}

/// The requests whose answers tell something of a member.
pub(crate) async fn requests(
    connection: &mut Connection,
    key: AccountKey,
) -> Result<Vec<(RequestKey, RequestRecord)>, StorageError> {
    let ids: Vec<String> = member_request::table
        .filter(member_request::merchant_id.eq(key.0))
        .filter(member_request::member_id.eq(key.1.as_bytes().to_vec()))
        .select(member_request::request_id)
        .load(connection)
        .await?;
    let mut records = Vec::with_capacity(ids.len());
    for ids in ids.chunks(REQUESTS_OF_A_QUESTION) {
        let keys = ids.iter().map(|request_id| (key.0, request_id.clone()));
        records.extend(request::find(connection, keys).await?);
    }
    Ok(records)
}

/// Empties the reasons of all changes of a member. All literals are integers and hex.
pub(crate) fn forget_reasons(key: AccountKey) -> String {
    let (merchant_id, member_id) = (key.0, key.1.simple());
    format!("UPDATE member_change SET reason = '' WHERE merchant_id = {merchant_id} AND member_id = x'{member_id}'")
}

/// Puts another answer in the place of the one that was kept. All literals are integers and hex.
pub(crate) fn replace_answer(key: &RequestKey, answer: &StoredAnswer) -> Result<String, StorageError> {
    let (merchant_id, request_id) = (key.0, hex::encode(&key.1));
    let mut statement = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        statement,
        "UPDATE request SET answer = _utf8mb4 x'{}' WHERE merchant_id = {merchant_id} AND request_id = x'{request_id}'",
        hex::encode(json(answer)?)
    );
    Ok(statement)
}

/// The rows of requests whose answers tell something of a member.
pub(crate) struct MemberRequestRows(Insert);

impl MemberRequestRows {
    pub(crate) fn new() -> Self {
        Self(Insert::new(
            "INSERT INTO member_request (merchant_id, member_id, request_id) VALUES",
            "",
        ))
    }

    pub(crate) fn push(&mut self, member: AccountKey, request_id: &str) {
        self.0
            .row()
            .integer(member.0)
            .bytes(member.1.as_bytes())
            .text(request_id);
    }

    pub(crate) fn finish(self) -> Vec<String> {
        self.0.finish()
    }
}
