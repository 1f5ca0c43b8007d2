//! One database process: how it is started, when it is ready, how it stops, and how one left behind is stopped.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::EmbeddedError;
use super::binary::{DatabaseBinary, Flavour};
use super::directory::{DataDirectory, user_id};
use crate::storage::administration;

/// How long a start may take. Usual are 0.2 s, after a crash a few seconds: the redo log to replay is 512 MB at most.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a stop may take, of our own process and of one left behind.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);

/// How often it is looked whether a process has become ready or is gone.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Options that both flavours understand.
const OPTIONS: [&str; 11] = [
    "--skip-networking",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=256M",
    // Pages are written back one by one, as disks without moving parts like it, and ahead of need.
    "--innodb-flush-neighbors=0",
    "--innodb-io-capacity=2000",
    "--max-allowed-packet=64M",
];

/// Options of MariaDB alone. A redo log that holds half a minute of the fastest load: with a shorter one the pages of
/// members are written back again and again in between.
const MARIADB_OPTIONS: [&str; 1] = ["--innodb-log-file-size=512M"];

/// Options of MySQL alone: no second protocol, no keys for connections that never leave the machine, and none of the
/// folder that Debian compiled in for files of SQL statements, without which the server would not start.
pub(super) const MYSQL_OPTIONS: [&str; 5] = [
    "--innodb-redo-log-capacity=512M",
    "--mysqlx=OFF",
    "--auto-generate-certs=OFF",
    "--caching-sha2-password-auto-generate-rsa-keys=OFF",
    "--secure-file-priv=NULL",
];

/// What is needed to start the database again and again in the same directory.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) binary: DatabaseBinary,
    pub(super) directory: DataDirectory,
    pub(super) extra_arguments: Vec<String>,
    /// An address of the database server, for administration.
    pub(super) url: String,
}

impl Server {
    /// Starts the process. It gets a process group of its own: Ctrl-C in a terminal is for us, who stop it in order. It
    /// dies with the returned value, so that a caller who gives up leaves nothing behind.
    pub(super) fn spawn(&self) -> Result<Child, EmbeddedError> {
        self.directory.remove_stale_files()?;
        let log = self.directory.open_log()?;
        let errors = log
            .try_clone()
            .map_err(EmbeddedError::inaccessible(self.directory.path()))?;
        Command::new(&self.binary.path)
            .args(self.arguments()?)
            .current_dir(self.directory.database())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| EmbeddedError::DoesNotRun {
                program: self.binary.path.clone(),
                source,
            })
    }

    fn arguments(&self) -> Result<Vec<OsString>, EmbeddedError> {
        let mut arguments = vec![
            OsString::from("--no-defaults"),
            path_option("--datadir", &self.directory.database()),
            path_option("--socket", &self.directory.socket()),
            path_option("--pid-file", &self.directory.pid_file()),
            path_option("--tmpdir", &self.directory.temporary()),
        ];
        arguments.extend(OPTIONS.map(OsString::from));
        match self.binary.flavour {
            Flavour::MariaDb => arguments.extend(MARIADB_OPTIONS.map(OsString::from)),
            Flavour::MySql => arguments.extend(MYSQL_OPTIONS.map(OsString::from)),
        }
        if user_id()? == 0 {
            arguments.push(OsString::from("--user=root"));
        }
        arguments.extend(self.extra_arguments.iter().map(OsString::from));
        Ok(arguments)
    }

    pub(super) async fn wait_until_ready(&self, child: &mut Child) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if administration::ping(&self.url).await.is_ok() {
                return Ok(());
            }
            if let Ok(ended) = tokio::time::timeout(POLL_INTERVAL, child.wait()).await {
                let status = ended.map_err(EmbeddedError::inaccessible(&self.binary.path))?;
                return Err(EmbeddedError::EndedAtStart {
                    status,
                    log: self.directory.log_excerpt(),
                });
            }
            if Instant::now() > deadline {
                let waited_seconds = START_TIMEOUT.as_secs();
                return Err(EmbeddedError::NotReady {
                    waited_seconds,
                    log: self.directory.log_excerpt(),
                });
            }
        }
    }

    /// Stops the process in order, and by force when that takes too long. A database that has just been started again
    /// does not hear yet, so it is asked until it does.
    pub(super) async fn stop(&self, child: &mut Child) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            let patience = match administration::shutdown(&self.url).await {
                Ok(()) => deadline.saturating_duration_since(Instant::now()),
                Err(_) => POLL_INTERVAL,
            };
            if tokio::time::timeout(patience, child.wait()).await.is_ok() {
                return;
            }
        }
        tracing::error!("the private database does not stop and is killed; it repairs itself at its next start");
        if let Err(error) = child.kill().await {
            tracing::error!(%error, "the private database cannot be killed");
        }
    }

    /// Stops the database, or waits for the installer, that a killed server of ours left behind. The claim on the
    /// directory is ours, so whatever still works in it is nobody's.
    pub(super) async fn stop_orphan(&self) -> Result<(), EmbeddedError> {
        let deadline = Instant::now() + STOP_TIMEOUT;
        let mut is_announced = false;
        loop {
            let mut process_ids = processes_in(&self.directory.database());
            process_ids.extend(processes_in(&self.directory.unfinished_database()));
            if process_ids.is_empty() && UnixStream::connect(self.directory.socket()).is_err() {
                return Ok(());
            }
            if !is_announced {
                tracing::warn!(?process_ids, "stopping the database that an earlier run left behind");
                is_announced = true;
            }
            if Instant::now() > deadline {
                let data_dir = self.directory.path().to_owned();
                return Err(EmbeddedError::OrphanStays { data_dir, process_ids });
            }
            // It may be starting or stopping and not listen; then it is asked again, or gone.
            if let Err(error) = administration::shutdown(&self.url).await {
                tracing::debug!(%error, "the database left behind does not listen");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

pub(super) fn path_option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(path);
    option
}

/// The database processes whose current directory is `database`, where all of ours are started. A process on its way
/// out has no arguments any more, but may still hold the files. Unlike a pid file this also sees one that has only just
/// begun, and is never wrong about a number that has been given to another process.
fn processes_in(database: &Path) -> Vec<u32> {
    let Ok(database) = fs::metadata(database) else {
        return Vec::new();
    };
    let is_database = |process_id: &u32| {
        let directory = fs::metadata(format!("/proc/{process_id}/cwd"));
        let is_inside = directory.is_ok_and(|it| it.dev() == database.dev() && it.ino() == database.ino());
        let arguments = fs::read(format!("/proc/{process_id}/cmdline")).unwrap_or_default();
        is_inside
            && (arguments.is_empty()
                || arguments
                    .split(|byte| *byte == 0)
                    .any(|it| it.starts_with(b"--datadir=")))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|it| it.file_name().to_str()?.parse().ok())
        .filter(is_database)
        .collect()
}
