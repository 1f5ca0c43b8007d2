//! Connections on their way in: counted, made secure, and given up when they keep silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;
use tonic::transport::server::Connected;

use crate::gathered::Gathered;
use crate::tls::Tls;

/// How long a new connection may take to become secure, and then to say its first word.
const PATIENCE: Duration = Duration::from_secs(10);
/// What HTTP/2 begins with; less is no word.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Connections at once that speak HTTP/1, as browsers and proxies in front of them do: the library keeps up to 0.4 MB of
/// each until the head of a request is whole.
const WEB_CONNECTIONS: usize = 128;
/// The pause after the system refused to accept, as it does when it has no more file descriptors.
const PAUSE: Duration = Duration::from_millis(50);
/// How often it is told that connections are turned away.
const TELL: Duration = Duration::from_secs(10);

/// The connections of a listener.
pub(crate) struct Incoming {
    ready: mpsc::Receiver<io::Result<Connection>>,
    accepting: JoinHandle<()>,
}

impl Incoming {
    /// Takes connections, at most `limit` at once. Further ones are closed at once: their clients try again, perhaps
    /// with another server, instead of waiting for a place. HTTP/1 is looked for where the web is served.
    pub(crate) fn start(listener: TcpListener, tls: Option<Tls>, limit: usize, has_web: bool, count: &Gauge) -> Self {
        let (sender, ready) = mpsc::channel(64);
        let places = Places {
            free: Arc::new(Semaphore::new(limit)),
            taken: count.clone(),
            of_web: has_web.then(|| Arc::new(Semaphore::new(WEB_CONNECTIONS))),
        };
        let accepting = tokio::spawn(accept(listener, tls, places, sender));
        Self { ready, accepting }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.ready.poll_recv(task)
    }
}

async fn accept(listener: TcpListener, tls: Option<Tls>, places: Places, ready: mpsc::Sender<io::Result<Connection>>) {
    let mut told: Option<tokio::time::Instant> = None;
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(place) = places.take() else {
            if told.is_none_or(|told| told.elapsed() > TELL) {
                tracing::warn!("connections are turned away: there are too many");
                told = Some(tokio::time::Instant::now());
            }
            continue;
        };
        // With Nagle's algorithm an answer of several frames waits 40 ms for the client's delayed acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was lost at once");
            continue;
        }
        let Some(tls) = &tls else {
            let connection = Connection::new(stream, place);
            if ready.send(Ok(connection)).await.is_err() {
                return;
            }
            continue;
        };
        // Beside the others: one that is slow keeps nobody waiting.
        let (acceptor, ready) = (TlsAcceptor::from(tls.current()), ready.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let connection = Connection::new(stream, place);
                    // Nobody takes it when the server is stopping.
                    let _ = ready.send(Ok(connection)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a connection did not become secure"),
                Err(_) => tracing::debug!("a connection did not become secure in time"),
            }
        });
    }
}

/// Places for connections.
struct Places {
    free: Arc<Semaphore>,
    taken: Gauge,
    of_web: Option<Arc<Semaphore>>,
}

impl Places {
    fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        self.taken.inc();
        Some(Place {
            _permit: permit,
            taken: self.taken.clone(),
            of_web: self.of_web.clone(),
            web_permit: None,
        })
    }
}

/// A place that is taken.
struct Place {
    _permit: OwnedSemaphorePermit,
    taken: Gauge,
    of_web: Option<Arc<Semaphore>>,
    web_permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Takes one of the places for HTTP/1 besides. Where the web is not served, the library refuses it.
    fn take_web(&mut self) -> io::Result<()> {
        let Some(of_web) = &self.of_web else {
            return Ok(());
        };
        let permit = Arc::clone(of_web).try_acquire_owned();
        self.web_permit = Some(permit.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.dec();
    }
}

/// What carries a connection: its TCP stream, or TLS over it.
trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Carrier for T {}

/// A connection; while it lives it has one of the places.
pub(crate) struct Connection {
    transport: Gathered<Box<dyn Carrier>>,
    place: Place,
    /// Until when the first word must have come; none when it has.
    first_word: Option<Pin<Box<Sleep>>>,
    received: usize,
}

impl Connection {
    fn new(transport: impl Carrier + 'static, place: Place) -> Self {
        Self {
            transport: Gathered::new(Box::new(transport)),
            place,
            first_word: Some(Box::pin(tokio::time::sleep(PATIENCE))),
            received: 0,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.transport).poll_read(task, buffer);
        let Some(first_word) = &mut self.first_word else {
            return read;
        };
        let is_late = first_word.as_mut().poll(task).is_ready();
        let heard = &buffer.filled()[before..];
        let is_http_2 = HTTP_2[self.received..]
            .iter()
            .zip(heard)
            .all(|(expected, byte)| expected == byte);
        self.received += heard.len();
        if !is_http_2 {
            self.first_word = None;
            self.place.take_web()?;
        } else if self.received >= HTTP_2.len() {
            self.first_word = None;
        } else if is_late && read.is_pending() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(task, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(task)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(task, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }
}
