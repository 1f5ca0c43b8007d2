//! What is different between two messages, field by field in the names of the contract. It goes by the descriptors, so
//! that a field that is added to a resource shows in its history without a line here.

use std::collections::HashSet;
use std::sync::LazyLock;

use chrono::{DateTime, SecondsFormat};
use loyalty_api::v1 as wire;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, ReflectMessage, Value};

/// Fields of a resource that change with every change of it.
const SET_BY_SERVER: [&str; 5] = ["version", "etag", "since_version", "created_at", "updated_at"];
/// Characters of a value that are shown.
const VALUE_LENGTH: usize = 4_000;

/// The contract is compiled in: that it can be read is what the tests show.
static CONTRACT: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(loyalty_api::FILE_DESCRIPTOR_SET).ok());

/// The fields in which `after` is different from `before` (`None`: all that is set), both of the type `loyalty.v1.name`;
/// `None` when there is no such type.
pub(super) fn between<M: Message>(name: &str, before: Option<&M>, after: &M) -> Option<Vec<wire::FieldChange>> {
    let descriptor = CONTRACT.as_ref()?.get_message_by_name(&format!("loyalty.v1.{name}"))?;
    let read = |message: &M| DynamicMessage::decode(descriptor.clone(), message.encode_to_vec().as_slice()).ok();
    let before = match before {
        Some(before) => Some(read(before)?),
        None => None,
    };
    let mut changes = Vec::new();
    messages(&mut changes, "", before.as_ref(), Some(&read(after)?));
    changes.retain(|change: &wire::FieldChange| !SET_BY_SERVER.contains(&change.path.as_str()));
    Some(changes)
}

fn messages(
    changes: &mut Vec<wire::FieldChange>,
    path: &str,
    before: Option<&DynamicMessage>,
    after: Option<&DynamicMessage>,
) {
    let Some(one) = before.or(after) else {
        return;
    };
    for field in one.descriptor().fields() {
        let path = match path {
            "" => field.name().to_owned(),
            path => format!("{path}.{}", field.name()),
        };
        let (was, is) = (value(before, after, &field), value(after, before, &field));
        values(changes, &path, &field.kind(), was.as_ref(), is.as_ref());
    }
}

/// The value of a field of a message; `None` where it can be left out and is. Of a message without a counterpart only
/// counts what is set.
fn value(message: Option<&DynamicMessage>, other: Option<&DynamicMessage>, field: &FieldDescriptor) -> Option<Value> {
    let message = message?;
    let counts = message.has_field(field) || !field.supports_presence() && other.is_some();
    counts.then(|| message.get_field(field).into_owned())
}

fn values(
    changes: &mut Vec<wire::FieldChange>,
    path: &str,
    kind: &Kind,
    before: Option<&Value>,
    after: Option<&Value>,
) {
    match (before, after) {
        (Some(Value::List(before)), Some(Value::List(after))) => lists(changes, path, kind, before, after),
        (Some(Value::List(before)), None) => lists(changes, path, kind, before, &[]),
        (None, Some(Value::List(after))) => lists(changes, path, kind, &[], after),
        _ if is_group(kind) => {
            let count = changes.len();
            messages(
                changes,
                path,
                before.and_then(Value::as_message),
                after.and_then(Value::as_message),
            );
            if changes.len() == count && before.is_some() != after.is_some() {
                // It says something by being there.
                let text = |side: Option<&Value>| side.map(|_| "{}".to_owned()).unwrap_or_default();
                push(changes, path, text(before), text(after));
            }
        }
        _ => {
            let text = |side: Option<&Value>| side.map(|value| text(kind, value)).unwrap_or_default();
            push(changes, path, text(before), text(after));
        }
    }
}

