//! What rates a sale that was made offline.

use super::Batch;
use crate::domain::offline::BusinessTime;
use crate::domain::sale::Sale;
use crate::posting::Command;
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{business_time, offline_policy};

impl Batch<'_> {
    /// What ruled when the sale was made; `None` where it is rated by what rules now.
    pub(super) async fn business_time(
        &mut self,
        connection: &mut Connection,
        key: AccountKey,
        command: &Command,
        sale: &Sale,
    ) -> Result<Option<BusinessTime>, StorageError> {
        if !sale.offline {
            return Ok(None);
        }
        let policy = match self.offline_policies.get(&key.0) {
            Some(policy) => policy.clone(),
            None => {
                self.round_trips += 1;
                let policy = offline_policy::find(connection, key.0).await?;
                self.offline_policies.insert(key.0, policy.clone());
                policy
            }
        };
        let Some(books) = self.books.get_mut(&key) else {
            return Ok(None);
        };
        let program = (key.0, std::sync::Arc::clone(&books.account.program_id));
        let Some(current) = self.versions.get(&program) else {
            return Ok(None);
        };
        self.round_trips += 2;
        let asked = (sale, &policy);
        business_time::load(connection, self.cache, key, books, asked, current, command.now).await
    }
}
