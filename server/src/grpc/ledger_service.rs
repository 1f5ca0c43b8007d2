//! LedgerService.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use loyalty_api::v1::get_operation_response::Result as Operation;
use loyalty_api::v1::ledger_service_server::LedgerService;
use tonic::{Request, Response, Status, Streaming};

use super::auth::caller;
use super::fields::Fields;
use super::streaming::Told;
use super::{
    Context, adjustment_calls, balance_calls, convert, deadline, entry_calls, expiry_calls, feed_calls, offline_calls,
    receipt_calls, recorded_sale_calls, report_calls, return_calls, sale_calls, status, sync_calls, verify_calls,
};
use crate::domain::answer::{Refusal, StoredAnswer};
use crate::domain::redeeming::RecordedRedemption;
use crate::storage::error::StorageError;
use crate::storage::request::RequestResult;
use crate::storage::{connection, request, sale};

/// The books.
pub(crate) struct Ledger(pub(super) Arc<Context>);

#[tonic::async_trait]
impl LedgerService for Ledger {
    async fn quote_sale(
        &self,
        request: Request<wire::QuoteSaleRequest>,
    ) -> Result<Response<wire::QuoteSaleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, sale_calls::quote(&self.0, request)).await
    }

    async fn record_sale(
        &self,
        request: Request<wire::RecordSaleRequest>,
    ) -> Result<Response<wire::RecordSaleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, sale_calls::record(&self.0, request)).await
    }

    async fn quote_return(
        &self,
        request: Request<wire::QuoteReturnRequest>,
    ) -> Result<Response<wire::QuoteReturnResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, return_calls::quote(&self.0, request)).await
    }

    async fn return_sale(
        &self,
        request: Request<wire::ReturnSaleRequest>,
    ) -> Result<Response<wire::ReturnSaleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, return_calls::record(&self.0, &metadata, request)).await
    }

    async fn cancel_sale(
        &self,
        request: Request<wire::CancelSaleRequest>,
    ) -> Result<Response<wire::CancelSaleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, return_calls::cancel(&self.0, &metadata, request)).await
    }

    type SyncSalesStream = Told<wire::SyncSalesResponse>;

    async fn sync_sales(
        &self,
        request: Request<Streaming<wire::SyncSalesRequest>>,
    ) -> Result<Response<Self::SyncSalesStream>, Status> {
        let (metadata, _, operations) = request.into_parts();
        sync_calls::sync(&self.0, metadata, operations).map(Response::new)
    }

    async fn get_offline_policy(
        &self,
        request: Request<wire::GetOfflinePolicyRequest>,
    ) -> Result<Response<wire::GetOfflinePolicyResponse>, Status> {
        let (metadata, _, _) = request.into_parts();
        deadline::bounded(&metadata, offline_calls::policy(&self.0)).await
    }

    async fn set_offline_policy(
        &self,
        request: Request<wire::SetOfflinePolicyRequest>,
    ) -> Result<Response<wire::SetOfflinePolicyResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, offline_calls::set_policy(&self.0, &metadata, request)).await
    }

    async fn get_receipt_templates(
        &self,
        request: Request<wire::GetReceiptTemplatesRequest>,
    ) -> Result<Response<wire::GetReceiptTemplatesResponse>, Status> {
        let (metadata, _, _) = request.into_parts();
        deadline::bounded(&metadata, receipt_calls::templates(&self.0)).await
    }

    async fn set_receipt_templates(
        &self,
        request: Request<wire::SetReceiptTemplatesRequest>,
    ) -> Result<Response<wire::SetReceiptTemplatesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, receipt_calls::set_templates(&self.0, &metadata, request)).await
    }

    async fn adjust_points(
        &self,
        request: Request<wire::AdjustPointsRequest>,
    ) -> Result<Response<wire::AdjustPointsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, adjustment_calls::adjust(&self.0, &metadata, request)).await
    }

    async fn create_reason(
        &self,
        request: Request<wire::CreateReasonRequest>,
    ) -> Result<Response<wire::CreateReasonResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, adjustment_calls::create_reason(&self.0, &metadata, request)).await
    }

    async fn list_reasons(
        &self,
        request: Request<wire::ListReasonsRequest>,
    ) -> Result<Response<wire::ListReasonsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, adjustment_calls::list_reasons(&self.0, request)).await
    }

    async fn update_reason(
        &self,
        request: Request<wire::UpdateReasonRequest>,
    ) -> Result<Response<wire::UpdateReasonResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, adjustment_calls::update_reason(&self.0, &metadata, request)).await
    }

    async fn get_balance(
        &self,
        request: Request<wire::GetBalanceRequest>,
    ) -> Result<Response<wire::GetBalanceResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, balance_calls::get(&self.0, request)).await
    }

    async fn get_sale(
        &self,
        request: Request<wire::GetSaleRequest>,
    ) -> Result<Response<wire::GetSaleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, recorded_sale_calls::get(&self.0, request)).await
    }

    async fn list_sales(
        &self,
        request: Request<wire::ListSalesRequest>,
    ) -> Result<Response<wire::ListSalesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, recorded_sale_calls::list(&self.0, request)).await
    }

    async fn list_entries(
        &self,
        request: Request<wire::ListEntriesRequest>,
    ) -> Result<Response<wire::ListEntriesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, entry_calls::list(&self.0, request)).await
    }

    type StreamEntriesStream = Told<wire::StreamEntriesResponse>;

    async fn stream_entries(
        &self,
        request: Request<wire::StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, feed_calls::stream_entries(&self.0, request)).await
    }

    type ReportMembersStream = Told<wire::ReportMembersResponse>;

    async fn report_members(
        &self,
        request: Request<wire::ReportMembersRequest>,
    ) -> Result<Response<Self::ReportMembersStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, report_calls::members(&self.0, request)).await
    }

    type GetRollForwardStream = Told<wire::GetRollForwardResponse>;

    async fn get_roll_forward(
        &self,
        request: Request<wire::GetRollForwardRequest>,
    ) -> Result<Response<Self::GetRollForwardStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, report_calls::roll_forward(&self.0, request)).await
    }

    type GetLiabilityStream = Told<wire::GetLiabilityResponse>;

    async fn get_liability(
        &self,
        request: Request<wire::GetLiabilityRequest>,
    ) -> Result<Response<Self::GetLiabilityStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, report_calls::liability(&self.0, request)).await
    }

    type VerifyLedgerStream = Told<wire::VerifyLedgerResponse>;

    async fn verify_ledger(
        &self,
        request: Request<wire::VerifyLedgerRequest>,
    ) -> Result<Response<Self::VerifyLedgerStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, verify_calls::verify_ledger(&self.0, request)).await
    }

    async fn get_expiry_schedule(
        &self,
        request: Request<wire::GetExpiryScheduleRequest>,
    ) -> Result<Response<wire::GetExpiryScheduleResponse>, Status> {
        let (metadata, _, _) = request.into_parts();
        deadline::bounded(&metadata, expiry_calls::schedule(&self.0)).await
    }

    async fn set_expiry_schedule(
        &self,
        request: Request<wire::SetExpiryScheduleRequest>,
    ) -> Result<Response<wire::SetExpiryScheduleResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, expiry_calls::set_schedule(&self.0, &metadata, request)).await
    }

    type RunExpiryStream = Told<wire::RunExpiryResponse>;

    async fn run_expiry(&self, _: Request<wire::RunExpiryRequest>) -> Result<Response<Self::RunExpiryStream>, Status> {
        expiry_calls::run(&self.0).map(Response::new)
    }

    async fn get_operation(
        &self,
        request: Request<wire::GetOperationRequest>,
    ) -> Result<Response<wire::GetOperationResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        deadline::bounded(&metadata, async {
            let mut fields = Fields::default();
            let request_id = fields.request_id(request.request_id);
            fields.finish(())?;

            let key = (caller(&self.0).merchant_id, request_id.clone());
            let found = self
                .0
                .database
                .run(move |connection| Box::pin(operation(connection, key)));
            let found = found.await.map_err(|error| status::storage(&error))?;
            let (recorded_at, result) = found.ok_or_else(|| status::operation_not_found(&request_id))?;
            let recorded_at = Some(convert::timestamp(recorded_at));
            Ok(wire::GetOperationResponse {
                recorded_at,
                result: Some(result),
            })
        })
        .await
    }
}

