//! Rules.

use chrono::{NaiveTime, Weekday};
use loyalty_api::v1 as wire;
use loyalty_api::v1::rule::Effect;
use rust_decimal::Decimal;

use super::expiry_policy::{expiry, expiry_to_wire};
use super::member::is_path;
use super::program::{PERCENT, earn_rate, earn_rate_to_wire, rounding_of, rounding_to_wire, value_per_point};
use super::{decimal, timestamp};
use crate::domain::answer::RuleRecord;
use crate::domain::number::Rounding;
use crate::domain::rule::editing::RuleEdit;
use crate::domain::rule::{Audience, LineSelector, Rule, RuleEffect, Schedule, Selector};
use crate::grpc::fields::{Bounds, Fields};

/// Values of one list of a selector or an audience.
const MOST_VALUES: usize = 1_000;
pub(super) const HIGHEST_PRIORITY: u32 = 1_000_000;
const BILLION: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Every field that an update can name; `effect` also by the name of what it is.
const CHANGEABLE: [&str; 15] = [
    "name",
    "effect",
    "priority",
    "selector",
    "excludes",
    "schedule",
    "audience",
    "minimum_sale",
    "max_discount_percent",
    "max_points_per_sale",
    "max_points_per_day",
    "max_points_per_member",
    "exclusive",
    "value_per_point",
    "expiry",
];

/// A new rule.
pub(in crate::grpc) fn new_rule(fields: &mut Fields, given: wire::Rule) -> Option<Rule> {
    refuse_output_fields(fields, &given);
    if !given.etag.is_empty() {
        fields.wrong("rule.etag", "is set by the server");
    }
    let paths: Vec<String> = CHANGEABLE.iter().map(|path| (*path).to_owned()).collect();
    rule_edit(fields, given, &paths).into_rule()
}

/// The changes that a mask names.
pub(in crate::grpc) fn rule_edit(fields: &mut Fields, given: wire::Rule, paths: &[String]) -> RuleEdit {
    let mut edit = RuleEdit::default();
    if paths.is_empty() {
        fields.wrong("update_mask", "names no field");
    }
    let points = Bounds::up_to(BILLION, 4);
    for path in paths {
        match path.as_str() {
            "name" => edit.name = Some(fields.text("rule.name", given.name.clone(), 1, 200)),
            "effect" | "earn_rate" | "no_points" | "multiplier" | "bonus_points" => {
                edit.effect = effect(fields, given.effect.clone());
            }
            "priority" => edit.priority = Some(priority(fields, given.priority)),
            "selector" => edit.selector = Some(selector(fields, given.selector.clone())),
            "excludes" => edit.excludes = Some(exclusion(fields, given.excludes.clone())),
            "schedule" => edit.schedule = Some(schedule(fields, given.schedule.clone())),
            "audience" => edit.audience = Some(audience(fields, given.audience.clone())),
            "minimum_sale" => {
                let minimum = fields.decimal("rule.minimum_sale", given.minimum_sale.clone(), points.positive());
                edit.minimum_sale = Some(minimum);
            }
            "max_discount_percent" => {
                let percent = given.max_discount_percent.clone();
                edit.max_discount_percent = Some(fields.decimal("rule.max_discount_percent", percent, PERCENT));
            }
            "max_points_per_sale" => {
                let most = given.max_points_per_sale.clone();
                edit.max_points_per_sale = Some(fields.decimal("rule.max_points_per_sale", most, points.positive()));
            }
            "max_points_per_day" => {
                let most = given.max_points_per_day.clone();
                edit.max_points_per_day = Some(fields.decimal("rule.max_points_per_day", most, points.positive()));
            }
            "max_points_per_member" => {
                let most = given.max_points_per_member.clone();
                let field = "rule.max_points_per_member";
                edit.max_points_per_member = Some(fields.decimal(field, most, points.positive()));
            }
            "exclusive" => edit.exclusive = Some(given.exclusive),
            "value_per_point" => {
                let value = given.value_per_point.clone();
                edit.value_per_point = Some(value_per_point(fields, "rule.value_per_point", value));
            }
            "expiry" => edit.expiry = Some(expiry(fields, "rule.expiry", given.expiry.clone())),
            other => fields.wrong("update_mask", format!("`{other}` cannot be changed")),
        }
    }
    edit
}

fn effect(fields: &mut Fields, given: Option<Effect>) -> Option<RuleEffect> {
    match given {
        Some(Effect::EarnRate(rate)) => Some(RuleEffect::EarnRate(earn_rate(fields, "rule.earn_rate", rate))),
        Some(Effect::NoPoints(true)) => Some(RuleEffect::NoPoints),
        Some(Effect::NoPoints(false)) => {
            fields.wrong("rule.no_points", "must be true when chosen");
            None
        }
        Some(Effect::Multiplier(given)) => Some(multiplier(fields, given)),
        Some(Effect::BonusPoints(points)) => {
            let bounds = Bounds::up_to(BILLION, 4).positive();
            let points = fields.decimal("rule.bonus_points", Some(points), bounds)?;
            Some(RuleEffect::Bonus(points))
        }
        None => {
            let description = "names none of earn_rate, no_points, multiplier and bonus_points";
            fields.wrong("rule.effect", description);
            None
        }
    }
}

