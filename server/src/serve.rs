//! The server: database ready, schema up to date, posting running, services listening; and the way back.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::codegen::http::HeaderValue;
use tonic::transport::Server as Transport;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use uuid::Uuid;

use crate::domain::quote::QuoteKey;
use crate::grpc::{self, Browsers, Context, Gate, Quotes, Streams};
use crate::jobs::{Clock, FeedOptions, Job, Jobs, Leases, PurgeOptions};
use crate::listener::Incoming;
use crate::measures::{Measures, PostingStatistics};
use crate::metrics::Metrics;
use crate::posting::{Posting, PostingOptions};
use crate::storage::connection::{self, Database};
use crate::storage::error::StorageError;
use crate::storage::program_cache::ProgramCache;
use crate::storage::{durability, merchant, migration, server_secret};
use crate::tls::{Tls, TlsError, TlsFiles};

/// The merchant of the development mode.
const DEVELOPMENT_MERCHANT: &str = "default";

/// Connections on which keys are looked up: a look-up takes a fraction of a millisecond.
const KEY_CONNECTIONS: usize = 2;

/// A look-up that takes longer is given up.
const KEY_PATIENCE: Duration = Duration::from_secs(3);

/// How often a server looks for scheduled work: one question to the database, by an index.
const SCHEDULE: Duration = Duration::from_secs(5);

/// What is left for posting and the jobs when the calls have ended, or should have.
const LAST_WORK: Duration = Duration::from_secs(10);

/// Calls of one connection that may be cancelled before the server has come to them; beyond it the connection is taken
/// for an attack and closed. A till that hangs up on 20 calls at once, the library's limit, is none.
const CANCELLED_BEFORE_ACCEPTED: usize = 256;

/// The longest message of a call that needs no key: it names a service or an element of the contract.
const OPEN_REQUEST_BYTES: usize = 16 << 10;

/// Services whose health is reported besides the server's own.
const SERVICES: [&str; 4] = [
    "loyalty.v1.ProgramService",
    "loyalty.v1.RuleService",
    "loyalty.v1.LedgerService",
    "loyalty.v1.RedemptionService",
];

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// `mysql://user:password@host:port/database`, or with `?socket=/path`.
    pub database_url: String,
    /// How posting is sized.
    pub posting: PostingOptions,
    /// Whether everybody without a key is the merchant `default`: for development, on a loopback address only.
    pub development: bool,
    /// Certificate and key of the server; without them it speaks plain text.
    pub tls: Option<TlsFiles>,
    /// Whether plain text may be spoken on an address that is no loopback address.
    pub allow_plaintext: bool,
    /// Most connections at once; further ones are closed at once.
    pub connections: usize,
    /// How the feed is made and told.
    pub feed: FeedOptions,
    /// Most calls at once; further ones are told to come back.
    pub calls: usize,
    /// Most calls of one connection at once; further ones wait in the client.
    pub calls_per_connection: u32,
    /// Origins of web pages that may call over grpc-web, such as `https://office.example.com`; with none, nobody does.
    pub web_origins: Vec<HeaderValue>,
    /// How often is looked for scheduled work that is due; `None`: other servers do it.
    pub schedule: Option<Duration>,
    /// The longest wait for calls in flight when the server stops.
    pub drain: Duration,
    /// Days for which it is known what became of a write, at least 30.
    pub request_retention_days: u32,
    /// After which time it is looked again for requests that are older.
    pub purge_interval: Duration,
    /// For which time a quote is held.
    pub quote_lifetime: Duration,
    /// Connections for reads.
    pub read_connections: usize,
    /// Whether to serve on a database that can lose committed transactions when its machine fails.
    pub allow_weak_durability: bool,
}

impl ServeOptions {
    /// The defaults for a database, in the development mode.
    pub fn new(database_url: impl Into<String>) -> Self {
        Self {
            database_url: database_url.into(),
            posting: PostingOptions::default(),
            development: true,
            tls: None,
            allow_plaintext: false,
            connections: 4_096,
            feed: FeedOptions::default(),
            calls: 4_096,
            calls_per_connection: 1_024,
            web_origins: Vec::new(),
            schedule: Some(SCHEDULE),
            drain: Duration::from_secs(30),
            request_retention_days: 30,
            quote_lifetime: Duration::from_secs(15 * 60),
            purge_interval: Duration::from_secs(3_600),
            read_connections: 8,
            allow_weak_durability: false,
        }
    }
}

