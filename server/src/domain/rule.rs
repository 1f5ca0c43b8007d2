//! Rules: what a sale, or a line of it, earns, and when.

pub(crate) mod editing;
pub(crate) mod precedence;
pub(crate) mod set;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::number::Rounding;
use super::path;
use super::program::{EarnRate, ExpiryPolicy};

/// A rule as people configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) effect: RuleEffect,
    /// The higher goes first; 0 leaves it to the selectors.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) priority: u32,
    /// Lines that it applies to.
    #[serde(default, skip_serializing_if = "Selector::is_empty")]
    pub(crate) selector: Selector,
    /// Lines among them that it keeps from earning.
    #[serde(default, skip_serializing_if = "LineSelector::is_empty")]
    pub(crate) excludes: LineSelector,
    #[serde(default, skip_serializing_if = "Schedule::is_empty")]
    pub(crate) schedule: Schedule,
    #[serde(default, skip_serializing_if = "Audience::is_empty")]
    pub(crate) audience: Audience,
    /// The sale's total has to reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_sale: Option<Decimal>,
    /// Above it the discounts of a sale keep the rule from applying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_discount_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_sale: Option<Decimal>,
    /// Of one member, on one day of the program's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_day: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_points_per_member: Option<Decimal>,
    /// Of a campaign: applies alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exclusive: bool,
    /// What one point pays for a member that the rule is assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value_per_point: Option<Decimal>,
    /// When points lapse of a member that the rule is assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<ExpiryPolicy>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) archived: bool,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleEffect {
    /// A base: rates the lines.
    EarnRate(EarnRate),
    /// A base: the lines earn nothing.
    NoPoints,
    /// A campaign: multiplies what the base gives.
    Multiplier { factor: Decimal, rounding: Rounding },
    /// A campaign: a fixed number of points for the sale.
    Bonus(Decimal),
}

/// Lines of a sale, by what they are and where they are sold. What is empty selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selector {
    #[serde(flatten)]
    pub(crate) lines: LineSelector,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) store_ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) terminal_ids: Vec<String>,
}

/// Lines by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineSelector {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) product_ids: Vec<String>,
    /// Paths: each selects its subtree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) brands: Vec<String>,
}

/// When a rule applies, in the program's zone. What is empty is always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Schedule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<NaiveDate>,
    /// Inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_until: Option<NaiveDate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) weekdays: Vec<Weekday>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_from: Option<NaiveTime>,
    /// Exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time_until: Option<NaiveTime>,
}

/// Whom a rule applies to. What is empty is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Audience {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tier_ids: Vec<String>,
    /// Paths: each covers its subtree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) customer_groups: Vec<String>,
    /// Paths: each covers its subtree.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) territories: Vec<String>,
    /// Only members whose record names the rule.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) assigned: bool,
}

impl Rule {
    /// A rule that does only this, always, to everybody.
    pub(crate) fn new(name: String, effect: RuleEffect) -> Self {
        Self {
            name,
            effect,
            priority: 0,
            selector: Selector::default(),
            excludes: LineSelector::default(),
            schedule: Schedule::default(),
            audience: Audience::default(),
            minimum_sale: None,
            max_discount_percent: None,
            max_points_per_sale: None,
            max_points_per_day: None,
            max_points_per_member: None,
            exclusive: false,
            value_per_point: None,
            expiry: None,
            archived: false,
        }
    }

    /// Whether what it gave before limits what it gives.
    pub(crate) fn counts_usage(&self) -> bool {
        self.max_points_per_day.is_some() || self.max_points_per_member.is_some()
    }

    /// Whether it comes on top of a base.
    pub(crate) fn is_campaign(&self) -> bool {
        matches!(self.effect, RuleEffect::Multiplier { .. } | RuleEffect::Bonus(_))
    }
}

impl Selector {
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.store_ids.is_empty() && self.terminal_ids.is_empty()
    }

    /// Whether it selects sales of this store and terminal.
    pub(crate) fn is_sold_at(&self, store_id: &str, terminal_id: &str) -> bool {
        let named = |list: &[String], id: &str| list.is_empty() || list.iter().any(|listed| listed == id);
        named(&self.store_ids, store_id) && named(&self.terminal_ids, terminal_id)
    }
}

impl LineSelector {
    pub(crate) fn is_empty(&self) -> bool {
        self.product_ids.is_empty() && self.categories.is_empty() && self.brands.is_empty()
    }

    /// Whether it selects such a line: one that is in each of its lists.
    pub(crate) fn selects(&self, product_id: &str, category: &str, brand: &str) -> bool {
        (self.product_ids.is_empty() || self.product_ids.iter().any(|listed| listed == product_id))
            && (self.categories.is_empty() || self.categories.iter().any(|node| path::covers(node, category)))
            && (self.brands.is_empty() || self.brands.iter().any(|listed| listed == brand))
    }

    /// Whether such a line is in any of its lists.
    pub(crate) fn names(&self, product_id: &str, category: &str, brand: &str) -> bool {
        self.product_ids.iter().any(|listed| listed == product_id)
            || self.categories.iter().any(|node| path::covers(node, category))
            || self.brands.iter().any(|listed| listed == brand)
    }
}

impl Schedule {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds at this moment of the program's zone.
    pub(crate) fn holds_at(&self, local: NaiveDateTime) -> bool {
        let (day, time) = (local.date(), local.time());
        self.valid_from.is_none_or(|first| day >= first)
            && self.valid_until.is_none_or(|last| day <= last)
            && (self.weekdays.is_empty() || self.weekdays.contains(&day.weekday()))
            && self.time_from.is_none_or(|first| time >= first)
            && self.time_until.is_none_or(|end| time < end)
    }
}

impl Audience {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
