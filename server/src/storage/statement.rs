//! Multi-row INSERT statements as one text: several times faster than bound parameters. The literals are integers,
//! decimals, days and instants, bytes in hex, and texts: between quotes while they hold nothing that could end or escape
//! a literal, in hex otherwise.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use diesel_async::SimpleAsyncConnection;
use rust_decimal::Decimal;
use std::fmt::Write as _;

use super::connection::Connection;
use super::error::StorageError;

/// Longest text sent at once: well below the smallest `max_allowed_packet` default (16 MiB), with room for one sale of
/// the largest allowed size behind it.
const TEXT_LIMIT_BYTES: usize = 4 << 20;

/// From this length on rows save more by being read byte for byte than it costs to say so.
const LONG_BYTES: usize = 16 << 10;

/// A multi-row INSERT that grows row by row.
pub(crate) struct Insert {
    head: &'static str,
    tail: &'static str,
    rows: String,
    /// Finished statements of earlier rows.
    full: Vec<String>,
    row_is_empty: bool,
}

impl Insert {
    /// `head` goes up to and with `VALUES`; `tail` follows the rows.
    pub(crate) fn new(head: &'static str, tail: &'static str) -> Self {
        Self {
            head,
            tail,
            rows: String::new(),
            full: Vec::new(),
            row_is_empty: true,
        }
    }

    /// Begins a row; its values follow in the order of the columns.
    pub(crate) fn row(&mut self) -> &mut Self {
        if !self.rows.is_empty() {
            self.rows.push(')');
        }
        if self.rows.len() > TEXT_LIMIT_BYTES {
            self.end_statement();
        }
        if self.rows.is_empty() {
            self.rows.push_str(self.head);
            self.rows.push_str(" (");
        } else {
            self.rows.push_str(",(");
        }
        self.row_is_empty = true;
        self
    }

    pub(crate) fn integer(&mut self, value: impl Into<u64>) -> &mut Self {
        self.comma();
        // Writing to a String cannot fail.
        let _ = write!(self.rows, "{}", value.into());
        self
    }

    pub(crate) fn decimal(&mut self, value: Decimal) -> &mut Self {
        self.comma();
        let _ = write!(self.rows, "{value}");
        self
    }

    pub(crate) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.comma();
        self.rows.push_str("x'");
        self.hex(value);
        self
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.comma();
        if is_plain(value) {
            self.rows.reserve(value.len() + 2);
            self.rows.push('\'');
            self.rows.push_str(value);
            self.rows.push('\'');
        } else {
            self.rows.push_str("_utf8mb4 x'");
            self.hex(value.as_bytes());
        }
        self
    }

    pub(crate) fn instant(&mut self, value: DateTime<Utc>) -> &mut Self {
        self.comma();
        let (day, time) = (value.date_naive(), value.time());
        // A year of three digits or fewer would be taken for one of our time, were it a number.
        if day.year() < 1_000 {
            self.rows.push_str(&literal(value));
            return self;
        }
        // Field by field: a format string that is read for every value costs more than all of the digits. As a number: the
        // database need not look for what stands between its digits.
        let _ = write!(
            self.rows,
            "{}{:02}{:02}{:02}{:02}{:02}.{:06}",
            day.year(),
            day.month(),
            day.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.nanosecond() / 1_000 % 1_000_000,
        );
        self
    }

    pub(crate) fn date(&mut self, value: NaiveDate) -> &mut Self {
        self.comma();
        let _ = write!(
            self.rows,
            "'{:04}-{:02}-{:02}'",
            value.year(),
            value.month(),
            value.day()
        );
        self
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.comma();
        self.rows.push_str("NULL");
        self
    }

    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T) -> &mut Self) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// The finished statements, none for no rows.
    pub(crate) fn finish(mut self) -> Vec<String> {
        if !self.rows.is_empty() {
            self.rows.push(')');
            self.end_statement();
        }
        self.full
    }

    fn end_statement(&mut self) {
        let mut statement = std::mem::take(&mut self.rows);
        statement.push_str(self.tail);
        self.full.push(statement);
    }

    fn comma(&mut self) {
        if !self.row_is_empty {
            self.rows.push(',');
        }
        self.row_is_empty = false;
    }

    fn hex(&mut self, value: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.rows.reserve(value.len() * 2 + 1);
        for byte in value {
            self.rows.push(char::from(DIGITS[usize::from(byte >> 4)]));
            self.rows.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        self.rows.push('\'');
    }
}