/// Why a server did not start or did not stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(String),
    /// The database can lose committed transactions.
    #[error(
        "the database can lose committed sales when its machine fails: {0}; set it right, or start with --allow-weak-durability"
    )]
    WeakDurability(String),
    /// Everybody could do everything.
    #[error("in the development mode callers need no key: listen on a loopback address")]
    AnonymousAccess,
    /// Keys would travel in the open.
    #[error("without TLS the server listens on a loopback address only, unless told otherwise")]
    PlainText,
    /// There is no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener failed.
    #[error("the listener failed")]
    Transport(#[from] tonic::transport::Error),
    /// Reflection could not be set up.
    #[error("the descriptors cannot be served")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl From<StorageError> for ServeError {
    fn from(error: StorageError) -> Self {
        Self::Database(error.to_string())
    }
}

/// A server that is ready to serve.
pub struct Server {
    context: Arc<Context>,
    gate: Gate,
    measures: Arc<Measures>,
    metrics: Metrics,
    tls: Option<Tls>,
    options: ServeOptions,
    writers: Vec<JoinHandle<()>>,
    jobs: Vec<Job>,
    /// Tells streams that wait for more that there is no more of this server.
    stopping: watch::Sender<bool>,
}

/// Brings the schema up to date; how many migrations ran.
pub async fn migrate(database_url: &str, clock: &Clock) -> Result<usize, ServeError> {
    Ok(migration::run(database_url, &**clock).await?)
}

impl Server {
    /// Checks the database, brings its schema up to date and starts posting.
    pub async fn start(options: &ServeOptions, clock: Clock) -> Result<Self, ServeError> {
        let url = &options.database_url;
        let tls = options.tls.clone().map(Tls::start).transpose()?;
        let mut connection = connection::establish(url).await?;
        let weaknesses = durability::weaknesses(&mut connection).await?;
        if !weaknesses.is_empty() {
            let weaknesses = weaknesses.join(", ");
            if !options.allow_weak_durability {
                return Err(ServeError::WeakDurability(weaknesses));
            }
            tracing::warn!("committed sales can be lost when the database's machine fails: {weaknesses}");
        }
        let migrations = migrate(url, &clock).await?;
        if migrations > 0 {
            tracing::info!(migrations, "schema brought up to date");
        }
        let development = if options.development {
            Some(merchant::ensure(&mut connection, DEVELOPMENT_MERCHANT, clock()).await?)
        } else {
            None
        };
        let quote_secret = server_secret::ensure(&mut connection, server_secret::QUOTES, random(), clock()).await?;
        let measures = Arc::new(Measures::new());
        let keys = Database::new(url, KEY_CONNECTIONS, KEY_PATIENCE)?;
        let gate = Gate::new(keys.clone(), Arc::clone(&clock), options.calls, development, &measures);

        let programs = ProgramCache::default();
        let (posting, writers) = Posting::start(url, options.posting, &programs, &measures);
        let (stopping, told_to_stop) = watch::channel(false);
        let database = Database::new(url, options.read_connections, options.posting.patience)?;
        let posting = Arc::new(posting);
        let jobs = Arc::new(Jobs {
            clock: Arc::clone(&clock),
            database: database.clone(),
            posting: Arc::clone(&posting),
            url: url.clone(),
            patience: options.feed.lease,
            leases: Leases::default(),
            measures: Arc::clone(&measures),
        });
        let purge = PurgeOptions {
            retention_days: options.request_retention_days.max(30),
            interval: options.purge_interval,
        };
        let mut running = vec![
            Job::sealer(&jobs, options.feed, options.posting.patience),
            Job::request_purge(&jobs, purge),
        ];
        running.extend(options.schedule.map(|interval| Job::scheduler(&jobs, interval)));
        let metrics = Metrics::new(Arc::clone(&measures), [("reads", database.clone()), ("keys", keys)]);
        let context = Context {
            clock,
            database,
            posting,
            programs,
            jobs,
            streams: Streams::new(options.feed, told_to_stop),
            quotes: Quotes {
                key: QuoteKey::new(quote_secret),
                lifetime: options.quote_lifetime,
            },
        };
        Ok(Self {
            context: Arc::new(context),
            gate,
            measures,
            metrics,
            tls,
            options: options.clone(),
            writers,
            jobs: running,
            stopping,
        })
    }

