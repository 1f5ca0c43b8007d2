//! Redemptions that come back.

use rust_decimal::Decimal;

use crate::{
    id::RedemptionId,
    member::Balance,
    money::Money,
    sale::ReceiptLanguage,
    stand_alone::{RedemptionPlace, RedemptionRecord},
};

/// A redemption, or a part of it, that is to come back: its points go to the lots they were taken from.
///
/// ```
/// use loyalty_sdk::{RedemptionPart, RedemptionReversal};
///
/// let one_coffee = RedemptionReversal::of("0190a6c4-7a5e-7c3b-8a43-2f1a9b3c4d5e", "store-1")
///     .part(RedemptionPart::quantity(0, 1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionReversal {
    /// The redemption.
    pub redemption_id: RedemptionId,
    /// What of it comes back, at most 10; none: all that has not come back yet.
    pub parts: Vec<RedemptionPart>,
    /// Where it comes back.
    pub place: RedemptionPlace,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

/// What of one tender of a redemption comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionPart {
    /// The tender, by its place in [`RedemptionRecord::tenders`], from 0.
    pub tender: u32,
    /// How much of it.
    pub measure: PartMeasure,
}

/// How a part of a tender is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartMeasure {
    /// So many points of a tender that paid money.
    Points(Decimal),
    /// So much of the money that a tender paid.
    Amount(Decimal),
    /// So many units of what a tender bought.
    Quantity(Decimal),
    /// All that has not come back yet.
    Rest,
}

impl RedemptionReversal {
    /// All of a redemption that has not come back yet.
    pub fn of(redemption_id: impl Into<RedemptionId>, place: impl Into<RedemptionPlace>) -> Self {
        Self {
            redemption_id: redemption_id.into(),
            parts: Vec::new(),
            place: place.into(),
            receipt_language: None,
        }
    }

    /// Asks for a text for the receipt.
    #[must_use]
    pub fn receipt_in(mut self, language: ReceiptLanguage) -> Self {
        self.receipt_language = Some(language);
        self
    }

    /// Lets only this part come back, beside those named before.
    #[must_use]
    pub fn part(mut self, part: RedemptionPart) -> Self {
        self.parts.push(part);
        self
    }
}

impl RedemptionPart {
    /// So many points.
    #[must_use]
    pub fn points(tender: u32, points: impl Into<Decimal>) -> Self {
        let measure = PartMeasure::Points(points.into());
        Self { tender, measure }
    }

    /// So much money.
    #[must_use]
    pub fn amount(tender: u32, amount: impl Into<Decimal>) -> Self {
        let measure = PartMeasure::Amount(amount.into());
        Self { tender, measure }
    }

    /// So many units.
    #[must_use]
    pub fn quantity(tender: u32, quantity: impl Into<Decimal>) -> Self {
        let measure = PartMeasure::Quantity(quantity.into());
        Self { tender, measure }
    }

    /// All that has not come back yet.
    #[must_use]
    pub fn rest(tender: u32) -> Self {
        let measure = PartMeasure::Rest;
        Self { tender, measure }
    }
}

/// What of a tender came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenderGivenBack {
    /// Points.
    pub points: Decimal,
    /// Money that they had paid.
    pub amount: Decimal,
    /// Units of what they had bought; 0 for a tender that paid money.
    pub quantity: Decimal,
}

/// What came back of a redemption by one reversal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversedRedemption {
    /// The redemption as it is after it.
    pub redemption: RedemptionRecord,
    /// Points that came back.
    pub points: Decimal,
    /// Points of these that had lapsed meanwhile.
    pub lapsed_points: Decimal,
    /// Money that they had paid, and that is to be paid otherwise.
    pub amount: Money,
}

/// What a reversal did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalReceipt {
    /// What came back.
    pub reversed: ReversedRedemption,
    /// Points available before.
    pub balance_before: Decimal,
    /// What the member has after it.
    pub balance: Balance,
    /// Whether it had come back before this call.
    pub replayed: bool,
    /// Lines about the points, ready to print, in the language that [`RedemptionReversal::receipt_in`] asked for; `None`
    /// when none was.
    pub text: Option<String>,
}
