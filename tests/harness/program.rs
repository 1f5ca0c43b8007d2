//! The program itself, as its users start it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loyalty_sdk::{Client, Error};
use tempfile::TempDir;

use super::database::database_binary;

/// An empty directory of its own.
pub(crate) fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

/// A port that nobody has.
pub(crate) fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.expect("a free port").port()
}

/// The program in its development mode, on a private database in `data_dir`.
pub(crate) fn program(data_dir: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server-process"));
    command.env_remove("DATABASE_URL").env("LOYALTY_DATA_DIR", data_dir);
    command.env("LOYALTY_DEVELOPMENT", "true");
    command
        .env("LOYALTY_LISTEN", format!("127.0.0.1:{port}"))
        .env("NO_COLOR", "1");
    if let Some(binary) = database_binary() {
        command.env("LOYALTY_DATABASE_BINARY", binary);
    }
    command
}

/// A running `loyalty-server`, stopped with its database when the test ends.
pub(crate) struct Program {
    child: Child,
    data_dir: PathBuf,
    log: Arc<Mutex<Vec<String>>>,
    pub(crate) port: u16,
}

impl Program {
    /// Started on a free port; answers calls when this returns.
    pub(crate) async fn start(data_dir: &Path) -> (Self, Client) {
        Self::start_with(data_dir, free_port(), |_| {}).await
    }

    /// The same on a port, with other settings.
    pub(crate) async fn start_with(data_dir: &Path, port: u16, set_up: impl FnOnce(&mut Command)) -> (Self, Client) {
        let mut command = program(data_dir, port);
        set_up(&mut command);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let log = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&log);
        // The log must be read on, or the program would block on it.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("{line}");
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let program = Self {
            child,
            data_dir: data_dir.to_owned(),
            log,
            port,
        };
        let client = program.client().await;
        let started = Instant::now();
        while client
            .get_program("none")
            .await
            .is_err_and(|error| !matches!(error, Error::ProgramNotFound { .. } | Error::Unauthenticated { .. }))
        {
            assert!(
                started.elapsed() < Duration::from_secs(90),
                "the program does not answer"
            );
        }
        (program, client)
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(format!("http://127.0.0.1:{}", self.port))
            .await
            .expect("a client")
    }

    /// Lets go of a killed program whose database another one has taken over.
    pub(crate) fn forget(mut self) {
        drop(self.child.wait());
        self.data_dir = PathBuf::from("/nowhere");
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until something was logged: what is said of a call may come behind its answer.
    pub(crate) async fn has_logged(&self, word: &str) {
        let started = Instant::now();
        while !self.log().iter().any(|line| line.contains(word)) {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the log says nothing of {word}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that the server ever had, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("its status");
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("its memory");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1_024
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, self.child.id());
    }

    /// The program's exit code, when it ended by itself.
    pub(crate) fn wait(mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            match self.child.try_wait().expect("its state") {
                Some(status) => return status.code(),
                None => assert!(started.elapsed() < Duration::from_secs(60), "the program does not end"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Process ids of the database servers that work in this directory.
    pub(crate) fn databases(data_dir: &Path) -> Vec<u32> {
        let option = format!("--datadir={}", data_dir.display());
        let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
        processes
            .filter_map(|process| process.file_name().to_str()?.parse::<u32>().ok())
            .filter(|id| {
                std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(&option))
            })
            .collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; its database may have outlived it.
        drop(self.child.kill());
        drop(self.child.wait());
        for process_id in Self::databases(&self.data_dir) {
            drop(run_kill("-KILL", process_id));
        }
    }
}

/// Sends a signal.
pub(crate) fn kill(signal: &str, process_id: u32) {
    assert!(run_kill(signal, process_id).expect("kill runs").success());
}

/// The shell's own `kill`: a bare Debian has no other.
fn run_kill(signal: &str, process_id: u32) -> std::io::Result<std::process::ExitStatus> {
    Command::new("sh")
        .args(["-c", &format!("kill {signal} {process_id}")])
        .status()
}
