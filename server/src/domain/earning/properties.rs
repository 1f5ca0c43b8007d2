//! What holds for any rules and any sale, tried on thousands of made-up ones: programs in points and in money, rating with
//! and without tax, with limits per sale and day, ceilings of discounts, kept fractions, tiers' rates and assigned rules;
//! lines with flags, taxes and discounts.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::made_up::terms::{Terms, any_line};
use super::made_up::{sale, version};
use super::{Earning, Rated, discount, rate};
use crate::domain::account::Attributes;
use crate::domain::dice::Dice;
use crate::domain::number::{Fraction, Rounding};
use crate::domain::outcome::RateSource;
use crate::domain::program::{EarnRate, ProgramVersion};
use crate::domain::redemption::Bought;
use crate::domain::rule::{Rule, RuleEffect};
use crate::domain::rule_usage::Allowances;
use crate::domain::sale::SaleLine;

const CASES: u64 = 4_000;

fn earned(terms: &Terms, lines: &[SaleLine], paid: Decimal) -> Earning {
    let (version, sale) = (terms.version(), sale(lines.to_vec()));
    let rated = Rated {
        member: &terms.member,
        carry: terms.carry,
        allowances: &terms.allowances,
        ..plain(&version, &sale)
    };
    rate(rated, terms.tier.as_ref(), paid).unwrap()
}

fn plain<'a>(version: &'a ProgramVersion, sale: &'a crate::domain::sale::Sale) -> Rated<'a> {
    static NOBODY: Attributes = Attributes {
        customer_group: String::new(),
        territory: String::new(),
        assigned_rule_id: None,
    };
    static NO_LIMITS: Allowances = Allowances::new();
    let noon = NaiveDate::from_ymd_opt(2026, 1, 15).and_then(|day| day.and_hms_opt(12, 0, 0));
    Rated {
        version,
        sale,
        member: &NOBODY,
        local: noon.unwrap(),
        carry: None,
        allowances: &NO_LIMITS,
        bought: Bought::NOTHING,
        closed: None,
    }
}

/// Runs a property on made-up terms, lines and a part that points paid.
fn for_many(property: impl Fn(&mut Dice, Terms, Vec<SaleLine>, Decimal)) {
    for case in 1..=CASES {
        let mut dice = Dice::of_case(case);
        let terms = Terms::drawn(&mut dice);
        let lines: Vec<SaleLine> = (0..=dice.below(5)).map(|_| any_line(&mut dice)).collect();
        let total: Decimal = lines.iter().map(|line| line.amount).sum();
        let paid = if dice.one_in(2) {
            dice.cents(10_000).min(total)
        } else {
            Decimal::ZERO
        };
        property(&mut dice, terms, lines, paid);
    }
}

fn shuffled<T>(dice: &mut Dice, mut list: Vec<T>) -> Vec<T> {
    for place in (1..list.len()).rev() {
        list.swap(place, usize::try_from(dice.below(place as u64 + 1)).unwrap());
    }
    list
}

/// The same rules under other ids, so that they stand in another order.
fn renamed(dice: &mut Dice, terms: &Terms) -> Terms {
    let mut other = terms.clone();
    (other.rules, other.allowances) = Default::default();
    other.member.assigned_rule_id = None;
    for (place, (rule_id, rule)) in shuffled(dice, terms.rules.clone()).into_iter().enumerate() {
        let new_id = format!("n{place}");
        if let Some(left) = terms.allowances.get(&rule_id) {
            other.allowances.insert(new_id.clone(), *left);
        }
        if terms.member.assigned_rule_id.as_ref() == Some(&rule_id) {
            other.member.assigned_rule_id = Some(new_id.clone());
        }
        other.rules.push((new_id, rule));
    }
    other
}

#[test]
fn the_order_of_rules_and_lines_never_changes_what_a_sale_earns() {
    for_many(|dice, terms, lines, paid| {
        let before = earned(&terms, &lines, paid);

        let after = earned(&renamed(dice, &terms), &shuffled(dice, lines.clone()), paid);

        assert_eq!(after.points, before.points, "{terms:?} {lines:?}");
        assert_eq!(after.rated_amount, before.rated_amount);
        assert_eq!(after.carry, before.carry);
    });
}

