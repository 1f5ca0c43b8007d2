//! Reports, and how they go on when they break off.

use chrono::{DateTime, Utc};
use loyalty_api::v1;
use tonic::Request;

use super::{Client, resuming::Resuming};
use crate::{
    error::Error,
    id::ProgramId,
    report::{Liability, MemberReport, ReportGrouping, ReportPeriod, RollForward},
    wire::timestamp,
};

impl Client {
    /// What each member of a program earned, redeemed and lost in a period, and had before and behind it.
    ///
    /// Does not wait for the server: the first [`next`](MemberReports::next) does.
    ///
    /// ```no_run
    /// # async fn month(client: loyalty_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use loyalty_sdk::{MemberReport, ReportPeriod};
    ///
    /// let january = ReportPeriod::of_program("club")
    ///     .from("2026-01-01T00:00:00Z".parse()?)
    ///     .until("2026-02-01T00:00:00Z".parse()?);
    /// let mut file = std::io::BufWriter::new(std::fs::File::create("january.csv")?);
    /// MemberReport::write_csv_header(&mut file)?;
    /// let mut report = client.report_members(&january);
    /// while let Some(members) = report.next().await? {
    ///     for member in members {
    ///         member.write_csv(&mut file)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn report_members(&self, period: &ReportPeriod) -> MemberReports {
        MemberReports {
            client: self.clone(),
            period: period.clone(),
            resume_token: String::new(),
            stream: Resuming::new(),
        }
    }

    /// What all members of a program earned, redeemed and lost in a period. `progress` is told how many members are done;
    /// when the stream breaks off it goes on behind them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the period ends ahead of now or before it begins, [`Error::ProgramNotFound`].
    pub async fn get_roll_forward(
        &self,
        period: &ReportPeriod,
        group_by: ReportGrouping,
        mut progress: impl FnMut(u64),
    ) -> Result<RollForward, Error> {
        let mut report = RollForward::default();
        let mut resume_token = String::new();
        let mut stream: Resuming<v1::GetRollForwardResponse> = Resuming::new();
        loop {
            let begin = || {
                let mut ledger = self.raw_ledger();
                let message = Request::new(period.to_roll_forward(group_by, &resume_token));
                async move { ledger.get_roll_forward(message).await }
            };
            let Some(part) = stream.next(self, begin).await? else {
                return Ok(report);
            };
            resume_token.clone_from(&part.resume_token);
            report.add(part)?;
            progress(report.members);
        }
    }

    /// What a program owes its members, now or before an instant `at` that is over. `progress` is told how many members
    /// are done; when the stream breaks off it goes on behind them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the instant is ahead of now, [`Error::ProgramNotFound`].
    pub async fn get_liability(
        &self,
        program_id: impl Into<ProgramId>,
        at: Option<DateTime<Utc>>,
        mut progress: impl FnMut(u64),
    ) -> Result<Liability, Error> {
        let program_id = String::from(program_id.into());
        let mut report = Liability::default();
        let mut resume_token = String::new();
        let mut stream: Resuming<v1::GetLiabilityResponse> = Resuming::new();
        loop {
            let begin = || {
                let mut ledger = self.raw_ledger();
                let message = Request::new(v1::GetLiabilityRequest {
                    program_id: program_id.clone(),
                    at: at.map(timestamp),
                    resume_token: resume_token.clone(),
                });
                async move { ledger.get_liability(message).await }
            };
            let Some(part) = stream.next(self, begin).await? else {
                return Ok(report);
            };
            resume_token.clone_from(&part.resume_token);
            report.add(part)?;
            progress(report.members);
        }
    }
}

/// A report under way, some members at a time. When the stream breaks off it goes on behind those that were given out last.
#[derive(Debug)]
pub struct MemberReports {
    client: Client,
    period: ReportPeriod,
    resume_token: String,
    stream: Resuming<v1::ReportMembersResponse>,
}

impl MemberReports {
    /// The next members; `None` when all were told.
    ///
    /// A future that is dropped takes no members along. After an error it can be asked again: it goes on behind the last
    /// members.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFields`] when the period ends ahead of now or before it begins, [`Error::ProgramNotFound`]; a failure
    /// when the stream could not be taken up again within the attempts of the client's retry policy.
    pub async fn next(&mut self) -> Result<Option<Vec<MemberReport>>, Error> {
        let (period, resume_token) = (&self.period, &self.resume_token);
        let begin = || {
            let mut ledger = self.client.raw_ledger();
            let message = Request::new(period.to_members(resume_token));
            async move { ledger.report_members(message).await }
        };
        let Some(part) = self.stream.next(&self.client, begin).await? else {
            return Ok(None);
        };
        let members = part.members.into_iter().map(MemberReport::from_wire);
        let members = members
            .collect::<Result<Vec<_>, _>>()
            .inspect_err(|_| self.stream = Resuming::new())?;
        self.resume_token = part.resume_token;
        Ok(Some(members))
    }
}
