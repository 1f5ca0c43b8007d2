//! Calls that tell the history of configuration.

use std::ops::{Bound, RangeBounds};

use loyalty_api::v1;

use super::{Client, attempt};
use crate::{
    configuration_change::{ConfigurationChange, ConfigurationFilter, ProductChange, RuleVersion},
    error::Error,
    id::{ProductId, ProgramId, RuleId},
    page::{Page, PageRequest},
};

impl Client {
    /// Who changed what of programs, rules, rewards, products and reasons, and when, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_configuration_changes(
        &self,
        filter: &ConfigurationFilter,
        page: &PageRequest,
    ) -> Result<Page<ConfigurationChange>, Error> {
        let message = filter.to_wire(page);
        let answer = self
            .read(message, attempt!(self.raw_programs(), list_configuration_changes))
            .await?;
        let changes = answer.changes.into_iter().map(ConfigurationChange::from_wire);
        Ok(Page::new(
            changes.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// What these versions of a program (`..`: all) changed of its products, of one product or (`None`) of all, oldest
    /// first.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_product_changes(
        &self,
        program_id: impl Into<ProgramId>,
        product_id: Option<ProductId>,
        versions: impl RangeBounds<u32>,
        page: &PageRequest,
    ) -> Result<Page<ProductChange>, Error> {
        let message = v1::ListProductChangesRequest {
            program_id: program_id.into().into(),
            product_id: product_id.map(String::from).unwrap_or_default(),
            from_version: match versions.start_bound() {
                Bound::Included(first) => *first,
                Bound::Excluded(before) => before.saturating_add(1),
                Bound::Unbounded => 0,
            },
            to_version: match versions.end_bound() {
                Bound::Included(last) => *last,
                Bound::Excluded(behind) => behind.saturating_sub(1),
                Bound::Unbounded => 0,
            },
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self
            .read(message, attempt!(self.raw_programs(), list_product_changes))
            .await?;
        let changes = answer.changes.into_iter().map(ProductChange::from_wire);
        Ok(Page::new(
            changes.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }

    /// All versions of a rule, newest first.
    ///
    /// # Errors
    ///
    /// [`Error::RuleNotFound`] when there is none, [`Error::InvalidFields`] when the page is not one that this list gave.
    pub async fn list_rule_versions(
        &self,
        program_id: impl Into<ProgramId>,
        rule_id: impl Into<RuleId>,
        page: &PageRequest,
    ) -> Result<Page<RuleVersion>, Error> {
        let message = v1::ListRuleVersionsRequest {
            program_id: program_id.into().into(),
            rule_id: rule_id.into().into(),
            page_size: page.page_size,
            page_token: page.page_token.clone(),
        };
        let answer = self
            .read(message, attempt!(self.raw_rules(), list_rule_versions))
            .await?;
        let versions = answer.versions.into_iter().map(RuleVersion::from_wire);
        Ok(Page::new(
            versions.collect::<Result<_, _>>()?,
            page,
            answer.next_page_token,
        ))
    }
}