/// A part of a line with so much of its amount and quantity, and of whatever belongs to the amount.
fn split(dice: &mut Dice, line: &mut SaleLine) -> SaleLine {
    let mut part = line.clone();
    part.amount = dice.cents(10_000).min(line.amount);
    part.quantity = Decimal::new(3, 1);
    part.tax_amount = line.tax_amount.min(part.amount);
    line.amount -= part.amount;
    line.quantity -= part.quantity;
    line.tax_amount -= part.tax_amount;
    if let Some(discount) = &mut line.discount_amount {
        let of_part = dice.cents(2_000).min(*discount);
        part.discount_amount = Some(of_part);
        *discount -= of_part;
    }
    part
}

#[test]
fn a_line_in_two_parts_earns_what_it_earns_in_one() {
    for_many(|dice, terms, lines, paid| {
        let before = earned(&terms, &lines, paid);

        let mut parts = lines.clone();
        let place = usize::try_from(dice.below(lines.len() as u64)).unwrap();
        let part = split(dice, &mut parts[place]);
        parts.push(part);
        let after = earned(&terms, &parts, paid);

        assert_eq!(after.points, before.points, "{terms:?} {lines:?}");
        assert_eq!(after.carry, before.carry);
    });
}

/// The terms under which more spend cannot earn less. What is left out does as it was told to: a rule of higher priority
/// with a minimum or a ceiling of its own takes the place of one that gives more as soon as it applies (made-up bases have
/// no minimum); a campaign with a minimum keeps out one that applies alone; and what a limit cuts off leaves no fraction.
/// That more is discounted than the program's ceiling allows is left out where it happens.
fn unconditional(mut terms: Terms) -> Terms {
    let some_alone = terms.rules.iter().any(|(_, rule)| rule.exclusive);
    for (_, rule) in &mut terms.rules {
        rule.max_discount_percent = None;
        if some_alone {
            rule.minimum_sale = None;
        }
    }
    if terms.has_limits() {
        terms.carry = None;
    }
    terms
}

#[test]
fn more_spend_under_the_same_ceiling_never_earns_less() {
    for_many(|dice, terms, lines, paid| {
        let terms = unconditional(terms);
        let before = earned(&terms, &lines, paid);

        let mut more = lines.clone();
        let place = usize::try_from(dice.below(lines.len() as u64)).unwrap();
        let (amount, tax) = (dice.cents(5_000), dice.cents(1_000));
        more[place].amount += amount;
        more[place].tax_amount += tax.min(amount);
        let after = earned(&terms, &more, paid);

        let is_above = |lines: &[SaleLine]| {
            let ceiling = terms.max_discount_percent;
            ceiling.is_some_and(|percent| discount::is_above(&sale(lines.to_vec()), percent))
        };
        if is_above(&lines) == is_above(&more) {
            assert!(
                after.points >= before.points,
                "{} < {}: {terms:?} {lines:?} {more:?}",
                after.points,
                before.points
            );
        }
    });
}

/// The reasons for what `unconditional` leaves out.
#[test]
fn more_spend_earns_less_where_a_rule_says_so() {
    let base = || {
        let rate = EarnRate {
            amount: Decimal::TEN,
            points: Decimal::ONE,
            rounding: Rounding::Floor,
            complete_steps: false,
            vat_percent: None,
        };
        Rule::new("Rule".to_owned(), RuleEffect::EarnRate(rate))
    };
    let times = |factor: i64| RuleEffect::Multiplier {
        factor: Decimal::from(factor),
        rounding: Rounding::Floor,
    };
    let of = |rules: Vec<Rule>, carry: Option<Fraction>, total: i64| {
        let ids = ["a", "b", "c"].map(str::to_owned);
        let version = version(ids.into_iter().zip(rules).collect(), 0);
        let sale = sale(vec![SaleLine::whole(Decimal::from(total))]);
        let rated = Rated {
            carry,
            ..plain(&version, &sale)
        };
        rate(rated, None, Decimal::ZERO).unwrap().points
    };

    // A base that goes first from a minimum on, and gives nothing.
    let mut none_above = Rule::new("Rule".to_owned(), RuleEffect::NoPoints);
    (none_above.priority, none_above.minimum_sale) = (1, Some(Decimal::from(100)));
    let bases = || vec![base(), none_above.clone()];
    assert_eq!(
        [99, 100].map(|total| of(bases(), None, total)),
        [9, 0].map(Decimal::from)
    );

    // A campaign that goes first from a minimum on, and keeps out one that applies alone.
    let (mut doubled, mut alone) = (base(), base());
    (doubled.effect, doubled.priority) = (times(2), 2);
    doubled.minimum_sale = Some(Decimal::from(100));
    (alone.effect, alone.priority, alone.exclusive) = (times(5), 1, true);
    let campaigns = || vec![base(), doubled.clone(), alone.clone()];
    assert_eq!(
        [90, 100].map(|total| of(campaigns(), None, total)),
        [45, 20].map(Decimal::from)
    );

    // What a limit cuts off leaves no fraction, what rounding drops does.
    let mut limited = base();
    limited.max_points_per_sale = Some(Decimal::TEN);
    let carry = Some(Fraction::new(9.into(), 10.into()));
    assert_eq!(
        [109, 110].map(|total| of(vec![limited.clone()], carry, total)),
        [11, 10].map(Decimal::from)
    );
}

