//! What an outbox holds, and its files, kept the same.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use loyalty_api::v1;

use super::{
    error::OutboxError,
    record::Record,
    segment::{self, Rest, Segment, path_of},
};

/// What the file is called that is locked while an outbox is open.
const LOCK: &str = "lock";
/// The largest message that a server takes.
const LARGEST_MESSAGE: usize = 2 << 20;
/// Beside the operations there is always room to say what became of them.
const RESERVE: u64 = 1 << 20;

/// How large an outbox may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Of all its files together.
    pub(super) limit: u64,
    /// After which a new file is begun.
    pub(super) segment: u64,
}

/// An operation that has no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) recorded_at: i64,
    pub(super) message: Box<v1::SyncSalesRequest>,
}

/// An operation that was refused, and nobody has seen to it yet.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) recorded_at: i64,
    pub(super) message: Box<v1::SyncSalesRequest>,
    pub(super) answer: Box<v1::SyncSalesResponse>,
    /// The file that holds it.
    file: u64,
}

/// The end of a write that a crash kept from being finished: nobody was told that it was safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CutOff {
    pub(super) file: PathBuf,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// A file that is not written to any more.
#[derive(Clone, Copy, Debug)]
struct Full {
    number: u64,
    length: u64,
    /// The position behind the last operation in it.
    next: u64,
}

/// An outbox that is open.
pub(super) struct Store {
    directory: PathBuf,
    sizes: Sizes,
    full: VecDeque<Full>,
    current: Segment,
    current_number: u64,
    pub(super) waiting: BTreeMap<u64, Waiting>,
    pub(super) refused: BTreeMap<u64, Refused>,
    next_position: u64,
    /// What `Answered` says on the disk.
    answered_on_disk: u64,
    must_reopen: bool,
    pub(super) cut_off: Option<CutOff>,
    /// Unlocked when it is closed, also by the end of the process.
    _lock: File,
}

/// Locks a directory, which is made when there is none.
pub(super) fn lock(directory: &Path) -> Result<File, OutboxError> {
    let path = directory.join(LOCK);
    let open = || {
        fs::create_dir_all(directory)?;
        OpenOptions::new().create(true).truncate(false).write(true).open(&path)
    };
    let file = open().map_err(|source| OutboxError::io(&path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OutboxError::Locked {
            directory: directory.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(OutboxError::io(path, source)),
    }
}

/// What the files of an outbox say.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) waiting: BTreeMap<u64, Waiting>,
    pub(super) refused: BTreeMap<u64, Refused>,
    /// `None` before the first file.
    pub(super) next_position: Option<u64>,
    answered: u64,
}

impl Replay {
    /// Takes a record in; an error where it does not follow from those before.
    pub(super) fn take(&mut self, record: Record, file: u64) -> Result<(), &'static str> {
        let next = self.next_position;
        match record {
            Record::Start { position } => match next {
                Some(next) if next != position => return Err("operations are missing before this file"),
                _ => self.next_position = Some(position),
            },
            Record::Operation {
                position,
                recorded_at,
                message,
            } => {
                if next != Some(position) {
                    return Err("an operation is missing, or there twice");
                }
                self.next_position = Some(position + 1);
                if position >= self.answered {
                    self.waiting.insert(position, Waiting { recorded_at, message });
                }
            }
            Record::Answered { before } => {
                self.answered = self.answered.max(before);
                self.waiting = self.waiting.split_off(&self.answered);
            }
            Record::Refused {
                position,
                recorded_at,
                message,
                answer,
            } => {
                let refused = Refused {
                    recorded_at,
                    message,
                    answer,
                    file,
                };
                self.refused.insert(position, refused);
            }
            Record::Settled { position } => {
                self.refused.remove(&position);
            }
            Record::Lost { before } => self.next_position = Some(before),
        }
        Ok(())
    }
}

