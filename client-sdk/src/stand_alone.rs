//! Redemptions that stand alone, and holds: points set aside for one that is not certain yet.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{HoldId, MemberId, ProductId, ProgramId, RedemptionId, RewardId},
    member::{Balance, MemberKey, MemberQuery},
    money::Money,
    receipt::PointsTender,
    redemption::Redemption,
    redemption_reversal::TenderGivenBack,
    sale::ReceiptLanguage,
    wire::open_enum,
};

/// Points to redeem without a sale, or to hold for it.
///
/// ```
/// use loyalty_sdk::{MemberKey, Money, RedemptionRequest};
///
/// let at_the_pump = RedemptionRequest::new("store-1", MemberKey::card("7700123"))
///     .total(Money::new("EUR", 60))
///     .redeem_points(500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionRequest {
    /// The member.
    pub member: MemberQuery,
    /// What points pay and buy, 1 to 10, in order.
    pub redemptions: Vec<Redemption>,
    /// What is to be paid; `None`: nothing is too much.
    pub total: Option<Money>,
    /// What of the total points may pay; `None`: all of it.
    pub due: Option<Money>,
    /// Where it happens.
    pub place: RedemptionPlace,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

/// Where points are redeemed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedemptionPlace {
    /// The store, 1 to 64 characters.
    pub store_id: String,
    /// The terminal, at most 64 characters; may be empty.
    pub terminal_id: String,
    /// The cashier, at most 64 characters; may be empty.
    pub cashier_id: String,
    /// The shop's own number of the document, at most 64 characters; may be empty.
    pub document_number: String,
}

impl RedemptionPlace {
    /// A store, and nothing else said.
    pub fn store(store_id: impl Into<String>) -> Self {
        Self {
            store_id: store_id.into(),
            ..Self::default()
        }
    }

    /// Says at which terminal.
    #[must_use]
    pub fn terminal(mut self, terminal_id: impl Into<String>) -> Self {
        self.terminal_id = terminal_id.into();
        self
    }

    /// Says by which cashier.
    #[must_use]
    pub fn cashier(mut self, cashier_id: impl Into<String>) -> Self {
        self.cashier_id = cashier_id.into();
        self
    }

    /// Says on which document.
    #[must_use]
    pub fn document_number(mut self, document_number: impl Into<String>) -> Self {
        self.document_number = document_number.into();
        self
    }
}

impl From<&str> for RedemptionPlace {
    fn from(store_id: &str) -> Self {
        Self::store(store_id)
    }
}

impl RedemptionRequest {
    /// Nothing yet, of this member at this place.
    pub fn new(place: impl Into<RedemptionPlace>, member: impl Into<MemberQuery>) -> Self {
        Self {
            member: member.into(),
            redemptions: Vec::new(),
            total: None,
            due: None,
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

    /// Says what is to be paid: points pay no more.
    #[must_use]
    pub fn total(mut self, total: Money) -> Self {
        self.total = Some(total);
        self
    }

    /// Says what of the total points may pay.
    #[must_use]
    pub fn due(mut self, due: Money) -> Self {
        self.due = Some(due);
        self
    }

    /// Adds something that points pay or buy.
    #[must_use]
    pub fn redemption(mut self, redemption: Redemption) -> Self {
        self.redemptions.push(redemption);
        self
    }

    /// Lets so many points pay.
    #[must_use]
    pub fn redeem_points(self, points: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::points(points))
    }

    /// Lets points pay so much money.
    #[must_use]
    pub fn redeem_amount(self, amount: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::amount(amount))
    }

    /// Lets points buy units of a product.
    #[must_use]
    pub fn redeem_product(self, product_id: impl Into<ProductId>, quantity: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::product(product_id, quantity))
    }

    /// Lets points buy so many of a reward.
    #[must_use]
    pub fn redeem_reward(self, reward_id: impl Into<RewardId>, quantity: u32) -> Self {
        self.redemption(Redemption::reward(reward_id, quantity))
    }
}

/// A redemption that stands alone, as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionRecord {
    /// Name of the redemption in every call.
    pub redemption_id: RedemptionId,
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program that ruled.
    pub program_version: u32,
    /// Points taken.
    pub points: Decimal,
    /// Money they paid.
    pub amount: Money,
    /// What they paid and bought, in the order asked.
    pub tenders: Vec<PointsTender>,
    /// Where it happened.
    pub place: RedemptionPlace,
    /// The hold that it captured.
    pub hold_id: Option<HoldId>,
    /// When it happened in the shop.
    pub occurred_at: DateTime<Utc>,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
    /// Points that came back of it since.
    pub given_back_points: Decimal,
    /// Money that came back of it since.
    pub given_back_amount: Money,
    /// Points of it that no lot had: a late capture left them as a debt.
    pub owed_points: Decimal,
    /// What of each of the tenders came back since; empty when nothing did.
    pub given_back: Vec<TenderGivenBack>,
}

/// What a redemption did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedemptionReceipt {
    /// The redemption.
    pub redemption: RedemptionRecord,
    /// Points available before.
    pub balance_before: Decimal,
    /// What the member has after it.
    pub balance: Balance,
    /// Whether it had been made before this call.
    pub replayed: bool,
    /// Lines about the points, ready to print, in the language that [`RedemptionRequest::receipt_in`] or
    /// [`HoldCapture::receipt_in`] asked for; `None` when none was.
    pub text: Option<String>,
}

