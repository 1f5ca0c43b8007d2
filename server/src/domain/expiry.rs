//! When points lapse.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::program::ExpiryPolicy;

/// The expiry of points that never lapse: it sorts after every real one, as R9 consumes them last.
pub(crate) const NEVER: DateTime<Utc> = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day.and_time(NaiveTime::MIN).and_utc(),
    None => DateTime::<Utc>::MAX_UTC,
};

/// The instant from which points that arrived at `accrued_at` are no longer usable. Days: usable through the N-th day
/// after the day of accrual. Months: gone at the start of the same day N months later, or of the month's last day
/// where it has no such day. Days are those of the program's zone.
pub(crate) fn expires_under(policy: Option<&ExpiryPolicy>, zone: Tz, accrued_at: DateTime<Utc>) -> DateTime<Utc> {
    let accrual_date = accrued_at.with_timezone(&zone).date_naive();
    let first_day_without = match policy.copied() {
        None => return NEVER,
        Some(ExpiryPolicy::Days(days)) => accrual_date.checked_add_days(Days::new(u64::from(days) + 1)),
        Some(ExpiryPolicy::Months(months)) => accrual_date.checked_add_months(Months::new(months)),
    };
    first_day_without
        .map_or(NEVER, |day| start_of_day(day, zone))
        .min(NEVER)
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
}
