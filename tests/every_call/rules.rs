//! Scenarios of RuleService.

use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::{number, request_id};

fn rule(rule_id: &str, etag: String) -> wire::Rule {
    let earn_rate = wire::EarnRate {
        amount: number("3"),
        points: number("1"),
        ..wire::EarnRate::default()
    };
    wire::Rule {
        program_id: "club".to_owned(),
        rule_id: rule_id.to_owned(),
        name: "Rule".to_owned(),
        priority: 7,
        effect: Some(wire::rule::Effect::EarnRate(earn_rate)),
        etag,
        ..wire::Rule::default()
    }
}

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("RuleService/CreateRule", |_world| [wire::CreateRuleRequest {
        request_id: request_id(),
        rule: Some(rule("new", String::new())),
    }]),
    scenario!("RuleService/GetRule", |_world| [wire::GetRuleRequest {
        program_id: "club".to_owned(),
        rule_id: "extra".to_owned(),
    }]),
    scenario!("RuleService/ListRules", |_world| [wire::ListRulesRequest {
        program_id: "club".to_owned(),
        ..wire::ListRulesRequest::default()
    }]),
    scenario!("RuleService/UpdateRule", |world| [wire::UpdateRuleRequest {
        request_id: request_id(),
        rule: Some(rule("extra", world.rule_etag().await)),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["name".to_owned()],
        }),
    }]),
    scenario!("RuleService/ListRuleVersions", |_world| [
        wire::ListRuleVersionsRequest {
            program_id: "club".to_owned(),
            rule_id: "base".to_owned(),
            ..wire::ListRuleVersionsRequest::default()
        }
    ]),
    scenario!("RuleService/ArchiveRule", |world| [wire::ArchiveRuleRequest {
        request_id: request_id(),
        program_id: "club".to_owned(),
        rule_id: "extra".to_owned(),
        etag: world.rule_etag().await,
    }]),
];
