//! Merchants with their stores, terminals and keys: what the commands of the program make.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Clock;
use crate::domain::access::{self, KeyId, Secret};
use crate::serve::{self, ServeError};
use crate::storage::api_key::{self, ApiKey, SecretHash};
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::{merchant, store, terminal};

pub use crate::domain::access::Role;

/// Rows of one question; lists are read to their end.
const PAGE: i64 = 500;

/// Why a merchant, store, terminal or key cannot be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenantError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] ServeError),
    /// An id or name cannot be one.
    #[error("{value:?} cannot be a {what}: it must be {rule}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// There is one of this id already.
    #[error("there is a {what} {id:?} already")]
    Exists {
        /// What was to be made.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// There is none of this id.
    #[error("there is no {what} {id:?}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A key of a terminal needs its store, and the role of a terminal needs a store to sell in.
    #[error("{0}")]
    Contradiction(&'static str),
    /// The key is revoked, which is for good.
    #[error("the key {0} is revoked")]
    Revoked(String),
    /// The operating system gives no random numbers.
    #[error("the system has no random numbers: {0}")]
    NoRandomness(String),
}

impl From<StorageError> for TenantError {
    fn from(error: StorageError) -> Self {
        Self::Database(error.into())
    }
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Code of the merchant.
    pub merchant: String,
    /// What it may do.
    pub role: Role,
    /// The name under which it acts; empty for the role's.
    pub name: String,
    /// The only store it acts in; any when left out.
    pub store_id: Option<String>,
    /// The only terminal of that store; any when left out.
    pub terminal_id: Option<String>,
    /// From when on it is refused; never when left out.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was just made or rotated: the only time its text is there.
#[derive(Clone)]
pub struct IssuedKey {
    /// Names the key, as `<merchant>-<key>`.
    pub key_id: String,
    /// What a caller sends.
    pub text: String,
}

/// What there is to know of a key.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// Names the key, as `<merchant>-<key>`.
    pub key_id: String,
    /// The name under which it acts.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The only store it acts in.
    pub store_id: Option<String>,
    /// The only terminal of that store.
    pub terminal_id: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// Until when the secret before the last rotation holds.
    pub previous_until: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The tenants of a database.
pub struct Tenants {
    connection: Connection,
    clock: Clock,
}

impl Tenants {
    /// Brings the schema up to date and connects.
    pub async fn open(database_url: &str, clock: Clock) -> Result<Self, TenantError> {
        serve::migrate(database_url, &clock).await?;
        let connection = connection::establish(database_url).await?;
        Ok(Self { connection, clock })
    }

    /// Makes a merchant.
    pub async fn create_merchant(&mut self, code: &str) -> Result<(), TenantError> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
        if code.is_empty() || code.len() > 64 || !code.bytes().all(is_allowed) {
            return Err(malformed("merchant", code, "1 to 64 of a-z, 0-9, `-`, `_` and `.`"));
        }
        if merchant::find(&mut self.connection, code).await?.is_some() {
            return Err(exists("merchant", code));
        }
        merchant::ensure(&mut self.connection, code, (self.clock)()).await?;
        Ok(())
    }

    /// All merchants, by code.
    pub async fn merchants(&mut self) -> Result<Vec<String>, TenantError> {
        let mut all: Vec<String> = Vec::new();
        loop {
            let after = all.last().cloned().unwrap_or_default();
            let page = merchant::page(&mut self.connection, &after, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Makes a store of a merchant.
    pub async fn create_store(&mut self, merchant: &str, store_id: &str) -> Result<(), TenantError> {
        let merchant_id = self.merchant(merchant).await?;
        check_id("store", store_id)?;
        let inserted = store::insert(&mut self.connection, merchant_id, store_id, (self.clock)()).await;
        new(inserted, "store", store_id)
    }

    /// All stores of a merchant, by id.
    pub async fn stores(&mut self, merchant: &str) -> Result<Vec<String>, TenantError> {
        let merchant_id = self.merchant(merchant).await?;
        let mut all: Vec<String> = Vec::new();
        loop {
            let after = all.last().cloned().unwrap_or_default();
            let page = store::page(&mut self.connection, merchant_id, &after, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Makes a terminal of a store.
    pub async fn create_terminal(
        &mut self,
        merchant: &str,
        store_id: &str,
        terminal_id: &str,
    ) -> Result<(), TenantError> {
        let merchant_id = self.merchant(merchant).await?;
        self.check_store(merchant_id, store_id).await?;
        check_id("terminal", terminal_id)?;
        let now = (self.clock)();
        let inserted = terminal::insert(&mut self.connection, merchant_id, store_id, terminal_id, now).await;
        new(inserted, "terminal", terminal_id)
    }

    /// All terminals of a store, by id.
    pub async fn terminals(&mut self, merchant: &str, store_id: &str) -> Result<Vec<String>, TenantError> {
        let merchant_id = self.merchant(merchant).await?;
        self.check_store(merchant_id, store_id).await?;
        let mut all: Vec<String> = Vec::new();
        loop {
            let after = all.last().cloned().unwrap_or_default();
            let page = terminal::page(&mut self.connection, merchant_id, store_id, &after, PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// Makes a key.
    pub async fn create_key(&mut self, key: NewKey) -> Result<IssuedKey, TenantError> {
        let merchant_id = self.merchant(&key.merchant).await?;
        let role = key.role;
        if role == Role::Terminal && key.store_id.is_none() {
            return Err(TenantError::Contradiction("the key of a terminal needs its store"));
        }
        match (&key.store_id, &key.terminal_id) {
            (None, Some(_)) => return Err(TenantError::Contradiction("a terminal needs its store")),
            (Some(store_id), None) => self.check_store(merchant_id, store_id).await?,
            (Some(store_id), Some(terminal_id)) => {
                self.check_store(merchant_id, store_id).await?;
                if !terminal::exists(&mut self.connection, merchant_id, store_id, terminal_id).await? {
                    return Err(not_found("terminal", terminal_id));
                }
            }
            (None, None) => {}
        }
        let name = if key.name.is_empty() {
            default_name(role, key.store_id.as_deref(), key.terminal_id.as_deref())
        } else {
            key.name
        };
        if !access::is_actor(&name) {
            let rule = "1 to 64 printable ASCII characters, no blanks around them";
            return Err(malformed("key's name", &name, rule));
        }
        let now = (self.clock)();
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(TenantError::Contradiction("the key would be expired already"));
        }
        let (id, secret) = (KeyId::new(merchant_id, random()?), Secret(random()?));
        let key = ApiKey {
            id: id.clone(),
            name,
            role,
            store_id: key.store_id,
            terminal_id: key.terminal_id,
            secret: SecretHash::of(&secret),
            previous: None,
            created_at: now,
            expires_at: key.expires_at,
            revoked_at: None,
        };
        let inserted = api_key::insert(&mut self.connection, &key).await;
        new(inserted, "key", &id.to_string())?;
        Ok(issued(&id, &secret))
    }

    /// All keys of a merchant, by id.
    pub async fn keys(&mut self, merchant: &str) -> Result<Vec<KeyRecord>, TenantError> {
        let merchant_id = self.merchant(merchant).await?;
        let mut all: Vec<KeyRecord> = Vec::new();
        let mut after = String::new();
        loop {
            let page = api_key::page(&mut self.connection, merchant_id, &after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            after.clone_from(&last.id.key_id);
            all.extend(page.into_iter().map(record));
        }
    }

    /// Gives a key a new secret. The one before holds for `overlap` more, so that callers can change over; one before
    /// that holds no longer.
    pub async fn rotate_key(&mut self, key_id: &str, overlap: TimeDelta) -> Result<IssuedKey, TenantError> {
        let key = self.key(key_id).await?;
        if key.revoked_at.is_some() {
            return Err(TenantError::Revoked(key_id.to_owned()));
        }
        let secret = Secret(random()?);
        // Without an overlap the clocks of this machine and the servers' do not matter.
        let until = (overlap > TimeDelta::zero()).then(|| (self.clock)() + overlap);
        if api_key::rotate(&mut self.connection, &key, &SecretHash::of(&secret), until).await? {
            Ok(issued(&key.id, &secret))
        } else {
            Err(TenantError::Contradiction("the key was changed at the same moment"))
        }
    }

    /// Ends a key for good, on all servers within seconds. Whether it was valid before.
    pub async fn revoke_key(&mut self, key_id: &str) -> Result<bool, TenantError> {
        let key = self.key(key_id).await?;
        let now = (self.clock)();
        Ok(api_key::revoke(&mut self.connection, &key.id, now).await?)
    }

    async fn merchant(&mut self, code: &str) -> Result<u32, TenantError> {
        let found = merchant::find(&mut self.connection, code).await?;
        found.ok_or_else(|| not_found("merchant", code))
    }

    async fn check_store(&mut self, merchant_id: u32, store_id: &str) -> Result<(), TenantError> {
        if store::exists(&mut self.connection, merchant_id, store_id).await? {
            Ok(())
        } else {
            Err(not_found("store", store_id))
        }
    }

    async fn key(&mut self, key_id: &str) -> Result<ApiKey, TenantError> {
        let found = match KeyId::parse(key_id) {
            Some(id) => api_key::find(&mut self.connection, &id).await?,
            None => None,
        };
        found.ok_or_else(|| not_found("key", key_id))
    }
}

/// What an entry of the history shows of a till whose key nobody named.
fn default_name(role: Role, store_id: Option<&str>, terminal_id: Option<&str>) -> String {
    let parts = [Some(role.name()), store_id, terminal_id];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let is_printable = |c: &char| *c == ' ' || c.is_ascii_graphic();
    name.to_lowercase()
        .chars()
        .filter(is_printable)
        .take(64)
        .collect::<String>()
        .trim()
        .to_owned()
}

fn record(key: ApiKey) -> KeyRecord {
    KeyRecord {
        key_id: key.id.to_string(),
        name: key.name,
        role: key.role,
        store_id: key.store_id,
        terminal_id: key.terminal_id,
        created_at: key.created_at,
        expires_at: key.expires_at,
        previous_until: key.previous.map(|(_, until)| until),
        revoked_at: key.revoked_at,
    }
}

fn issued(id: &KeyId, secret: &Secret) -> IssuedKey {
    IssuedKey {
        key_id: id.to_string(),
        text: access::key_text(id, secret),
    }
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], TenantError> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| TenantError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

/// The ids that calls take: see `sale.store_id` of the contract.
fn check_id(what: &'static str, id: &str) -> Result<(), TenantError> {
    let is_legal = (1..=64).contains(&id.chars().count()) && !id.chars().any(char::is_control) && id.trim() == id;
    if is_legal {
        Ok(())
    } else {
        let rule = "1 to 64 characters without control characters and without blanks around them";
        Err(malformed(what, id, rule))
    }
}

fn new(inserted: Result<(), StorageError>, what: &'static str, id: &str) -> Result<(), TenantError> {
    match inserted {
        Err(StorageError::Duplicate(_)) => Err(exists(what, id)),
        other => Ok(other?),
    }
}

fn malformed(what: &'static str, value: &str, rule: &'static str) -> TenantError {
    TenantError::Malformed {
        what,
        value: value.to_owned(),
        rule,
    }
}

fn exists(what: &'static str, id: &str) -> TenantError {
    TenantError::Exists {
        what,
        id: id.to_owned(),
    }
}

fn not_found(what: &'static str, id: &str) -> TenantError {
    TenantError::NotFound {
        what,
        id: id.to_owned(),
    }
}
