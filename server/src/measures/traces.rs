//! Where the time of a call went, for OpenTelemetry: the call, its wait for a writer, and the transaction that posted it.
//! Who listens is the process's business; when nobody does, these spans are none and cost nothing. They say numbers and
//! names of this program, and never what a caller sent: no key, no body, nothing of a member.

use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::Sampler;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// What these spans are known by: the log leaves them out, traces are made of them alone.
pub(crate) const TRACES: &str = "loyalty_traces";

/// Header in which a caller says which trace its call is part of, as the W3C defined it.
const TRACEPARENT: &str = "traceparent";

tokio::task_local! {
    static CALL: Span;
}

/// A call of this name begins, as part of its caller's trace when it has one.
pub(crate) fn call(name: &'static str, call_id: &str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        target: TRACES,
        parent: None,
        "call",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.system = "grpc",
        rpc.grpc.status_code = tracing::field::Empty,
        call_id,
    );
    if let Some(traceparent) = traceparent.filter(|_| !span.is_disabled()) {
        let parent = TraceContextPropagator::new().extract(&Traceparent(traceparent));
        // It fails where nobody listens.
        let _ = span.set_parent(parent);
    }
    span
}

/// Notes how a call ended: its gRPC code, and whether that is the server's fault.
pub(crate) fn ended(call: &Span, code: i32, is_fault: bool) {
    call.record("rpc.grpc.status_code", code);
    if is_fault {
        call.record("otel.status_code", "ERROR");
    }
}

/// Which calls are traced: as the caller says, and of a thousand that do not say so many.
#[expect(clippy::float_arithmetic, reason = "a share of calls, not of points")]
pub(crate) fn sampler(per_thousand: u32) -> Sampler {
    let share = f64::from(per_thousand) / 1_000.0;
    Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(share)))
}

/// Works for a call: what waits or is posted on the way is part of it.
pub(crate) async fn within<F: Future>(call: Span, work: F) -> F::Output {
    CALL.scope(call, work).await
}

/// The call that is worked for.
pub(crate) fn current() -> Span {
    CALL.try_with(Span::clone).unwrap_or_else(|_| Span::none())
}

/// A write of this call begins to wait for a writer.
pub(crate) fn wait(call: &Span) -> Span {
    if call.is_disabled() {
        return Span::none();
    }
    tracing::info_span!(target: TRACES, parent: call, "wait for a writer")
}

/// The transaction begins that posts a write of this call, with so many in all. Those of one transaction are linked to the
/// first of them.
pub(crate) fn transaction(call: &Span, commands: i64) -> Span {
    if call.is_disabled() {
        return Span::none();
    }
    tracing::info_span!(
        target: TRACES,
        parent: call,
        "transaction",
        otel.status_code = tracing::field::Empty,
        commands,
        attempts = tracing::field::Empty,
        round_trips = tracing::field::Empty,
    )
}

/// One header of a call.
struct Traceparent<'a>(&'a str);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        // Not `tracestate`: it is free text, which would be told on.
        (key == TRACEPARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
