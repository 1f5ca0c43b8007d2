//! The course of the benchmark: enrol, choose the writers of (b), then rounds of (a), (b), (c), then audit the books.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

use crate::ceiling_rows::Rows;
use crate::load::{self, Cell};
use crate::members::{Distribution, Members};
use crate::number::{grouped, thousandths};
use crate::options::Options;
use crate::report::{self, Setting};
use crate::results::{Measurement, Mode, Results};
use crate::server::Server;
use crate::till::Till;
use crate::{Failure, books, ceiling, enrolment, machine};

/// Callers at which the number of writers of (b) is chosen.
const PROBE_CALLERS: u64 = 256;

/// The tables, as Markdown.
pub(crate) async fn run(options: &Options) -> Result<String, Failure> {
    let begun = Instant::now();
    // A directory in memory would make commits free, and `/tmp` may be one.
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let till = Arc::new(Till::default());

    eprintln!("enrolling {} members", grouped(options.members));
    let server = Server::start(directory.path(), &[]).await?;
    enrolment::enrol(&server, options.members).await?;
    let machine = machine::describe(&server, directory.path()).await?;
    server.stop()?;
    let writers = best_writers(options, directory.path(), &till).await?;

    let mut results = Results::default();
    let mut rows = None;
    for round in 1..=options.rounds {
        // Neither is always the one that a restart or the ceiling left its work to.
        let modes = match round % 2 {
            1 => [Mode::Batched, Mode::OneByOne],
            _ => [Mode::OneByOne, Mode::Batched],
        };
        for mode in modes {
            let flags = match mode {
                Mode::Batched => Vec::new(),
                Mode::OneByOne => one_by_one(writers),
            };
            eprintln!(
                "round {round} of {}: {mode:?}, {} s so far",
                options.rounds,
                begun.elapsed().as_secs()
            );
            let server = Server::start(directory.path(), &flags).await?;
            measure_mode(&server, options, &till, mode, &mut results).await?;
            server.stop()?;
        }
        eprintln!(
            "round {round} of {}: ceiling, {} s so far",
            options.rounds,
            begun.elapsed().as_secs()
        );
        measure_ceiling(options, directory.path(), &mut rows, &mut results).await?;
    }

    eprintln!("auditing the books, {} s so far", begun.elapsed().as_secs());
    let server = Server::start(directory.path(), &[]).await?;
    books::audit(&server, options.members, till.recorded()).await?;
    server.stop()?;
    eprintln!("done in {} s", begun.elapsed().as_secs());
    let setting = Setting {
        machine,
        writers,
        sales: till.recorded(),
    };
    Ok(report::tables(options, &setting, &results))
}

fn one_by_one(writers: u64) -> Vec<String> {
    ["--batch-limit", "1", "--writers", &writers.to_string()]
        .map(str::to_owned)
        .to_vec()
}

/// The number of writers with which one transaction a write is fastest.
async fn best_writers(options: &Options, directory: &Path, till: &Arc<Till>) -> Result<u64, Failure> {
    let members = Members::new(options.members, Distribution::Uniform);
    let cell = Cell {
        callers: PROBE_CALLERS,
        warm_up: options.warm_up,
        length: options.probe,
    };
    let mut best = (0, 0);
    for writers in &options.writers {
        let server = Server::start(directory, &one_by_one(*writers)).await?;
        let measured = load::run(&server, till, &members, cell).await?;
        server.stop()?;
        eprintln!(
            "probing one transaction a write: {writers} writers, {} sales/s",
            measured.sales_per_second
        );
        best = best.max((measured.sales_per_second, *writers));
    }
    Ok(best.1)
}

async fn measure_mode(
    server: &Server,
    options: &Options,
    till: &Arc<Till>,
    mode: Mode,
    results: &mut Results,
) -> Result<(), Failure> {
    for distribution in &options.distributions {
        let members = Members::new(options.members, *distribution);
        for callers in &options.callers {
            let cell = Cell {
                callers: *callers,
                warm_up: options.warm_up,
                length: options.cell,
            };
            let measured = load::run(server, till, &members, cell).await?;
            eprintln!("  {callers} callers, {distribution}: {}", line(&measured));
            results.add(mode, *distribution, *callers, measured);
        }
    }
    Ok(())
}

/// The server only runs the database for it.
async fn measure_ceiling(
    options: &Options,
    directory: &Path,
    rows: &mut Option<Arc<Rows>>,
    results: &mut Results,
) -> Result<(), Failure> {
    let server = Server::start(directory, &[]).await?;
    let rows = match rows {
        Some(rows) => rows,
        None => rows.insert(Rows::prepare(&server).await?),
    };
    for distribution in &options.distributions {
        let ceiling = ceiling::measure(&server, rows, *distribution, options.warm_up, options.probe).await?;
        results.add_ceiling(*distribution, ceiling);
    }
    server.stop()
}

fn line(measured: &Measurement) -> String {
    format!(
        "{} sales/s, p50 {} ms, p99 {} ms, CPU s per 10,000: server {}, database {}, load {}; \
         others take {} % of the cores",
        measured.sales_per_second,
        thousandths(measured.median_us),
        thousandths(measured.p99_us),
        thousandths(measured.server_cpu_ms),
        thousandths(measured.database_cpu_ms),
        thousandths(measured.load_cpu_ms),
        measured.others_percent,
    )
}
