//! Who is calling: what the gate found out about a call, for as long as the call lasts.

use std::sync::Arc;

use tonic::metadata::MetadataMap;
use tracing::Instrument as _;

use super::Context;
use super::fields::Fields;
use crate::domain::access::{self, Role};
use crate::measures::traces;

/// Header with which a caller says who acts.
pub(super) const ACTOR: &str = "loyalty-actor";
/// Who acts when the caller does not say, in the development mode.
const DEVELOPMENT: &str = "development";

tokio::task_local! {
    /// Set by the gate around each call and around the making of its answers.
    pub(super) static SESSION: Arc<Session>;
}

/// What a call may do, as whom and from where.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) caller: Caller,
    /// The only store the caller acts in.
    pub(super) store_id: Option<String>,
    /// The only terminal of it.
    pub(super) terminal_id: Option<String>,
    /// Who acts, unless the call says.
    pub(super) actor: String,
}

impl Session {
    /// In the development mode, which listens on loopback only, everybody without a key is this merchant's operator.
    pub(super) fn development(merchant_id: u32) -> Self {
        Self {
            caller: Caller {
                merchant_id,
                role: Role::Operator,
            },
            store_id: None,
            terminal_id: None,
            actor: DEVELOPMENT.to_owned(),
        }
    }
}

/// The merchant a call belongs to: everything it reads and writes is this merchant's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) merchant_id: u32,
    pub(super) role: Role,
}

/// Goes on with the call in a task of its own, in the name of its caller.
pub(super) fn carried_on<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let session = SESSION.try_with(Arc::clone).ok();
    let work = traces::within(traces::current(), work.in_current_span());
    async move {
        match session {
            Some(session) => SESSION.scope(session, work).await,
            None => work.await,
        }
    }
}

/// Who makes the call that this task answers.
pub(super) fn caller(_: &Context) -> Caller {
    SESSION.try_with(|session| session.caller).unwrap_or_else(|_| {
        tracing::error!("a call was answered outside its task: nothing is anybody's there");
        // No merchant has this number, so nothing is found and nobody's books are touched.
        Caller {
            merchant_id: 0,
            role: Role::ReadOnly,
        }
    })
}

/// Who acts, as the header says or else the key: what a write keeps of it shows in the history.
pub(super) fn actor(fields: &mut Fields, metadata: &MetadataMap) -> String {
    let of_key = || SESSION.try_with(|session| session.actor.clone()).unwrap_or_default();
    let Some(header) = metadata.get(ACTOR) else {
        return of_key();
    };
    match header.to_str() {
        Ok("") => of_key(),
        Ok(actor) if access::is_actor(actor) => actor.to_owned(),
        _ => {
            fields.wrong(
                ACTOR,
                "must be 1 to 64 printable ASCII characters, no blanks around them",
            );
            String::new()
        }
    }
}

/// The only store and the only terminal that the caller acts in.
pub(super) fn place() -> (Option<String>, Option<String>) {
    SESSION
        .try_with(|session| (session.store_id.clone(), session.terminal_id.clone()))
        .unwrap_or_default()
}
