//! The client: one shared connection, and how every call goes over it.

mod credentials;
mod history;
mod ledger;
mod members;
mod products;
mod programs;
mod redemptions;
mod rewards;
mod rules;

use std::{fmt, time::Duration};

use loyalty_api::v1::{
    ledger_service_client::LedgerServiceClient, program_service_client::ProgramServiceClient,
    redemption_service_client::RedemptionServiceClient, rule_service_client::RuleServiceClient,
};
use tonic::{
    Request, Response, Status,
    metadata::AsciiMetadataValue,
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use crate::{
    error::{self, Error, FieldViolation},
    id::RequestId,
    retry::{self, RetryPolicy},
};

/// Time for an operation with all its retries, unless told otherwise: as long as a cashier waits.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// Time for making a connection: less than one attempt, so that an attempt sees why it failed.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A call that has been waiting this long asks whether the connection is still there …
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// … and takes it for lost after this much more silence.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

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

pub use credentials::Credentials;

/// A connection that brings the API key of its client with each call.
pub type Connection = InterceptedService<Channel, Credentials>;

/// A client of the loyalty-points service.
///
/// Clones are cheap and share one connection, which is made by the first call and made anew when it was lost. The
/// methods are grouped as in the contract: programs and members, rules, rewards and redemptions, the ledger.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
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
    /// [`Error::InvalidEndpoint`] when `endpoint` is not of the form `http://host:port`.
    pub async fn connect(endpoint: impl Into<String>) -> Result<Self, Error> {
        Self::builder(endpoint).connect().await
    }

    /// A client of the server at `endpoint`, with options.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            endpoint: endpoint.into(),
            deadline: DEFAULT_DEADLINE,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            retry: RetryPolicy::default(),
            api_key: None,
            actor: None,
        }
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

    /// The connection without the API key, for other clients of the same server (health, reflection).
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    async fn read<M, A, F>(&self, message: M, send: impl Fn(Request<M>) -> F) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        retry::run(&self.retry, self.deadline, message, send)
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
        retry::run(&self.retry, self.deadline, message(request_id.to_string()), send)
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

/// Options of a [`Client`].
///
/// ```no_run
/// use std::time::Duration;
/// use loyalty_sdk::{Client, RetryPolicy};
///
/// # async fn build() -> Result<Client, loyalty_sdk::Error> {
/// Client::builder("http://loyalty.shop.internal:50051")
///     .deadline(Duration::from_secs(4))
///     .retry(RetryPolicy::default().attempts(3).attempt_timeout(Duration::from_secs(2)))
///     .connect()
///     .await
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    deadline: Duration,
    connect_timeout: Duration,
    retry: RetryPolicy,
    api_key: Option<ApiKey>,
    actor: Option<String>,
}

impl ClientBuilder {
    /// The time that an operation with all its retries may take, at most a day; 10 s unless told.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The time for making a connection; 3 s unless told.
    pub fn connect_timeout(mut self, connect_timeout: Duration) -> Self {
        self.connect_timeout = connect_timeout;
        self
    }

    /// How often and how soon a call is tried again.
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// The API key that says who calls, such as `lk_1-3f9a6c01b2de_…`. Without one only a server in its development mode
    /// lets the client in.
    pub fn api_key(mut self, api_key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey(api_key.into()));
        self
    }

    /// Who acts through this client, such as the user of a back office: 1 to 64 printable ASCII characters. It shows in
    /// the history of what the client changes; a write with another name is refused ([`Error::InvalidFields`]). With a key
    /// only the roles back office and operator may say it ([`Error::RoleNotAllowed`]); unsaid, it is the key's name.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }

    /// The client. Does not wait for the server.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidEndpoint`] when the endpoint is not of the form `http://host:port`, [`Error::InvalidApiKey`] when
    /// the key has characters that no key has.
    // Nothing here waits, but the connection needs a runtime to live in, and `async` is how a signature says so.
    pub async fn connect(self) -> Result<Client, Error> {
        let endpoint = self.checked_endpoint().map_err(|message| Error::InvalidEndpoint {
            endpoint: self.endpoint.clone(),
            message,
        })?;
        let credentials = match &self.api_key {
            Some(ApiKey(key)) => Credentials::of_key(key).ok_or(Error::InvalidApiKey)?,
            None => Credentials::default(),
        };
        Ok(Client {
            channel: endpoint.connect_lazy(),
            credentials,
            deadline: self.deadline,
            retry: self.retry,
            request_id: None,
            actor: self.actor,
        })
    }

    fn checked_endpoint(&self) -> Result<Endpoint, String> {
        let endpoint = Endpoint::from_shared(self.endpoint.clone()).map_err(|error| error.to_string())?;
        if endpoint.uri().scheme_str() != Some("http") {
            return Err("it must start with http://".to_owned());
        }
        let endpoint = endpoint
            .user_agent(concat!("loyalty-sdk/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| error.to_string())?;
        Ok(endpoint
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT))
    }
}

/// Shows in no log.
#[derive(Clone)]
struct ApiKey(String);

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests;
