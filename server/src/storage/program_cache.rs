//! The current versions of programs, and of earlier ones those that returns asked for. A version is immutable; which one is
//! current is read in every transaction.

mod earlier;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use super::connection::Connection;
use super::error::StorageError;
use super::product;
use super::program::{self, CurrentVersion, ProgramKey};
use crate::domain::product::Products;
use crate::domain::program::ProgramVersion;
use earlier::Earlier;

/// Programs kept. A version without its products is a few kilobytes.
const MOST_PROGRAMS: usize = 4_096;
/// Products kept, of all programs: about 100 MB with ids of 20 characters. One program has at most a quarter of them.
const MOST_PRODUCTS: usize = 2_000_000;
/// Loads of products that can go on at the same time.
const LOADERS: usize = 64;

/// Shared by all writers and readers of a server.
#[derive(Clone, Default)]
pub(crate) struct ProgramCache(Arc<Shared>);

struct Shared {
    kept: RwLock<Kept>,
    earlier: Earlier,
    /// Counts the questions: the greatest `asked_at` is the program asked for last.
    questions: AtomicU64,
    /// Of callers that miss the same products one loads them, and the others wait for it. They hold what they have
    /// locked meanwhile, which the one that loads never wants: it reads without locks.
    loading: [Mutex<()>; LOADERS],
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            kept: RwLock::default(),
            earlier: Earlier::default(),
            questions: AtomicU64::default(),
            loading: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

#[derive(Default)]
struct Kept {
    programs: HashMap<ProgramKey, KeptProgram>,
    /// Products of all programs.
    product_count: usize,
}

struct KeptProgram {
    version: Arc<ProgramVersion>,
    asked_at: AtomicU64,
}

impl ProgramCache {
    /// The current versions of these programs as this transaction sees them; programs that do not exist are left out.
    pub(crate) async fn current(
        &self,
        connection: &mut Connection,
        keys: impl Iterator<Item = ProgramKey>,
    ) -> Result<HashMap<ProgramKey, Arc<ProgramVersion>>, StorageError> {
        let mut versions = HashMap::new();
        for (key, current) in program::current_versions(connection, keys).await? {
            let version = match self.get(&key).filter(|kept| kept.version == current.version) {
                Some(kept) => kept,
                None => self.load(connection, &key, current).await?,
            };
            versions.insert(key, version);
        }
        Ok(versions)
    }

    /// A program as it was under a version, with what products earned then of those in `product_ids`.
    pub(crate) async fn under(
        &self,
        connection: &mut Connection,
        key: &ProgramKey,
        version: u32,
        product_ids: &BTreeSet<&str>,
    ) -> Result<Arc<ProgramVersion>, StorageError> {
        let newest = self.get(key);
        if let Some(newest) = newest.as_ref().filter(|newest| newest.version == version) {
            return Ok(Arc::clone(newest));
        }
        let plain = match self.0.earlier.get(key, version) {
            Some(plain) => plain,
            None => {
                let loaded = program::load_version(connection, key, version, Arc::default()).await?;
                self.0.earlier.put(key, loaded)
            }
        };
        // Products that have not changed since are those of the newer version.
        let unchanged = newest.filter(|newest| newest.version > version && newest.products.version() <= version);
        let products = match unchanged {
            Some(newest) => Arc::clone(&newest.products),
            None => {
                let product_ids: Vec<&str> = product_ids.iter().copied().collect();
                Arc::new(product::in_force_of(connection, key, version, &product_ids).await?)
            }
        };
        Ok(Arc::new(plain.with_products(products)))
    }

    async fn load(
        &self,
        connection: &mut Connection,
        key: &ProgramKey,
        current: CurrentVersion,
    ) -> Result<Arc<ProgramVersion>, StorageError> {
        let has_products = current.products_version > 0;
        let _only_one = match has_products {
            true => Some(self.0.loading[place(key)].lock().await),
            false => None,
        };
        let kept = self.get(key).filter(|kept| kept.version <= current.version);
        let products = match kept {
            Some(kept) if kept.version == current.version => return Ok(kept),
            Some(kept) if kept.products.version() == current.products_version => Arc::clone(&kept.products),
            kept if has_products => Arc::new(load_products(connection, key, current, kept.as_deref()).await?),
            _ => Arc::default(),
        };
        let version = program::load_version(connection, key, current.version, products).await?;
        Ok(self.put(key, version))
    }

    fn get(&self, key: &ProgramKey) -> Option<Arc<ProgramVersion>> {
        let kept = self.0.kept.read().unwrap_or_else(PoisonError::into_inner);
        let program = kept.programs.get(key)?;
        program.asked_at.store(self.next_question(), Ordering::Relaxed);
        Some(Arc::clone(&program.version))
    }

