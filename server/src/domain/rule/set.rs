//! The rules in force under one version, arranged so that a sale meets only those that name something of it.

use std::collections::{BTreeSet, HashMap};

use super::{Rule, precedence};
use crate::domain::path;
use crate::domain::sale::{Sale, SaleLine};

/// Place of a rule in its set.
pub(crate) type Place = usize;

/// The rules of a version by id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSet {
    rules: Vec<(String, Rule)>,
    /// The base that yields to a tier's rate.
    fallback: Option<Place>,
    /// Rules by the first of what they name in this order, each only there: to look for a rule costs what the sale names.
    by_product: HashMap<String, Vec<Place>>,
    by_category: HashMap<String, Vec<Place>>,
    by_brand: HashMap<String, Vec<Place>>,
    by_terminal: HashMap<String, Vec<Place>>,
    by_store: HashMap<String, Vec<Place>>,
    /// Rules that name none of these.
    open: Vec<Place>,
    has_assigned: bool,
    /// Whether the usage of any rule counts.
    counts_usage: bool,
}

impl RuleSet {
    /// Arranges rules that come by rising id.
    pub(crate) fn new(rules: Vec<(String, Rule)>) -> Self {
        let mut set = Self::default();
        for (place, (_, rule)) in rules.iter().enumerate() {
            set.counts_usage |= rule.counts_usage();
            set.has_assigned |= rule.audience.assigned && !rule.is_campaign();
            if precedence::is_default(rule) {
                set.fallback = Some(place);
                continue;
            }
            let selector = &rule.selector;
            let lists = [
                (&mut set.by_product, &selector.lines.product_ids),
                (&mut set.by_category, &selector.lines.categories),
                (&mut set.by_brand, &selector.lines.brands),
                (&mut set.by_terminal, &selector.terminal_ids),
                (&mut set.by_store, &selector.store_ids),
            ];
            match lists.into_iter().find(|(_, named)| !named.is_empty()) {
                Some((index, named)) => {
                    for name in named {
                        index.entry(name.clone()).or_default().push(place);
                    }
                }
                None => set.open.push(place),
            }
        }
        set.rules = rules;
        set
    }

    /// The rule at a place, with its id.
    pub(crate) fn at(&self, place: Place) -> Option<&(String, Rule)> {
        self.rules.get(place)
    }

    /// The base that everybody has whose tier has no rate.
    pub(crate) fn fallback(&self) -> Option<Place> {
        self.fallback
    }

    /// The place of a rule.
    pub(crate) fn find(&self, rule_id: &str) -> Option<Place> {
        self.rules.binary_search_by(|(id, _)| id.as_str().cmp(rule_id)).ok()
    }

    /// Whether some base is only for members that it is assigned to.
    pub(crate) fn has_assigned(&self) -> bool {
        self.has_assigned
    }

    /// Whether the usage of any rule counts.
    pub(crate) fn count_usage(&self) -> bool {
        self.counts_usage
    }

    /// The rules that a sale may meet, each once, with their ids.
    pub(crate) fn met_by(&self, sale: &Sale) -> impl Iterator<Item = &(String, Rule)> {
        let mut places: BTreeSet<Place> = self.for_sale(sale).into_iter().chain(self.fallback).collect();
        for line in &sale.lines {
            places.extend(self.for_line(line));
        }
        places.into_iter().filter_map(|place| self.rules.get(place))
    }

    /// Rules that name no product, category or brand and may apply to any line of the sale, in order of place.
    pub(crate) fn for_sale(&self, sale: &Sale) -> Vec<Place> {
        let by_terminal = self.by_terminal.get(&sale.terminal_id).into_iter().flatten();
        let by_store = self.by_store.get(&sale.store_id).into_iter().flatten();
        let mut places: Vec<Place> = self.open.iter().chain(by_terminal).chain(by_store).copied().collect();
        places.sort_unstable();
        places
    }

    /// Rules that name the line's product, category or brand, in order of place.
    pub(crate) fn for_line(&self, line: &SaleLine) -> Vec<Place> {
        let by_product = self.by_product.get(&line.product_id).into_iter().flatten();
        let categories = path::lineage(&line.category);
        let by_category = categories.filter_map(|node| self.by_category.get(node)).flatten();
        let by_brand = self.by_brand.get(&line.brand).into_iter().flatten();
        let mut places: Vec<Place> = by_product.chain(by_category).chain(by_brand).copied().collect();
        places.sort_unstable();
        places.dedup();
        places
    }
}
