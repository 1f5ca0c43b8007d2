//! What a sale did, or would do.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProductId, ProgramId, RewardId, RuleId},
    member::Balance,
    money::Money,
    wire::open_enum,
};

/// What a sale did or, in a quote, would do. Prints as a short text that can go on the customer's receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The member; empty in a quote of a sale that would enrol its customer.
    pub member_id: MemberId,
    /// Whether the sale enrolled its customer.
    pub enrolled: bool,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program that rated the sale.
    pub program_version: u32,
    /// Points the sale earned.
    pub points_earned: Decimal,
    /// Points the sale used.
    pub points_redeemed: Decimal,
    /// The amount that was rated: what earns, without the part that points paid.
    pub rated_amount: Money,
    /// What points paid, in the order asked.
    pub points_tenders: Vec<PointsTender>,
    /// What is left for the customer to pay after the sale's tenders and the points.
    pub due: Money,
    /// Points available before the sale.
    pub balance_before: Decimal,
    /// What the member has after the sale.
    pub balance: Balance,
    /// The member's tier before the sale; `None` without one.
    pub tier_id_before: Option<String>,
    /// What each line earned, and why.
    pub lines: Vec<LineOutcome>,
    /// What each rate earned, and why.
    pub rates: Vec<RateOutcome>,
    /// When the points of this sale lapse; `None` when they do not.
    pub points_expire_at: Option<DateTime<Utc>>,
    /// Until when the points of this sale are pending; `None` when they can be spent at once.
    pub points_pending_until: Option<DateTime<Utc>>,
    /// The fraction of a point that earlier sales left; `None` where the program keeps none. Cut at 6 decimals.
    pub carried_before: Option<Decimal>,
    /// The fraction of a point that is left for the next sale; `None` where the program keeps none. Cut at 6 decimals.
    pub carried_after: Option<Decimal>,
    /// Whether the sale had been recorded before this call; `false` in a quote.
    pub replayed: bool,
    /// Lines about the points, ready to print, in the language that [`Sale::receipt_in`](crate::Sale::receipt_in) asked
    /// for; `None` when none was.
    pub text: Option<String>,
    /// Of a quote: what holds it; `None` of a sale that was recorded.
    pub quote: Option<QuoteToken>,
}

/// What holds a quote: see [`Sale::with_quote`](crate::Sale::with_quote).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteToken {
    /// The token.
    pub token: String,
    /// Until when it does.
    pub expires_at: DateTime<Utc>,
}

impl Receipt {
    pub(crate) fn with_text(self, text: String) -> Self {
        let text = (!text.is_empty()).then_some(text);
        Self { text, ..self }
    }

    /// The money that points paid in all, in the currency of [`due`](Self::due).
    pub fn points_paid(&self) -> Money {
        Money {
            amount: self.points_tenders.iter().fold(Decimal::ZERO, |sum, tender| {
                // Saturating: the answer of a faulty server must not make a till panic.
                sum.saturating_add(tender.amount.amount)
            }),
            currency_code: self.due.currency_code.clone(),
        }
    }
}

/// Points as a tender line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointsTender {
    /// Points taken.
    pub points: Decimal,
    /// Money that one point pays; `None` where the points bought something at a price of its own.
    pub value_per_point: Option<Decimal>,
    /// Money they paid; 0 for a product that is given beside the sale.
    pub amount: Money,
    /// The expense account it is booked to; `None` without one.
    pub expense_account: Option<String>,
    /// The cost center it is booked to; `None` without one.
    pub cost_center: Option<String>,
    /// What they bought; `None` where they paid by points or by amount.
    pub item: Option<RedeemedItem>,
    /// VALUE programs: percent of VAT that the redeemed money includes.
    pub vat_percent: Option<Decimal>,
}

/// A product or a reward that points bought, as the document shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedeemedItem {
    /// The reward; `None` for a product at its own price.
    pub reward_id: Option<RewardId>,
    /// The product; `None` for money off.
    pub product_id: Option<ProductId>,
    /// How many.
    pub quantity: Decimal,
    /// Points that one costs.
    pub points_per_unit: Decimal,
    /// Code under which the document shows it.
    pub product_code: Option<String>,
    /// The shop's category of it.
    pub category: Option<String>,
    /// What is printed; `None` for a product at its own price, whose text the shop has.
    pub printed_text: Option<String>,
    /// The quantity as the document shows it, above 0; `None` where it shows none.
    pub printed_quantity: Option<Decimal>,
}

