//! The calls of ProgramService that move lots to the expiry which their program has by now, and tell what that would do.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use loyalty_api::v1 as wire;
use tonic::Status;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::auth::{actor, caller};
use super::convert::decimal;
use super::fields::Fields;
use super::page_token;
use super::streaming::{Outlet, Told};
use super::{Context, program_service, status};
use crate::domain::account::Books;
use crate::domain::expiry_change::{self, ChangeCounts, Forecast};
use crate::jobs::Jobs;
use crate::jobs::expiry_change::Moving;
use crate::posting::configuration::{self, Change, ChangeAction};
use crate::posting::content_hash;
use crate::storage::connection;
use crate::storage::error::StorageError;
use crate::storage::{accrual, books, expiry_change as runs};

/// Members of one message of a preview.
const MEMBERS: usize = 200;
/// Days of a preview that does not say.
const DAYS: u32 = 30;
/// As far ahead as it can be asked what lapses.
const MOST_DAYS: u32 = 36_600;
/// How often a caller is told how far a run is.
const TELL: Duration = Duration::from_secs(1);
/// How often is looked whether another run is over.
const LOOK: Duration = Duration::from_millis(100);

/// A preview under way.
struct Preview {
    context: Arc<Context>,
    merchant_id: u32,
    program_id: String,
    extend_only: bool,
    within: TimeDelta,
    etag: String,
}

/// Members, and who was the last of them; `None`: there are no more.
struct Part {
    members: u64,
    forecast: Forecast,
    last: Option<Uuid>,
}

