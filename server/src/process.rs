//! The process: settings, database, listener, signals.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::backup;
use crate::commands::{self, TenantCommand};
use crate::config::{Command, Config, DatabaseConfig};
use crate::embedded::{self, EmbeddedDatabase, EmbeddedError, EmbeddedOptions};
use crate::serve::{self, ServeOptions, Server};
use crate::telemetry::{self, TraceOptions, Traces};
use crate::{Clock, FeedOptions, PostingOptions};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the program with the arguments and the environment of this process.
pub fn run() -> ExitCode {
    let config = Config::of_process();
    match in_runtime(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{}", chain(failure.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn in_runtime(config: Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let collected = runtime.as_ref().ok().zip(trace_options(&config));
    let traces = collected.map(|(runtime, options)| {
        // The connection to the collector lives in the runtime.
        let _inside = runtime.enter();
        Traces::start(&options)
    });
    let traces = traces.transpose();
    telemetry::start(
        &config.telemetry.log,
        config.telemetry.log_format,
        traces.as_ref().ok().and_then(Option::as_ref),
    );
    let (runtime, traces) = (runtime?, traces?);
    let outcome = runtime.block_on(with_database(config));
    if let Some(traces) = traces {
        traces.end();
    }
    outcome
}

/// Only who serves has something to trace.
fn trace_options(config: &Config) -> Option<TraceOptions> {
    let serves = matches!(config.command, None | Some(Command::Serve));
    config.telemetry.traces().filter(|_| serves)
}

async fn with_database(config: Config) -> Result<(), Failure> {
    if let Some(url) = config.database.database_url.clone() {
        return carry_out(&config, &url, std::future::pending::<EmbeddedError>()).await;
    }
    let options = embedded_options(&config.database)?;
    let data_dir = options.data_dir.clone();
    tracing::info!(data_dir = %data_dir.display(), "starting the private database");
    let database = match EmbeddedDatabase::start(options).await {
        // A command about tenants, or a backup, works beside the server that has the directory, on its database.
        Err(in_use @ EmbeddedError::DataDirectoryInUse { .. }) if works_beside(&config) => {
            let url = embedded::url_of_running(&data_dir).await.ok_or(in_use)?;
            return carry_out(&config, &url, std::future::pending::<EmbeddedError>()).await;
        }
        started => started?,
    };
    let url = database.url();
    let outcome = carry_out(&config, &url, database.failed()).await;
    database.stop().await;
    outcome
}

async fn carry_out(config: &Config, url: &str, lost: impl Future<Output = EmbeddedError>) -> Result<(), Failure> {
    let clock: Clock = Arc::new(Utc::now);
    if let Some(command) = tenant_command(config) {
        return Ok(commands::run(command, url, clock).await?);
    }
    match &config.command {
        Some(Command::Migrate) => {
            let migrations = serve::migrate(url, &clock).await?;
            tracing::info!(migrations, "the schema is up to date");
        }
        Some(Command::Backup { file }) => {
            let rows = backup::make(url, &clock, file).await?;
            tracing::info!(rows, file = %file.display(), "the backup is made");
        }
        Some(Command::Restore { file }) => {
            let statements = backup::restore(url, &clock, file).await?;
            tracing::info!(statements, file = %file.display(), "the backup is restored");
        }
        _ => serve(config, url, clock, lost).await?,
    }
    Ok(())
}

fn works_beside(config: &Config) -> bool {
    matches!(config.command, Some(Command::Backup { .. })) || tenant_command(config).is_some()
}

fn tenant_command(config: &Config) -> Option<TenantCommand> {
    match config.command.clone()? {
        Command::Serve | Command::Migrate | Command::Backup { .. } | Command::Restore { .. } => None,
        Command::Merchant(command) => Some(TenantCommand::Merchant(command)),
        Command::Store(command) => Some(TenantCommand::Store(command)),
        Command::Terminal(command) => Some(TenantCommand::Terminal(command)),
        Command::Key(command) => Some(TenantCommand::Key(command)),
    }
}

/// Serves until a signal asks to stop or the database is lost for good.
async fn serve(
    config: &Config,
    url: &str,
    clock: Clock,
    lost: impl Future<Output = EmbeddedError>,
) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listener = listen(config.service.listen).await?;
    let metrics_listener = match config.telemetry.metrics_address {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let options = ServeOptions {
        posting: PostingOptions {
            writers: config.service.writers,
            batch_limit: config.service.batch_limit,
            queue_limit: config.service.queue_limit,
            patience: Duration::from_secs(config.service.database_patience_seconds),
        },
        development: config.service.development,
        drain: Duration::from_secs(config.service.drain_seconds),
        request_retention_days: config.service.request_retention_days,
        quote_lifetime: Duration::from_secs(config.service.quote_seconds),
        tls: config.service.tls.files(),
        connections: config.service.connections,
        calls: config.service.calls,
        calls_per_connection: config.service.calls_per_connection,
        web_origins: config.service.web_origins.clone(),
        allow_plaintext: config.service.tls.allow_plaintext,
        feed: FeedOptions {
            delay: Duration::from_millis(config.service.feed_delay_ms),
            lease: Duration::from_millis(config.service.feed_lease_ms),
            ..FeedOptions::default()
        },
        schedule: Some(Duration::from_secs(config.service.schedule_seconds)).filter(|interval| !interval.is_zero()),
        read_connections: config.service.read_connections,
        allow_weak_durability: config.database.allow_weak_durability,
        ..ServeOptions::new(url)
    };
    let server = Server::start(&options, clock).await?;
    if config.service.development {
        tracing::warn!("development mode: everybody is the operator of the merchant `default`, without a key");
    }
    tracing::info!(address = %listener.local_addr()?, "serving");
    // Told until the process ends: also while it drains.
    if let Some(listener) = metrics_listener {
        tracing::info!(address = %listener.local_addr()?, "telling metrics");
        tokio::spawn(server.metrics().serve(listener));
    }
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing the calls in flight");
    };
    tokio::select! {
        outcome = server.serve(listener, stopped) => Ok(outcome?),
        lost = lost => Err(lost.into()),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::from(format!("cannot listen on {address}: {error}")))
}

fn embedded_options(config: &DatabaseConfig) -> Result<EmbeddedOptions, Failure> {
    let data_dir = match &config.data_dir {
        Some(data_dir) => data_dir.clone(),
        None => default_data_dir().ok_or("no home directory to keep the data in: set LOYALTY_DATA_DIR")?,
    };
    let memory_mib = config
        .database_memory_mib
        .unwrap_or_else(|| default_memory_mib(machine_memory_mib()));
    Ok(EmbeddedOptions {
        data_dir,
        binary: config.database_binary.clone(),
        extra_arguments: vec![format!("--innodb-buffer-pool-size={}M", memory_mib)],
    })
}

/// Memory for the pages of the private database on a machine with so much, in MiB: the server beside it needs little, and
/// the rest of the machine may be somebody else's.
fn default_memory_mib(of_machine: Option<u32>) -> u32 {
    (of_machine.unwrap_or_default() / 8).clamp(256, 4_096)
}

/// What the machine says of its memory; `None` when it does not say so where Linux does.
fn machine_memory_mib() -> Option<u32> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    u32::try_from(kib / 1_024).ok()
}

fn default_data_dir() -> Option<PathBuf> {
    let base = match std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(std::env::var_os("HOME").filter(|path| !path.is_empty())?).join(".local/share"),
    };
    Some(base.join("loyalty"))
}

/// An error with all its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
