//! The sweep of an account: lapsed points are written off though nobody asks for them. They are gone from their instant on
//! without it; it only writes down what has happened.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::account::{Books, LotsMissing};

/// What a sweep wrote off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) lots: u64,
    pub(crate) points: Decimal,
}

/// Writes off what has lapsed by `now`. Where nothing has, the account learns when to look again.
pub(crate) fn sweep(books: &mut Books, program_version: u32, now: DateTime<Utc>) -> Result<Swept, LotsMissing> {
    let mut changed = books.clone();
    let recorded_at = now.max(changed.account.recorded_at);
    let (expired, allocations) = (changed.account.lifetime_expired, changed.new_allocations.len());
    changed.expire_lapsed(program_version, recorded_at)?;
    changed.is_swept = true;
    let swept = Swept {
        lots: (changed.new_allocations.len() - allocations) as u64,
        points: changed.account.lifetime_expired - expired,
    };
    *books = changed;
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::Account;
    use crate::domain::dice::Dice;
    use crate::domain::earning::made_up::version;
    use crate::domain::entry::{EntryKind, Occasion};
    use crate::domain::expiry::NEVER;
    use crate::domain::inactivity::{Act, Activity, InactivityPolicy};
    use crate::domain::program::ExpiryPeriod;
    use crate::domain::redemption;
    use crate::domain::shortfall::Cover;

    fn books(now: DateTime<Utc>) -> Books {
        Books::new(Account::opened(1, Uuid::nil(), "club".into(), now))
    }

    #[test]
    fn a_sweep_is_never_too_late_and_moves_on_when_its_time_has_come() {
        let start: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        for seed in 1..2_000 {
            let mut dice = Dice(seed);
            let (mut books, mut now) = (books(start), start);
            let mut program = version(Vec::new(), 0).program;
            program.inactivity = (dice.below(2) == 0).then_some(InactivityPolicy {
                period: ExpiryPeriod::Days(u32::try_from(dice.below(6)).unwrap() + 1),
                activity: Activity::default(),
            });
            for _ in 0..30 {
                now += TimeDelta::hours(i64::try_from(dice.below(60)).unwrap());
                let occasion = Occasion::plain(1, now, now);
                if books.is_inactive(now) {
                    assert_eq!(books.available(now).unwrap(), Decimal::ZERO, "{seed}");
                }
                match dice.below(3) {
                    0 => {
                        books.expire_lapsed(1, now).unwrap();
                        let days = i64::try_from(dice.below(12)).unwrap();
                        if dice.below(2) == 0 {
                            books.keep_active(&program, Act::Redemption, now - TimeDelta::hours(30));
                        }
                        books.begin_inactivity(&program, now);
                        let expires_at = if days == 0 { NEVER } else { now + TimeDelta::days(days) };
                        books.credit(EntryKind::Earn, Decimal::from(dice.below(9)), expires_at, &occasion);
                    }
                    1 => {
                        books.expire_lapsed(1, now).unwrap();
                        let points = books.available(now).unwrap();
                        let cover = Cover::of_lots(redemption::allocate(&books, points, now).unwrap());
                        books.take(EntryKind::Redeem, &cover, &occasion).unwrap();
                    }
                    _ => {
                        let lapsed = books.account.points - books.available(now).unwrap();
                        let swept = sweep(&mut books, 1, now).unwrap();
                        assert_eq!(swept.points, lapsed, "{seed}");
                        let next = books.next_expiry(now).unwrap();
                        assert!(books.account.sweep_at.is_none_or(|at| at > now), "{seed}");
                        assert!(books.account.sweep_at.is_some() || next.is_none(), "{seed}");
                    }
                }
                if let Some(next) = books.next_expiry(now).unwrap() {
                    assert!(books.account.sweep_at.is_some_and(|at| at <= next), "{seed}");
                }
            }
        }
    }
}
