//! Traces: a collector learns where the time of a call went, and nothing of who called; whether there is a collector is
//! nothing to callers.

use std::collections::BTreeSet;
use std::net::TcpListener as Listener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use loyalty_sdk::{Client, EarnRate, MemberKey, NewMember, NewProgram, NewRule, Sale};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::harness::guarded::Guarded;
use crate::harness::program::free_port;
use crate::harness::raw::{customer, number, request_id};
use loyalty_sdk::api as wire;

/// A collector that keeps what it is told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// On an address of its own.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let service = TraceServiceServer::new(collector.clone());
        let serving = Server::builder().add_service(service);
        tokio::spawn(serving.serve_with_incoming(TcpListenerStream::new(listener)));
        (collector, format!("http://{address}"))
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spans of a trace, as soon as there are so many.
    async fn trace(&self, trace_id: &str, count: usize) -> Vec<Span> {
        let began = Instant::now();
        loop {
            let mut spans = self.spans();
            spans.retain(|span| hex(&span.trace_id) == trace_id);
            if spans.len() >= count {
                return spans;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{trace_id}: {spans:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number_of(span: &Span, key: &str) -> Option<i64> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::IntValue(number) => Some(*number),
        _ => None,
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let span = spans.iter().find(|span| span.name == name);
    span.unwrap_or_else(|| panic!("no {name}: {spans:?}"))
}

/// A server that tells its spans at once, and a member whose sales it takes.
async fn tracing(endpoint: &str, more: &[(&str, &str)]) -> (Guarded, Client) {
    let usual = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let server = Guarded::start(&[&usual, more].concat()).await;
    let client = server.client(&server.key).await;
    let program = NewProgram::new("Club", "EUR").program_id("club");
    client.create_program(&program).await.expect("a program");
    let rule = NewRule::new("club", "Default", EarnRate::new(1, 1));
    client.create_rule(&rule).await.expect("a rule");
    let lovelace = NewMember::new("club").customer_id("lovelace").name("Augusta Lovelace");
    client.enroll_member(&lovelace).await.expect("a member");
    (server, client)
}

/// A sale as part of a trace.
async fn sells(client: &Client, traceparent: &str) {
    let request_id = request_id();
    let sale = wire::Sale {
        sale_id: request_id.clone(),
        store_id: "store-1".to_owned(),
        member: customer("lovelace"),
        currency_code: "EUR".to_owned(),
        total: number("30"),
        ..Default::default()
    };
    let mut request = Request::new(wire::RecordSaleRequest {
        request_id,
        sale: Some(sale),
        ..Default::default()
    });
    let headers = request.metadata_mut();
    headers.insert("traceparent", traceparent.parse().expect("a header"));
    headers.insert("tracestate", "shop=augusta-lovelace".parse().expect("a header"));
    headers.insert("loyalty-call-id", "till-7-call-1".parse().expect("a header"));
    client.raw_ledger().record_sale(request).await.expect("a receipt");
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_a_part_of_its_callers_trace_with_its_wait_and_its_transaction() {
    let (collector, endpoint) = Collector::start().await;
    let (server, client) = tracing(&endpoint, &[("RUST_LOG", "trace")]).await;

    sells(&client, &format!("00-{TRACE}-00f067aa0ba902b7-01")).await;

    let spans = collector.trace(TRACE, 3).await;
    let call = named(&spans, "LedgerService/RecordSale");
    let (wait, transaction) = (named(&spans, "wait for a writer"), named(&spans, "transaction"));
    assert_eq!(spans.len(), 3, "{spans:?}");
    assert_eq!(hex(&call.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(number_of(call, "rpc.grpc.status_code"), Some(0));
    for part in [wait, transaction] {
        assert_eq!(part.parent_span_id, call.span_id, "{part:?}");
        assert!(part.start_time_unix_nano >= call.start_time_unix_nano, "{part:?}");
    }
    assert!(wait.end_time_unix_nano <= transaction.end_time_unix_nano, "{spans:?}");
    let [commands, attempts, round_trips] =
        ["commands", "attempts", "round_trips"].map(|key| number_of(transaction, key));
    assert_eq!((commands, attempts), (Some(1), Some(1)));
    assert!(round_trips.is_some_and(|count| count > 0), "{transaction:?}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_tells_nothing_of_what_a_caller_sent_but_the_id_of_the_call() {
    let (collector, endpoint) = Collector::start().await;
    let (server, client) = tracing(&endpoint, &[("RUST_LOG", "trace")]).await;
    let wrong = format!("{}{}", &server.key[..server.key.len() - 8], "deadbeef");

    sells(&client, &format!("00-{TRACE}-00f067aa0ba902b7-01")).await;
    let lovelace = MemberKey::customer_id("lovelace");
    let too_much = Sale::new("ticket-2", "store-1", lovelace, "EUR", 30).redeem_points(31);
    client.record_sale(&too_much).await.expect_err("too many points");
    let stranger = server.client(&wrong).await;
    stranger.get_program("club").await.expect_err("a wrong key");

    let began = Instant::now();
    // They come in parcels, in no order that was promised.
    let has = |is_one: fn(&Span) -> bool| collector.spans().iter().any(is_one);
    while !(has(|span| number_of(span, "rpc.grpc.status_code") == Some(16))
        && has(|span| number_of(span, "attempts").is_some())
        && has(|span| format!("{span:?}").contains("till-7-call-1")))
    {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", collector.spans());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let spans = collector.spans();
    let keys: BTreeSet<&str> = spans
        .iter()
        .flat_map(|span| span.attributes.iter().map(|attribute| attribute.key.as_str()))
        .collect();
    let known = [
        "attempts",
        "call_id",
        "commands",
        "round_trips",
        "rpc.grpc.status_code",
        "rpc.system",
    ];
    assert_eq!(keys, BTreeSet::from(known));
    assert!(
        spans
            .iter()
            .all(|span| span.events.is_empty() && span.trace_state.is_empty())
    );
    let told = format!("{spans:?}");
    assert!(told.contains("till-7-call-1"), "{told}");
    for untold in [
        "ovelace",
        "ticket-2",
        "store-1",
        "acme",
        "lk_",
        &server.key[server.key.len() - 20..],
    ] {
        assert!(!told.contains(untold), "traces tell {untold}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_of_one_transaction_are_linked_in_their_traces() {
    let (collector, endpoint) = Collector::start().await;
    let (_server, client) = tracing(&endpoint, &[("LOYALTY_WRITERS", "1")]).await;
    let lovelace = MemberKey::customer_id("lovelace");

    let began = Instant::now();
    let linked = loop {
        let sales = (0..32).map(|_| {
            let (client, sale) = (
                client.clone(),
                Sale::new(request_id(), "store-1", lovelace.clone(), "EUR", 1),
            );
            tokio::spawn(async move { client.record_sale(&sale).await.expect("a receipt") })
        });
        for sale in sales.collect::<Vec<_>>() {
            sale.await.expect("a task");
        }
        let linked = collector.spans().into_iter().find(|span| !span.links.is_empty());
        if let Some(linked) = linked {
            break linked;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no sales met");
    };

    assert_eq!(linked.name, "transaction");
    assert!(
        number_of(&linked, "commands").is_some_and(|count| count > 1),
        "{linked:?}"
    );
    let link = &linked.links[0];
    assert_ne!(link.trace_id, linked.trace_id);
    let first = collector.trace(&hex(&link.trace_id), 3).await;
    let first = named(&first, "transaction");
    assert_eq!(first.span_id, link.span_id);
    assert_eq!(number_of(first, "commands"), number_of(&linked, "commands"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_want_to_be_traced_is_not_and_of_the_others_a_share_is() {
    let (collector, endpoint) = Collector::start().await;
    let (_server, client) = tracing(&endpoint, &[("LOYALTY_TRACES_PER_THOUSAND", "0")]).await;
    let not = "0af7651916cd43dd8448eb211c80319c";

    sells(&client, &format!("00-{not}-00f067aa0ba902b7-00")).await;
    // What is no such header begins no trace and does no harm.
    sells(&client, "no trace at all").await;
    sells(&client, &format!("00-{TRACE}-00f067aa0ba902b7-01")).await;

    collector.trace(TRACE, 3).await;
    let others: Vec<_> = collector.spans();
    assert!(others.iter().all(|span| hex(&span.trace_id) == TRACE), "{others:?}");
}

/// Serves as if nobody collected, and stops in time.
async fn serves_and_stops(endpoint: &str) {
    let (server, client) = tracing(endpoint, &[]).await;
    let lovelace = MemberKey::customer_id("lovelace");

    let began = Instant::now();
    for number in 0..200 {
        let sale = Sale::new(format!("ticket-{number}"), "store-1", lovelace.clone(), "EUR", 1);
        client.record_sale(&sale).await.expect("a receipt");
    }
    let took = began.elapsed();
    let told = server.line(&["traces are lost", endpoint]).await;
    let told_before = server
        .program
        .log()
        .iter()
        .filter(|line| line.contains("traces are lost"))
        .count();
    let stopping = Instant::now();
    server.program.signal("-TERM");
    let code = server.program.wait();

    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(told.contains("WARN") && told_before == 1, "{told}");
    assert_eq!(code, Some(0));
    assert!(stopping.elapsed() < Duration::from_secs(10), "{:?}", stopping.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_hurts_neither_a_call_nor_the_exit() {
    serves_and_stops(&format!("http://127.0.0.1:{}", free_port())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_hurts_neither_a_call_nor_the_exit() {
    // Its connections are taken by the system, and nobody reads them.
    let silent = Listener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");

    serves_and_stops(&format!("http://{address}")).await;
}
