//! The directory in which everything of a private database lies, and the claim on it.
//!
//! ```text
//! server.lock     locked as long as the server lives; holds its process id
//! mysql/          the database server's own files; exists only when complete
//! mysql.new/      the same in the making
//! installer/      programs for the making
//! tmp/            temporary tables, a place of its own, because MariaDB begins with removing all that it finds
//! run/            socket and pid file, entered by us alone, because the socket asks for no password
//! database.log    what the database server prints
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::EmbeddedError;

/// The address of a unix socket has room for 107 bytes on Linux and 103 on other systems.
const SOCKET_PATH_LENGTH_MAX: usize = 103;

/// At this size the log is put aside at the next start of the database; the one put aside before is gone then.
const LOG_BYTES_MAX: u64 = 16 << 20;

/// How much of the log's end an error shows: enough for the messages of one failed start.
const LOG_TAIL_BYTES: u64 = 4096;

/// How many lines an error shows of that at most.
const LOG_LINES_MAX: usize = 15;

/// A claimed data directory. Nobody else has it until this is dropped.
#[derive(Debug)]
pub(super) struct DataDirectory {
    path: PathBuf,
    run: PathBuf,
    /// Holds the lock; the kernel frees it when the process dies, however that happens.
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory if it is missing and takes the only claim on it.
    pub(super) fn claim(data_dir: &Path) -> Result<Self, EmbeddedError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .map_err(EmbeddedError::inaccessible(data_dir))?;
        let path = data_dir.canonicalize().map_err(EmbeddedError::inaccessible(data_dir))?;
        let lock = lock(&path)?;
        let run = run_directory(&path);
        make_private(&run)?;
        make_private(&path.join("tmp"))?;
        Ok(Self { path, run, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("mysql")
    }

    pub(super) fn unfinished_database(&self) -> PathBuf {
        self.path.join("mysql.new")
    }

    pub(super) fn installer(&self) -> PathBuf {
        self.path.join("installer")
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    pub(super) fn socket(&self) -> PathBuf {
        socket_in(&self.run)
    }

    pub(super) fn pid_file(&self) -> PathBuf {
        self.run.join("database.pid")
    }

    /// Removes what a killed database leaves behind. MySQL believes its lock file, if by now another process has the
    /// number that stands in it. Only for the holder of the claim, and when no database runs.
    pub(super) fn remove_stale_files(&self) -> Result<(), EmbeddedError> {
        for path in [self.socket(), self.run.join("database.sock.lock"), self.pid_file()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(EmbeddedError::inaccessible(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The log, to append to.
    pub(super) fn open_log(&self) -> Result<File, EmbeddedError> {
        let path = self.path.join("database.log");
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX) {
            let aside = self.path.join("database.log.1");
            fs::rename(&path, &aside).map_err(EmbeddedError::inaccessible(&aside))?;
        }
        let log = OpenOptions::new().create(true).append(true).read(true).open(&path);
        log.map_err(EmbeddedError::inaccessible(&path))
    }

    /// What matters at the end of the log: errors if there are any, for much advice may follow them, else the last
    /// lines.
    pub(super) fn log_excerpt(&self) -> String {
        let read = || {
            let mut log = self.open_log().map_err(io::Error::other)?;
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))?;
            let mut tail = Vec::new();
            log.take(LOG_TAIL_BYTES).read_to_end(&mut tail)?;
            let tail = String::from_utf8_lossy(&tail);
            let errors: Vec<&str> = tail.lines().filter(|line| line.contains("ERROR")).collect();
            let lines = if errors.is_empty() {
                tail.lines().collect()
            } else {
                errors
            };
            Ok::<_, io::Error>(lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n"))
        };
        read().unwrap_or_else(|error| format!("(unreadable: {error})"))
    }
}

impl Drop for DataDirectory {
    /// Leaves no empty directory in `/tmp`. One that a database on its way out still uses is not empty and stays.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.run) {
            tracing::debug!(%error, run = %self.run.display(), "the directory of the socket stays");
        }
    }
}

/// The socket of the database in this directory, whoever holds it.
pub(super) fn socket_of(data_dir: &Path) -> PathBuf {
    socket_in(&run_directory(data_dir))
}

fn lock(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("server.lock");
    let inaccessible = || EmbeddedError::inaccessible(&path);
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path);
    let mut lock = opened.map_err(inaccessible())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let owner = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
            let owner = if owner.is_empty() { "unknown".to_owned() } else { owner };
            return Err(EmbeddedError::DataDirectoryInUse {
                data_dir: data_dir.to_owned(),
                owner,
            });
        }
        Err(TryLockError::Error(error)) => return Err(inaccessible()(error)),
    }
    lock.set_len(0).map_err(inaccessible())?;
    writeln!(lock, "{}", std::process::id()).map_err(inaccessible())?;
    Ok(lock)
}

/// Where socket and pid file go: into the data directory, or, where its path is too long for a socket or cannot stand
/// in an address, to a place that only depends on that path, so that the next run finds it again.
fn run_directory(data_dir: &Path) -> PathBuf {
    let inside = data_dir.join("run");
    if inside.to_str().is_some() && socket_in(&inside).as_os_str().len() <= SOCKET_PATH_LENGTH_MAX {
        return inside;
    }
    let digest = hex::encode(Sha256::digest(data_dir.as_os_str().as_bytes()));
    PathBuf::from(format!("/tmp/loyalty-{}", &digest[..16]))
}

fn socket_in(run: &Path) -> PathBuf {
    run.join("database.sock")
}

/// Makes a directory for us alone, or makes sure that the existing one is. `/tmp` is everybody's, and whoever came
/// first could have put a directory of his there.
fn make_private(path: &Path) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(EmbeddedError::inaccessible(path)(error));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(path).map_err(EmbeddedError::inaccessible(path))?;
    if !metadata.is_dir() || metadata.uid() != user_id()? {
        return Err(EmbeddedError::ForeignDirectory { path: path.to_owned() });
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(EmbeddedError::inaccessible(path))
}

/// The user we work as. The standard library does not say, but our own entry in `/proc` belongs to that user.
pub(super) fn user_id() -> Result<u32, EmbeddedError> {
    let path = Path::new("/proc/self");
    Ok(fs::metadata(path).map_err(EmbeddedError::inaccessible(path))?.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_unwritable_path_moves_the_socket_to_a_short_place_of_its_own() {
        let short = run_directory(Path::new("/var/lib/loyalty"));
        let long = run_directory(Path::new(&format!("/var/lib/{}", "x".repeat(100))));
        let unwritable = run_directory(Path::new(std::ffi::OsStr::from_bytes(b"/var/lib/\xff")));

        assert_eq!(short, Path::new("/var/lib/loyalty/run"));
        assert!(long.starts_with("/tmp") && socket_in(&long).as_os_str().len() < SOCKET_PATH_LENGTH_MAX);
        assert!(unwritable.starts_with("/tmp") && unwritable != long);
    }
}
