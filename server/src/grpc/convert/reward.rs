//! Rewards.

use loyalty_api::v1 as wire;
use loyalty_api::v1::reward::Gives as WireGives;
use rust_decimal::Decimal;

use super::member::path;
use super::{decimal, timestamp};
use crate::domain::answer::RewardRecord;
use crate::domain::reward::{Gives, Reward, RewardEdit};
use crate::grpc::fields::{Bounds, Fields};

const LAST_POSITION: u32 = 1_000_000;
const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// VAT as documents show it.
pub(super) const VAT_PERCENT: Bounds = Bounds::up_to(Decimal::ONE_HUNDRED, 2);

/// Every field that an update can name; `gives` also by the name of what it is.
const CHANGEABLE: [&str; 9] = [
    "name",
    "gives",
    "points",
    "position",
    "product_code",
    "category",
    "printed_text",
    "print_quantity",
    "vat_percent",
];

/// A new reward.
pub(in crate::grpc) fn new_reward(fields: &mut Fields, given: wire::Reward) -> Option<Reward> {
    let set = [
        ("reward.archived", given.archived),
        ("reward.etag", !given.etag.is_empty()),
        ("reward.since_version", given.since_version != 0),
        ("reward.updated_at", given.updated_at.is_some()),
    ];
    for (field, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
        fields.wrong(field, "is set by the server");
    }
    let paths: Vec<String> = CHANGEABLE.iter().map(|path| (*path).to_owned()).collect();
    reward_edit(fields, given, &paths).into_reward()
}

/// The changes that a mask names.
pub(in crate::grpc) fn reward_edit(fields: &mut Fields, given: wire::Reward, paths: &[String]) -> RewardEdit {
    let mut edit = RewardEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    for changed in paths {
        match changed.as_str() {
            "name" => edit.name = Some(fields.text("reward.name", given.name.clone(), 1, 200)),
            "gives" | "money_off" | "product_id" => edit.gives = gives(fields, given.gives.clone()),
            "points" => {
                let bounds = Bounds::up_to(BILLION, 4).positive();
                edit.points = Some(fields.required_decimal("reward.points", given.points.clone(), bounds));
            }
            "position" => {
                if given.position > LAST_POSITION {
                    fields.wrong("reward.position", format!("must be at most {LAST_POSITION}"));
                }
                edit.position = Some(given.position);
            }
            "product_code" => {
                let code = given.product_code.clone();
                edit.product_code = Some(fields.text("reward.product_code", code, 0, 64));
            }
            "category" => edit.category = Some(path(fields, "reward.category", given.category.clone())),
            "printed_text" => {
                let text = given.printed_text.clone();
                edit.printed_text = Some(fields.text("reward.printed_text", text, 0, 200));
            }
            "print_quantity" => edit.print_quantity = Some(given.print_quantity),
            "vat_percent" => {
                let percent = given.vat_percent.clone();
                edit.vat_percent = Some(fields.decimal("reward.vat_percent", percent, VAT_PERCENT));
            }
            other => fields.wrong("update_mask", format!("`{other}` cannot be changed")),
        }
    }
    edit
}

fn gives(fields: &mut Fields, given: Option<WireGives>) -> Option<Gives> {
    match given {
        Some(WireGives::MoneyOff(amount)) => {
            let bounds = Bounds::up_to(BILLION, 4).positive();
            fields
                .decimal("reward.money_off", Some(amount), bounds)
                .map(Gives::MoneyOff)
        }
        Some(WireGives::ProductId(product_id)) => {
            Some(Gives::Product(fields.text("reward.product_id", product_id, 1, 64)))
        }
        None => {
            fields.wrong("reward.gives", "names neither money_off nor product_id");
            None
        }
    }
}

/// A reward on the wire.
pub(in crate::grpc) fn reward(record: RewardRecord) -> wire::Reward {
    let reward = record.reward;
    wire::Reward {
        reward_id: record.reward_id,
        program_id: record.program_id,
        name: reward.name,
        gives: Some(match reward.gives {
            Gives::MoneyOff(amount) => WireGives::MoneyOff(wire::Decimal {
                value: amount.normalize().to_string(),
            }),
            Gives::Product(product_id) => WireGives::ProductId(product_id),
        }),
        points: decimal(reward.points),
        position: reward.position,
        product_code: reward.product_code,
        category: reward.category,
        printed_text: reward.printed_text,
        print_quantity: reward.print_quantity,
        vat_percent: reward.vat_percent.and_then(decimal),
        archived: reward.archived,
        etag: record.since_version.to_string(),
        since_version: record.since_version,
        updated_at: Some(timestamp(record.updated_at)),
    }
}
