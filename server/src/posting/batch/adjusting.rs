//! The decision of an adjustment.

use super::Batch;
use crate::domain::account::Books;
use crate::domain::adjustment::{self, Adjusting, AdjustmentOutcome};
use crate::domain::program::ProgramVersion;
use crate::domain::rejection::Rejection;
use crate::posting::command::Named;
use crate::posting::{Action, Command};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::reason::ReasonKey;

impl Batch<'_> {
    pub(super) async fn adjust(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        adjusting: &Adjusting,
    ) -> Result<Result<AdjustmentOutcome, Rejection>, StorageError> {
        let named = Named::in_adjustment(&adjusting.adjustment);
        let key = match self.account_of(command.merchant_id, named) {
            Ok(key) => key,
            Err(rejection) => return Ok(Err(rejection)),
        };
        let reason_id = adjusting.adjustment.reason_id.clone();
        let Some(reason) = self.reasons.get(&(command.merchant_id, reason_id.clone())).cloned() else {
            return Ok(Err(Rejection::ReasonNotFound { reason_id }));
        };
        let adjust = |books: &mut Books, version: &ProgramVersion| {
            books.whole(|books| adjustment::adjust(books, version, &reason, adjusting, command.now))
        };
        self.on_books(connection, key, adjust).await
    }
}

/// The reason that a command names.
pub(super) fn reason_of(command: &Command) -> Option<ReasonKey> {
    let Action::Adjust(adjusting) = &command.action else {
        return None;
    };
    Some((command.merchant_id, adjusting.adjustment.reason_id.clone()))
}