    /// What posting did so far.
    pub fn posting_statistics(&self) -> Arc<PostingStatistics> {
        Arc::clone(&self.measures.posting)
    }

    /// What the server counts, for Prometheus.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Serves until `shutdown` resolves; then reports NOT_SERVING, finishes the calls in flight within a bound, and
    /// posts everything that was accepted.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self {
            context,
            gate,
            measures,
            metrics: _,
            tls,
            options,
            writers,
            jobs,
            stopping: followers,
        } = self;
        let is_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
        if options.development && !is_loopback {
            return Err(ServeError::AnonymousAccess);
        }
        if tls.is_none() && !options.allow_plaintext && !is_loopback {
            return Err(ServeError::PlainText);
        }
        let (health, health_service) = tonic_health::server::health_reporter();
        report(&health, ServingStatus::Serving).await;
        let (begin_drain, drain_begun) = tokio::sync::oneshot::channel();
        let stopping = health.clone();
        let shutdown = async move {
            shutdown.await;
            report(&stopping, ServingStatus::NotServing).await;
            // Nobody listens when nobody follows anything.
            let _ = followers.send(true);
            // Nobody waits for it any more when serving has failed.
            let _ = begin_drain.send(());
        };
        let has_web = !options.web_origins.is_empty();
        let incoming = Incoming::start(listener, tls, options.connections, has_web, &measures.connections);
        let serving = Transport::builder()
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .max_concurrent_streams(Some(options.calls_per_connection))
            .http2_max_pending_accept_reset_streams(Some(CANCELLED_BEFORE_ACCEPTED))
            .accept_http1(has_web)
            .layer(Browsers::from(&options.web_origins))
            .layer(gate)
            .add_service(health_service.max_decoding_message_size(OPEN_REQUEST_BYTES))
            .add_service(reflection()?.build_v1()?.max_decoding_message_size(OPEN_REQUEST_BYTES))
            .add_service(
                reflection()?
                    .build_v1alpha()?
                    .max_decoding_message_size(OPEN_REQUEST_BYTES),
            )
            .add_service(grpc::program_service(&context))
            .add_service(grpc::rule_service(&context))
            .add_service(grpc::ledger_service(&context))
            .add_service(grpc::redemption_service(&context))
            .serve_with_incoming_shutdown(incoming, shutdown);
        let drained_too_long = async {
            // An error means that serving ended first, and then this branch is not wanted.
            if drain_begun.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(options.drain).await;
        };
        tokio::select! {
            outcome = serving => outcome?,
            () = drained_too_long => tracing::warn!("calls were still in flight after {:?}", options.drain),
        }
        drop(context);
        let rest = async {
            // Jobs give writers work, and those end when nobody can any more.
            for job in jobs {
                job.stop().await;
            }
            for writer in writers {
                // A writer ends when everything that was accepted is posted; it cannot panic outside its own tasks.
                let _ = writer.await;
            }
        };
        if tokio::time::timeout(LAST_WORK, rest).await.is_err() {
            tracing::error!(
                "posting or a job did not finish within {LAST_WORK:?}; what was not answered is not settled"
            );
        }
        Ok(())
    }
}

/// A secret that nobody can guess: of each UUIDv4 122 bits are random.
fn random() -> [u8; 32] {
    let parts = Uuid::new_v4()
        .into_bytes()
        .into_iter()
        .chain(Uuid::new_v4().into_bytes());
    let mut secret = [0; 32];
    secret.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    secret
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in SERVICES.into_iter().chain([""]) {
        health.set_service_status(service, status).await;
    }
}

/// The contract and everything its answers contain: without the descriptors of `google.rpc` a debugging client shows
/// error details as bytes.
fn reflection<'b>() -> Result<tonic_reflection::server::Builder<'b>, ServeError> {
    Ok(tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(loyalty_api::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET))
}
