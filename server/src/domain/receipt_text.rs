//! What a receipt says about points: a few lines, as wide as a narrow printer, in the customer's language, by the
//! merchant's own templates where there are some.

mod built_in;
mod placeholder;
mod printing;
mod template;
mod words;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use built_in::built_in;

use super::giving_back::ReversalOutcome;
use super::holding::HoldOutcome;
use super::number::Currency;
use super::outcome::{Balance, SaleOutcome};
use super::program::{Program, ProgramUnit};
use super::receipt_text::printing::Printing;
use super::receipt_text::template::Template;
use super::redeeming::RedemptionOutcome;
use super::return_outcome::ReturnOutcome;

/// Characters of a line of merchants who say nothing else: what printers of 80 mm have in their usual type, less the least
/// of their margins.
pub(crate) const LINE_WIDTH: u32 = 42;

/// A language that receipts are printed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "es")]
    Spanish,
    #[serde(rename = "pt")]
    Portuguese,
    #[serde(rename = "el")]
    Greek,
}

/// The kinds of documents that say something about points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Document {
    Sale,
    /// A return or a cancellation.
    Return,
    /// A redemption without a sale.
    Redemption,
    /// Points that are set aside.
    Hold,
    /// Points that were set aside and are free again.
    Release,
    /// A redemption without a sale that comes back.
    Reversal,
    /// What a member has, for who asks.
    Balance,
}

/// What is printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Printed<'a> {
    Sale(&'a SaleOutcome),
    Return(&'a ReturnOutcome),
    Redemption(&'a RedemptionOutcome),
    Hold(&'a HoldOutcome),
    Release(&'a HoldOutcome),
    Reversal(&'a ReversalOutcome),
    Balance(&'a Standing),
}

/// What a member has, and where.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) member_id: Uuid,
    pub(crate) program_id: String,
    pub(crate) currency: Currency,
    pub(crate) balance: Balance,
}

/// How a merchant prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptTemplates {
    /// Characters of a line.
    pub(crate) line_width: u32,
    /// In the order of what they are for, none twice for the same. What is not there is printed as built in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) templates: Vec<ReceiptTemplate>,
}

/// A template of a merchant's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptTemplate {
    pub(crate) document: Document,
    pub(crate) language: Language,
    /// `None`: programs of any unit that have no template of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<ProgramUnit>,
    pub(crate) text: String,
}

impl Default for ReceiptTemplates {
    fn default() -> Self {
        Self {
            line_width: LINE_WIDTH,
            templates: Vec::new(),
        }
    }
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::Greek];

    /// The one that a BCP 47 tag asks for, by its first part: `es-PE` is Spanish. English for all that is not printed.
    pub(crate) fn of_tag(tag: &str) -> Self {
        let first = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let mut all = Self::ALL.into_iter();
        all.find(|language| language.tag() == first).unwrap_or_default()
    }

    /// Its BCP 47 tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::Greek => "el",
        }
    }

    /// A number with its decimals as people of the language write them.
    fn number(self, number: Decimal) -> String {
        let text = number.to_string();
        match self {
            Self::English => text,
            Self::Spanish | Self::Portuguese | Self::Greek => text.replace('.', ","),
        }
    }

    fn day(self, day: NaiveDate) -> String {
        let format = match self {
            Self::English => "%Y-%m-%d",
            Self::Spanish | Self::Portuguese | Self::Greek => "%d/%m/%Y",
        };
        day.format(format).to_string()
    }

    fn time(self, at: NaiveDateTime) -> String {
        format!("{} {}", self.day(at.date()), at.format("%H:%M"))
    }
}

impl Document {
    pub(crate) const ALL: [Self; 7] = [
        Self::Sale,
        Self::Return,
        Self::Redemption,
        Self::Hold,
        Self::Release,
        Self::Reversal,
        Self::Balance,
    ];
}

