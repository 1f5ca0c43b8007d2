//! Traces on their way to a collector, over OTLP. They leave beside the work: what finds no room in the queue, or a
//! collector that does not answer, is lost, and no call waits for it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::measures::{TRACES, traces};

/// A collector that does not take what it is given within it has lost it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the program waits at its end for what is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Where traces go, and which.
#[derive(Clone, Debug)]
pub(crate) struct TraceOptions {
    /// A collector, such as `http://127.0.0.1:4317`.
    pub(crate) endpoint: String,
    /// Of a thousand calls whose callers do not say whether they are traced, so many are.
    pub(crate) per_thousand: u32,
}

/// The way to the collector.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to tell. It needs the runtime of the process.
    pub(crate) fn start(options: &TraceOptions) -> Result<Self, opentelemetry_otlp::ExporterBuildError> {
        let otlp = Otlp::builder()
            .with_tonic()
            .with_endpoint(options.endpoint.as_str())
            .with_timeout(PATIENCE)
            .build()?;
        let exporter = Exporter {
            otlp,
            endpoint: options.endpoint.clone(),
            is_lost: AtomicBool::new(false),
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(traces::sampler(options.per_thousand))
            .with_resource(Resource::builder().with_service_name("loyalty-server").build())
            .build();
        Ok(Self(provider))
    }

    /// What takes up the spans that are meant for traces.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("loyalty-server"))
            .with_context_activation(false)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|said| said.target() == TRACES))
    }

    /// Tells what there is still to tell, within a bound.
    pub(crate) fn end(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_WORDS) {
            tracing::warn!(%error, "the last traces were not delivered");
        }
    }
}

/// Exports, and says in the log when that begins to fail and when it works again.
struct Exporter {
    otlp: Otlp,
    endpoint: String,
    is_lost: AtomicBool,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.otlp.export(batch).await;
        let was_lost = self.is_lost.swap(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Err(error) if !was_lost => {
                tracing::warn!(endpoint = self.endpoint, %error, "traces are lost: the collector does not take them");
            }
            Ok(()) if was_lost => tracing::info!(endpoint = self.endpoint, "the collector takes traces again"),
            Ok(()) | Err(_) => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
