//! ImportMembers: members of another system, as many as there are.

use std::collections::VecDeque;
use std::sync::Arc;

use loyalty_api::v1 as wire;
use tonic::metadata::MetadataMap;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::auth::{actor, caller, carried_on};
use super::fields::Fields;
use super::streaming::{Outlet, Told};
use super::{Context, convert, program_service, status, sync_calls};
use crate::domain::answer::Refusal;
use crate::domain::importing::ImportedMember;
use crate::domain::program::ProgramState;
use crate::domain::rejection::Rejection;
use crate::posting::{Action, Command, Decision, PostingError, Submitted, Way, content_hash};

/// Rows of a message: 2 MB at 4 kB each.
const MOST_OF_A_MESSAGE: usize = 500;
/// Rows of a call that are under way at once: two batches, one that is posted and one that waits, so that tills wait no
/// longer than for those.
const MOST_UNDER_WAY: usize = 1_024;

/// A message under way.
struct Part {
    rows: VecDeque<Row>,
    answer: wire::ImportMembersResponse,
}

/// A row under way, and its number.
enum Row {
    Refused(wire::ImportFailure),
    Submitted(u64, Submitted),
}

/// Starts to take the rows.
pub(super) fn import(
    context: &Arc<Context>,
    metadata: &MetadataMap,
    messages: Streaming<wire::ImportMembersRequest>,
) -> Result<Told<wire::ImportMembersResponse>, Status> {
    let mut fields = Fields::default();
    let actor = actor(&mut fields, metadata);
    fields.finish(())?;
    let (way, shared) = (context.posting.new_way(), Arc::clone(context));
    context.streams.start(|outlet| {
        let import = Import {
            context: shared,
            actor,
            way,
            outlet,
            program_id: String::new(),
            import_id: String::new(),
            last_row_number: 0,
            parts: VecDeque::new(),
            rows_under_way: 0,
        };
        carried_on(import.take(messages))
    })
}

/// An import that is being taken.
struct Import {
    context: Arc<Context>,
    actor: String,
    way: Way,
    outlet: Outlet<wire::ImportMembersResponse>,
    program_id: String,
    import_id: String,
    last_row_number: u64,
    parts: VecDeque<Part>,
    rows_under_way: usize,
}

impl Import {
    /// Rows go one behind the other without waiting for answers.
    async fn take(mut self, mut messages: Streaming<wire::ImportMembersRequest>) -> Result<(), Status> {
        loop {
            let has_room = self.rows_under_way + MOST_OF_A_MESSAGE <= MOST_UNDER_WAY;
            let next = tokio::select! {
                biased;
                over = self.outlet.until_over() => return Err(over),
                decision = first(&mut self.parts), if !self.parts.is_empty() => {
                    self.settle_row(decision).await?;
                    continue;
                }
                next = messages.message(), if has_room => next,
            };
            match next {
                Ok(Some(message)) => self.begin(message).await?,
                Ok(None) => return self.settle().await,
                Err(status) => {
                    // What was taken before the line broke is answered, if anybody still listens.
                    self.settle().await?;
                    return Err(status);
                }
            }
        }
    }

    async fn begin(&mut self, message: wire::ImportMembersRequest) -> Result<(), Status> {
        if let Err(status) = self.check(&message).await {
            self.settle().await?;
            return Err(status);
        }
        let mut part = Part {
            rows: VecDeque::with_capacity(message.rows.len()),
            answer: wire::ImportMembersResponse::default(),
        };
        for given in message.rows {
            let row_number = given.row_number;
            self.last_row_number = row_number;
            part.answer.last_row_number = row_number;
            part.rows.push_back(match self.command(given) {
                Err(status) => Row::Refused(invalid(row_number, status)?),
                Ok(command) => match self.context.posting.submit_behind(&self.way, command) {
                    Ok(submitted) => Row::Submitted(row_number, submitted),
                    Err(error) => {
                        self.settle().await?;
                        return Err(status::posting(&error));
                    }
                },
            });
        }
        self.rows_under_way += part.rows.len();
        self.parts.push_back(part);
        Ok(())
    }

