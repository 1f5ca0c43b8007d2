//! The current versions of programs. A version is immutable; which one is current is read in every transaction.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::connection::Connection;
use super::error::StorageError;
use super::program::{self, ProgramKey};
use crate::domain::program::ProgramVersion;

/// Programs kept; beyond it the cache starts afresh. A version without product points is a few kilobytes.
const CAPACITY: usize = 4_096;

/// Shared by all writers and readers of a server.
#[derive(Clone, Default)]
pub(crate) struct ProgramCache(Arc<RwLock<HashMap<ProgramKey, Arc<ProgramVersion>>>>);

impl ProgramCache {
    /// The current versions of these programs as this transaction sees them; programs that do not exist are left out.
    pub(crate) async fn current(
        &self,
        connection: &mut Connection,
        keys: impl Iterator<Item = ProgramKey>,
    ) -> Result<HashMap<ProgramKey, Arc<ProgramVersion>>, StorageError> {
        let mut versions = HashMap::new();
        for (key, version) in program::current_versions(connection, keys).await? {
            let version = match self.get(&key, version) {
                Some(cached) => cached,
                None => self.put(&key, program::load_version(connection, &key, version).await?),
            };
            versions.insert(key, version);
        }
        Ok(versions)
    }

    fn get(&self, key: &ProgramKey, version: u32) -> Option<Arc<ProgramVersion>> {
        let cached = self.0.read().unwrap_or_else(PoisonError::into_inner);
        cached.get(key).filter(|cached| cached.version == version).cloned()
    }

    fn put(&self, key: &ProgramKey, version: ProgramVersion) -> Arc<ProgramVersion> {
        let version = Arc::new(version);
        let mut cached = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= CAPACITY {
            cached.clear();
        }
        cached.insert(key.clone(), Arc::clone(&version));
        version
    }
}
