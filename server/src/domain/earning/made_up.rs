//! Rules, programs and sales that are made up, thousands of them and the same in every run.

pub(crate) mod terms;

use std::sync::Arc;

use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::domain::dice::Dice;
use crate::domain::number::Currency;
use crate::domain::outcome::Accounting;
use crate::domain::product::{ProductPoints, Products};
use crate::domain::program::{
    EarnRate, EnrolmentPolicy, Program, ProgramState, ProgramUnit, ProgramVersion, RatedBasis, TierSpendBasis,
    TierSpendWindow,
};
use crate::domain::rule::set::RuleSet;
use crate::domain::rule::{Rule, RuleEffect, precedence};
use crate::domain::sale::{MemberKey, Sale, SaleLine};
use crate::domain::shortfall::ShortfallPolicy;

const CATEGORIES: [&str; 6] = ["", "food", "food/coffee", "food/coffee/beans", "foods", "books"];
const BRANDS: [&str; 3] = ["", "acme", "zeta"];
const PRODUCTS: [&str; 5] = ["", "p1", "p2", "p3", "never"];

fn effect(dice: &mut Dice) -> RuleEffect {
    match dice.below(8) {
        0 => RuleEffect::NoPoints,
        1 | 2 => RuleEffect::Multiplier {
            factor: Decimal::ONE + dice.cents(300) + Decimal::new(1, 2),
            rounding: dice.rounding(),
        },
        3 => RuleEffect::Bonus(Decimal::from(1 + dice.below(20))),
        _ => RuleEffect::EarnRate(EarnRate {
            amount: dice.cents(5_000) + Decimal::new(7, 2),
            points: dice.cents(300) + Decimal::new(1, 2),
            rounding: dice.rounding(),
            complete_steps: dice.one_in(4),
            vat_percent: None,
        }),
    }
}

pub(crate) fn rule(dice: &mut Dice) -> Rule {
    let mut rule = Rule::new("Rule".to_owned(), effect(dice));
    let some = |dice: &mut Dice, list: &[&str]| -> Vec<String> {
        let value = dice.of(list);
        if value.is_empty() {
            Vec::new()
        } else {
            vec![value.to_owned()]
        }
    };
    rule.selector.lines.product_ids = some(dice, &PRODUCTS);
    rule.selector.lines.categories = some(dice, &CATEGORIES);
    rule.selector.lines.brands = some(dice, &BRANDS);
    if dice.one_in(4) && rule.effect != RuleEffect::NoPoints {
        rule.excludes.categories = some(dice, &CATEGORIES);
    }
    rule.priority = u32::try_from(dice.below(4)).unwrap();
    // A base with a minimum, or a campaign alone with one, may earn less for more: as it was told to.
    if rule.is_campaign() {
        rule.exclusive = dice.one_in(5);
        if !rule.exclusive && dice.one_in(3) {
            rule.minimum_sale = Some(dice.cents(20_000) + Decimal::ONE);
        }
    }
    if dice.one_in(4) {
        rule.max_points_per_sale = Some(Decimal::from(1 + dice.below(50)));
    }
    rule
}

/// Rules as they can be configured: none that ties with one before it.
pub(crate) fn rules(dice: &mut Dice) -> Vec<(String, Rule)> {
    let mut rules: Vec<(String, Rule)> = Vec::new();
    for number in 0..dice.below(9) {
        let new = rule(dice);
        if !rules.iter().any(|(_, other)| precedence::tie(&new, other)) {
            rules.push((format!("r{number}"), new));
        }
    }
    rules
}

pub(crate) fn version(rules: Vec<(String, Rule)>, decimals: u32) -> ProgramVersion {
    let mut products = Products::new(1);
    for (product_id, points) in [("never", Decimal::ZERO), ("p3", Decimal::new(25, 1))] {
        let points = ProductPoints {
            points: Some(points),
            redeem_points: None,
        };
        assert!(products.push(product_id, points));
    }
    ProgramVersion {
        program_id: "club".into(),
        version: 1,
        program: Program {
            name: "Club".to_owned(),
            state: ProgramState::Active,
            unit: ProgramUnit::Points,
            currency: Currency {
                code: "EUR".to_owned(),
                minor_units: 2,
            },
            time_zone: Tz::UTC,
            decimals,
            tiers: Vec::new(),
            tier_spend_basis: TierSpendBasis::default(),
            tier_spend_window: TierSpendWindow::default(),
            valid_from: None,
            valid_until: None,
            redeem_until: None,
            expiry: None,
            inactivity: None,
            birthday_bonus: None,
            redemption: None,
            rated_basis: RatedBasis::default(),
            earn_on_points_paid_part: false,
            document_types: Vec::new(),
            max_discount_percent: None,
            exclude_percent_discounted_lines: false,
            carry_fractions: false,
            enrolment: EnrolmentPolicy::default(),
            pending_days: 0,
            shortfall_policy: ShortfallPolicy::default(),
            accounting: Accounting::default(),
        },
        rules: Arc::new(RuleSet::new(rules)),
        rewards: Default::default(),
        products: Arc::new(products),
    }
}

pub(crate) fn line(dice: &mut Dice) -> SaleLine {
    SaleLine {
        product_id: dice.of(&PRODUCTS).to_owned(),
        category: dice.of(&CATEGORIES).to_owned(),
        brand: dice.of(&BRANDS).to_owned(),
        quantity: Decimal::from(1 + dice.below(5)),
        ..SaleLine::whole(dice.cents(10_000))
    }
}

pub(crate) fn sale(lines: Vec<SaleLine>) -> Sale {
    Sale {
        sale_id: "1".to_owned(),
        store_id: "s".to_owned(),
        terminal_id: String::new(),
        cashier_id: String::new(),
        document_type: String::new(),
        document_number: String::new(),
        program_id: String::new(),
        member: MemberKey::CustomerId("ada".to_owned()),
        currency_code: "EUR".to_owned(),
        total: lines.iter().map(|line| line.amount).sum(),
        lines,
        tenders: Vec::new(),
        redemptions: Vec::new(),
        occurred_at: None,
        do_not_earn: false,
        offline: false,
        customer: None,
        quote: None,
    }
}
