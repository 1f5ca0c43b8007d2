//! What holds for any rules and any sale, tried on thousands of made-up ones.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::made_up::{line, rules, sale, version};
use super::{Earning, Rated, rate};
use crate::domain::account::Attributes;
use crate::domain::dice::Dice;
use crate::domain::number::{Fraction, Rounding};
use crate::domain::program::{EarnRate, ProgramVersion};
use crate::domain::redemption::Bought;
use crate::domain::rule::{Rule, RuleEffect};
use crate::domain::rule_usage::Allowances;
use crate::domain::sale::SaleLine;

const CASES: u64 = 3_000;

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
        let mut dice = Dice::of_case(case);
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
