//! What the database takes at most: the rows of sales, in the same tables with the same indexes, written by a few
//! connections as text with many rows a statement and one transaction a text. Nothing is read, decided or answered, so
//! this is what posting would reach if all its own work cost nothing.

use std::sync::Arc;
use std::time::Duration;

use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;
use crate::ceiling_rows::{MERCHANT, Rows, Share};
use crate::members::{Dice, Distribution, Members};
use crate::results::Ceiling;
use crate::server::Server;

/// Connections and rows of a transaction that are tried; the best counts.
const SHAPES: [(u64, u64); 4] = [(1, 512), (2, 512), (4, 512), (4, 2_048)];

/// As the server's writers set theirs.
const SESSION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION innodb_lock_wait_timeout = 50";

/// The best of some shapes.
pub(crate) async fn measure(
    server: &Server,
    rows: &Arc<Rows>,
    distribution: Distribution,
    warm_up: Duration,
    length: Duration,
) -> Result<Ceiling, Failure> {
    let members = Members::new(rows.members(), distribution);
    let mut best: Option<Ceiling> = None;
    for (connections, batch) in SHAPES {
        let begin = Instant::now() + warm_up;
        let mut writers = JoinSet::new();
        for place in 0..connections {
            let share = match distribution {
                Distribution::Hot => Share { place: 0, of: 1 },
                Distribution::Uniform | Distribution::Zipf => Share { place, of: connections },
            };
            let connection = server.connect_to_database().await?;
            let (rows, members) = (Arc::clone(rows), members.clone());
            writers.spawn(write_rows(
                connection,
                rows,
                members,
                share,
                batch,
                (begin, begin + length),
            ));
        }
        let mut sales_per_second = 0;
        while let Some(ended) = writers.join_next().await {
            sales_per_second += ended??;
        }
        eprintln!("  (c) {distribution}: {sales_per_second} rows/s by {connections} × {batch}");
        if best.is_none_or(|best| best.sales_per_second < sales_per_second) {
            best = Some(Ceiling {
                sales_per_second,
                connections,
                rows: batch,
            });
        }
    }
    forget_batches(server).await?;
    best.ok_or_else(|| "no shapes to try".into())
}

/// The feed is to be spared the announced entries: their sequences have gaps, and it would wait for what is missing.
async fn forget_batches(server: &Server) -> Result<(), Failure> {
    let mut connection = server.connect_to_database().await?;
    let forget = format!("DELETE FROM posting_batch WHERE merchant_id = {MERCHANT}");
    connection.query_drop(forget).await?;
    connection.disconnect().await?;
    Ok(())
}

/// One connection: its rows per second from the first transaction behind the warm-up to the end of its last.
async fn write_rows(
    mut connection: Conn,
    rows: Arc<Rows>,
    members: Members,
    share: Share,
    batch: u64,
    (begin, end): (Instant, Instant),
) -> Result<u64, Failure> {
    connection.query_drop(SESSION).await?;
    let mut dice = Dice::new(rows.seed(share));
    let (mut written, mut since) = (0, None);
    loop {
        let now = Instant::now();
        if now >= end {
            let taken = since.map_or(Duration::MAX, |since| now - since);
            connection.disconnect().await?;
            return Ok(written * 1_000_000 / u64::try_from(taken.as_micros()).unwrap_or(u64::MAX).max(1));
        }
        if now >= begin && since.is_none() {
            (written, since) = (0, Some(now));
        }
        let text = rows.transaction(&members, &mut dice, share, batch)?;
        connection.query_drop(text).await?;
        written += batch;
    }
}
