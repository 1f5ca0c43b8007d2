//! Settings, from flags and the environment, checked whole before anything starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use hyper::header::HeaderValue;

use crate::PostingOptions;
use crate::commands::{KeyCommand, MerchantCommand, StoreCommand, TerminalCommand};
use crate::storage::connection;
use crate::telemetry::{self, LogFormat, TraceOptions};
use crate::tls::TlsFiles;

/// A loyalty-points service: gRPC on MySQL or MariaDB.
#[derive(Debug, Parser)]
#[command(name = "loyalty-server", version)]
pub struct Config {
    /// What to do; serve when it is left out.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseConfig,

    /// How calls are served.
    #[command(flatten)]
    pub service: ServiceConfig,

    /// What is told of the work.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Bring the schema up to date and serve.
    Serve,
    /// Bring the schema up to date and exit.
    Migrate,
    /// Write a backup of everything into a file, beside servers that go on.
    Backup {
        /// The file.
        file: PathBuf,
    },
    /// Restore a backup into a database that has nothing yet.
    Restore {
        /// The file.
        file: PathBuf,
    },
    /// Merchants: everything in the database belongs to one.
    #[command(subcommand)]
    Merchant(MerchantCommand),
    /// Stores of a merchant.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Terminals of a store.
    #[command(subcommand)]
    Terminal(TerminalCommand),
    /// API keys of a merchant: who may call.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// Where the data is.
#[derive(Debug, Args)]
pub struct DatabaseConfig {
    /// The database to use, such as `mysql://user:password@host:3306/loyalty`. Without it the server runs a private
    /// MariaDB or MySQL in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,

    /// File with the database to use, for an address that holds a password.
    #[arg(long, env = "DATABASE_URL_FILE", conflicts_with = "database_url", global = true)]
    pub database_url_file: Option<PathBuf>,

    /// Directory of the private database [default: `loyalty` in the user's data directory].
    #[arg(long, env = "LOYALTY_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,

    /// Program of the private database [default: the `mariadbd` or `mysqld` that is installed].
    #[arg(long, env = "LOYALTY_DATABASE_BINARY", global = true)]
    pub database_binary: Option<PathBuf>,

    /// Memory for the pages of the private database, in MiB [default: an eighth of the machine's, from 256 to 4,096]. It is
    /// taken as it is needed: the more members buy, the more of it saves reading and writing the same pages again.
    #[arg(long, env = "LOYALTY_DATABASE_MEMORY_MIB", value_parser = clap::value_parser!(u32).range(16..), global = true)]
    pub database_memory_mib: Option<u32>,

    /// Serve on a database that can lose committed sales when its machine fails.
    #[arg(long, env = "LOYALTY_ALLOW_WEAK_DURABILITY", global = true)]
    pub allow_weak_durability: bool,
}

impl DatabaseConfig {
    /// Takes over what the file says.
    fn read_file(&mut self) -> Result<(), String> {
        let Some(path) = &self.database_url_file else {
            return Ok(());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("--database-url-file: cannot read {}: {error}", path.display()))?;
        self.database_url = Some(text.trim().to_owned());
        Ok(())
    }
}

/// How calls are served.
#[derive(Debug, Args)]
pub struct ServiceConfig {
    /// Let everybody in without a key, as operator of the merchant `default`: for development.
    #[arg(long, env = "LOYALTY_DEVELOPMENT", global = true)]
    pub development: bool,

    /// Address to listen on. Without TLS a loopback address.
    #[arg(long, env = "LOYALTY_LISTEN", default_value = "127.0.0.1:50051", value_parser = address, global = true)]
    pub listen: SocketAddr,

    /// How connections are made secure.
    #[command(flatten)]
    pub tls: TlsConfig,

    /// Most connections at once; further ones are closed at once.
    #[arg(long, env = "LOYALTY_CONNECTIONS", default_value_t = 4_096, value_parser = at_least_one, global = true)]
    pub connections: usize,

    /// Most calls at once; further ones are told to come back.
    #[arg(long, env = "LOYALTY_CALLS", default_value_t = 4_096, value_parser = at_least_one, global = true)]
    pub calls: usize,

    /// Most calls of one connection at once, up to 65,536; further ones wait in the client.
    #[arg(long, env = "LOYALTY_CALLS_PER_CONNECTION", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=65_536), global = true)]
    pub calls_per_connection: u32,

