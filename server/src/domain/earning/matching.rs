//! Which rules a sale meets: the base of every line, the campaigns on top, and why others do not apply.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use ethnum::I256;
use rust_decimal::Decimal;

use super::{Rated, assigned, discount};
use crate::domain::number::{self, Rounding, SCALE, millionths, ten_thousandths};
use crate::domain::outcome::{EarnReason, RateSource};
use crate::domain::path;
use crate::domain::program::{EarnRate, RatedBasis, Tier};
use crate::domain::redemption::BoughtLine;
use crate::domain::rule::set::Place;
use crate::domain::rule::{Rule, RuleEffect, precedence};
use crate::domain::sale::SaleLine;

/// What the rules make of a sale.
pub(super) struct Matched<'a> {
    pub(super) lines: Vec<MatchedLine>,
    pub(super) bases: Vec<Base<'a>>,
    /// What each base rates in all.
    pub(super) sums: Vec<I256>,
    /// The campaigns that apply, in their order.
    pub(super) campaigns: Vec<(Place, Met)>,
    /// Rules that the sale met and that do not apply.
    pub(super) reasons: BTreeMap<Place, EarnReason>,
    multipliers: BTreeMap<Place, (&'a str, Decimal)>,
}

/// Where the points of some lines come from.
pub(super) struct Base<'a> {
    pub(super) source: RateSource,
    /// `None`: points per unit of a product.
    pub(super) rate: Option<&'a EarnRate>,
    pub(super) rule: Option<&'a Rule>,
}

/// What becomes of a line.
pub(super) struct MatchedLine {
    /// The place of its base and what of it is rated: ten-thousandths of money, or points in `product_unit`; or why not.
    pub(super) base: Result<(usize, I256), EarnReason>,
    campaigns: Vec<Place>,
}

/// What a campaign meets: sums by base.
#[derive(Default)]
pub(super) struct Met {
    pub(super) sums: BTreeMap<usize, I256>,
}

/// Points of a line without a rate: six decimals of the quantity, four of the points.
pub(super) fn product_unit() -> I256 {
    I256::from(10_i128.pow(6 + SCALE))
}

impl<'a> Matched<'a> {
    /// The multipliers that apply to a line.
    pub(super) fn multipliers_of(&self, line: &MatchedLine) -> impl Iterator<Item = (&'a str, Decimal)> {
        line.campaigns
            .iter()
            .filter_map(|place| self.multipliers.get(place).copied())
    }
}

/// Finds the base and the campaigns of every line.
pub(super) fn matched<'a>(rated: Rated<'a>, tier: Option<&'a Tier>) -> Matched<'a> {
    let mut matching = Matching {
        rated,
        tier,
        assigned: assigned(rated.version, rated.member).map(|(place, _)| place),
        of_sale: None,
        are_bases_of_sale_met: false,
        verdicts: BTreeMap::new(),
        outranked: BTreeMap::new(),
        groups: HashMap::new(),
        bases: Vec::new(),
        sums: Vec::new(),
    };
    let lines: Vec<MatchedLine> = sale_lines(rated)
        .enumerate()
        .map(|(place, line)| matching.line(place, line))
        .collect();
    matching.finish(lines)
}

/// A sale without lines is one line.
fn sale_lines<'a>(rated: Rated<'a>) -> Box<dyn Iterator<Item = Cow<'a, SaleLine>> + 'a> {
    let sale = rated.sale;
    if sale.lines.is_empty() {
        return Box::new(std::iter::once(Cow::Owned(SaleLine::whole(sale.total))));
    }
    Box::new(sale.lines.iter().map(Cow::Borrowed))
}