impl Store {
    pub(super) fn open(directory: &Path, sizes: Sizes) -> Result<Self, OutboxError> {
        let lock = lock(directory)?;
        let numbers = segment::numbers(directory)?;
        let (mut replay, mut full) = (Replay::default(), VecDeque::new());
        let (mut current, mut cut_off) = (None, None);
        for (place, number) in numbers.iter().enumerate() {
            let (path, is_last) = (path_of(directory, *number), place + 1 == numbers.len());
            let damaged = |offset: usize, what| OutboxError::Damaged {
                file: path.clone(),
                offset: offset as u64,
                what,
            };
            if place > 0 && numbers.get(place - 1) != number.checked_sub(1).as_ref() {
                return Err(damaged(0, "the file before it is missing"));
            }
            let contents = segment::read(&path)?;
            for (at, record) in contents.records {
                replay.take(record, *number).map_err(|what| damaged(at, what))?;
            }
            match contents.rest {
                Rest::Nothing => {}
                Rest::Unfinished if is_last => {
                    cut_off = Some(CutOff {
                        file: path.clone(),
                        offset: contents.end as u64,
                        bytes: (contents.bytes.len() - contents.end) as u64,
                    });
                }
                Rest::Unfinished => return Err(damaged(contents.end, "a file ends in the middle of a record")),
                Rest::Damaged(what) => return Err(damaged(contents.end, what)),
            }
            let next = replay.next_position.unwrap_or(1);
            let length = contents.end as u64;
            match is_last {
                // Nothing was ever told to be safe in a file whose beginning is not there.
                true if length <= segment::EMPTY => {
                    fs::remove_file(&path).map_err(|source| OutboxError::io(&path, source))?;
                }
                true => current = Some((*number, Segment::open(path.clone(), length)?)),
                false => full.push_back(Full {
                    number: *number,
                    length,
                    next,
                }),
            }
        }
        let next_position = replay.next_position.unwrap_or(1);
        let (current_number, current) = match current {
            Some(current) => current,
            None => {
                let number = full.back().map_or(1, |full| full.number + 1);
                (number, Segment::create(directory, number, next_position)?)
            }
        };
        let answered = replay.waiting.keys().next().copied().unwrap_or(next_position);
        Ok(Self {
            directory: directory.to_owned(),
            sizes,
            full,
            current,
            current_number,
            waiting: replay.waiting,
            refused: replay.refused,
            next_position,
            answered_on_disk: answered,
            must_reopen: false,
            cut_off,
            _lock: lock,
        })
    }

    /// Takes an operation: when this has returned it is on the disk. Answers its position.
    pub(super) fn take(&mut self, recorded_at: i64, mut message: v1::SyncSalesRequest) -> Result<u64, OutboxError> {
        let position = self.next_position;
        message.position = position;
        let size = prost::Message::encoded_len(&message);
        if size > LARGEST_MESSAGE {
            return Err(OutboxError::TooLarge { bytes: size });
        }
        let message = Box::new(message);
        let record = Record::Operation {
            position,
            recorded_at,
            message: message.clone(),
        };
        let bytes = record.encode();
        let after = self.bytes() + bytes.len() as u64;
        if after > self.sizes.limit {
            self.compact()?;
            let after = self.bytes() + bytes.len() as u64;
            if after > self.sizes.limit {
                return Err(OutboxError::Full {
                    bytes: after,
                    limit: self.sizes.limit,
                });
            }
        }
        self.append(&bytes, true)?;
        self.next_position += 1;
        self.waiting.insert(position, Waiting { recorded_at, message });
        Ok(position)
    }

    /// Notes the answer to the first operation that waits. Not on the disk before `settle`: an answer that is forgotten is
    /// asked for again.
    pub(super) fn answered(&mut self, answer: v1::SyncSalesResponse) -> Result<(), OutboxError> {
        let position = answer.position;
        let Some(Waiting { recorded_at, message }) = self.waiting.get(&position).cloned() else {
            return Ok(());
        };
        if answer.status() == v1::SyncStatus::Refused {
            let answer = Box::new(answer);
            let record = Record::Refused {
                position,
                recorded_at,
                message: message.clone(),
                answer: answer.clone(),
            };
            self.append(&record.encode(), false)?;
            let refused = Refused {
                recorded_at,
                message,
                answer,
                file: self.current_number,
            };
            self.refused.insert(position, refused);
        }
        self.waiting.remove(&position);
        Ok(())
    }

