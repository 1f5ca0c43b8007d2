//! Templates of receipts on the wire.

use loyalty_api::v1;

use super::optional_instant;
use crate::{
    error::Error,
    program::ProgramUnit,
    receipt_templates::{ReceiptDocument, ReceiptTemplate, ReceiptTemplates},
    sale::ReceiptLanguage,
};

impl ReceiptTemplates {
    pub(crate) fn to_wire(&self) -> v1::ReceiptTemplates {
        v1::ReceiptTemplates {
            line_width: self.line_width,
            templates: self.templates.iter().map(ReceiptTemplate::to_wire).collect(),
            etag: self.etag.clone(),
            updated_at: None,
        }
    }

    pub(crate) fn from_wire(templates: v1::ReceiptTemplates) -> Result<Self, Error> {
        let own = templates.templates.into_iter().map(ReceiptTemplate::from_wire);
        Ok(Self {
            line_width: templates.line_width,
            templates: own.collect::<Result<_, _>>()?,
            etag: templates.etag,
            updated_at: optional_instant("templates.updated_at", templates.updated_at)?,
        })
    }
}

impl ReceiptTemplate {
    fn to_wire(&self) -> v1::ReceiptTemplate {
        v1::ReceiptTemplate {
            document: self.document.number(),
            language: ReceiptLanguage::asked(Some(self.language)),
            unit: self.unit.map(ProgramUnit::number).unwrap_or_default(),
            text: self.text.clone(),
        }
    }

    pub(crate) fn from_wire(template: v1::ReceiptTemplate) -> Result<Self, Error> {
        Ok(Self {
            document: ReceiptDocument::from_number(template.document),
            language: ReceiptLanguage::of_tag(&template.language).ok_or(Error::InvalidAnswer {
                field: "template.language",
                value: template.language,
            })?,
            unit: (template.unit != 0).then(|| ProgramUnit::from_number(template.unit)),
            text: template.text,
        })
    }
}