/// Sends statements in as few texts as their size allows: one, but for batches of very large sales.
pub(crate) async fn execute(connection: &mut Connection, statements: Vec<String>) -> Result<(), StorageError> {
    let mut text = String::new();
    for statement in byte_for_byte(statements) {
        if !text.is_empty() && text.len() + statement.len() > TEXT_LIMIT_BYTES {
            connection.batch_execute(&text).await?;
            text.clear();
        }
        if text.is_empty() {
            text = statement;
        } else {
            text.push_str(&statement);
        }
        text.push(';');
    }
    if !text.is_empty() {
        connection.batch_execute(&text).await?;
    }
    Ok(())
}

/// The same statements, with the database told to read long rows byte for byte: it takes two thirds of the time that it
/// takes to look at every character, and what a column of texts is given is still checked to be in its character set.
/// Others compare texts, and stay as they are.
fn byte_for_byte(statements: Vec<String>) -> Vec<String> {
    let mut told = Vec::with_capacity(statements.len() + 2);
    let mut statements = statements.into_iter().peekable();
    while let Some(first) = statements.next() {
        let mut alike = vec![first];
        while let Some(next) = statements.next_if(|next| adds_rows(next) && adds_rows(&alike[0])) {
            alike.push(next);
        }
        let is_long = adds_rows(&alike[0]) && alike.iter().map(String::len).sum::<usize>() >= LONG_BYTES;
        told.extend(is_long.then(|| "SET NAMES binary".to_owned()));
        told.extend(alike);
        told.extend(is_long.then(|| "SET NAMES utf8mb4".to_owned()));
    }
    told
}

/// Whether a statement is made of literals, as `Insert` makes it.
fn adds_rows(statement: &str) -> bool {
    statement.starts_with("INSERT INTO ")
}

/// Whether a text means itself between quotes, in every mode of a database: connections speak UTF-8, as texts do, so that
/// only these bytes could mean anything else.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| matches!(byte, b'\'' | b'\\' | 0))
}

/// An instant as a literal.
pub(super) fn literal(instant: DateTime<Utc>) -> String {
    format!("'{}'", instant.format("%Y-%m-%d %H:%M:%S%.6f"))
}

/// A text as a literal, in hex.
pub(super) fn hex_text(text: &str) -> String {
    format!("_utf8mb4 x'{}'", hex::encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_rows_are_read_byte_for_byte() {
        let rows = |length| format!("INSERT INTO t VALUES ('{}')", "a".repeat(length));
        let other = || "DELETE FROM t WHERE a = 'a'".to_owned();
        let (on, off) = ("SET NAMES binary".to_owned(), "SET NAMES utf8mb4".to_owned());
        let half = LONG_BYTES / 2;

        let told = byte_for_byte(vec![rows(9), other(), rows(half), rows(half), other(), rows(half)]);

        let long = [on, rows(half), rows(half), off];
        let expected = [vec![rows(9), other()], long.to_vec(), vec![other(), rows(half)]];
        assert_eq!(told, expected.concat());
    }

    #[test]
    fn an_instant_is_a_number_to_the_microsecond_once_its_year_has_four_digits() {
        let written = [
            (1_795_694_889, "20261126120809.001234"),
            (-30_610_224_000, "10000101000000.001234"),
            (-30_610_224_001, "'0999-12-31 23:59:59.001234'"),
        ];

        for (seconds, literal) in written {
            let instant = DateTime::from_timestamp(seconds, 1_234_567).expect("an instant");
            let mut insert = Insert::new("VALUES", "");
            insert.row().instant(instant);
            assert_eq!(insert.finish(), [format!("VALUES ({literal})")]);
        }
    }

    #[test]
    fn a_text_stands_between_quotes_only_where_nothing_in_it_could_end_them() {
        let literals = [
            ("", "''"),
            ("{\"name\":\"Καφές ☕\"}", "'{\"name\":\"Καφές ☕\"}'"),
            ("line\nline", "'line\nline'"),
            ("it's", "_utf8mb4 x'69742773'"),
            ("a\\", "_utf8mb4 x'615c'"),
            ("a\0", "_utf8mb4 x'6100'"),
        ];

        for (text, literal) in literals {
            let mut insert = Insert::new("VALUES", "");
            insert.row().text(text);
            assert_eq!(insert.finish(), [format!("VALUES ({literal})")]);
        }
    }
}
