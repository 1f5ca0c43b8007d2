//! Makes the empty database of a new data directory.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::EmbeddedError;
use super::binary::{DatabaseBinary, Flavour};
use super::directory::{DataDirectory, user_id};
use super::server::{MYSQL_OPTIONS, path_option};

/// Some seconds are usual; a slow disk may need a minute.
const INSTALLATION_TIMEOUT: Duration = Duration::from_secs(300);

/// Makes the database files unless they are there. They get their name only when complete, so whatever interrupts this
/// leaves nothing that looks finished. No process may be working in the directory.
pub(super) async fn install_if_missing(
    binary: &DatabaseBinary,
    directory: &DataDirectory,
) -> Result<(), EmbeddedError> {
    let unfinished = directory.unfinished_database();
    remove_directory(&unfinished)?;

    let database = directory.database();
    if database.exists() {
        return refuse_other_flavour(binary, &database);
    }

    let data_dir = directory.path().display();
    tracing::info!(%data_dir, server = %binary.flavour, "initialising the private database");
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(EmbeddedError::inaccessible(&unfinished))?;
    run_installer(installer(binary, directory)?, directory).await?;
    fs::rename(&unfinished, &database).map_err(EmbeddedError::inaccessible(&database))?;
    remove_directory(&directory.installer())?;
    let parent = directory.path();
    File::open(parent)
        .and_then(|parent| parent.sync_all())
        .map_err(EmbeddedError::inaccessible(parent))
}

fn installer(binary: &DatabaseBinary, directory: &DataDirectory) -> Result<Command, EmbeddedError> {
    let into = directory.unfinished_database();
    let is_root = user_id()? == 0;
    let mut command;
    match binary.flavour {
        Flavour::MariaDb => {
            command = mariadb_installer(binary, directory)?;
            // Its quoting breaks on a path with a space, so it gets the directory as the current one. `--force` skips
            // looking up this machine's name. As root, `--loose-user` reaches mariadbd alone; told `--user`, the script
            // would also change the owner of a PAM helper of the whole machine.
            command.args(["--no-defaults", "--datadir=.", "--force", "--skip-test-db"]);
            command.arg("--auth-root-authentication-method=normal");
            command.env("MYSQLD_BOOTSTRAP", &binary.path);
            if is_root {
                command.arg("--loose-user=root");
            }
        }
        Flavour::MySql => {
            command = Command::new(&binary.path);
            command
                .args(["--no-defaults", "--initialize-insecure"])
                .args(MYSQL_OPTIONS);
            command.arg(path_option("--datadir", &into));
            if is_root {
                command.arg("--user=root");
            }
        }
    }
    command.current_dir(into).env("TMPDIR", directory.temporary());
    Ok(command)
}

/// MariaDB's script insists on `my_print_defaults`, which Debian packs with the client programs. With `--no-defaults`
/// that program prints nothing and succeeds, exactly like `true`. The script looks for it beside itself first, so where
/// it is missing, the script is called through a folder in which `true` has its name.
fn mariadb_installer(binary: &DatabaseBinary, directory: &DataDirectory) -> Result<Command, EmbeddedError> {
    let script = binary.installer()?;
    let folder = script.parent().unwrap_or(Path::new("/"));
    let is_complete = [folder, &folder.join("../bin"), Path::new("/usr/bin")]
        .iter()
        .any(|folder| folder.join("my_print_defaults").exists());
    if is_complete {
        return Ok(Command::new(script));
    }

    let stage = directory.installer();
    let links = [
        ("bin/mariadb-install-db", script.as_path()),
        ("usr/bin/my_print_defaults", Path::new("/bin/true")),
    ];
    remove_directory(&stage)?;
    for (name, target) in links {
        let link = stage.join(name);
        let folder = link.parent().unwrap_or(&stage);
        DirBuilder::new()
            .recursive(true)
            .create(folder)
            .map_err(EmbeddedError::inaccessible(folder))?;
        symlink(target, &link).map_err(EmbeddedError::inaccessible(&link))?;
    }
    // The name must be relative to the current directory, again because of spaces, and only a shell takes it so.
    let mut command = Command::new("/bin/sh");
    command.arg("../installer/bin/mariadb-install-db");
    Ok(command)
}

fn remove_directory(path: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EmbeddedError::inaccessible(path)(error)),
        _ => Ok(()),
    }
}

async fn run_installer(mut command: Command, directory: &DataDirectory) -> Result<(), EmbeddedError> {
    let program = command.as_std().get_program().into();
    let log = directory.open_log()?;
    let errors = log.try_clone().map_err(EmbeddedError::inaccessible(directory.path()))?;
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .kill_on_drop(true);

    let finished = tokio::time::timeout(INSTALLATION_TIMEOUT, command.status()).await;
    let Ok(status) = finished else {
        let waited_seconds = INSTALLATION_TIMEOUT.as_secs();
        return Err(EmbeddedError::NotReady {
            waited_seconds,
            log: directory.log_excerpt(),
        });
    };
    let status = status.map_err(|source| EmbeddedError::DoesNotRun { program, source })?;
    if !status.success() {
        return Err(EmbeddedError::NotInitialised {
            status,
            log: directory.log_excerpt(),
        });
    }
    Ok(())
}

/// MySQL keeps its dictionary in `mysql.ibd`, MariaDB logs its system tables in Aria.
fn refuse_other_flavour(binary: &DatabaseBinary, database: &Path) -> Result<(), EmbeddedError> {
    let found = if database.join("mysql.ibd").exists() {
        Flavour::MySql
    } else if database.join("aria_log_control").exists() {
        Flavour::MariaDb
    } else {
        binary.flavour
    };
    if found == binary.flavour {
        return Ok(());
    }
    Err(EmbeddedError::OtherFlavour {
        data_dir: database.to_owned(),
        found,
        installed: binary.flavour,
    })
}
