//! The gate in front of every call: who is it, and may it? What passes is answered in the name of its caller.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http_body::Frame;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response, header};
use tonic::codegen::{BoxFuture, Bytes};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::access::{AccessTable, Asked};
use super::auth::{ACTOR, Caller, SESSION, Session};
use super::foreign::{explained, explanation};
use super::keys::Keys;
use super::limits::{Held, Places};
use super::watched::Call;
use super::{Clock, status};
use crate::domain::access::{self, KeyId, Secret};
use crate::measures::{Measures, traces};
use crate::storage::connection::Database;

/// How often is looked whether the key of a call that lasts still holds.
const LOOK: Duration = Duration::from_millis(500);

/// Who is let in. A layer around all services.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Access>);

struct Access {
    table: AccessTable,
    keys: Keys,
    places: Places,
    measures: Arc<Measures>,
    clock: Clock,
    /// Who everybody without a key is, in the development mode.
    anonymous: Option<Arc<Session>>,
}

/// A caller that was let in.
struct Admitted {
    session: Arc<Session>,
    key: Option<(KeyId, Secret)>,
    is_stream: bool,
}

impl Gate {
    /// Lets in who has a key in `database`, with so many calls at once; with a merchant for the development mode,
    /// everybody.
    pub(crate) fn new(
        database: Database,
        clock: Clock,
        calls: usize,
        development: Option<u32>,
        measures: &Arc<Measures>,
    ) -> Self {
        Self(Arc::new(Access {
            table: AccessTable::new(),
            keys: Keys::new(database),
            places: Places::new(calls),
            measures: Arc::clone(measures),
            clock,
            anonymous: development.map(|merchant_id| Arc::new(Session::development(merchant_id))),
        }))
    }
}

impl Access {
    /// The caller; `None` for what is open to all.
    async fn admit(&self, path: &str, headers: &HeaderMap) -> Result<Option<Admitted>, Status> {
        let (roles, is_stream) = match self.table.asked(path) {
            Asked::Nothing => return Ok(None),
            Asked::Role(roles, is_stream) => (Some(roles), is_stream),
            Asked::Key => (None, false),
        };
        let key = presented(headers)?;
        if let Some((id, _)) = &key {
            tracing::Span::current().record("key", tracing::field::display(id));
        }
        let session = match (&key, &self.anonymous) {
            (Some((id, secret)), _) => Arc::new(self.authenticate(id, secret).await?),
            (None, Some(anonymous)) => Arc::clone(anonymous),
            (None, None) => return Err(status::unauthenticated("the call brings no API key")),
        };
        let role = session.caller.role;
        let call = path.trim_start_matches('/');
        if roles.is_some_and(|roles| !roles.contains(&role)) {
            return Err(status::role_not_allowed(role, call, "make this call"));
        }
        if headers.get(ACTOR).is_some_and(|actor| !actor.is_empty()) && !role.may_name_actor() {
            return Err(status::role_not_allowed(role, call, "say that somebody else acts"));
        }
        Ok(Some(Admitted {
            session,
            key,
            is_stream,
        }))
    }

    /// Whose key it is. That a key has expired or was revoked is told to who knows its secret only.
    async fn authenticate(&self, id: &KeyId, secret: &Secret) -> Result<Session, Status> {
        let now = (self.clock)();
        let found = self.keys.find(id).await?;
        let Some(key) = found.filter(|key| key.has_secret(secret, now)) else {
            return Err(status::unauthenticated("the API key is not valid"));
        };
        if key.revoked_at.is_some() {
            return Err(status::unauthenticated("the API key was revoked"));
        }
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(status::unauthenticated("the API key has expired"));
        }
        Ok(Session {
            caller: Caller {
                merchant_id: key.id.merchant_id,
                role: key.role,
            },
            store_id: key.store_id.clone(),
            terminal_id: key.terminal_id.clone(),
            actor: key.name.clone(),
        })
    }

    /// Ends when the key holds no longer. That the database does not answer ends nothing.
    async fn until_invalid(&self, key: Option<(KeyId, Secret)>) -> Status {
        let Some((id, secret)) = key else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(LOOK).await;
            match self.authenticate(&id, &secret).await {
                Err(status) if status.code() == tonic::Code::Unauthenticated => return status,
                Ok(_) | Err(_) => {}
            }
        }
    }
}

