//! Returns and cancellations of sales.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{MemberId, ProgramId},
    member::Balance,
    money::Money,
    receipt::{LineOutcome, RateOutcome},
    sale::ReceiptLanguage,
};

/// Goods of a sale that come back.
///
/// ```
/// use loyalty_sdk::SaleReturn;
///
/// let two_of_the_first_line = SaleReturn::new("return-7", "store-1", "ticket-1042").line(0, 2);
/// let ten_euro = SaleReturn::new("return-8", "store-1", "ticket-1042").amount(10);
/// let the_rest = SaleReturn::new("return-9", "store-2", "ticket-1042").sold_at("store-1").rest();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleReturn {
    /// The POS's own id of the return, unique per merchant and store, 1 to 64 characters.
    pub return_id: String,
    /// The store that takes the goods back.
    pub store_id: String,
    /// The terminal; may be empty.
    pub terminal_id: String,
    /// The cashier; may be empty.
    pub cashier_id: String,
    /// The shop's own type of document; may be empty.
    pub document_type: String,
    /// The shop's own number of the document; may be empty.
    pub document_number: String,
    /// The store that sold; `None`: the one that takes the goods back.
    pub sale_store_id: Option<String>,
    /// The sale.
    pub sale_id: String,
    /// What comes back.
    pub returned: Returned,
    /// When it came back, at most 1 hour ahead of the server, 366 days back, and not before the sale; `None`: when the
    /// server records it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

/// What comes back of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Lines and quantities, 1 to 1,000.
    Lines(Vec<ReturnedLine>),
    /// So much money, spread over all lines in proportion to what is not returned of them yet.
    Amount(Decimal),
    /// All that is not returned yet.
    Rest,
}

/// How much of a line comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnedLine {
    /// Place of the line in the sale, from 0. A sale without lines is one line, of quantity 1.
    pub line: u32,
    /// How much of it, above 0; `None`: all that is left.
    pub quantity: Option<Decimal>,
}

impl SaleReturn {
    /// The return `return_id` to `store_id`, of all that is left of `sale_id`, which that store sold, unless told
    /// otherwise.
    pub fn new(return_id: impl Into<String>, store_id: impl Into<String>, sale_id: impl Into<String>) -> Self {
        Self {
            return_id: return_id.into(),
            store_id: store_id.into(),
            terminal_id: String::new(),
            cashier_id: String::new(),
            document_type: String::new(),
            document_number: String::new(),
            sale_store_id: None,
            sale_id: sale_id.into(),
            returned: Returned::Rest,
            occurred_at: None,
            receipt_language: None,
        }
    }

    /// Says that another store sold.
    #[must_use]
    pub fn sold_at(mut self, sale_store_id: impl Into<String>) -> Self {
        self.sale_store_id = Some(sale_store_id.into());
        self
    }

    /// Returns so much of a line, beside other lines named before.
    #[must_use]
    pub fn line(self, line: u32, quantity: impl Into<Decimal>) -> Self {
        self.returned_line(ReturnedLine {
            line,
            quantity: Some(quantity.into()),
        })
    }

    /// Returns all that is left of a line, beside other lines named before.
    #[must_use]
    pub fn whole_line(self, line: u32) -> Self {
        self.returned_line(ReturnedLine { line, quantity: None })
    }

    /// Returns so much money, spread over what is not returned yet.
    #[must_use]
    pub fn amount(mut self, amount: impl Into<Decimal>) -> Self {
        self.returned = Returned::Amount(amount.into());
        self
    }

