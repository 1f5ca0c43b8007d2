//! How a merchant prints what receipts say about points.

use chrono::{DateTime, Utc};

use crate::{program::ProgramUnit, sale::ReceiptLanguage, wire::open_enum};

/// How a merchant prints what receipts say about points: read with
/// [`Client::get_receipt_templates`](crate::Client::get_receipt_templates), changed, and set again.
///
/// ```no_run
/// use loyalty_sdk::{ReceiptDocument, ReceiptLanguage};
///
/// # async fn change(client: loyalty_sdk::Client) -> Result<(), loyalty_sdk::Error> {
/// let templates = client.get_receipt_templates().await?;
/// let own = "¡Gracias!\nPuntos de hoy{right}{earned}\nSaldo{right}{balance}\n{?reward}Lleve gratis:\n  {reward}";
/// let templates = templates.template(ReceiptDocument::Sale, ReceiptLanguage::Spanish, own);
/// client.set_receipt_templates(&templates).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptTemplates {
    /// Characters of a line, 20 to 80; 42 where the merchant says nothing else.
    pub line_width: u32,
    /// The merchant's own templates, none twice for the same document, language and unit. What is not there is printed as
    /// built in.
    pub templates: Vec<ReceiptTemplate>,
    /// Changes with every change of the templates; a change brings the one it has read.
    pub etag: String,
    /// When they last changed; `None` when they never did.
    pub updated_at: Option<DateTime<Utc>>,
}

/// The text of a document with placeholders, line by line.
///
/// `{name}` stands for a value: instants as days, numbers as the language writes them. What is behind `{right}` goes to the
/// right end of the line. `{?name}` prints nothing. A line is left out where one of the values that it names does not exist;
/// one that names `item…` or `reward…` is printed for each. `{{` and `}}` print braces.
///
/// | documents | placeholders |
/// |---|---|
/// | all | `program`, `balance_before`, `balance`, `worth`, `pending`, `held`, `next_expiry`, `expiring` (how many then; not in quotes), `tier`, `next_tier`, `missing_spend`, `reward`, `reward_points` |
/// | sales | `earned`, `rated`, `due`, `pending_until`, `earned_expire` |
/// | sales and redemptions | `used`, `paid`, `item` (with its quantity where documents show it), `item_points` |
/// | returns | `amount`, `refund`, `given_back`, `given_back_lapsed`, `taken_back`, `owed`, `forgiven` |
/// | holds | `set_aside`, `pays`, `until` (day and time), `item`, `item_points` |
/// | releases | `set_aside` |
/// | reversals | `given_back`, `given_back_lapsed`, `unpaid` |
///
/// Points that are 0 do not exist, but for `earned` and the balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptTemplate {
    /// The kind of document.
    pub document: ReceiptDocument,
    /// The language; not [`ReceiptLanguage::OfMember`].
    pub language: ReceiptLanguage,
    /// For programs of this unit; `None`: of each that has no template of its own.
    pub unit: Option<ProgramUnit>,
    /// The text, 1 to 4,000 characters, with line breaks.
    pub text: String,
}

open_enum! {
    /// The kinds of documents that say something about points.
    ReceiptDocument {
        /// Quotes and answers of sales.
        Sale,
        /// Quotes and answers of returns, and cancellations.
        Return,
        /// Redemptions without a sale, and captures of holds.
        Redemption,
        /// Points that are set aside.
        Hold,
        /// Points that were set aside and are free again.
        Release,
        /// Redemptions without a sale that come back.
        Reversal,
        /// What a member has, for who asks.
        Balance,
    }
}

impl ReceiptTemplate {
    /// The text of a document in a language, for programs of any unit.
    pub fn new(document: ReceiptDocument, language: ReceiptLanguage, text: impl Into<String>) -> Self {
        Self {
            document,
            language,
            unit: None,
            text: text.into(),
        }
    }

    fn is_for_the_same(&self, other: &Self) -> bool {
        (self.document, self.language, self.unit) == (other.document, other.language, other.unit)
    }
}

impl ReceiptTemplates {
    /// Prints a document in a language by this text, in programs of any unit that have no template of their own.
    #[must_use]
    pub fn template(self, document: ReceiptDocument, language: ReceiptLanguage, text: impl Into<String>) -> Self {
        self.with(ReceiptTemplate::new(document, language, text))
    }

    /// Adds a template in the place of the one for the same.
    #[must_use]
    pub fn with(mut self, template: ReceiptTemplate) -> Self {
        self.templates.retain(|other| !other.is_for_the_same(&template));
        self.templates.push(template);
        self
    }

    /// Sets the characters of a line.
    #[must_use]
    pub fn line_width(mut self, line_width: u32) -> Self {
        self.line_width = line_width;
        self
    }

    /// Prints everything as built in again.
    #[must_use]
    pub fn built_in(mut self) -> Self {
        self.templates.clear();
        self
    }
}
