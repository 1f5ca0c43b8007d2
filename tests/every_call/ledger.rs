//! Scenarios of LedgerService.

use loyalty_sdk::FeedRequest;
use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::{customer, request_id};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("LedgerService/QuoteSale", |world| [wire::QuoteSaleRequest {
        sale: Some(world.sale()),
    }]),
    scenario!("LedgerService/RecordSale", |world| [wire::RecordSaleRequest {
        request_id: request_id(),
        sale: Some(world.sale()),
    }]),
    scenario!("LedgerService/QuoteReturn", |world| [wire::QuoteReturnRequest {
        sale_return: Some(world.sale_return()),
    }]),
    scenario!("LedgerService/ReturnSale", |world| [wire::ReturnSaleRequest {
        request_id: request_id(),
        sale_return: Some(world.sale_return()),
    }]),
    scenario!("LedgerService/CancelSale", |_world| [wire::CancelSaleRequest {
        request_id: request_id(),
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        sale_id: "alpha-first".to_owned(),
        ..wire::CancelSaleRequest::default()
    }]),
    scenario!("LedgerService/GetBalance", |_world| [wire::GetBalanceRequest {
        member: customer("alpha-ada"),
        ..wire::GetBalanceRequest::default()
    }]),
    scenario!("LedgerService/ListEntries", |world| [wire::ListEntriesRequest {
        member: Some(wire::MemberKey {
            key: Some(wire::member_key::Key::MemberId(world.member_id.clone())),
        }),
        ..wire::ListEntriesRequest::default()
    }]),
    scenario!("LedgerService/StreamEntries", |world| {
        // Entries are told when they have their place, which is soon.
        let mut feed = world.client.stream_entries(&FeedRequest::default().follow());
        feed.next().await.expect("a batch");
        [wire::StreamEntriesRequest::default()]
    }),
    scenario!("LedgerService/VerifyLedger", |_world| [
        wire::VerifyLedgerRequest::default()
    ]),
    scenario!("LedgerService/GetExpirySchedule", |_world| [
        wire::GetExpiryScheduleRequest {}
    ]),
    scenario!("LedgerService/SetExpirySchedule", |_world| [
        wire::SetExpiryScheduleRequest {
            request_id: request_id(),
            period_seconds: 86_400,
        }
    ]),
    scenario!("LedgerService/RunExpiry", |_world| [wire::RunExpiryRequest {}]),
    scenario!("LedgerService/GetOperation", |_world| [wire::GetOperationRequest {
        request_id: "alpha-request".to_owned(),
    }]),
];
