//! Who buys: members drawn evenly, by Zipf's law, or always the same one.

use std::fmt;
use std::sync::Arc;

use crate::Failure;

/// How the member of a sale is drawn.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Distribution {
    Uniform,
    Zipf,
    Hot,
}

impl Distribution {
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "uniform" => Ok(Self::Uniform),
            "zipf" => Ok(Self::Zipf),
            "hot" => Ok(Self::Hot),
            _ => Err(format!("{name:?} is none of uniform, zipf, hot").into()),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Uniform => "members drawn evenly",
            Self::Zipf => "members drawn by Zipf's law (exponent 1)",
            Self::Hot => "all sales for one member",
        })
    }
}

/// Weight of the most frequent member; the others get this divided by their rank. The sum over any number of members
/// that fits into memory stays below 2^64.
const FIRST_WEIGHT: u64 = 1 << 52;

/// Draws members, numbered from 0.
#[derive(Clone)]
pub(crate) struct Members {
    count: u64,
    /// By Zipf's law: for each member the sum of the weights up to and with it.
    cumulative: Arc<[u64]>,
    distribution: Distribution,
}

impl Members {
    pub(crate) fn new(count: u64, distribution: Distribution) -> Self {
        let ranked = if distribution == Distribution::Zipf { count } else { 0 };
        let cumulative = (1..=ranked).scan(0, |sum, rank| {
            *sum += FIRST_WEIGHT / rank;
            Some(*sum)
        });
        Self {
            count,
            cumulative: cumulative.collect(),
            distribution,
        }
    }

    pub(crate) fn draw(&self, dice: &mut Dice) -> u64 {
        match self.distribution {
            Distribution::Uniform => dice.below(self.count),
            Distribution::Zipf => {
                let at = dice.below(self.cumulative.last().copied().unwrap_or(1));
                self.cumulative.partition_point(|sum| *sum <= at) as u64
            }
            Distribution::Hot => 0,
        }
    }
}

/// SplitMix64: random enough to choose members by, and the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper half of the product instead of a remainder: no division, no bias towards small numbers.
        let product = u128::from(mixed) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or_default()
    }
}
