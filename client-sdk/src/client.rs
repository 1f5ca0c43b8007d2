//! The client: one shared connection, and how every call goes over it.

mod adjustments;
mod builder;
mod credentials;
mod expiry;
mod expiry_changes;
mod feed;
mod history;
mod imports;
mod ledger;
mod lines;
mod member_changes;
mod members;
mod offline;
#[cfg(feature = "presets")]
mod presets;
mod products;
mod programs;
mod receipts;
mod redemptions;
mod reports;
mod resuming;
mod returns;
mod rewards;
mod rules;
mod sales;
mod sync;
mod verification;

use std::{sync::Arc, time::Duration};

use loyalty_api::v1::{
    ledger_service_client::LedgerServiceClient, program_service_client::ProgramServiceClient,
    redemption_service_client::RedemptionServiceClient, rule_service_client::RuleServiceClient,
};
use tonic::{
    Request, Response, Status, metadata::AsciiMetadataValue, service::interceptor::InterceptedService,
    transport::Channel,
};

use crate::{
    error::{self, Error, FieldViolation},
    id::RequestId,
    retry::{self, RetryPolicy},
};

/// Header with which a write says who acts.
const ACTOR_HEADER: &str = "loyalty-actor";

/// One attempt of a call over a generated client. A closure whose future owns that client: of a borrowed one the compiler
/// cannot tell that it may move between threads.
macro_rules! attempt {
    ($client:expr, $call:ident) => {
        |request| {
            let mut client = $client;
            async move { client.$call(request).await }
        }
    };
}
use attempt;

pub use builder::ClientBuilder;
pub use credentials::Credentials;
pub(crate) use lines::Lines;

/// A connection that brings the API key of its client with each call.
pub type Connection = InterceptedService<Channel, Credentials>;
pub use feed::EntryFeed;
pub use reports::MemberReports;
pub use verification::Verification;

/// A client of the loyalty-points service.
///
/// Clones are cheap and share one connection, which is made by the first call and made anew when it was lost. With
/// [fallbacks](ClientBuilder::fallback) it is one to each server, of which calls use the first that is there. The methods are grouped as in the contract: programs and members, rules, rewards and redemptions, the ledger.
#[derive(Clone, Debug)]
pub struct Client {
    lines: Arc<Lines>,
    credentials: Credentials,
    deadline: Duration,
    retry: RetryPolicy,
    request_id: Option<RequestId>,
    actor: Option<String>,
}

impl Client {
    /// A client of the server at `endpoint`, such as `http://127.0.0.1:50051`, with the default options.
    ///
    /// Does not wait for the server: a server that is not there yet is met by the first call, which tries again.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEndpoint`] when `endpoint` is not of the form `https://host:port` or `http://host:port`.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, Error> {
        Self::builder(endpoint).connect().await
    }

    /// A client of the server at `endpoint`, with options.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// This client acting for somebody else: see [`ClientBuilder::actor`].
    #[must_use]
    pub fn with_actor(&self, actor: impl Into<String>) -> Self {
        Self {
            actor: Some(actor.into()),
            ..self.clone()
        }
    }

    /// This client with `request_id` for its next write, in place of one made for each write.
    ///
    /// Meant for one write: keep the id with the sale, and after a crash send both again, or ask
    /// [`get_operation`](Self::get_operation). Two different writes with one id end in [`Error::RequestIdReused`].
    ///
    /// ```no_run
    /// # async fn repeat(client: loyalty_sdk::Client, sale: loyalty_sdk::Sale) -> Result<(), loyalty_sdk::Error> {
    /// let request_id = loyalty_sdk::RequestId::generate();
    /// // … write it to the till's disk together with the sale, then:
    /// let receipt = client.with_request_id(&request_id).record_sale(&sale).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_request_id(&self, request_id: impl Into<RequestId>) -> Self {
        Self {
            request_id: Some(request_id.into()),
            ..self.clone()
        }
    }

    /// This client with another deadline: the time that an operation with all its retries may take.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// The generated client of programs and members, on the same connection: no deadline, no retries, no types.
    pub fn raw_programs(&self) -> ProgramServiceClient<Connection> {
        ProgramServiceClient::new(self.connection())
    }

    /// The generated client of rules, on the same connection: no deadline, no retries, no types.
    pub fn raw_rules(&self) -> RuleServiceClient<Connection> {
        RuleServiceClient::new(self.connection())
    }

    /// The generated client of the ledger, on the same connection: no deadline, no retries, no types.
    pub fn raw_ledger(&self) -> LedgerServiceClient<Connection> {
        LedgerServiceClient::new(self.connection())
    }

    /// The generated client of rewards and redemptions, on the same connection: no deadline, no retries, no types.
    pub fn raw_redemptions(&self) -> RedemptionServiceClient<Connection> {
        RedemptionServiceClient::new(self.connection())
    }

    fn connection(&self) -> Connection {
        InterceptedService::new(self.channel(), self.credentials.clone())
    }

    /// The connection without the API key, for other clients of the same server (health, reflection). It stays with the
    /// server that calls go to now.
    pub fn channel(&self) -> Channel {
        self.lines.channel(self.lines.current())
    }

    /// The server that calls go to now: the first of those that the client was given which is not away.
    pub fn endpoint(&self) -> &str {
        self.lines.endpoint(self.lines.current())
    }

    async fn read<M, A, F>(&self, message: M, send: impl Fn(Request<M>) -> F) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        retry::run(&self.lines, &self.retry, self.deadline, message, send)
            .await
            .map_err(|gave_up| error::from_status(&gave_up.status, gave_up.attempts, None))
    }

    /// Sends the message that `message` makes of the request id, the same one in every attempt.
    async fn write<M, A, F>(
        &self,
        message: impl FnOnce(String) -> M,
        send: impl Fn(Request<M>) -> F,
    ) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let request_id = self.request_id.clone().unwrap_or_else(RequestId::generate);
        let actor = self.actor_header()?;
        let send = |mut request: Request<M>| {
            if let Some(actor) = &actor {
                request.metadata_mut().insert(ACTOR_HEADER, actor.clone());
            }
            send(request)
        };
        retry::run(
            &self.lines,
            &self.retry,
            self.deadline,
            message(request_id.to_string()),
            send,
        )
        .await
        .map_err(|gave_up| error::from_status(&gave_up.status, gave_up.attempts, Some(request_id)))
    }

    /// The name of who acts as a header; a name that no header can hold is refused as the server would.
    fn actor_header(&self) -> Result<Option<AsciiMetadataValue>, Error> {
        let header = self.actor.as_deref().map(AsciiMetadataValue::try_from).transpose();
        header.map_err(|_| {
            Error::InvalidFields(vec![FieldViolation {
                field: ACTOR_HEADER.to_owned(),
                description: "must be 1 to 64 printable ASCII characters".to_owned(),
            }])
        })
    }
}

#[cfg(test)]
mod tests;
