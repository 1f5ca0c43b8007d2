//! Customers to enrol.

use chrono::NaiveDate;

use crate::{
    id::{ProgramId, RuleId},
    member::{Identifier, MarketingConsent},
};

/// A customer to enrol: 1 to 10 identifiers, at most one of them a customer id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMember {
    /// The program.
    pub program_id: ProgramId,
    /// What the customer is known by.
    pub identifiers: Vec<Identifier>,
    /// The customer's name, at most 200 characters; may be empty.
    pub name: String,
    /// The customer's group as a path, such as `retail/vip`, at most 200 characters.
    pub customer_group: Option<String>,
    /// Where the customer is at home, as a path such as `south/lima`, at most 200 characters.
    pub territory: Option<String>,
    /// The rule that the member scores under, before all others; one of the program.
    pub assigned_rule_id: Option<RuleId>,
    /// The customer's day of birth, from 1900 on.
    pub birth_date: Option<NaiveDate>,
    /// The language that the customer reads, as a BCP 47 tag such as `es-PE`.
    pub language: Option<String>,
    /// What the customer said to marketing; `None` when nobody asked.
    pub marketing_consent: Option<MarketingConsent>,
}

impl NewMember {
    /// A member of `program_id`, still without identifiers.
    pub fn new(program_id: impl Into<ProgramId>) -> Self {
        Self {
            program_id: program_id.into(),
            identifiers: Vec::new(),
            name: String::new(),
            customer_group: None,
            territory: None,
            assigned_rule_id: None,
            birth_date: None,
            language: None,
            marketing_consent: None,
        }
    }

    /// Says when the customer was born.
    #[must_use]
    pub fn birth_date(mut self, day: NaiveDate) -> Self {
        self.birth_date = Some(day);
        self
    }

    /// Says which language the customer reads, as a BCP 47 tag.
    #[must_use]
    pub fn language(mut self, tag: impl Into<String>) -> Self {
        self.language = Some(tag.into());
        self
    }

    /// Says what the customer said to marketing.
    #[must_use]
    pub fn marketing_consent(mut self, consent: MarketingConsent) -> Self {
        self.marketing_consent = Some(consent);
        self
    }

    /// Known by the shop's own customer number, 1 to 128 characters.
    #[must_use]
    pub fn customer_id(mut self, customer_id: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::CustomerId(customer_id.into()));
        self
    }

    /// Known by a telephone number.
    #[must_use]
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::Phone(phone.into()));
        self
    }

    /// Known by an e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::Email(email.into()));
        self
    }

    /// Known by what a QR code says, 1 to 128 characters.
    #[must_use]
    pub fn qr_code(mut self, qr_code: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::QrCode(qr_code.into()));
        self
    }

    /// Puts the customer into a group.
    #[must_use]
    pub fn customer_group(mut self, path: impl Into<String>) -> Self {
        self.customer_group = Some(path.into());
        self
    }

    /// Says where the customer is at home.
    #[must_use]
    pub fn territory(mut self, path: impl Into<String>) -> Self {
        self.territory = Some(path.into());
        self
    }

    /// Has the member score under a rule, before all others.
    #[must_use]
    pub fn assigned_rule(mut self, rule_id: impl Into<RuleId>) -> Self {
        self.assigned_rule_id = Some(rule_id.into());
        self
    }

    /// Known by the number of a loyalty card, 1 to 128 characters.
    #[must_use]
    pub fn card(mut self, card: impl Into<String>) -> Self {
        self.identifiers.push(Identifier::Card(card.into()));
        self
    }

    /// Sets the customer's name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}
