//! The decision of a sweep.

use super::Batch;
use crate::domain::account::{Books, Stop};
use crate::domain::answer::{Answer, Refusal};
use crate::domain::program::ProgramVersion;
use crate::domain::sale::MemberKey;
use crate::domain::sweeping;
use crate::posting::command::Named;
use crate::posting::{Command, Decided, Decision};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;

impl Batch<'_> {
    pub(super) async fn sweep(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        member: &MemberKey,
    ) -> Result<Decision, StorageError> {
        let key = match self.account_of(command.merchant_id, Named::alone(member)) {
            Ok(key) => key,
            Err(rejection) => return Ok(Err(Refusal::from(&rejection))),
        };
        let sweep = |books: &mut Books, version: &ProgramVersion| {
            sweeping::sweep(books, version.version, command.now).map_err(Stop::from)
        };
        let swept = self.on_books(connection, key, sweep).await?;
        Ok(swept
            .map(|swept| Decided::now(Answer::Swept(swept)))
            .map_err(|rejection| Refusal::from(&rejection)))
    }
}
