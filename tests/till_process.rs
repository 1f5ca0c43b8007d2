//! A till as a process of its own, which tests kill: it records sales into its outbox, and delivers them.
//!
//! `till-process <endpoint> <outbox> record <last>` records sales up to the number `last`, from the one after the last
//! that its outbox has, and prints the number of each as soon as it is safe. `… deliver <seconds>` delivers until nothing
//! waits, for at most so long.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use loyalty_sdk::{Client, MemberKey, Outbox, OutboxError, RetryPolicy, Sale};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let [endpoint, directory, command, number] = arguments.as_slice() else {
        return Err("usage: till-process <endpoint> <outbox> record|deliver <number>".into());
    };
    let retry = RetryPolicy::default().backoff(Duration::from_millis(20), Duration::from_millis(100));
    let client = Client::builder(endpoint).retry(retry).connect().await?;
    let outbox = Outbox::open(directory, client)?;
    if let Some(cut_off) = outbox.cut_off() {
        say(&format!("cut-off {}", cut_off.bytes));
    }
    match command.as_str() {
        "record" => record(&outbox, number.parse()?).await,
        "deliver" => deliver(&outbox, Duration::from_secs(number.parse()?)).await,
        other => Err(format!("no command {other}").into()),
    }
}

/// Sells while it tries to deliver, as tills do.
async fn record(outbox: &Outbox, last: u32) -> Result<(), Failure> {
    let delivering = outbox.clone();
    tokio::spawn(async move {
        loop {
            let _ = delivering.deliver().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let known = outbox.unsent();
    let known = known
        .last()
        .and_then(|entry| entry.what.split(' ').nth(1).map(str::to_owned));
    let known: u32 = known.map_or(Ok(0), |sale_id| sale_id.parse())?;
    let opened: DateTime<Utc> = "2026-01-15T09:00:00Z".parse()?;
    for number in known + 1..=last {
        let customer = MemberKey::customer_id(format!("customer-{}", number % 5));
        let sale = Sale::new(format!("{number:06}"), "store-1", customer, "EUR", 1);
        let put = outbox
            .put(sale.occurred_at(opened + TimeDelta::seconds(number.into())))
            .await;
        match put {
            Ok(_) => say(&format!("put {number}")),
            Err(error @ (OutboxError::DiskFull | OutboxError::Full { .. })) => {
                say(&format!("full {number} {error}"));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn deliver(outbox: &Outbox, patience: Duration) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let told = |outcome: loyalty_sdk::SyncOutcome| say(&format!("{:?} {}", outcome.status, outcome.position));
        match outbox.deliver_with(told).await {
            Ok(_) if outbox.state().unsent == 0 => {
                say("done");
                return Ok(());
            }
            Ok(_) => {}
            Err(error) if began.elapsed() > patience => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A line on the standard output, at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
