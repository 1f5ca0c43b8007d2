//! Calls from browsers: grpc-web, from pages of the origins that were named. Everything behind it, from the gate on, is the
//! same as for other callers.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::codegen::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::util::Either;
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use super::auth::ACTOR;
use super::watched::CALL_ID;

/// How long a browser need not ask again whether it may call.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// What browsers are let through with. A layer around the gate.
#[derive(Clone)]
pub(crate) struct Browsers(Arc<[HeaderValue]>);

impl Browsers {
    /// Pages of these origins, such as `https://office.example.com`, may call; with none, grpc-web is not spoken.
    pub(crate) fn from(origins: &[HeaderValue]) -> Self {
        Self(origins.into())
    }

    fn cors(&self) -> CorsLayer {
        let name = HeaderName::from_static;
        let asked = [
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            name("grpc-timeout"),
            name("traceparent"),
            name("x-grpc-web"),
            name("x-user-agent"),
            name(ACTOR),
            CALL_ID,
        ];
        let shown = [
            Status::GRPC_STATUS,
            name("grpc-message"),
            name("grpc-retry-pushback-ms"),
            name("grpc-status-details-bin"),
            CALL_ID,
        ];
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_methods([Method::POST])
            .allow_headers(asked)
            .expose_headers(shown)
            .max_age(REMEMBERED)
    }
}

impl<S> Layer<S> for Browsers {
    type Service = Either<Known<Cors<GrpcWebService<S>>>, S>;

    fn layer(&self, inner: S) -> Self::Service {
        if self.0.is_empty() {
            return Either::Right(inner);
        }
        Either::Left(Known {
            inner: self.cors().layer(GrpcWebLayer::new().layer(inner)),
            origins: Arc::clone(&self.0),
        })
    }
}

/// Turns away what comes from a page of another origin. The answers' headers alone would only keep the page from reading
/// what was done for it.
#[derive(Clone)]
pub(crate) struct Known<S> {
    inner: S,
    origins: Arc<[HeaderValue]>,
}

impl<S> Service<Request<Body>> for Known<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Response<Body>, S::Error>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        if origins.all(|origin| self.origins.contains(origin)) {
            return Box::pin(self.inner.call(request));
        }
        let mut refusal = Response::new(Body::empty());
        *refusal.status_mut() = StatusCode::FORBIDDEN;
        Box::pin(async { Ok(refusal) })
    }
}
