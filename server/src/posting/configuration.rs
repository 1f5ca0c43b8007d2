//! Changes of configuration: one transaction each, the program's row locked (or the merchant's, for what belongs to no
//! program), idempotent like every write.

mod expiry_change;
mod history;
mod merchants;
mod products;
mod reasons;
mod receipts;
mod rewards;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Decided, Decision, PostingError};
use crate::domain::answer::{ProgramRecord, Refusal, RuleRecord, StoredAnswer};
use crate::domain::configuration::ProgramEdit;
use crate::domain::offline::OfflinePolicy;
use crate::domain::product::ProductEdit;
use crate::domain::program::{Program, ProgramState};
use crate::domain::reason::{Reason, ReasonEdit};
use crate::domain::receipt_text::ReceiptTemplates;
use crate::domain::rejection::Rejection;
use crate::domain::reward::{Reward, RewardEdit};
use crate::domain::rule::Rule;
use crate::domain::rule::editing::{self, RuleEdit};
use crate::domain::rule::precedence;
use crate::storage::connection::{self, Connection, Database};
use crate::storage::error::StorageError;
use crate::storage::program::Locked;
use crate::storage::request::{self, RequestRecord, RequestResult, RequestRows};
use crate::storage::{configuration_change, expiry_schedule, merchant, program, rule, statement};

/// Attempts of a change that lost against another.
const ATTEMPTS: usize = 5;

/// A change of configuration.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) merchant_id: u32,
    pub(crate) request_id: String,
    pub(crate) content_hash: [u8; 32],
    /// Who says so.
    pub(crate) actor: String,
    pub(crate) now: DateTime<Utc>,
    /// Empty for what belongs to no program.
    pub(crate) program_id: String,
    pub(crate) action: ChangeAction,
}

/// What is to be changed.
#[derive(Clone, Debug)]
pub(crate) enum ChangeAction {
    CreateProgram(Box<Program>),
    UpdateProgram {
        etag: u32,
        edit: Box<ProgramEdit>,
    },
    CreateRule {
        rule_id: String,
        rule: Box<Rule>,
    },
    UpdateRule {
        rule_id: String,
        etag: u32,
        edit: Box<RuleEdit>,
    },
    CreateReward {
        reward_id: String,
        reward: Box<Reward>,
    },
    UpdateReward {
        reward_id: String,
        etag: u32,
        edit: Box<RewardEdit>,
    },
    /// No product twice.
    UpsertProducts(Arc<[ProductEdit]>),
    /// Begins to move lots to the expiry that the program has; changes nothing of the program.
    BeginExpiryChange {
        etag: u32,
        extend_only: bool,
    },
    /// `None`: only when it is asked for.
    SetExpirySchedule {
        period_seconds: Option<u32>,
    },
    SetOfflinePolicy {
        etag: u32,
        policy: OfflinePolicy,
    },
    SetReceiptTemplates {
        etag: u32,
        templates: Box<ReceiptTemplates>,
    },
    CreateReason {
        reason_id: String,
        reason: Box<Reason>,
    },
    UpdateReason {
        reason_id: String,
        etag: u32,
        edit: Box<ReasonEdit>,
    },
}

/// Carries a change out, or answers again what it was answered before. One that changes nothing makes no version.
pub(crate) async fn apply(database: &Database, change: Change) -> Result<Decision, PostingError> {
    let mut attempts = 0;
    loop {
        let this = change.clone();
        let outcome = database
            .run(move |connection| {
                Box::pin(async move {
                    connection::begin(connection).await?;
                    let decision = attempt(connection, this).await?;
                    connection::commit(connection).await?;
                    Ok(decision)
                })
            })
            .await;
        attempts += 1;
        match outcome {
            Ok(decision) => return Ok(decision),
            Err(error) if error.is_transient() && attempts < ATTEMPTS => {
                tokio::time::sleep(std::time::Duration::from_millis(20 << attempts)).await;
            }
            Err(error) if error.is_transient() => return Err(PostingError::Unavailable(error.to_string())),
            Err(error) => {
                tracing::error!(%error, request_id = change.request_id, "a change cannot be carried out");
                return Err(PostingError::Internal(error.to_string()));
            }
        }
    }
}

async fn attempt(connection: &mut Connection, mut change: Change) -> Result<Decision, StorageError> {
    let locked = lock(connection, &change).await?;
    let key = (change.merchant_id, change.request_id.clone());
    if let Some((_, record)) = request::find(connection, std::iter::once(key.clone())).await?.pop() {
        return Ok(repeat(&change, record));
    }
    // The clocks of several servers differ; the history of a program goes forward all the same.
    let last = configuration_change::last_instant(connection, change.merchant_id, &change.program_id).await?;
    change.now = last.map_or(change.now, |last| last.max(change.now));
    let last_version = locked.map(|locked| locked.version);
    let result = carry_out(connection, &change, locked).await?;
    if let Ok(answer) = &result {
        history::record(connection, &change, answer, last_version).await?;
    }
    let kept = match &result {
        Ok(answer) => Some(answer.clone()),
        Err(rejection) => rejection
            .is_remembered()
            .then(|| StoredAnswer::Refusal(Refusal::from(rejection))),
    };
    if let Some(answer) = kept {
        let mut rows = RequestRows::new();
        let record = RequestRecord {
            content_hash: change.content_hash,
            recorded_at: change.now,
            result: RequestResult::Answer(answer),
        };
        rows.push(&key, &record)?;
        statement::execute(connection, rows.finish()).await?;
    }
    Ok(match result {
        Ok(stored) => stored.into_answer().map(Decided::now),
        Err(rejection) => Err(Refusal::from(&rejection)),
    })
}