/// What of a line points did not buy.
fn without(line: Cow<'_, SaleLine>, bought: BoughtLine) -> Cow<'_, SaleLine> {
    if bought.quantity.is_zero() {
        return line;
    }
    let quantity = line.quantity - bought.quantity;
    // Not more than all of the tax, which is at most the amount.
    let tax = number::divide(
        ten_thousandths(line.tax_amount) * millionths(quantity),
        millionths(line.quantity) * I256::from(10_i128.pow(SCALE)),
        SCALE,
        Rounding::Floor,
    );
    Cow::Owned(SaleLine {
        quantity,
        amount: line.amount - bought.amount,
        tax_amount: tax.unwrap_or_default(),
        ..line.into_owned()
    })
}

/// Rules that apply to every line of the sale.
#[derive(Default)]
struct OfSale {
    bases: Vec<Place>,
    /// The one of them that goes first: they name all lines equally closely.
    base: Option<Place>,
    campaigns: Vec<Place>,
}

/// What a line is rated by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Products,
    Tier,
    Rule(Place),
}

struct Matching<'a> {
    rated: Rated<'a>,
    tier: Option<&'a Tier>,
    assigned: Option<Place>,
    /// Found out with the first line that asks.
    of_sale: Option<Rc<OfSale>>,
    are_bases_of_sale_met: bool,
    /// Whether a rule applies to the sale at all.
    verdicts: BTreeMap<Place, Result<(), EarnReason>>,
    /// Bases that might have rated a line, and whether they did.
    outranked: BTreeMap<Place, bool>,
    /// Places of bases by what they come from.
    groups: HashMap<Source, usize>,
    bases: Vec<Base<'a>>,
    sums: Vec<I256>,
}

impl<'a> Matching<'a> {
    fn line(&mut self, place: usize, line: Cow<'_, SaleLine>) -> MatchedLine {
        let bought = self.rated.bought.of_line(place);
        let line = &*without(line, bought);
        let program = &self.rated.version.program;
        let percent_discounted = line.discount_percent.is_some_and(|percent| percent > Decimal::ZERO);
        let refused = if line.flag.is_some() {
            Some(EarnReason::LineFlagged)
        } else if line.quantity.is_zero() {
            Some(EarnReason::PaidWithPoints)
        } else {
            (program.exclude_percent_discounted_lines && percent_discounted).then_some(EarnReason::PercentDiscounted)
        };
        let mut campaigns = Vec::new();
        let base = match refused {
            Some(reason) => Err(reason),
            None => {
                let (of_sale, named) = (self.of_sale(), self.named(line));
                let base = self.base(line, &of_sale, &named);
                if base.is_ok() {
                    campaigns = self.campaigns(line, of_sale.campaigns.iter().chain(&named));
                }
                base
            }
        };
        if let Ok((group, amount)) = base
            && let Some(sum) = self.sums.get_mut(group)
        {
            *sum += amount;
        }
        MatchedLine { base, campaigns }
    }

    /// The rules that name no line and apply to the sale: looked through once, whatever the number of lines.
    fn of_sale(&mut self) -> Rc<OfSale> {
        if let Some(known) = &self.of_sale {
            return Rc::clone(known);
        }
        let rules = &self.rated.version.rules;
        let mut of_sale = OfSale::default();
        for place in rules.for_sale(self.rated.sale) {
            let Some((_, rule)) = rules.at(place).filter(|(_, rule)| self.is_sold_here(rule)) else {
                continue;
            };
            if self.verdict(place, rule).is_err() {
                continue;
            }
            if rule.is_campaign() {
                of_sale.campaigns.push(place);
            } else {
                of_sale.bases.push(place);
            }
        }
        of_sale.base = self.first(of_sale.bases.iter(), "");
        Rc::clone(self.of_sale.insert(Rc::new(of_sale)))
    }

    /// The rules that name the line and apply to the sale.
    fn named(&mut self, line: &SaleLine) -> Vec<Place> {
        let rules = &self.rated.version.rules;
        let mut places = rules.for_line(line);
        places.retain(|place| {
            rules.at(*place).is_some_and(|(_, rule)| {
                let lines = &rule.selector.lines;
                lines.selects(&line.product_id, &line.category, &line.brand)
                    && self.is_sold_here(rule)
                    && self.verdict(*place, rule).is_ok()
            })
        });
        places
    }

    fn is_sold_here(&self, rule: &Rule) -> bool {
        rule.selector
            .is_sold_at(&self.rated.sale.store_id, &self.rated.sale.terminal_id)
    }

