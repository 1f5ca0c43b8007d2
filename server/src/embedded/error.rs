//! Why there is no private database, in words for the person who starts the server.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::binary::Flavour;
use crate::storage::administration::AdministrationError;

/// Why the private database could not be started, or is gone for good.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Neither MariaDB nor MySQL is installed.
    #[error(
        "no database server is installed: neither mariadbd nor mysqld was found. Install Debian's package \
         mariadb-server-core (apt-get update && apt-get install mariadb-server-core), or set DATABASE_URL to the \
         address of a MySQL or MariaDB server"
    )]
    NoDatabaseBinary,

    /// A program exists, but cannot be run.
    #[error("{} cannot be run", program.display())]
    DoesNotRun {
        /// The program.
        program: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// The given program is no database server.
    #[error("{} is neither MariaDB nor MySQL: asked for its version it says {answer:?}", program.display())]
    NoDatabaseServer {
        /// The program.
        program: PathBuf,
        /// The beginning of what it printed.
        answer: String,
    },

    /// MariaDB is installed without the script that makes a data directory.
    #[error(
        "mariadb-install-db, which belongs to {}, is neither beside it nor in PATH; Debian's package \
         mariadb-server-core has both",
        program.display()
    )]
    NoInstaller {
        /// The database server.
        program: PathBuf,
    },

    /// Another server of ours, living, holds the directory.
    #[error(
        "the data directory {} is in use by another server (process {owner}); stop that one, or give this one a \
         directory of its own",
        data_dir.display()
    )]
    DataDirectoryInUse {
        /// The directory.
        data_dir: PathBuf,
        /// The process that holds it, `unknown` in the instant in which it has not yet written its number.
        owner: String,
    },

    /// The directory was made by MySQL and the installed server is MariaDB, or the other way round.
    #[error("the database in {} was made by {found}, which {installed} cannot read", data_dir.display())]
    OtherFlavour {
        /// The directory.
        data_dir: PathBuf,
        /// Whose data it holds.
        found: Flavour,
        /// Which server would have been started.
        installed: Flavour,
    },

    /// A database left over from a killed server does not stop.
    #[error(
        "a database left over from an earlier run still works in {} and does not stop (processes {process_ids:?}); \
         stop it by hand",
        data_dir.display()
    )]
    OrphanStays {
        /// The directory.
        data_dir: PathBuf,
        /// The processes that work in it, as far as the system shows them.
        process_ids: Vec<u32>,
    },

    /// The directory of the socket could be entered by others, and the socket asks for no password.
    #[error(
        "{} belongs to another user, or is no directory; start the server as that user, or remove it",
        path.display()
    )]
    ForeignDirectory {
        /// The directory.
        path: PathBuf,
    },

    /// A file or directory cannot be made, read or removed.
    #[error("no access to {}", path.display())]
    Inaccessible {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// Making the empty database failed.
    #[error("the database could not be initialised ({status}); from its log:\n{log}")]
    NotInitialised {
        /// How the installer ended.
        status: ExitStatus,
        /// What matters at the end of the log.
        log: String,
    },

    /// The database ended before it was ready.
    #[error("the database ended at its start ({status}); from its log:\n{log}")]
    EndedAtStart {
        /// How it ended.
        status: ExitStatus,
        /// What matters at the end of the log.
        log: String,
    },

    /// The database lives but does not answer.
    #[error("the database was not ready after {waited_seconds} s; from its log:\n{log}")]
    NotReady {
        /// How long it was waited for.
        waited_seconds: u64,
        /// What matters at the end of the log.
        log: String,
    },

    /// The database answers, but refuses what it is asked at the start.
    #[error("the database refuses to be prepared")]
    NotPrepared(#[from] AdministrationError),

    /// The database died again and again and is not started any more.
    #[error("the database is gone and is not started again: {reason}")]
    GivenUp {
        /// What happened last.
        reason: String,
    },
}

impl EmbeddedError {
    /// For `map_err` where the operating system refused something about `path`.
    pub(super) fn inaccessible(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Inaccessible { path, source }
    }
}
