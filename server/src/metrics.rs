//! What the server counts, told over HTTP to whoever asks: an address of its own, since it is nobody's business from
//! outside.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::measures::Measures;
use crate::storage::connection::Database;

/// The format that Prometheus asks for.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
/// Who asks for numbers, at once: one Prometheus or two.
const CONNECTIONS: usize = 16;
/// The longest time for a question and its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after the system refused to accept.
const PAUSE: Duration = Duration::from_millis(50);

/// What a server counts.
#[derive(Clone)]
pub struct Metrics {
    measures: Arc<Measures>,
    pools: Arc<[(&'static str, Database)]>,
}

impl Metrics {
    pub(crate) fn new(measures: Arc<Measures>, pools: impl Into<Arc<[(&'static str, Database)]>>) -> Self {
        Self {
            measures,
            pools: pools.into(),
        }
    }

    /// Everything as of now, in the format OpenMetrics.
    pub fn text(&self) -> String {
        for (name, pool) in &*self.pools {
            self.measures.tell_pool(name, pool.state());
        }
        self.measures.text().unwrap_or_else(|error| {
            tracing::error!(%error, "the metrics cannot be written");
            String::new()
        })
    }

    /// Answers `GET /metrics` until it is dropped.
    pub(crate) async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Beyond them: closed at once.
            if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                let metrics = self.clone();
                tokio::spawn(async move {
                    // Whether they read it to the end is their business.
                    let _ = tokio::time::timeout(PATIENCE, metrics.converse(stream)).await;
                    drop(place);
                });
            }
        }
    }

    async fn converse(self, stream: TcpStream) -> Result<(), hyper::Error> {
        let answers = service_fn(|request| {
            let answer = self.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        hyper::server::conn::http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), answers)
            .await
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<String> {
        if request.uri().path() != "/metrics" {
            return refusal(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::GET {
            return refusal(StatusCode::METHOD_NOT_ALLOWED);
        }
        let mut answer = Response::new(self.text());
        answer.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
        answer
    }
}

fn refusal(status: StatusCode) -> Response<String> {
    let mut answer = Response::new(String::new());
    *answer.status_mut() = status;
    answer
}
