//! Rules.

use loyalty_api::v1 as wire;

use super::program::{earn_rate, earn_rate_to_wire};
use super::timestamp;
use crate::domain::answer::RuleRecord;
use crate::domain::configuration::RuleEdit;
use crate::domain::program::Rule;
use crate::grpc::fields::Fields;

/// A new rule.
pub(in crate::grpc) fn new_rule(fields: &mut Fields, given: wire::Rule) -> Option<Rule> {
    refuse_output_fields(fields, &given);
    if !given.etag.is_empty() {
        fields.wrong("rule.etag", "is set by the server");
    }
    let name = fields.text("rule.name", given.name, 1, 200);
    let Some(rate) = given.earn_rate else {
        fields.wrong("rule.earn_rate", "is missing");
        return None;
    };
    Some(Rule {
        name,
        earn_rate: earn_rate(fields, "rule.earn_rate", rate),
        archived: false,
    })
}

/// The changes that a mask names.
pub(in crate::grpc) fn rule_edit(fields: &mut Fields, given: wire::Rule, paths: &[String]) -> RuleEdit {
    let mut edit = RuleEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    for path in paths {
        match path.as_str() {
            "name" => edit.name = Some(fields.text("rule.name", given.name.clone(), 1, 200)),
            "earn_rate" => match given.earn_rate.clone() {
                Some(rate) => edit.earn_rate = Some(earn_rate(fields, "rule.earn_rate", rate)),
                None => fields.wrong("rule.earn_rate", "is missing"),
            },
            other => fields.wrong("update_mask", format!("`{other}` cannot be changed")),
        }
    }
    edit
}

/// A rule on the wire.
pub(in crate::grpc) fn rule(record: RuleRecord) -> wire::Rule {
    wire::Rule {
        rule_id: record.rule_id,
        program_id: record.program_id,
        name: record.rule.name,
        earn_rate: Some(earn_rate_to_wire(&record.rule.earn_rate)),
        archived: record.rule.archived,
        etag: record.since_version.to_string(),
        since_version: record.since_version,
        updated_at: Some(timestamp(record.updated_at)),
    }
}

fn refuse_output_fields(fields: &mut Fields, given: &wire::Rule) {
    let set = [
        ("rule.archived", given.archived),
        ("rule.since_version", given.since_version != 0),
        ("rule.updated_at", given.updated_at.is_some()),
    ];
    for (field, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        fields.wrong(field, "is set by the server");
    }
}
