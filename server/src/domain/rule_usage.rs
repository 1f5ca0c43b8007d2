//! What rules that are limited per day or per member gave to a member.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::outcome::{RateOutcome, RateSource};
use super::program::ProgramVersion;
use super::rule::Rule;
use super::sale::Sale;

/// Stands for all days together, in a row of its own: what a limit per member asks for.
pub(crate) const ALL_DAYS: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();

/// What each rule may still give; a rule that is not in it has no such limit.
pub(crate) type Allowances = BTreeMap<String, Decimal>;

/// Points by day and rule, of the days that were loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleUsage {
    given: BTreeMap<(NaiveDate, String), Decimal>,
    changed: BTreeSet<(NaiveDate, String)>,
}

impl RuleUsage {
    /// Takes in what was loaded.
    pub(crate) fn learn(&mut self, day: NaiveDate, rule_id: String, points: Decimal) {
        self.given.entry((day, rule_id)).or_insert(points);
    }

    /// What the limited rules that a sale may meet may still give on its day.
    pub(crate) fn allowances(&self, version: &ProgramVersion, sale: &Sale, day: NaiveDate) -> Allowances {
        if !version.rules.count_usage() {
            return Allowances::new();
        }
        let allowance = |(rule_id, rule): &(String, Rule)| {
            let left =
                |most: Option<Decimal>, day| most.map(|most| (most - self.given(rule_id, day)).max(Decimal::ZERO));
            let today = left(rule.max_points_per_day, day);
            let ever = left(rule.max_points_per_member, ALL_DAYS);
            Some((rule_id.clone(), today.into_iter().chain(ever).min()?))
        };
        let met = version.rules.met_by(sale);
        met.filter(|(_, rule)| rule.counts_usage())
            .filter_map(allowance)
            .collect()
    }

    /// Counts what the limited rules gave on a day.
    pub(crate) fn count(&mut self, allowances: &Allowances, rates: &[RateOutcome], day: NaiveDate) {
        for rate in rates {
            let RateSource::Rule(rule_id) = &rate.source else {
                continue;
            };
            if rate.points.is_zero() || !allowances.contains_key(rule_id) {
                continue;
            }
            for day in [day, ALL_DAYS] {
                let key = (day, rule_id.clone());
                *self.given.entry(key.clone()).or_default() += rate.points;
                self.changed.insert(key);
            }
        }
    }

    /// Takes off what a rule gave on a day and turns out not to have given.
    pub(crate) fn take_back(&mut self, rule_id: &str, day: NaiveDate, less: Decimal) {
        if less.is_zero() {
            return;
        }
        for day in [day, ALL_DAYS] {
            let key = (day, rule_id.to_owned());
            let given = self.given.entry(key.clone()).or_default();
            *given = (*given - less).max(Decimal::ZERO);
            self.changed.insert(key);
        }
    }

    /// Counts what the rules gave to a member who is merged into this one.
    pub(crate) fn add(&mut self, more: Vec<(NaiveDate, String, Decimal)>) {
        for (day, rule_id, points) in more {
            *self.given.entry((day, rule_id.clone())).or_default() += points;
            self.changed.insert((day, rule_id));
        }
    }

    /// What has to be written, as it is now.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (NaiveDate, &str, Decimal)> {
        self.changed.iter().filter_map(|key| {
            let points = self.given.get(key)?;
            Some((key.0, key.1.as_str(), *points))
        })
    }

    fn given(&self, rule_id: &str, day: NaiveDate) -> Decimal {
        self.given.get(&(day, rule_id.to_owned())).copied().unwrap_or_default()
    }
}
