//! The call that brings members of another system along.

use std::{collections::VecDeque, time::Duration};

use loyalty_api::v1;
use prost::Message as _;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};

use super::{ACTOR_HEADER, Client};
use crate::{
    error::{self, Error},
    id::ProgramId,
    import::{ImportCounts, ImportProgress, ImportedMember},
    retry,
};

/// Rows of a message, as many as the contract allows.
const ROWS_OF_A_MESSAGE: usize = 500;
/// Bytes of a message that takes no further row: half of what a server takes.
const BYTES_OF_A_MESSAGE: usize = 1 << 20;
/// Messages that are sent and not answered: one more than the server works on.
const MOST_UNANSWERED: usize = 3;
/// Silence after which a server is taken for lost: longer than any write waits for its database.
const LONGEST_SILENCE: Duration = Duration::from_secs(35);

impl Client {
    /// Brings members of another system into a program, as many as `rows` gives, and tells `progress` of each part that
    /// was dealt with. Rows are taken as they are sent, a few parts ahead of the answers, so that a million of them take
    /// no more memory than a thousand. Their numbers rise.
    ///
    /// A refused row does not keep the others from being written. `import_id`, 1 to 64 of `a-z 0-9 - _ .`, names the
    /// import: a row that was written before, by this call or another with the same id, changes nothing, so that an import
    /// that broke off is made again from the start or behind
    /// [`last_row_number`](ImportCounts::last_row_number). Takes as long as it needs, whatever the deadline of the client;
    /// when the line breaks, it goes on behind the last answer, at [another server](crate::ClientBuilder::fallback) where
    /// there is one.
    ///
    /// Who makes it is kept: see [`ClientBuilder::actor`](crate::ClientBuilder::actor).
    ///
    /// # Errors
    ///
    /// [`Error::ProgramNotFound`], [`Error::ProgramArchived`], [`Error::InvalidFields`] for numbers that do not rise; and
    /// failures. What was written before one stays so.
    pub async fn import_members<R>(
        &self,
        program_id: impl Into<ProgramId> + Send,
        import_id: impl Into<String> + Send,
        rows: R,
        mut progress: impl FnMut(&ImportProgress) + Send,
    ) -> Result<ImportCounts, Error>
    where
        R: IntoIterator<Item = ImportedMember> + Send,
        R::IntoIter: Send,
    {
        let mut import = Import {
            client: self,
            program_id: program_id.into(),
            import_id: import_id.into(),
            rows: rows.into_iter(),
            next: None,
            unanswered: VecDeque::new(),
            done: ImportProgress {
                counts: ImportCounts::default(),
                refused: Vec::new(),
            },
        };
        let mut attempts = 0;
        loop {
            let (before, line) = (import.done.counts.last_row_number, self.lines.current());
            let Err(status) = import.once(&mut progress).await? else {
                self.lines.answered(line);
                return Ok(import.done.counts);
            };
            let is_another_there = self.lines.ended(line, &status, true);
            let has_moved = import.done.counts.last_row_number > before;
            attempts = if has_moved { 1 } else { attempts + 1 };
            match self.retry.pause_after(attempts, &status) {
                Some(_) if is_another_there => {}
                Some(pause) => sleep(pause).await,
                None => return Err(error::from_status(&status, attempts, None)),
            }
        }
    }
}

/// An import under way.
struct Import<'a, R> {
    client: &'a Client,
    program_id: ProgramId,
    import_id: String,
    rows: R,
    /// A row that was taken and did not fit into the message before.
    next: Option<v1::ImportedMember>,
    unanswered: VecDeque<Vec<v1::ImportedMember>>,
    done: ImportProgress,
}

impl<R: Iterator<Item = ImportedMember> + Send> Import<'_, R> {
    /// Sends what is unanswered and what follows, over one line; a status when it breaks.
    async fn once(&mut self, progress: &mut (impl FnMut(&ImportProgress) + Send)) -> Result<Result<(), Status>, Error> {
        if self.unanswered.is_empty() && !self.take_message() {
            return Ok(Ok(()));
        }
        let (sender, messages) = mpsc::channel(MOST_UNANSWERED);
        let (mut sent, mut is_first) = (0, true);
        let mut answers: Option<Streaming<v1::ImportMembersResponse>> = None;
        let mut receiver = Some(messages);
        loop {
            while sent < MOST_UNANSWERED && (sent < self.unanswered.len() || self.take_message()) {
                let Some(rows) = self.unanswered.get(sent) else { break };
                let message = self.message(rows.clone(), std::mem::take(&mut is_first));
                if sender.send(message).await.is_err() {
                    break;
                }
                sent += 1;
            }
            if let Some(messages) = receiver.take() {
                match begin(self.client, messages).await? {
                    Ok(stream) => answers = Some(stream),
                    Err(status) => return Ok(Err(status)),
                }
            }
            let (Some(expected), Some(answers)) = (self.unanswered.front(), &mut answers) else {
                return Ok(Ok(()));
            };
            let last = expected.last().map(|row| row.row_number).unwrap_or_default();
            let answer = match timeout(LONGEST_SILENCE, answers.message()).await {
                Ok(Ok(Some(answer))) => answer,
                Ok(Ok(None)) => return Ok(Err(Status::unavailable("the import was not answered to its end"))),
                Ok(Err(status)) => return Ok(Err(status)),
                Err(_) => return Ok(Err(retry::no_answer(LONGEST_SILENCE))),
            };
            // A line that says things twice can say anything: on another one the rest is asked for again.
            if answer.last_row_number != last {
                let answered = answer.last_row_number;
                let message = format!("the rows up to {answered} were answered in the place of those up to {last}");
                return Ok(Err(Status::unavailable(message)));
            }
            self.unanswered.pop_front();
            sent -= 1;
            self.done.add(answer);
            progress(&self.done);
        }
    }

    /// Takes the rows of a further message; whether there were any.
    fn take_message(&mut self) -> bool {
        let (mut message, mut bytes) = (Vec::new(), 0);
        while message.len() < ROWS_OF_A_MESSAGE {
            let taken = self.next.take();
            let row = taken.or_else(|| self.rows.next().map(|row| row.to_wire(&self.program_id)));
            let Some(row) = row else { break };
            bytes += row.encoded_len();
            if bytes > BYTES_OF_A_MESSAGE && !message.is_empty() {
                self.next = Some(row);
                break;
            }
            message.push(row);
        }
        let has_some = !message.is_empty();
        if has_some {
            self.unanswered.push_back(message);
        }
        has_some
    }

    fn message(&self, rows: Vec<v1::ImportedMember>, is_first: bool) -> v1::ImportMembersRequest {
        let of_first = |text: &str| if is_first { text.to_owned() } else { String::new() };
        v1::ImportMembersRequest {
            program_id: of_first(self.program_id.as_ref()),
            import_id: of_first(&self.import_id),
            rows,
        }
    }
}

/// A line over which the messages go.
async fn begin(
    client: &Client,
    messages: mpsc::Receiver<v1::ImportMembersRequest>,
) -> Result<Result<Streaming<v1::ImportMembersResponse>, Status>, Error> {
    let mut request = Request::new(ReceiverStream::new(messages));
    if let Some(actor) = client.actor_header()? {
        request.metadata_mut().insert(ACTOR_HEADER, actor);
    }
    let limit = client.retry.limit_of_attempt().min(LONGEST_SILENCE);
    let mut programs = client.raw_programs();
    Ok(match timeout(limit, programs.import_members(request)).await {
        Ok(begun) => begun.map(tonic::Response::into_inner),
        Err(_) => Err(retry::no_answer(limit)),
    })
}
