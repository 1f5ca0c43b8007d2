//! Pages of lists: by the key of the last row, so that rows written meanwhile shift nothing.

use chrono::{DateTime, Datelike as _, Utc};
use sha2::{Digest, Sha256};
use tonic::Status;

use super::fields::Fields;

const DEFAULT_SIZE: u32 = 50;
const MOST: u32 = 200;

/// Which page is asked.
pub(super) struct Page {
    size: u32,
    /// Key of the last row of the page before; `None` for the first page.
    pub(super) after: Option<String>,
}

impl Page {
    /// Reads `page_size` and `page_token`.
    pub(super) fn parse(size: u32, token: &str) -> Result<Self, Status> {
        Self::parse_up_to(MOST, size, token)
    }

    /// The same of a list whose pages may have another size.
    pub(super) fn parse_up_to(most: u32, size: u32, token: &str) -> Result<Self, Status> {
        let mut fields = Fields::default();
        if size > most {
            fields.wrong("page_size", format!("must be at most {most}"));
        }
        let after = if token.is_empty() { None } else { key(token) };
        if !token.is_empty() && after.is_none() {
            fields.wrong("page_token", "is not a token of this list");
        }
        fields.finish(Self {
            size: if size == 0 { DEFAULT_SIZE } else { size },
            after,
        })
    }

    /// The sequence below which the page starts.
    pub(super) fn after_sequence(&self) -> Result<u64, Status> {
        let Some(after) = &self.after else {
            // Sequences are stored as they are compared: unsigned, but bound as signed by some drivers.
            return Ok(i64::MAX.unsigned_abs());
        };
        after.parse().map_err(|_| wrong_token())
    }

    /// The id of configuration behind which the page starts; empty for the first page. The database does not compare other
    /// text with such ids.
    pub(super) fn after_slug(&self) -> Result<String, Status> {
        let after = self.after.clone().unwrap_or_default();
        if after.is_ascii() {
            Ok(after)
        } else {
            Err(wrong_token())
        }
    }

    /// Rows of the page.
    pub(super) fn size(&self) -> usize {
        self.size as usize
    }

    /// One row more than the page: it tells whether there is a next one.
    pub(super) fn rows_to_read(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// The rows of the page, and the token of the next, empty when this is the last.
    pub(super) fn cut<T>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
        let size = self.size();
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let token = rows.last().map(|last| token(&key(last))).unwrap_or_default();
        (rows, token)
    }
}

fn wrong_token() -> Status {
    let mut fields = Fields::default();
    fields.wrong("page_token", "is not a token of this list");
    fields.finish(()).err().unwrap_or_else(super::status::internal)
}

/// The token of the page behind the row with this key.
pub(super) fn token(key: &str) -> String {
    hex::encode(key)
}

/// The key that a token was made of; `None` when it is no token.
pub(super) fn key(token: &str) -> Option<String> {
    String::from_utf8(hex::decode(token).ok()?).ok()
}

/// The instant that a key tells in microseconds: one of those that the database holds.
pub(super) fn instant(micros: &str) -> Option<DateTime<Utc>> {
    let instant = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
    (1..=9_999).contains(&instant.year()).then_some(instant)
}

/// What shows that a token is as it was given, to whom it was given: 16 characters, enough that no other text has the
/// same by chance.
pub(super) fn checksum(of: &str) -> String {
    hex::encode(Sha256::digest(of).get(..8).unwrap_or_default())
}
