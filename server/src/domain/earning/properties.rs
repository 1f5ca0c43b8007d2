//! What holds for any rules and any sale, tried on thousands of made-up ones.

use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::{Earning, Rated, rate};
use crate::domain::account::Attributes;
use crate::domain::dice::Dice;
use crate::domain::number::{Currency, Fraction, Rounding};
use crate::domain::outcome::Accounting;
use crate::domain::product::{ProductPoints, Products};
use crate::domain::program::{
    EarnRate, EnrolmentPolicy, Program, ProgramState, ProgramUnit, ProgramVersion, RatedBasis, TierSpendBasis,
    TierSpendWindow,
};
use crate::domain::redemption::Bought;
use crate::domain::rule::set::RuleSet;
use crate::domain::rule::{Rule, RuleEffect, precedence};
use crate::domain::rule_usage::Allowances;
use crate::domain::sale::{MemberKey, Sale, SaleLine};
use crate::domain::shortfall::ShortfallPolicy;

const CASES: u64 = 3_000;
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

fn rule(dice: &mut Dice) -> Rule {
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
fn rules(dice: &mut Dice) -> Vec<(String, Rule)> {
    let mut rules: Vec<(String, Rule)> = Vec::new();
    for number in 0..dice.below(9) {
        let new = rule(dice);
        if !rules.iter().any(|(_, other)| precedence::tie(&new, other)) {
            rules.push((format!("r{number}"), new));
        }
    }
    rules
}

fn version(rules: Vec<(String, Rule)>, decimals: u32) -> ProgramVersion {
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
        rules: RuleSet::new(rules),
        rewards: Default::default(),
        products: Arc::new(products),
    }
}

fn line(dice: &mut Dice) -> SaleLine {
    SaleLine {
        product_id: dice.of(&PRODUCTS).to_owned(),
        category: dice.of(&CATEGORIES).to_owned(),
        brand: dice.of(&BRANDS).to_owned(),
        quantity: Decimal::from(1 + dice.below(5)),
        ..SaleLine::whole(dice.cents(10_000))
    }
}

fn sale(lines: Vec<SaleLine>) -> Sale {
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
        customer: None,
    }
}

fn earned(version: &ProgramVersion, lines: Vec<SaleLine>, paid: Decimal) -> Earning {
    earned_with(version, lines, paid, None)
}

fn earned_with(version: &ProgramVersion, lines: Vec<SaleLine>, paid: Decimal, carry: Option<Fraction>) -> Earning {
    let sale = sale(lines);
    let rated = Rated {
        version,
        sale: &sale,
        member: &Attributes::default(),
        local: NaiveDate::from_ymd_opt(2026, 1, 15)
            .unwrap()
            .and_hms_opt(10, 0, 0)
            .unwrap(),
        carry,
        allowances: &Allowances::new(),
        bought: Bought::NOTHING,
        closed: None,
    };
    rate(rated, None, paid).unwrap()
}

