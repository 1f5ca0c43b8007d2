//! Reports: told by the members that are done, so that a long one can be broken off and taken up again.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use loyalty_api::v1 as wire;
use rust_decimal::Decimal;
use tonic::Status;
use uuid::Uuid;

use super::auth::caller;
use super::convert::decimal;
use super::fields::Fields;
use super::page_token;
use super::streaming::Told;
use super::{Context, program_service, status};
use crate::domain::report::{AGES, Breakage, Liability, Movement};
use crate::storage::connection::{self, Connection};
use crate::storage::error::StorageError;
use crate::storage::report::{self, Grouping, MemberMovement, Period};
use crate::storage::verification::{self, MemberPlace};
use crate::storage::{configuration_change, program};

/// Members of one message.
const MEMBERS: i64 = 200;

/// A report under way.
struct Report {
    context: Arc<Context>,
    merchant_id: u32,
    program_id: String,
    /// What its tokens are checked against.
    question: String,
    period: Period,
    now: DateTime<Utc>,
}

/// Some members, and where the next are.
struct Part<T> {
    found: T,
    last: Option<MemberPlace>,
}

/// What each member earned and used.
pub(super) async fn members(
    context: &Arc<Context>,
    request: wire::ReportMembersRequest,
) -> Result<Told<wire::ReportMembersResponse>, Status> {
    let mut fields = Fields::default();
    let until = Until::field("recorded_until", &mut fields, request.recorded_until);
    let from = fields.instant("recorded_from", request.recorded_from);
    let report = Report::begin(context, fields, "members", request.program_id, from, until).await?;
    let period = report.period;
    report.start(
        &request.resume_token,
        move |connection, merchant_id, ids| {
            let read = report::movements(connection, merchant_id, ids, period, Grouping::Nothing);
            Box::pin(read)
        },
        |found, resume_token| wire::ReportMembersResponse {
            members: found.into_iter().map(member).collect(),
            resume_token,
        },
    )
}

/// What all members earned and used.
pub(super) async fn roll_forward(
    context: &Arc<Context>,
    request: wire::GetRollForwardRequest,
) -> Result<Told<wire::GetRollForwardResponse>, Status> {
    let mut fields = Fields::default();
    let until = Until::field("recorded_until", &mut fields, request.recorded_until);
    let from = fields.instant("recorded_from", request.recorded_from);
    let grouping = match fields.choice::<wire::ReportGrouping>("group_by", request.group_by) {
        None | Some(wire::ReportGrouping::Unspecified) => Grouping::Nothing,
        Some(wire::ReportGrouping::Store) => Grouping::Store,
        Some(wire::ReportGrouping::ExpenseAccount) => Grouping::ExpenseAccount,
        Some(wire::ReportGrouping::CostCenter) => Grouping::CostCenter,
    };
    let kind = format!("roll-forward by {grouping:?}");
    let report = Report::begin(context, fields, &kind, request.program_id, from, until).await?;
    let (period, now) = (report.period, report.now);
    report.start(
        &request.resume_token,
        move |connection, merchant_id, ids| {
            Box::pin(async move {
                let moved = report::movements(connection, merchant_id, ids, period, grouping).await?;
                let breakage = report::breakage(connection, merchant_id, ids, period, now).await?;
                Ok((moved, breakage))
            })
        },
        move |(moved, breakage), resume_token| wire::GetRollForwardResponse {
            resume_token,
            ..rolled(moved, breakage, grouping)
        },
    )
}

/// What a program owes its members.
pub(super) async fn liability(
    context: &Arc<Context>,
    request: wire::GetLiabilityRequest,
) -> Result<Told<wire::GetLiabilityResponse>, Status> {
    let mut fields = Fields::default();
    let at = Until::field("at", &mut fields, request.at);
    let report = Report::begin(context, fields, "liability", request.program_id, None, at).await?;
    let value_per_point = report.value_per_point().await?;
    let at = report.period.until;
    report.start(
        &request.resume_token,
        move |connection, merchant_id, ids| {
            Box::pin(async move {
                let owed = report::liability(connection, merchant_id, ids, at).await?;
                Ok((owed, ids.len()))
            })
        },
        move |(liability, members), resume_token| wire::GetLiabilityResponse {
            resume_token,
            ..owed(&liability, members, value_per_point)
        },
    )
}

