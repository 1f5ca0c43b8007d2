//! How a merchant prints what receipts say about points.

use std::collections::BTreeSet;

use loyalty_api::v1 as wire;

use super::timestamp;
use crate::domain::answer::ReceiptTemplatesRecord;
use crate::domain::program::ProgramUnit;
use crate::domain::receipt_text::{self, Document, LINE_WIDTH, Language, ReceiptTemplate, ReceiptTemplates};
use crate::grpc::fields::Fields;

/// As many as can be for something of their own: a document, a language, and a unit or any.
const MOST_TEMPLATES: usize = 84;
/// Narrower no number fits, wider no printer is.
const LINE_WIDTHS: std::ops::RangeInclusive<u32> = 20..=80;
const TEXT_LENGTH: usize = 4_000;

/// Templates on the wire.
pub(in crate::grpc) fn templates(record: ReceiptTemplatesRecord) -> wire::ReceiptTemplates {
    wire::ReceiptTemplates {
        line_width: record.templates.line_width,
        templates: record.templates.templates.into_iter().map(template).collect(),
        etag: record.since_version.to_string(),
        updated_at: record.updated_at.map(timestamp),
    }
}

/// Every template that is built in.
pub(in crate::grpc) fn built_in() -> Vec<wire::ReceiptTemplate> {
    let mut all = Vec::new();
    for document in Document::ALL {
        for language in Language::ALL {
            for unit in [ProgramUnit::Points, ProgramUnit::Value] {
                all.push(template(ReceiptTemplate {
                    document,
                    language,
                    unit: Some(unit),
                    text: receipt_text::built_in(document, language, unit),
                }));
            }
        }
    }
    all
}

fn template(template: ReceiptTemplate) -> wire::ReceiptTemplate {
    let document = match template.document {
        Document::Sale => wire::ReceiptDocument::Sale,
        Document::Return => wire::ReceiptDocument::Return,
        Document::Redemption => wire::ReceiptDocument::Redemption,
        Document::Hold => wire::ReceiptDocument::Hold,
        Document::Release => wire::ReceiptDocument::Release,
        Document::Reversal => wire::ReceiptDocument::Reversal,
        Document::Balance => wire::ReceiptDocument::Balance,
    };
    let unit = match template.unit {
        None => wire::ProgramUnit::Unspecified,
        Some(ProgramUnit::Points) => wire::ProgramUnit::Points,
        Some(ProgramUnit::Value) => wire::ProgramUnit::Value,
    };
    wire::ReceiptTemplate {
        document: document.into(),
        language: template.language.tag().to_owned(),
        unit: unit.into(),
        text: template.text,
    }
}

/// Templates from the wire, and the etag that was read.
pub(in crate::grpc) fn templates_from(
    fields: &mut Fields,
    given: Option<wire::ReceiptTemplates>,
) -> (u32, ReceiptTemplates) {
    let Some(given) = given else {
        fields.wrong("templates", "is missing");
        return Default::default();
    };
    if given.updated_at.is_some() {
        fields.wrong("templates.updated_at", "is set by the server");
    }
    let line_width = match given.line_width {
        0 => LINE_WIDTH,
        width => width,
    };
    if !LINE_WIDTHS.contains(&line_width) {
        fields.wrong("templates.line_width", "must be 20 to 80");
    }
    let etag = fields.etag("templates.etag", &given.etag);
    let mut templates = Vec::new();
    if fields.at_most("templates.templates", &given.templates, MOST_TEMPLATES) {
        let mut known = BTreeSet::new();
        for (place, given) in given.templates.into_iter().enumerate() {
            let at = format!("templates.templates[{place}]");
            let template = template_from(fields, &at, given);
            if template.as_ref().is_some_and(|template| !known.insert(template.key())) {
                fields.wrong(at, "is for the same as another");
            }
            templates.extend(template);
        }
    }
    templates.sort_by_key(ReceiptTemplate::key);
    (etag, ReceiptTemplates { line_width, templates })
}

/// `None` where it does not say what it is for.
fn template_from(fields: &mut Fields, at: &str, given: wire::ReceiptTemplate) -> Option<ReceiptTemplate> {
    let document = match fields.choice(&format!("{at}.document"), given.document) {
        Some(wire::ReceiptDocument::Sale) => Some(Document::Sale),
        Some(wire::ReceiptDocument::Return) => Some(Document::Return),
        Some(wire::ReceiptDocument::Redemption) => Some(Document::Redemption),
        Some(wire::ReceiptDocument::Hold) => Some(Document::Hold),
        Some(wire::ReceiptDocument::Release) => Some(Document::Release),
        Some(wire::ReceiptDocument::Reversal) => Some(Document::Reversal),
        Some(wire::ReceiptDocument::Balance) => Some(Document::Balance),
        Some(wire::ReceiptDocument::Unspecified) | None => {
            // An unknown value has been noted as such.
            if given.document == i32::from(wire::ReceiptDocument::Unspecified) {
                fields.wrong(format!("{at}.document"), "is missing");
            }
            None
        }
    };
    let language = Language::ALL
        .into_iter()
        .find(|language| language.tag() == given.language);
    if language.is_none() {
        fields.wrong(format!("{at}.language"), "must be `en`, `es`, `pt` or `el`");
    }
    let unit = match fields.choice(&format!("{at}.unit"), given.unit) {
        Some(wire::ProgramUnit::Points) => Some(ProgramUnit::Points),
        Some(wire::ProgramUnit::Value) => Some(ProgramUnit::Value),
        Some(wire::ProgramUnit::Unspecified) | None => None,
    };
    let field = format!("{at}.text");
    let text = text(fields, &field, given.text);
    let template = ReceiptTemplate {
        document: document?,
        language: language?,
        unit,
        text,
    };
    if let Err(wrong) = template.check() {
        fields.wrong(field, wrong);
    }
    Some(template)
}

/// A text with line breaks and no other control characters.
fn text(fields: &mut Fields, field: &str, text: String) -> String {
    let length = text.chars().count();
    if length == 0 {
        fields.wrong(field, "is missing");
    } else if length > TEXT_LENGTH {
        fields.wrong(
            field,
            format!("has {length} characters; 1 to {TEXT_LENGTH} are allowed"),
        );
    } else if text.chars().any(|c| c.is_control() && c != '\n') {
        fields.wrong(field, "has control characters other than line breaks");
    }
    text
}
