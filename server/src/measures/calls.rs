//! Calls: how many, how they ended, how long they took.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{By, SECONDS};

/// Calls. Their names come from a fixed list: what strangers make up is counted under one.
pub(crate) struct CallMeasures {
    pub(crate) in_flight: Gauge,
    ended: By<2, Counter>,
    seconds: By<1, Histogram>,
}

impl CallMeasures {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let (in_flight, ended) = (Gauge::default(), Family::default());
        let seconds = Family::new_with_constructor(histogram);
        registry.register(
            "calls_in_flight",
            "Calls under way, streams included",
            in_flight.clone(),
        );
        registry.register("calls", "Calls that ended, by gRPC code", Family::clone(&ended));
        registry.register(
            "call_seconds",
            "Time from the head of a request to the end of its answer; not of streams",
            Family::clone(&seconds),
        );
        Self {
            in_flight,
            ended,
            seconds,
        }
    }

    /// Counts a call; `took` is `None` of one that lasts as long as its caller wishes.
    pub(crate) fn end(&self, call: &'static str, code: &'static str, took: Option<Duration>) {
        self.ended.get_or_create(&[("call", call), ("code", code)]).inc();
        if let Some(took) = took {
            self.seconds
                .get_or_create(&[("call", call)])
                .observe(took.as_secs_f64());
        }
    }
}
