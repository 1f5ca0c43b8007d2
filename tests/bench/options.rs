//! What is measured, and for how long.

use std::time::Duration;

use crate::Failure;
use crate::members::Distribution;

const USAGE: &str = "options, after `--`:
  --quick               a smoke test: 1 round, 1 s, 10,000 members, 16 and 256 callers
  --only-rating         what rating alone costs, and nothing else
  --only-import NUMBER  how fast so many members of another system come in, and nothing else
  --rounds NUMBER       rounds of (a), (b), (c); the tables show medians (default 3)
  --seconds NUMBER      length of each measurement (default 3)
  --members NUMBER      enrolled members (default 100,000)
  --callers LIST        concurrent callers, such as 1,256 (default 1,16,64,256,1024)
  --members-drawn LIST  of uniform, zipf, hot (default all)
  --writers LIST        writers tried for (b) (default 2,4,8,16,32,64)
  --only-sweep LOTS     nothing of this, but sales while so many lots are written off";

/// What is measured, and for how long.
pub(crate) struct Options {
    /// Only what rating alone costs.
    pub(crate) only_rating: bool,
    /// Only an import of so many rows.
    pub(crate) only_import: Option<u64>,
    pub(crate) rounds: u64,
    /// Before each measurement the same load runs for so long unmeasured.
    pub(crate) warm_up: Duration,
    pub(crate) cell: Duration,
    pub(crate) members: u64,
    pub(crate) callers: Vec<u64>,
    pub(crate) distributions: Vec<Distribution>,
    /// Numbers of writers tried for one transaction a write.
    pub(crate) writers: Vec<u64>,
    /// Length of each of those trials, and of each trial of the ceiling.
    pub(crate) probe: Duration,
    /// Lots that lapse at once, to measure sales beside their sweep.
    pub(crate) only_sweep: Option<u64>,
}

impl Options {
    /// The arguments of `cargo bench`, which adds `--bench`.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let arguments: Vec<String> = arguments.filter(|argument| argument != "--bench").collect();
        let mut options = if arguments.iter().any(|argument| argument == "--quick") {
            Self::quick()
        } else {
            Self::full()
        };
        options.only_rating = arguments.iter().any(|argument| argument == "--only-rating");
        let flags = ["--quick", "--only-rating"];
        let mut rest = arguments.iter().filter(|argument| !flags.contains(&argument.as_str()));
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or(USAGE)?;
            match name.as_str() {
                "--only-import" => options.only_import = Some(at_least_one(value)?),
                "--rounds" => options.rounds = at_least_one(value)?,
                "--seconds" => options.cell = Duration::from_secs(at_least_one(value)?),
                "--members" => options.members = at_least_one(value)?,
                "--callers" => options.callers = list(value, at_least_one)?,
                "--writers" => options.writers = list(value, at_least_one)?,
                "--only-sweep" => options.only_sweep = Some(at_least_one(value)?),
                "--members-drawn" => options.distributions = list(value, Distribution::named)?,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(options)
    }

    /// Two modes × three distributions × five numbers of callers × 3.5 s is 105 s a round; the rest adds about 30 s.
    fn full() -> Self {
        Self {
            only_rating: false,
            only_import: None,
            rounds: 3,
            warm_up: Duration::from_millis(500),
            cell: Duration::from_secs(3),
            members: 100_000,
            callers: vec![1, 16, 64, 256, 1_024],
            distributions: vec![Distribution::Uniform, Distribution::Zipf, Distribution::Hot],
            writers: vec![2, 4, 8, 16, 32, 64],
            probe: Duration::from_millis(1_500),
            only_sweep: None,
        }
    }

    fn quick() -> Self {
        Self {
            rounds: 1,
            cell: Duration::from_secs(1),
            members: 10_000,
            callers: vec![16, 256],
            writers: vec![4, 16],
            probe: Duration::from_millis(500),
            only_sweep: None,
            ..Self::full()
        }
    }
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Result<T, Failure>) -> Result<Vec<T>, Failure> {
    text.split(',').map(parse).collect()
}

fn at_least_one(text: &str) -> Result<u64, Failure> {
    let number = text.parse().ok().filter(|number| *number >= 1);
    number.ok_or_else(|| USAGE.into())
}
