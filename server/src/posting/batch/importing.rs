//! The decision of rows of imports.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Batch;
use crate::domain::answer::{Answer, Refusal};
use crate::domain::importing::ImportedMember;
use crate::domain::rejection::Rejection;
use crate::posting::{Action, Command, Decided, Decision};
use crate::storage::connection::Connection;
use crate::storage::error::StorageError;
use crate::storage::import_row::{self, ImportRow, ImportRowKey, ImportRows};

/// Rows of imports: those that are written, and those that the batch writes.
#[derive(Default)]
pub(super) struct Imports {
    rows: HashMap<ImportRowKey, ImportRow>,
    new: Vec<(ImportRowKey, DateTime<Utc>)>,
}

impl Imports {
    /// The new rows.
    pub(super) fn rows(&self) -> Vec<String> {
        let mut rows = ImportRows::new();
        for (key, recorded_at) in &self.new {
            if let Some(row) = self.rows.get(key) {
                rows.push(key, row, *recorded_at);
            }
        }
        rows.finish()
    }
}

impl Batch<'_> {
    /// The rows that were written before.
    pub(super) async fn load_imports(
        &mut self,
        connection: &mut Connection,
        commands: &[Command],
    ) -> Result<(), StorageError> {
        let mut asked: HashMap<(u32, &str), Vec<u64>> = HashMap::new();
        for command in commands {
            if let Action::Import(_, imported) = &command.action {
                let numbers = asked.entry((command.merchant_id, &imported.import_id)).or_default();
                numbers.push(imported.row_number);
            }
        }
        for ((merchant_id, import_id), numbers) in asked {
            self.round_trips += 1;
            let found = import_row::find(connection, merchant_id, import_id, numbers).await?;
            self.imports.rows.extend(found);
        }
        Ok(())
    }

    /// A member with what came along, once: a row that was refused is not kept, so that it can come again, corrected.
    pub(super) fn import(&mut self, command: &Command, member_id: Uuid, imported: &ImportedMember) -> Decision {
        let key = (command.merchant_id, imported.import_id.clone(), imported.row_number);
        if let Some(row) = self.imports.rows.get(&key) {
            if row.content_hash != command.content_hash {
                let rejection = Rejection::ImportRowConflict {
                    import_id: imported.import_id.clone(),
                    row_number: imported.row_number,
                };
                return Err(Refusal::from(&rejection));
            }
            let answer = Answer::Imported(row.member_id);
            return Ok(Decided { answer, replayed: true });
        }
        let (merchant_id, now) = (command.merchant_id, command.now);
        let admitted = self.admit(command, member_id, &imported.enrolment, |version| {
            imported.open(version, merchant_id, member_id, now)
        });
        let mut member = admitted.map_err(|rejection| Refusal::from(&rejection))?;
        member.status = imported.opening.status(now);
        member.enrolled_at = imported.opening.enrolled_at.unwrap_or(member.enrolled_at);
        self.records.put(merchant_id, member);
        let row = ImportRow {
            content_hash: command.content_hash,
            member_id,
        };
        self.imports.rows.insert(key.clone(), row);
        self.imports.new.push((key, now));
        Ok(Decided::now(Answer::Imported(member_id)))
    }
}
