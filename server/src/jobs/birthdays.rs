//! Gives members the bonus for their birthdays. Every server looks; whoever comes first to a program does its work, and the
//! member's books say whether the bonus was given.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::lease::Lease;
use super::{JobError, Jobs, is_stopped};
use crate::domain::answer::Answer;
use crate::domain::birthday::{self, DayOfYear};
use crate::domain::sale::MemberKey;
use crate::posting::{Action, Command, Pace, PostingError};
use crate::storage::birthday as storage;
use crate::storage::connection::{self, Connection};
use crate::storage::program::{self, ProgramKey};

/// From a look to the next one: whoever becomes a member on the birthday gets the bonus within the hour.
const PERIOD: TimeDelta = TimeDelta::hours(1);
/// Programs of one round.
const PROGRAMS: i64 = 100;

/// Looks after the programs whose time has come.
pub(super) async fn round(jobs: &Jobs, stop: &watch::Receiver<bool>) -> Result<(), JobError> {
    let now = (jobs.clock)();
    let due = jobs
        .database
        .run(move |connection| Box::pin(async move { storage::due(connection, now, PROGRAMS).await }));
    let mut outcome = Ok(());
    for key in due.await? {
        // What hinders one program's need not hinder the next one's.
        if let Err(error) = of_program(jobs, key, now, stop).await {
            outcome = Err(error);
        }
        if is_stopped(stop) {
            break;
        }
    }
    outcome
}

async fn of_program(
    jobs: &Jobs,
    key: ProgramKey,
    now: DateTime<Utc>,
    stop: &watch::Receiver<bool>,
) -> Result<(), JobError> {
    let mut connection = connection::establish_for_job(&jobs.url, jobs.patience).await?;
    let lease = jobs
        .leases
        .take(format!("birthdays-{}-{}", key.0, key.1), jobs.patience, &mut connection);
    let Some(lease) = lease.await? else {
        // Another server is at it.
        return Ok(());
    };
    let mut giving = Giving {
        jobs,
        key,
        now,
        lease,
        connection,
        pace: Pace::new(&jobs.posting),
        members: 0,
        failed: 0,
    };
    let outcome = giving.give_all(stop).await;
    giving.end(outcome).await
}

/// A look at the birthdays of one program.
struct Giving<'a> {
    jobs: &'a Jobs,
    key: ProgramKey,
    now: DateTime<Utc>,
    lease: Lease,
    connection: Connection,
    pace: Pace,
    /// Who got something.
    members: u64,
    /// Whose command could not be posted; the log has them.
    failed: u64,
}

impl Giving<'_> {
    /// Whether it came to an end.
    async fn give_all(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, JobError> {
        let found = program::find(&mut self.connection, self.key.0, &self.key.1).await?;
        let Some(record) = found.filter(|record| record.program.birthday_bonus.is_some()) else {
            return Ok(true);
        };
        let today = record.program.local_date(self.now);
        if !record.program.is_open_on(today) {
            return Ok(true);
        }
        for day in birthday::birthdays(today) {
            for born_on in birthday::born_on(day) {
                if !self.give_on(day, born_on, stop).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    async fn give_on(
        &mut self,
        day: NaiveDate,
        born_on: DayOfYear,
        stop: &watch::Receiver<bool>,
    ) -> Result<bool, JobError> {
        let mut after = Uuid::nil();
        loop {
            let limit = self.pace.step();
            let born = storage::born(&mut self.connection, &self.key, born_on, day, after, limit).await?;
            let Some(last) = born.last().copied() else {
                return Ok(true);
            };
            let now = (self.jobs.clock)();
            let merchant_id = self.key.0;
            let commands = born.iter().map(|member_id| {
                let action = Action::GiveBirthdayBonus(MemberKey::MemberId(*member_id), day);
                Command::of_job(merchant_id, now, action)
            });
            let decisions = self.pace.post(commands.collect()).await?;
            for (member_id, decision) in born.iter().zip(decisions) {
                match decision {
                    Ok(Ok(decided)) => self.members += u64::from(matches!(decided.answer, Answer::BirthdayBonus(true))),
                    // One member whose books take no more keeps nobody else's from it.
                    Ok(Err(refusal)) => {
                        tracing::error!(%member_id, reason = refusal.reason, "no bonus for the birthday");
                        self.failed += 1;
                    }
                    Err(PostingError::Internal(_)) => self.failed += 1,
                    Err(error) => return Err(error.into()),
                }
            }
            after = last;
            self.lease.show(&mut self.connection).await?;
            if !self.lease.is_held() {
                return Err(JobError::LeaseLost);
            }
            if is_stopped(stop) {
                return Ok(false);
            }
        }
    }

    async fn end(mut self, outcome: Result<bool, JobError>) -> Result<(), JobError> {
        if self.lease.is_held() {
            if matches!(outcome, Ok(true)) {
                storage::looked(&mut self.connection, &self.key, self.now + PERIOD).await?;
            }
            self.lease.release(&mut self.connection).await?;
        }
        let (merchant_id, program_id) = (self.key.0, &self.key.1);
        let (members, failed) = (self.members, self.failed);
        if members > 0 || failed > 0 {
            tracing::info!(merchant_id, %program_id, members, failed, "gave bonuses for birthdays");
        }
        outcome.map(drop)
    }
}
