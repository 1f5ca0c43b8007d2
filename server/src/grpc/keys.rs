//! Keys as this server knows them. A key is read from the database when it is first used and every two seconds while it
//! is in use, beside the calls; what was read four seconds ago is not believed any more. So a revoked key is refused by
//! every server within five seconds, and a key that is known costs a call nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::Status;

use super::status;
use crate::domain::access::KeyId;
use crate::storage::api_key::{self, ApiKey};
use crate::storage::connection::Database;
use crate::storage::error::StorageError;

/// From this age on a key is read again while it is used.
const REFRESHED_AFTER: Duration = Duration::from_secs(2);
/// From this age on it is not used.
const STALE_AFTER: Duration = Duration::from_secs(4);
/// The longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(3);
/// Keys in memory: some 300 bytes each.
const MOST: usize = 20_000;
/// Look-ups at once of keys that are not known. Whoever makes up numbers of keys occupies these and nothing else.
const UNKNOWN_AT_ONCE: usize = 4;
/// Such look-ups that wait for their turn.
const UNKNOWN_WAITING: usize = 512;

#[derive(Clone, Debug)]
struct Known {
    key: Arc<ApiKey>,
    read_at: Instant,
    is_being_read: bool,
}

/// The keys in use.
#[derive(Clone)]
pub(super) struct Keys {
    /// Connections of its own: reads of callers must not keep others from being known.
    database: Database,
    known: Arc<Mutex<HashMap<KeyId, Known>>>,
    unknown: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Keys {
    pub(super) fn new(database: Database) -> Self {
        Self {
            database,
            known: Arc::default(),
            unknown: Arc::new(Semaphore::new(UNKNOWN_AT_ONCE)),
            waiting: Arc::new(Semaphore::new(UNKNOWN_WAITING)),
        }
    }

    /// The key of this id; `None` when there is none.
    pub(super) async fn find(&self, id: &KeyId) -> Result<Option<Arc<ApiKey>>, Status> {
        if let Some(key) = self.recall(id) {
            return Ok(Some(key));
        }
        let Ok(_waits) = self.waiting.try_acquire() else {
            return Err(status::overloaded("more keys are asked for than the server looks up"));
        };
        let look_up = async {
            let _turn = self.unknown.acquire().await;
            // Another call may have read it meanwhile.
            match self.recall(id) {
                Some(key) => Ok(Some(key)),
                None => self.read(id.clone()).await,
            }
        };
        match tokio::time::timeout(PATIENCE, look_up).await {
            Ok(read) => read.map_err(|error| status::storage(&error)),
            Err(_) => Err(status::unavailable()),
        }
    }

    /// The key as it was read lately; one that begins to age is read again.
    fn recall(&self, id: &KeyId) -> Option<Arc<ApiKey>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = known.get_mut(id)?;
        let age = entry.read_at.elapsed();
        if age >= STALE_AFTER {
            return None;
        }
        let key = Arc::clone(&entry.key);
        if age >= REFRESHED_AFTER && !entry.is_being_read {
            entry.is_being_read = true;
            let (keys, id) = (self.clone(), id.clone());
            tokio::spawn(async move {
                if let Err(error) = keys.read(id.clone()).await {
                    tracing::warn!(%error, key = %id, "a key could not be read again");
                    keys.give_up(&id);
                }
            });
        }
        Some(key)
    }

    async fn read(&self, id: KeyId) -> Result<Option<Arc<ApiKey>>, StorageError> {
        // The age counts from before the question: what is revoked while it is under way is not missed for longer.
        let read_at = Instant::now();
        let asked = id.clone();
        let found = self
            .database
            .run(move |connection| Box::pin(async move { api_key::find(connection, &asked).await }))
            .await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = found.map(Arc::new) else {
            known.remove(&id);
            return Ok(None);
        };
        if known.len() >= MOST && !known.contains_key(&id) {
            known.retain(|_, entry| entry.read_at.elapsed() < STALE_AFTER);
            if known.len() >= MOST {
                known.clear();
            }
        }
        let entry = Known {
            key: Arc::clone(&key),
            read_at,
            is_being_read: false,
        };
        // Of two that were asked at once the later one knows more, whichever is answered first.
        if known.get(&id).is_none_or(|other| other.read_at <= read_at) {
            known.insert(id, entry);
        }
        Ok(Some(key))
    }

    fn give_up(&self, id: &KeyId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.get_mut(id) {
            entry.is_being_read = false;
        }
    }
}
