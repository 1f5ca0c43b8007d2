//! Rewards: what points are turned into at a price of its own.

use chrono::{DateTime, Utc};
use loyalty_api::v1;
use rust_decimal::Decimal;

use crate::{
    id::{ProductId, ProgramId, RewardId},
    wire::decimal_message,
};

/// A reward to create.
///
/// ```
/// use loyalty_sdk::NewReward;
///
/// let key = NewReward::money_off("club", "Five euro off", 150, 5).position(1).product_code("LOYPAY");
/// let cake = NewReward::product("club", "A piece of cake", 90, "cake");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReward {
    /// The program. Never changes.
    pub program_id: ProgramId,
    /// Name of the reward in every call; `None`: the server makes one. Never changes.
    pub reward_id: Option<RewardId>,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// What it gives and costs, and how it is shown.
    pub terms: RewardTerms,
}

/// A reward as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reward {
    /// The program.
    pub program_id: ProgramId,
    /// Name of the reward in every call.
    pub reward_id: RewardId,
    /// What people call it.
    pub name: String,
    /// What it gives and costs, and how it is shown.
    pub terms: RewardTerms,
    /// Whether it was taken out of use.
    pub archived: bool,
    /// Changes with every change of the reward; an update brings the one it has read.
    pub etag: String,
    /// First program version with the reward as it is here.
    pub since_version: u32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a reward gives and costs, and how it is shown. In a VALUE program points are money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RewardTerms {
    /// What one of it gives.
    pub gives: RewardGives,
    /// Points that one costs, above 0, with at most the program's decimals.
    pub points: Decimal,
    /// Place on the ladder, the lower first; 0: not on the ladder.
    pub position: u32,
    /// Code under which the shop's documents show it; may be empty.
    pub product_code: String,
    /// The shop's category of it, as a path; may be empty.
    pub category: String,
    /// What is printed on the document; empty: the name.
    pub printed_text: String,
    /// Whether the document shows how many were redeemed.
    pub print_quantity: bool,
    /// VALUE programs only: percent of VAT that the redeemed money includes.
    pub vat_percent: Option<Decimal>,
}

/// What one of a reward gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewardGives {
    /// Money off the sale, in the program's currency.
    MoneyOff(Decimal),
    /// One unit of a product.
    Product(ProductId),
    /// Something that this version of the SDK does not know.
    Unknown,
}

impl RewardTerms {
    /// Gives this for so many points, off the ladder.
    pub fn new(gives: RewardGives, points: impl Into<Decimal>) -> Self {
        Self {
            gives,
            points: points.into(),
            position: 0,
            product_code: String::new(),
            category: String::new(),
            printed_text: String::new(),
            print_quantity: false,
            vat_percent: None,
        }
    }
}

impl NewReward {
    /// So much money off for so many points.
    pub fn money_off(
        program_id: impl Into<ProgramId>,
        name: impl Into<String>,
        points: impl Into<Decimal>,
        amount: impl Into<Decimal>,
    ) -> Self {
        Self::with_terms(
            program_id,
            name,
            RewardTerms::new(RewardGives::MoneyOff(amount.into()), points),
        )
    }

    /// A unit of a product for so many points.
    pub fn product(
        program_id: impl Into<ProgramId>,
        name: impl Into<String>,
        points: impl Into<Decimal>,
        product_id: impl Into<ProductId>,
    ) -> Self {
        Self::with_terms(
            program_id,
            name,
            RewardTerms::new(RewardGives::Product(product_id.into()), points),
        )
    }

    fn with_terms(program_id: impl Into<ProgramId>, name: impl Into<String>, terms: RewardTerms) -> Self {
        Self {
            program_id: program_id.into(),
            reward_id: None,
            name: name.into(),
            terms,
        }
    }

    /// Chooses the reward's name in calls.
    #[must_use]
    pub fn reward_id(mut self, reward_id: impl Into<RewardId>) -> Self {
        self.reward_id = Some(reward_id.into());
        self
    }

    /// Puts it on the ladder.
    #[must_use]
    pub fn position(mut self, position: u32) -> Self {
        self.terms.position = position;
        self
    }

    /// Sets the code under which documents show it.
    #[must_use]
    pub fn product_code(mut self, product_code: impl Into<String>) -> Self {
        self.terms.product_code = product_code.into();
        self
    }

    /// Sets the shop's category of it, as a path.
    #[must_use]
    pub fn category(mut self, path: impl Into<String>) -> Self {
        self.terms.category = path.into();
        self
    }

    /// Sets what is printed on the document.
    #[must_use]
    pub fn printed_text(mut self, text: impl Into<String>) -> Self {
        self.terms.printed_text = text.into();
        self
    }

    /// Lets the document show how many were redeemed.
    #[must_use]
    pub fn print_quantity(mut self) -> Self {
        self.terms.print_quantity = true;
        self
    }

    /// VALUE programs only: percent of VAT that the redeemed money includes.
    #[must_use]
    pub fn vat_percent(mut self, percent: impl Into<Decimal>) -> Self {
        self.terms.vat_percent = Some(percent.into());
        self
    }
}

/// Changes of a reward as it was read: only what is set here changes, and only if nobody changed the reward since.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RewardUpdate {
    pub(crate) reward: v1::Reward,
    pub(crate) paths: Vec<String>,
}

impl RewardUpdate {
    /// Changes nothing of `reward` yet.
    pub fn of(reward: &Reward) -> Self {
        Self {
            reward: v1::Reward {
                program_id: reward.program_id.to_string(),
                reward_id: reward.reward_id.to_string(),
                etag: reward.etag.clone(),
                ..v1::Reward::default()
            },
            paths: Vec::new(),
        }
    }

    /// What people call it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.reward.name = name.into();
        self.changing("name")
    }

    /// What one of it gives.
    pub fn gives(mut self, gives: &RewardGives) -> Self {
        self.reward.gives = gives.to_wire();
        self.changing("gives")
    }

    /// Points that one costs.
    pub fn points(mut self, points: impl Into<Decimal>) -> Self {
        self.reward.points = Some(decimal_message(points.into()));
        self.changing("points")
    }

    /// Place on the ladder; 0: not on the ladder.
    pub fn position(mut self, position: u32) -> Self {
        self.reward.position = position;
        self.changing("position")
    }

    /// Code under which documents show it; empty: none of its own.
    pub fn product_code(mut self, product_code: impl Into<String>) -> Self {
        self.reward.product_code = product_code.into();
        self.changing("product_code")
    }

    /// The shop's category of it, as a path; empty: none.
    pub fn category(mut self, path: impl Into<String>) -> Self {
        self.reward.category = path.into();
        self.changing("category")
    }

    /// What is printed on the document; empty: the name.
    pub fn printed_text(mut self, text: impl Into<String>) -> Self {
        self.reward.printed_text = text.into();
        self.changing("printed_text")
    }

    /// Whether the document shows how many were redeemed.
    pub fn print_quantity(mut self, print_quantity: bool) -> Self {
        self.reward.print_quantity = print_quantity;
        self.changing("print_quantity")
    }

    /// VALUE programs only: percent of VAT that the redeemed money includes; `None`: the program's.
    pub fn vat_percent(mut self, percent: Option<Decimal>) -> Self {
        self.reward.vat_percent = percent.map(decimal_message);
        self.changing("vat_percent")
    }

    fn changing(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|changed| changed == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
