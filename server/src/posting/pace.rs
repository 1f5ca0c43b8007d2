//! Work in the background: commands that no till waits for. They are posted in steps, each as large as what else goes on
//! allows, so that sales go first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::writer::Job;
use super::{Command, Decision, Posting, PostingError};

/// Commands of a step beside busy tills: a few in each batch of theirs, which take it a few milliseconds longer.
const LEAST: usize = 16;
/// Commands of a step while nothing else goes on: a full batch for each of two writers.
const MOST: usize = 1_024;
/// How long is waited for room in a queue that is more than half full.
const WAIT: Duration = Duration::from_millis(20);

/// Posts in the background.
pub(crate) struct Pace {
    posting: Arc<Posting>,
    step: usize,
}

impl Pace {
    pub(crate) fn new(posting: &Arc<Posting>) -> Self {
        Self {
            posting: Arc::clone(posting),
            step: LEAST,
        }
    }

    /// How many commands the next step should have.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    /// Has the commands of a step decided, in order. Where tills are busy meanwhile, the next step is smaller, and a rest
    /// as long as this one comes before it.
    pub(crate) async fn post(
        &mut self,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Decision, PostingError>>, PostingError> {
        let (own, began) = (commands.len() as u64, Instant::now());
        let accepted = self.posting.statistics.accepted();
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            answers.push(self.enqueue(command).await?);
        }
        let mut decisions = Vec::with_capacity(answers.len());
        for answer in answers {
            decisions.push(answer.await.unwrap_or_else(|_| Err(PostingError::stopping())));
        }
        if self.posting.statistics.accepted() - accepted > own {
            self.step = (self.step / 2).max(LEAST);
            tokio::time::sleep(began.elapsed()).await;
        } else {
            self.step = (self.step * 2).min(MOST);
        }
        Ok(decisions)
    }

    /// Puts a command into the queue of its writer, as soon as that is no more than half full.
    async fn enqueue(
        &self,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Decision, PostingError>>, PostingError> {
        let queue = self.posting.queue(command.account_hash());
        loop {
            if queue.is_closed() {
                return Err(PostingError::stopping());
            }
            if queue.capacity() * 2 >= queue.max_capacity()
                && let Ok(place) = queue.try_reserve()
            {
                let (job, answer) = Job::new(command, None);
                place.send(job);
                self.posting.statistics.accept();
                return Ok(answer);
            }
            tokio::time::sleep(WAIT).await;
        }
    }
}
