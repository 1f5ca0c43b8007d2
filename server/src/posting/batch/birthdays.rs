//! The decision of a bonus for a birthday.

use chrono::NaiveDate;

use super::Batch;
use crate::domain::account::Books;
use crate::domain::answer::{Answer, Refusal};
use crate::domain::birthday;
use crate::domain::program::ProgramVersion;
use crate::domain::sale::MemberKey;
use crate::posting::command::Named;
use crate::posting::{Command, Decided, Decision};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;

impl Batch<'_> {
    /// By what is known of the member under the lock: whoever changed it meanwhile came before.
    pub(super) async fn give_birthday_bonus(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        member: &MemberKey,
        day: NaiveDate,
    ) -> Result<Decision, StorageError> {
        let key = match self.account_of(command.merchant_id, Named::alone(member)) {
            Ok(key) => key,
            Err(rejection) => return Ok(Err(Refusal::from(&rejection))),
        };
        let birth_date = self.records.get(key).and_then(|record| record.person.birth_date);
        let give =
            |books: &mut Books, version: &ProgramVersion| birthday::give(books, version, birth_date, day, command.now);
        let given = self.on_books(connection, key, give).await?;
        Ok(given
            .map(|given| Decided::now(Answer::BirthdayBonus(given)))
            .map_err(|rejection| Refusal::from(&rejection)))
    }
}
