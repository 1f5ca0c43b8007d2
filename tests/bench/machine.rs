//! What the numbers were measured on.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Instant;

use mysql_async::prelude::Queryable as _;

use crate::Failure;
use crate::number::{grouped, thousandths};
use crate::server::Server;

/// Writes that are timed.
const SYNCS: u128 = 100;

/// Cores, memory, disk and database, in one line.
pub(crate) async fn describe(server: &Server, directory: &Path) -> Result<String, Failure> {
    let cores = std::thread::available_parallelism()?;
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let memory = fs::read_to_string("/proc/meminfo")?;
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let memory_kib: u64 = memory
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or("no MemTotal")?;
    let mut connection = server.connect_to_database().await?;
    let version: Option<String> = connection.query_first("SELECT VERSION()").await?;
    connection.disconnect().await?;
    Ok(format!(
        "{cores} cores ({model}) for load, server and database together, {} MiB memory, {} ms to write and sync 4 KiB; \
         database {}, started by the server, syncing every commit.",
        grouped(memory_kib / 1_024),
        thousandths(sync_us(directory)?),
        version.unwrap_or_default(),
    ))
}

/// How long the disk takes to keep a small write: what every commit waits for.
fn sync_us(directory: &Path) -> Result<u64, Failure> {
    let path = directory.join("sync");
    let mut file = File::create(&path)?;
    file.write_all(&[1; 4_096])?;
    file.sync_data()?;
    let begin = Instant::now();
    for _ in 0..SYNCS {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&[2; 4_096])?;
        file.sync_data()?;
    }
    let taken = begin.elapsed().as_micros() / SYNCS;
    fs::remove_file(path)?;
    Ok(u64::try_from(taken)?)
}
