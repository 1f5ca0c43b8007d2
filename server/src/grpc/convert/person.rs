//! What is known of a customer.

use chrono::{Datelike, NaiveDate};
use loyalty_api::v1 as wire;

use super::timestamp;
use crate::domain::member::MarketingConsent;
use crate::grpc::fields::Fields;

const EARLIEST_BIRTH_YEAR: i32 = 1900;
const LANGUAGE_LENGTH: usize = 35;

/// A day of birth; `None` when it is empty or wrong.
pub(in crate::grpc) fn birth_date(fields: &mut Fields, field: &str, given: &str) -> Option<NaiveDate> {
    let day = fields.date(field, given)?;
    if day.year() < EARLIEST_BIRTH_YEAR {
        fields.wrong(field, format!("lies before the year {EARLIEST_BIRTH_YEAR}"));
    }
    Some(day)
}

/// A BCP 47 tag, as far as its shape shows: subtags of 1 to 8 letters and digits, the first one letters.
pub(in crate::grpc) fn language(fields: &mut Fields, field: &str, given: String) -> String {
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mut parts = given.split('-');
    let first = parts.next().unwrap_or_default();
    let is_tag = (2..=8).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(is_subtag)
        && given.len() <= LANGUAGE_LENGTH;
    if !given.is_empty() && !is_tag {
        fields.wrong(field, "must be a BCP 47 tag such as `es-PE`");
    }
    given
}

/// What a customer said to marketing; `None` when nobody asked.
pub(in crate::grpc) fn consent(
    fields: &mut Fields,
    field: &str,
    given: Option<wire::MarketingConsent>,
) -> Option<MarketingConsent> {
    let given = given?;
    Some(MarketingConsent {
        granted: given.granted,
        decided_at: fields.instant(&format!("{field}.decided_at"), given.decided_at),
    })
}

/// The same on the wire.
pub(super) fn consent_to_wire(consent: MarketingConsent) -> wire::MarketingConsent {
    wire::MarketingConsent {
        granted: consent.granted,
        decided_at: consent.decided_at.map(timestamp),
    }
}