fn lists(changes: &mut Vec<wire::FieldChange>, path: &str, kind: &Kind, before: &[Value], after: &[Value]) {
    if !is_group(kind) {
        let texts = |list: &[Value]| -> Vec<String> { list.iter().map(|value| text(kind, value)).collect() };
        let (before, after) = (texts(before), texts(after));
        let (mut old, mut new) = (json(&before), json(&after));
        if old != new && old.len().max(new.len()) > VALUE_LENGTH {
            // Cut, they might look the same.
            (old, new) = (json(&without(&before, &after)), json(&without(&after, &before)));
        }
        push(changes, path, old, new);
        return;
    }
    let (before, after) = match (named(before), named(after)) {
        (Some(before), Some(after)) => (before, after),
        _ => (numbered(before), numbered(after)),
    };
    let find = |list: &[(String, &'_ DynamicMessage)], name: &str| list.iter().position(|(other, _)| other == name);
    for (name, element) in &before {
        let now = find(&after, name).map(|place| after[place].1);
        messages(changes, &format!("{path}[{name}]"), Some(element), now);
    }
    for (name, element) in &after {
        if find(&before, name).is_none() {
            messages(changes, &format!("{path}[{name}]"), None, Some(element));
        }
    }
}

/// Those of `texts` that are not among `others`.
fn without(texts: &[String], others: &[String]) -> Vec<String> {
    let others: HashSet<&String> = others.iter().collect();
    texts.iter().filter(|text| !others.contains(text)).cloned().collect()
}

fn json(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        texts => serde_json::to_string(texts).unwrap_or_default(),
    }
}

/// Elements by what names them, which is their first field; `None` when they have no names or share one.
fn named(list: &[Value]) -> Option<Vec<(String, &DynamicMessage)>> {
    let mut elements: Vec<(String, &DynamicMessage)> = Vec::with_capacity(list.len());
    for element in list {
        let element = element.as_message()?;
        let descriptor = element.descriptor();
        let first = descriptor.fields().find(|field| field.number() == 1)?;
        let is_name = ["_id", "_type", "_code"]
            .iter()
            .any(|ending| first.name().ends_with(ending));
        let name = element.get_field(&first).as_str()?.to_owned();
        if !is_name || elements.iter().any(|(other, _)| *other == name) {
            return None;
        }
        elements.push((name, element));
    }
    Some(elements)
}

fn numbered(list: &[Value]) -> Vec<(String, &DynamicMessage)> {
    let elements = list.iter().filter_map(Value::as_message).enumerate();
    elements.map(|(place, element)| (place.to_string(), element)).collect()
}

fn push(changes: &mut Vec<wire::FieldChange>, path: &str, old_value: String, new_value: String) {
    if old_value != new_value {
        changes.push(wire::FieldChange {
            path: path.to_owned(),
            old_value: cut(old_value),
            new_value: cut(new_value),
        });
    }
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(VALUE_LENGTH) {
        text.truncate(end);
    }
    text
}

/// Whether values of this kind are told by their parts; numbers and instants are messages, but one text each.
fn is_group(kind: &Kind) -> bool {
    match kind {
        Kind::Message(message) => !["loyalty.v1.Decimal", "google.protobuf.Timestamp"].contains(&message.full_name()),
        _ => false,
    }
}

fn text(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Enum(kind), Value::EnumNumber(number)) => name_of(kind, *number),
        (_, Value::Bool(value)) => value.to_string(),
        (_, Value::I32(value)) => value.to_string(),
        (_, Value::I64(value)) => value.to_string(),
        (_, Value::U32(value)) => value.to_string(),
        (_, Value::U64(value)) => value.to_string(),
        (_, Value::String(value)) => value.clone(),
        (_, Value::Bytes(value)) => hex::encode(value),
        (_, Value::Message(message)) => match message.get_field_by_name("value").as_deref() {
            Some(Value::String(number)) => number.clone(),
            _ => instant(message).unwrap_or_default(),
        },
        (_, Value::F32(_) | Value::F64(_) | Value::EnumNumber(_) | Value::List(_) | Value::Map(_)) => String::new(),
    }
}