    /// Origins of web pages that may call over grpc-web, such as `https://office.example.com`, separated by commas; without
    /// any nobody does.
    #[arg(long, env = "LOYALTY_WEB_ORIGINS", value_delimiter = ',', value_parser = origin, global = true)]
    pub web_origins: Vec<HeaderValue>,

    /// Writers, each with a database connection of its own.
    #[arg(long, env = "LOYALTY_WRITERS", default_value_t = PostingOptions::default().writers, value_parser = at_least_one, global = true)]
    pub writers: usize,

    /// Most writes of one transaction, up to 900; 1 commits each on its own.
    #[arg(long, env = "LOYALTY_BATCH_LIMIT", default_value_t = PostingOptions::default().batch_limit, value_parser = batch_limit, global = true)]
    pub batch_limit: usize,

    /// Most writes that wait for one writer before callers are told to come back.
    #[arg(long, env = "LOYALTY_QUEUE_LIMIT", default_value_t = PostingOptions::default().queue_limit, value_parser = at_least_one, global = true)]
    pub queue_limit: usize,

    /// Milliseconds within which an entry is sealed and appears in the feed, from 10 to 60,000.
    #[arg(long, env = "LOYALTY_FEED_DELAY_MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=60_000), global = true)]
    pub feed_delay_ms: u64,

    /// Milliseconds of silence after which another server takes over sealing, from 100 to 600,000.
    #[arg(long, env = "LOYALTY_FEED_LEASE_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000), global = true)]
    pub feed_lease_ms: u64,

    /// Seconds after which work that gets no answer from the database is given up, from 1 to 600.
    #[arg(long, env = "LOYALTY_DATABASE_PATIENCE_SECONDS", default_value_t = PostingOptions::default().patience.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600), global = true)]
    pub database_patience_seconds: u64,

    /// Seconds between two looks for scheduled work that is due, such as writing lapsed points off, up to 3,600; 0: this
    /// server leaves it to others.
    #[arg(long, env = "LOYALTY_SCHEDULE_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=3_600), global = true)]
    pub schedule_seconds: u64,

    /// Seconds for which calls in flight are waited for when the server stops, from 0 to 3,600.
    #[arg(long, env = "LOYALTY_DRAIN_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(..=3_600), global = true)]
    pub drain_seconds: u64,

    /// Days for which it is known what became of a write, from 30 to 3,650: longer than any till stays without a line.
    #[arg(long, env = "LOYALTY_REQUEST_RETENTION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(30..=3_650), global = true)]
    pub request_retention_days: u32,

    /// Seconds for which a quote is held: a sale that is recorded with its token gets what was quoted. From 1 to 86,400.
    #[arg(long, env = "LOYALTY_QUOTE_SECONDS", default_value_t = 900, value_parser = clap::value_parser!(u64).range(1..=86_400), global = true)]
    pub quote_seconds: u64,

    /// Database connections for reads.
    #[arg(long, env = "LOYALTY_READ_CONNECTIONS", default_value_t = 8, value_parser = at_least_one, global = true)]
    pub read_connections: usize,
}

/// How connections are made secure. The files are in PEM format and are read again when they change.
#[derive(Debug, Args)]
pub struct TlsConfig {
    /// File with the server's certificate and those between it and its authority.
    #[arg(long, env = "LOYALTY_TLS_CERTIFICATE", requires = "tls_key", global = true)]
    pub tls_certificate: Option<PathBuf>,

    /// File with the private key of that certificate.
    #[arg(long, env = "LOYALTY_TLS_KEY", requires = "tls_certificate", global = true)]
    pub tls_key: Option<PathBuf>,

    /// File with authorities: only clients with a certificate of one of them are let in.
    #[arg(long, env = "LOYALTY_TLS_CLIENT_CA", requires = "tls_certificate", global = true)]
    pub tls_client_ca: Option<PathBuf>,

    /// Listen without TLS on an address that is no loopback address, behind a proxy that speaks TLS.
    #[arg(
        long,
        env = "LOYALTY_ALLOW_PLAINTEXT",
        conflicts_with = "tls_certificate",
        global = true
    )]
    pub allow_plaintext: bool,
}

impl TlsConfig {
    /// The files, when there are any.
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.tls_certificate.clone().zip(self.tls_key.clone())?;
        Some(TlsFiles {
            certificate,
            key,
            client_ca: self.tls_client_ca.clone(),
        })
    }
}

