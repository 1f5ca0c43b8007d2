//! Changes of what is known of a member.

use chrono::NaiveDate;
use loyalty_api::v1;

use crate::{
    id::RuleId,
    member::{MarketingConsent, Member},
    wire,
};

/// Changes of a member as it was read: only what is set here changes, and only if nobody changed the record since.
///
/// ```
/// # fn change(member: &loyalty_sdk::Member) -> loyalty_sdk::MemberUpdate {
/// loyalty_sdk::MemberUpdate::of(member).name("Ada King").assigned_rule(None::<&str>)
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct MemberUpdate {
    // Kept as it will be sent: the mask names a field exactly when a method below filled it.
    pub(crate) member: v1::Member,
    pub(crate) paths: Vec<String>,
}

impl MemberUpdate {
    /// Changes nothing of `member` yet.
    pub fn of(member: &Member) -> Self {
        Self {
            member: v1::Member {
                member_id: member.member_id.to_string(),
                etag: member.etag.clone(),
                ..v1::Member::default()
            },
            paths: Vec::new(),
        }
    }

    /// The customer's name; may be empty.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.member.name = name.into();
        self.changing("name")
    }

    /// The customer's day of birth; `None`: not known.
    pub fn birth_date(mut self, day: Option<NaiveDate>) -> Self {
        self.member.birth_date = wire::day_text(day);
        self.changing("birth_date")
    }

    /// The language that the customer reads, as a BCP 47 tag; `None`: not known.
    pub fn language(mut self, tag: Option<impl Into<String>>) -> Self {
        self.member.language = tag.map(Into::into).unwrap_or_default();
        self.changing("language")
    }

    /// What the customer says to marketing; `None`: nobody asked.
    pub fn marketing_consent(mut self, consent: Option<MarketingConsent>) -> Self {
        self.member.marketing_consent = consent.map(MarketingConsent::to_wire);
        self.changing("marketing_consent")
    }

    /// The customer's group, as a path; `None`: none.
    pub fn customer_group(mut self, path: Option<impl Into<String>>) -> Self {
        self.member.customer_group = path.map(Into::into).unwrap_or_default();
        self.changing("customer_group")
    }

    /// Where the customer is at home, as a path; `None`: not known.
    pub fn territory(mut self, path: Option<impl Into<String>>) -> Self {
        self.member.territory = path.map(Into::into).unwrap_or_default();
        self.changing("territory")
    }

    /// The rule that the member scores under, before all others; `None`: none.
    pub fn assigned_rule(mut self, rule_id: Option<impl Into<RuleId>>) -> Self {
        self.member.assigned_rule_id = rule_id.map(Into::into).map(String::from).unwrap_or_default();
        self.changing("assigned_rule_id")
    }

    fn changing(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|changed| changed == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
