//! The history of configuration on the wire.

use loyalty_api::v1;

use super::{instant, optional_decimal, optional_text, present, timestamp};
use crate::{
    configuration_change::{
        ConfigurationChange, ConfigurationFilter, ConfigurationResource, FieldChange, ProductChange, RuleVersion,
    },
    error::Error,
    id::ProgramId,
    page::PageRequest,
    product::ProductLoad,
    rule::Rule,
};

impl ConfigurationFilter {
    pub(crate) fn to_wire(&self, page: &PageRequest) -> v1::ListConfigurationChangesRequest {
        v1::ListConfigurationChangesRequest {
            program_id: self.program_id.as_ref().map(ProgramId::to_string).unwrap_or_default(),
            resource: self.resource.map(ConfigurationResource::number).unwrap_or_default(),
            resource_id: self.resource_id.clone().unwrap_or_default(),
            actor: self.actor.clone().unwrap_or_default(),
            from: self.from.map(timestamp),
            until: self.until.map(timestamp),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        }
    }
}

impl ConfigurationChange {
    pub(crate) fn from_wire(change: v1::ConfigurationChange) -> Result<Self, Error> {
        let fields = change.fields.into_iter().map(|field| FieldChange {
            path: field.path,
            old_value: field.old_value,
            new_value: field.new_value,
        });
        Ok(Self {
            program_id: optional_text(change.program_id),
            version: change.version,
            changed_at: instant("changes.changed_at", change.changed_at)?,
            actor: change.actor,
            request_id: change.request_id.into(),
            resource: ConfigurationResource::from_number(change.resource),
            resource_id: change.resource_id,
            fields: fields.collect(),
            product_load: change.product_load.map(ProductLoad::from_wire),
        })
    }
}

impl ProductChange {
    pub(crate) fn from_wire(change: v1::ProductChange) -> Result<Self, Error> {
        Ok(Self {
            product_id: change.product_id.into(),
            version: change.version,
            points: (
                optional_decimal("changes.old_points", change.old_points)?,
                optional_decimal("changes.new_points", change.new_points)?,
            ),
            redeem_points: (
                optional_decimal("changes.old_redeem_points", change.old_redeem_points)?,
                optional_decimal("changes.new_redeem_points", change.new_redeem_points)?,
            ),
        })
    }
}

impl RuleVersion {
    pub(crate) fn from_wire(version: v1::RuleVersion) -> Result<Self, Error> {
        Ok(Self {
            rule: Rule::from_wire(present("versions.rule", version.rule)?)?,
            from_version: version.from_version,
            until_version: Some(version.until_version).filter(|version| *version != 0),
            actor: version.actor,
        })
    }
}