    /// Writes down what is answered, and removes the files of which nothing is needed any more.
    pub(super) fn settle(&mut self) -> Result<(), OutboxError> {
        let before = self.first_waiting();
        if before > self.answered_on_disk {
            match self.append(&Record::Answered { before }.encode(), true) {
                Ok(()) => self.answered_on_disk = before,
                // On a full disk what is removed makes room.
                Err(OutboxError::DiskFull) => {}
                Err(error) => return Err(error),
            }
        }
        self.compact()
    }

    /// Forgets a refusal that somebody has seen to; whether there was one.
    pub(super) fn forget(&mut self, position: u64) -> Result<bool, OutboxError> {
        if !self.refused.contains_key(&position) {
            return Ok(false);
        }
        self.append(&Record::Settled { position }.encode(), true)?;
        self.refused.remove(&position);
        self.compact()?;
        Ok(true)
    }

    /// All its files together.
    pub(super) fn bytes(&self) -> u64 {
        self.full.iter().map(|full| full.length).sum::<u64>() + self.current.length()
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn first_waiting(&self) -> u64 {
        self.waiting.keys().next().copied().unwrap_or(self.next_position)
    }

    /// Removes the oldest files as long as all in them is answered. Refusals that nobody has seen to move on into the
    /// newest.
    fn compact(&mut self) -> Result<(), OutboxError> {
        let first_waiting = self.first_waiting();
        let removable = self.full.iter().take_while(|full| full.next <= first_waiting).count();
        if removable == 0 {
            return Ok(());
        }
        let last = self.full.get(removable - 1).map_or(0, |full| full.number);
        let moving: Vec<u64> = self
            .refused
            .iter()
            .filter(|(_, refused)| refused.file <= last)
            .map(|(position, _)| *position)
            .collect();
        let mut bytes = Vec::new();
        for position in &moving {
            if let Some(refused) = self.refused.get(position) {
                let record = Record::Refused {
                    position: *position,
                    recorded_at: refused.recorded_at,
                    message: refused.message.clone(),
                    answer: refused.answer.clone(),
                };
                bytes.extend(record.encode());
            }
        }
        if !bytes.is_empty() {
            self.append(&bytes, true)?;
            for position in moving {
                if let Some(refused) = self.refused.get_mut(&position) {
                    refused.file = self.current_number;
                }
            }
        }
        // The oldest first: what is left is always the end of the queue.
        for _ in 0..removable {
            let Some(full) = self.full.front() else { break };
            let path = path_of(&self.directory, full.number);
            fs::remove_file(&path).map_err(|source| OutboxError::io(path, source))?;
            self.full.pop_front();
        }
        Ok(())
    }

    /// Appends whole records, into a new file when this one is long enough.
    fn append(&mut self, bytes: &[u8], durably: bool) -> Result<(), OutboxError> {
        if self.must_reopen {
            return Err(OutboxError::MustReopen);
        }
        if self.bytes() + bytes.len() as u64 > self.sizes.limit + RESERVE {
            return Err(OutboxError::Full {
                bytes: self.bytes() + bytes.len() as u64,
                limit: self.sizes.limit,
            });
        }
        if self.current.length() >= self.sizes.segment {
            // What was appended without waiting for the disk must not be missing before what comes in the next file.
            if let Err(error) = self.current.sync() {
                self.must_reopen = true;
                return Err(error);
            }
            let number = self.current_number + 1;
            let next = Segment::create(&self.directory, number, self.next_position)?;
            self.full.push_back(Full {
                number: self.current_number,
                length: self.current.length(),
                next: self.next_position,
            });
            self.current = next;
            self.current_number = number;
        }
        self.current.append(bytes, durably).map_err(|(error, is_as_before)| {
            self.must_reopen = !is_as_before;
            error
        })
    }
}
