//! The bonus for birthdays.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::account::{Books, Stop, within_ledger};
use super::earning;
use super::entry::{EntryKind, Occasion};
use super::expiry::{self, start_of_day};
use super::program::{ExpiryPolicy, ProgramVersion};

/// Days of a birthday: it and those on which its bonus can still come, where no server looked before.
pub(crate) const DAYS: u64 = 7;
/// No bonus comes so soon after another: birthdays of one person are never that near, birth dates that are changed may be.
const LEAST_DAYS: i64 = 300;

/// What members get for their birthdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BirthdayBonus {
    pub(crate) points: Decimal,
    /// When they lapse, counted from the birthday; `None`: as the program says of all points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expiry: Option<ExpiryPolicy>,
}

/// A day of a year, as 1231 for 31 December.
pub(crate) type DayOfYear = u16;

/// The days whose birthdays can have a bonus on `today`, the latest first.
pub(crate) fn birthdays(today: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    (0..DAYS).filter_map(move |days| today.checked_sub_days(Days::new(days)))
}

/// Those born on which days of a year have their birthday on a day: in years without a 29 February, those who were born
/// on it have it on the 28th.
pub(crate) fn born_on(birthday: NaiveDate) -> Vec<DayOfYear> {
    let mut days = vec![day_of_year(birthday)];
    if day_of_year(birthday) == 228 && !birthday.leap_year() {
        days.push(229);
    }
    days
}

/// Up to which day a bonus that a member got hinders none on `birthday`.
pub(crate) fn hindered_after(birthday: NaiveDate) -> NaiveDate {
    birthday - chrono::TimeDelta::days(LEAST_DAYS)
}

/// Gives a member the bonus for a birthday, if there is one to give. Answers whether.
pub(crate) fn give(
    books: &mut Books,
    version: &ProgramVersion,
    birth_date: Option<NaiveDate>,
    birthday: NaiveDate,
    now: DateTime<Utc>,
) -> Result<bool, Stop> {
    let program = &version.program;
    let today = program.local_date(now);
    let is_theirs = birth_date.is_some_and(|born| {
        born < birthday && birthdays(today).any(|day| day == birthday) && born_on(birthday).contains(&day_of_year(born))
    });
    let was_given = books
        .account
        .birthday_bonus_on
        .is_some_and(|last| last > hindered_after(birthday));
    let status = &books.account.status;
    let takes_part = status.opted_out_at.is_none() && status.erased_at.is_none() && status.merged_into.is_none();
    let bonus = program
        .birthday_bonus
        .filter(|_| is_theirs && !was_given && takes_part && program.is_open_on(today));
    let Some(bonus) = bonus else {
        return Ok(false);
    };
    let mut changed = books.clone();
    let recorded_at = now.max(changed.account.recorded_at);
    // The same points, whenever a server came to it.
    let came_at = start_of_day(birthday, program.time_zone);
    let policy = bonus
        .expiry
        .as_ref()
        .or(earning::expiry(version, &changed.account.attributes));
    let expires_at = expiry::expires_under(policy, program.time_zone, came_at);
    changed.settle_pending(recorded_at)?;
    changed.expire_lapsed(version.version, recorded_at)?;
    within_ledger("points", changed.account.points + bonus.points)?;
    changed.begin_inactivity(program, recorded_at);
    let occasion = Occasion::plain(version.version, came_at, recorded_at);
    changed.credit(EntryKind::BirthdayBonus, bonus.points, expires_at, &occasion);
    changed.account.birthday_bonus_on = Some(birthday);
    changed.expire_lapsed(version.version, recorded_at)?;
    *books = changed;
    Ok(true)
}

fn day_of_year(day: NaiveDate) -> DayOfYear {
    let number = day.month() * 100 + day.day();
    DayOfYear::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn everybody_has_one_birthday_a_year() {
        for year in 2023..2029 {
            let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let days = first.iter_days().take_while(|day| day.year() == year);
            let mut born: Vec<DayOfYear> = days.flat_map(born_on).collect();
            born.sort_unstable();
            born.dedup();
            assert_eq!(born.len(), 366, "{year}");
        }
        assert_eq!(born_on(day("2027-02-28")), [228, 229]);
        assert_eq!(born_on(day("2028-02-28")), [228]);
        assert_eq!(born_on(day("2028-02-29")), [229]);
    }

    #[test]
    fn birthdays_of_one_person_never_hinder_each_other() {
        for (last, next) in [
            ("2027-02-28", "2028-02-29"),
            ("2028-02-29", "2029-02-28"),
            ("2026-12-31", "2027-12-31"),
        ] {
            assert!(day(last) <= hindered_after(day(next)), "{last}");
        }
        assert!(day("2026-12-31") > hindered_after(day("2027-01-01")));
        let days: Vec<NaiveDate> = birthdays(day("2026-03-02")).collect();
        assert_eq!((days[0], days[6]), (day("2026-03-02"), day("2026-02-24")));
    }
}
