//! Fields of a request on their way into the domain: what is missing, malformed or out of bounds is collected, so that
//! one answer names every field that is wrong.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use tonic::Status;
use tonic_types::FieldViolation;

use super::{auth, status, watched};

/// Characters of a decimal; the longest legal one has 28 digits, a sign and a point.
const DECIMAL_LENGTH: usize = 32;
/// Violations that are answered; one more page of them helps nobody.
const MOST_VIOLATIONS: usize = 50;

/// Collects violations.
#[derive(Default)]
pub(super) struct Fields {
    violations: Vec<FieldViolation>,
    /// The act takes place where the caller does not act.
    misplaced: Option<Status>,
}

/// The bounds of a number.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    min: Decimal,
    min_is_out: bool,
    max: Decimal,
    decimals: u32,
}

impl Bounds {
    /// From 0 to `max`, both in, with at most `decimals` decimals.
    pub(super) const fn up_to(max: Decimal, decimals: u32) -> Self {
        Self {
            min: Decimal::ZERO,
            min_is_out: false,
            max,
            decimals,
        }
    }

    /// The same without 0.
    pub(super) const fn positive(self) -> Self {
        Self {
            min_is_out: true,
            ..self
        }
    }

    /// The same with other decimals.
    pub(super) const fn with_decimals(self, decimals: u32) -> Self {
        Self { decimals, ..self }
    }
}