#[test]
fn shares_roundings_and_fixed_points_less_what_is_capped_add_up() {
    for_many(|_, terms, lines, paid| {
        let earning = earned(&terms, &lines, paid);

        let shares: Decimal = earning.lines.iter().map(|line| line.points).sum();
        let items = earning
            .rates
            .iter()
            .map(|rate| rate.rounding + rate.fixed_points - rate.capped);
        assert_eq!(shares + items.sum::<Decimal>(), earning.points, "{terms:?} {lines:?}");
        assert_eq!(
            earning.rates.iter().map(|rate| rate.points).sum::<Decimal>(),
            earning.points
        );
        for line in &earning.lines {
            let campaigns: Decimal = line.campaigns.iter().map(|share| share.points).sum();
            assert!(line.points >= campaigns && campaigns >= Decimal::ZERO);
        }
        assert!(earning.rates.iter().all(|rate| rate.points >= Decimal::ZERO));
    });
}

#[test]
fn no_rule_gives_more_than_it_may() {
    for_many(|_, terms, lines, paid| {
        let earning = earned(&terms, &lines, paid);

        for rate in &earning.rates {
            let RateSource::Rule(rule_id) = &rate.source else {
                continue;
            };
            let rule = terms.rules.iter().find(|(id, _)| id == rule_id);
            let per_sale = rule.and_then(|(_, rule)| rule.max_points_per_sale);
            let limits = terms.allowances.get(rule_id).copied().into_iter().chain(per_sale);
            for limit in limits {
                assert!(rate.points <= limit, "{rate:?} of {terms:?}");
            }
        }
    });
}

/// Whatever is not to earn changes nothing but the total that points pay a part of.
#[test]
fn lines_that_are_flagged_or_excluded_earn_nothing() {
    for_many(|_, terms, lines, paid| {
        let earning = earned(&terms, &lines, paid);

        for (line, outcome) in lines.iter().zip(&earning.lines) {
            let lowered = line.discount_percent.is_some_and(|percent| !percent.is_zero());
            let is_out = line.flag.is_some() || (terms.exclude_percent_discounted_lines && lowered);
            if is_out || line.product_id == "never" {
                assert!(outcome.points.is_zero() && outcome.source.is_none(), "{line:?}");
            }
        }
    });
}

/// A sale of nobody in particular, with a fraction that earlier ones left.
fn carried(version: &ProgramVersion, lines: Vec<SaleLine>, carry: Fraction) -> Earning {
    let sale = sale(lines);
    let rated = Rated {
        carry: Some(carry),
        ..plain(version, &sale)
    };
    rate(rated, None, Decimal::ZERO).unwrap()
}

/// Over many sales, what is given and what is left is what the exact points add up to.
#[test]
fn fractions_that_are_kept_are_neither_lost_nor_made() {
    for_many(|dice, terms, lines, _| {
        let decimals = terms.decimals;
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
            let earning = carried(&version, lines.clone(), carry);
            carry = earning.carry.unwrap();
            given += earning.points;
            total += lines.iter().map(|line| line.amount).sum::<Decimal>();
            assert!(carry.shown() < unit);
        }

        let earning = carried(&version, vec![SaleLine::whole(total)], Fraction::ZERO);
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
