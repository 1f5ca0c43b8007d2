//! Who an identifier belongs to. Every sale asks this before it can be posted, so the questions of all callers that
//! wait at the same moment are answered by one statement.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::connection::{self, Connection};
use super::error::StorageError;
use super::member;
use crate::domain::enrolment::IdentifierKind;

/// Questions answered by one statement. MariaDB turns lists of 1,000 and more values into a subquery.
const BATCH_LIMIT: usize = 500;
/// Questions that may wait: a second of the fastest measured load.
const QUEUE_LIMIT: usize = 16_384;

/// An enrolment that an identifier leads to: program and member.
pub(crate) type Enrolled = (String, Uuid);

/// Asks who an identifier belongs to.
#[derive(Clone)]
pub(crate) struct MemberIndex {
    questions: mpsc::Sender<Question>,
}

struct Question {
    merchant_id: u32,
    kind: IdentifierKind,
    value: String,
    reply: oneshot::Sender<Result<Vec<Enrolled>, StorageError>>,
}

impl MemberIndex {
    /// Starts the task that answers; it ends when the last handle is dropped.
    pub(crate) fn start(url: &str) -> Self {
        let (questions, receiver) = mpsc::channel(QUEUE_LIMIT);
        tokio::spawn(answer_all(url.to_owned(), receiver));
        Self { questions }
    }

    /// The enrolments that an identifier leads to, one for each program that has it.
    pub(crate) async fn find(
        &self,
        merchant_id: u32,
        kind: IdentifierKind,
        value: &str,
    ) -> Result<Vec<Enrolled>, StorageError> {
        let (reply, answer) = oneshot::channel();
        let question = Question {
            merchant_id,
            kind,
            value: value.to_owned(),
            reply,
        };
        let stopped = || StorageError::Unavailable("the server is stopping".to_owned());
        self.questions.send(question).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

async fn answer_all(url: String, mut questions: mpsc::Receiver<Question>) {
    let mut connection: Option<Connection> = None;
    let mut waiting = Vec::with_capacity(BATCH_LIMIT);
    while questions.recv_many(&mut waiting, BATCH_LIMIT).await > 0 {
        let mut found = answer_batch(&mut connection, &url, &waiting).await;
        if found.is_err() {
            // The connection may have been idle for longer than the database allows; a fresh one tells.
            connection = None;
            found = answer_batch(&mut connection, &url, &waiting).await;
        }
        for question in waiting.drain(..) {
            let answer = match &found {
                Ok(found) => {
                    let key = (question.merchant_id, question.kind, question.value);
                    Ok(found.get(&key).cloned().unwrap_or_default())
                }
                Err(error) => Err(StorageError::Unavailable(error.to_string())),
            };
            // A caller that hung up does not want it.
            let _ = question.reply.send(answer);
        }
        if found.is_err() {
            connection = None;
        }
    }
}

type Found = HashMap<(u32, IdentifierKind, String), Vec<Enrolled>>;

async fn answer_batch(
    connection: &mut Option<Connection>,
    url: &str,
    questions: &[Question],
) -> Result<Found, StorageError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(connection::establish(url).await?),
    };
    let mut asked: BTreeMap<(u32, IdentifierKind), Vec<String>> = BTreeMap::new();
    for question in questions {
        asked
            .entry((question.merchant_id, question.kind))
            .or_default()
            .push(question.value.clone());
    }
    let mut found = Found::new();
    for ((merchant_id, kind), values) in asked {
        for (value, program_id, member_id) in member::find_identifiers(connection, merchant_id, kind, &values).await? {
            found
                .entry((merchant_id, kind, value))
                .or_default()
                .push((program_id, member_id));
        }
    }
    Ok(found)
}
