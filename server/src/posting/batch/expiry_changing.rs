//! The decision of a move of lots to the expiry of their program.

use super::Batch;
use crate::domain::answer::{Answer, Refusal};
use crate::domain::expiry_change::{self, Applying};
use crate::domain::sale::MemberKey;
use crate::posting::command::Named;
use crate::posting::{Command, Decided, Decision};
use crate::storage::accrual;
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;

impl Batch<'_> {
    pub(super) async fn change_expiry(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        member: &MemberKey,
        applying: &Applying,
    ) -> Result<Decision, StorageError> {
        let key = match self.account_of(command.merchant_id, Named::alone(member)) {
            Ok(key) => key,
            Err(rejection) => return Ok(Err(Refusal::from(&rejection))),
        };
        let Some(mut books) = self.books.get(&key).cloned() else {
            return Err(StorageError::Corrupt(format!("an account that vanished: {}", key.1)));
        };
        let Some(version) = self.version_of(key.0, &books) else {
            return Err(StorageError::Corrupt(format!(
                "an account of an unknown program: {}",
                key.1
            )));
        };
        self.learn_all(connection, key, &mut books).await?;
        let mut accruals = accrual::of_books(connection, key.0, &[&books]).await?;
        self.round_trips += 2;
        let accruals = accruals.remove(&key.1).unwrap_or_default();
        let accruals = expiry_change::with_unwritten(accruals, &books);
        let counts = expiry_change::apply(&mut books, &version, &accruals, applying, command.now);
        let counts = counts.map_err(|_| StorageError::Corrupt("books that do not add up".to_owned()))?;
        self.books.insert(key, books);
        Ok(Ok(Decided::now(Answer::ExpiryChanged(counts))))
    }
}
