//! A line between a server and its database that can be cut, frozen and slowed down.

use std::path::PathBuf;
use std::time::Duration;

use mysql_async::Opts;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What the line does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// It carries what it is given, each piece after a delay.
    Works(Duration),
    /// It takes everything and carries nothing, as a network does that has lost its way.
    Frozen,
    /// It is closed, and refuses.
    Cut,
}

/// Where the database is.
#[derive(Clone)]
enum Target {
    Socket(PathBuf),
    Address(String),
}

/// A line of its own to a database.
pub(crate) struct Proxy {
    /// The address of the database over this line.
    pub(crate) url: String,
    line: watch::Sender<Line>,
    target: watch::Sender<Target>,
}

impl Target {
    fn of(options: &Opts) -> Self {
        match options.socket() {
            Some(socket) => Self::Socket(socket.into()),
            None => Self::Address(format!("{}:{}", options.ip_or_hostname(), options.tcp_port())),
        }
    }
}

impl Proxy {
    /// A line that works.
    pub(crate) async fn to(url: &str) -> Self {
        let options = Opts::from_url(url).expect("an address");
        let (target, targets) = watch::channel(Target::of(&options));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (user, password) = (options.user().unwrap_or("root"), options.pass().unwrap_or_default());
        let database = options.db_name().unwrap_or_default();
        // The driver would find out the socket and leave the line.
        let url = format!("mysql://{user}:{password}@{address}/{database}?prefer_socket=false");
        let (line, state) = watch::channel(Line::Works(Duration::ZERO));
        tokio::spawn(listen(listener, targets, state));
        Self { url, line, target }
    }

    /// From now on it leads to another database; connections that are there stay where they are.
    pub(crate) fn turns_to(&self, url: &str) {
        let options = Opts::from_url(url).expect("an address");
        self.target.send_replace(Target::of(&options));
    }

    /// From now on the line does this.
    pub(crate) fn becomes(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn listen(listener: TcpListener, targets: watch::Receiver<Target>, line: watch::Receiver<Line>) {
    while let Ok((client, _)) = listener.accept().await {
        if line.has_changed().is_err() {
            return;
        }
        if *line.borrow() == Line::Cut {
            continue;
        }
        let (target, line) = (targets.borrow().clone(), line.clone());
        tokio::spawn(async move {
            match target {
                Target::Socket(path) => {
                    if let Ok(server) = UnixStream::connect(path).await {
                        connect(client, server, line).await;
                    }
                }
                Target::Address(address) => {
                    if let Ok(server) = TcpStream::connect(address).await {
                        connect(client, server, line).await;
                    }
                }
            }
        });
    }
}

/// Carries both ways until one side ends or the line is cut.
async fn connect(
    client: impl AsyncRead + AsyncWrite,
    server: impl AsyncRead + AsyncWrite,
    mut line: watch::Receiver<Line>,
) {
    let ((from_client, to_client), (from_server, to_server)) = (tokio::io::split(client), tokio::io::split(server));
    let cut = line.clone();
    tokio::select! {
        () = carry(from_client, to_server, cut.clone()) => {}
        () = carry(from_server, to_client, cut) => {}
        // An error means that the test is over.
        _ = line.wait_for(|line| *line == Line::Cut) => {}
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut line: watch::Receiver<Line>) {
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        // What it was given while it was frozen arrives when it works again.
        let works = line.wait_for(|line| *line != Line::Frozen).await.map(|line| *line);
        let Ok(Line::Works(delay)) = works else {
            return;
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
