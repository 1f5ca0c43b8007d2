//! Table `api_key`: who may call. Of secrets it knows hashes alone: they are 256 random bits, so that one round of
//! SHA-256 is as good as many.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::connection::Connection;
use super::error::StorageError;
use super::schema::api_key;
use super::value::instant;
use crate::domain::access::{KeyId, Role, Secret};

/// SHA-256 of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    pub(crate) fn of(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.0).into())
    }

    /// In a time that tells nothing about where they differ.
    fn equals(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// A key.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    pub(crate) id: KeyId,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) store_id: Option<String>,
    pub(crate) terminal_id: Option<String>,
    pub(crate) secret: SecretHash,
    /// The secret before the last rotation, and until when it holds.
    pub(crate) previous: Option<(SecretHash, DateTime<Utc>)>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

impl ApiKey {
    /// Whether this is one of the secrets that hold at `now`. Both are compared, whichever it is.
    pub(crate) fn has_secret(&self, secret: &Secret, now: DateTime<Utc>) -> bool {
        let hash = SecretHash::of(secret);
        let is_current = self.secret.equals(&hash);
        let is_previous = self
            .previous
            .as_ref()
            .is_some_and(|(previous, until)| previous.equals(&hash) & (now < *until));
        is_current | is_previous
    }
}

type Row = (
    u32,
    String,
    String,
    u8,
    Option<String>,
    Option<String>,
    Vec<u8>,
    Option<Vec<u8>>,
    Option<NaiveDateTime>,
    NaiveDateTime,
    Option<NaiveDateTime>,
    Option<NaiveDateTime>,
);

/// A key; `None` when there is none of this id.
pub(crate) async fn find(connection: &mut Connection, id: &KeyId) -> Result<Option<ApiKey>, StorageError> {
    let row: Option<Row> = api_key::table
        .find((id.merchant_id, &id.key_id))
        .first(connection)
        .await
        .optional()?;
    row.map(key).transpose()
}

/// The next keys of a merchant behind `after`, by id.
pub(crate) async fn page(
    connection: &mut Connection,
    merchant_id: u32,
    after: &str,
    limit: i64,
) -> Result<Vec<ApiKey>, StorageError> {
    let rows: Vec<Row> = api_key::table
        .filter(api_key::merchant_id.eq(merchant_id).and(api_key::key_id.gt(after)))
        .order(api_key::key_id)
        .limit(limit)
        .load(connection)
        .await?;
    rows.into_iter().map(key).collect()
}

/// Adds a key; `Duplicate` when there is one of this id.
pub(crate) async fn insert(connection: &mut Connection, key: &ApiKey) -> Result<(), StorageError> {
    diesel::insert_into(api_key::table)
        .values((
            api_key::merchant_id.eq(key.id.merchant_id),
            api_key::key_id.eq(&key.id.key_id),
            api_key::name.eq(&key.name),
            api_key::role.eq(number(key.role)),
            api_key::store_id.eq(&key.store_id),
            api_key::terminal_id.eq(&key.terminal_id),
            api_key::secret_hash.eq(key.secret.0.as_slice()),
            api_key::created_at.eq(key.created_at.naive_utc()),
            api_key::expires_at.eq(key.expires_at.map(|at| at.naive_utc())),
        ))
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives a key another secret; the one of `from` holds until `until` besides, or no longer at all. Whether it did: not
/// when the secret is no longer the one of `from`, or the key is revoked.
pub(crate) async fn rotate(
    connection: &mut Connection,
    from: &ApiKey,
    secret: &SecretHash,
    until: Option<DateTime<Utc>>,
) -> Result<bool, StorageError> {
    let unchanged = api_key::table
        .find((from.id.merchant_id, &from.id.key_id))
        .filter(api_key::secret_hash.eq(from.secret.0.as_slice()))
        .filter(api_key::revoked_at.is_null());
    let changed = diesel::update(unchanged)
        .set((
            api_key::secret_hash.eq(secret.0.as_slice()),
            api_key::previous_secret_hash.eq(until.map(|_| from.secret.0.as_slice())),
            api_key::previous_until.eq(until.map(|until| until.naive_utc())),
        ))
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

/// Ends a key for good. Whether it did: not when it was revoked before, or there is none.
pub(crate) async fn revoke(connection: &mut Connection, id: &KeyId, now: DateTime<Utc>) -> Result<bool, StorageError> {
    let valid = api_key::table
        .find((id.merchant_id, &id.key_id))
        .filter(api_key::revoked_at.is_null());
    let changed = diesel::update(valid)
        .set(api_key::revoked_at.eq(Some(now.naive_utc())))
        .execute(connection)
        .await?;
    Ok(changed == 1)
}

fn key(row: Row) -> Result<ApiKey, StorageError> {
    let (merchant_id, key_id, name, role, store_id, terminal_id, secret, previous, until, created, expires, revoked) =
        row;
    let previous = previous.as_deref().map(hash).transpose()?;
    Ok(ApiKey {
        id: KeyId { merchant_id, key_id },
        name,
        role: role_of(role)?,
        store_id,
        terminal_id,
        secret: hash(&secret)?,
        previous: previous.zip(until.map(instant)),
        created_at: instant(created),
        expires_at: expires.map(instant),
        revoked_at: revoked.map(instant),
    })
}

fn hash(bytes: &[u8]) -> Result<SecretHash, StorageError> {
    let bytes = bytes.try_into();
    let corrupt = |_| StorageError::Corrupt("a hash that is not 32 bytes long".to_owned());
    Ok(SecretHash(bytes.map_err(corrupt)?))
}

fn number(role: Role) -> u8 {
    match role {
        Role::Terminal => 1,
        Role::BackOffice => 2,
        Role::ReadOnly => 3,
        Role::Operator => 4,
    }
}

fn role_of(number_of_row: u8) -> Result<Role, StorageError> {
    let role = Role::ALL.into_iter().find(|role| number(*role) == number_of_row);
    role.ok_or_else(|| StorageError::Corrupt(format!("the role {number_of_row} of a key")))
}
