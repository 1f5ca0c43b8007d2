//! Programs, members and lines with everything that rating asks for.

use rust_decimal::Decimal;

use super::{line, rules, version};
use crate::domain::account::Attributes;
use crate::domain::dice::Dice;
use crate::domain::number::{Fraction, Rounding};
use crate::domain::program::{EarnRate, ProgramUnit, ProgramVersion, RatedBasis, Tier};
use crate::domain::rule::Rule;
use crate::domain::rule_usage::Allowances;
use crate::domain::sale::{SaleLine, SaleLineFlag};

/// Everything beside the lines that decides what a sale earns.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) rules: Vec<(String, Rule)>,
    pub(crate) decimals: u32,
    pub(crate) unit: ProgramUnit,
    pub(crate) basis: RatedBasis,
    pub(crate) exclude_percent_discounted_lines: bool,
    pub(crate) earn_on_points_paid_part: bool,
    pub(crate) max_discount_percent: Option<Decimal>,
    pub(crate) tier: Option<Tier>,
    pub(crate) member: Attributes,
    pub(crate) allowances: Allowances,
    pub(crate) carry: Option<Fraction>,
}

impl Terms {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let mut rules = rules(dice);
        let mut allowances = Allowances::new();
        for (rule_id, rule) in &mut rules {
            rule.audience.assigned = dice.one_in(6);
            if dice.one_in(6) {
                rule.max_discount_percent = Some(dice.cents(5_000));
            }
            if dice.one_in(4) {
                rule.max_points_per_day = Some(Decimal::from(50));
                allowances.insert(rule_id.clone(), dice.cents(5_000));
            }
        }
        let named = usize::try_from(dice.below(rules.len() as u64 + 1)).unwrap();
        let in_money = dice.one_in(3);
        Self {
            decimals: match in_money {
                true => 2,
                false => u32::try_from(dice.below(5)).unwrap(),
            },
            unit: match in_money {
                true => ProgramUnit::Value,
                false => ProgramUnit::Points,
            },
            basis: match dice.one_in(2) {
                true => RatedBasis::Net,
                false => RatedBasis::Gross,
            },
            exclude_percent_discounted_lines: dice.one_in(2),
            earn_on_points_paid_part: dice.one_in(4),
            max_discount_percent: dice.one_in(3).then(|| dice.cents(6_000)),
            tier: dice.one_in(2).then(|| tier(dice)),
            member: Attributes {
                assigned_rule_id: rules.get(named).map(|(rule_id, _)| rule_id.clone()),
                ..Attributes::default()
            },
            carry: dice.one_in(3).then_some(Fraction::ZERO),
            allowances,
            rules,
        }
    }

    pub(crate) fn version(&self) -> ProgramVersion {
        let mut version = version(self.rules.clone(), self.decimals);
        let program = &mut version.program;
        program.unit = self.unit;
        program.rated_basis = self.basis;
        program.exclude_percent_discounted_lines = self.exclude_percent_discounted_lines;
        program.earn_on_points_paid_part = self.earn_on_points_paid_part;
        program.max_discount_percent = self.max_discount_percent;
        program.carry_fractions = self.carry.is_some();
        version
    }

    /// Whether a rule gives no more than so much.
    pub(crate) fn has_limits(&self) -> bool {
        let is_limited = |(_, rule): &(String, Rule)| rule.max_points_per_sale.is_some();
        !self.allowances.is_empty() || self.rules.iter().any(is_limited)
    }
}

fn tier(dice: &mut Dice) -> Tier {
    Tier {
        tier_id: "silver".to_owned(),
        name: "Silver".to_owned(),
        minimum_spend: Decimal::ZERO,
        earn_rate: Some(EarnRate {
            amount: dice.cents(5_000) + Decimal::new(7, 2),
            points: dice.cents(300) + Decimal::new(1, 2),
            rounding: Rounding::HalfUp,
            complete_steps: false,
            vat_percent: None,
        }),
        value_per_point: None,
    }
}

/// A line with a tax, perhaps a discount of either kind, and perhaps a flag.
pub(crate) fn any_line(dice: &mut Dice) -> SaleLine {
    let mut line = line(dice);
    line.tax_amount = (line.amount * Decimal::new(i64::try_from(dice.below(25)).unwrap(), 2)).trunc_with_scale(2);
    match dice.below(6) {
        0 | 1 => line.discount_percent = Some(dice.cents(5_000)),
        2 => line.discount_amount = Some(dice.cents(2_000)),
        _ => {}
    }
    line.flag = match dice.below(16) {
        0 => Some(SaleLineFlag::Shipping),
        1 => Some(SaleLineFlag::NonEarning),
        _ => None,
    };
    line
}