    /// Refuses a message that is none of this call: no row of it is taken.
    async fn check(&mut self, message: &wire::ImportMembersRequest) -> Result<(), Status> {
        let mut fields = Fields::default();
        let is_first = self.last_row_number == 0;
        if is_first {
            self.program_id = fields.slug("program_id", message.program_id.clone());
            self.import_id = fields.slug("import_id", message.import_id.clone());
        } else {
            for (field, text) in [("program_id", &message.program_id), ("import_id", &message.import_id)] {
                if !text.is_empty() {
                    fields.wrong(field, "is in the first message only");
                }
            }
        }
        if message.rows.is_empty() {
            fields.wrong("rows", "are missing");
        }
        fields.at_most("rows", &message.rows, MOST_OF_A_MESSAGE);
        let mut last = self.last_row_number;
        for (place, row) in message.rows.iter().enumerate() {
            if row.row_number <= last {
                let description = format!("must be above {last}, the number of the row before");
                fields.wrong(format!("rows[{place}].row_number"), description);
            }
            last = row.row_number;
        }
        fields.finish(())?;
        if is_first {
            let caller = caller(&self.context);
            let record = program_service::find_program(&self.context, caller, &self.program_id).await?;
            if record.program.state == ProgramState::Archived {
                let program_id = self.program_id.clone();
                return Err(status::rejection(&Rejection::ProgramArchived { program_id }));
            }
        }
        Ok(())
    }

    fn command(&self, given: wire::ImportedMember) -> Result<Command, Status> {
        let mut fields = Fields::default();
        let row_number = given.row_number;
        let (enrolment, opening) = convert::importing::imported_member(&mut fields, &self.program_id, given);
        fields.finish(())?;
        let content = (enrolment.canonical(), &opening);
        let content_hash = content_hash("ImportMembers", &content).map_err(|_| status::internal())?;
        let imported = ImportedMember {
            import_id: self.import_id.clone(),
            row_number,
            enrolment,
            opening,
            actor: self.actor.clone(),
        };
        Ok(Command {
            merchant_id: caller(&self.context).merchant_id,
            // The row tells whether it was written before.
            request_id: String::new(),
            content_hash,
            now: (self.context.clock)(),
            action: Action::Import(Uuid::new_v4(), Box::new(imported)),
        })
    }

    /// Waits until everything under way is answered.
    async fn settle(&mut self) -> Result<(), Status> {
        while !self.parts.is_empty() {
            let decided = first(&mut self.parts).await;
            self.settle_row(decided).await?;
        }
        Ok(())
    }

    /// What became of the first row under way; with the last of its message, the answer.
    async fn settle_row(&mut self, decided: Result<Decided, PostingError>) -> Result<(), Status> {
        let Some(part) = self.parts.front_mut() else {
            return Ok(());
        };
        let answer = &mut part.answer;
        match decided.map_err(|error| status::posting(&error))? {
            Decided::Imported => answer.imported_count += 1,
            Decided::Unchanged => answer.unchanged_count += 1,
            Decided::Refused(failure) => answer.failures.push(failure),
        }
        part.rows.pop_front();
        self.rows_under_way -= 1;
        if part.rows.is_empty()
            && let Some(part) = self.parts.pop_front()
        {
            self.outlet.send(part.answer).await?;
        }
        Ok(())
    }
}

/// What became of a row.
enum Decided {
    Imported,
    Unchanged,
    Refused(wire::ImportFailure),
}

/// What became of the first row that is under way.
async fn first(parts: &mut VecDeque<Part>) -> Result<Decided, PostingError> {
    match parts.front_mut().and_then(|part| part.rows.front_mut()) {
        Some(Row::Refused(failure)) => Ok(Decided::Refused(failure.clone())),
        Some(Row::Submitted(row_number, submitted)) => {
            let decision: Decision = submitted.decision().await?;
            Ok(match decision {
                Ok(decided) if decided.replayed => Decided::Unchanged,
                Ok(_) => Decided::Imported,
                Err(refusal) => Decided::Refused(refused(*row_number, refusal)),
            })
        }
        None => std::future::pending().await,
    }
}

fn refused(row_number: u64, refusal: Refusal) -> wire::ImportFailure {
    wire::ImportFailure {
        row_number,
        field: refusal.metadata.get("field").cloned().unwrap_or_default(),
        refusal: Some(wire::Refusal {
            reason: refusal.reason,
            message: refusal.message,
            metadata: refusal.metadata.into_iter().collect(),
        }),
    }
}

/// A row that says what none can say.
fn invalid(row_number: u64, status: Status) -> Result<wire::ImportFailure, Status> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
    let field = violations.and_then(|violations| violations.first());
    Ok(wire::ImportFailure {
        row_number,
        field: field.map(|violation| violation.field.clone()).unwrap_or_default(),
        refusal: Some(sync_calls::refusal(status)?),
    })
}
