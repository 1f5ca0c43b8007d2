//! A sale as the POS reported it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::enrolment::{Identifier, IdentifierKind};
use super::outcome::Accounting;
use super::quote::Quote;

/// A document of the POS. Its serialized form is canonical: decimals are normalized, empty fields are left out. It is
/// kept with the recorded sale, without the person: who bought is the member of its row. Its hash, and the person's, tells
/// a repetition from a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sale {
    pub(crate) sale_id: String,
    pub(crate) store_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) terminal_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) cashier_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) document_type: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) document_number: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) program_id: String,
    #[serde(skip, default = "MemberKey::unsaid")]
    pub(crate) member: MemberKey,
    pub(crate) currency_code: String,
    pub(crate) total: Decimal,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<SaleLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tenders: Vec<Tender>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) redemptions: Vec<SaleRedemption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) do_not_earn: bool,
    /// The till had no line: what ruled at `occurred_at`, which is said, rates it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) offline: bool,
    #[serde(skip)]
    pub(crate) customer: Option<Customer>,
    /// What was quoted for it and holds. It is no part of the content: a repetition may come without.
    #[serde(skip)]
    pub(crate) quote: Option<Quote>,
}

/// The customer of a sale, as the POS knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Customer {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) customer_group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) territory: String,
}

/// Names a member.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MemberKey {
    MemberId(uuid::Uuid),
    CustomerId(String),
    Card(String),
    Phone(String),
    Email(String),
    QrCode(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SaleLine {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) product_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) category: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) brand: String,
    pub(crate) quantity: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) discount_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) discount_amount: Option<Decimal>,
    /// After discounts, tax included.
    pub(crate) amount: Decimal,
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) tax_amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) flag: Option<SaleLineFlag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SaleLineFlag {
    Shipping,
    GiftCard,
    Deposit,
    NonEarning,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tender {
    pub(crate) tender_type: String,
    pub(crate) amount: Decimal,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SaleRedemption {
    pub(crate) ask: RedemptionAsk,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) clamp: bool,
    /// In the place of the program's, where it is not empty.
    #[serde(flatten)]
    pub(crate) accounting: Accounting,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RedemptionAsk {
    Points(Decimal),
    Amount(Decimal),
    /// Units of a product at its price in points.
    Product {
        product_id: String,
        quantity: Decimal,
    },
    Reward {
        reward_id: String,
        quantity: Decimal,
    },
}

impl MemberKey {
    /// That of a document that was kept: its row says whose it is.
    fn unsaid() -> Self {
        Self::MemberId(uuid::Uuid::nil())
    }

    /// The identifier that names the member; `None` for one that is named by id.
    pub(crate) fn identifier(&self) -> Option<Identifier> {
        let (kind, value) = match self {
            Self::MemberId(_) => return None,
            Self::CustomerId(value) => (IdentifierKind::CustomerId, value),
            Self::Card(value) => (IdentifierKind::Card, value),
            Self::Phone(value) => (IdentifierKind::Phone, value),
            Self::Email(value) => (IdentifierKind::Email, value),
            Self::QrCode(value) => (IdentifierKind::QrCode, value),
        };
        Some(Identifier {
            kind,
            value: value.clone(),
        })
    }
}

impl SaleLine {
    /// The one line of a sale without lines.
    pub(crate) fn whole(total: Decimal) -> Self {
        Self {
            product_id: String::new(),
            category: String::new(),
            brand: String::new(),
            quantity: Decimal::ONE,
            unit_price: None,
            discount_percent: None,
            discount_amount: None,
            amount: total,
            tax_amount: Decimal::ZERO,
            flag: None,
        }
    }
}

impl Sale {
    /// When it was made: as it was quoted, if a quote holds, else as the till says, else when it arrives.
    pub(crate) fn made_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let quoted = self.quote.as_ref().map(|quote| quote.at);
        quoted.or(self.occurred_at).unwrap_or(now)
    }

    /// What the customer still has to pay when the other tenders are taken off.
    pub(crate) fn due(&self) -> Decimal {
        self.total - self.tenders.iter().map(|tender| tender.amount).sum::<Decimal>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_never_changes() {
        let sale = Sale {
            sale_id: "4711".to_owned(),
            store_id: "store-1".to_owned(),
            terminal_id: String::new(),
            cashier_id: String::new(),
            document_type: String::new(),
            document_number: String::new(),
            program_id: String::new(),
            member: MemberKey::CustomerId("ada".to_owned()),
            currency_code: "EUR".to_owned(),
            total: Decimal::new(17, 0),
            lines: vec![SaleLine {
                product_id: "coffee".to_owned(),
                category: String::new(),
                brand: String::new(),
                quantity: Decimal::new(25, 1),
                unit_price: None,
                discount_percent: None,
                discount_amount: None,
                amount: Decimal::new(17, 0),
                tax_amount: Decimal::ZERO,
                flag: Some(SaleLineFlag::GiftCard),
            }],
            tenders: Vec::new(),
            redemptions: vec![SaleRedemption {
                ask: RedemptionAsk::Points(Decimal::TEN),
                clamp: false,
                accounting: Accounting::default(),
            }],
            occurred_at: DateTime::from_timestamp(1_768_471_200, 0),
            do_not_earn: false,
            offline: false,
            customer: None,
            quote: None,
        };

        let canonical = serde_json::to_string(&sale);

        // What is stored must stay readable, and a till that repeats a sale across an upgrade must not meet a conflict:
        // a field that is added is left out where it is empty.
        assert_eq!(
            canonical.ok().as_deref(),
            Some(
                r#"{"sale_id":"4711","store_id":"store-1","currency_code":"EUR","total":"17","lines":[{"product_id":"coffee","quantity":"2.5","amount":"17","flag":"gift_card"}],"redemptions":[{"ask":{"points":"10"}}],"occurred_at":"2026-01-15T10:00:00Z"}"#
            )
        );
    }
}
