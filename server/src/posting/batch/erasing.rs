//! What an erasure takes along beside the record of the member.

use super::Batch;
use crate::domain::member::Member;
use crate::posting::Command;
use crate::storage::connection::Connection;
use crate::storage::erasure;
use crate::storage::error::StorageError;
use crate::storage::request::RequestResult;

impl Batch<'_> {
    /// Overwrites whatever tells something of the person, also of members who were merged into this one: reasons of
    /// changes, and answers that are kept for repetitions.
    pub(super) async fn erase(
        &mut self,
        connection: &mut Connection,
        command: &Command,
        member: &Member,
    ) -> Result<(), StorageError> {
        let persons = erasure::persons(connection, (command.merchant_id, member.member_id)).await?;
        self.round_trips += 1;
        for person in persons {
            let key = (command.merchant_id, person);
            self.erasures.push(erasure::forget_reasons(key));
            self.round_trips += 2;
            for (request, record) in erasure::requests(connection, key).await? {
                if let RequestResult::Answer(mut answer) = record.result {
                    answer.forget_person();
                    self.erasures.push(erasure::replace_answer(&request, &answer)?);
                }
            }
        }
        Ok(())
    }
}