/// The name of a value without the prefix that is the name of its enum.
fn name_of(kind: &EnumDescriptor, number: i32) -> String {
    let Some(value) = kind.get_value(number) else {
        return number.to_string();
    };
    // The value 0 of every enum is its prefix with this word.
    let unspecified = kind
        .get_value(0)
        .map(|value| value.name().to_owned())
        .unwrap_or_default();
    let prefix = unspecified.strip_suffix("UNSPECIFIED").unwrap_or_default();
    let name = value.name();
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

fn instant(message: &DynamicMessage) -> Option<String> {
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    let nanos = message.get_field_by_name("nanos")?.as_i32()?;
    let instant = DateTime::from_timestamp(seconds, u32::try_from(nanos).ok()?)?;
    Some(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(value: &str) -> Option<wire::Decimal> {
        Some(wire::Decimal {
            value: value.to_owned(),
        })
    }

    fn tier(id: &str, minimum: &str) -> wire::Tier {
        wire::Tier {
            tier_id: id.to_owned(),
            minimum_spend: decimal(minimum),
            ..wire::Tier::default()
        }
    }

    fn changed(before: Option<&wire::Program>, after: &wire::Program) -> Vec<(String, String, String)> {
        let changes = between("Program", before, after).unwrap();
        let parts = |change: wire::FieldChange| (change.path, change.old_value, change.new_value);
        changes.into_iter().map(parts).collect()
    }

    fn change(path: &str, old: &str, new: &str) -> (String, String, String) {
        (path.to_owned(), old.to_owned(), new.to_owned())
    }

    #[test]
    fn elements_of_lists_are_named_and_what_is_equal_is_left_out() {
        let before = wire::Program {
            name: "Club".to_owned(),
            tiers: vec![tier("silver", "100"), tier("gold", "500"), tier("old", "900")],
            ..wire::Program::default()
        };
        let mut after = wire::Program {
            tiers: vec![tier("bronze", "1"), tier("silver", "100"), tier("gold", "600")],
            version: 7,
            etag: "7".to_owned(),
            ..before.clone()
        };
        after.set_state(wire::ProgramState::Paused);

        let expected = [
            change("state", "UNSPECIFIED", "PAUSED"),
            change("tiers[gold].minimum_spend", "500", "600"),
            change("tiers[old].tier_id", "old", ""),
            change("tiers[old].minimum_spend", "900", ""),
            change("tiers[bronze].tier_id", "", "bronze"),
            change("tiers[bronze].minimum_spend", "", "1"),
        ];
        assert_eq!(changed(Some(&before), &after), expected);
        assert_eq!(changed(Some(&before), &before), []);
    }

    #[test]
    fn what_was_created_shows_what_is_set() {
        let created = wire::Program {
            name: "Club".to_owned(),
            decimals: Some(0),
            expiry: Some(wire::ExpiryPolicy {
                period: Some(wire::expiry_policy::Period::Days(30)),
                end: 0,
            }),
            created_at: Some(prost_types::Timestamp::default()),
            ..wire::Program::default()
        };

        let expected = [
            change("name", "", "Club"),
            change("decimals", "", "0"),
            change("expiry.days", "", "30"),
        ];
        assert_eq!(changed(None, &created), expected);
    }

    #[test]
    fn a_switch_that_goes_off_says_so() {
        let on = wire::Program {
            earn_on_points_paid_part: true,
            ..wire::Program::default()
        };

        let off = wire::Program::default();
        assert_eq!(
            changed(Some(&on), &off),
            [change("earn_on_points_paid_part", "true", "false")]
        );
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = wire::Program {
            name: "é".repeat(VALUE_LENGTH + 1),
            ..wire::Program::default()
        };

        assert_eq!(changed(None, &long), [change("name", "", &"é".repeat(VALUE_LENGTH))]);
    }
}
