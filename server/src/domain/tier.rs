//! Which tier a member is in.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::expiry::start_of_day;
use super::program::{Program, Tier, TierDowngrade, TierSpendWindow};

/// Spend that counts towards tiers, as far as the program's window needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spend {
    /// All that was ever spent.
    Lifetime(Decimal),
    /// By day of the program's zone, since `spend_needed_since`.
    ByDay(BTreeMap<NaiveDate, Decimal>),
}

/// What a member had spent at one moment, as far as it decides which tier more spend on the same day reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Prior {
    /// Inside the window that ends on the day.
    pub(crate) spend: Decimal,
    /// The highest of a window that ended on a grace day before; 0 without any.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub(crate) highest: Decimal,
    /// The tier that was reached before, where it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kept_tier_id: Option<String>,
}

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing<'a> {
    pub(crate) tier: Option<&'a Tier>,
    /// Spend inside the window.
    pub(crate) spend: Decimal,
}

/// The instant since which single sales decide the tier at `at`; `None` where the lifetime's sum does.
pub(crate) fn spend_needed_since(program: &Program, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let window = program.tier_spend_window;
    if window == TierSpendWindow::Lifetime {
        return None;
    }
    let first_day = window_start(window, back(program.local_date(at), grace_days(window)));
    Some(start_of_day(first_day, program.time_zone))
}

/// The tier on `today`. `kept` is the tier the member had reached before: it counts only where a tier once reached
/// stays. Bounds are inclusive.
pub(crate) fn standing<'a>(program: &'a Program, spend: &Spend, kept: Option<&str>, today: NaiveDate) -> Standing<'a> {
    Prior::of(program, spend, kept, today).standing(program, Decimal::ZERO)
}

/// The tier that stays with a member for whom it once was reached, when spend of the past turns out to be less: `days`
/// are all of it, `less` what is taken off it, by day. Lost is only what spend explains: a tier above it came from
/// elsewhere, such as other bounds.
pub(crate) fn kept_with_less(
    program: &Program,
    days: &BTreeMap<NaiveDate, Decimal>,
    less: (NaiveDate, Decimal),
    kept: Option<&str>,
) -> Option<String> {
    let window = program.tier_spend_window;
    let highest = |days: &BTreeMap<NaiveDate, Decimal>| {
        let spends = days.keys().map(|day| spend_on(window, days, *day));
        reached(program, spends.max().unwrap_or_default())
    };
    let mut fewer = days.clone();
    *fewer.entry(less.0).or_default() -= less.1;
    let rank = |tier: Option<&Tier>| tier.map(|tier| tier.minimum_spend);
    let named = program.tiers.iter().find(|tier| Some(tier.tier_id.as_str()) == kept);
    let (before, after) = (highest(days), highest(&fewer));
    let stays = if rank(named) <= rank(before) && rank(after) < rank(named) {
        after
    } else {
        named
    };
    stays.map(|tier| tier.tier_id.clone())
}

/// The tier of the most that was ever inside the window; `days` are all spend there was.
pub(crate) fn highest_reached(program: &Program, days: &BTreeMap<NaiveDate, Decimal>) -> Option<String> {
    let window = program.tier_spend_window;
    let spends = days.keys().map(|day| spend_on(window, days, *day));
    reached(program, spends.max().unwrap_or_default()).map(|tier| tier.tier_id.clone())
}

/// The higher of two tiers, as the program orders them now; one that it does not have is below all.
pub(crate) fn higher(program: &Program, one: Option<String>, other: Option<String>) -> Option<String> {
    let rank = |tier_id: &Option<String>| {
        let tiers = program.tiers.iter();
        tiers
            .into_iter()
            .position(|tier| Some(&tier.tier_id) == tier_id.as_ref())
    };
    if rank(&other) > rank(&one) { other } else { one }
}

