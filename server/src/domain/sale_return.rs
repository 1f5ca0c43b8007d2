//! A return as the POS reported it, and a cancellation.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Goods of a sale that come back. Its serialized form is canonical, as a sale's is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SaleReturn {
    /// The POS's own, unique per merchant and store.
    pub(crate) return_id: String,
    pub(crate) sale: SaleName,
    pub(crate) returned: Returned,
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// All of a sale undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) sale: SaleName,
    #[serde(flatten)]
    pub(crate) place: Place,
}

/// What undoes a sale, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SaleReversal {
    Return(SaleReturn),
    Cancellation(Cancellation),
}

impl SaleReversal {
    pub(crate) fn sale(&self) -> &SaleName {
        match self {
            Self::Return(sale_return) => &sale_return.sale,
            Self::Cancellation(cancellation) => &cancellation.sale,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        match self {
            Self::Return(sale_return) => &sale_return.place,
            Self::Cancellation(cancellation) => &cancellation.place,
        }
    }

    /// `None`: a cancellation.
    pub(crate) fn return_id(&self) -> Option<&str> {
        match self {
            Self::Return(sale_return) => Some(&sale_return.return_id),
            Self::Cancellation(_) => None,
        }
    }
}

/// The POS's name of a sale.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SaleName {
    pub(crate) store_id: String,
    pub(crate) sale_id: String,
}

/// Where and when something happened to a sale, and on which document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// Not necessarily the store of the sale.
    pub(crate) store_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) terminal_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cashier_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) document_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) document_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<DateTime<Utc>>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Returned {
    Lines(Vec<ReturnedLine>),
    /// Spread over what is not returned yet.
    Amount(Decimal),
    /// All that is not returned yet.
    Rest,
}

/// How much of a line comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReturnedLine {
    /// Place of the line in the sale, from 0.
    pub(crate) line: u32,
    /// `None`: all that is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<Decimal>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_never_changes() {
        let sale_return = SaleReturn {
            return_id: "r-1".to_owned(),
            sale: SaleName {
                store_id: "store-1".to_owned(),
                sale_id: "4711".to_owned(),
            },
            returned: Returned::Lines(vec![ReturnedLine {
                line: 2,
                quantity: Some(Decimal::new(15, 1)),
            }]),
            place: Place {
                store_id: "store-2".to_owned(),
                occurred_at: DateTime::from_timestamp(1_768_471_200, 0),
                ..Place::default()
            },
        };

        let canonical = serde_json::to_string(&sale_return);

        assert_eq!(
            canonical.ok().as_deref(),
            Some(
                r#"{"return_id":"r-1","sale":{"store_id":"store-1","sale_id":"4711"},"returned":{"lines":[{"line":2,"quantity":"1.5"}]},"store_id":"store-2","occurred_at":"2026-01-15T10:00:00Z"}"#
            )
        );
    }
}
