//! The document of the POS that a sale is recorded from.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    id::{ProductId, ProgramId, RewardId},
    member::MemberKey,
    receipt::Receipt,
    redemption::Redemption,
    wire::open_enum,
};

/// A sale: an invoice or a ticket. Amounts are in [`currency_code`](Self::currency_code), 0 to 100,000,000,000, with at
/// most the currency's decimals.
///
/// ```
/// use loyalty_sdk::{MemberKey, Sale, SaleLine};
///
/// let sale = Sale::new("ticket-1043", "store-1", MemberKey::customer_id("c-17"), "EUR", 2000)
///     .line(SaleLine::new(1200).product("grinder"))
///     .line(SaleLine::new(800).product("beans").category("food/coffee").quantity(4))
///     .tender("CASH", 1500)
///     .redeem_amount(500)
///     .clamped();
/// assert_eq!(sale.lines.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// The POS's own id of the document, unique per merchant and store, 1 to 64 characters. Recording it again with the
    /// same content gives the original answer.
    pub sale_id: String,
    /// The store, 1 to 64 characters.
    pub store_id: String,
    /// The terminal, at most 64 characters; may be empty.
    pub terminal_id: String,
    /// The cashier, at most 64 characters; may be empty.
    pub cashier_id: String,
    /// The shop's own type of document, at most 64 characters; may be empty.
    pub document_type: String,
    /// The shop's own number of the document, at most 64 characters; may be empty.
    pub document_number: String,
    /// The program; `None`: found by the member.
    pub program_id: Option<ProgramId>,
    /// Who bought.
    pub member: MemberKey,
    /// ISO 4217 code; must be the program's.
    pub currency_code: String,
    /// What the customer has to pay in all, tax included: the sum of the lines' amounts.
    pub total: Decimal,
    /// What was sold, at most 1,000 lines. A sale without lines is one line of `total`.
    pub lines: Vec<SaleLine>,
    /// How the customer paid other than with points, at most 50.
    pub tenders: Vec<Tender>,
    /// Points that pay for this sale, at most 10, applied in order.
    pub redemptions: Vec<Redemption>,
    /// Whether every redemption is clamped, whatever it says itself.
    pub clamped: bool,
    /// When it was sold, at most 1 hour ahead of the server and 366 days back; `None`: when the server records it.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Whether the sale earns nothing, whatever the rules say; it still redeems and counts towards tiers.
    pub do_not_earn: bool,
    /// Who the customer is, for programs that enrol customers by their first sale; needs a `member` that is an identifier.
    pub customer: Option<Customer>,
    /// Whether the till had no line when it sold: what ruled at [`occurred_at`](Self::occurred_at), which must be said,
    /// rates the sale, if it arrives within [`OfflinePolicy::business_time`](crate::OfflinePolicy::business_time).
    pub offline: bool,
    /// In which language the answer brings a text for the receipt; `None`: none.
    pub receipt_language: Option<ReceiptLanguage>,
    /// The token of a quote that holds for the sale: see [`with_quote`](Self::with_quote).
    pub quote_token: Option<String>,
}

/// A language that receipts are printed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiptLanguage {
    /// The member's own, and English where it is not known or not printed.
    OfMember,
    /// English.
    English,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// Greek.
    Greek,
}

/// A customer whom a sale may enrol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// What people call the customer, at most 200 characters.
    pub name: String,
    /// The customer's group as a path, such as `retail/vip`.
    pub customer_group: String,
    /// The customer's territory as a path, such as `south/lima`.
    pub territory: String,
}

impl Customer {
    /// A customer called `name`, of no group and territory.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Says which group.
    #[must_use]
    pub fn customer_group(mut self, customer_group: impl Into<String>) -> Self {
        self.customer_group = customer_group.into();
        self
    }

    /// Says which territory.
    #[must_use]
    pub fn territory(mut self, territory: impl Into<String>) -> Self {
        self.territory = territory.into();
        self
    }
}