/// Points that are set aside: nobody else can spend or hold them until they are captured or released, or the time limit has
/// passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Name of the hold in every call.
    pub hold_id: HoldId,
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program under whose prices and rates it was placed and will be captured.
    pub program_version: u32,
    /// Points set aside.
    pub points: Decimal,
    /// Money they will pay.
    pub amount: Money,
    /// What they will pay and buy, in the order asked.
    pub tenders: Vec<PointsTender>,
    /// Where it was placed.
    pub place: RedemptionPlace,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When its points are free again without any call.
    pub lapses_at: DateTime<Utc>,
    /// What became of it.
    pub state: HoldState,
    /// When it was captured or released.
    pub ended_at: Option<DateTime<Utc>>,
    /// The redemption that captured it.
    pub redemption_id: Option<RedemptionId>,
    /// Points that were captured.
    pub captured_points: Option<Decimal>,
}

open_enum! {
    /// What became of a hold.
    HoldState {
        /// Its points are set aside.
        Live,
        /// Its time limit has passed.
        Lapsed,
        /// All or less of it was redeemed.
        Captured,
        /// It was given up.
        Released,
    }
}

/// What placing or releasing a hold did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldReceipt {
    /// The hold.
    pub hold: Hold,
    /// Points available before.
    pub balance_before: Decimal,
    /// What the member has after it.
    pub balance: Balance,
    /// Whether it had been done before this call.
    pub replayed: bool,
    /// Lines about the points, ready to print, in the language that [`RedemptionRequest::receipt_in`] or
    /// [`HoldRelease::receipt_in`] asked for; `None` when none was.
    pub text: Option<String>,
}

/// A hold to place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHold {
    /// What is held.
    pub request: RedemptionRequest,
    /// After which its points are free again without any call, whole seconds up to 7 days; `None`: 15 minutes.
    pub time_limit: Option<Duration>,
}

impl NewHold {
    /// Holds the points of this redemption for 15 minutes.
    pub fn of(request: RedemptionRequest) -> Self {
        Self {
            request,
            time_limit: None,
        }
    }

    /// Holds them for another time.
    #[must_use]
    pub fn time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = Some(time_limit);
        self
    }
}

/// A hold to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldCapture {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose hold it must be; `None`: whoever's.
    pub member: Option<MemberKey>,
    /// What of the hold is redeemed, at most 10; none: all of it.
    pub redemptions: Vec<Redemption>,
    /// Where it happens.
    pub place: RedemptionPlace,
    /// When it happened in the shop, inside the life of the hold; `None`: now.
    pub occurred_at: Option<DateTime<Utc>>,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

impl HoldCapture {
    /// All of a hold, now.
    pub fn of(hold_id: impl Into<HoldId>, place: impl Into<RedemptionPlace>) -> Self {
        Self {
            hold_id: hold_id.into(),
            member: None,
            redemptions: Vec::new(),
            place: place.into(),
            occurred_at: None,
            receipt_language: None,
        }
    }

    /// Asks for a text for the receipt.
    #[must_use]
    pub fn receipt_in(mut self, language: ReceiptLanguage) -> Self {
        self.receipt_language = Some(language);
        self
    }

    /// Says whose hold it must be.
    #[must_use]
    pub fn member(mut self, member: impl Into<MemberKey>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Captures this part of it only.
    #[must_use]
    pub fn redemption(mut self, redemption: Redemption) -> Self {
        self.redemptions.push(redemption);
        self
    }

    /// Says when it happened, for captures that are sent later.
    #[must_use]
    pub fn occurred_at(mut self, occurred_at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(occurred_at);
        self
    }
}

/// A hold to give up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRelease {
    /// The hold.
    pub hold_id: HoldId,
    /// Whose hold it must be; `None`: whoever's.
    pub member: Option<MemberKey>,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

impl HoldRelease {
    /// All of a hold, whoever's it is.
    pub fn of(hold_id: impl Into<HoldId>) -> Self {
        Self {
            hold_id: hold_id.into(),
            member: None,
            receipt_language: None,
        }
    }

    /// Says whose hold it must be.
    #[must_use]
    pub fn member(mut self, member: impl Into<MemberKey>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Asks for a text for the receipt.
    #[must_use]
    pub fn receipt_in(mut self, language: ReceiptLanguage) -> Self {
        self.receipt_language = Some(language);
        self
    }
}

/// Which redemptions, or holds, are asked for: those that match all that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RedemptionFilter {
    pub(crate) member: Option<MemberQuery>,
    pub(crate) store_id: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) until: Option<DateTime<Utc>>,
}

impl RedemptionFilter {
    /// All of the merchant.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only this member's.
    pub fn member(mut self, member: impl Into<MemberQuery>) -> Self {
        self.member = Some(member.into());
        self
    }

    /// Only those in this store.
    pub fn store(mut self, store_id: impl Into<String>) -> Self {
        self.store_id = Some(store_id.into());
        self
    }

    /// Only those at or after this instant.
    pub fn from(mut self, instant: DateTime<Utc>) -> Self {
        self.from = Some(instant);
        self
    }

    /// Only those before this instant.
    pub fn until(mut self, instant: DateTime<Utc>) -> Self {
        self.until = Some(instant);
        self
    }
}