/// What a line earned, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOutcome {
    /// Place of the line in the sale, from 0.
    pub line: u32,
    /// The part of its amount that was rated, cut at 6 decimals.
    pub rated_amount: Decimal,
    /// Its share of the points, cut at 6 decimals. The shares, and the roundings and fixed points of the rates less what is
    /// capped there, add up to the points earned.
    pub points: Decimal,
    /// The rate that rated it; `None` when none did.
    pub source: Option<RateSource>,
    /// Why, or why not.
    pub reason: EarnReason,
    /// What of the points campaigns added.
    pub campaigns: Vec<CampaignShare>,
    /// Points that one unit of its product costs; `None` when it cannot be bought with points.
    pub redeem_points: Option<Decimal>,
    /// How many whole units of the line the points can buy that the sale's redemptions leave; `None` as above.
    pub redeemable_quantity: Option<Decimal>,
}

/// What a campaign added to a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignShare {
    /// The campaign.
    pub rule_id: RuleId,
    /// Its share of the points of the line, cut at 6 decimals.
    pub points: Decimal,
}

/// What a rate, points of products or a campaign earned, or why a rule did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateOutcome {
    /// The rate.
    pub source: RateSource,
    /// The sum of the amounts it rated, rounded down to the currency's decimals.
    pub rated_amount: Money,
    /// Points it earned.
    pub points: Decimal,
    /// What rounding added to (or, negative, took from) the shares of the lines.
    pub rounding: Decimal,
    /// Points that belong to no line: the bonus of a campaign.
    pub fixed_points: Decimal,
    /// Points that the rule's limits per sale, day and member cut off; `points` is without them.
    pub capped: Decimal,
    /// Programs whose unit is money: percent of VAT that `points` include; `None`: the rate says nothing of it.
    pub vat_percent: Option<Decimal>,
    /// [`EarnReason::Earned`], or why a rule that names something of the sale did not apply.
    pub reason: EarnReason,
}

/// Where a rate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RateSource {
    /// The rate of this tier.
    Tier(String),
    /// This rule.
    Rule(RuleId),
    /// Points per unit of the products.
    Products,
    /// Fractions of points that this sale and earlier ones left.
    Carried,
    /// A source that this version of the SDK does not know.
    Unknown,
}

open_enum! {
    /// Why a line earned, or did not.
    EarnReason {
        /// It earned.
        Earned,
        /// The program is a draft.
        ProgramDraft,
        /// The program is paused.
        ProgramPaused,
        /// The program is archived.
        ProgramArchived,
        /// The sale lies outside the program's validity dates.
        OutsideValidity,
        /// Documents of this type are ignored.
        DocumentIgnored,
        /// The member's spend does not reach the lowest tier.
        BelowLowestTier,
        /// Neither the tier nor the program has a rate.
        NoRate,
        /// The line is marked as not earning.
        LineFlagged,
        /// All of the line was paid with points.
        PaidWithPoints,
        /// The sale says that it does not earn.
        EarningSuppressed,
        /// The discounts of the sale are above the ceiling.
        DiscountCeiling,
        /// The line's price was lowered by a percentage, and such lines do not earn.
        PercentDiscounted,
        /// The product never earns.
        ProductNeverEarns,
        /// The rule that would rate the line excludes it, or says that it earns nothing.
        ExcludedProduct,
        /// Only rules that are assigned to members earn, and the member has none.
        NoRuleAssigned,
        /// The sale lies outside the rule's schedule.
        OutsideSchedule,
        /// The rule is for other tiers.
        OtherTier,
        /// The rule is for other customer groups.
        OtherCustomerGroup,
        /// The rule is for other territories.
        OtherTerritory,
        /// The rule is for members that it is assigned to.
        NotAssigned,
        /// The sale is below the rule's minimum.
        BelowMinimumSale,
        /// Another rule goes first on every line that the rule selects.
        Outranked,
        /// A campaign of higher priority applies alone, or this one would have to.
        NotStackable,
        /// The member takes no part: opted out before the sale was made.
        OptedOut,
    }
}