impl Sale {
    /// The document `sale_id` of `store_id` over `total`, without lines, paid with nothing yet, sold now.
    pub fn new(
        sale_id: impl Into<String>,
        store_id: impl Into<String>,
        member: impl Into<MemberKey>,
        currency_code: impl Into<String>,
        total: impl Into<Decimal>,
    ) -> Self {
        Self {
            sale_id: sale_id.into(),
            store_id: store_id.into(),
            terminal_id: String::new(),
            cashier_id: String::new(),
            document_type: String::new(),
            document_number: String::new(),
            program_id: None,
            member: member.into(),
            currency_code: currency_code.into(),
            total: total.into(),
            lines: Vec::new(),
            tenders: Vec::new(),
            redemptions: Vec::new(),
            clamped: false,
            occurred_at: None,
            do_not_earn: false,
            customer: None,
            offline: false,
            receipt_language: None,
            quote_token: None,
        }
    }

    /// Says who the customer is, for programs that enrol customers by their first sale.
    #[must_use]
    pub fn customer(mut self, customer: Customer) -> Self {
        self.customer = Some(customer);
        self
    }

    /// Keeps the sale from earning; it still redeems and counts towards tiers.
    #[must_use]
    pub fn do_not_earn(mut self) -> Self {
        self.do_not_earn = true;
        self
    }

    /// Says which program, for customers who are in several.
    #[must_use]
    pub fn program(mut self, program_id: impl Into<ProgramId>) -> Self {
        self.program_id = Some(program_id.into());
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

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, line: SaleLine) -> Self {
        self.lines.push(line);
        self
    }

    /// Adds a payment other than points, such as `CASH`: how much of the sale it paid, change already taken off.
    #[must_use]
    pub fn tender(mut self, tender_type: impl Into<String>, amount: impl Into<Decimal>) -> Self {
        self.tenders.push(Tender {
            tender_type: tender_type.into(),
            amount: amount.into(),
        });
        self
    }

    /// Lets points pay a part of the sale.
    #[must_use]
    pub fn redemption(mut self, redemption: Redemption) -> Self {
        self.redemptions.push(redemption);
        self
    }

    /// Lets so many points pay; the server computes the money.
    #[must_use]
    pub fn redeem_points(self, points: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::points(points))
    }

    /// Lets points pay so much money; the server computes the points.
    #[must_use]
    pub fn redeem_amount(self, amount: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::amount(amount))
    }

    /// Lets points buy units of a product at its price in points.
    #[must_use]
    pub fn redeem_product(self, product_id: impl Into<ProductId>, quantity: impl Into<Decimal>) -> Self {
        self.redemption(Redemption::product(product_id, quantity))
    }

    /// Lets points buy so many of a reward.
    #[must_use]
    pub fn redeem_reward(self, reward_id: impl Into<RewardId>, quantity: u32) -> Self {
        self.redemption(Redemption::reward(reward_id, quantity))
    }

    /// When less is available or due than a redemption asks, takes what is possible instead of refusing: holds for every
    /// redemption of the sale.
    #[must_use]
    pub fn clamped(mut self) -> Self {
        self.clamped = true;
        self
    }

    /// Gets the sale what [`quote_sale`](crate::Client::quote_sale) said, though the rules have changed since, until the
    /// quote expires. Member, place, total, lines and redemptions must be those that were quoted; ids, cashier, tenders and
    /// the time may be others.
    ///
    /// ```no_run
    /// # async fn sell(client: loyalty_sdk::Client, sale: loyalty_sdk::Sale) -> Result<(), loyalty_sdk::Error> {
    /// let quote = client.quote_sale(&sale).await?;
    /// println!("you will earn {}", quote.points_earned);
    /// // … and when the customer has paid:
    /// let receipt = client.record_sale(&sale.with_quote(&quote)).await?;
    /// # drop(receipt);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_quote(mut self, quote: &Receipt) -> Self {
        self.quote_token = quote.quote.as_ref().map(|quote| quote.token.clone());
        self
    }

    /// Asks for a text for the receipt: [`Receipt::text`](crate::Receipt::text).
    #[must_use]
    pub fn receipt_in(mut self, language: ReceiptLanguage) -> Self {
        self.receipt_language = Some(language);
        self
    }

    /// Says that it was sold then, by a till without a line: the sale earns what it would have earned then.
    #[must_use]
    pub fn offline_at(mut self, occurred_at: DateTime<Utc>) -> Self {
        self.offline = true;
        self.occurred_at(occurred_at)
    }

    /// Says when it was sold, for sales that are sent later.
    #[must_use]
    pub fn occurred_at(mut self, occurred_at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(occurred_at);
        self
    }
}

