//! Which database server is installed on this machine, and where.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::EmbeddedError;

/// The two families of servers. They read different options and cannot read each other's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// MariaDB.
    MariaDb,
    /// MySQL.
    MySql,
}

impl fmt::Display for Flavour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        })
    }
}

/// Where servers are installed although the PATH of an ordinary user does not say so.
const USUAL_FOLDERS: [&str; 5] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/bin",
];

/// A database server that has been run once, to learn what it is.
#[derive(Debug)]
pub(super) struct DatabaseBinary {
    pub(super) path: PathBuf,
    pub(super) flavour: Flavour,
}

impl DatabaseBinary {
    /// The server that the caller chose (a path, or a name to look for), else the first one installed.
    pub(super) async fn find(chosen: Option<&Path>) -> Result<Self, EmbeddedError> {
        Self::find_in(chosen, &search_path()).await
    }

    async fn find_in(chosen: Option<&Path>, folders: &[PathBuf]) -> Result<Self, EmbeddedError> {
        let path = match chosen {
            Some(path) => find_program(path.as_os_str(), folders).unwrap_or_else(|| path.to_owned()),
            None => ["mariadbd", "mysqld"]
                .iter()
                .find_map(|name| find_program(OsStr::new(name), folders))
                .ok_or(EmbeddedError::NoDatabaseBinary)?,
        };

        let answer = Command::new(&path)
            .args(["--no-defaults", "--version"])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|source| EmbeddedError::DoesNotRun {
                program: path.clone(),
                source,
            })?;
        match flavour_in(&String::from_utf8_lossy(&answer.stdout)) {
            Some(flavour) => Ok(Self { path, flavour }),
            None => {
                let everything = [answer.stdout, answer.stderr].concat();
                let answer = String::from_utf8_lossy(&everything).trim().chars().take(300).collect();
                Err(EmbeddedError::NoDatabaseServer { program: path, answer })
            }
        }
    }

    /// MariaDB's script that makes a data directory: beside the server, as in archives, else wherever programs are.
    pub(super) fn installer(&self) -> Result<PathBuf, EmbeddedError> {
        let mut folders = Vec::new();
        if let Some(folder) = self.path.canonicalize().ok().as_deref().and_then(Path::parent) {
            folders.extend([folder.to_owned(), folder.join("../bin"), folder.join("../scripts")]);
        }
        folders.extend(search_path());
        ["mariadb-install-db", "mysql_install_db"]
            .iter()
            .find_map(|name| find_program(OsStr::new(name), &folders))
            .ok_or_else(|| EmbeddedError::NoInstaller {
                program: self.path.clone(),
            })
    }
}

fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(USUAL_FOLDERS.iter().map(PathBuf::from))
        .collect()
}

/// The first executable file of this name; a name with a folder in it is taken as it is.
fn find_program(name: &OsStr, folders: &[PathBuf]) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return Some(PathBuf::from(name));
    }
    let is_program = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    folders.iter().map(|folder| folder.join(name)).find(is_program)
}

/// The flavour in an answer like `mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)`.
/// Only the version counts: what stands before it is a path, which may be called anything.
fn flavour_in(answer: &str) -> Option<Flavour> {
    let (_program, version) = answer.split_once(" Ver ")?;
    Some(if version.contains("MariaDB") {
        Flavour::MariaDb
    } else {
        Flavour::MySql
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_tells_the_flavour_whatever_the_program_is_called() {
        let mariadb = "/opt/mysql/mysqld  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)";
        let mysql = "/opt/MariaDB/mariadbd  Ver 9.7.4-2 for Linux on x86_64 ((Debian))";

        assert_eq!(flavour_in(mariadb), Some(Flavour::MariaDb));
        assert_eq!(flavour_in(mysql), Some(Flavour::MySql));
        assert_eq!(flavour_in("true (GNU coreutils) 9.1"), None);
    }

    #[tokio::test]
    async fn where_nothing_is_installed_the_error_says_what_to_install() {
        let error = DatabaseBinary::find_in(None, &[PathBuf::from("/nowhere")])
            .await
            .unwrap_err();

        let text = error.to_string();
        assert!(text.contains("apt-get install mariadb-server-core"), "{text}");
        assert!(text.contains("DATABASE_URL"), "{text}");
    }

    #[test]
    fn only_executable_files_are_programs() {
        let folders = [PathBuf::from("/etc"), PathBuf::from("/bin")];

        assert_eq!(find_program(OsStr::new("passwd"), &folders[..1]), None);
        assert_eq!(find_program(OsStr::new("sh"), &folders), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find_program(OsStr::new("./sh"), &folders), Some(PathBuf::from("./sh")));
    }
}
