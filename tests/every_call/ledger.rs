//! Scenarios of LedgerService.

use loyalty_sdk::FeedRequest;
use loyalty_sdk::api as wire;

use super::{Scenario, scenario};
use crate::harness::raw::{customer, number, request_id};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario!("LedgerService/QuoteSale", |world| [wire::QuoteSaleRequest {
        sale: Some(world.sale()),
        ..wire::QuoteSaleRequest::default()
    }]),
    scenario!("LedgerService/RecordSale", |world| [wire::RecordSaleRequest {
        request_id: request_id(),
        sale: Some(world.sale()),
        ..wire::RecordSaleRequest::default()
    }]),
    scenario!("LedgerService/QuoteReturn", |world| [wire::QuoteReturnRequest {
        sale_return: Some(world.sale_return()),
        ..wire::QuoteReturnRequest::default()
    }]),
    scenario!("LedgerService/ReturnSale", |world| [wire::ReturnSaleRequest {
        request_id: request_id(),
        sale_return: Some(world.sale_return()),
        ..wire::ReturnSaleRequest::default()
    }]),
    scenario!("LedgerService/CancelSale", |_world| [wire::CancelSaleRequest {
        request_id: request_id(),
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        sale_id: "alpha-first".to_owned(),
        ..wire::CancelSaleRequest::default()
    }]),
    scenario!("LedgerService/AdjustPoints", |_world| [wire::AdjustPointsRequest {
        request_id: request_id(),
        member: customer("alpha-ada"),
        reason_id: "gift".to_owned(),
        points: number("5"),
        store_id: "store-1".to_owned(),
        terminal_id: "till-1".to_owned(),
        ..wire::AdjustPointsRequest::default()
    }]),
    scenario!("LedgerService/CreateReason", |_world| [wire::CreateReasonRequest {
        request_id: request_id(),
        reason: Some(wire::Reason {
            reason_id: "mistake".to_owned(),
            name: "mistake".to_owned(),
            direction: wire::ReasonDirection::Removes.into(),
            ..wire::Reason::default()
        }),
    }]),
    scenario!("LedgerService/ListReasons", |_world| [
        wire::ListReasonsRequest::default()
    ]),
    scenario!("LedgerService/UpdateReason", |world| [wire::UpdateReasonRequest {
        request_id: request_id(),
        reason: Some(wire::Reason {
            reason_id: "gift".to_owned(),
            etag: world.reason_etag().await,
            name: "present".to_owned(),
            ..wire::Reason::default()
        }),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["name".to_owned()],
        }),
    }]),
    scenario!("LedgerService/SyncSales", |world| [
        wire::SyncSalesRequest {
            position: 1,
            operation: Some(wire::sync_sales_request::Operation::RecordSale(
                wire::RecordSaleRequest {
                    request_id: request_id(),
                    sale: Some(world.sale()),
                    ..wire::RecordSaleRequest::default()
                }
            )),
        },
        wire::SyncSalesRequest {
            position: 2,
            operation: Some(wire::sync_sales_request::Operation::ReturnSale(
                wire::ReturnSaleRequest {
                    request_id: request_id(),
                    sale_return: Some(world.sale_return()),
                    ..wire::ReturnSaleRequest::default()
                }
            )),
        },
    ]),
    scenario!("LedgerService/GetOfflinePolicy", |_world| [
        wire::GetOfflinePolicyRequest {}
    ]),
    scenario!("LedgerService/SetOfflinePolicy", |world| [
        wire::SetOfflinePolicyRequest {
            request_id: request_id(),
            policy: Some(wire::OfflinePolicy {
                etag: world.offline_etag().await,
                ..wire::OfflinePolicy::default()
            }),
        }
    ]),
    scenario!("LedgerService/GetReceiptTemplates", |_world| [
        wire::GetReceiptTemplatesRequest {}
    ]),
    scenario!("LedgerService/SetReceiptTemplates", |world| [
        wire::SetReceiptTemplatesRequest {
            request_id: request_id(),
            templates: Some(wire::ReceiptTemplates {
                line_width: 32,
                etag: world.templates_etag().await,
                ..wire::ReceiptTemplates::default()
            }),
        }
    ]),
    scenario!("LedgerService/GetBalance", |_world| [wire::GetBalanceRequest {
        member: customer("alpha-ada"),
        ..wire::GetBalanceRequest::default()
    }]),
    scenario!("LedgerService/GetSale", |_world| [wire::GetSaleRequest {
        store_id: "store-1".to_owned(),
        sale_id: "alpha-sale".to_owned(),
    }]),
    scenario!("LedgerService/ListSales", |_world| [wire::ListSalesRequest::default()]),
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
    scenario!("LedgerService/ReportMembers", |_world| [wire::ReportMembersRequest {
        program_id: "club".to_owned(),
        ..wire::ReportMembersRequest::default()
    }]),
    scenario!("LedgerService/GetRollForward", |_world| [wire::GetRollForwardRequest {
        program_id: "club".to_owned(),
        ..wire::GetRollForwardRequest::default()
    }]),
    scenario!("LedgerService/GetLiability", |_world| [wire::GetLiabilityRequest {
        program_id: "club".to_owned(),
        ..wire::GetLiabilityRequest::default()
    }]),
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
