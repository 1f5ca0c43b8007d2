use super::{Preset, PresetError};
use crate::{
    program::ProgramState,
    rule::RuleEffect,
    tier::{EarnRate, Rounding},
};

const CLUB: &str = r#"{"program_id": "club", "name": "Club", "currency_code": "EUR"}"#;

fn read(parts: &str) -> Result<Preset, PresetError> {
    Preset::from_json(&format!(r#"{{"title": "Club", {parts}}}"#))
}

fn refused(parts: &str) -> PresetError {
    match read(parts) {
        Ok(preset) => panic!("{preset:?}"),
        Err(error) => error,
    }
}

#[test]
fn every_preset_of_the_crate_can_be_read_and_has_a_program_of_its_own() {
    let presets = Preset::all();

    let mut program_ids: Vec<_> = presets.iter().map(|preset| &preset.program.program_id).collect();
    program_ids.sort();
    program_ids.dedup();
    assert_eq!(program_ids.len(), 6);
    assert!(presets.iter().all(|preset| preset.description.len() > 80));
}

#[test]
fn what_is_left_out_is_the_default() {
    let preset = read(&format!(
        r#""program": {CLUB}, "rules": [{{"rule_id": "base", "name": "Base",
            "earn_rate": {{"amount": {{"value": "1.50"}}, "points": {{"value": "2"}}}}}}]"#
    ))
    .unwrap();

    assert_eq!(preset.program.state, ProgramState::Active);
    assert_eq!(preset.rules[0].program_id, "club");
    let rate = EarnRate::new("1.5".parse::<crate::Decimal>().unwrap(), 2);
    assert_eq!(rate.rounding, Rounding::Floor);
    assert_eq!(preset.rules[0].terms.effect, RuleEffect::EarnRate(rate));
}

#[test]
fn an_answer_of_the_server_can_be_pasted_into_a_preset_in_either_spelling() {
    let preset = read(
        r#""program": {"programId": "club", "name": "Club", "currencyCode": "EUR", "state": "PROGRAM_STATE_PAUSED",
            "version": 7, "etag": "7", "createdAt": "2026-01-15T10:00:00Z"}"#,
    )
    .unwrap();

    assert_eq!(preset.program.program_id, Some("club".into()));
    assert_eq!(preset.program.state, ProgramState::Paused);
}

#[test]
fn what_is_no_preset_is_refused_by_the_part_that_is_wrong() {
    let rule = |rest: &str| format!(r#""program": {CLUB}, "rules": [{{"name": "Base", {rest}}}]"#);
    let cases = [
        (
            r#""program": {"name": "Club"}"#.to_owned(),
            "program: program_id is missing",
        ),
        (
            format!(r#""program": {CLUB}, "rulez": []"#),
            "preset: unknown field `rulez`",
        ),
        (
            rule(r#""rule_id": "base", "prioritty": 3"#),
            "rules[0]: unrecognized field name 'prioritty'",
        ),
        (rule(r#""priority": 3"#), "rules[0]: its id is missing"),
        (
            rule(r#""rule_id": "base", "program_id": "other""#),
            "rules[0]: belongs to the program other, not club",
        ),
        (
            rule(r#""rule_id": "base", "minimum_sale": {"value": "ten"}"#),
            "rules[0]: rule.minimum_sale cannot be `ten`",
        ),
        (
            rule(r#""rule_id": "base", "minimum_sale": 10.5"#),
            "rules[0]: invalid type",
        ),
        (
            format!(r#""program": {CLUB}, "rewards": [{{"reward_id": "key", "name": "Key"}}]"#),
            "rewards[0]: reward.points is missing",
        ),
    ];

    for (parts, expected) in cases {
        let error = refused(&parts).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(Preset::from_json("{").unwrap_err().part, "preset");
}