fn multiplier(fields: &mut Fields, given: wire::Multiplier) -> RuleEffect {
    let bounds = Bounds::up_to(Decimal::ONE_THOUSAND, 4).positive();
    let factor = fields.required_decimal("rule.multiplier.factor", given.factor, bounds);
    if factor > Decimal::ZERO && factor <= Decimal::ONE {
        fields.wrong("rule.multiplier.factor", "must be above 1");
    }
    let rounding = fields.choice("rule.multiplier.rounding", given.rounding);
    RuleEffect::Multiplier {
        factor: factor.max(Decimal::ONE),
        rounding: rounding.map_or(Rounding::Floor, rounding_of),
    }
}

fn priority(fields: &mut Fields, given: u32) -> u32 {
    if given > HIGHEST_PRIORITY {
        fields.wrong("rule.priority", format!("must be at most {HIGHEST_PRIORITY}"));
    }
    given
}

fn selector(fields: &mut Fields, given: Option<wire::Selector>) -> Selector {
    let Some(given) = given else {
        return Selector::default();
    };
    let selector = Selector {
        lines: LineSelector {
            product_ids: names(fields, "rule.selector.product_ids", given.product_ids),
            categories: paths(fields, "rule.selector.categories", given.categories),
            brands: names(fields, "rule.selector.brands", given.brands),
        },
        store_ids: names(fields, "rule.selector.store_ids", given.store_ids),
        terminal_ids: names(fields, "rule.selector.terminal_ids", given.terminal_ids),
    };
    if selector.is_empty() {
        fields.wrong("rule.selector", "selects nothing; leave it out to select everything");
    }
    selector
}

fn exclusion(fields: &mut Fields, given: Option<wire::Exclusion>) -> LineSelector {
    let Some(given) = given else {
        return LineSelector::default();
    };
    let excludes = LineSelector {
        product_ids: names(fields, "rule.excludes.product_ids", given.product_ids),
        categories: paths(fields, "rule.excludes.categories", given.categories),
        brands: names(fields, "rule.excludes.brands", given.brands),
    };
    if excludes.is_empty() {
        fields.wrong("rule.excludes", "excludes nothing; leave it out");
    }
    excludes
}

fn schedule(fields: &mut Fields, given: Option<wire::Schedule>) -> Schedule {
    let Some(given) = given else {
        return Schedule::default();
    };
    let given_days = given.weekdays.len();
    let mut weekdays: Vec<Weekday> = given
        .weekdays
        .into_iter()
        .enumerate()
        .filter_map(|(place, number)| weekday(fields, &format!("rule.schedule.weekdays[{place}]"), number))
        .collect();
    weekdays.sort_by_key(Weekday::num_days_from_monday);
    weekdays.dedup();
    let schedule = Schedule {
        valid_from: fields.date("rule.schedule.valid_from", &given.valid_from),
        valid_until: fields.date("rule.schedule.valid_until", &given.valid_until),
        weekdays,
        time_from: time(fields, "rule.schedule.time_from", &given.time_from),
        time_until: time(fields, "rule.schedule.time_until", &given.time_until),
    };
    let texts = [
        &given.valid_from,
        &given.valid_until,
        &given.time_from,
        &given.time_until,
    ];
    if given_days == 0 && texts.into_iter().all(String::is_empty) {
        fields.wrong("rule.schedule", "says nothing; leave it out for always");
    }
    schedule
}

fn weekday(fields: &mut Fields, field: &str, number: i32) -> Option<Weekday> {
    match fields.choice::<wire::Weekday>(field, number) {
        Some(day) => u8::try_from(i32::from(day) - 1)
            .ok()
            .and_then(|day| Weekday::try_from(day).ok()),
        None => {
            if number == i32::from(wire::Weekday::Unspecified) {
                fields.wrong(field, "is missing");
            }
            None
        }
    }
}

