//! Looks at an outbox that somebody else may have open.

use std::{io, path::Path};

use super::{
    entry::{OutboxEntry, RefusedEntry},
    error::OutboxError,
    segment::{self, Rest, path_of},
    store::Replay,
};

/// How often a look begins again because files were removed under it.
const ATTEMPTS: usize = 10;

/// What an outbox holds, as its files say at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutboxContents {
    /// What is still unsent, in its order.
    pub unsent: Vec<OutboxEntry>,
    /// What was refused and nobody has seen to yet, in its order.
    pub refused: Vec<RefusedEntry>,
    /// What its files take.
    pub bytes: u64,
}

/// Reads the files and changes nothing. The end of the last file may be under way.
pub(super) fn inspect(directory: &Path) -> Result<OutboxContents, OutboxError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match read(directory) {
            // What was answered meanwhile was removed: what is left tells it.
            Err(OutboxError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {}
            other => return other,
        }
    }
}

fn read(directory: &Path) -> Result<OutboxContents, OutboxError> {
    let numbers = segment::numbers(directory)?;
    let (mut replay, mut bytes) = (Replay::default(), 0);
    for number in &numbers {
        let path = path_of(directory, *number);
        let contents = segment::read(&path)?;
        let damaged = |offset: usize, what| OutboxError::Damaged {
            file: path.clone(),
            offset: offset as u64,
            what,
        };
        bytes += contents.bytes.len() as u64;
        for (at, record) in contents.records {
            replay.take(record, *number).map_err(|what| damaged(at, what))?;
        }
        match contents.rest {
            Rest::Damaged(what) => return Err(damaged(contents.end, what)),
            Rest::Nothing | Rest::Unfinished => {}
        }
    }
    let waiting = replay.waiting.iter();
    let refused = replay.refused.iter();
    Ok(OutboxContents {
        unsent: waiting
            .map(|(position, waiting)| OutboxEntry::of_waiting(*position, waiting))
            .collect(),
        refused: refused
            .map(|(position, refused)| RefusedEntry::of(*position, refused))
            .collect::<Result<_, _>>()?,
        bytes,
    })
}
