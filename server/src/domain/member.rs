//! The person behind an account: what is known of the customer, and nothing that the books need.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::Attributes;
use super::enrolment::Identifier;
use super::member_status::MemberStatus;
use super::rejection::Rejection;

/// How far ahead of the server the clock of whoever asked for consent may run.
const MOST_AHEAD: TimeDelta = TimeDelta::hours(1);

/// A customer's enrolment: the person's side of it. The books are an `Account` with the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) identifiers: Vec<Identifier>,
    #[serde(flatten)]
    pub(crate) person: Person,
    #[serde(flatten)]
    pub(crate) attributes: Attributes,
    #[serde(default, skip_serializing_if = "MemberStatus::is_plain")]
    pub(crate) status: MemberStatus,
    pub(crate) enrolled_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// Counts the changes of the record: its etag.
    pub(crate) version: u32,
}

/// What is known of a customer. Every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) birth_date: Option<NaiveDate>,
    /// A BCP 47 tag.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) language: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) marketing_consent: Option<MarketingConsent>,
}

/// What a customer said to marketing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MarketingConsent {
    pub(crate) granted: bool,
    /// `None` in a request: when it is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decided_at: Option<DateTime<Utc>>,
}

impl Member {
    /// Forgets the person: what is left says nothing of anybody.
    pub(crate) fn forget(&mut self) {
        self.identifiers.clear();
        self.person = Person::default();
        self.attributes = Attributes::default();
        self.status.block = None;
    }
}

impl Person {
    /// The same as it is stored at `now`: nothing of it lies in the future. `parent` names it in a refusal, with its dot.
    pub(crate) fn known_at(mut self, parent: &str, now: DateTime<Utc>) -> Result<Self, Rejection> {
        // The day begins in the Pacific before it does in UTC.
        let tomorrow = now.date_naive() + Days::new(1);
        if self.birth_date.is_some_and(|day| day > tomorrow) {
            return Err(in_future(format!("{parent}birth_date")));
        }
        if let Some(consent) = &mut self.marketing_consent {
            let decided_at = consent.decided_at.unwrap_or(now);
            if decided_at > now + MOST_AHEAD {
                return Err(in_future(format!("{parent}marketing_consent.decided_at")));
            }
            consent.decided_at = Some(decided_at);
        }
        Ok(self)
    }
}

fn in_future(field: String) -> Rejection {
    Rejection::InvalidField {
        field,
        description: "lies in the future".to_owned(),
    }
}
