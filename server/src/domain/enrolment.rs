//! The enrolment of a customer in a program.

use serde::{Deserialize, Serialize};

use super::account::Attributes;
use super::member::Person;

/// Something a customer is known by, unique in a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Identifier {
    pub(crate) kind: IdentifierKind,
    pub(crate) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentifierKind {
    CustomerId,
    Card,
    Phone,
    Email,
    QrCode,
}

/// What a caller asks to enrol, the identifiers in the caller's order: a refusal names them by their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Enrolment {
    pub(crate) program_id: String,
    pub(crate) identifiers: Vec<Identifier>,
    #[serde(flatten)]
    pub(crate) person: Person,
    #[serde(flatten)]
    pub(crate) attributes: Attributes,
}

impl Enrolment {
    /// The same for the same identifiers in whatever order.
    pub(crate) fn canonical(&self) -> Self {
        let mut canonical = self.clone();
        canonical.identifiers.sort();
        canonical
    }
}
