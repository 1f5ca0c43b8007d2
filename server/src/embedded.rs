//! The zero-set-up default: a private MariaDB or MySQL as a child process, on files and a socket of its own.
//!
//! The process belongs to this one: it is started with it, watched, started again when it dies, and stopped with it. If
//! this process is killed, the database outlives it, keeps the data safe, and is stopped by the next start.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::storage::administration;

mod binary;
mod directory;
mod error;
mod install;
mod server;

use binary::DatabaseBinary;
use directory::DataDirectory;
use server::Server;

pub use binary::Flavour;
pub use error::EmbeddedError;

/// The database that the service keeps its tables in.
const DATABASE_NAME: &str = "loyalty";

/// So many deaths within `DEATH_WINDOW` are no accident: starting once more would only fill the log.
const DEATHS_MAX: usize = 5;

/// The time in which deaths count together.
const DEATH_WINDOW: Duration = Duration::from_secs(60);

/// Where and how the private database runs.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// Everything is kept in here; made if missing. One server at a time.
    pub data_dir: PathBuf,
    /// The database server to run, by path or name; without it the first `mariadbd` or `mysqld` installed.
    pub binary: Option<PathBuf>,
    /// Options for the database server, like `--innodb-buffer-pool-size=1G`. They come last and so override ours.
    pub extra_arguments: Vec<String>,
}

/// A running private database. Dropped without [`stop`](Self::stop), the database is killed, which loses nothing that
/// was committed, and the next start takes a little longer.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    socket: PathBuf,
    state: watch::Receiver<State>,
    stop: Arc<Notify>,
    supervisor: JoinHandle<()>,
}

#[derive(Debug, Clone)]
enum State {
    Running { process_id: Option<u32> },
    GivenUp { reason: String },
}

impl EmbeddedDatabase {
    /// Starts the database and returns when it takes connections. The first start in a directory initialises it, which
    /// takes some seconds.
    ///
    /// # Errors
    /// When no database server is installed, the directory is in use or inaccessible, or the database does not come up.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let EmbeddedOptions {
            data_dir,
            binary,
            extra_arguments,
        } = options;
        let binary = DatabaseBinary::find(binary.as_deref()).await?;
        let directory = DataDirectory::claim(&data_dir)?;
        let socket = directory.socket();
        let server = Server {
            binary,
            directory,
            extra_arguments,
            url: url(&socket, ""),
        };

        server.stop_orphan().await?;
        install::install_if_missing(&server.binary, &server.directory).await?;
        let mut child = server.spawn()?;
        server.wait_until_ready(&mut child).await?;
        administration::create_database(&server.url, DATABASE_NAME).await?;

        tracing::info!(
            data_dir = %server.directory.path().display(),
            server = %server.binary.flavour,
            process_id = child.id(),
            "the private database is ready"
        );
        let (state_sender, state) = watch::channel(State::Running { process_id: child.id() });
        let stop = Arc::new(Notify::new());
        let supervisor = tokio::spawn(supervise(server, child, Arc::clone(&stop), state_sender));
        Ok(Self {
            socket,
            state,
            stop,
            supervisor,
        })
    }

    /// The address of the service's database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE_NAME)
    }

    /// The address of another database in the same server, which need not exist.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        url(&self.socket, database)
    }

    /// The process id of the database that runs now; none once it has been given up.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Running { process_id } => process_id,
            State::GivenUp { .. } => None,
        }
    }

    /// Returns only when the database is gone for good: it died several times within a minute, or can no longer be
    /// started. Then the process has no reason to live on.
    pub async fn failed(&self) -> EmbeddedError {
        let mut state = self.state.clone();
        let reason = match state
            .wait_for(|state| matches!(state, State::GivenUp { .. }))
            .await
            .as_deref()
        {
            Ok(State::GivenUp { reason }) => reason.clone(),
            _ => "nobody watches over it any more".to_owned(),
        };
        EmbeddedError::GivenUp { reason }
    }

    /// Stops the database in order and waits until it is gone, at most a minute; then it is killed.
    pub async fn stop(mut self) {
        self.stop.notify_one();
        if let Err(error) = (&mut self.supervisor).await {
            tracing::error!(%error, "the watch over the private database ended early");
        }
    }
}

impl Drop for EmbeddedDatabase {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// The address of the service's database in a directory that another process holds; `None` when the database there does
/// not answer, because it is starting or stopping.
pub async fn url_of_running(data_dir: &Path) -> Option<String> {
    let socket = directory::socket_of(&data_dir.canonicalize().ok()?);
    administration::ping(&url(&socket, "")).await.ok()?;
    Some(url(&socket, DATABASE_NAME))
}

/// Owns the process and the claim on its directory until it is stopped or given up.
async fn supervise(server: Server, mut child: Child, stop: Arc<Notify>, state: watch::Sender<State>) {
    let mut deaths = Deaths::default();
    loop {
        let ended = tokio::select! {
            biased;
            () = stop.notified() => return server.stop(&mut child).await,
            ended = child.wait() => ended,
        };
        let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        tracing::error!(status, "the private database died");

        let restarted = if deaths.are_too_many(Instant::now()) {
            let log = server.directory.log_excerpt();
            Err(format!(
                "it died {DEATHS_MAX} times within {} s; from its log:\n{log}",
                DEATH_WINDOW.as_secs()
            ))
        } else {
            server.spawn().map_err(|error| with_causes(&error))
        };
        match restarted {
            Ok(started) => child = started,
            Err(reason) => {
                tracing::error!(reason, "the private database is given up");
                state.send_replace(State::GivenUp { reason });
                return;
            }
        }
        tracing::info!(process_id = child.id(), "the private database has been started again");
        state.send_replace(State::Running { process_id: child.id() });
    }
}

/// When the database died lately.
#[derive(Debug, Default)]
struct Deaths(VecDeque<Instant>);

impl Deaths {
    /// Counts one more death.
    fn are_too_many(&mut self, now: Instant) -> bool {
        self.0.push_back(now);
        self.0.retain(|death| now.duration_since(*death) < DEATH_WINDOW);
        self.0.len() >= DEATHS_MAX
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// The address of `database` behind `socket`. Every byte of the path that is not plainly harmless in an address is
/// encoded.
fn url(socket: &Path, database: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let socket: String = socket
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .copied()
        .map(encode)
        .collect();
    format!("mysql://root@localhost/{database}?socket={socket}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_any_path() {
        let address = url(Path::new("/tmp/a b&c=ü%/run"), "loyalty");

        assert_eq!(
            address,
            "mysql://root@localhost/loyalty?socket=%2Ftmp%2Fa%20b%26c%3D%C3%BC%25%2Frun"
        );
        let options = mysql_async::Opts::from_url(&address).unwrap();
        assert_eq!(options.socket(), Some("/tmp/a b&c=ü%/run"));
        assert_eq!(options.db_name(), Some("loyalty"));
    }

    #[test]
    fn five_deaths_are_too_many_only_within_a_minute() {
        let start = Instant::now();
        let seconds = |seconds| start + Duration::from_secs(seconds);
        let mut deaths = Deaths::default();

        let verdicts = [0, 20, 40, 59, 60, 61].map(|at| deaths.are_too_many(seconds(at)));

        assert_eq!(verdicts, [false, false, false, false, false, true]);
    }
}