/// The instant behind a period, and the field that says it.
struct Until {
    field: &'static str,
    at: Option<DateTime<Utc>>,
}

impl Until {
    fn field(field: &'static str, fields: &mut Fields, given: Option<prost_types::Timestamp>) -> Self {
        Self {
            field,
            at: fields.instant(field, given),
        }
    }
}

type Reading<'a, T> = std::pin::Pin<Box<dyn Future<Output = Result<T, StorageError>> + Send + 'a>>;

impl Report {
    /// Checks what is asked.
    async fn begin(
        context: &Arc<Context>,
        mut fields: Fields,
        kind: &str,
        program_id: String,
        from: Option<DateTime<Utc>>,
        Until { field, at: until }: Until,
    ) -> Result<Self, Status> {
        let now = (context.clock)();
        let program_id = fields.slug("program_id", program_id);
        if until.is_some_and(|until| until > now) {
            fields.wrong(field, "is ahead of now");
        }
        let period = Period {
            from: from.unwrap_or(DateTime::UNIX_EPOCH),
            // Now is within.
            until: until.unwrap_or(now + chrono::TimeDelta::microseconds(1)),
        };
        if from.is_some() && period.from > period.until {
            fields.wrong("recorded_from", "is behind the end of the period");
        }
        fields.finish(())?;
        let caller = caller(context);
        program_service::find_program(context, caller, &program_id).await?;
        let asked_until = until.map_or("now".to_owned(), |until| until.to_rfc3339());
        let question = format!(
            "{kind} of {} {program_id} {} {asked_until}",
            caller.merchant_id, period.from
        );
        Ok(Self {
            context: Arc::clone(context),
            merchant_id: caller.merchant_id,
            program_id,
            question,
            period,
            now,
        })
    }

    /// Starts the stream behind a token: a message of what `read` finds of the next members, with the token of what is
    /// behind them.
    fn start<T: Send + 'static, M: Send + 'static>(
        self,
        resume_token: &str,
        read: impl for<'a> Fn(&'a mut Connection, u32, &'a [Uuid]) -> Reading<'a, T> + Copy + Send + 'static,
        message: impl Fn(T, String) -> M + Send + 'static,
    ) -> Result<Told<M>, Status> {
        let mut place = self.place(resume_token)?;
        let context = Arc::clone(&self.context);
        context.streams.start(|mut outlet| async move {
            loop {
                let Part { found, last } = self.part(place, read).await?;
                outlet.send(message(found, self.token(last.as_ref()))).await?;
                match last {
                    Some(last) => place = last,
                    None => return Ok(()),
                }
            }
        })
    }

    /// What `read` finds of the members behind `place`.
    async fn part<T: Send + 'static>(
        &self,
        place: MemberPlace,
        read: impl for<'a> FnOnce(&'a mut Connection, u32, &'a [Uuid]) -> Reading<'a, T> + Send + 'static,
    ) -> Result<Part<T>, Status> {
        let (merchant_id, program_id) = (self.merchant_id, self.program_id.clone());
        let part = self.context.database.run(move |connection| {
            Box::pin(async move {
                connection::begin_snapshot(connection).await?;
                let program_id = Some(program_id.as_str());
                let listed = verification::listed(connection, merchant_id, program_id, &place, MEMBERS).await?;
                let mut places: Vec<MemberPlace> = listed.into_iter().map(|(place, _)| place).collect();
                let ids: Vec<Uuid> = places.iter().map(|place| place.member_id).collect();
                let found = read(connection, merchant_id, &ids).await?;
                connection::end_snapshot(connection).await?;
                let is_last = i64::try_from(places.len()).unwrap_or(i64::MAX) < MEMBERS;
                let last = places.pop().filter(|_| !is_last);
                Ok(Part { found, last })
            })
        });
        part.await.map_err(|error| status::storage(&error))
    }

    /// What a point paid by the version of the program that ruled before the end of the period.
    async fn value_per_point(&self) -> Result<Option<Decimal>, Status> {
        let (merchant_id, program_id, at) = (self.merchant_id, self.program_id.clone(), self.period.until);
        let found = self.context.database.run(move |connection| {
            Box::pin(async move {
                let version = configuration_change::version_at(connection, merchant_id, &program_id, at).await?;
                match version {
                    Some(version) => program::under(connection, merchant_id, &program_id, version).await,
                    None => Ok(None),
                }
            })
        });
        let program = found.await.map_err(|error| status::storage(&error))?;
        Ok(program
            .and_then(|program| program.redemption)
            .and_then(|policy| policy.value_per_point))
    }

    fn place(&self, token: &str) -> Result<MemberPlace, Status> {
        if token.is_empty() {
            return Ok(MemberPlace::default());
        }
        let read = || {
            let key = page_token::key(token)?;
            let (place, checksum) = key.rsplit_once(' ')?;
            let (state, member_id) = place.split_once(' ')?;
            (checksum == self.checksum(place)).then_some(())?;
            Some(MemberPlace {
                program_id: self.program_id.clone(),
                state: state.parse().ok()?,
                member_id: member_id.parse().ok()?,
            })
        };
        let place = read();
        let mut fields = Fields::default();
        if place.is_none() {
            fields.wrong("resume_token", "is not a token of this report");
        }
        fields.finish(place.unwrap_or_default())
    }

    /// Empty behind the last.
    fn token(&self, last: Option<&MemberPlace>) -> String {
        let Some(last) = last else {
            return String::new();
        };
        let place = format!("{} {}", last.state, last.member_id);
        let checksum = self.checksum(&place);
        page_token::token(&format!("{place} {checksum}"))
    }

    fn checksum(&self, place: &str) -> String {
        page_token::checksum(&format!("{}: {place}", self.question))
    }
}