/// One line of a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleLine {
    /// The product (SKU), at most 64 characters; may be empty.
    pub product_id: String,
    /// The product's category as a path, such as `food/coffee`, at most 200 characters; may be empty.
    pub category: String,
    /// The product's brand, at most 64 characters; may be empty.
    pub brand: String,
    /// How much was sold: above 0, at most 6 decimals; `None` means 1.
    pub quantity: Option<Decimal>,
    /// Price of one unit before discounts. Informative.
    pub unit_price: Option<Decimal>,
    /// Percentage by which the price was lowered, 0 to 100, at most 4 decimals. Informative.
    pub discount_percent: Option<Decimal>,
    /// Amount by which the price was lowered. Informative.
    pub discount_amount: Option<Decimal>,
    /// What this line costs after discounts, tax included.
    pub amount: Decimal,
    /// The tax inside `amount`, not above it.
    pub tax_amount: Option<Decimal>,
    /// Why the line never earns; `None`: it earns.
    pub flag: Option<SaleLineFlag>,
}

impl SaleLine {
    /// A line that costs `amount` after discounts, tax included. Every other field is public: set what has no method
    /// here directly.
    pub fn new(amount: impl Into<Decimal>) -> Self {
        Self {
            amount: amount.into(),
            ..Self::default()
        }
    }

    /// Sets the product (SKU).
    #[must_use]
    pub fn product(mut self, product_id: impl Into<String>) -> Self {
        self.product_id = product_id.into();
        self
    }

    /// Sets the category, as a path.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = category.into();
        self
    }

    /// Sets how much was sold.
    #[must_use]
    pub fn quantity(mut self, quantity: impl Into<Decimal>) -> Self {
        self.quantity = Some(quantity.into());
        self
    }

    /// Sets the price of one unit before discounts.
    #[must_use]
    pub fn unit_price(mut self, unit_price: impl Into<Decimal>) -> Self {
        self.unit_price = Some(unit_price.into());
        self
    }

    /// Says by which percentage the price was lowered; the amount is already without it.
    #[must_use]
    pub fn discount_percent(mut self, percent: impl Into<Decimal>) -> Self {
        self.discount_percent = Some(percent.into());
        self
    }

    /// Says by how much the price was lowered; the amount is already without it.
    #[must_use]
    pub fn discount_amount(mut self, amount: impl Into<Decimal>) -> Self {
        self.discount_amount = Some(amount.into());
        self
    }

    /// Sets the brand.
    #[must_use]
    pub fn brand(mut self, brand: impl Into<String>) -> Self {
        self.brand = brand.into();
        self
    }

    /// Sets the tax inside the amount.
    #[must_use]
    pub fn tax_amount(mut self, tax_amount: impl Into<Decimal>) -> Self {
        self.tax_amount = Some(tax_amount.into());
        self
    }

    /// Marks the line as one that never earns.
    #[must_use]
    pub fn flag(mut self, flag: SaleLineFlag) -> Self {
        self.flag = Some(flag);
        self
    }
}

open_enum! {
    /// Marks a line that never earns.
    SaleLineFlag {
        /// Shipping.
        Shipping,
        /// A gift card that was sold.
        GiftCard,
        /// A deposit.
        Deposit,
        /// Anything else that the POS says does not earn.
        NonEarning,
    }
}

/// A payment other than points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tender {
    /// What it was, such as `CASH`, 1 to 64 characters.
    pub tender_type: String,
    /// How much of the sale it paid, change already taken off.
    pub amount: Decimal,
}
