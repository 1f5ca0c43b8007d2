//! The table against the contract, and the page that shows it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor, MethodDescriptor};

use super::{AccessTable, Asked, RULES, Rule};
use crate::domain::access::Role;

/// The table as people read it, between these lines of the page.
const PAGE: &str = include_str!("../../../docs/access.md");
const BEGIN: &str = "<!-- the table of grpc/access.rs begins -->\n";
const END: &str = "<!-- the table of grpc/access.rs ends -->\n";

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(loyalty_api::FILE_DESCRIPTOR_SET).unwrap();
    pool.services()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

fn call_of(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().name(), method.name())
}

/// Paths of all fields in which a request names a store or a terminal.
fn places(message: &MessageDescriptor, prefix: &str, within: &mut Vec<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    within.push(message.full_name().to_owned());
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        let is_place = ["store_id", "store_ids", "terminal_id", "terminal_ids"]
            .iter()
            .any(|name| field.name().ends_with(name));
        match field.kind() {
            Kind::Message(inner) if !within.iter().any(|name| name == inner.full_name()) => {
                found.extend(places(&inner, &format!("{path}."), within));
            }
            Kind::String if is_place => {
                found.insert(path);
            }
            _ => {}
        }
    }
    within.pop();
    found
}

#[test]
fn every_call_of_the_contract_has_one_row_and_every_row_a_call() {
    let calls: BTreeSet<String> = methods().iter().map(call_of).collect();
    let rows: Vec<&str> = RULES.iter().map(|rule| rule.call).collect();
    let set: BTreeSet<String> = rows.iter().map(|row| (*row).to_owned()).collect();

    assert_eq!(set.len(), rows.len(), "a call has two rows");
    let without: Vec<_> = calls.difference(&set).collect();
    assert!(without.is_empty(), "say in grpc/access.rs who may call {without:?}");
    let gone: Vec<_> = set.difference(&calls).collect();
    assert!(gone.is_empty(), "not in the contract: {gone:?}");
}

#[test]
fn every_row_says_what_the_stores_and_terminals_of_its_request_mean() {
    for method in methods() {
        let call = call_of(&method);
        let rule = RULES.iter().find(|rule| rule.call == call).unwrap();
        let told: BTreeSet<String> = rule
            .acts_at
            .iter()
            .chain(rule.each_at)
            .chain(rule.tells_of)
            .map(|field| (*field).to_owned())
            .collect();

        let named = places(&method.input(), "", &mut Vec::new());

        assert_eq!(
            told, named,
            "{call}: is the act there (`acts_at`, and the handler calls `Fields::place`), or is it only told of it?"
        );
    }
}

#[test]
fn an_operator_may_do_everything_and_who_only_looks_changes_nothing() {
    let changes = |call: &str| {
        let method = call.split('/').nth(1).unwrap();
        ![
            "Get", "List", "Quote", "Lookup", "Preview", "Report", "Stream", "Verify",
        ]
        .iter()
        .any(|prefix| method.starts_with(prefix))
    };
    for rule in RULES {
        assert!(rule.roles.contains(&Role::Operator), "{}", rule.call);
        assert_eq!(
            rule.roles.contains(&Role::ReadOnly),
            !changes(rule.call),
            "{}",
            rule.call
        );
    }
}

#[test]
fn what_is_no_call_asks_for_a_key_and_health_and_reflection_for_nothing() {
    let table = AccessTable::new();

    assert!(matches!(
        table.asked("/loyalty.v1.LedgerService/RecordSale"),
        Asked::Role(..)
    ));
    for path in [
        "/",
        "",
        "/loyalty.v1.LedgerService/recordsale",
        "/grpc.health.v1.Healthy/Check",
        "/metrics",
    ] {
        assert!(matches!(table.asked(path), Asked::Key), "{path}");
    }
    for path in [
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] {
        assert!(matches!(table.asked(path), Asked::Nothing), "{path}");
    }
}

fn rendered() -> String {
    let mut table = String::from("| call | terminal | back office | read-only | operator | takes place at |\n");
    table.push_str("|---|---|---|---|---|---|\n");
    let mut rules: Vec<&Rule> = RULES.iter().collect();
    rules.sort_by_key(|rule| rule.call.split('/').next().unwrap_or_default());
    for rule in rules {
        let marks = Role::ALL.map(|role| if rule.roles.contains(&role) { "✓" } else { "" });
        let mut places: Vec<String> = rule.acts_at.iter().map(|field| format!("`{field}`")).collect();
        if !rule.each_at.is_empty() {
            places.push("each operation as its own call".to_owned());
        }
        writeln!(
            table,
            "| {} | {} | {} |",
            rule.call,
            marks.join(" | "),
            places.join(", ")
        )
        .unwrap();
    }
    table
}

/// `UPDATE_DOCS=1 cargo test -p loyalty-server the_page_of_access` writes it.
#[test]
fn the_page_of_access_shows_the_table() {
    let (before, rest) = PAGE.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let page = format!("{before}{BEGIN}{}{END}{after}", rendered());

    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md"), page).unwrap();
        return;
    }
    assert_eq!(PAGE, page, "run it once with UPDATE_DOCS=1");
}
