//! What shows only without the SDK's types and behind the server's back: malformed input, details of refusals, rows.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use loyalty_sdk::api::{self as wire, member_key::Key};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::Shop;

/// The tables that writes of any kind go to; not those that the sealer empties and fills on its own.
const TABLES: &[&str] = &[
    "account",
    "allocation",
    "configuration_change",
    "entry",
    "hold",
    "identifier",
    "lot",
    "member",
    "member_change",
    "product",
    "program",
    "program_definition",
    "reason",
    "receipt_templates",
    "redemption",
    "request",
    "reward",
    "rule",
    "sale",
    "sale_reversal",
    "merchant",
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    row_count: i64,
}

impl Shop {
    /// How many rows each table has.
    pub(crate) async fn rows(&self) -> BTreeMap<&'static str, i64> {
        let mut connection = self.database().await;
        let mut counts = BTreeMap::new();
        for &table in TABLES {
            let question = diesel::sql_query(format!("SELECT COUNT(*) AS row_count FROM {table}"));
            let count: Count = question.get_result(&mut connection).await.expect("a count");
            counts.insert(table, count.row_count);
        }
        counts
    }
}

/// The call was refused as INVALID_ARGUMENT, for `reason`, naming `field`.
pub(crate) fn assert_names(what: &str, outcome: &Option<Status>, field: &str, reason: &str) {
    let status = outcome.as_ref().unwrap_or_else(|| panic!("{what} was taken"));
    let details = status.get_error_details();
    let named: Vec<&str> = details
        .bad_request()
        .iter()
        .flat_map(|bad| bad.field_violations.iter().map(|violation| violation.field.as_str()))
        .collect();
    assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
    assert_eq!(
        details.error_info().map(|info| info.reason.as_str()),
        Some(reason),
        "{what}"
    );
    assert!(named.contains(&field), "{what}: {named:?} does not name {field}");
}

/// A request id that no other write has.
pub(crate) fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A number as it travels, well formed or not.
pub(crate) fn number(value: &str) -> Option<wire::Decimal> {
    let value = value.to_owned();
    Some(wire::Decimal { value })
}

/// A member by customer number.
pub(crate) fn customer(customer_id: &str) -> Option<wire::MemberKey> {
    let key = Some(Key::CustomerId(customer_id.to_owned()));
    Some(wire::MemberKey { key })
}
