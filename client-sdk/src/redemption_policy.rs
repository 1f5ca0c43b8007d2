//! What points are worth and how they are spent.

use rust_decimal::Decimal;

use crate::tier::Rounding;

/// What points are worth and how they are spent. Limits that are `None` are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionPolicy {
    /// Money that one point pays: above 0, up to 1,000,000, at most 4 decimals. `None` in VALUE programs, and where points
    /// only buy rewards and products.
    pub value_per_point: Option<Decimal>,
    /// How the points for an amount are rounded to the program's decimals; [`Rounding::Ceiling`] unless told.
    pub points_rounding: Rounding,
    /// Whether the points that a sale earns can pay for that same sale.
    pub same_sale_points_can_pay: bool,
    /// Whether points pay all that is due where they fall short of it by less than the smallest unit of the currency.
    pub cover_remainder: bool,
    /// Fewest points that pay by points or by amount at once.
    pub minimum_points: Option<Decimal>,
    /// Points that pay by points or by amount are a multiple of this.
    pub points_step: Option<Decimal>,
    /// Most points of one sale, rewards and products included.
    pub max_points_per_sale: Option<Decimal>,
    /// Most that points pay of a sale's total, as a percentage above 0, up to 100.
    pub max_percent_of_sale: Option<Decimal>,
    /// Points from which on answers say that the customer is entitled to a reward; `None`: the price of the first reward.
    pub reminder_points: Option<Decimal>,
    /// VALUE programs only: percent of VAT that redeemed money includes.
    pub vat_percent: Option<Decimal>,
    /// Whether documents show the quantity of products that were bought with points.
    pub print_quantity: bool,
}

impl RedemptionPolicy {
    /// One point pays `value_per_point` of money; points for an amount are rounded up.
    pub fn new(value_per_point: impl Into<Decimal>) -> Self {
        Self {
            value_per_point: Some(value_per_point.into()),
            ..Self::of_value_program()
        }
    }

    /// For VALUE programs, whose balance is money already.
    pub fn of_value_program() -> Self {
        Self {
            value_per_point: None,
            points_rounding: Rounding::Ceiling,
            same_sale_points_can_pay: false,
            cover_remainder: false,
            minimum_points: None,
            points_step: None,
            max_points_per_sale: None,
            max_percent_of_sale: None,
            reminder_points: None,
            vat_percent: None,
            print_quantity: false,
        }
    }

    /// Points pay nothing by amount: they only buy rewards and products.
    pub fn rewards_only() -> Self {
        Self::of_value_program()
    }

    /// Rounds the points for an amount otherwise than up.
    #[must_use]
    pub fn points_rounding(mut self, points_rounding: Rounding) -> Self {
        self.points_rounding = points_rounding;
        self
    }

    /// Lets the points that a sale earns pay for that same sale.
    #[must_use]
    pub fn same_sale_points_can_pay(mut self) -> Self {
        self.same_sale_points_can_pay = true;
        self
    }

    /// Lets points pay all that is due where they fall short of it by less than the smallest unit of the currency.
    #[must_use]
    pub fn cover_remainder(mut self) -> Self {
        self.cover_remainder = true;
        self
    }

    /// Redeems no fewer points at once.
    #[must_use]
    pub fn minimum_points(mut self, points: impl Into<Decimal>) -> Self {
        self.minimum_points = Some(points.into());
        self
    }

    /// Redeems multiples of this only.
    #[must_use]
    pub fn points_step(mut self, points: impl Into<Decimal>) -> Self {
        self.points_step = Some(points.into());
        self
    }

    /// Redeems no more points in one sale.
    #[must_use]
    pub fn max_points_per_sale(mut self, points: impl Into<Decimal>) -> Self {
        self.max_points_per_sale = Some(points.into());
        self
    }

    /// Lets points pay no more than this percentage of a sale.
    #[must_use]
    pub fn max_percent_of_sale(mut self, percent: impl Into<Decimal>) -> Self {
        self.max_percent_of_sale = Some(percent.into());
        self
    }

    /// VALUE programs only: percent of VAT that redeemed money includes.
    #[must_use]
    pub fn vat_percent(mut self, percent: impl Into<Decimal>) -> Self {
        self.vat_percent = Some(percent.into());
        self
    }

    /// Reminds customers of rewards from so many points on.
    #[must_use]
    pub fn reminder_points(mut self, points: impl Into<Decimal>) -> Self {
        self.reminder_points = Some(points.into());
        self
    }

    /// Lets documents show the quantity of products that were bought with points.
    #[must_use]
    pub fn print_quantity(mut self) -> Self {
        self.print_quantity = true;
        self
    }
}
