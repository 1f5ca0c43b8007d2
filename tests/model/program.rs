//! The programs of random histories, in whole numbers: money in cents, points in the program's smallest unit.

use chrono::{DateTime, Days, FixedOffset, Months, NaiveDate, NaiveTime, Utc};
use loyalty_sdk::{
    EarnRate, ExpiryPolicy, NewProgram, ProgramUpdate, RedemptionPolicy, Rounding, ShortfallPolicy, Tier,
    TierSpendBasis,
};
use rust_decimal::Decimal;

use super::chance::Chance;

/// `points` for every `amount` of money.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) amount: i64,
    pub(super) points: i64,
    pub(super) rounding: Round,
}

/// What becomes of points that are taken back and not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shortfall {
    Owed,
    LetGo,
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    Floor,
    HalfUp,
    Ceiling,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Expiry {
    Never,
    Days(u32),
    Months(u32),
}

/// A program.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) decimals: u32,
    pub(super) rate: Rate,
    /// Minimum spend in cents and own rate, by rising minimum.
    pub(super) tiers: Vec<(i64, Option<Rate>)>,
    pub(super) expiry: Expiry,
    pub(super) pending_days: u32,
    /// Hours that the program's zone is behind UTC: 0 or 5.
    pub(super) hours_behind: i32,
    /// Ten-thousandths of money that a point pays.
    pub(super) value: i64,
    pub(super) points_rounding: Round,
    pub(super) earns_on_points_paid_part: bool,
    pub(super) spend_without_points_paid_part: bool,
    pub(super) shortfall: Shortfall,
}

impl Round {
    fn sdk(self) -> Rounding {
        match self {
            Self::Floor => Rounding::Floor,
            Self::HalfUp => Rounding::HalfUp,
            Self::Ceiling => Rounding::Ceiling,
        }
    }

    /// `numerator / denominator`, both not negative.
    pub(super) fn divide(self, numerator: i128, denominator: i128) -> i128 {
        match self {
            Self::Floor => numerator / denominator,
            Self::HalfUp => (2 * numerator + denominator) / (2 * denominator),
            Self::Ceiling => (numerator + denominator - 1) / denominator,
        }
    }
}

impl Rate {
    fn random(chance: &mut Chance) -> Self {
        Self {
            amount: chance.pick(&[1, 3, 7, 10, 100]),
            points: chance.pick(&[1, 1, 2, 5]),
            rounding: chance.pick(&[Round::Floor, Round::Floor, Round::HalfUp, Round::Ceiling]),
        }
    }

    fn sdk(self) -> EarnRate {
        EarnRate::new(self.amount, self.points).rounding(self.rounding.sdk())
    }
}

impl Shape {
    pub(super) fn random(chance: &mut Chance) -> Self {
        let mut minimums: Vec<i64> = (0..chance.between(0, 3))
            .map(|_| chance.between(0, 400) * 100)
            .collect();
        minimums.sort_unstable();
        minimums.dedup();
        let tiers = minimums.into_iter().map(|minimum| {
            let own = chance.one_in(2).then(|| Rate::random(chance));
            (minimum, own)
        });
        Self {
            tiers: tiers.collect(),
            decimals: chance.pick(&[0, 0, 1, 2]),
            rate: Rate::random(chance),
            expiry: match chance.between(1, 5) {
                1 => Expiry::Never,
                2 | 3 => Expiry::Days(u32::try_from(chance.between(1, 20)).expect("days")),
                _ => Expiry::Months(u32::try_from(chance.between(1, 3)).expect("months")),
            },
            pending_days: if chance.one_in(3) { 2 } else { 0 },
            hours_behind: chance.pick(&[0, 5]),
            value: chance.pick(&[10_000, 100, 333, 100_000, 2_500]),
            points_rounding: chance.pick(&[Round::Ceiling, Round::HalfUp, Round::Floor]),
            earns_on_points_paid_part: chance.one_in(4),
            spend_without_points_paid_part: chance.one_in(3),
            shortfall: chance.pick(&[Shortfall::Owed, Shortfall::Owed, Shortfall::LetGo, Shortfall::Refused]),
        }
    }

    /// What it becomes when somebody changes its rule, its settings or both; its decimals never change.
    pub(super) fn changed(&self, chance: &mut Chance) -> Self {
        let other = Self {
            decimals: self.decimals,
            ..Self::random(chance)
        };
        match chance.between(1, 3) {
            1 => Self {
                rate: other.rate,
                ..self.clone()
            },
            2 => Self {
                rate: self.rate,
                ..other
            },
            _ => other,
        }
    }

    /// The same for the SDK, but for the settings, which come with `settings`.
    pub(super) fn sdk(&self) -> NewProgram {
        NewProgram::new("Model", "EUR").decimals(self.decimals)
    }

