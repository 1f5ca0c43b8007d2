//! Rewards: what points are turned into at a price of its own.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::program::{Program, ProgramUnit};
use super::rejection::Rejection;

/// Most rewards of a program that are not archived: answers name those that a member can afford, and a till has no more
/// keys.
pub(crate) const MOST_REWARDS: usize = 100;

/// A reward as people configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reward {
    pub(crate) name: String,
    pub(crate) gives: Gives,
    /// What one costs.
    pub(crate) points: Decimal,
    /// Place on the ladder; 0: not on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) position: u32,
    /// Code under which the shop's documents show it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) product_code: String,
    /// A path; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) category: String,
    /// What the document says; empty: the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) printed_text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) print_quantity: bool,
    /// VAT that the redeemed money of a VALUE program includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Decimal>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) archived: bool,
}

/// What one of a reward gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gives {
    MoneyOff(Decimal),
    Product(String),
}

/// New values of some settings of a reward. Its serialized form is canonical: only what changes is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RewardEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gives: Option<Gives>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) points: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) product_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) printed_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) print_quantity: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vat_percent: Option<Option<Decimal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) archived: Option<bool>,
}

/// The rewards of a program in force under one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewards {
    /// In the order of tills: those of the ladder by position, then the others, each by id.
    ordered: Vec<(String, Reward)>,
}

impl RewardEdit {
    /// The reward with the new values, checked as a whole.
    pub(crate) fn apply(&self, mut reward: Reward, program: &Program) -> Result<Reward, Rejection> {
        let edit = self.clone();
        set(&mut reward.name, edit.name);
        set(&mut reward.gives, edit.gives);
        set(&mut reward.points, edit.points);
        set(&mut reward.position, edit.position);
        set(&mut reward.product_code, edit.product_code);
        set(&mut reward.category, edit.category);
        set(&mut reward.printed_text, edit.printed_text);
        set(&mut reward.print_quantity, edit.print_quantity);
        set(&mut reward.vat_percent, edit.vat_percent);
        set(&mut reward.archived, edit.archived);
        check(&reward, program)?;
        Ok(reward)
    }

    /// A new reward of these values; `None` where it gives nothing or has no price.
    pub(crate) fn into_reward(self) -> Option<Reward> {
        Some(Reward {
            name: self.name?,
            gives: self.gives?,
            points: self.points?,
            position: self.position.unwrap_or_default(),
            product_code: self.product_code.unwrap_or_default(),
            category: self.category.unwrap_or_default(),
            printed_text: self.printed_text.unwrap_or_default(),
            print_quantity: self.print_quantity.unwrap_or_default(),
            vat_percent: self.vat_percent.flatten(),
            archived: false,
        })
    }
}

/// Whether a reward fits its program.
pub(crate) fn check(reward: &Reward, program: &Program) -> Result<(), Rejection> {
    if reward.points.normalize().scale() > program.decimals {
        return Err(Rejection::TooManyDecimals {
            field: "reward.points".to_owned(),
            decimals: program.decimals,
        });
    }
    if let Gives::MoneyOff(amount) = &reward.gives
        && amount.normalize().scale() > program.currency.minor_units
    {
        let currency = &program.currency;
        let description = format!("{} has {} decimals", currency.code, currency.minor_units);
        return Err(invalid("money_off", &description));
    }
    if reward.vat_percent.is_some() && program.unit == ProgramUnit::Points {
        return Err(invalid(
            "vat_percent",
            "only value programs redeem money that includes VAT",
        ));
    }
    Ok(())
}

/// Refuses one more reward where there are as many as a program may have.
pub(crate) fn check_count(in_force: usize) -> Result<(), Rejection> {
    if in_force < MOST_REWARDS {
        return Ok(());
    }
    Err(Rejection::InvalidField {
        field: "reward".to_owned(),
        description: format!("the program has {MOST_REWARDS} rewards in use; archive one first"),
    })
}

impl Reward {
    /// What documents say.
    pub(crate) fn text(&self) -> &str {
        if self.printed_text.is_empty() {
            &self.name
        } else {
            &self.printed_text
        }
    }
}

impl Rewards {
    /// All of them, in the order of tills.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, Reward)> {
        self.ordered.iter()
    }

    pub(crate) fn find(&self, reward_id: &str) -> Option<&Reward> {
        let mut rewards = self.ordered.iter();
        rewards.find(|(id, _)| id == reward_id).map(|(_, reward)| reward)
    }

    /// Arranges the rewards that are in force.
    pub(crate) fn new(mut rewards: Vec<(String, Reward)>) -> Self {
        let place = |reward: &Reward| {
            if reward.position == 0 {
                u32::MAX
            } else {
                reward.position
            }
        };
        rewards.sort_by(|(id, reward), (other_id, other)| (place(reward), id).cmp(&(place(other), other_id)));
        Self { ordered: rewards }
    }
}

fn invalid(field: &str, description: &str) -> Rejection {
    Rejection::InvalidField {
        field: format!("reward.{field}"),
        description: description.to_owned(),
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
