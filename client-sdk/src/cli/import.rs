//! Brings the members of a CSV file into a program.

use std::{
    fs::File,
    io::BufReader,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    csv_reader::CsvReader,
    member_rows::Columns,
    output::{Answer, Done},
    progress::{Progress, ProgressStyle},
};
use crate::{
    client::Client,
    error::Error,
    id::ProgramId,
    import::{ImportCounts, ImportedMember, RefusedRow},
};

/// What is imported, and where.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) program_id: ProgramId,
    pub(super) import_id: &'a str,
    pub(super) progress: ProgressStyle,
}

/// Rows that were not written: line, field, reason, message.
type Refusals = Mutex<Vec<Vec<String>>>;

impl Import<'_> {
    /// Reads the file and says which rows cannot be read; asks no server.
    pub(super) fn checked(&self) -> Result<Done, String> {
        let refusals = Refusals::default();
        let mut rows = self.rows(&refusals)?;
        let readable = rows.by_ref().count();
        let failure = rows.failure.take();
        let unreadable = entered(&refusals).len();
        let summary = format!("{readable} rows can be read, {unreadable} cannot; nothing was sent");
        Ok(done(refusals, summary, failure))
    }

    /// Sends the rows.
    pub(super) async fn carried_out(&self, client: &Client) -> Result<Done, String> {
        let total = self.rows(&Refusals::default())?.count();
        let refusals = Refusals::default();
        let mut rows = self.rows(&refusals)?;
        let mut progress = Progress::of(self.progress, "rows", u64::try_from(total).ok());
        let mut counts = ImportCounts::default();
        let told = |part: &crate::import::ImportProgress| {
            progress.advance(dealt_with(&part.counts) - dealt_with(&counts));
            counts = part.counts;
            entered(&refusals).extend(part.refused.iter().map(refused));
        };
        let (program_id, import_id) = (self.program_id.clone(), self.import_id);
        let sent = client.import_members(program_id, import_id, rows.by_ref(), told).await;
        progress.finish();
        let refused = entered(&refusals).len();
        let summary = format!(
            "{} imported, {} there before, {refused} refused, up to line {}",
            counts.imported, counts.unchanged, counts.last_row_number
        );
        let broken_off = |error: Error| format!("{error}; the same command goes on from there");
        let failure = rows.failure.take().or_else(|| sent.err().map(broken_off));
        Ok(done(refusals, summary, failure))
    }

    fn rows<'a>(&'a self, refusals: &'a Refusals) -> Result<Rows<'a>, String> {
        let of_file = |error: &dyn std::fmt::Display| format!("{}: {error}", self.file.display());
        let file = File::open(self.file).map_err(|error| of_file(&error))?;
        let (reader, names) = CsvReader::new(BufReader::new(file)).map_err(|error| of_file(&error))?;
        Ok(Rows {
            columns: Columns::named(&names).map_err(|error| of_file(&error))?,
            program_id: &self.program_id,
            reader,
            refusals,
            failure: None,
        })
    }
}

/// The rows of a file that can be read; the others are entered as refused.
struct Rows<'a> {
    reader: CsvReader<BufReader<File>>,
    columns: Columns,
    program_id: &'a ProgramId,
    refusals: &'a Refusals,
    /// Why the file could not be read to its end.
    failure: Option<String>,
}

impl Iterator for Rows<'_> {
    type Item = ImportedMember;

    fn next(&mut self) -> Option<ImportedMember> {
        loop {
            let (line, cells) = match self.reader.record() {
                Ok(record) => record?,
                Err(error) => {
                    self.failure = Some(error.to_string());
                    return None;
                }
            };
            match self.columns.member(self.program_id, line, &cells) {
                Ok(member) => return Some(member),
                Err((column, message)) => {
                    let refusal = vec![line.to_string(), column, "UNREADABLE".to_owned(), message];
                    entered(self.refusals).push(refusal);
                }
            }
        }
    }
}

fn refused(row: &RefusedRow) -> Vec<String> {
    let reason = row.error.reason().as_str_name().trim_start_matches("ERROR_REASON_");
    vec![
        row.row_number.to_string(),
        row.field.clone().unwrap_or_default(),
        reason.to_owned(),
        row.error.to_string(),
    ]
}

fn dealt_with(counts: &ImportCounts) -> u64 {
    counts.imported + counts.unchanged + counts.refused
}

fn entered(refusals: &Refusals) -> MutexGuard<'_, Vec<Vec<String>>> {
    refusals.lock().unwrap_or_else(PoisonError::into_inner)
}

fn done(refusals: Refusals, summary: String, failure: Option<String>) -> Done {
    let mut rows = refusals.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|row| row.first().and_then(|line| line.parse::<u64>().ok()));
    let is_whole = rows.is_empty() && failure.is_none();
    let notes = std::iter::once(summary).chain(failure);
    Done {
        answer: Answer::Several {
            columns: vec!["line", "field", "reason", "message"],
            rows,
        },
        notes: notes.collect(),
        is_whole,
    }
}
