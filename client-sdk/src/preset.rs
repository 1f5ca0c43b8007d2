//! Presets: whole programs as data, which can be set up with one call.

mod json;
pub(crate) mod settings;

use crate::{
    id::ProgramId,
    product::{ProductLoad, ProductUpdate},
    program::{NewProgram, Program},
    reward::{NewReward, Reward},
    rule::{NewRule, Rule},
};

pub use json::PresetError;

/// A program with its rules, products and rewards, as [`Client::apply_preset`](crate::Client::apply_preset) sets it up.
///
/// Those of this crate work as the points modules of well-known retail software do, and lie as JSON files in its folder
/// `presets`: start with one, and change what differs.
///
/// ```
/// use loyalty_sdk::Preset;
///
/// let mut club = Preset::fie().in_program("books");
/// club.program.currency_code = "UYU".to_owned();
/// club.program.time_zone = "America/Montevideo".to_owned();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What it is called.
    pub title: String,
    /// How programs that it sets up work, for people.
    pub description: String,
    /// The program; it needs a `program_id`.
    pub program: NewProgram,
    /// Its rules; each needs a `rule_id`. All belong to `program`, whatever program they name.
    pub rules: Vec<NewRule>,
    /// What its products earn and cost.
    pub products: Vec<ProductUpdate>,
    /// Its rewards; each needs a `reward_id`. All belong to `program`, whatever program they name.
    pub rewards: Vec<NewReward>,
}

/// What is there after a preset was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedPreset {
    /// The program, of the version that the preset made.
    pub program: Program,
    /// The rules of the preset.
    pub rules: Vec<Rule>,
    /// What the load of the products did; `None` for none.
    pub products: Option<ProductLoad>,
    /// The rewards of the preset.
    pub rewards: Vec<Reward>,
}

impl Preset {
    /// ERP systems with a single tier: a collection factor from a minimum spend on, a conversion factor, expiry in days,
    /// customers who opt in by their first sale.
    pub fn erp_single() -> Self {
        Self::of_this_crate(include_str!("../presets/erp_single.json"))
    }

    /// ERP systems with several tiers, for customers of one group and territory.
    pub fn erp_tiers() -> Self {
        Self::of_this_crate(include_str!("../presets/erp_tiers.json"))
    }

    /// Bookshop systems with a rule per customer, `normal` and `vip`: credit rate, debit rate, discount ceiling, product
    /// types that earn nothing, expiry in months.
    pub fn fie() -> Self {
        Self::of_this_crate(include_str!("../presets/fie.json"))
    }

    /// E-invoicing systems with points per amount that buy products.
    pub fn fac() -> Self {
        Self::of_this_crate(include_str!("../presets/fac.json"))
    }

    /// Retail systems with points: points per unit of a product, products that never earn, no points on percentage
    /// discounts, a ladder of rewards, document types.
    pub fn emd_points() -> Self {
        Self::of_this_crate(include_str!("../presets/emd_points.json"))
    }

    /// Retail systems with money in place of points, and its VAT.
    pub fn emd_value() -> Self {
        Self::of_this_crate(include_str!("../presets/emd_value.json"))
    }

    /// All presets of this crate.
    pub fn all() -> [Self; 6] {
        [
            Self::erp_single(),
            Self::erp_tiers(),
            Self::fie(),
            Self::fac(),
            Self::emd_points(),
            Self::emd_value(),
        ]
    }

    /// The preset for a program of another name.
    #[must_use]
    pub fn in_program(mut self, program_id: impl Into<ProgramId>) -> Self {
        let program_id = program_id.into();
        for rule in &mut self.rules {
            rule.program_id = program_id.clone();
        }
        for reward in &mut self.rewards {
            reward.program_id = program_id.clone();
        }
        self.program.program_id = Some(program_id);
        self
    }

    #[expect(clippy::expect_used, reason = "a test reads every preset of the crate")]
    fn of_this_crate(text: &str) -> Self {
        Self::from_json(text).expect("a preset of the crate")
    }
}
