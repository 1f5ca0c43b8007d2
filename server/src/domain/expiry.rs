//! When points lapse.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::program::{ExpiryEnd, ExpiryPeriod, ExpiryPolicy};

/// The expiry of points that never lapse: it sorts after every real one, as R9 consumes them last.
pub(crate) const NEVER: DateTime<Utc> = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
    None => DateTime::<Utc>::MAX_UTC,
};

/// The instant from which points that arrived at `accrued_at` are no longer usable; days are those of `zone`.
pub(crate) fn expires_under(policy: Option<&ExpiryPolicy>, zone: Tz, accrued_at: DateTime<Utc>) -> DateTime<Utc> {
    let accrual_date = accrued_at.with_timezone(&zone).date_naive();
    let first_day_without = policy.and_then(|policy| first_day_without(*policy, accrual_date));
    first_day_without
        .map_or(NEVER, |day| start_of_day(day, zone))
        .min(NEVER)
}

/// The instant until which points of a sale at `accrued_at` are pending: the end of the last of so many days after its
/// own; `None` for no days.
pub(crate) fn pending_until(days: u32, zone: Tz, accrued_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if days == 0 {
        return None;
    }
    let accrual_date = accrued_at.with_timezone(&zone).date_naive();
    let day = accrual_date.checked_add_days(Days::new(u64::from(days) + 1))?;
    Some(start_of_day(day, zone))
}

/// The first day on which they are no longer usable; `None` beyond the calendar.
fn first_day_without(policy: ExpiryPolicy, accrual_date: NaiveDate) -> Option<NaiveDate> {
    let last = match policy.period {
        ExpiryPeriod::Days(days) => accrual_date.checked_add_days(Days::new(u64::from(days)))?,
        // Where the month has no such day, its last.
        ExpiryPeriod::Months(months) => accrual_date.checked_add_months(Months::new(months))?,
        ExpiryPeriod::Yearly { month, day } => {
            // What would be gone at the start of the day it came on waits for the next year's.
            let same_day_is_too_early = policy.end == ExpiryEnd::StartOfDay;
            let this_year = in_year(accrual_date.year(), month, day)?;
            let has_passed = this_year < accrual_date || (same_day_is_too_early && this_year == accrual_date);
            if has_passed {
                in_year(accrual_date.year() + 1, month, day)?
            } else {
                this_year
            }
        }
    };
    let first_of_month = last.with_day(1)?;
    match (policy.end, policy.period) {
        (ExpiryEnd::AsPeriod, ExpiryPeriod::Months(_)) | (ExpiryEnd::StartOfDay, _) => Some(last),
        (ExpiryEnd::AsPeriod | ExpiryEnd::EndOfDay, _) => last.succ_opt(),
        (ExpiryEnd::EndOfMonth, _) => first_of_month.checked_add_months(Months::new(1)),
        (ExpiryEnd::EndOfQuarter, _) => first_of_month.checked_add_months(Months::new(3 - last.month0() % 3)),
        (ExpiryEnd::EndOfYear, _) => NaiveDate::from_ymd_opt(last.year() + 1, 1, 1),
    }
}

/// A day of a year; where the month is shorter, its last.
fn in_year(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    NaiveDate::from_ymd_opt(year, month, day.min(last.day()))
}

/// The first instant of a day, also where the clocks skip midnight.
pub(crate) fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    // No zone ever skipped a whole day but by moving across the date line (Samoa, 2011): a day and a half is enough.
    (0..=6 * 36)
        .filter_map(|steps| midnight.checked_add_signed(TimeDelta::minutes(10 * steps)))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(|| midnight.and_utc(), |start| start.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_starts_when_the_zone_says_so() {
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        // Brazil skipped from 00:00 to 01:00 that night, to two hours behind UTC.
        let start = start_of_day(day, chrono_tz::America::Sao_Paulo);
        assert_eq!(start.to_rfc3339(), "2018-11-04T03:00:00+00:00");
    }

    #[test]
    fn each_period_ends_where_its_policy_says() {
        use ExpiryEnd::{AsPeriod, EndOfDay, EndOfMonth, EndOfQuarter, EndOfYear, StartOfDay};
        use ExpiryPeriod::{Days, Months, Yearly};
        let new_year = Yearly { month: 12, day: 31 };
        let leap_day = Yearly { month: 2, day: 29 };
        let cases = [
            (Days(30), AsPeriod, "2026-01-15", "2026-02-15"),
            (Days(30), StartOfDay, "2026-01-15", "2026-02-14"),
            (Days(30), EndOfDay, "2026-01-15", "2026-02-15"),
            (Days(30), EndOfMonth, "2026-01-15", "2026-03-01"),
            (Days(30), EndOfQuarter, "2026-01-15", "2026-04-01"),
            (Days(75), EndOfQuarter, "2026-01-15", "2026-04-01"),
            (Days(76), EndOfQuarter, "2026-01-15", "2026-07-01"),
            (Days(30), EndOfYear, "2026-01-15", "2027-01-01"),
            (Months(12), AsPeriod, "2021-01-01", "2022-01-01"),
            (Months(12), EndOfDay, "2021-01-01", "2022-01-02"),
            (Months(1), AsPeriod, "2026-01-31", "2026-02-28"),
            (Months(1), AsPeriod, "2028-01-31", "2028-02-29"),
            (Months(1), EndOfMonth, "2026-01-31", "2026-03-01"),
            (Months(11), EndOfMonth, "2026-01-31", "2027-01-01"),
            (Months(9), EndOfQuarter, "2026-01-31", "2027-01-01"),
            (Months(12), EndOfYear, "2026-12-31", "2028-01-01"),
            (new_year, AsPeriod, "2026-01-15", "2027-01-01"),
            (new_year, AsPeriod, "2026-12-31", "2027-01-01"),
            (new_year, StartOfDay, "2026-12-30", "2026-12-31"),
            (new_year, StartOfDay, "2026-12-31", "2027-12-31"),
            (leap_day, AsPeriod, "2026-01-15", "2026-03-01"),
            (leap_day, AsPeriod, "2026-03-01", "2027-03-01"),
            (leap_day, AsPeriod, "2027-03-01", "2028-03-01"),
            (leap_day, EndOfQuarter, "2026-01-15", "2026-04-01"),
        ];
        for (period, end, accrued_on, expected) in cases {
            let policy = ExpiryPolicy { period, end };
            let day = first_day_without(policy, accrued_on.parse().unwrap());
            assert_eq!(day, expected.parse().ok(), "{policy:?} from {accrued_on}");
        }
    }
}
