//! SyncSales: the queue of a terminal that was without a line.

use std::collections::VecDeque;
use std::sync::Arc;

use loyalty_api::v1 as wire;
use loyalty_api::v1::sync_sales_request::Operation;
use loyalty_api::v1::sync_sales_response::Answer;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::auth::{caller, carried_on};
use super::fields::Fields;
use super::receipt_calls::Asked;
use super::streaming::{Outlet, Told};
use super::{
    Context, convert, hold_calls, member_calls, member_lookup, receipt_calls, return_calls, sale_calls, status,
};
use crate::domain::outcome::SaleOutcome;
use crate::domain::receipt_text::Printed;
use crate::domain::sale::MemberKey;
use crate::posting::{Submitted, Way};
use crate::storage::{hold, sale};

/// Operations of a stream that are under way at once: an eighth of a batch, so that a single queue is posted in few
/// transactions and does not fill the writer's queue.
const MOST_UNDER_WAY: usize = 64;

/// A sale under way.
struct UnderWay {
    position: u64,
    subject: Subject,
    asked: Asked,
    submitted: Submitted,
}

/// Whose balance a refusal tells.
enum Subject {
    Nobody,
    Member(String, Option<wire::MemberKey>),
    Sale(String, String),
    Hold(String),
}

/// Starts to take the queue.
pub(super) fn sync(
    context: &Arc<Context>,
    metadata: MetadataMap,
    operations: Streaming<wire::SyncSalesRequest>,
) -> Result<Told<wire::SyncSalesResponse>, Status> {
    let way = context.posting.new_way();
    let shared = Arc::clone(context);
    context.streams.start(|outlet| {
        let queue = Queue {
            context: shared,
            metadata,
            way,
            outlet,
            under_way: VecDeque::new(),
        };
        carried_on(queue.take(operations))
    })
}

/// A queue that is being taken.
struct Queue {
    context: Arc<Context>,
    metadata: MetadataMap,
    way: Way,
    outlet: Outlet<wire::SyncSalesResponse>,
    under_way: VecDeque<UnderWay>,
}

impl Queue {
    /// Sales go one behind the other without waiting for answers; what may depend on the rows of those before it waits
    /// until they are there.
    async fn take(mut self, mut operations: Streaming<wire::SyncSalesRequest>) -> Result<(), Status> {
        loop {
            let has_room = self.under_way.len() < MOST_UNDER_WAY;
            let next = tokio::select! {
                biased;
                over = self.outlet.until_over() => return Err(over),
                decision = first(&mut self.under_way), if !self.under_way.is_empty() => {
                    self.tell_first(decision).await?;
                    continue;
                }
                next = operations.message(), if has_room => next,
            };
            match next {
                Ok(Some(request)) => self.begin(request).await?,
                Ok(None) => return self.settle().await,
                Err(status) => {
                    // What was taken before the line broke is answered, if anybody still listens.
                    self.settle().await?;
                    return Err(status);
                }
            }
        }
    }

    async fn begin(&mut self, request: wire::SyncSalesRequest) -> Result<(), Status> {
        let position = request.position;
        let operation = match request.operation {
            Some(Operation::RecordSale(sale)) => return self.begin_sale(position, sale).await,
            other => other,
        };
        self.settle().await?;
        let (context, metadata) = (&self.context, &self.metadata);
        let (answer, subject) = match operation {
            Some(Operation::ReturnSale(request)) => {
                let subject = request.sale_return.as_ref().map_or(Subject::Nobody, |given| {
                    Subject::sold(&given.sale_store_id, &given.store_id, &given.sale_id)
                });
                let answer = return_calls::record(context, metadata, request).await;
                (
                    answer.map(|answer| (answer.replayed, Answer::ReturnSale(answer))),
                    subject,
                )
            }
            Some(Operation::CancelSale(request)) => {
                let subject = Subject::sold(&request.sale_store_id, &request.store_id, &request.sale_id);
                let answer = return_calls::cancel(context, metadata, request).await;
                (
                    answer.map(|answer| (answer.replayed, Answer::CancelSale(answer))),
                    subject,
                )
            }
            Some(Operation::CaptureHold(request)) => {
                let subject = Subject::Hold(request.hold_id.clone());
                let answer = hold_calls::capture(context, metadata, request).await;
                (
                    answer.map(|answer| (answer.replayed, Answer::CaptureHold(answer))),
                    subject,
                )
            }
            Some(Operation::ReleaseHold(request)) => {
                let subject = Subject::Hold(request.hold_id.clone());
                let answer = hold_calls::release(context, metadata, request).await;
                (
                    answer.map(|answer| (answer.replayed, Answer::ReleaseHold(answer))),
                    subject,
                )
            }
            Some(Operation::EnrollMember(request)) => {
                let answer = member_calls::enrol(context, request).await;
                let answer = answer.map(|(member, replayed)| {
                    let member = Some(member);
                    (replayed, Answer::EnrollMember(wire::EnrollMemberResponse { member }))
                });
                (answer, Subject::Nobody)
            }
            Some(Operation::RecordSale(_)) | None => {
                let mut fields = Fields::default();
                fields.wrong("operation", "is missing");
                (
                    fields.finish((false, Answer::Refusal(wire::Refusal::default()))),
                    Subject::Nobody,
                )
            }
        };
        self.tell(position, answer, subject).await
    }

