//! Rules: what a sale, or a line of it, earns.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use loyalty_api::v1;
use rust_decimal::Decimal;

use crate::{
    id::{ProgramId, RuleId},
    program::ExpiryPolicy,
    tier::{EarnRate, Rounding},
    wire::{decimal_message, open_enum},
};

/// A rule to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRule {
    /// The program. Never changes.
    pub program_id: ProgramId,
    /// Name of the rule in every call; `None`: the server makes one. Never changes.
    pub rule_id: Option<RuleId>,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// What it does, when, where and for whom.
    pub terms: RuleTerms,
}

/// A rule as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The program.
    pub program_id: ProgramId,
    /// Name of the rule in every call.
    pub rule_id: RuleId,
    /// What people call it.
    pub name: String,
    /// What it does, when, where and for whom.
    pub terms: RuleTerms,
    /// Whether it was taken out of use.
    pub archived: bool,
    /// Changes with every change of the rule; an update brings the one it has read.
    pub etag: String,
    /// First program version with the rule as it is here.
    pub since_version: u32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a rule does, when, where and for whom. What is empty or `None` sets no bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTerms {
    /// What it does.
    pub effect: RuleEffect,
    /// The higher goes first, up to 1,000,000; 0: as closely as it names the line.
    pub priority: u32,
    /// The lines it applies to.
    pub selector: Selector,
    /// Lines that earn nothing by it although it would rate them.
    pub excludes: Exclusion,
    /// When it applies.
    pub schedule: Schedule,
    /// Whom it applies to.
    pub audience: Audience,
    /// It applies to sales of this total or more.
    pub minimum_sale: Option<Decimal>,
    /// It does not apply where the discounts of the sale are above this percentage, 0 to 100.
    pub max_discount_percent: Option<Decimal>,
    /// The most points it gives for one sale.
    pub max_points_per_sale: Option<Decimal>,
    /// The most points it gives to one member on one day.
    pub max_points_per_day: Option<Decimal>,
    /// The most points it ever gives to one member.
    pub max_points_per_member: Option<Decimal>,
    /// Campaigns only: it applies alone.
    pub exclusive: bool,
    /// Rules that are assigned to members only: what one point pays for them.
    pub value_per_point: Option<Decimal>,
    /// Rules that are assigned to members only: when points lapse that they earn.
    pub expiry: Option<ExpiryPolicy>,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleEffect {
    /// A base: rates the lines.
    EarnRate(EarnRate),
    /// A base: the lines earn nothing.
    NoPoints,
    /// A campaign: adds (factor − 1) times what the bases give, rounded once.
    Multiplier {
        /// Above 1, up to 1,000, at most 4 decimals.
        factor: Decimal,
        /// How what it adds is rounded.
        rounding: Rounding,
    },
    /// A campaign: so many points once for the sale.
    BonusPoints(Decimal),
    /// An effect that this version of the SDK does not know.
    Unknown,
}

/// Lines that are in each of its lists that is not empty, at most 1,000 values a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Products (SKU).
    pub product_ids: Vec<String>,
    /// Categories as paths, such as `food/coffee`: each selects its whole subtree.
    pub categories: Vec<String>,
    /// Brands.
    pub brands: Vec<String>,
    /// Stores.
    pub store_ids: Vec<String>,
    /// Terminals.
    pub terminal_ids: Vec<String>,
}

/// Lines that are in any of its lists, at most 1,000 values a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusion {
    /// Products (SKU).
    pub product_ids: Vec<String>,
    /// Categories as paths: each excludes its whole subtree.
    pub categories: Vec<String>,
    /// Brands.
    pub brands: Vec<String>,
}

/// When a rule applies, by the time of the sale in the program's zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// First day.
    pub valid_from: Option<NaiveDate>,
    /// Last day, inclusive.
    pub valid_until: Option<NaiveDate>,
    /// Days of the week; none: all.
    pub weekdays: Vec<Weekday>,
    /// Time of the day from which it applies, to the minute.
    pub time_from: Option<NaiveTime>,
    /// Time of the day at which it ends, exclusive, to the minute.
    pub time_until: Option<NaiveTime>,
}

open_enum! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday,
        /// Tuesday.
        Tuesday,
        /// Wednesday.
        Wednesday,
        /// Thursday.
        Thursday,
        /// Friday.
        Friday,
        /// Saturday.
        Saturday,
        /// Sunday.
        Sunday,
    }
}

