//! S4: every call that takes place somewhere takes place where the caller's key says.

use loyalty_server::tenants::Role;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{World, scenarios};
use crate::harness::any_call::{call, message_of};
use crate::harness::keys::Keys as _;

const PAGE: &str = include_str!("../../server/docs/access.md");

/// The fields that say where a call takes place, as the page tells.
fn places(call: &str) -> Vec<&'static str> {
    let row = PAGE.lines().find(|line| line.starts_with(&format!("| {call} |")));
    let row = row.unwrap_or_else(|| panic!("{call} is not on the page"));
    row.split('`').skip(1).step_by(2).collect()
}

/// A message with the text at a path changed.
fn with(message: &[u8], call: &str, path: &str, text: &str) -> Vec<u8> {
    let mut message = DynamicMessage::decode(message_of(call).0, message).expect("a request");
    let mut inner = &mut message;
    let mut names = path.split('.').peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            inner.set_field_by_name(name, Value::String(text.to_owned()));
            break;
        }
        inner = match inner.get_field_by_name_mut(name) {
            Some(Value::Message(message)) => message,
            other => panic!("{path}: {other:?}"),
        };
    }
    message.encode_to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_a_store_acts_nowhere_else_and_fills_in_what_is_left_empty() {
    let world = World::make().await;
    let key = world
        .shop
        .tenants()
        .await
        .key_for_store("alpha", Role::Operator, "store-1")
        .await;
    let channel = world.shop.client.channel();
    let mut tried = 0;

    for scenario in scenarios() {
        let stores: Vec<&str> = places(scenario.call)
            .into_iter()
            .filter(|field| field.ends_with("store_id"))
            .collect();
        for field in stores {
            let messages = (scenario.messages)(&world).await;
            let at = |store: &str| {
                messages
                    .iter()
                    .map(|message| with(message, scenario.call, field, store))
                    .collect()
            };

            let elsewhere = call(&channel, Some(&key), scenario.call, at("store-2")).await;
            let unsaid = call(&channel, Some(&key), scenario.call, at("")).await;

            let status = elsewhere.expect_err(scenario.call);
            let info = status.get_details_error_info().expect("a reason");
            assert_eq!(
                (status.code(), info.reason.as_str()),
                (Code::PermissionDenied, "PLACE_MISMATCH")
            );
            assert_eq!(
                (info.metadata["field"].as_str(), info.metadata["allowed"].as_str()),
                (field, "store-1")
            );
            assert!(unsaid.is_ok(), "{}: {unsaid:?}", scenario.call);
            tried += 1;
        }
    }
    assert!(tried >= 2, "{tried}");
}
