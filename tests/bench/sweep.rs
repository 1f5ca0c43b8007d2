//! What a sweep does to tills: sales before it, while it writes lapsed points off, and after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use loyalty_api::v1 as wire;
use loyalty_api::v1::ledger_service_client::LedgerServiceClient;
use mysql_async::prelude::Queryable as _;
use tempfile::TempDir;

use crate::load::{self, Cell};
use crate::members::{Distribution, Members};
use crate::number::{grouped, thousandths};
use crate::options::Options;
use crate::results::Measurement;
use crate::server::Server;
use crate::till::Till;
use crate::{Failure, books, enrolment, machine};

/// Sales in flight: the load of a busy chain of shops, which leaves the machine room.
const CALLERS: u64 = 16;

/// Points of every lot.
const POINTS: u64 = 10;

/// Every member gets so many lots that lapsed yesterday. They are written straight into the tables, entries and all: a
/// million sales of a year ago would take longer than what is measured.
const SEED: [&str; 4] = [
    "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, tier_spend, store_id, \
     program_version, lot_expires_at, occurred_at, recorded_at) \
     SELECT merchant_id, member_id, last_sequence + seq, 1, 10, points - debt + 10 * seq, 0, 'store-1', 1, \
     DATE(recorded_at) - INTERVAL 1 DAY, recorded_at, recorded_at FROM account, seq_1_to_{lots}",
    "INSERT INTO lot (merchant_id, member_id, expires_at, sequence, points, remaining) \
     SELECT account.merchant_id, account.member_id, lot_expires_at, sequence, 10, 10 FROM account \
     JOIN entry ON entry.merchant_id = account.merchant_id AND entry.member_id = account.member_id \
     AND entry.sequence > account.last_sequence",
    "UPDATE account SET first_open_lot_expires_at = DATE(recorded_at) - INTERVAL 1 DAY, \
     first_open_lot_sequence = last_sequence + 1, sweep_at = DATE(recorded_at) - INTERVAL 1 DAY, \
     last_sequence = last_sequence + {lots}, points = points + 10 * {lots}, \
     lifetime_earned = lifetime_earned + 10 * {lots}",
    "ANALYZE TABLE account, entry, lot",
];

/// The table, as Markdown.
pub(crate) async fn run(options: &Options, lots: u64) -> Result<String, Failure> {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    eprintln!("enrolling {} members", grouped(options.members));
    let server = Server::start(directory.path(), &[]).await?;
    enrolment::enrol(&server, options.members).await?;
    let machine = machine::describe(&server, directory.path()).await?;
    let report = measure(options, lots, &server).await?;
    server.stop()?;
    Ok(format!("{machine}\n\n{report}"))
}

async fn measure(options: &Options, lots: u64, server: &Server) -> Result<String, Failure> {
    let (till, members) = (
        Arc::new(Till::default()),
        Members::new(options.members, Distribution::Uniform),
    );
    let cell = Cell {
        callers: CALLERS,
        warm_up: options.warm_up,
        length: options.cell,
    };
    let before = load::run(server, &till, &members, cell).await?;
    tell("before the sweep", &before);

    let each = (lots / options.members).max(1);
    seed(server, each).await?;
    let (is_over, swept) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let sweep = tokio::spawn(sweep(
        LedgerServiceClient::new(server.connect().await?),
        Arc::clone(&swept),
        Arc::clone(&is_over),
    ));
    let mut during = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let measured = load::run(server, &till, &members, cell).await?;
        eprintln!("{} lots written off", grouped(swept.load(Ordering::Relaxed)));
        tell("during the sweep", &measured);
        // What a cell measured beyond the end of the sweep is not of it.
        if !is_over.load(Ordering::Relaxed) || during.is_empty() {
            during.push(measured);
        }
    }
    let lots = sweep.await??;
    let took = begun.elapsed().as_secs().max(1);
    let after = load::run(server, &till, &members, cell).await?;
    tell("after the sweep", &after);
    books::audit_sweep(server, options.members).await?;

    during.sort_unstable_by_key(|measured| measured.p99_us);
    let during = during.get(during.len() / 2).ok_or("the sweep was over at once")?;
    let mut table = format!(
        "Of {} lots of {POINTS} points, {each} of each of {} members and all due at once, the sweep wrote off {} in {took} s, \
         and the sales of {CALLERS} callers meanwhile the others, those of their own members; every balance equals the sum \
         of its entries.\n\n\
         | sales | sales/s | p50, p99 ms |\n|---|--:|--:|\n",
        grouped(each * options.members),
        grouped(options.members),
        grouped(lots),
    );
    for (name, measured) in [("before", &before), ("during the sweep", during), ("after", &after)] {
        let (median, p99) = (thousandths(measured.median_us), thousandths(measured.p99_us));
        table += &format!(
            "| {name} | {} | {median}, {p99} |\n",
            grouped(measured.sales_per_second)
        );
    }
    Ok(table)
}

async fn seed(server: &Server, each: u64) -> Result<(), Failure> {
    eprintln!("giving each member {each} lots that have lapsed");
    let mut connection = server.connect_to_database().await?;
    for statement in SEED {
        connection
            .query_drop(statement.replace("{lots}", &each.to_string()))
            .await?;
    }
    Ok(connection.disconnect().await?)
}

/// Runs until nothing is left; a run that breaks off goes on. Answers how many lots it wrote off.
async fn sweep(
    mut client: LedgerServiceClient<tonic::transport::Channel>,
    swept: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) -> Result<u64, Failure> {
    let ended = async {
        let mut run = client.run_expiry(wire::RunExpiryRequest {}).await?.into_inner();
        while let Some(part) = run.message().await? {
            let counts = part.counts.unwrap_or_default();
            swept.store(counts.lots, Ordering::Relaxed);
            if part.done {
                return Ok(counts.lots);
            }
        }
        Err("the sweep broke off".into())
    };
    let ended = ended.await;
    is_over.store(true, Ordering::Relaxed);
    ended
}

fn tell(when: &str, measured: &Measurement) {
    eprintln!(
        "  {when}: {} sales/s, p50 {} ms, p99 {} ms; others take {} % of the cores",
        measured.sales_per_second,
        thousandths(measured.median_us),
        thousandths(measured.p99_us),
        measured.others_percent
    );
}
