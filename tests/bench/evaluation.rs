//! What rating costs by itself, on one core: sales of up to 200 lines under up to 500 rules.

use std::fmt::Write as _;

use chrono::Utc;
use loyalty_sdk::api::{self as wire, rule::Effect};
use loyalty_server::Evaluation;

use crate::Failure;
use crate::number::grouped;
use crate::usage::Process;

/// Processor time for which each of them is rated again and again: forty times the finest that Linux shows.
const LENGTH_MS: u64 = 400;

const RULES: [u64; 4] = [10, 50, 100, 500];
const LINES: [u64; 4] = [1, 10, 50, 200];

/// The tables, as Markdown.
pub(crate) fn tables() -> Result<String, Failure> {
    let mixed = Evaluation::new(program(), mixed_rules())?;
    let sale = sale(200, 500);
    let (mixed_ns, explained) = cost(&mixed, sale)?;
    let mut text = format!(
        "**Rating alone**, on one core: a sale of 200 lines under 500 rules of every kind takes {} µs, {} evaluations/s; \
         {explained} items explain it.\n\n",
        grouped(mixed_ns / 1_000),
        grouped(1_000_000_000 / mixed_ns.max(1)),
    );
    let three = cost(&Evaluation::new(program(), product_rules(3))?, self::sale(200, 3))?.0;
    let of_many = cost(&Evaluation::new(program(), product_rules(500))?, self::sale(200, 3))?.0;
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "A sale of 200 lines that touches 3 rules takes {} µs where there are 3, and {} µs where there are 500.\n",
        grouped(three / 1_000),
        grouped(of_many / 1_000),
    );
    text.push_str("µs for a sale, ns for each of its lines; each line meets one of the rules:\n\n| rules |");
    for lines in LINES {
        let _ = write!(text, " {lines} lines |");
    }
    text.push_str("\n|--:|--:|--:|--:|--:|\n");
    for rules in RULES {
        let evaluation = Evaluation::new(program(), product_rules(rules))?;
        let _ = write!(text, "| {rules} |");
        for lines in LINES {
            let (ns, _) = cost(&evaluation, self::sale(lines, rules))?;
            let _ = write!(text, " {}, {} |", grouped(ns / 1_000), grouped(ns / lines));
        }
        text.push('\n');
    }
    Ok(text)
}

/// Nanoseconds of an evaluation, and how many items explain it.
fn cost(evaluation: &Evaluation, sale: wire::Sale) -> Result<(u64, usize), Failure> {
    let (sale, now) = (Evaluation::read(sale)?, Utc::now());
    let (_, explained) = evaluation.rate(&sale, now)?;
    // Of this program alone: others take their share of the cores meanwhile.
    let own = Process::new(std::process::id());
    let (begun, mut count, mut used_ms) = (own.cpu_ms()?, 0, 0);
    while used_ms < LENGTH_MS {
        for _ in 0..64 {
            std::hint::black_box(evaluation.rate(std::hint::black_box(&sale), now)?);
            count += 1;
        }
        used_ms = own.cpu_ms()? - begun;
    }
    Ok((used_ms * 1_000_000 / count, explained))
}

fn program() -> wire::Program {
    wire::Program {
        name: "Club".to_owned(),
        currency_code: "EUR".to_owned(),
        ..wire::Program::default()
    }
}

fn number(value: impl ToString) -> Option<wire::Decimal> {
    let value = value.to_string();
    Some(wire::Decimal { value })
}

fn rule(number_of: u64, effect: Effect, selector: wire::Selector) -> wire::Rule {
    wire::Rule {
        rule_id: format!("rule-{number_of}"),
        name: format!("Rule {number_of}"),
        effect: Some(effect),
        selector: Some(selector).filter(|selector| *selector != wire::Selector::default()),
        ..wire::Rule::default()
    }
}

fn rate(points: u64) -> Effect {
    Effect::EarnRate(wire::EarnRate {
        amount: number(10),
        points: number(points),
        ..wire::EarnRate::default()
    })
}

/// Bases for a product each.
fn product_rules(count: u64) -> Vec<wire::Rule> {
    let of_product = |place: u64| {
        let selector = wire::Selector {
            product_ids: vec![format!("sku-{place}")],
            ..wire::Selector::default()
        };
        rule(place, rate(place % 7 + 1), selector)
    };
    (0..count).map(of_product).collect()
}

/// 200 for products, 100 for categories, 50 for brands, 50 for other stores, 49 campaigns for categories, 50 for groups of
/// customers, and the default.
fn mixed_rules() -> Vec<wire::Rule> {
    let named = |text: String| vec![text];
    let mut rules = product_rules(200);
    for place in 200..499_u64 {
        let mut selector = wire::Selector::default();
        let mut effect = rate(place % 7 + 1);
        match place {
            200..300 => selector.categories = named(format!("shop/shelf-{}", place % 100)),
            300..350 => selector.brands = named(format!("brand-{}", place % 50)),
            350..400 => selector.store_ids = named(format!("other-{place}")),
            400..449 => selector.categories = named(format!("shop/shelf-{}", place % 50)),
            _ => {}
        }
        if place >= 400 {
            effect = Effect::Multiplier(wire::Multiplier {
                factor: number(2),
                ..wire::Multiplier::default()
            });
        }
        let mut rule = rule(place, effect, selector);
        if place >= 449 {
            rule.audience = Some(wire::Audience {
                customer_groups: named(format!("group-{place}")),
                ..wire::Audience::default()
            });
        }
        rules.push(rule);
    }
    rules.push(rule(499, rate(1), wire::Selector::default()));
    rules
}

/// A sale whose lines go through the products, shelves and brands.
fn sale(lines: u64, products: u64) -> wire::Sale {
    let line = |place: u64| wire::SaleLine {
        product_id: format!("sku-{}", place % products),
        category: format!("shop/shelf-{}/box", place % 100),
        brand: format!("brand-{}", place % 60),
        quantity: number(2),
        amount: number("19.90"),
        ..wire::SaleLine::default()
    };
    wire::Sale {
        sale_id: "1".to_owned(),
        store_id: "store-1".to_owned(),
        member: Some(wire::MemberKey {
            key: Some(wire::member_key::Key::CustomerId("ada".to_owned())),
        }),
        currency_code: "EUR".to_owned(),
        total: number(format!("{}.{:02}", lines * 1_990 / 100, lines * 1_990 % 100)),
        lines: (0..lines).map(line).collect(),
        ..wire::Sale::default()
    }
}