/// Members that are in each of its lists that is not empty, at most 1,000 values a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Tiers, by the tier that the sale reaches.
    pub tier_ids: Vec<String>,
    /// Customer groups as paths: each covers its whole subtree.
    pub customer_groups: Vec<String>,
    /// Territories as paths: each covers its whole subtree.
    pub territories: Vec<String>,
    /// Only members whose record names the rule.
    pub assigned: bool,
}

impl RuleTerms {
    /// Does this always, everywhere, for everybody.
    pub fn new(effect: RuleEffect) -> Self {
        Self {
            effect,
            priority: 0,
            selector: Selector::default(),
            excludes: Exclusion::default(),
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
        }
    }
}

impl NewRule {
    /// A base with a rate: without further terms the default of its program, what members earn whose tier has no rate of
    /// its own.
    pub fn new(program_id: impl Into<ProgramId>, name: impl Into<String>, earn_rate: EarnRate) -> Self {
        Self::with_effect(program_id, name, RuleEffect::EarnRate(earn_rate))
    }

    /// A base without points: the lines it selects earn nothing.
    pub fn no_points(program_id: impl Into<ProgramId>, name: impl Into<String>) -> Self {
        Self::with_effect(program_id, name, RuleEffect::NoPoints)
    }

    /// A campaign that multiplies what the bases give; what it adds is rounded down.
    pub fn multiplier(program_id: impl Into<ProgramId>, name: impl Into<String>, factor: impl Into<Decimal>) -> Self {
        let effect = RuleEffect::Multiplier {
            factor: factor.into(),
            rounding: Rounding::Floor,
        };
        Self::with_effect(program_id, name, effect)
    }

    /// A campaign that gives so many points once for a sale.
    pub fn bonus(program_id: impl Into<ProgramId>, name: impl Into<String>, points: impl Into<Decimal>) -> Self {
        Self::with_effect(program_id, name, RuleEffect::BonusPoints(points.into()))
    }

    fn with_effect(program_id: impl Into<ProgramId>, name: impl Into<String>, effect: RuleEffect) -> Self {
        Self {
            program_id: program_id.into(),
            rule_id: None,
            name: name.into(),
            terms: RuleTerms::new(effect),
        }
    }

    /// Chooses the rule's name in calls.
    #[must_use]
    pub fn rule_id(mut self, rule_id: impl Into<RuleId>) -> Self {
        self.rule_id = Some(rule_id.into());
        self
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, priority: u32) -> Self {
        self.terms.priority = priority;
        self
    }

    /// Selects a product.
    #[must_use]
    pub fn product(mut self, product_id: impl Into<String>) -> Self {
        self.terms.selector.product_ids.push(product_id.into());
        self
    }

    /// Selects a category with its subtree.
    #[must_use]
    pub fn category(mut self, path: impl Into<String>) -> Self {
        self.terms.selector.categories.push(path.into());
        self
    }

    /// Selects a brand.
    #[must_use]
    pub fn brand(mut self, brand: impl Into<String>) -> Self {
        self.terms.selector.brands.push(brand.into());
        self
    }

    /// Selects a store.
    #[must_use]
    pub fn store(mut self, store_id: impl Into<String>) -> Self {
        self.terms.selector.store_ids.push(store_id.into());
        self
    }

    /// Selects a terminal.
    #[must_use]
    pub fn terminal(mut self, terminal_id: impl Into<String>) -> Self {
        self.terms.selector.terminal_ids.push(terminal_id.into());
        self
    }

    /// Keeps lines from earning by this rule.
    #[must_use]
    pub fn excludes(mut self, excludes: Exclusion) -> Self {
        self.terms.excludes = excludes;
        self
    }

    /// Says when it applies.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.terms.schedule = schedule;
        self
    }

    /// Says whom it applies to.
    #[must_use]
    pub fn audience(mut self, audience: Audience) -> Self {
        self.terms.audience = audience;
        self
    }

    /// For members only whose record names the rule.
    #[must_use]
    pub fn assigned(mut self) -> Self {
        self.terms.audience.assigned = true;
        self
    }

    /// For sales of this total or more.
    #[must_use]
    pub fn minimum_sale(mut self, total: impl Into<Decimal>) -> Self {
        self.terms.minimum_sale = Some(total.into());
        self
    }

    /// Not where the discounts of the sale are above this percentage.
    #[must_use]
    pub fn max_discount_percent(mut self, percent: impl Into<Decimal>) -> Self {
        self.terms.max_discount_percent = Some(percent.into());
        self
    }

    /// Never gives more points for one sale.
    #[must_use]
    pub fn max_points_per_sale(mut self, points: impl Into<Decimal>) -> Self {
        self.terms.max_points_per_sale = Some(points.into());
        self
    }

    /// Never gives more points to one member on one day.
    #[must_use]
    pub fn max_points_per_day(mut self, points: impl Into<Decimal>) -> Self {
        self.terms.max_points_per_day = Some(points.into());
        self
    }

    /// Never gives more points to one member in all.
    #[must_use]
    pub fn max_points_per_member(mut self, points: impl Into<Decimal>) -> Self {
        self.terms.max_points_per_member = Some(points.into());
        self
    }

    /// Of a campaign: applies alone.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        self.terms.exclusive = true;
        self
    }
}

