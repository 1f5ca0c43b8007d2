//! A line between tills and their server that does everything that lines do: it delays, cuts, resets in the middle of an
//! answer, and repeats what it has carried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What was done to how many pieces.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) delays: AtomicU64,
    pub(crate) cuts: AtomicU64,
    pub(crate) resets: AtomicU64,
    pub(crate) repetitions: AtomicU64,
}

/// A line that is faulty.
pub(crate) struct FaultyLine {
    /// The address of the server over this line.
    pub(crate) endpoint: String,
    pub(crate) faults: Arc<Faults>,
}

/// Of so many pieces one is delayed; a quarter as many are cut, as many reset, and an eighth repeated.
const ONE_OF: u64 = 12;

impl FaultyLine {
    /// A line to the server at `endpoint`, whose faults follow from the seed.
    pub(crate) async fn to(endpoint: &str, seed: u64) -> Self {
        let server = endpoint.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let faults = Arc::new(Faults::default());
        let counted = Arc::clone(&faults);
        tokio::spawn(async move {
            let mut seed = seed;
            while let Ok((till, _)) = listener.accept().await {
                seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
                if let Ok(server) = TcpStream::connect(&server).await {
                    carry(till, server, seed, &counted);
                }
            }
        });
        Self {
            endpoint: format!("http://{address}"),
            faults,
        }
    }
}

/// Carries both ways until one way breaks, which breaks the other too.
fn carry(till: TcpStream, server: TcpStream, seed: u64, faults: &Arc<Faults>) {
    // What is not sent yet when a connection is dropped is lost, and the other side sees a reset.
    for side in [&till, &server] {
        let _ = side.set_zero_linger();
    }
    let (till_reads, till_writes) = till.into_split();
    let (server_reads, server_writes) = server.into_split();
    let (broken, is_broken) = watch::channel(false);
    let broken = Arc::new(broken);
    for (from, to, seed) in [
        (till_reads, server_writes, seed),
        (server_reads, till_writes, seed.rotate_left(32)),
    ] {
        let (faults, broken, mut is_broken) = (Arc::clone(faults), Arc::clone(&broken), is_broken.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = one_way(from, to, seed, &faults) => {}
                _ = is_broken.wait_for(|broken| *broken) => {}
            }
            broken.send_replace(true);
        });
    }
}

async fn one_way(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, seed: u64, faults: &Faults) {
    let (mut state, mut piece) = (seed, vec![0; 4 << 10]);
    let mut dice = |sides: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    // The beginning of a connection passes, so that some calls do.
    let mut pieces = 0;
    loop {
        let length = match from.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        pieces += 1;
        let mut carried = piece[..length].to_vec();
        let fault = if pieces < 6 { u64::MAX } else { dice(ONE_OF * 8) };
        match fault {
            0..8 => {
                faults.delays.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(dice(30))).await;
            }
            8..10 => {
                faults.cuts.fetch_add(1, Ordering::Relaxed);
                return;
            }
            10..12 => {
                faults.resets.fetch_add(1, Ordering::Relaxed);
                let _ = to.write_all(&carried[..length / 2]).await;
                return;
            }
            12 => {
                faults.repetitions.fetch_add(1, Ordering::Relaxed);
                carried.extend_from_within(..);
            }
            _ => {}
        }
        if to.write_all(&carried).await.is_err() {
            return;
        }
    }
}