async fn operation(
    connection: &mut connection::Connection,
    key: request::RequestKey,
) -> Result<Option<(DateTime<Utc>, Operation)>, StorageError> {
    let merchant_id = key.0;
    let Some((_, record)) = request::find(connection, std::iter::once(key)).await?.pop() else {
        return Ok(None);
    };
    let result = match record.result {
        RequestResult::Sale { store_id, sale_id } => {
            let found = sale::find(connection, std::iter::once((merchant_id, store_id, sale_id)))
                .await?
                .pop();
            let (_, recorded) = found.ok_or_else(|| StorageError::Corrupt("a request without its sale".to_owned()))?;
            Operation::Sale(convert::outcome::sale_outcome(Arc::unwrap_or_clone(recorded.outcome)))
        }
        RequestResult::Answer(StoredAnswer::Return(outcome)) => {
            Operation::SaleReturn(convert::sale_return::return_outcome(*outcome))
        }
        RequestResult::Answer(StoredAnswer::Member(member)) => Operation::Member(convert::member::member(*member)),
        RequestResult::Answer(StoredAnswer::Program(record)) => Operation::ProgramId(record.program_id),
        RequestResult::Answer(StoredAnswer::Rule(record)) => Operation::RuleId(record.rule_id),
        RequestResult::Answer(StoredAnswer::Redemption(outcome)) => {
            let made = RecordedRedemption::new(outcome.redemption);
            Operation::Redemption(convert::redemption::redemption(made))
        }
        RequestResult::Answer(StoredAnswer::Reversal(outcome)) => {
            Operation::RedemptionReversal(convert::redemption::reversal(*outcome).0)
        }
        RequestResult::Answer(StoredAnswer::Hold(outcome)) => {
            Operation::Hold(convert::redemption::hold_of_outcome(&outcome))
        }
        RequestResult::Answer(StoredAnswer::Reward(record)) => Operation::RewardId(record.reward_id),
        RequestResult::Answer(StoredAnswer::ExpirySchedule(schedule)) => {
            Operation::ExpirySchedule(convert::expiry::schedule(*schedule))
        }
        RequestResult::Answer(StoredAnswer::OfflinePolicy(policy)) => {
            Operation::OfflinePolicy(convert::offline::policy(policy))
        }
        RequestResult::Answer(StoredAnswer::ReceiptTemplates(record)) => {
            Operation::ReceiptTemplates(convert::receipt::templates(*record))
        }
        RequestResult::Answer(StoredAnswer::Products(load)) => {
            Operation::ProductLoad(convert::product::product_load(load))
        }
        RequestResult::Answer(StoredAnswer::Adjustment(outcome)) => {
            Operation::Adjustment(convert::adjustment::outcome(*outcome))
        }
        RequestResult::Answer(StoredAnswer::Reason(record)) => Operation::ReasonId(record.reason_id),
        RequestResult::Answer(StoredAnswer::Refusal(refusal)) => Operation::Refusal(refusal_to_wire(refusal)),
    };
    Ok(Some((record.recorded_at, result)))
}

fn refusal_to_wire(refusal: Refusal) -> wire::Refusal {
    wire::Refusal {
        reason: refusal.reason,
        message: refusal.message,
        metadata: refusal.metadata.into_iter().collect(),
    }
}
