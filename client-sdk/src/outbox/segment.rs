//! One file of an outbox.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    error::OutboxError,
    record::{MAGIC, Read, Record},
};

const ENDING: &str = "outbox";
/// The length of a file without any record.
pub(super) const EMPTY: u64 = MAGIC.len() as u64;

/// The file with this number.
pub(super) fn path_of(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.{ENDING}"))
}

/// The numbers of the files in a directory, rising.
pub(super) fn numbers(directory: &Path) -> Result<Vec<u64>, OutboxError> {
    let io = |source| OutboxError::io(directory, source);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            let name = path.file_stem().and_then(|stem| stem.to_str());
            match name.and_then(|name| name.parse().ok()) {
                Some(number) => numbers.push(number),
                None => {
                    return Err(OutboxError::Damaged {
                        file: path,
                        offset: 0,
                        what: "a file has a name that none has",
                    });
                }
            }
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What a file holds, as far as it can be read.
pub(super) struct Contents {
    pub(super) bytes: Vec<u8>,
    /// Each with the place where it begins.
    pub(super) records: Vec<(usize, Record)>,
    /// Where the records end.
    pub(super) end: usize,
    /// What is behind them.
    pub(super) rest: Rest,
}

/// What is behind the records of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    Unfinished,
    Damaged(&'static str),
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Contents, OutboxError> {
    let bytes = fs::read(path).map_err(|source| OutboxError::io(path, source))?;
    let mut contents = Contents {
        records: Vec::new(),
        end: 0,
        rest: Rest::Nothing,
        bytes,
    };
    let bytes = &contents.bytes;
    if bytes.len() < MAGIC.len() {
        let is_begin = MAGIC.starts_with(bytes) || bytes.iter().all(|byte| *byte == 0);
        contents.rest = match is_begin {
            true => Rest::Unfinished,
            false => Rest::Damaged("a file does not begin as an outbox does"),
        };
        return Ok(contents);
    }
    if !bytes.starts_with(&MAGIC) {
        contents.rest = match bytes.iter().all(|byte| *byte == 0) {
            true => Rest::Unfinished,
            false => Rest::Damaged("a file does not begin as an outbox of this version does"),
        };
        return Ok(contents);
    }
    contents.end = MAGIC.len();
    loop {
        match Record::read(bytes, contents.end) {
            Read::Record(record, next) => {
                contents.records.push((contents.end, record));
                contents.end = next;
            }
            Read::End => return Ok(contents),
            Read::Unfinished => {
                contents.rest = Rest::Unfinished;
                return Ok(contents);
            }
            Read::Damaged(what) => {
                contents.rest = Rest::Damaged(what);
                return Ok(contents);
            }
        }
    }
}

/// A file that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Segment {
    /// A new file, on the disk with its name, whose first operation will have this position.
    pub(super) fn create(directory: &Path, number: u64, position: u64) -> Result<Self, OutboxError> {
        let path = path_of(directory, number);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(Record::Start { position }.encode());
        let written = write_new(&path, &bytes).and_then(|file| sync_directory(directory).map(|()| file));
        match written {
            Ok(file) => Ok(Self {
                path,
                file,
                length: bytes.len() as u64,
            }),
            Err(error) => {
                // A file of which only a part is there is cut off when the outbox is opened.
                let _ = fs::remove_file(&path);
                Err(OutboxError::io(path, error))
            }
        }
    }

    /// A file that is there, cut off behind `length` bytes.
    pub(super) fn open(path: PathBuf, length: u64) -> Result<Self, OutboxError> {
        let open = || {
            let file = OpenOptions::new().append(true).open(&path)?;
            if file.metadata()?.len() != length {
                file.set_len(length)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { path, file, length }),
            Err(error) => Err(OutboxError::io(path, error)),
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends records, all or none. `Err(MustReopen)` follows where that cannot be said.
    pub(super) fn append(&mut self, bytes: &[u8], durably: bool) -> Result<(), (OutboxError, bool)> {
        if let Err(error) = self.file.write_all(bytes) {
            let is_as_before = self.file.set_len(self.length).is_ok();
            return Err((OutboxError::io(&self.path, error), is_as_before));
        }
        self.length += bytes.len() as u64;
        match durably {
            true => self.sync().map_err(|error| (error, false)),
            false => Ok(()),
        }
    }

    /// Everything appended is on the disk when this has returned. When it fails nobody knows what is: the system may have
    /// given up pages that it will not write again.
    pub(super) fn sync(&mut self) -> Result<(), OutboxError> {
        let synced = self.file.sync_data();
        synced.map_err(|error| OutboxError::io(&self.path, error))
    }
}

/// A file with these bytes, on the disk.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<File> {
    let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(file)
}

/// Names of files are on the disk when this has returned, on systems that write them apart from the files.
pub(super) fn sync_directory(directory: &Path) -> std::io::Result<()> {
    match cfg!(unix) {
        true => File::open(directory)?.sync_all(),
        false => Ok(()),
    }
}
