//! Makes a damaged outbox one that can be opened.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    error::OutboxError,
    record::{self, Record},
    segment::{self, Rest, path_of},
    store::{Replay, lock},
};

/// What was done to a damaged outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetAside {
    /// Where the bytes are that could not be read.
    pub(super) file: PathBuf,
    pub(super) bytes: u64,
}

/// Sets aside what cannot be read, so that the outbox can be opened with the rest.
pub(super) fn repair(directory: &Path) -> Result<Vec<SetAside>, OutboxError> {
    let _lock = lock(directory)?;
    let numbers = segment::numbers(directory)?;
    let (mut replay, mut set_aside) = (Replay::default(), Vec::new());
    for number in numbers {
        let path = path_of(directory, number);
        let contents = segment::read(&path)?;
        let (mut before, mut end, mut is_whole) = (Vec::new(), contents.end, contents.rest == Rest::Nothing);
        for (at, record) in contents.records {
            if let Record::Start { position } = record
                && replay.next_position.is_some_and(|next| next != position)
            {
                // The operations between were in what was set aside before, or in a file that is gone.
                let lost = Record::Lost { before: position };
                before = lost.encode();
                replay.next_position = Some(position);
                is_whole = false;
            }
            if replay.take(record, number).is_err() {
                (end, is_whole) = (at, false);
                break;
            }
        }
        if is_whole {
            continue;
        }
        let (good, rest) = contents.bytes.split_at(end);
        if !rest.is_empty() {
            let file = directory.join(format!("{number:020}-{end}.damaged"));
            put_aside(&file, rest).map_err(|source| OutboxError::io(&file, source))?;
            let bytes = rest.len() as u64;
            set_aside.push(SetAside { file, bytes });
        }
        let records = good.get(record::MAGIC.len()..).unwrap_or_default();
        rewrite(directory, number, &[&before, records].concat())?;
    }
    renumber(directory)?;
    Ok(set_aside)
}

/// Keeps bytes in a file of their own.
fn put_aside(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if fs::read(file).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    let _ = fs::remove_file(file);
    segment::write_new(file, bytes).map(drop)
}

/// Puts another file into the place of one, whole or not at all.
fn rewrite(directory: &Path, number: u64, records: &[u8]) -> Result<(), OutboxError> {
    let (path, new) = (path_of(directory, number), directory.join("repaired"));
    let mut bytes = record::MAGIC.to_vec();
    bytes.extend_from_slice(records);
    let replace = || {
        let _ = fs::remove_file(&new);
        segment::write_new(&new, &bytes)?;
        fs::rename(&new, &path)?;
        segment::sync_directory(directory)
    };
    replace().map_err(|source| OutboxError::io(path, source))
}

/// Closes gaps in the numbers, from the newest on down, so that a break in the middle leaves a gap that the next repair
/// closes.
fn renumber(directory: &Path) -> Result<(), OutboxError> {
    let numbers = segment::numbers(directory)?;
    let mut expected = numbers.last().copied();
    for number in numbers.into_iter().rev() {
        let Some(wanted) = expected else { break };
        if number != wanted {
            let (from, to) = (path_of(directory, number), path_of(directory, wanted));
            fs::rename(&from, &to).map_err(|source| OutboxError::io(from, source))?;
        }
        expected = wanted.checked_sub(1);
    }
    segment::sync_directory(directory).map_err(|source| OutboxError::io(directory, source))
}
