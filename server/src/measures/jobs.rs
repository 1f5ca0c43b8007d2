//! Jobs: how far they are.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::By;

/// What jobs of this server did; of a job of which there is one among all servers, the one that has its lease counts.
#[derive(Debug, Default)]
pub(crate) struct JobMeasures {
    pub(crate) sealed_entries: Counter,
    /// Whether this server seals.
    pub(crate) sealing: Gauge,
    /// When everything had been sealed last, in seconds since 1970.
    pub(crate) sealed_up_to: Gauge,
    pub(crate) sweeps: Counter,
    pub(crate) swept_members: Counter,
    pub(crate) swept_lots: Counter,
    pub(crate) forgotten_requests: Counter,
    failures: By<1, Counter>,
}

impl JobMeasures {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let this = Self::default();
        registry.register(
            "sealed_entries",
            "Entries that were given their place in the feed and the hash chain",
            this.sealed_entries.clone(),
        );
        registry.register(
            "sealing",
            "1 on the server that seals, 0 on the others",
            this.sealing.clone(),
        );
        registry.register(
            "sealed_up_to_timestamp_seconds",
            "When nothing was left to seal last, in seconds since 1970",
            this.sealed_up_to.clone(),
        );
        registry.register(
            "sweeps",
            "Runs that wrote lapsed points of a merchant off",
            this.sweeps.clone(),
        );
        registry.register(
            "swept_members",
            "Members whose lapsed points were written off by a run",
            this.swept_members.clone(),
        );
        registry.register(
            "swept_lots",
            "Lots that were written off by a run",
            this.swept_lots.clone(),
        );
        registry.register(
            "forgotten_requests",
            "Old requests of which it is no longer known what became of them",
            this.forgotten_requests.clone(),
        );
        registry.register(
            "job_failures",
            "Attempts of a job that failed; it tries again",
            this.failures.clone(),
        );
        this
    }

    /// A job failed and tries again.
    pub(crate) fn fail(&self, job: &'static str) {
        self.failures.get_or_create(&[("job", job)]).inc();
    }
}