    /// Product points, else the assigned rule, else the first by rank, else the tier's rate, else the default rule.
    fn base(&mut self, line: &SaleLine, of_sale: &OfSale, named: &[Place]) -> Result<(usize, I256), EarnReason> {
        let version = self.rated.version;
        if let Some(points) = version
            .products
            .get(&line.product_id)
            .and_then(|product| product.points)
        {
            if points.is_zero() {
                return Err(EarnReason::ProductNeverEarns);
            }
            let group = self.group(Source::Products, RateSource::Products, None, None);
            return Ok((group, millionths(line.quantity) * ten_thousandths(points)));
        }
        if !self.are_bases_of_sale_met {
            self.are_bases_of_sale_met = true;
            self.outranked.extend(of_sale.bases.iter().map(|place| (*place, false)));
        }
        let is_base = |place: &&Place| version.rules.at(**place).is_some_and(|(_, rule)| !rule.is_campaign());
        for place in named.iter().filter(is_base) {
            self.outranked.entry(*place).or_insert(false);
        }
        let bases = named.iter().filter(is_base).chain(&of_sale.base);
        if let Some(place) = self.first(bases, &line.category)
            && let Some((rule_id, rule)) = version.rules.at(place)
        {
            self.outranked.insert(place, true);
            return self.by_rule(place, rule_id, rule, line);
        }
        if let Some((tier, rate)) = self.tier.and_then(|tier| Some((tier, tier.earn_rate.as_ref()?))) {
            let source = RateSource::Tier(tier.tier_id.clone());
            let group = self.group(Source::Tier, source, Some(rate), None);
            return Ok((group, self.amount(line)));
        }
        self.by_default(line)
    }