impl Printed<'_> {
    fn document(&self) -> Document {
        match self {
            Self::Sale(_) => Document::Sale,
            Self::Return(_) => Document::Return,
            Self::Redemption(_) => Document::Redemption,
            Self::Hold(_) => Document::Hold,
            Self::Release(_) => Document::Release,
            Self::Reversal(_) => Document::Reversal,
            Self::Balance(_) => Document::Balance,
        }
    }

    /// When points lapse next.
    pub(crate) fn next_expiry_at(&self) -> Option<DateTime<Utc>> {
        self.balance().next_expiry_at
    }

    /// What the member has afterwards.
    fn balance(&self) -> &Balance {
        match self {
            Self::Sale(outcome) => &outcome.balance,
            Self::Return(outcome) => &outcome.balance,
            Self::Redemption(outcome) => &outcome.balance,
            Self::Hold(outcome) | Self::Release(outcome) => &outcome.balance,
            Self::Reversal(outcome) => &outcome.balance,
            Self::Balance(standing) => &standing.balance,
        }
    }

    /// The program whose points it is about.
    pub(crate) fn program_id(&self) -> &str {
        match self {
            Self::Sale(outcome) => &outcome.program_id,
            Self::Return(outcome) => &outcome.program_id,
            Self::Redemption(outcome) => &outcome.redemption.program_id,
            Self::Hold(outcome) | Self::Release(outcome) => &outcome.hold.program_id,
            Self::Reversal(outcome) => &outcome.redemption.redemption.program_id,
            Self::Balance(standing) => &standing.program_id,
        }
    }

    /// The member whose points it is about.
    pub(crate) fn member_id(&self) -> Uuid {
        match self {
            Self::Sale(outcome) => outcome.member_id,
            Self::Return(outcome) => outcome.member_id,
            Self::Redemption(outcome) => outcome.redemption.member_id,
            Self::Hold(outcome) | Self::Release(outcome) => outcome.hold.member_id,
            // Where the member was merged into another, that one's points are told.
            Self::Reversal(outcome) => outcome.redemption.member_id,
            Self::Balance(standing) => standing.member_id,
        }
    }
}

impl ReceiptTemplate {
    /// What is wrong with it, if it cannot be filled in.
    pub(crate) fn check(&self) -> Result<(), String> {
        Template::parse(self.document, &self.text).map(drop)
    }

    /// What it is for.
    pub(crate) fn key(&self) -> (Document, Language, Option<ProgramUnit>) {
        (self.document, self.language, self.unit)
    }
}

impl ReceiptTemplates {
    /// The merchant's own template for a document, if it has one that can be filled in.
    fn own(&self, document: Document, language: Language, unit: ProgramUnit) -> Option<Template> {
        let find = |unit| {
            let mut templates = self.templates.iter();
            templates.find(|template| template.key() == (document, language, unit))
        };
        let template = find(Some(unit)).or_else(|| find(None))?;
        Template::parse(document, &template.text).ok()
    }
}

/// The lines about points of a document, with line breaks between and none behind. `expiring`: how many points lapse next,
/// where that is known.
pub(crate) fn receipt_text(
    templates: &ReceiptTemplates,
    language: Language,
    program: &Program,
    printed: Printed<'_>,
    expiring: Option<Decimal>,
) -> String {
    let (document, unit) = (printed.document(), program.unit);
    let own = templates.own(document, language, unit);
    let template = own.or_else(|| Template::parse(document, &built_in(document, language, unit)).ok());
    let printing = Printing {
        language,
        program,
        printed,
        expiring,
    };
    let width = usize::try_from(templates.line_width).unwrap_or_default();
    template.map_or_else(String::new, |template| template.fill(&printing, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_a_tag_says_the_language() {
        let cases = [
            ("es", Language::Spanish),
            ("es-PE", Language::Spanish),
            ("PT-br", Language::Portuguese),
            ("el", Language::Greek),
            ("en-GB", Language::English),
            ("quz", Language::English),
            ("", Language::English),
        ];
        for (tag, expected) in cases {
            assert_eq!(Language::of_tag(tag), expected, "{tag}");
        }
    }

    #[test]
    fn every_built_in_template_can_be_filled_in() {
        for document in Document::ALL {
            for language in Language::ALL {
                for unit in [ProgramUnit::Points, ProgramUnit::Value] {
                    let text = built_in(document, language, unit);
                    assert!(Template::parse(document, &text).is_ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_template_for_the_unit_goes_before_one_for_all() {
        let of = |unit, text: &str| ReceiptTemplate {
            document: Document::Sale,
            language: Language::Greek,
            unit,
            text: text.to_owned(),
        };
        let templates = ReceiptTemplates {
            templates: vec![of(None, "all"), of(Some(ProgramUnit::Value), "value")],
            ..ReceiptTemplates::default()
        };
        let own = |language, unit| templates.own(Document::Sale, language, unit);

        let parsed = |text| Template::parse(Document::Sale, text).ok();
        assert_eq!(own(Language::Greek, ProgramUnit::Value), parsed("value"));
        assert_eq!(own(Language::Greek, ProgramUnit::Points), parsed("all"));
        assert_eq!(own(Language::English, ProgramUnit::Points), None);
    }
}