/// Runs a property on made-up rules, lines and a part that points paid.
fn for_many(property: impl Fn(&mut Dice, Vec<(String, Rule)>, Vec<SaleLine>, Decimal, u32)) {
    for case in 1..=CASES {
        let mut dice = Dice(case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let rules = rules(&mut dice);
        let lines: Vec<SaleLine> = (0..=dice.below(5)).map(|_| line(&mut dice)).collect();
        let total: Decimal = lines.iter().map(|line| line.amount).sum();
        let paid = if dice.one_in(2) {
            dice.cents(10_000).min(total)
        } else {
            Decimal::ZERO
        };
        let decimals = u32::try_from(dice.below(5)).unwrap();
        property(&mut dice, rules, lines, paid, decimals);
    }
}

fn shuffled<T>(dice: &mut Dice, mut list: Vec<T>) -> Vec<T> {
    for place in (1..list.len()).rev() {
        list.swap(place, usize::try_from(dice.below(place as u64 + 1)).unwrap());
    }
    list
}

/// The same rules under other ids, so that they stand in another order.
fn renamed(dice: &mut Dice, rules: Vec<(String, Rule)>) -> Vec<(String, Rule)> {
    let rules = shuffled(dice, rules).into_iter().enumerate();
    rules.map(|(place, (_, rule))| (format!("n{place}"), rule)).collect()
}

#[test]
fn the_order_of_rules_and_lines_never_changes_what_a_sale_earns() {
    for_many(|dice, rules, lines, paid, decimals| {
        let before = earned(&version(rules.clone(), decimals), lines.clone(), paid);

        let other = version(renamed(dice, rules.clone()), decimals);
        let after = earned(&other, shuffled(dice, lines.clone()), paid);

        assert_eq!(after.points, before.points, "{rules:?} {lines:?}");
        assert_eq!(after.rated_amount, before.rated_amount);
    });
}

#[test]
fn a_line_in_two_parts_earns_what_it_earns_in_one() {
    for_many(|dice, rules, lines, paid, decimals| {
        let version = version(rules, decimals);
        let before = earned(&version, lines.clone(), paid);

        let mut parts = lines.clone();
        let place = usize::try_from(dice.below(lines.len() as u64)).unwrap();
        let (amount, quantity) = (dice.cents(10_000).min(parts[place].amount), Decimal::new(3, 1));
        let mut part = parts[place].clone();
        (part.amount, part.quantity) = (amount, quantity);
        parts[place].amount -= amount;
        parts[place].quantity -= quantity;
        parts.push(part);
        let after = earned(&version, parts, paid);

        assert_eq!(after.points, before.points, "{lines:?}");
    });
}

#[test]
fn more_spend_never_earns_less() {
    for_many(|dice, rules, lines, _, decimals| {
        let version = version(rules, decimals);
        let before = earned(&version, lines.clone(), Decimal::ZERO);

        let mut more = lines.clone();
        let place = usize::try_from(dice.below(lines.len() as u64)).unwrap();
        more[place].amount += dice.cents(5_000);
        let after = earned(&version, more, Decimal::ZERO);

        assert!(
            after.points >= before.points,
            "{} < {}: {lines:?}",
            after.points,
            before.points
        );
    });
}

#[test]
fn shares_roundings_and_fixed_points_less_what_is_capped_add_up() {
    for_many(|_, rules, lines, paid, decimals| {
        let earning = earned(&version(rules, decimals), lines, paid);

        let shares: Decimal = earning.lines.iter().map(|line| line.points).sum();
        let items = earning
            .rates
            .iter()
            .map(|rate| rate.rounding + rate.fixed_points - rate.capped);
        assert_eq!(shares + items.sum::<Decimal>(), earning.points);
        for line in &earning.lines {
            let campaigns: Decimal = line.campaigns.iter().map(|share| share.points).sum();
            assert!(line.points >= campaigns && campaigns >= Decimal::ZERO);
        }
        assert!(earning.rates.iter().all(|rate| rate.points >= Decimal::ZERO));
    });
}

/// Over many sales, what is given and what is left is what the exact points add up to.
#[test]
fn fractions_that_are_kept_are_neither_lost_nor_made() {
    for_many(|dice, _, lines, _, decimals| {
        let rate = EarnRate {
            amount: dice.cents(5_000) + Decimal::new(7, 2),
            points: Decimal::new(37, 1),
            rounding: Rounding::Floor,
            complete_steps: false,
            vat_percent: None,
        };
        let rule = Rule::new("Rule".to_owned(), RuleEffect::EarnRate(rate.clone()));
        let version = version(vec![("base".to_owned(), rule)], decimals);
        let unit = Decimal::ONE / Decimal::from(10_u64.pow(decimals));

        let (mut carry, mut given, mut total) = (Fraction::ZERO, Decimal::ZERO, Decimal::ZERO);
        for _ in 0..7 {
            let earning = earned_with(&version, lines.clone(), Decimal::ZERO, Some(carry));
            carry = earning.carry.unwrap();
            given += earning.points;
            total += lines.iter().map(|line| line.amount).sum::<Decimal>();
            assert!(carry.shown() < unit);
        }

        let earning = earned_with(
            &version,
            vec![SaleLine::whole(total)],
            Decimal::ZERO,
            Some(Fraction::ZERO),
        );
        let eligible = lines
            .iter()
            .all(|line| line.flag.is_none() && line.product_id != "never" && line.product_id != "p3");
        if eligible {
            assert_eq!(
                (given, carry),
                (earning.points, earning.carry.unwrap()),
                "{lines:?} {rate:?}"
            );
        }
    });
}
