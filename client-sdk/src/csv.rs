//! Entries as CSV, for spreadsheets and for programs that book them.

use std::borrow::Cow;
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

use crate::entry::{Entry, EntryKind};

/// The columns, in their order. More may come behind them.
const COLUMNS: [&str; 22] = [
    "member_id",
    "sequence",
    "kind",
    "points",
    "balance_after",
    "occurred_at",
    "recorded_at",
    "store_id",
    "sale_id",
    "document_type",
    "document_number",
    "program_version",
    "expense_account",
    "cost_center",
    "reference",
    "at_store_id",
    "terminal_id",
    "cashier_id",
    "actor",
    "reason_id",
    "note",
    "lots",
];

/// Writes entries, of a member's history or of the feed, as CSV: a line with the names of the columns, then a line for each
/// entry; commas between, lines end in CR LF, and what holds a comma, a quote or a line break stands in quotes (RFC 4180).
/// Numbers have a decimal point and no grouping, instants are of RFC 3339 in UTC, kinds are named as in the contract
/// (`EARN`), and what there is not is empty. The text is UTF-8. What a till or a person wrote and a spreadsheet would take
/// for a formula (`=`, `+`, `-` or `@` at its begin, and no number) has an apostrophe before it. `lots` has `sequence:points:expiry` of each lot, with blanks between.
///
/// ```no_run
/// # async fn export(client: loyalty_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use loyalty_sdk::{CsvWriter, FeedRequest};
///
/// let file = std::fs::File::create("entries.csv")?;
/// let mut csv = CsvWriter::new(std::io::BufWriter::new(file))?;
/// let mut feed = client.stream_entries(&FeedRequest::default());
/// while let Some(batch) = feed.next().await? {
///     csv.entries(&batch.entries)?;
/// }
/// csv.finish()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CsvWriter<W: Write> {
    out: W,
}

impl<W: Write> CsvWriter<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out };
        writer.line(COLUMNS.map(str::to_owned))?;
        Ok(writer)
    }

    /// Goes on behind what was written before, without the names.
    pub fn appending(out: W) -> Self {
        Self { out }
    }

    /// Writes entries.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn entries<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> io::Result<()> {
        entries.into_iter().try_for_each(|entry| self.entry(entry))
    }

    /// Writes one entry.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let lots = entry.lots.iter().map(|lot| {
            let expires_at = lot.expires_at.map(instant).unwrap_or_default();
            format!("{}:{}:{expires_at}", lot.lot_sequence, lot.points.normalize())
        });
        self.line([
            entry.member_id.to_string(),
            entry.sequence.to_string(),
            kind(entry.kind),
            entry.points.normalize().to_string(),
            entry.balance_after.normalize().to_string(),
            instant(entry.occurred_at),
            instant(entry.recorded_at),
            optional(&entry.store_id),
            optional(&entry.sale_id),
            optional(&entry.document_type),
            optional(&entry.document_number),
            entry.program_version.to_string(),
            optional(&entry.expense_account),
            optional(&entry.cost_center),
            optional(&entry.reference),
            optional(&entry.at_store_id),
            optional(&entry.terminal_id),
            optional(&entry.cashier_id),
            optional(&entry.actor),
            entry.reason_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            optional(&entry.note),
            lots.collect::<Vec<_>>().join(" "),
        ])
    }

    /// Everything is written out; gives `out` back.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, fields: [String; COLUMNS.len()]) -> io::Result<()> {
        write_line(&mut self.out, &fields)
    }
}

/// A line of CSV.
pub(crate) fn write_line(out: &mut impl Write, fields: &[String]) -> io::Result<()> {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        let field = harmless(field);
        match field.contains([',', '"', '\r', '\n']) {
            true => write!(out, "\"{}\"", field.replace('"', "\"\""))?,
            false => out.write_all(field.as_bytes())?,
        }
    }
    out.write_all(b"\r\n")
}

/// A text that no spreadsheet takes for a formula and carries out: whoever wrote a note is not who opens the file.
fn harmless(field: &str) -> Cow<'_, str> {
    let is_formula = field.trim_start().starts_with(['=', '+', '-', '@']) && field.parse::<Decimal>().is_err();
    match is_formula || field.starts_with('\t') {
        true => Cow::Owned(format!("'{field}")),
        false => Cow::Borrowed(field),
    }
}

/// A kind as the contract names it; of one that is not known here the number.
pub(crate) fn kind(kind: EntryKind) -> String {
    let number = kind.number();
    let name = loyalty_api::v1::EntryKind::try_from(number).map(|kind| kind.as_str_name());
    match name {
        Ok(name) => name.trim_start_matches("ENTRY_KIND_").to_owned(),
        Err(_) => number.to_string(),
    }
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_taken_apart_stands_in_quotes_and_what_would_be_carried_out_is_text() {
        let cases = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"when\"", "\"say \"\"when\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
            ("-12.50", "-12.50"),
            ("-1+2", "'-1+2"),
            ("=1+1", "'=1+1"),
            (" =1+1", "' =1+1"),
            ("@SUM(A1,A2)", "\"'@SUM(A1,A2)\""),
            ("\t=1+1", "'\t=1+1"),
        ];
        for (field, expected) in cases {
            let mut out = Vec::new();
            write_line(&mut out, &[field.to_owned(), "x".to_owned()]).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{expected},x\r\n"));
        }
    }
}