fn time(fields: &mut Fields, field: &str, text: &str) -> Option<NaiveTime> {
    if text.is_empty() {
        return None;
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M")
        .ok()
        .filter(|_| text.len() == 5);
    if time.is_none() {
        fields.wrong(field, "must be a time of the day as HH:MM");
    }
    time
}

fn audience(fields: &mut Fields, given: Option<wire::Audience>) -> Audience {
    let Some(given) = given else {
        return Audience::default();
    };
    let audience = Audience {
        tier_ids: names(fields, "rule.audience.tier_ids", given.tier_ids),
        customer_groups: paths(fields, "rule.audience.customer_groups", given.customer_groups),
        territories: paths(fields, "rule.audience.territories", given.territories),
        assigned: given.assigned,
    };
    if audience.is_empty() {
        fields.wrong("rule.audience", "names nobody; leave it out for everybody");
    }
    audience
}

/// A list of names: in order, each once.
fn names(fields: &mut Fields, field: &str, given: Vec<String>) -> Vec<String> {
    list(fields, field, given, 64)
}

/// A list of nodes of a tree.
pub(super) fn paths(fields: &mut Fields, field: &str, given: Vec<String>) -> Vec<String> {
    for (place, path) in given.iter().enumerate().take(MOST_VALUES) {
        if !is_path(path) {
            fields.wrong(format!("{field}[{place}]"), "must be a path such as `food/coffee`");
        }
    }
    list(fields, field, given, 200)
}

fn list(fields: &mut Fields, field: &str, given: Vec<String>, longest: usize) -> Vec<String> {
    // What is beyond the limit is refused already; the list is not empty for that.
    fields.at_most(field, &given, MOST_VALUES);
    let mut values: Vec<String> = given
        .into_iter()
        .take(MOST_VALUES)
        .enumerate()
        .map(|(place, value)| fields.text(&format!("{field}[{place}]"), value, 1, longest))
        .collect();
    values.sort();
    values.dedup();
    values
}

/// A rule on the wire.
pub(in crate::grpc) fn rule(record: RuleRecord) -> wire::Rule {
    let rule = record.rule;
    let (selector, lines) = (rule.selector, |lines: LineSelector| wire::Exclusion {
        product_ids: lines.product_ids,
        categories: lines.categories,
        brands: lines.brands,
    });
    wire::Rule {
        rule_id: record.rule_id,
        program_id: record.program_id,
        name: rule.name,
        effect: Some(effect_to_wire(rule.effect)),
        priority: rule.priority,
        selector: (!selector.is_empty()).then_some(wire::Selector {
            product_ids: selector.lines.product_ids,
            categories: selector.lines.categories,
            brands: selector.lines.brands,
            store_ids: selector.store_ids,
            terminal_ids: selector.terminal_ids,
        }),
        excludes: (!rule.excludes.is_empty()).then(|| lines(rule.excludes)),
        schedule: (!rule.schedule.is_empty()).then(|| schedule_to_wire(&rule.schedule)),
        audience: (!rule.audience.is_empty()).then_some(wire::Audience {
            tier_ids: rule.audience.tier_ids,
            customer_groups: rule.audience.customer_groups,
            territories: rule.audience.territories,
            assigned: rule.audience.assigned,
        }),
        minimum_sale: rule.minimum_sale.and_then(decimal),
        max_discount_percent: rule.max_discount_percent.and_then(decimal),
        max_points_per_sale: rule.max_points_per_sale.and_then(decimal),
        max_points_per_day: rule.max_points_per_day.and_then(decimal),
        max_points_per_member: rule.max_points_per_member.and_then(decimal),
        exclusive: rule.exclusive,
        value_per_point: rule.value_per_point.and_then(decimal),
        expiry: rule.expiry.map(expiry_to_wire),
        archived: rule.archived,
        etag: record.since_version.to_string(),
        since_version: record.since_version,
        updated_at: Some(timestamp(record.updated_at)),
    }
}

fn effect_to_wire(effect: RuleEffect) -> Effect {
    match effect {
        RuleEffect::EarnRate(rate) => Effect::EarnRate(earn_rate_to_wire(&rate)),
        RuleEffect::NoPoints => Effect::NoPoints(true),
        RuleEffect::Multiplier { factor, rounding } => Effect::Multiplier(wire::Multiplier {
            factor: decimal(factor),
            rounding: rounding_to_wire(rounding).into(),
        }),
        RuleEffect::Bonus(points) => Effect::BonusPoints(wire::Decimal {
            value: points.normalize().to_string(),
        }),
    }
}

fn schedule_to_wire(schedule: &Schedule) -> wire::Schedule {
    let day = |day: chrono::NaiveDate| day.to_string();
    let time = |time: NaiveTime| time.format("%H:%M").to_string();
    let weekday = |day: &Weekday| i32::try_from(day.number_from_monday()).unwrap_or_default();
    wire::Schedule {
        valid_from: schedule.valid_from.map(day).unwrap_or_default(),
        valid_until: schedule.valid_until.map(day).unwrap_or_default(),
        weekdays: schedule.weekdays.iter().map(weekday).collect(),
        time_from: schedule.time_from.map(time).unwrap_or_default(),
        time_until: schedule.time_until.map(time).unwrap_or_default(),
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