    /// Has a sale recorded behind those that are under way.
    async fn begin_sale(&mut self, position: u64, request: wire::RecordSaleRequest) -> Result<(), Status> {
        let subject = Subject::of_sale(&request);
        let (command, asked) = match sale_calls::command(&self.context, request) {
            Ok(command) => command,
            Err(status) => {
                self.settle().await?;
                return self.tell(position, Err(status), subject).await;
            }
        };
        match self.context.posting.submit_behind(&self.way, command) {
            Ok(submitted) => {
                self.under_way.push_back(UnderWay {
                    position,
                    subject,
                    asked,
                    submitted,
                });
                Ok(())
            }
            Err(error) => {
                self.settle().await?;
                Err(status::posting(&error))
            }
        }
    }

    /// Waits until everything under way is answered.
    async fn settle(&mut self) -> Result<(), Status> {
        while !self.under_way.is_empty() {
            let decision = first(&mut self.under_way).await;
            self.tell_first(decision).await?;
        }
        Ok(())
    }

    async fn tell_first(&mut self, decided: Result<(Arc<SaleOutcome>, bool), Status>) -> Result<(), Status> {
        let Some(under_way) = self.under_way.pop_front() else {
            return Ok(());
        };
        let UnderWay {
            position,
            subject,
            asked,
            ..
        } = under_way;
        let answer = match decided {
            Ok((outcome, replayed)) => {
                let receipt = receipt_calls::receipt(&self.context, asked, Printed::Sale(&outcome)).await?;
                let answer = sale_calls::answer(outcome, replayed, receipt);
                Ok((replayed, Answer::RecordSale(answer)))
            }
            Err(status) => Err(status),
        };
        self.tell(position, answer, subject).await
    }

    async fn tell(
        &mut self,
        position: u64,
        answer: Result<(bool, Answer), Status>,
        subject: Subject,
    ) -> Result<(), Status> {
        let (status, answer, balance) = match answer {
            Ok((true, answer)) => (wire::SyncStatus::Duplicate, answer, None),
            Ok((false, answer)) => (wire::SyncStatus::Applied, answer, None),
            Err(status) => {
                let refusal = refusal(status)?;
                let balance = subject.balance(&self.context).await?;
                (wire::SyncStatus::Refused, Answer::Refusal(refusal), balance)
            }
        };
        let response = wire::SyncSalesResponse {
            position,
            status: status.into(),
            answer: Some(answer),
            balance,
        };
        self.outlet.send(response).await
    }
}

/// The answer to the first that is under way.
async fn first(under_way: &mut VecDeque<UnderWay>) -> Result<(Arc<SaleOutcome>, bool), Status> {
    match under_way.front_mut() {
        Some(first) => sale_calls::decided(first.submitted.decision().await),
        None => std::future::pending().await,
    }
}

/// The refusal of an operation; an error where it says nothing about the operation, so that the queue cannot go on.
pub(super) fn refusal(status: Status) -> Result<wire::Refusal, Status> {
    let details = status.get_error_details();
    let is_failure = matches!(
        status.code(),
        Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Internal | Code::Unknown
    );
    let Some(info) = details.error_info().filter(|_| !is_failure) else {
        return Err(status);
    };
    let mut metadata = info.metadata.clone();
    for violation in details.bad_request().into_iter().flat_map(|bad| &bad.field_violations) {
        let described = metadata.entry(violation.field.clone());
        described.or_insert_with(|| violation.description.clone());
    }
    Ok(wire::Refusal {
        reason: info.reason.clone(),
        message: status.message().to_owned(),
        metadata,
    })
}

impl Subject {
    fn of_sale(request: &wire::RecordSaleRequest) -> Self {
        let sale = request.sale.as_ref();
        sale.map_or(Self::Nobody, |sale| {
            Self::Member(sale.program_id.clone(), sale.member.clone())
        })
    }

    fn sold(sale_store_id: &str, store_id: &str, sale_id: &str) -> Self {
        let store_id = if sale_store_id.is_empty() {
            store_id
        } else {
            sale_store_id
        };
        Self::Sale(store_id.to_owned(), sale_id.to_owned())
    }

    /// What the member has now; `None` when there is no such member.
    async fn balance(self, context: &Context) -> Result<Option<wire::Balance>, Status> {
        let caller = caller(context);
        let member_id = match self {
            Self::Nobody => None,
            Self::Member(program_id, member) => named(context, &program_id, member).await?,
            Self::Sale(store_id, sale_id) => {
                let key = (caller.merchant_id, store_id, sale_id);
                let found = context.database.run(move |connection| {
                    Box::pin(async move { sale::records(connection, std::iter::once(key)).await })
                });
                let found = found.await.map_err(|error| status::storage(&error))?.pop();
                found.map(|(_, record)| record.member_id)
            }
            Self::Hold(hold_id) => {
                let (merchant_id, hold_id) = (caller.merchant_id, Uuid::parse_str(&hold_id).unwrap_or_default());
                let found = context.database.run(move |connection| {
                    Box::pin(async move { hold::find(connection, merchant_id, &[hold_id]).await })
                });
                let found = found.await.map_err(|error| status::storage(&error))?.pop();
                found.map(|hold| hold.terms.member_id)
            }
        };
        let Some(member_id) = member_id else {
            return Ok(None);
        };
        let found = member_calls::find(context, caller, member_id).await?;
        Ok(found.map(|(_, balance)| balance))
    }
}

/// The member that a refused sale names, if it names one.
async fn named(context: &Context, program_id: &str, member: Option<wire::MemberKey>) -> Result<Option<Uuid>, Status> {
    let mut fields = Fields::default();
    let key: MemberKey = convert::member::member_key(&mut fields, "sale.member", member);
    if fields.has_violations() {
        return Ok(None);
    }
    match member_lookup::find(context, caller(context), program_id, &key).await {
        Ok(member_id) => Ok(member_id),
        // Several programs have it.
        Err(status) if status.code() == Code::FailedPrecondition => Ok(None),
        Err(status) => Err(status),
    }
}