    fn put(&self, key: &ProgramKey, version: ProgramVersion) -> Arc<ProgramVersion> {
        let version = Arc::new(version);
        let mut kept = self.0.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = kept.programs.get(key)
            && before.version.version > version.version
        {
            // A transaction that began earlier was slower.
            return version;
        }
        kept.forget(key);
        kept.make_room(version.products.len());
        kept.product_count += version.products.len();
        let program = KeptProgram {
            version: Arc::clone(&version),
            asked_at: AtomicU64::new(self.next_question()),
        };
        kept.programs.insert(key.clone(), program);
        version
    }

    fn next_question(&self) -> u64 {
        self.0.questions.fetch_add(1, Ordering::Relaxed)
    }
}

impl Kept {
    fn forget(&mut self, key: &ProgramKey) {
        if let Some(program) = self.programs.remove(key) {
            self.product_count -= program.version.products.len();
        }
    }

    /// Forgets the programs that were asked for least recently, until one more with so many products fits.
    fn make_room(&mut self, products: usize) {
        if self.programs.len() < MOST_PROGRAMS && self.product_count + products <= MOST_PRODUCTS {
            return;
        }
        let asked_at = |program: &KeptProgram| program.asked_at.load(Ordering::Relaxed);
        let mut keys: Vec<(u64, ProgramKey)> = self
            .programs
            .iter()
            .map(|(key, program)| (asked_at(program), key.clone()))
            .collect();
        keys.sort_unstable();
        // Some more than needed, so that the next ones find room without this.
        for (_, key) in keys {
            if self.programs.len() <= MOST_PROGRAMS * 7 / 8 && self.product_count + products <= MOST_PRODUCTS * 7 / 8 {
                break;
            }
            self.forget(&key);
        }
    }
}

async fn load_products(
    connection: &mut Connection,
    key: &ProgramKey,
    current: CurrentVersion,
    kept: Option<&ProgramVersion>,
) -> Result<Products, StorageError> {
    let (version, products_version) = (current.version, current.products_version);
    if let Some(kept) = kept.filter(|kept| kept.products.version() > 0) {
        let changed = product::in_force_since(connection, key, version, products_version, &kept.products).await?;
        if let Some(products) = changed {
            return Ok(products);
        }
    }
    product::in_force(connection, key, version, products_version).await
}

fn place(key: &ProgramKey) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    usize::try_from(hasher.finish() % LOADERS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::product::ProductPoints;

    /// A program with that many products, asked for at its number.
    fn keep(kept: &mut Kept, number: u32, products: &Arc<Products>) {
        let key: ProgramKey = (1, number.to_string().into());
        kept.make_room(products.len());
        kept.product_count += products.len();
        let program = serde_json::json!({
            "name": "Club", "state": "active", "unit": "points", "time_zone": "UTC", "decimals": 0,
            "currency": { "code": "EUR", "minor_units": 2 },
        });
        let version = ProgramVersion {
            program_id: Arc::clone(&key.1),
            version: 1,
            program: serde_json::from_value(program).unwrap(),
            rules: Default::default(),
            rewards: Default::default(),
            products: Arc::clone(products),
        };
        let program = KeptProgram {
            version: Arc::new(version),
            asked_at: AtomicU64::new(number.into()),
        };
        kept.programs.insert(key, program);
    }

    fn products(count: u32) -> Arc<Products> {
        let mut products = Products::new(1);
        for number in 0..count {
            let points = ProductPoints::default();
            assert!(products.push(&format!("{number:06}"), points));
        }
        Arc::new(products)
    }

    #[test]
    fn the_programs_asked_for_least_recently_make_room_for_products() {
        let (mut kept, large) = (Kept::default(), products(100_000));
        for number in 0..50 {
            keep(&mut kept, number, &large);
            assert!(kept.product_count <= MOST_PRODUCTS);
            assert_eq!(kept.product_count, kept.programs.len() * 100_000);
        }

        let oldest = kept.programs.keys().map(|key| key.1.parse::<usize>().unwrap()).min();
        assert_eq!(oldest, Some(50 - kept.programs.len()));
        assert!(kept.programs.len() > 10);
    }

    #[test]
    fn programs_without_products_are_bounded_too() {
        let (mut kept, none) = (Kept::default(), products(0));
        for number in 0..10_000 {
            keep(&mut kept, number, &none);
        }

        assert!(kept.programs.len() <= MOST_PROGRAMS);
        assert!(kept.programs.contains_key(&(1, "9999".into())));
    }
}