/// What a change would do.
pub(super) async fn preview(
    context: &Arc<Context>,
    request: wire::PreviewExpiryPolicyRequest,
) -> Result<Told<wire::PreviewExpiryPolicyResponse>, Status> {
    let mut fields = Fields::default();
    let program_id = fields.slug("program_id", request.program_id);
    if request.within_days > MOST_DAYS {
        fields.wrong("within_days", format!("must be at most {MOST_DAYS}"));
    }
    let days = if request.within_days == 0 {
        DAYS
    } else {
        request.within_days
    };
    let merchant_id = caller(context).merchant_id;
    let after = match request.resume_token.as_str() {
        "" => Some(Uuid::nil()),
        token => page_token::key(token).and_then(|key| {
            let (member_id, checksum) = key.split_once(' ')?;
            (checksum == checksum_of(merchant_id, &program_id, member_id)).then(|| member_id.parse().ok())?
        }),
    };
    if after.is_none() {
        fields.wrong("resume_token", "is not a token of this preview");
    }
    let mut after = fields.finish(after.unwrap_or_default())?;
    let program = program_service::find_program(context, caller(context), &program_id).await?;
    let preview = Preview {
        context: Arc::clone(context),
        merchant_id,
        program_id,
        extend_only: request.extend_only,
        within: TimeDelta::days(i64::from(days)),
        etag: program.since_version.to_string(),
    };
    context.streams.start(move |mut outlet| async move {
        loop {
            let part = preview.part(after).await?;
            let last = part.last;
            outlet.send(preview.message(part)).await?;
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    })
}

impl Preview {
    async fn part(&self, after: Uuid) -> Result<Part, Status> {
        let now = (self.context.clock)();
        let (merchant_id, program_id, cache) =
            (self.merchant_id, self.program_id.clone(), self.context.programs.clone());
        let (extend_only, span) = (self.extend_only, (now, now + self.within));
        let part = self.context.database.run(move |connection| {
            Box::pin(async move {
                connection::begin_snapshot(connection).await?;
                let next = runs::members_behind(connection, merchant_id, &program_id, after, MEMBERS).await?;
                let last = next
                    .last()
                    .map(|(member_id, _)| *member_id)
                    .filter(|_| next.len() == MEMBERS);
                let ours = next.into_iter().filter(|(_, is_ours)| *is_ours);
                let ours: Vec<Uuid> = ours.map(|(member_id, _)| member_id).collect();
                let program = (merchant_id, program_id.as_str().into());
                let mut versions = cache.current(connection, std::iter::once(program.clone())).await?;
                let version = versions.remove(&program);
                let version = version.ok_or_else(|| StorageError::Corrupt(format!("no program {program_id}")))?;
                let mut all = books::load_all(connection, &version, merchant_id, &ours, now).await?;
                let mut forecast = Forecast::default();
                books::ask_all(connection, &mut all, Books::all_known).await?;
                let accruals = accrual::of_books(connection, merchant_id, &all.iter().collect::<Vec<_>>()).await?;
                let none = expiry_change::Accruals::new();
                for books in &all {
                    let accruals = accruals.get(&books.account.member_id).unwrap_or(&none);
                    let of_member = expiry_change::forecast(books, &version, accruals, extend_only, span);
                    let of_member =
                        of_member.map_err(|_| StorageError::Corrupt("books that do not add up".to_owned()))?;
                    forecast.add(of_member);
                }
                connection::end_snapshot(connection).await?;
                let members = all.len() as u64;
                Ok(Part {
                    members,
                    forecast,
                    last,
                })
            })
        });
        part.await.map_err(|error| status::storage(&error))
    }

    fn message(&self, part: Part) -> wire::PreviewExpiryPolicyResponse {
        let Part {
            members,
            forecast,
            last,
        } = part;
        let token = last.map(|last| {
            let member_id = last.to_string();
            let checksum = checksum_of(self.merchant_id, &self.program_id, &member_id);
            page_token::token(&format!("{member_id} {checksum}"))
        });
        wire::PreviewExpiryPolicyResponse {
            members,
            counts: Some(counts(forecast.counts)),
            lapsing_points: decimal(forecast.lapsing_changed),
            lapsing_points_as_it_is: decimal(forecast.lapsing_as_it_is),
            etag: self.etag.clone(),
            resume_token: token.unwrap_or_default(),
        }
    }
}

fn checksum_of(merchant_id: u32, program_id: &str, member_id: &str) -> String {
    page_token::checksum(&format!("expiry preview of {merchant_id} {program_id}: {member_id}"))
}

/// Begins the change, or takes it up again, and tells how far it is.
pub(super) async fn apply(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    request: wire::ApplyExpiryPolicyRequest,
) -> Result<Told<wire::ApplyExpiryPolicyResponse>, Status> {
    let mut fields = Fields::default();
    let request_id = fields.request_id(request.request_id);
    let actor = actor(&mut fields, metadata);
    let program_id = fields.slug("program_id", request.program_id);
    let etag = fields.etag("etag", &request.etag);
    fields.finish(())?;
    let extend_only = request.extend_only;
    let content = content_hash("ApplyExpiryPolicy", &(&program_id, etag, extend_only));
    let merchant_id = caller(context).merchant_id;
    let change = Change {
        merchant_id,
        request_id: request_id.clone(),
        content_hash: content.map_err(|_| status::internal())?,
        actor,
        now: (context.clock)(),
        program_id,
        action: ChangeAction::BeginExpiryChange { etag, extend_only },
    };
    let decision = configuration::apply(&context.database, change).await;
    let decision = decision.map_err(|error| status::posting(&error))?;
    decision.map_err(|refusal| status::refusal(&refusal))?;
    let jobs = Arc::clone(&context.jobs);
    context
        .streams
        .start(move |outlet| async move { tell_run(&jobs, merchant_id, &request_id, outlet).await })
}

async fn tell_run(
    jobs: &Jobs,
    merchant_id: u32,
    request_id: &str,
    mut outlet: Outlet<wire::ApplyExpiryPolicyResponse>,
) -> Result<(), Status> {
    let mut told = Instant::now();
    let mut moving = loop {
        let taken_up = Moving::take_up(jobs, merchant_id, request_id).await;
        if let Some(moving) = taken_up.map_err(|error| status::job(&error))? {
            break moving;
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            outlet.send(message(ChangeCounts::default(), false)).await?;
        }
        outlet.pause(LOOK).await?;
    };
    let outcome = loop {
        match moving.step().await {
            Ok(true) if told.elapsed() > TELL => {
                told = Instant::now();
                if let Err(gone) = outlet.send(message(moving.counts(), false)).await {
                    break Err(gone);
                }
            }
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(status::job(&error)),
        }
    };
    let ended = moving.end(outcome.is_ok()).await;
    outcome?;
    let counts = ended.map_err(|error| status::job(&error))?;
    outlet.send(message(counts, true)).await
}

fn message(done_so_far: ChangeCounts, done: bool) -> wire::ApplyExpiryPolicyResponse {
    wire::ApplyExpiryPolicyResponse {
        counts: Some(counts(done_so_far)),
        done,
    }
}

fn counts(counts: ChangeCounts) -> wire::ExpiryChangeCounts {
    wire::ExpiryChangeCounts {
        members: counts.members,
        lots: counts.lots,
        points: decimal(counts.points),
        lapsed_points: decimal(counts.lapsed_points),
        kept_lots: counts.kept_lots,
        kept_points: decimal(counts.kept_points),
    }
}
