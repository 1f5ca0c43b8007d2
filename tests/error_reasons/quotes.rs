//! Sales that bring a quote that does not hold for them.

use std::time::Duration;

use loyalty_sdk::api as wire;
use loyalty_sdk::{Client, EarnRate, NewMember, NewProgram, NewRule};
use loyalty_server::serve::ServeOptions;
use loyalty_server::tenants::Role;
use tonic::Status;

use super::Provoked;
use super::scene::Scene;
use crate::harness::keys::Keys as _;
use crate::harness::raw::request_id;

/// The token of a quote, and the sale that brings it.
async fn quoted(client: &Client, mut sale: wire::Sale) -> wire::Sale {
    let request = wire::QuoteSaleRequest {
        sale: Some(sale.clone()),
        ..wire::QuoteSaleRequest::default()
    };
    let quote = client.raw_ledger().quote_sale(request).await.expect("a quote");
    sale.quote_token = quote.into_inner().quote_token;
    sale
}

impl Scene {
    /// Records what was quoted, but for what `spoil` changes.
    pub(super) fn sells_quoted(&self, spoil: fn(&mut wire::Sale)) -> Provoked<'_> {
        Box::pin(async move {
            let mut sale = quoted(&self.shop.client, self.sale()).await;
            spoil(&mut sale);
            self.records(request_id(), sale).await
        })
    }

    /// A server whose quotes hold for no time.
    pub(super) fn sells_quoted_too_late(&self) -> Provoked<'_> {
        Box::pin(async {
            let hasty = self.shop.another_server(|options| ServeOptions {
                quote_lifetime: Duration::ZERO,
                ..options
            });
            let client = Client::connect(hasty.await).await.expect("a client");
            let sale = quoted(&client, self.sale()).await;
            self.records(request_id(), sale).await
        })
    }

    /// What another merchant was quoted.
    pub(super) fn sells_as_quoted_elsewhere(&self) -> Provoked<'_> {
        Box::pin(async { self.quoted_elsewhere().await.err() })
    }

    async fn quoted_elsewhere(&self) -> Result<(), Status> {
        let mut tenants = self.shop.tenants().await;
        tenants.create_merchant("elsewhere").await.expect("a merchant");
        let key = tenants.key("elsewhere", Role::Operator).await;
        let other = self.shop.client_with(&key).await;
        let program = NewProgram::new("Club", "EUR").program_id("club");
        other.create_program(&program).await.expect("a program");
        let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
        other.create_rule(&rule).await.expect("a rule");
        let member = NewMember::new("club").customer_id("ada");
        other.enroll_member(&member).await.expect("a member");
        let sale = quoted(&other, self.sale()).await;
        match self.records(request_id(), sale).await {
            Some(refused) => Err(refused),
            None => Ok(()),
        }
    }
}