    /// Of some bases the one that goes first: the assigned one, else by rank.
    fn first<'p>(&self, places: impl Iterator<Item = &'p Place>, category: &str) -> Option<Place> {
        let order = |place: &Place| {
            let (rule_id, rule) = self.rated.version.rules.at(*place)?;
            let rank = precedence::rank(rule, category);
            Some((self.assigned == Some(*place), rank, Reverse(rule_id.as_str())))
        };
        places.max_by_key(|place| order(place)).copied()
    }

    fn by_default(&mut self, line: &SaleLine) -> Result<(usize, I256), EarnReason> {
        let rules = &self.rated.version.rules;
        let default = rules.fallback().and_then(|place| Some((place, rules.at(place)?)));
        match default {
            Some((place, (rule_id, rule))) => {
                self.verdict(place, rule)?;
                self.by_rule(place, rule_id, rule, line)
            }
            None if rules.has_assigned() => Err(EarnReason::NoRuleAssigned),
            None => Err(EarnReason::NoRate),
        }
    }

    fn by_rule(
        &mut self,
        place: Place,
        rule_id: &str,
        rule: &'a Rule,
        line: &SaleLine,
    ) -> Result<(usize, I256), EarnReason> {
        if rule.excludes.names(&line.product_id, &line.category, &line.brand) {
            return Err(EarnReason::ExcludedProduct);
        }
        let RuleEffect::EarnRate(rate) = &rule.effect else {
            return Err(EarnReason::ExcludedProduct);
        };
        let source = RateSource::Rule(rule_id.to_owned());
        let group = self.group(Source::Rule(place), source, Some(rate), Some(rule));
        Ok((group, self.amount(line)))
    }

    fn campaigns<'p>(&self, line: &SaleLine, places: impl Iterator<Item = &'p Place>) -> Vec<Place> {
        let is_met = |place: &&Place| {
            self.rated.version.rules.at(**place).is_some_and(|(_, rule)| {
                rule.is_campaign() && !rule.excludes.names(&line.product_id, &line.category, &line.brand)
            })
        };
        places.filter(is_met).copied().collect()
    }

    /// The place of a base, which is added when it is new.
    fn group(&mut self, key: Source, source: RateSource, rate: Option<&'a EarnRate>, rule: Option<&'a Rule>) -> usize {
        *self.groups.entry(key).or_insert_with(|| {
            self.bases.push(Base { source, rate, rule });
            self.sums.push(I256::ZERO);
            self.bases.len() - 1
        })
    }

    fn amount(&self, line: &SaleLine) -> I256 {
        ten_thousandths(match self.rated.version.program.rated_basis {
            RatedBasis::Gross => line.amount,
            RatedBasis::Net => line.amount - line.tax_amount,
        })
    }

    /// Whether a rule applies to the sale: asked once, whatever the number of lines.
    fn verdict(&mut self, place: Place, rule: &Rule) -> Result<(), EarnReason> {
        if let Some(verdict) = self.verdicts.get(&place) {
            return *verdict;
        }
        let verdict = self.judge(place, rule);
        self.verdicts.insert(place, verdict);
        verdict
    }

    fn judge(&self, place: Place, rule: &Rule) -> Result<(), EarnReason> {
        let Rated {
            sale, member, local, ..
        } = self.rated;
        let audience = &rule.audience;
        let covered =
            |nodes: &[String], path: &str| nodes.is_empty() || nodes.iter().any(|node| path::covers(node, path));
        let tier_id = self.tier.map_or("", |tier| tier.tier_id.as_str());
        if audience.assigned && self.assigned != Some(place) {
            return Err(EarnReason::NotAssigned);
        }
        if !rule.schedule.holds_at(local) {
            return Err(EarnReason::OutsideSchedule);
        }
        if !audience.tier_ids.is_empty() && !audience.tier_ids.iter().any(|listed| listed == tier_id) {
            return Err(EarnReason::OtherTier);
        }
        if !covered(&audience.customer_groups, &member.customer_group) {
            return Err(EarnReason::OtherCustomerGroup);
        }
        if !covered(&audience.territories, &member.territory) {
            return Err(EarnReason::OtherTerritory);
        }
        if rule.minimum_sale.is_some_and(|minimum| sale.total < minimum) {
            return Err(EarnReason::BelowMinimumSale);
        }
        let ceiling = rule.max_discount_percent;
        if ceiling.is_some_and(|percent| discount::is_above(sale, percent)) {
            return Err(EarnReason::DiscountCeiling);
        }
        Ok(())
    }

    /// Lets campaigns apply by falling priority, one that applies alone only where none did before, and none after it.
    fn finish(self, mut lines: Vec<MatchedLine>) -> Matched<'a> {
        let rules = &self.rated.version.rules;
        let mut met: BTreeMap<Place, Met> = BTreeMap::new();
        for line in &lines {
            for place in &line.campaigns {
                let sums = &mut met.entry(*place).or_default().sums;
                if let Ok((group, amount)) = line.base {
                    *sums.entry(group).or_default() += amount;
                }
            }
        }
        let mut reasons: BTreeMap<Place, EarnReason> = self
            .verdicts
            .iter()
            .filter_map(|(place, verdict)| Some((*place, verdict.err()?)))
            .collect();
        let unused = self.outranked.iter().filter(|(_, rated)| !**rated);
        reasons.extend(unused.map(|(place, _)| (*place, EarnReason::Outranked)));

        let mut by_priority: Vec<(Place, Met)> = met.into_iter().collect();
        by_priority.sort_by_key(|(place, _)| Reverse(rules.at(*place).map(|(_, rule)| rule.priority)));
        let (mut campaigns, mut multipliers) = (Vec::new(), BTreeMap::new());
        let mut is_alone = false;
        for (place, met) in by_priority {
            let Some((rule_id, rule)) = rules.at(place) else {
                continue;
            };
            if is_alone || (rule.exclusive && !campaigns.is_empty()) {
                reasons.insert(place, EarnReason::NotStackable);
                continue;
            }
            is_alone = rule.exclusive;
            if let RuleEffect::Multiplier { factor, .. } = rule.effect {
                multipliers.insert(place, (rule_id.as_str(), factor));
            }
            campaigns.push((place, met));
        }
        lines.iter_mut().for_each(|line| line.campaigns.sort_unstable());
        Matched {
            lines,
            bases: self.bases,
            sums: self.sums,
            campaigns,
            reasons,
            multipliers,
        }
    }
}
