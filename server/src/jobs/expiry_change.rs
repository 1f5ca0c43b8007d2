//! Moves lots to the expiry that their program has by now. One run of a merchant at a time, on any server: another that is
//! asked for waits.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::lease::Lease;
use super::{JobError, Jobs};
use crate::domain::answer::Answer;
use crate::domain::expiry_change::{Applying, ChangeCounts};
use crate::domain::sale::MemberKey;
use crate::posting::{Action, Command, Decision, Pace, PostingError};
use crate::storage::connection::{self, Connection};
use crate::storage::expiry_change::{self, ChangeRun};

/// A run over the members of a program, in steps. Whoever stops in between loses nothing: what is moved stays moved, and
/// the run goes on behind the members that are done.
pub(crate) struct Moving<'a> {
    jobs: &'a Jobs,
    lease: Lease,
    connection: Connection,
    pace: Pace,
    run: ChangeRun,
}

impl<'a> Moving<'a> {
    /// Takes up the run that a request began; `None` while another one goes on.
    pub(crate) async fn take_up(jobs: &'a Jobs, merchant_id: u32, request_id: &str) -> Result<Option<Self>, JobError> {
        let mut connection = connection::establish_for_job(&jobs.url, jobs.patience).await?;
        let lease = jobs
            .leases
            .take(format!("expiry-change-{merchant_id}"), jobs.patience, &mut connection);
        let Some(lease) = lease.await? else {
            return Ok(None);
        };
        // Under the lease: nobody else moves it on.
        let run = expiry_change::find(&mut connection, merchant_id, request_id).await?;
        let run = run.ok_or_else(|| JobError::Fault(format!("no run of the request {request_id}")))?;
        Ok(Some(Self {
            jobs,
            lease,
            connection,
            pace: Pace::new(&jobs.posting),
            run,
        }))
    }

    /// What was done so far, by those who worked on the run before, too.
    pub(crate) fn counts(&self) -> ChangeCounts {
        self.run.counts
    }

    /// The next members; whether there were any.
    pub(crate) async fn step(&mut self) -> Result<bool, JobError> {
        if self.run.is_finished {
            return Ok(false);
        }
        let (merchant_id, program_id) = (self.run.merchant_id, self.run.program_id.clone());
        let limit = self.pace.step();
        let next =
            expiry_change::members_behind(&mut self.connection, merchant_id, &program_id, self.run.done, limit).await?;
        let Some((last, _)) = next.last().copied() else {
            return Ok(false);
        };
        let now = (self.jobs.clock)();
        let members: Vec<Uuid> = next.iter().filter(|(_, is_ours)| *is_ours).map(|(id, _)| *id).collect();
        let command = |member_id: &Uuid| command(merchant_id, *member_id, self.run.applying.clone(), now);
        let commands = members.iter().map(command).collect();
        let decisions = self.pace.post(commands).await?;
        for (member_id, decision) in members.iter().zip(decisions) {
            self.count(*member_id, decision)?;
        }
        self.run.done = last;
        // Beside the lease, so that a server that was taken for dead does not tell of an earlier place.
        connection::begin(&mut self.connection).await?;
        if !self.lease.hold(&mut self.connection).await? {
            return Err(JobError::LeaseLost);
        }
        expiry_change::tell(&mut self.connection, &self.run, None).await?;
        connection::commit(&mut self.connection).await?;
        Ok(true)
    }

    /// Ends it; `is_whole`: it has gone through all members.
    pub(crate) async fn end(mut self, is_whole: bool) -> Result<ChangeCounts, JobError> {
        let counts = self.run.counts;
        if !self.lease.is_held() {
            return Ok(counts);
        }
        if is_whole && !self.run.is_finished {
            let now = (self.jobs.clock)();
            expiry_change::tell(&mut self.connection, &self.run, Some(now)).await?;
            let (merchant_id, program_id) = (self.run.merchant_id, &self.run.program_id);
            let ChangeCounts {
                members, lots, points, ..
            } = counts;
            tracing::info!(merchant_id, program_id, members, lots, %points, "moved lots to another expiry");
        }
        self.lease.release(&mut self.connection).await?;
        Ok(counts)
    }

    fn count(&mut self, member_id: Uuid, decision: Result<Decision, PostingError>) -> Result<(), JobError> {
        match decision {
            Ok(Ok(decided)) => {
                if let Answer::ExpiryChanged(counts) = decided.answer {
                    self.run.counts.add(counts);
                }
                Ok(())
            }
            // A run that went by a member would say that it was through all.
            Ok(Err(refusal)) => Err(JobError::Fault(format!("{member_id}: {}", refusal.message))),
            Err(error) => Err(error.into()),
        }
    }
}

fn command(merchant_id: u32, member_id: Uuid, applying: Applying, now: DateTime<Utc>) -> Command {
    let action = Action::ChangeExpiry(MemberKey::MemberId(member_id), applying);
    Command::of_job(merchant_id, now, action)
}