    /// Gives a program all its settings.
    pub(super) fn settings(&self, program: ProgramUpdate) -> ProgramUpdate {
        program
            .time_zone(if self.hours_behind == 0 { "UTC" } else { "America/Lima" })
            .redemption(Some(
                RedemptionPolicy::new(self.value_per_point()).points_rounding(self.points_rounding.sdk()),
            ))
            .tiers(&self.sdk_tiers())
            .expiry(match self.expiry {
                Expiry::Never => None,
                Expiry::Days(days) => Some(ExpiryPolicy::days(days)),
                Expiry::Months(months) => Some(ExpiryPolicy::months(months)),
            })
            .pending_days(self.pending_days)
            .earn_on_points_paid_part(self.earns_on_points_paid_part)
            .shortfall_policy(match self.shortfall {
                Shortfall::Owed => ShortfallPolicy::AllowNegative,
                Shortfall::LetGo => ShortfallPolicy::ClampToZero,
                Shortfall::Refused => ShortfallPolicy::Refuse,
            })
            .tier_spend_basis(match self.spend_without_points_paid_part {
                true => TierSpendBasis::WithoutPointsPaidPart,
                false => TierSpendBasis::WholeSale,
            })
    }

    fn sdk_tiers(&self) -> Vec<Tier> {
        let tiers = self.tiers.iter().enumerate().map(|(place, (minimum, rate))| {
            let tier = Tier::new(tier_id(place), "Tier", Decimal::new(*minimum, 2));
            match rate {
                Some(rate) => tier.earn_rate(rate.sdk()),
                None => tier,
            }
        });
        tiers.collect()
    }

    pub(super) fn value_per_point(&self) -> Decimal {
        Decimal::new(self.value, 4)
    }

    pub(super) fn default_rate(&self) -> EarnRate {
        self.rate.sdk()
    }

    /// The place of the tier that `spend` reaches.
    pub(super) fn tier_of(&self, spend: i64) -> Option<usize> {
        self.tiers.iter().rposition(|(minimum, _)| spend >= *minimum)
    }

    /// What `cents` earn in a tier.
    pub(super) fn earned(&self, tier: Option<usize>, cents: i64) -> i64 {
        if self.tiers.is_empty() {
            return self.points_of(self.rate, cents);
        }
        match tier {
            Some(place) => self.points_of(self.tiers[place].1.unwrap_or(self.rate), cents),
            None => 0,
        }
    }

    fn points_of(&self, rate: Rate, cents: i64) -> i64 {
        let numerator = i128::from(cents) * i128::from(rate.points) * 10_i128.pow(self.decimals);
        narrow(rate.rounding.divide(numerator, 100 * i128::from(rate.amount)))
    }

    /// Cents that `points` pay.
    pub(super) fn money(&self, points: i64) -> i64 {
        let numerator = i128::from(points) * i128::from(self.value);
        narrow(Round::Floor.divide(numerator, 100 * 10_i128.pow(self.decimals)))
    }

    /// Points that pay `cents`.
    pub(super) fn points_for(&self, cents: i64) -> i64 {
        let numerator = i128::from(cents) * 100 * 10_i128.pow(self.decimals);
        narrow(self.points_rounding.divide(numerator, i128::from(self.value)))
    }

    /// When points of a sale at `at` lapse.
    pub(super) fn expires_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let day = self.day(at);
        let first_day_without = match self.expiry {
            Expiry::Never => return None,
            Expiry::Days(days) => day + Days::new(u64::from(days) + 1),
            Expiry::Months(months) => day + Months::new(months),
        };
        Some(self.start_of(first_day_without))
    }

    /// Until when points of a sale at `at` cannot be spent.
    pub(super) fn pending_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let after = Days::new(u64::from(self.pending_days) + 1);
        (self.pending_days > 0).then(|| self.start_of(self.day(at) + after))
    }

    /// When the day of an instant begins.
    pub(super) fn start_of_day(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        self.start_of(self.day(at))
    }

    fn zone(&self) -> FixedOffset {
        FixedOffset::west_opt(self.hours_behind * 3_600).expect("a zone")
    }

    pub(super) fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone()).date_naive()
    }

    fn start_of(&self, day: NaiveDate) -> DateTime<Utc> {
        let start = day.and_time(NaiveTime::MIN).and_local_timezone(self.zone());
        start.single().expect("one midnight").with_timezone(&Utc)
    }
}

fn tier_id(place: usize) -> String {
    format!("tier-{place}")
}

/// The place that a tier has among those of its version.
pub(super) fn place_of_tier(tier_id: &str) -> Option<usize> {
    tier_id.strip_prefix("tier-")?.parse().ok()
}

fn narrow(number: i128) -> i64 {
    i64::try_from(number).expect("numbers of stories are small")
}
