//! How fast members of another system come in, and what memory that takes: the SDK over gRPC to the server under load.

use std::path::Path;
use std::time::Instant;

use loyalty_sdk::{Client, ImportedMember, NewMember, NewProgram, OpeningLot};

use crate::Failure;
use crate::number::{grouped, mib};
use crate::server::Server;
use crate::usage::Process;

/// Imports so many rows, each with a name, two identifiers, two lots, spend and totals; a sentence about it.
pub(crate) async fn measure(directory: &Path, rows: u64) -> Result<String, Failure> {
    let server = Server::start(directory, &[]).await?;
    let client = Client::connect(server.endpoint()).await?;
    let program = NewProgram::new("Club", "EUR").program_id("imported");
    client.create_program(&program).await?;
    let own = Process::new(std::process::id());

    let mut peaks = Vec::new();
    let (begun, tenth) = (Instant::now(), rows.div_ceil(10).max(1));
    for process in [own, server.process] {
        process.forget_peak()?;
    }
    let counts = client
        .import_members("imported", "bench", (1..=rows).map(row), |progress| {
            let tenths = progress.counts.last_row_number / tenth;
            if tenths > peaks.len() as u64 {
                let peak = |process: Process| process.peak_kib().unwrap_or_default();
                peaks.push((peak(own), peak(server.process)));
            }
        })
        .await?;
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    if counts.imported != rows {
        return Err(format!("not all rows were imported: {counts:?}").into());
    }
    server.stop()?;
    let peak_at = |place: Option<&(u64, u64)>| {
        let (own, server) = place.copied().unwrap_or_default();
        format!("{} and {} MiB", mib(own), mib(server))
    };
    Ok(format!(
        "ImportMembers: {} rows, each with two identifiers, two lots, spend and totals, in one stream: {} rows/s. Peak memory \
         of caller and server after a tenth of them: {}; after all: {}.\n",
        grouped(rows),
        grouped(rows * 1_000 / millis),
        peak_at(peaks.first()),
        peak_at(peaks.last()),
    ))
}

fn row(number: u64) -> ImportedMember {
    let member = NewMember::new("imported")
        .customer_id(format!("customer-{number}"))
        .card(format!("77{number:09}"))
        .name("Ada Lovelace");
    let year = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap_or_default();
    let row = ImportedMember::new(number, member)
        .lot(OpeningLot::new(number % 500 + 1))
        .lot(OpeningLot::new(25).never_expires());
    row.tier_spend(year, 300).lifetime(1_000, 800, 50)
}