/// What the change belongs to, locked until it is done; `None` when there is no such program.
async fn lock(connection: &mut Connection, change: &Change) -> Result<Option<Locked>, StorageError> {
    match &change.action {
        ChangeAction::SetExpirySchedule { .. } => {
            let version = merchant::lock(connection, change.merchant_id).await?;
            expiry_schedule::lock(connection, change.merchant_id).await?;
            Ok(Some(Locked {
                version,
                ..Locked::default()
            }))
        }
        ChangeAction::CreateReason { .. }
        | ChangeAction::UpdateReason { .. }
        | ChangeAction::SetReceiptTemplates { .. }
        | ChangeAction::SetOfflinePolicy { .. } => Ok(Some(Locked {
            version: merchant::lock(connection, change.merchant_id).await?,
            ..Locked::default()
        })),
        _ => program::lock(connection, change.merchant_id, &change.program_id).await,
    }
}

fn repeat(change: &Change, record: RequestRecord) -> Decision {
    let reused = || {
        Refusal::from(&Rejection::RequestIdReused {
            request_id: change.request_id.clone(),
        })
    };
    if record.content_hash != change.content_hash {
        return Err(reused());
    }
    match record.result {
        RequestResult::Answer(stored) => stored.into_answer().map(|answer| Decided { answer, replayed: true }),
        RequestResult::Sale { .. } => Err(reused()),
    }
}

async fn carry_out(
    connection: &mut Connection,
    change: &Change,
    locked: Option<Locked>,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let program_id = change.program_id.clone();
    let (next, locked) = match (&change.action, locked) {
        (ChangeAction::CreateProgram(_), None) => (1, Locked::default()),
        (ChangeAction::CreateProgram(_), Some(_)) => return Ok(Err(Rejection::ProgramExists { program_id })),
        (_, None) => return Ok(Err(Rejection::ProgramNotFound { program_id })),
        (_, Some(locked)) => (locked.version + 1, locked),
    };
    match &change.action {
        ChangeAction::CreateProgram(settings) => {
            program::insert(connection, change.merchant_id, &program_id, settings, change.now).await?;
        }
        ChangeAction::UpdateProgram { etag, edit } => {
            let Some(current) = program::find(connection, change.merchant_id, &program_id).await? else {
                return Err(StorageError::Corrupt(format!("program {program_id} without settings")));
            };
            match edited(current.program.clone(), current.since_version, *etag, edit, &program_id) {
                Ok(settings) if settings == current.program => {}
                Ok(settings) => {
                    if let Some(rejection) = unfit_rule(connection, change, next, &settings).await? {
                        return Ok(Err(rejection));
                    }
                    let merchant_id = change.merchant_id;
                    program::replace(connection, merchant_id, &program_id, next, &settings, change.now).await?;
                }
                Err(rejection) => return Ok(Err(rejection)),
            }
        }
        ChangeAction::CreateRule { rule_id, rule } => {
            return create_rule(connection, change, next, rule_id, rule).await;
        }
        ChangeAction::UpdateRule { rule_id, etag, edit } => {
            return update_rule(connection, change, next, rule_id, *etag, edit).await;
        }
        ChangeAction::CreateReward { reward_id, reward } => {
            return rewards::create(connection, change, next, reward_id, reward).await;
        }
        ChangeAction::UpdateReward { reward_id, etag, edit } => {
            return rewards::update(connection, change, next, reward_id, *etag, edit).await;
        }
        ChangeAction::BeginExpiryChange { etag, extend_only } => {
            return expiry_change::begin(connection, change, *etag, *extend_only).await;
        }
        ChangeAction::SetExpirySchedule { period_seconds } => {
            let schedule = merchants::set_expiry_schedule(connection, change, next, *period_seconds);
            return Ok(Ok(schedule.await?));
        }
        ChangeAction::SetOfflinePolicy { etag, policy } => {
            return merchants::set_offline_policy(connection, change, next, *etag, policy).await;
        }
        ChangeAction::SetReceiptTemplates { etag, templates } => {
            return receipts::set(connection, change, next, *etag, templates).await;
        }
        ChangeAction::CreateReason { reason_id, reason } => {
            return reasons::create(connection, change, next, reason_id, reason).await;
        }
        ChangeAction::UpdateReason { reason_id, etag, edit } => {
            return reasons::update(connection, change, next, reason_id, *etag, edit).await;
        }
        ChangeAction::UpsertProducts(edits) => return products::upsert(connection, change, locked, edits).await,
    }
    let record: Option<ProgramRecord> = program::find(connection, change.merchant_id, &program_id).await?;
    let record = record.ok_or_else(|| StorageError::Corrupt(format!("program {program_id} without settings")))?;
    Ok(Ok(StoredAnswer::Program(Box::new(record))))
}