    /// Returns all that is not returned yet.
    #[must_use]
    pub fn rest(mut self) -> Self {
        self.returned = Returned::Rest;
        self
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

    /// Sets the shop's own type and number of the document.
    #[must_use]
    pub fn document(mut self, document_type: impl Into<String>, document_number: impl Into<String>) -> Self {
        self.document_type = document_type.into();
        self.document_number = document_number.into();
        self
    }

    /// Says when it came back, for returns that are sent later.
    #[must_use]
    pub fn occurred_at(mut self, occurred_at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(occurred_at);
        self
    }

    /// Asks for a text for the receipt.
    #[must_use]
    pub fn receipt_in(mut self, language: ReceiptLanguage) -> Self {
        self.receipt_language = Some(language);
        self
    }

    fn returned_line(mut self, line: ReturnedLine) -> Self {
        match &mut self.returned {
            Returned::Lines(lines) => lines.push(line),
            Returned::Amount(_) | Returned::Rest => self.returned = Returned::Lines(vec![line]),
        }
        self
    }
}

/// The cancellation of a sale: of all of it that is not returned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// The store where it is cancelled.
    pub store_id: String,
    /// The sale.
    pub sale_id: String,
    /// The store that sold; `None`: the one where it is cancelled.
    pub sale_store_id: Option<String>,
    /// The terminal; may be empty.
    pub terminal_id: String,
    /// The cashier; may be empty.
    pub cashier_id: String,
    /// The shop's own type of the cancelling document; may be empty.
    pub document_type: String,
    /// The shop's own number of the cancelling document; may be empty.
    pub document_number: String,
    /// When it was cancelled, at most 1 hour ahead of the server, 366 days back, and not before the sale; `None`: when the
    /// server records it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
}

impl Cancellation {
    /// The cancellation of `sale_id` in `store_id`, which sold it, and now. Every other field is public.
    pub fn new(store_id: impl Into<String>, sale_id: impl Into<String>) -> Self {
        Self {
            store_id: store_id.into(),
            sale_id: sale_id.into(),
            sale_store_id: None,
            terminal_id: String::new(),
            cashier_id: String::new(),
            document_type: String::new(),
            document_number: String::new(),
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
}

/// What a return or a cancellation did or, in a quote, would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnReceipt {
    /// The member.
    pub member_id: MemberId,
    /// The program.
    pub program_id: ProgramId,
    /// Version of the program that rated the sale, and rates what is kept of it.
    pub program_version: u32,
    /// The store that sold.
    pub sale_store_id: String,
    /// The sale.
    pub sale_id: String,
    /// The return; `None`: a cancellation.
    pub return_id: Option<String>,
    /// When it came back.
    pub occurred_at: DateTime<Utc>,
    /// What the goods cost that came back.
    pub amount: Money,
    /// What of [`amount`](Self::amount) points had paid: it comes back as points.
    pub points_amount: Money,
    /// What of [`amount`](Self::amount) the customer gets back otherwise.
    pub refund: Money,
    /// What all kept goods of the sale cost.
    pub kept_amount: Money,
    /// Redeemed points that came back, to the lots they were taken from.
    pub points_given_back: Decimal,
    /// What of [`points_given_back`](Self::points_given_back) had lapsed meanwhile and was written off again.
    pub given_back_lapsed: Decimal,
    /// Points that the sale had earned and that were taken back; negative where the kept goods earn more than all did.
    pub points_taken_back: Decimal,
    /// What of [`points_taken_back`](Self::points_taken_back) had lapsed before: it was taken out of no other points.
    pub taken_back_lapsed: Decimal,
    /// What of [`points_taken_back`](Self::points_taken_back) was no longer there and is owed now.
    pub points_owed: Decimal,
    /// What was no longer there and was let go, as the program's shortfall policy says.
    pub points_forgiven: Decimal,
    /// What the kept goods of the sale earn.
    pub points_earned: Decimal,
    /// Points available before.
    pub balance_before: Decimal,
    /// What the member has afterwards.
    pub balance: Balance,
    /// The member's tier before; `None` without one.
    pub tier_id_before: Option<String>,
    /// What becomes of each line of the sale, in order.
    pub lines: Vec<KeptLine>,
    /// What each rate earns for the kept goods, and why.
    pub rates: Vec<RateOutcome>,
    /// The fraction of a point that is left for the member's next sale; `None` where the program keeps none. Cut at 6
    /// decimals.
    pub carried_after: Option<Decimal>,
    /// Whether it had been recorded before this call; `false` in a quote.
    pub replayed: bool,
    /// Lines about the points, ready to print, in the language that [`SaleReturn::receipt_in`] or
    /// [`Cancellation::receipt_in`] asked for; `None` when none was.
    pub text: Option<String>,
}

/// What becomes of a line of a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Place of the line in the sale, from 0.
    pub line: u32,
    /// How much of it came back.
    pub returned_quantity: Decimal,
    /// What that cost.
    pub returned_amount: Money,
    /// How much of it is kept.
    pub kept_quantity: Decimal,
    /// What that costs.
    pub kept_amount: Money,
    /// What the kept goods of the line earn, and why; `None` when none are kept.
    pub kept: Option<LineOutcome>,
}