/// What is told of the work.
#[derive(Debug, Args)]
pub struct TelemetryConfig {
    /// What is logged: a level, and other ones of parts, such as `info,loyalty_server::grpc=debug`. Libraries tell no more
    /// than `info`, for what they tell beyond it holds keys.
    #[arg(long, env = "RUST_LOG", default_value = "info", value_parser = telemetry::is_filter, global = true)]
    pub log: String,

    /// How the lines of the log look.
    #[arg(long, env = "LOYALTY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,

    /// Address on which Prometheus finds `/metrics`, such as 9464, which is 127.0.0.1:9464; without it nobody does.
    #[arg(long, env = "LOYALTY_METRICS_ADDRESS", value_parser = address_or_port, global = true)]
    pub metrics_address: Option<SocketAddr>,

    /// Collector that gets traces over OTLP, such as `http://127.0.0.1:4317`; without it there are none. One on another
    /// machine is reached through an agent on this one.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = collector, global = true)]
    pub otlp_endpoint: Option<String>,

    /// Of a thousand calls whose callers do not say whether they are traced, so many are.
    #[arg(long, env = "LOYALTY_TRACES_PER_THOUSAND", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=1_000), global = true)]
    pub traces_per_thousand: u32,
}

impl TelemetryConfig {
    /// Where traces go, when they go anywhere.
    pub(crate) fn traces(&self) -> Option<TraceOptions> {
        let endpoint = self.otlp_endpoint.clone()?;
        Some(TraceOptions {
            endpoint,
            per_thousand: self.traces_per_thousand,
        })
    }
}

impl Config {
    /// The settings of this process. Ends it, saying which one is wrong, when they are not right together.
    pub fn of_process() -> Self {
        let mut config = Self::parse();
        if let Err(wrong) = config.database.read_file().and_then(|()| config.check()) {
            Self::command().error(ErrorKind::ValueValidation, wrong).exit();
        }
        config
    }

    fn check(&self) -> Result<(), String> {
        let ServiceConfig {
            listen,
            tls,
            development,
            ..
        } = &self.service;
        let is_loopback = listen.ip().is_loopback();
        if let Some(url) = &self.database.database_url {
            // What is wrong is not said in the driver's words: the address may hold a password.
            if !connection::is_address(url) {
                return Err(
                    "--database-url must be an address such as mysql://user:password@host:3306/loyalty".to_owned(),
                );
            }
        }
        if *development && !is_loopback {
            return Err(format!(
                "--development lets everybody in: --listen {listen} must be a loopback address"
            ));
        }
        if !is_loopback && tls.files().is_none() && !tls.allow_plaintext {
            return Err(format!(
                "--listen {listen} is no loopback address: keys would travel in the open. Give --tls-certificate and \
                 --tls-key, or --allow-plaintext behind a proxy that speaks TLS"
            ));
        }
        match (self.command.as_ref().unwrap_or(&Command::Serve), tls.files()) {
            (Command::Serve, Some(files)) => files.check().map_err(|error| format!("--tls-certificate: {error}")),
            _ => Ok(()),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "must be an address and a port such as 127.0.0.1:50051".to_owned())
}

/// A port alone is one of the loopback address.
fn address_or_port(text: &str) -> Result<SocketAddr, String> {
    let port = text.parse().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|_| text.parse())
        .map_err(|_| "must be a port, or an address and a port such as 127.0.0.1:9464".to_owned())
}

/// As browsers write it: a scheme, a host and perhaps a port, and nothing behind it.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let uri = text.parse::<hyper::Uri>().ok().filter(|uri| {
        let authority = uri.authority().map(|authority| authority.as_str());
        let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
        is_web
            && authority.is_some_and(|authority| text.ends_with(&format!("://{authority}")) && !authority.contains('@'))
    });
    uri.and_then(|_| HeaderValue::from_str(&text.to_lowercase()).ok())
        .ok_or_else(|| "must be an origin such as https://office.example.com".to_owned())
}

/// Plain text: spans hold nothing secret, and an agent on this machine speaks TLS to the world.
fn collector(text: &str) -> Result<String, String> {
    let uri = text.parse::<hyper::Uri>().ok();
    let is_collector = uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    match is_collector {
        true => Ok(text.to_owned()),
        false => Err("must be an address such as http://127.0.0.1:4317".to_owned()),
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number >= 1)
        .ok_or_else(|| "must be a number from 1".to_owned())
}

/// MariaDB turns lists of 1,000 and more values into a subquery.
fn batch_limit(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=900).contains(number))
        .ok_or_else(|| "must be 1 to 900".to_owned())
}