/// Refuses settings that a rule in force does not fit: one that names a tier which would be gone, say.
async fn unfit_rule(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    settings: &Program,
) -> Result<Option<Rejection>, StorageError> {
    let program = (change.merchant_id, change.program_id.as_str().into());
    for (rule_id, rule) in rule::in_force(connection, &program, version).await? {
        if let Err(rejection) = editing::check(&rule, settings) {
            return Ok(Some(Rejection::InvalidField {
                field: "program".to_owned(),
                description: format!("the rule `{rule_id}` does not fit: {rejection}"),
            }));
        }
    }
    Ok(None)
}

fn edited(
    current: Program,
    since_version: u32,
    etag: u32,
    edit: &ProgramEdit,
    program_id: &str,
) -> Result<Program, Rejection> {
    if current.state == ProgramState::Archived {
        return Err(Rejection::ProgramArchived {
            program_id: program_id.to_owned(),
        });
    }
    if since_version != etag {
        return Err(Rejection::EtagMismatch {
            etag: since_version.to_string(),
        });
    }
    edit.apply(current)
}

async fn create_rule(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    rule_id: &str,
    rule: &Rule,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let rule_id = rule_id.to_owned();
    let program = match open_program(connection, change).await? {
        Ok(program) => program,
        Err(rejection) => return Ok(Err(rejection)),
    };
    if let Err(rejection) = editing::check(rule, &program) {
        return Ok(Err(rejection));
    }
    if rule::find(connection, merchant_id, program_id, &rule_id)
        .await?
        .is_some()
    {
        return Ok(Err(Rejection::RuleExists {
            program_id: program_id.clone(),
            rule_id,
        }));
    }
    if let Some(rejection) = tie(connection, change, next, &rule_id, rule).await? {
        return Ok(Err(rejection));
    }
    put_rule(connection, change, next, rule_id, rule.clone()).await
}

/// Refuses a rule where it is open whether it or another goes first.
async fn tie(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    rule_id: &str,
    rule: &Rule,
) -> Result<Option<Rejection>, StorageError> {
    let program = (change.merchant_id, change.program_id.as_str().into());
    let in_force = rule::in_force(connection, &program, version).await?;
    let mut others = in_force.into_iter().filter(|(other, _)| other != rule_id);
    Ok(others
        .find(|(_, other)| precedence::tie(rule, other))
        .map(|(rule_id, _)| Rejection::RuleTie { rule_id }))
}

async fn update_rule(
    connection: &mut Connection,
    change: &Change,
    next: u32,
    rule_id: &str,
    etag: u32,
    edit: &RuleEdit,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let (merchant_id, program_id) = (change.merchant_id, &change.program_id);
    let rule_id = rule_id.to_owned();
    let program = match open_program(connection, change).await? {
        Ok(program) => program,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let Some(current) = rule::find(connection, merchant_id, program_id, &rule_id).await? else {
        return Ok(Err(Rejection::RuleNotFound {
            program_id: program_id.clone(),
            rule_id,
        }));
    };
    if current.rule.archived {
        return Ok(Err(Rejection::RuleArchived { rule_id }));
    }
    if current.since_version != etag {
        return Ok(Err(Rejection::EtagMismatch {
            etag: current.since_version.to_string(),
        }));
    }
    let rule = match edit.apply(current.rule.clone(), &program) {
        Ok(rule) if rule == current.rule => return Ok(Ok(StoredAnswer::Rule(Box::new(current)))),
        Ok(rule) => rule,
        Err(rejection) => return Ok(Err(rejection)),
    };
    if !rule.archived
        && let Some(rejection) = tie(connection, change, next, &rule_id, &rule).await?
    {
        return Ok(Err(rejection));
    }
    put_rule(connection, change, next, rule_id, rule).await
}

/// The program, whose rules may change: nothing of an archived one does.
async fn open_program(
    connection: &mut Connection,
    change: &Change,
) -> Result<Result<Program, Rejection>, StorageError> {
    let program_id = change.program_id.clone();
    Ok(
        match program::find(connection, change.merchant_id, &program_id).await? {
            Some(record) if record.program.state == ProgramState::Archived => {
                Err(Rejection::ProgramArchived { program_id })
            }
            Some(record) => Ok(record.program),
            None => Err(Rejection::ProgramNotFound { program_id }),
        },
    )
}

async fn put_rule(
    connection: &mut Connection,
    change: &Change,
    version: u32,
    rule_id: String,
    rule: Rule,
) -> Result<Result<StoredAnswer, Rejection>, StorageError> {
    let program_id = change.program_id.clone();
    let record = RuleRecord {
        program_id,
        rule_id,
        since_version: version,
        rule,
        updated_at: change.now,
    };
    rule::put(connection, change.merchant_id, &record, version, change.now).await?;
    program::set_version(connection, change.merchant_id, &change.program_id, version).await?;
    Ok(Ok(StoredAnswer::Rule(Box::new(record))))
}
