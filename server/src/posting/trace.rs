//! What traces show of a command on its way through posting.

use tracing::Span;

use crate::measures::traces;

/// The stage of a command just now, in the trace of its call.
pub(super) struct Trace {
    call: Span,
    stage: Span,
}

impl Trace {
    /// It waits for a writer, in the call that is worked for.
    pub(super) fn wait() -> Self {
        let call = traces::current();
        let stage = traces::wait(&call);
        Self { call, stage }
    }

    /// All of these are posted by one transaction, which only one trace can hold: the others are linked to that one.
    pub(super) fn begin_transaction<'a>(of: impl ExactSizeIterator<Item = &'a mut Self>) {
        let commands = i64::try_from(of.len()).unwrap_or(i64::MAX);
        let mut first: Option<Span> = None;
        for trace in of {
            trace.stage = traces::transaction(&trace.call, commands);
            match &first {
                Some(first) => {
                    trace.stage.follows_from(first);
                }
                None => first = Some(trace.stage.clone()).filter(|stage| !stage.is_disabled()),
            }
        }
    }

    /// It is committed.
    pub(super) fn committed(&self, attempts: u32, round_trips: u64) {
        self.stage.record("attempts", i64::from(attempts));
        self.stage
            .record("round_trips", i64::try_from(round_trips).unwrap_or(i64::MAX));
    }

    /// Its transaction came to nothing.
    pub(super) fn failed(&mut self) {
        let stage = std::mem::replace(&mut self.stage, Span::none());
        stage.record("otel.status_code", "ERROR");
    }
}
