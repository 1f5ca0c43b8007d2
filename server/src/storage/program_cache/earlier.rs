//! Earlier versions of programs, without their products: what sales were rated by that come back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::program::ProgramVersion;
use crate::storage::program::ProgramKey;

/// Versions kept. Settings and rules are a few kilobytes mostly, and never more than some megabytes.
const MOST_VERSIONS: usize = 512;

#[derive(Default)]
pub(super) struct Earlier(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    versions: HashMap<(ProgramKey, u32), KeptVersion>,
    questions: u64,
}

struct KeptVersion {
    version: Arc<ProgramVersion>,
    asked_at: u64,
}

impl Earlier {
    pub(super) fn get(&self, key: &ProgramKey, version: u32) -> Option<Arc<ProgramVersion>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.questions += 1;
        let asked_at = kept.questions;
        let found = kept.versions.get_mut(&(key.clone(), version))?;
        found.asked_at = asked_at;
        Some(Arc::clone(&found.version))
    }

    pub(super) fn put(&self, key: &ProgramKey, version: ProgramVersion) -> Arc<ProgramVersion> {
        let version = Arc::new(version);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.make_room();
        kept.questions += 1;
        let of_version = KeptVersion {
            version: Arc::clone(&version),
            asked_at: kept.questions,
        };
        kept.versions.insert((key.clone(), version.version), of_version);
        version
    }
}

impl Kept {
    /// Forgets the eighth that was asked for least recently, once all places are taken.
    fn make_room(&mut self) {
        if self.versions.len() < MOST_VERSIONS {
            return;
        }
        let mut asked: Vec<u64> = self.versions.values().map(|kept| kept.asked_at).collect();
        asked.sort_unstable();
        let first_kept = asked.get(MOST_VERSIONS / 8).copied().unwrap_or_default();
        self.versions.retain(|_, kept| kept.asked_at >= first_kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: u32) -> ProgramVersion {
        let program = serde_json::json!({
            "name": "Club", "state": "active", "unit": "points", "time_zone": "UTC", "decimals": 0,
            "currency": { "code": "EUR", "minor_units": 2 },
        });
        ProgramVersion {
            program_id: "club".into(),
            version: number,
            program: serde_json::from_value(program).unwrap(),
            rules: Arc::default(),
            rewards: Arc::default(),
            products: Arc::default(),
        }
    }

    #[test]
    fn the_versions_asked_for_least_recently_make_room() {
        let earlier = Earlier::default();
        let key: ProgramKey = (1, "club".into());
        for number in 1..=2_000 {
            earlier.put(&key, version(number));
            assert!(earlier.get(&key, 1).is_some(), "the first is asked for again and again");
        }

        assert!(earlier.0.lock().unwrap().versions.len() <= MOST_VERSIONS);
        assert!(earlier.get(&key, 2_000).is_some());
        assert!(earlier.get(&key, 2).is_none());
    }
}
