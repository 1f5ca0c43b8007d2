//! Callers that record one sale after the other, and what was seen of it.

use std::sync::Arc;
use std::time::Duration;

use loyalty_api::v1 as wire;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::Failure;
use crate::members::{Dice, Members};
use crate::results::Measurement;
use crate::server::Server;
use crate::till::Till;
use crate::usage::{Process, machine_cpu_ms};

const RECORD_SALE: &str = "/loyalty.v1.LedgerService/RecordSale";

/// Callers that share one HTTP/2 connection.
const CALLERS_PER_CONNECTION: u64 = 64;

/// Of an answer to RecordSale what is looked at, with the field numbers of `RecordSaleResponse`. What a till does with the
/// rest of it takes none of the cores that a service has.
#[derive(Clone, PartialEq, prost::Message)]
struct Recorded {
    #[prost(message, optional, tag = "1")]
    outcome: Option<()>,
    #[prost(bool, tag = "2")]
    replayed: bool,
}

/// One measurement: so many callers, for so long.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) callers: u64,
    pub(crate) warm_up: Duration,
    pub(crate) length: Duration,
}

/// What is measured lies between these.
#[derive(Clone, Copy)]
struct Window {
    begin: Instant,
    end: Instant,
}

/// CPU time used so far.
struct Cpu {
    server_ms: u64,
    database_ms: u64,
    own_ms: u64,
    machine_ms: u64,
}

/// Lets the callers run; an answer that is an error ends it.
pub(crate) async fn run(
    server: &Server,
    till: &Arc<Till>,
    members: &Members,
    cell: Cell,
) -> Result<Measurement, Failure> {
    let mut connections = Vec::new();
    for _ in 0..cell.callers.div_ceil(CALLERS_PER_CONNECTION) {
        connections.push(Grpc::new(server.connect().await?));
    }
    let begin = Instant::now() + cell.warm_up;
    let window = Window {
        begin,
        end: begin + cell.length,
    };
    let mut callers = JoinSet::new();
    for (caller, client) in (0..cell.callers).zip(connections.iter().cycle()) {
        let dice = Dice::new((till.recorded() << 16) + caller);
        callers.spawn(call(client.clone(), Arc::clone(till), members.clone(), dice, window));
    }

    sleep_until(window.begin).await;
    server.process.forget_peak()?;
    server.database.forget_peak()?;
    let before = Cpu::read(server)?;
    sleep_until(window.end).await;
    let after = Cpu::read(server)?;

    let mut latencies_us = Vec::new();
    while let Some(ended) = callers.join_next().await {
        latencies_us.extend(ended??);
    }
    latencies_us.sort_unstable();
    let sales = latencies_us.len() as u64;
    let percentile = |percent| {
        let place = latencies_us.len() * percent / 100;
        latencies_us.get(place).copied().unwrap_or_default()
    };
    let length_ms = u64::try_from(cell.length.as_millis())?.max(1);
    let available_ms = length_ms * std::thread::available_parallelism()?.get() as u64;
    let others_ms = (after.machine_ms - before.machine_ms).saturating_sub(after.ours_ms() - before.ours_ms());
    let of_10_000 = |before: u64, after: u64| (after - before) * 10_000 / sales.max(1);
    Ok(Measurement {
        sales_per_second: sales * 1_000 / length_ms,
        median_us: percentile(50),
        p99_us: percentile(99),
        server_cpu_ms: of_10_000(before.server_ms, after.server_ms),
        database_cpu_ms: of_10_000(before.database_ms, after.database_ms),
        load_cpu_ms: of_10_000(before.own_ms, after.own_ms),
        others_percent: others_ms * 100 / available_ms.max(1),
        server_peak_kib: server.process.peak_kib()?,
        database_peak_kib: server.database.peak_kib()?,
    })
}

/// One caller: how long each of its answers took, in µs, of those that came within the window.
async fn call(
    mut client: Grpc<Channel>,
    till: Arc<Till>,
    members: Members,
    mut dice: Dice,
    window: Window,
) -> Result<Vec<u64>, Failure> {
    let mut latencies_us = Vec::new();
    loop {
        let sale = till.ring_up(members.draw(&mut dice), &mut dice);
        let asked = Instant::now();
        if asked >= window.end {
            return Ok(latencies_us);
        }
        client.ready().await?;
        let codec: ProstCodec<wire::RecordSaleRequest, Recorded> = ProstCodec::default();
        let answer = client
            .unary(tonic::Request::new(sale), PathAndQuery::from_static(RECORD_SALE), codec)
            .await?;
        let answer = answer.into_inner();
        let answered = Instant::now();
        if answer.replayed || answer.outcome.is_none() {
            return Err("a sale was answered without being recorded".into());
        }
        till.answered();
        if answered >= window.begin && answered < window.end {
            latencies_us.push(u64::try_from((answered - asked).as_micros())?);
        }
    }
}

impl Cpu {
    fn ours_ms(&self) -> u64 {
        self.server_ms + self.database_ms + self.own_ms
    }

    fn read(server: &Server) -> Result<Self, Failure> {
        Ok(Self {
            server_ms: server.process.cpu_ms()?,
            database_ms: server.database.cpu_ms()?,
            own_ms: Process::new(std::process::id()).cpu_ms()?,
            machine_ms: machine_cpu_ms()?,
        })
    }
}
