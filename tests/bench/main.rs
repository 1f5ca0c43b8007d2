//! How many sales a second the service posts, measured on a real server process and its embedded, durable database:
//!
//! - (a) posting as built: the writes that wait for a writer share one transaction;
//! - (b) the same code with one transaction for each write, at its best number of writers;
//! - (c) the ceiling: the very same rows written straight into the database, by many rows a statement, with no logic.
//!
//! and what rating alone costs.
//!
//! `cargo bench -p loyalty-tests --bench sales [-- --quick]`; `options.rs` has the other options. Progress goes to
//! stderr, the tables, as Markdown, to stdout. Machine, server and database share their cores with the load, which is
//! therefore kept cheap: one thread, a few HTTP/2 connections.

#![expect(clippy::print_stdout, reason = "the tables are the product of this program")]

mod books;
mod ceiling;
mod ceiling_rows;
mod enrolment;
mod evaluation;
mod importing;
mod load;
mod machine;
mod members;
mod number;
mod options;
mod report;
mod results;
mod rounds;
mod server;
mod sweep;
mod till;
mod usage;

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

/// Why the benchmark stopped.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    // One thread for all callers. The main thread has none of them, so that they hang up while a guard blocks it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    match runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(run()))
    {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("sales: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// A signal drops the work in the middle: the guards stop the processes and remove the files.
async fn run() -> Result<String, Failure> {
    let options = options::Options::parse(std::env::args().skip(1))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        report = measure(&options) => report,
        _ = terminate.recv() => Err("terminated".into()),
        _ = interrupt.recv() => Err("interrupted".into()),
    }
}

async fn measure(options: &options::Options) -> Result<String, Failure> {
    if options.only_rating {
        return evaluation::tables();
    }
    if let Some(rows) = options.only_import {
        // A directory in memory would make commits free, and `/tmp` may be one.
        let directory = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        return importing::measure(directory.path(), rows).await;
    }
    if let Some(lots) = options.only_sweep {
        return sweep::run(options, lots).await;
    }
    Ok(format!("{}\n{}", rounds::run(options).await?, evaluation::tables()?))
}
