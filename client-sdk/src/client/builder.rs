//! Options of a client.

use std::{fmt, net::IpAddr, time::Duration};

use tonic::{
    codegen::http::Uri,
    transport::{Certificate, ClientTlsConfig, Endpoint, Identity},
};

use super::{Client, Credentials, Lines};
use crate::{error::Error, retry::RetryPolicy};

/// Time for an operation with all its retries, unless told otherwise: as long as a cashier waits.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
/// Time for making a connection: less than one attempt, so that an attempt sees why it failed.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection on which calls wait is asked this often whether it is still there …
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// … and taken for lost after this much silence.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// Options of a [`Client`].
///
/// ```no_run
/// use std::time::Duration;
/// use loyalty_sdk::{Client, RetryPolicy};
///
/// # async fn build() -> Result<Client, loyalty_sdk::Error> {
/// Client::builder("https://loyalty.shop.example:50051")
///     .api_key(std::env::var("LOYALTY_API_KEY").unwrap_or_default())
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
    fallbacks: Vec<String>,
    deadline: Duration,
    connect_timeout: Duration,
    keep_alive: (Duration, Duration),
    retry: RetryPolicy,
    api_key: Option<Hidden<String>>,
    allow_plaintext_key: bool,
    authorities: Vec<Certificate>,
    identity: Option<Hidden<Identity>>,
    server_name: Option<String>,
    actor: Option<String>,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            fallbacks: Vec::new(),
            deadline: DEFAULT_DEADLINE,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            keep_alive: (KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT),
            retry: RetryPolicy::default(),
            api_key: None,
            allow_plaintext_key: false,
            authorities: Vec::new(),
            identity: None,
            server_name: None,
            actor: None,
        }
    }

    /// Another server of the same merchant's, on the same database, to call while those given before it are away. Said
    /// several times, each of them in this order.
    ///
    /// A server is away when it cannot be reached, answers UNAVAILABLE, or does not answer within the
    /// [time of an attempt](RetryPolicy::attempt_timeout); the call goes on at the next one at once, with the same request
    /// id, inside the same deadline. From then on the client asks the one that is away now and then whether it serves, and
    /// calls go there again when it does.
    pub fn fallback(mut self, endpoint: impl Into<String>) -> Self {
        self.fallbacks.push(endpoint.into());
        self
    }

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

    /// How often a connection on which calls wait is asked whether it is still there, and after how much silence it is taken
    /// for lost and made anew; every 5 s and after 3 s unless told.
    pub fn keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keep_alive = (interval, timeout);
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
        self.api_key = Some(Hidden(api_key.into()));
        self
    }

    /// Sends the API key to another machine over `http://`, where everybody on the way can read it: for networks that are
    /// secure by other means.
    pub fn allow_plaintext_key(mut self) -> Self {
        self.allow_plaintext_key = true;
        self
    }

    /// An authority, in PEM format, whose certificates servers may have; of the system's own, none counts then. Said
    /// several times, each of them.
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.authorities.push(Certificate::from_pem(pem));
        self
    }

    /// The certificate with which this client shows itself to the server, and its private key, in PEM format.
    pub fn client_certificate(mut self, certificate_pem: impl AsRef<[u8]>, key_pem: impl AsRef<[u8]>) -> Self {
        self.identity = Some(Hidden(Identity::from_pem(certificate_pem, key_pem)));
        self
    }

    /// The name that the server's certificate must have, where it is not the endpoint's host.
    pub fn server_name(mut self, server_name: impl Into<String>) -> Self {
        self.server_name = Some(server_name.into());
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
    /// [`Error::InvalidEndpoint`] when the endpoint is not of the form `https://host:port` or `http://host:port`, a
    /// certificate is none, or a key would travel in the open, [`Error::InvalidApiKey`] when
    /// the key has characters that no key has.
    // Nothing here waits, but the connection needs a runtime to live in, and `async` is how a signature says so.
    pub async fn connect(self) -> Result<Client, Error> {
        let line = |given: &String| match self.checked(given) {
            Ok(endpoint) => Ok((given.clone(), endpoint.connect_lazy())),
            Err(message) => Err(Error::InvalidEndpoint {
                endpoint: given.clone(),
                message,
            }),
        };
        let others: Result<_, Error> = self.fallbacks.iter().map(line).collect();
        let lines = Lines::new(line(&self.endpoint)?, others?);
        let credentials = match &self.api_key {
            Some(Hidden(key)) => Credentials::of_key(key).ok_or(Error::InvalidApiKey)?,
            None => Credentials::default(),
        };
        Ok(Client {
            lines,
            credentials,
            deadline: self.deadline,
            retry: self.retry,
            request_id: None,
            actor: self.actor,
        })
    }

    fn checked(&self, endpoint: &str) -> Result<Endpoint, String> {
        let endpoint = Endpoint::from_shared(endpoint.to_owned()).map_err(|error| error.to_string())?;
        let endpoint = endpoint
            .user_agent(concat!("loyalty-sdk/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| error.to_string())?
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(self.keep_alive.0)
            .keep_alive_timeout(self.keep_alive.1);
        match endpoint.uri().scheme_str() {
            Some("https") if !self.authorities.iter().all(holds_a_certificate) => {
                Err("an authority is no certificate in PEM format".to_owned())
            }
            Some("https") => endpoint.tls_config(self.tls()).map_err(|error| causes(&error)),
            Some("http") if !self.authorities.is_empty() || self.identity.is_some() => {
                Err("certificates are for https://".to_owned())
            }
            Some("http") if self.api_key.is_some() && !self.allow_plaintext_key && !is_this_machine(endpoint.uri()) => {
                Err("the API key would travel in the open: use https://, or allow_plaintext_key".to_owned())
            }
            Some("http") => Ok(endpoint),
            _ => Err("it must start with https:// or http://".to_owned()),
        }
    }

    fn tls(&self) -> ClientTlsConfig {
        let mut tls = ClientTlsConfig::new();
        tls = if self.authorities.is_empty() {
            tls.with_native_roots()
        } else {
            tls.ca_certificates(self.authorities.iter().cloned())
        };
        if let Some(Hidden(identity)) = &self.identity {
            tls = tls.identity(identity.clone());
        }
        match &self.server_name {
            Some(server_name) => tls.domain_name(server_name),
            None => tls,
        }
    }
}

/// Text without one would be taken for no authority at all.
fn holds_a_certificate(pem: &Certificate) -> bool {
    const BEGINNING: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let text: &[u8] = pem.as_ref();
    text.windows(BEGINNING.len()).any(|window| window == BEGINNING)
}

fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An error with all that is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Shows in no log.
#[derive(Clone)]
struct Hidden<T>(T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