fn member((member_id, moved): (Uuid, MemberMovement)) -> wire::MemberReport {
    wire::MemberReport {
        member_id: member_id.to_string(),
        opening: decimal(moved.opening),
        movement: Some(movement(&moved.movement())),
        closing: decimal(moved.closing()),
    }
}

fn rolled(
    moved: BTreeMap<Uuid, MemberMovement>,
    breakage: Breakage,
    grouping: Grouping,
) -> wire::GetRollForwardResponse {
    let mut by_label: BTreeMap<String, Movement> = BTreeMap::new();
    let (mut opening, mut sum) = (Decimal::ZERO, Movement::default());
    let members = u64::try_from(moved.len()).unwrap_or(u64::MAX);
    for member in moved.into_values() {
        opening += member.opening;
        sum += member.movement();
        for (label, movement) in member.by_label {
            *by_label.entry(label).or_default() += movement;
        }
    }
    let groups = by_label.into_iter().filter(|_| grouping != Grouping::Nothing);
    wire::GetRollForwardResponse {
        members,
        opening: decimal(opening),
        movement: Some(movement(&sum)),
        closing: decimal(opening + sum.sum()),
        groups: groups
            .map(|(label, of_label)| wire::GroupMovement {
                label,
                movement: Some(movement(&of_label)),
            })
            .collect(),
        breakage: Some(wire::Breakage {
            issued: decimal(breakage.issued),
            lapsed: decimal(breakage.lapsed),
            open: decimal(breakage.open),
        }),
        resume_token: String::new(),
    }
}

fn owed(liability: &Liability, members: usize, value_per_point: Option<Decimal>) -> wire::GetLiabilityResponse {
    let ages = AGES.into_iter().chain([0]);
    let value = value_per_point.and_then(|value| liability.points.checked_mul(value));
    wire::GetLiabilityResponse {
        members: u64::try_from(members).unwrap_or(u64::MAX),
        points: decimal(liability.points),
        pending: decimal(liability.pending),
        debt: decimal(liability.debt),
        value_per_point: value_per_point.and_then(decimal),
        value: value.and_then(decimal),
        ageing: ages
            .zip(liability.ageing)
            .map(|(within_days, points)| wire::AgedPoints {
                within_days,
                points: decimal(points),
            })
            .collect(),
        resume_token: String::new(),
    }
}

fn movement(movement: &Movement) -> wire::PointsMovement {
    wire::PointsMovement {
        earned: decimal(movement.lifetime.earned),
        redeemed: decimal(movement.lifetime.redeemed),
        expired: decimal(movement.lifetime.expired),
        adjusted: decimal(movement.adjusted),
        merged: decimal(movement.merged),
        imported: decimal(movement.imported),
    }
}
