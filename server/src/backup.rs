//! The commands `backup` and `restore`: a file with everything that a server keeps.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::Clock;
use crate::storage::backup::{self, BackupError};

/// Writes a backup of the database into a file, which is there when it is whole; how many rows it has.
pub(crate) async fn make(url: &str, clock: &Clock, file: &Path) -> Result<u64, BackupError> {
    let part = file.with_added_extension("part");
    // It holds what the shop knows of people: nobody else reads it.
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    let mut out = BufWriter::new(opened);
    let count = match backup::write(url, clock(), &mut out).await {
        Ok(count) => count,
        Err(error) => {
            // That it cannot be removed is not what went wrong.
            let _ = fs::remove_file(&part);
            return Err(error);
        }
    };
    out.flush()?;
    out.get_ref().sync_all()?;
    fs::rename(&part, file)?;
    Ok(count)
}

/// Restores a backup into a database that has nothing yet.
pub(crate) async fn restore(url: &str, clock: &Clock, file: &Path) -> Result<u64, BackupError> {
    backup::restore(url, &**clock, || File::open(file).map(BufReader::new)).await
}
