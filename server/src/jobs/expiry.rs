//! Writes lapsed points off. They are gone without it; what it adds is the entry that says so. One run of a merchant at a
//! time, on any server: another server that comes to it waits or goes on to the next merchant.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::lease::Lease;
use super::{JobError, Jobs};
use crate::domain::answer::Answer;
use crate::domain::expiry_schedule::{ExpiryCounts, ExpiryRun};
use crate::domain::sale::MemberKey;
use crate::posting::{Action, Command, Decision, Pace, PostingError};
use crate::storage::connection::{self, Connection};
use crate::storage::expiry_schedule;
use crate::storage::sweep::{self, DueMember};

/// How often a long run tells how far it is.
const TELL: Duration = Duration::from_secs(5);

/// A run over the members of a merchant whose time has come, in steps. Whoever stops in between loses nothing: what is
/// written off is no longer due.
pub(crate) struct Sweep<'a> {
    jobs: &'a Jobs,
    merchant_id: u32,
    lease: Lease,
    connection: Connection,
    pace: Pace,
    run: ExpiryRun,
    after: DueMember,
    /// Members whose commands could not be posted; the log has them.
    failed: u64,
    told: Instant,
}

impl<'a> Sweep<'a> {
    /// Begins a run; `None` while there is one on another server.
    pub(crate) async fn begin(jobs: &'a Jobs, merchant_id: u32) -> Result<Option<Self>, JobError> {
        let mut connection = connection::establish_for_job(&jobs.url, jobs.patience).await?;
        let lease = jobs
            .leases
            .take(format!("expiry-{merchant_id}"), jobs.patience, &mut connection);
        let Some(lease) = lease.await? else {
            return Ok(None);
        };
        let run = ExpiryRun {
            started_at: (jobs.clock)(),
            finished_at: None,
            counts: ExpiryCounts::default(),
        };
        expiry_schedule::tell_run(&mut connection, merchant_id, run).await?;
        jobs.measures.jobs.sweeps.inc();
        Ok(Some(Self {
            jobs,
            merchant_id,
            lease,
            connection,
            pace: Pace::new(&jobs.posting),
            run,
            after: DueMember::FIRST,
            failed: 0,
            told: Instant::now(),
        }))
    }

    /// What was written off so far.
    pub(crate) fn counts(&self) -> ExpiryCounts {
        self.run.counts
    }

    /// The next members whose time had come when the run began; whether there were any.
    pub(crate) async fn step(&mut self) -> Result<bool, JobError> {
        let (after, until) = (self.after, self.run.started_at);
        let due = sweep::due(&mut self.connection, self.merchant_id, after, until, self.pace.step()).await?;
        let Some(last) = due.last().copied() else {
            return Ok(false);
        };
        let now = (self.jobs.clock)();
        let commands = due.iter().map(|due| command(self.merchant_id, *due, now));
        let decisions = self.pace.post(commands.collect()).await?;
        for (due, decision) in due.iter().zip(decisions) {
            self.count(*due, decision)?;
        }
        self.after = last;
        self.lease.show(&mut self.connection).await?;
        if !self.lease.is_held() {
            return Err(JobError::LeaseLost);
        }
        if self.told.elapsed() > TELL {
            self.told = Instant::now();
            let ExpiryCounts { members, lots, .. } = self.run.counts;
            tracing::info!(
                merchant_id = self.merchant_id,
                members,
                lots,
                "writing lapsed points off"
            );
            expiry_schedule::tell_run(&mut self.connection, self.merchant_id, self.run).await?;
        }
        Ok(true)
    }

    /// Ends the run. One that has not gone through all members is said to have broken off.
    pub(crate) async fn end(mut self, is_whole: bool) -> Result<ExpiryCounts, JobError> {
        if !self.lease.is_held() {
            return Ok(self.run.counts);
        }
        if is_whole {
            self.run.finished_at = Some((self.jobs.clock)());
        }
        expiry_schedule::tell_run(&mut self.connection, self.merchant_id, self.run).await?;
        self.lease.release(&mut self.connection).await?;
        let ExpiryCounts { members, lots, points } = self.run.counts;
        let (merchant_id, failed) = (self.merchant_id, self.failed);
        if members > 0 || failed > 0 {
            tracing::info!(merchant_id, members, lots, %points, failed, is_whole, "wrote lapsed points off");
        }
        Ok(self.run.counts)
    }

    fn count(&mut self, due: DueMember, decision: Result<Decision, PostingError>) -> Result<(), JobError> {
        match decision {
            Ok(Ok(decided)) => {
                if let Answer::Swept(swept) = decided.answer
                    && swept.lots > 0
                {
                    let counts = &mut self.run.counts;
                    counts.members += 1;
                    counts.lots += swept.lots;
                    counts.points = counts.points.saturating_add(swept.points);
                    self.jobs.measures.jobs.swept_members.inc();
                    self.jobs.measures.jobs.swept_lots.inc_by(swept.lots);
                }
                Ok(())
            }
            // One member's books that cannot be written keep nobody else's from it.
            Ok(Err(refusal)) => {
                tracing::error!(member_id = %due.member_id, reason = refusal.reason, "lapsed points stay in the books");
                self.failed += 1;
                Ok(())
            }
            Err(PostingError::Internal(_)) => {
                self.failed += 1;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn command(merchant_id: u32, due: DueMember, now: DateTime<Utc>) -> Command {
    Command::of_job(merchant_id, now, Action::Sweep(MemberKey::MemberId(due.member_id)))
}