impl Fields {
    /// The value, unless a field was wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Status> {
        if !self.violations.is_empty() {
            return Err(status::invalid_fields(self.violations));
        }
        self.misplaced.map_or(Ok(value), Err)
    }

    /// Whether a field was wrong.
    pub(super) fn has_violations(&self) -> bool {
        !self.violations.is_empty()
    }

    /// Notes that a field is wrong.
    pub(super) fn wrong(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(FieldViolation::new(field, description));
        }
    }

    /// A text of `min` to `max` characters without control characters and without blanks around it.
    pub(super) fn text(&mut self, field: &str, value: String, min: usize, max: usize) -> String {
        let length = value.chars().count();
        if length == 0 && min > 0 {
            self.wrong(field, "is missing");
        } else if length < min || length > max {
            self.wrong(field, format!("has {length} characters; {min} to {max} are allowed"));
        } else if value.chars().any(|c| c.is_control() || turns_text(c)) {
            self.wrong(field, "has control characters");
        } else if value.trim().len() != value.len() {
            // The database compares without trailing blanks: two ids that differ only there would be one.
            self.wrong(field, "begins or ends with a blank");
        }
        value
    }

    /// Store and terminal in which an act takes place, at `<prefix>store_id` and `<prefix>terminal_id`. What is empty
    /// comes from the caller's key; another place than the key's is refused.
    pub(super) fn place(&mut self, prefix: &str, store_id: String, terminal_id: String) -> (String, String) {
        let (store, terminal) = auth::place();
        let store_id = self.one_place(format!("{prefix}store_id"), store_id, store, 1);
        let terminal_id = self.one_place(format!("{prefix}terminal_id"), terminal_id, terminal, 0);
        (store_id, terminal_id)
    }

    /// The same of an act that can take place in the office.
    pub(super) fn optional_place(&mut self, prefix: &str, store_id: String, terminal_id: String) -> (String, String) {
        let (store, terminal) = auth::place();
        let store_id = self.one_place(format!("{prefix}store_id"), store_id, store, 0);
        let terminal_id = self.one_place(format!("{prefix}terminal_id"), terminal_id, terminal, 0);
        (store_id, terminal_id)
    }

    fn one_place(&mut self, field: String, given: String, of_key: Option<String>, min: usize) -> String {
        let Some(of_key) = of_key else {
            return self.text(&field, given, min, 64);
        };
        if !given.is_empty() && given != of_key && self.misplaced.is_none() {
            self.misplaced = Some(status::place_mismatch(&field, &of_key));
        }
        of_key
    }

    /// An id of configuration: 1 to 64 of `a-z 0-9 - _ .`.
    pub(super) fn slug(&mut self, field: &str, value: String) -> String {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if value.is_empty() {
            self.wrong(field, "is missing");
        } else if value.len() > 64 || !value.chars().all(allowed) {
            self.wrong(field, "must be 1 to 64 of a-z, 0-9, `-`, `_` and `.`");
        }
        value
    }

    /// A request id: 1 to 64 printable ASCII characters.
    pub(super) fn request_id(&mut self, value: String) -> String {
        if value.is_empty() {
            self.wrong("request_id", "is missing");
        } else if value.len() > 64 || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.wrong(
                "request_id",
                "must be 1 to 64 printable ASCII characters without blanks",
            );
        } else {
            watched::tell_request_id(&value);
        }
        value
    }

    /// The etag that was read; 0, which no resource has, when it is wrong.
    pub(super) fn etag(&mut self, field: &str, value: &str) -> u32 {
        if value.is_empty() {
            self.wrong(field, "is missing");
            return 0;
        }
        // An etag that is none of ours is one that does not match.
        value.parse().unwrap_or_default()
    }

    /// An exact number; `None` when the field is empty or wrong.
    pub(super) fn decimal(&mut self, field: &str, value: Option<wire::Decimal>, bounds: Bounds) -> Option<Decimal> {
        let text = value?.value;
        let number = match parse_decimal(&text) {
            Ok(number) => number,
            Err(description) => {
                self.wrong(field, description);
                return None;
            }
        };
        if number < bounds.min || (bounds.min_is_out && number == bounds.min) {
            let than = if bounds.min_is_out {
                "must be above"
            } else {
                "must be at least"
            };
            self.wrong(field, format!("{than} {}", bounds.min));
        } else if number > bounds.max {
            self.wrong(field, format!("must be at most {}", bounds.max));
        } else if number.scale() > bounds.decimals {
            self.wrong(
                field,
                format!(
                    "has {} decimals; at most {} are allowed",
                    number.scale(),
                    bounds.decimals
                ),
            );
        } else {
            return Some(number);
        }
        None
    }

    /// An exact number that must be there; 0 when it is wrong.
    pub(super) fn required_decimal(&mut self, field: &str, value: Option<wire::Decimal>, bounds: Bounds) -> Decimal {
        if value.is_none() {
            self.wrong(field, "is missing");
        }
        self.decimal(field, value, bounds).unwrap_or_default()
    }

    /// An instant; `None` when the field is empty or wrong.
    pub(super) fn instant(&mut self, field: &str, value: Option<prost_types::Timestamp>) -> Option<DateTime<Utc>> {
        let value = value?;
        let nanos = u32::try_from(value.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
        let instant = nanos.and_then(|nanos| DateTime::from_timestamp(value.seconds, nanos));
        // Columns hold microseconds; a finer instant would not be the same when it is read back.
        let instant = instant.and_then(|instant| DateTime::from_timestamp_micros(instant.timestamp_micros()));
        // Protobuf's instants: those of the years that RFC 3339 can write.
        let instant = instant.filter(|instant| (1..=9_999).contains(&instant.year()));
        if instant.is_none() {
            self.wrong(field, "is no instant of the years 1 to 9999");
        }
        instant
    }

    /// A day as `YYYY-MM-DD`; `None` when the field is empty or wrong.
    pub(super) fn date(&mut self, field: &str, value: &str) -> Option<NaiveDate> {
        if value.is_empty() {
            return None;
        }
        let date = NaiveDate::parse_from_str(value, "%Y-%m-%d")
            .ok()
            .filter(|_| value.len() == 10);
        if date.is_none() {
            self.wrong(field, "must be a day as YYYY-MM-DD");
        }
        date
    }

    /// A value of an enum; `None` when it is unspecified or unknown, which is noted.
    pub(super) fn choice<E: TryFrom<i32> + Default + PartialEq>(&mut self, field: &str, number: i32) -> Option<E> {
        match E::try_from(number) {
            Ok(value) if value == E::default() => None,
            Ok(value) => Some(value),
            Err(_) => {
                self.wrong(field, format!("has the unknown value {number}"));
                None
            }
        }
    }

    /// Notes a list that is too long; whether it may be read.
    pub(super) fn at_most<T>(&mut self, field: &str, list: &[T], max: usize) -> bool {
        if list.len() > max {
            self.wrong(field, format!("has {} elements; at most {max} are allowed", list.len()));
        }
        list.len() <= max
    }
}

/// Whether a character breaks a line or turns the direction of what follows: a name with it makes a receipt, a log or a list
/// show something else than it says.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether nothing is seen of a character: an id with it looks like another id.
pub(super) fn is_unseen(c: char) -> bool {
    let is_mark = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
    );
    is_mark || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e01ef}')
}

fn parse_decimal(text: &str) -> Result<Decimal, String> {
    if text.len() > DECIMAL_LENGTH {
        return Err(format!(
            "has {} characters; a number has at most {DECIMAL_LENGTH}",
            text.len()
        ));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err("must be a plain decimal number such as 12.50".to_owned());
    }
    let number = Decimal::from_str_exact(text).map_err(|_| "has too many digits".to_owned())?;
    Ok(number.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_exact_numbers_are_numbers() {
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e3",
            "1_000",
            "1,5",
            " 1",
            "NaN",
            "٣",
            "0.00000000000000000000000000001",
        ] {
            assert!(parse_decimal(text).is_err(), "{text}");
        }
        for (text, expected) in [("007", "7"), ("-1.50", "-1.5"), ("+2", "2"), ("0.0", "0")] {
            assert_eq!(
                parse_decimal(text).map(|number| number.to_string()),
                Ok(expected.to_owned())
            );
        }
    }
}