/// The key that a call brings.
fn presented(headers: &HeaderMap) -> Result<Option<(KeyId, Secret)>, Status> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    let key = value.to_str().ok().and_then(|text| {
        let (scheme, key) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    match (key.and_then(access::parse_key), given.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(status::unauthenticated(
            "the header `authorization` must be `Bearer` and an API key",
        )),
    }
}

impl<S> Layer<S> for Gate {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            inner,
            gate: self.clone(),
        }
    }
}

/// Services behind the gate.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    inner: S,
    gate: Gate,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<Response<Body>, S::Error>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready serves; a clone takes its place.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let access = Arc::clone(&self.gate.0);
        Box::pin(async move {
            let (name, is_stream) = access.table.name(request.uri().path());
            let call = Call::begin(name, is_stream, request.headers(), &access.measures);
            let served = access.serve(&mut inner, request).instrument(call.span.clone());
            let answer = traces::within(call.trace.clone(), served).await?;
            Ok(call.answer(answer))
        })
    }
}

impl Access {
    /// Answers a call, or refuses it.
    async fn serve<S>(self: Arc<Self>, inner: &mut S, request: Request<Body>) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let admitted = match self.admit(request.uri().path(), request.headers()).await {
            Ok(Some(admitted)) => admitted,
            Ok(None) => {
                return match self.places.take_open() {
                    Ok(place) => Ok(inner.call(request).await?.map(|body| Held::body(body, place))),
                    Err(refused) => Ok(refused.into_http()),
                };
            }
            Err(refused) => return Ok(refused.into_http()),
        };
        let place = match self.places.take() {
            Ok(place) => place,
            Err(refused) => return Ok(refused.into_http()),
        };
        let request = request.map(|request| self.places.hold(request));
        let answer = Arc::clone(&self).answer(admitted, inner, request).await?;
        Ok(answer.map(|body| Held::body(body, place)))
    }

    /// Has the services answer in the name of the caller.
    async fn answer<S>(
        self: Arc<Self>,
        admitted: Admitted,
        inner: &mut S,
        request: Request<Body>,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let Admitted {
            session,
            key,
            is_stream,
        } = admitted;
        let answer = {
            let answer = SESSION.scope(Arc::clone(&session), inner.call(request));
            tokio::pin!(answer);
            tokio::select! {
                biased;
                answer = &mut answer => explained(answer?),
                status = self.until_invalid(key.clone()) => return Ok(status.into_http()),
            }
        };
        if !is_stream {
            return Ok(answer);
        }
        let ends = Box::pin(async move { self.until_invalid(key).await });
        Ok(answer.map(|body| Body::new(Lasting::new(body, session, ends))))
    }
}

/// Answers of a call that lasts: made in the name of its caller, and ended when the caller's key is.
struct Lasting {
    answers: Body,
    session: Arc<Session>,
    ends: Pin<Box<dyn Future<Output = Status> + Send>>,
    is_over: bool,
}

impl Lasting {
    fn new(answers: Body, session: Arc<Session>, ends: Pin<Box<dyn Future<Output = Status> + Send>>) -> Self {
        Self {
            answers,
            session,
            ends,
            is_over: false,
        }
    }
}

impl http_body::Body for Lasting {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(status) = self.ends.as_mut().poll(task) {
            self.is_over = true;
            let mut trailers = HeaderMap::new();
            return Poll::Ready(Some(
                status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)),
            ));
        }
        let session = Arc::clone(&self.session);
        let frame = SESSION.sync_scope(session, || Pin::new(&mut self.answers).poll_frame(task));
        frame.map(|frame| frame.map(|frame| frame.map(explained_frame)))
    }
}

/// The last frame of an answer that ends in a status.
fn last_frame(status: &Status) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    // It fails for texts that no header can hold, and ours are none.
    if status.add_header(&mut trailers).is_err() {
        trailers.insert(Status::GRPC_STATUS, header::HeaderValue::from(i32::from(status.code())));
    }
    Frame::trailers(trailers)
}

fn explained_frame(frame: Frame<Bytes>) -> Frame<Bytes> {
    match frame.trailers_ref().and_then(explanation) {
        Some(status) => last_frame(&status),
        None => frame,
    }
}
