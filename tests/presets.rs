//! Presets of the SDK: programs as JSON files, set up with one call that can be run again.

use loyalty_sdk::{
    AppliedPreset, Client, EarnRate, Error, NewProgram, NewRule, PageRequest, Preset, ProductUpdate, ProgramId,
    RequestId, RewardUpdate, RuleUpdate, api,
};
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use crate::harness::{PROGRAM, Shop, dec, wrong_fields};

/// The preset files, as people find them.
const FILES: [&str; 6] = [
    include_str!("../client-sdk/presets/erp_single.json"),
    include_str!("../client-sdk/presets/erp_tiers.json"),
    include_str!("../client-sdk/presets/fie.json"),
    include_str!("../client-sdk/presets/fac.json"),
    include_str!("../client-sdk/presets/emd_points.json"),
    include_str!("../client-sdk/presets/emd_value.json"),
];

impl Shop {
    async fn applies(&self, preset: &Preset) -> AppliedPreset {
        let applied = self.client.apply_preset(preset).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", preset.title))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_presets_live_side_by_side_and_are_what_they_say() {
    let shop = Shop::empty().await;

    for preset in Preset::all() {
        let applied = shop.applies(&preset).await;

        let (is, should_be) = (&applied.program, &preset.program);
        assert_eq!(Some(&is.program_id), should_be.program_id.as_ref());
        assert_eq!((&is.name, is.state), (&should_be.name, should_be.state));
        assert_eq!((is.unit, &is.currency_code), (should_be.unit, &should_be.currency_code));
        assert_eq!((&is.time_zone, &is.tiers), (&should_be.time_zone, &should_be.tiers));
        assert_eq!((is.expiry, &is.enrolment), (should_be.expiry, &should_be.enrolment));
        assert_eq!(is.document_types, should_be.document_types);
        let rules = applied.rules.iter().map(|rule| &rule.terms);
        assert!(
            rules.eq(preset.rules.iter().map(|rule| &rule.terms)),
            "{}",
            preset.title
        );
        let rewards = applied.rewards.iter().map(|reward| &reward.terms);
        assert!(
            rewards.eq(preset.rewards.iter().map(|reward| &reward.terms)),
            "{}",
            preset.title
        );
        let created = applied.products.map_or(0, |load| load.created);
        assert_eq!(usize::try_from(created), Ok(preset.products.len()));
    }
    let programs = shop.client.list_programs(&PageRequest::default()).await;
    assert_eq!(programs.expect("a page").items.len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_that_is_applied_again_changes_nothing() {
    let shop = Shop::empty().await;
    for preset in Preset::all() {
        shop.applies(&preset).await;
    }
    let changes = shop.changes_made().await;
    shop.days_pass(1);

    for preset in Preset::all() {
        let before = shop
            .client
            .get_program(preset.program.program_id.clone().expect("an id"));
        let before = before.await.expect("the program");

        let again = shop.applies(&preset).await;

        assert_eq!(again.program, before);
        let changed = again
            .products
            .map(|load| (load.created, load.changed, load.removed))
            .unwrap_or_default();
        assert_eq!(changed, (0, 0, 0));
    }
    assert_eq!(shop.changes_made().await, changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_was_changed_becomes_what_the_preset_says_and_the_rest_stays() {
    let shop = Shop::empty().await;
    let preset = Preset::emd_points().in_program(PROGRAM);
    // As if setting it up had broken off after the program.
    shop.client.create_program(&preset.program).await.expect("the program");
    let first = shop.applies(&preset).await;
    shop.changes(|program| program.name("Other").exclude_percent_discounted_lines(false).tiers(&[]))
        .await;
    let rule = RuleUpdate::of(&first.rules[0])
        .earn_rate(EarnRate::new(1, 1))
        .priority(3);
    shop.client.update_rule(&rule).await.expect("a rule");
    let reward = RewardUpdate::of(&first.rewards[1]).points(200).product_code("");
    shop.client.update_reward(&reward).await.expect("a reward");
    let products = [
        ProductUpdate::new("olive-oil").points(8),
        ProductUpdate::new("soap").points(1),
    ];
    shop.client.upsert_products(PROGRAM, &products).await.expect("products");
    shop.creates(&NewRule::multiplier(PROGRAM, "Double", 2).rule_id("double"))
        .await;

    let applied = shop.applies(&preset).await;

    assert_eq!(applied.program.name, "EMD points");
    assert!(applied.program.exclude_percent_discounted_lines);
    assert_eq!(applied.rules[0].terms, preset.rules[0].terms);
    assert_eq!(applied.rewards[1].terms, preset.rewards[1].terms);
    let load = applied.products.expect("a load");
    assert_eq!((load.changed, load.unchanged), (1, 1));
    let soap = shop.client.get_product(PROGRAM, "soap").await.expect("left alone");
    assert_eq!(soap.points, Some(dec("1")));
    let double = shop.client.get_rule(PROGRAM, "double").await.expect("left alone");
    assert!(!double.archived);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_that_does_not_fit_what_is_there_is_refused() {
    let shop = Shop::with_program(NewProgram::new("Club", "USD").decimals(2)).await;
    let mut preset = Preset::fac().in_program(PROGRAM);
    preset.program.decimals = Some(0);

    let other_program = shop.client.apply_preset(&preset).await.expect_err("another currency");
    preset.rules[0].rule_id = None;
    preset.program.program_id = None;
    let without_ids = shop.client.apply_preset(&preset).await.expect_err("no ids");
    let fac = Preset::fac().in_program("fac");
    let applied = shop.applies(&fac).await;
    let rule = &applied.rules[0];
    let archived = shop.client.archive_rule("fac", &rule.rule_id, &rule.etag).await;
    archived.expect("an archived rule");
    let out_of_use = shop.client.apply_preset(&fac).await;

    assert_eq!(
        wrong_fields(&other_program),
        ["program.currency_code", "program.decimals"]
    );
    assert_eq!(wrong_fields(&without_ids), ["rules[0].rule_id", "program.program_id"]);
    let rule_id = "points".into();
    assert_eq!(
        out_of_use.expect_err("an archived rule"),
        Error::RuleArchived { rule_id }
    );
}

/// What grpcurl does with `-d`: the request as JSON, by the descriptors of the contract.
fn request<M: prost::Message + Default>(name: &str, json: Value) -> M {
    let pool = DescriptorPool::decode(loyalty_api::FILE_DESCRIPTOR_SET).expect("the contract");
    let descriptor = pool.get_message_by_name(&format!("loyalty.v1.{name}")).expect(name);
    let message = DynamicMessage::deserialize(descriptor, json).unwrap_or_else(|error| panic!("{name}: {error}"));
    message.transcode_to().expect("the same message")
}

/// Every part of a preset file pasted into the call that creates it.
async fn paste(client: &Client, file: &Value) -> ProgramId {
    let id = || RequestId::generate().to_string();
    let json = json!({"request_id": id(), "program": file["program"]});
    let created = client
        .raw_programs()
        .create_program(request::<api::CreateProgramRequest>("CreateProgramRequest", json))
        .await
        .expect("a program");
    let program_id = created.into_inner().program.expect("a program").program_id;
    let list = |name: &str| file[name].as_array().cloned().unwrap_or_default();
    for rule in list("rules") {
        let json = json!({"request_id": id(), "rule": rule});
        let rule = request::<api::CreateRuleRequest>("CreateRuleRequest", json);
        client.raw_rules().create_rule(rule).await.expect("a rule");
    }
    let products = list("products");
    if !products.is_empty() {
        let json = json!({"request_id": id(), "program_id": program_id, "products": products, "last": true});
        let load = request::<api::UpsertProductsRequest>("UpsertProductsRequest", json);
        let load = tokio_stream::iter([load]);
        client.raw_programs().upsert_products(load).await.expect("products");
    }
    for reward in list("rewards") {
        let json = json!({"request_id": id(), "reward": reward});
        let reward = request::<api::CreateRewardRequest>("CreateRewardRequest", json);
        client.raw_redemptions().create_reward(reward).await.expect("a reward");
    }
    program_id.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_preset_can_be_pasted_into_calls_and_are_the_same_program() {
    let shop = Shop::empty().await;
    for (file, preset) in FILES.into_iter().zip(Preset::all()) {
        let json: Value = serde_json::from_str(file).expect("JSON");

        let program_id = paste(&shop.client, &json).await;
        let pasted = shop.client.get_program(&program_id).await.expect("the program");
        let changes = shop.changes_made().await;
        let applied = shop.applies(&preset).await;

        // There is nothing left to do for the preset.
        assert_eq!(applied.program, pasted);
        assert_eq!(shop.changes_made().await, changes);
    }
}
