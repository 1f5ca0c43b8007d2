//! What was measured, collected over the rounds.

use std::collections::BTreeMap;

use crate::members::Distribution;

/// How posting runs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Mode {
    /// (a) As built.
    Batched,
    /// (b) One transaction for each write.
    OneByOne,
}

/// One cell of one mode, in one round or as the median of all.
#[derive(Clone, Copy)]
pub(crate) struct Measurement {
    pub(crate) sales_per_second: u64,
    /// Time to the answer.
    pub(crate) median_us: u64,
    pub(crate) p99_us: u64,
    /// CPU time of 10,000 sales.
    pub(crate) server_cpu_ms: u64,
    pub(crate) database_cpu_ms: u64,
    pub(crate) load_cpu_ms: u64,
    /// What programs that do not belong to the benchmark took of all cores, in percent.
    pub(crate) others_percent: u64,
    pub(crate) server_peak_kib: u64,
    pub(crate) database_peak_kib: u64,
}

/// What the database takes at most, and how it was asked.
#[derive(Clone, Copy)]
pub(crate) struct Ceiling {
    pub(crate) sales_per_second: u64,
    pub(crate) connections: u64,
    pub(crate) rows: u64,
}

/// Everything that was measured.
#[derive(Default)]
pub(crate) struct Results {
    cells: BTreeMap<(Mode, Distribution, u64), Vec<Measurement>>,
    ceilings: BTreeMap<Distribution, Vec<Ceiling>>,
}

impl Results {
    pub(crate) fn add(&mut self, mode: Mode, distribution: Distribution, callers: u64, measurement: Measurement) {
        let cell = self.cells.entry((mode, distribution, callers)).or_default();
        cell.push(measurement);
    }

    pub(crate) fn add_ceiling(&mut self, distribution: Distribution, ceiling: Ceiling) {
        self.ceilings.entry(distribution).or_default().push(ceiling);
    }

    /// The median of each number over the rounds.
    pub(crate) fn median(&self, mode: Mode, distribution: Distribution, callers: u64) -> Option<Measurement> {
        let rounds = self.cells.get(&(mode, distribution, callers))?;
        let of = |number: fn(&Measurement) -> u64| median(rounds.iter().map(number).collect());
        Some(Measurement {
            sales_per_second: of(|it| it.sales_per_second)?,
            median_us: of(|it| it.median_us)?,
            p99_us: of(|it| it.p99_us)?,
            server_cpu_ms: of(|it| it.server_cpu_ms)?,
            database_cpu_ms: of(|it| it.database_cpu_ms)?,
            load_cpu_ms: of(|it| it.load_cpu_ms)?,
            others_percent: of(|it| it.others_percent)?,
            server_peak_kib: of(|it| it.server_peak_kib)?,
            database_peak_kib: of(|it| it.database_peak_kib)?,
        })
    }

    /// What other programs took of all cores on average, in percent: the numbers of a busy machine are worth little.
    pub(crate) fn others_percent(&self) -> u64 {
        let shares: Vec<u64> = self.cells.values().flatten().map(|cell| cell.others_percent).collect();
        shares.iter().sum::<u64>() / (shares.len() as u64).max(1)
    }

    /// The ceiling of the median round.
    pub(crate) fn median_ceiling(&self, distribution: Distribution) -> Option<Ceiling> {
        let mut rounds = self.ceilings.get(&distribution)?.clone();
        rounds.sort_unstable_by_key(|ceiling| ceiling.sales_per_second);
        rounds.get(rounds.len() / 2).copied()
    }
}

fn median(mut numbers: Vec<u64>) -> Option<u64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}