impl Prior {
    /// As of `today`; `kept` is the tier the member had reached before.
    pub(crate) fn of(program: &Program, spend: &Spend, kept: Option<&str>, today: NaiveDate) -> Self {
        match spend {
            Spend::Lifetime(total) => Self {
                spend: *total,
                ..Self::default()
            },
            Spend::ByDay(days) => {
                let window = program.tier_spend_window;
                Self {
                    spend: spend_on(window, days, today),
                    highest: highest_recent_spend(window, days, today),
                    kept_tier_id: kept.filter(|_| never_downgrades(window)).map(str::to_owned),
                }
            }
        }
    }

    /// Where the member stands with `more` spend on that day.
    pub(crate) fn standing<'a>(&self, program: &'a Program, more: Decimal) -> Standing<'a> {
        let spend = self.spend + more;
        let by_spend = reached(program, spend.max(self.highest));
        let kept = self
            .kept_tier_id
            .as_deref()
            .and_then(|id| program.tiers.iter().find(|tier| tier.tier_id == id));
        let tier = match (by_spend, kept) {
            (Some(a), Some(b)) if b.minimum_spend > a.minimum_spend => Some(b),
            (None, kept) => kept,
            (by_spend, _) => by_spend,
        };
        Standing { tier, spend }
    }
}

impl Standing<'_> {
    /// Id of the tier.
    pub(crate) fn tier_id(&self) -> Option<String> {
        self.tier.map(|tier| tier.tier_id.clone())
    }

    /// The next tier above both the spend and the present tier, and the spend missing to it.
    pub(crate) fn next<'p>(&self, program: &'p Program) -> Option<(&'p Tier, Decimal)> {
        let above = self.tier.map_or(Decimal::NEGATIVE_ONE, |tier| tier.minimum_spend);
        program
            .tiers
            .iter()
            .find(|tier| tier.minimum_spend > self.spend && tier.minimum_spend > above)
            .map(|tier| (tier, tier.minimum_spend - self.spend))
    }
}

fn reached(program: &Program, spend: Decimal) -> Option<&Tier> {
    program.tiers.iter().rev().find(|tier| spend >= tier.minimum_spend)
}

/// Whether a tier once reached stays though the window moves on.
pub(crate) fn never_downgrades(window: TierSpendWindow) -> bool {
    matches!(
        window,
        TierSpendWindow::RollingDays {
            downgrade: TierDowngrade::Never,
            ..
        } | TierSpendWindow::CalendarYear {
            downgrade: TierDowngrade::Never
        }
    )
}

fn grace_days(window: TierSpendWindow) -> u32 {
    match window {
        TierSpendWindow::RollingDays {
            downgrade: TierDowngrade::AfterWindow { grace_days },
            ..
        }
        | TierSpendWindow::CalendarYear {
            downgrade: TierDowngrade::AfterWindow { grace_days },
        } => grace_days,
        TierSpendWindow::Lifetime | TierSpendWindow::RollingDays { .. } | TierSpendWindow::CalendarYear { .. } => 0,
    }
}

/// The highest spend of the window on any of the grace days before `today`; 0 without grace. Between two sales the window
/// only loses spend, so the first grace day and the days of sales are the only candidates.
fn highest_recent_spend(window: TierSpendWindow, days: &BTreeMap<NaiveDate, Decimal>, today: NaiveDate) -> Decimal {
    let first = back(today, grace_days(window));
    if first == today {
        return Decimal::ZERO;
    }
    days.range(first..today)
        .map(|(day, _)| *day)
        .chain([first])
        .map(|day| spend_on(window, days, day))
        .max()
        .unwrap_or_default()
}

fn spend_on(window: TierSpendWindow, days: &BTreeMap<NaiveDate, Decimal>, day: NaiveDate) -> Decimal {
    days.range(window_start(window, day)..=day)
        .map(|(_, amount)| amount)
        .sum()
}

fn window_start(window: TierSpendWindow, day: NaiveDate) -> NaiveDate {
    match window {
        TierSpendWindow::Lifetime => NaiveDate::MIN,
        TierSpendWindow::RollingDays { days, .. } => back(day, days.saturating_sub(1)),
        TierSpendWindow::CalendarYear { .. } => NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day),
    }
}

fn back(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(u64::from(days)))
        .unwrap_or(NaiveDate::MIN)
}
