//! Tiers, what they earn, and the spend that leads to them.

use rust_decimal::Decimal;

use crate::wire::open_enum;

/// A level of a program (Silver, Gold), reached by accumulated spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Name of the tier in answers, unique in the program: 1 to 64 of `a-z 0-9 - _ .`.
    pub tier_id: String,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// Spend from which a member is in this tier, inclusive, in the program's currency. The current sale counts.
    pub minimum_spend: Decimal,
    /// What members of this tier earn; `None`: by the program's default rule.
    pub earn_rate: Option<EarnRate>,
    /// Money that one point pays for members of this tier; `None`: as the program's redemption policy says.
    pub value_per_point: Option<Decimal>,
}

impl Tier {
    /// A tier reached by a spend of `minimum_spend`, earning by the program's default rule.
    pub fn new(tier_id: impl Into<String>, name: impl Into<String>, minimum_spend: impl Into<Decimal>) -> Self {
        Self {
            tier_id: tier_id.into(),
            name: name.into(),
            minimum_spend: minimum_spend.into(),
            earn_rate: None,
            value_per_point: None,
        }
    }

    /// Gives the tier a rate of its own.
    #[must_use]
    pub fn earn_rate(mut self, earn_rate: EarnRate) -> Self {
        self.earn_rate = Some(earn_rate);
        self
    }

    /// Gives the tier's points a value of their own: money per point.
    #[must_use]
    pub fn value_per_point(mut self, value_per_point: impl Into<Decimal>) -> Self {
        self.value_per_point = Some(value_per_point.into());
        self
    }
}

/// So many points for so much money: a sale of A earns A × `points` / `amount`, rounded once per sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarnRate {
    /// The amount of money that earns `points`: above 0, up to 1,000,000,000, at most 4 decimals.
    pub amount: Decimal,
    /// The points that `amount` earns: above 0, up to 1,000,000,000, at most 4 decimals.
    pub points: Decimal,
    /// How the sum is rounded to the program's decimals.
    pub rounding: Rounding,
    /// Count only complete steps of `amount`: 9 at 2 points per 5 earns 2, not 3.
    pub complete_steps: bool,
    /// VALUE programs only: percent of VAT that the earned value includes, 0 to 100, at most 2 decimals.
    pub vat_percent: Option<Decimal>,
}

impl EarnRate {
    /// `points` for every `amount`, rounded down: `EarnRate::new(300, 1)` is one point per 300.
    pub fn new(amount: impl Into<Decimal>, points: impl Into<Decimal>) -> Self {
        Self {
            amount: amount.into(),
            points: points.into(),
            rounding: Rounding::Floor,
            complete_steps: false,
            vat_percent: None,
        }
    }

    /// Rounds otherwise than down.
    #[must_use]
    pub fn rounding(mut self, rounding: Rounding) -> Self {
        self.rounding = rounding;
        self
    }

    /// Counts only complete steps of the amount.
    #[must_use]
    pub fn complete_steps(mut self) -> Self {
        self.complete_steps = true;
        self
    }

    /// States the percent of VAT that the earned value includes (VALUE programs only).
    #[must_use]
    pub fn vat_percent(mut self, vat_percent: impl Into<Decimal>) -> Self {
        self.vat_percent = Some(vat_percent.into());
        self
    }
}

/// The stretch of time over which spend is added up for tiers, and what happens to a tier when spend leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierSpendWindow {
    /// The stretch.
    pub period: SpendPeriod,
    /// When a tier is lost that the spend of the window no longer reaches.
    pub downgrade: TierDowngrade,
    /// With [`TierDowngrade::AfterWindow`]: for how many more days the tier is kept, 0 to 3,660.
    pub grace_days: u32,
}

impl TierSpendWindow {
    /// The last `days` days, the day of the sale included, 1 to 3,660; tiers once reached stay.
    pub fn rolling_days(days: u32) -> Self {
        Self::over(SpendPeriod::RollingDays(days))
    }

    /// The calendar year of the program's zone; tiers once reached stay.
    pub fn calendar_year() -> Self {
        Self::over(SpendPeriod::CalendarYear)
    }

    /// Takes a tier away `grace_days` days after the spend of the window stopped reaching it.
    #[must_use]
    pub fn downgrade_after(mut self, grace_days: u32) -> Self {
        self.downgrade = TierDowngrade::AfterWindow;
        self.grace_days = grace_days;
        self
    }

    fn over(period: SpendPeriod) -> Self {
        Self {
            period,
            downgrade: TierDowngrade::Never,
            grace_days: 0,
        }
    }
}

/// A stretch of time over which spend is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendPeriod {
    /// The last so many days, the day of the sale included.
    RollingDays(u32),
    /// The calendar year of the program's zone.
    CalendarYear,
    /// A stretch that this version of the SDK does not know.
    Unknown,
}

open_enum! {
    /// How a number is brought to the allowed decimals.
    Rounding {
        /// Down: 2.6 is 2.
        Floor,
        /// To the nearest, halves up: 2.5 is 3.
        HalfUp,
        /// Up: 2.1 is 3.
        Ceiling,
        /// Not rounded to the program's decimals: exact, cut at the four decimals of the ledger.
        None,
    }
}

open_enum! {
    /// What of a sale counts towards tiers.
    #[derive(Default)]
    TierSpendBasis {
        /// The sale's total, however it was paid.
        #[default]
        WholeSale,
        /// The sale's total without the part that was paid with points.
        WithoutPointsPaidPart,
    }
}

open_enum! {
    /// When a tier is lost that spend no longer reaches.
    TierDowngrade {
        /// A tier once reached stays.
        Never,
        /// As soon as the spend of the window no longer reaches it and the grace days are over.
        AfterWindow,
    }
}
