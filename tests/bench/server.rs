//! The server under load: a process of its own with its private database, stopped whatever happens.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use loyalty_server::Gathered;
use mysql_async::{Conn, Opts, OptsBuilder};
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};

use crate::Failure;
use crate::usage::Process;

/// The first start installs the database.
const START_TIMEOUT: Duration = Duration::from_secs(90);
/// The server drains for up to 30 s and its database flushes.
const STOP_TIMEOUT: Duration = Duration::from_secs(90);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What the server logs when it takes calls, followed by where.
const SERVING: &str = "serving address=";
/// How much of its log an error shows.
const LOG_LINES_MAX: usize = 20;

/// A running server and its database. Dropped, both are stopped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    address: String,
    pub(crate) process: Process,
    pub(crate) database: Process,
    pub(crate) socket: PathBuf,
}

impl Server {
    /// Starts the server on the data in `directory`, with these flags besides, and returns when it takes calls.
    pub(crate) async fn start(directory: &Path, flags: &[String]) -> Result<Self, Failure> {
        let log = directory.join("server.log");
        // Settings of whoever runs the benchmark are not to change what is measured.
        let child = Command::new(env!("CARGO_BIN_EXE_server-process"))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("NO_COLOR", "1")
            .args(["--development", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.join("data"))
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            // Ctrl-C is for us, who then stop it in order.
            .process_group(0)
            .spawn()?;
        let process = Process::new(child.id());
        let mut server = Self {
            child,
            log,
            address: String::new(),
            process,
            database: process,
            socket: PathBuf::new(),
        };
        server.address = server.wait_until_serving().await?;
        server.database = process.database()?;
        server.socket = server.database.argument("--socket=")?;
        Ok(server)
    }

    async fn wait_until_serving(&mut self) -> Result<String, Failure> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            let log = fs::read_to_string(&self.log)?;
            let address = log.split_once(SERVING).and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((address, _)) = address {
                return Ok(address.trim().to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the server ended with {status}:\n{}", self.log_excerpt()).into());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Err(format!("the server does not serve:\n{}", self.log_excerpt()).into())
    }

    /// Where it takes calls.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A connection for calls, which gathers what it sends as the server gathers its answers.
    pub(crate) async fn connect(&self) -> Result<Channel, Failure> {
        let address = self.address.clone();
        // Whoever makes the load shares the cores with the server, and is not what is measured.
        let connector = tower::service_fn(move |_| {
            let address = address.clone();
            async move {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok::<_, std::io::Error>(TokioIo::new(Gathered::new(stream)))
            }
        });
        let endpoint = Endpoint::from_shared(self.endpoint())?;
        Ok(endpoint.connect_with_connector(connector).await?)
    }

    /// A connection straight to its database.
    pub(crate) async fn connect_to_database(&self) -> Result<Conn, Failure> {
        let options = OptsBuilder::default()
            .socket(Some(self.socket.to_string_lossy()))
            .user(Some("root"))
            .db_name(Some("loyalty"));
        Ok(Conn::new(Opts::from(options)).await?)
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        self.end()
    }

    /// Blocks: at this point the benchmark does nothing else.
    fn end(&mut self) -> Result<(), Failure> {
        if self.child.try_wait()?.is_none() {
            send("TERM", self.process)?;
        }
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                self.kill_orphan()?;
                let excerpt = || format!("the server ended with {status}:\n{}", self.log_excerpt());
                return if status.success() {
                    Ok(())
                } else {
                    Err(excerpt().into())
                };
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        self.child.kill()?;
        self.child.wait()?;
        self.kill_orphan()?;
        Err(format!("the server did not stop and was killed:\n{}", self.log_excerpt()).into())
    }

    /// A server that was killed leaves its database behind. The socket tells it from a later process with its number.
    fn kill_orphan(&self) -> Result<(), Failure> {
        let is_ours = |socket| socket == self.socket;
        if self.database.argument("--socket=").is_ok_and(is_ours) {
            send("KILL", self.database)?;
        }
        Ok(())
    }

    fn log_excerpt(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(failure) = self.end() {
            eprintln!("{failure}");
        }
    }
}

/// The standard library sends no signal but SIGKILL.
fn send(signal: &str, process: Process) -> Result<(), Failure> {
    // The shell's own `kill`: a bare Debian has no other.
    Command::new("sh")
        .args(["-c", &format!("kill -s {signal} {}", process.id())])
        .status()?;
    Ok(())
}