/// Changes of a rule as it was read: only what is set here changes, and only if nobody changed the rule since.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RuleUpdate {
    pub(crate) rule: v1::Rule,
    pub(crate) paths: Vec<String>,
}

impl RuleUpdate {
    /// Changes nothing of `rule` yet.
    pub fn of(rule: &Rule) -> Self {
        Self {
            rule: v1::Rule {
                program_id: rule.program_id.to_string(),
                rule_id: rule.rule_id.to_string(),
                etag: rule.etag.clone(),
                ..v1::Rule::default()
            },
            paths: Vec::new(),
        }
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.rule.name = name.into();
        self.changing("name")
    }

    /// What it earns.
    pub fn earn_rate(self, earn_rate: EarnRate) -> Self {
        self.effect(&RuleEffect::EarnRate(earn_rate))
    }

    /// What it does; a base stays one, and so does a campaign.
    pub fn effect(mut self, effect: &RuleEffect) -> Self {
        self.rule.effect = effect.to_wire();
        self.changing("effect")
    }

    /// The higher goes first; 0: as closely as it names the line.
    pub fn priority(mut self, priority: u32) -> Self {
        self.rule.priority = priority;
        self.changing("priority")
    }

    /// The lines it applies to.
    pub fn selector(mut self, selector: &Selector) -> Self {
        self.rule.selector = selector.to_wire();
        self.changing("selector")
    }

    /// Lines that earn nothing by it.
    pub fn excludes(mut self, excludes: &Exclusion) -> Self {
        self.rule.excludes = excludes.to_wire();
        self.changing("excludes")
    }

    /// When it applies.
    pub fn schedule(mut self, schedule: &Schedule) -> Self {
        self.rule.schedule = schedule.to_wire();
        self.changing("schedule")
    }

    /// Whom it applies to.
    pub fn audience(mut self, audience: &Audience) -> Self {
        self.rule.audience = audience.to_wire();
        self.changing("audience")
    }

    /// It applies to sales of this total or more; `None`: to all.
    pub fn minimum_sale(mut self, total: Option<Decimal>) -> Self {
        self.rule.minimum_sale = total.map(decimal_message);
        self.changing("minimum_sale")
    }

    /// It does not apply above this percentage of discounts; `None`: it always does.
    pub fn max_discount_percent(mut self, percent: Option<Decimal>) -> Self {
        self.rule.max_discount_percent = percent.map(decimal_message);
        self.changing("max_discount_percent")
    }

    /// The most points it gives for one sale; `None`: no limit.
    pub fn max_points_per_sale(mut self, points: Option<Decimal>) -> Self {
        self.rule.max_points_per_sale = points.map(decimal_message);
        self.changing("max_points_per_sale")
    }

    /// The most points it gives to one member on one day; `None`: no limit.
    pub fn max_points_per_day(mut self, points: Option<Decimal>) -> Self {
        self.rule.max_points_per_day = points.map(decimal_message);
        self.changing("max_points_per_day")
    }

    /// The most points it ever gives to one member; `None`: no limit.
    pub fn max_points_per_member(mut self, points: Option<Decimal>) -> Self {
        self.rule.max_points_per_member = points.map(decimal_message);
        self.changing("max_points_per_member")
    }

    /// Of a campaign: whether it applies alone.
    pub fn exclusive(mut self, exclusive: bool) -> Self {
        self.rule.exclusive = exclusive;
        self.changing("exclusive")
    }

    /// What one point pays for the members it is assigned to; `None`: as tier and program say.
    pub fn value_per_point(mut self, value: Option<Decimal>) -> Self {
        self.rule.value_per_point = value.map(decimal_message);
        self.changing("value_per_point")
    }

    /// When points lapse of the members it is assigned to; `None`: as the program says.
    pub fn expiry(mut self, expiry: Option<ExpiryPolicy>) -> Self {
        self.rule.expiry = expiry.map(ExpiryPolicy::to_wire);
        self.changing("expiry")
    }

    fn changing(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|changed| changed == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
