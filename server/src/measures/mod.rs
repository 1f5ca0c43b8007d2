//! What the server counts of its own work, for Prometheus. Every number stands here once, with its name and what it
//! means; the other rooms only count.

mod calls;
mod jobs;
mod points;
mod posting;
pub(crate) mod traces;

use std::sync::Arc;

use prometheus_client::encoding::text;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub(crate) use calls::CallMeasures;
pub(crate) use jobs::JobMeasures;
pub(crate) use points::{PointsMeasures, PointsMoved};
pub use posting::PostingStatistics;
pub(crate) use traces::TRACES;

/// Bounds of what takes time, in seconds: from a read of one row to what a caller no longer waits for.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Numbers by labels.
type By<const N: usize, M, C = fn() -> M> = Family<[(&'static str, &'static str); N], M, C>;

/// What one server counts since it started.
pub(crate) struct Measures {
    registry: Registry,
    pub(crate) calls: CallMeasures,
    pub(crate) posting: Arc<PostingStatistics>,
    pub(crate) jobs: JobMeasures,
    pub(crate) points: PointsMeasures,
    /// Connections of callers.
    pub(crate) connections: Gauge,
    pool_connections: By<2, Gauge>,
    pool_waiting: By<1, Gauge>,
}

/// Connections to the database that are shared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolState {
    pub(crate) in_use: usize,
    pub(crate) idle: usize,
    /// Work that waits for one.
    pub(crate) waiting: usize,
}

impl Measures {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("loyalty");
        let (connections, pool_connections, pool_waiting) = (Gauge::default(), Family::default(), Family::default());
        registry.register("connections", "Connections of callers", connections.clone());
        registry.register(
            "pool_connections",
            "Connections to the database that are shared, by pool and state",
            Family::clone(&pool_connections),
        );
        registry.register(
            "pool_waiting",
            "Work that waits for a shared connection to the database",
            Family::clone(&pool_waiting),
        );
        Self {
            calls: CallMeasures::new(&mut registry),
            posting: Arc::new(PostingStatistics::new(&mut registry)),
            jobs: JobMeasures::new(&mut registry),
            points: PointsMeasures::new(&mut registry),
            registry,
            connections,
            pool_connections,
            pool_waiting,
        }
    }

    /// Notes how a pool is.
    pub(crate) fn tell_pool(&self, pool: &'static str, state: PoolState) {
        for (name, connections) in [("in_use", state.in_use), ("idle", state.idle)] {
            let gauge = self.pool_connections.get_or_create(&[("pool", pool), ("state", name)]);
            gauge.set(count(connections));
        }
        let waiting = self.pool_waiting.get_or_create(&[("pool", pool)]);
        waiting.set(count(state.waiting));
    }

    /// Everything, in the format OpenMetrics.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::with_capacity(16 << 10);
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
