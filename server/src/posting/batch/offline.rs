//! What rates a sale that was made offline, or for which a quote holds.

use super::Batch;
use crate::domain::offline::{BusinessTime, OfflinePolicy};
use crate::domain::quote::{Holder, Quote};
use crate::domain::rejection::Rejection;
use crate::domain::sale::Sale;
use crate::posting::Command;
use crate::storage::account::AccountKey;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::{business_time, offline_policy};

impl Batch<'_> {
    /// What ruled when the sale was made or quoted; `None` where it is rated by what rules now. Refused where its quote does
    /// not hold.
    pub(super) async fn business_time(
        &mut self,
        connection: &mut Connection,
        key: AccountKey,
        command: &Command,
        sale: &Sale,
    ) -> Result<Result<Option<BusinessTime>, Rejection>, StorageError> {
        if !sale.offline && sale.quote.is_none() {
            return Ok(Ok(None));
        }
        let policy = match self.offline_policies.get(&key.0) {
            _ if !sale.offline => OfflinePolicy::default(),
            Some(policy) => policy.clone(),
            None => {
                self.round_trips += 1;
                let policy = offline_policy::find(connection, key.0).await?.policy;
                self.offline_policies.insert(key.0, policy.clone());
                policy
            }
        };
        if let Some(quote) = &sale.quote {
            let checked = self
                .check_holder(key, quote)
                .and_then(|()| quote.check_time(sale, &policy, command.now));
            if let Err(rejection) = checked {
                return Ok(Err(rejection));
            }
        }
        let Some(books) = self.books.get_mut(&key) else {
            return Ok(Ok(None));
        };
        let program = (key.0, std::sync::Arc::clone(&books.account.program_id));
        let Some(current) = self.versions.get(&program) else {
            return Ok(Ok(None));
        };
        if !business_time::is_needed(sale, current) {
            return Ok(Ok(None));
        }
        self.round_trips += 2;
        let asked = (sale, &policy);
        let then = business_time::load(connection, self.cache, key, books, asked, current, command.now).await?;
        Ok(Ok(then))
    }

    /// Refuses the quote of another member than the one whose account this is.
    fn check_holder(&self, key: AccountKey, quote: &Quote) -> Result<(), Rejection> {
        let is_of_member = match quote.holder {
            Holder::Member(member_id) => self.current((key.0, member_id)) == key,
            // Whose identifier it is has been checked.
            Holder::Customer(_) => true,
        };
        let books = self.books.get(&key);
        let is_of_program = books.is_some_and(|books| *books.account.program_id == *quote.program_id);
        match is_of_member && is_of_program {
            true => Ok(()),
            false => Err(Rejection::QuoteOfOtherMember),
        }
    }
}
