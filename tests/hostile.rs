//! What strangers do to a server on the network: it goes on serving, and its memory stays small.

use std::time::{Duration, Instant};

use loyalty_sdk::{Client, Error};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, call, connect,
    frame, header, listen,
};
use crate::harness::program::{Program, directory, free_port};

/// What the server may use at most, in bytes.
pub(crate) const MEMORY: u64 = 150_000_000;
/// A quarter of a second is long on a loopback address.
const SILENCE: Duration = Duration::from_millis(250);
/// Pages that the server lets call.
pub(crate) const ORIGIN: &str = "https://office.example.com";
pub(crate) const RECORD_SALE: &str = "/loyalty.v1.LedgerService/RecordSale";

/// A server that strangers attack and a client watches.
pub(crate) struct Fortress {
    pub(crate) program: Program,
    pub(crate) client: Client,
    pub(crate) address: String,
    _directory: tempfile::TempDir,
}

impl Fortress {
    pub(crate) async fn build() -> Self {
        let directory = directory();
        let pages = |command: &mut std::process::Command| {
            command.env("LOYALTY_WEB_ORIGINS", ORIGIN);
        };
        let (program, client) = Program::start_with(directory.path(), free_port(), pages).await;
        let address = format!("127.0.0.1:{}", program.port);
        Self {
            program,
            client,
            address,
            _directory: directory,
        }
    }

    /// The server answers within a second and has not grown.
    pub(crate) async fn stands(&self, after: &str) {
        let began = Instant::now();
        let answer = self.client.get_program("none").await;
        assert!(
            matches!(answer, Err(Error::ProgramNotFound { .. })),
            "{after}: {answer:?}"
        );
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{after}: {:?}",
            began.elapsed()
        );
        let memory = self.program.memory();
        assert!(memory < MEMORY, "{after}: {memory} bytes");
    }

    /// Sends pieces over a connection that has said hello, until the server has enough; what it said.
    pub(crate) async fn suffers(&self, pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut stream = connect(&self.address).await.expect("a connection");
        for piece in pieces {
            // The server may close in the middle.
            if stream.write_all(&piece).await.is_err() {
                break;
            }
        }
        listen(&mut stream, SILENCE).await
    }
}

/// A message of gRPC: compressed or not, and its length as it is told.
pub(crate) fn message(is_compressed: bool, length: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![u8::from(is_compressed)];
    message.extend(length.to_be_bytes());
    message.extend(bytes);
    message
}

pub(crate) fn odd(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|number| 2 * number + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_boundless_frames_end_their_connection_and_nothing_else() {
    let fortress = Fortress::build().await;
    let headers = call(RECORD_SALE, &[]);
    let name = "x".repeat(60);

    // Bytes without sense, before and after the hello.
    for seed in 0..200_u8 {
        let mut stream = TcpStream::connect(&fortress.address).await.expect("a connection");
        let bytes: Vec<u8> = (0..400_u32)
            .map(|place| (place * u32::from(seed) % 251) as u8)
            .collect();
        // The server may close in the middle.
        drop(stream.write_all(&bytes).await);
    }
    fortress
        .suffers((0..50_u32).map(|number| (number * 77 % 251).to_be_bytes().repeat(500)))
        .await;
    fortress.stands("noise").await;

    // Frames longer than allowed, of no kind, on streams that are not there.
    fortress
        .suffers(std::iter::once(frame(DATA, 0, 1, &vec![0; 1 << 20])))
        .await;
    fortress
        .suffers((0..1_000).map(|_| frame(99, 255, 77, &[1; 100])))
        .await;
    fortress
        .suffers(std::iter::once(frame(WINDOW_UPDATE, 0, 0, &[0x7f, 255, 255, 255])))
        .await;
    fortress.stands("broken frames").await;

    // Floods: of settings, of pings, of streams that are opened and reset.
    fortress.suffers((0..20_000).map(|_| frame(SETTINGS, 0, 0, &[]))).await;
    fortress.suffers((0..20_000).map(|_| frame(PING, 0, 0, &[7; 8]))).await;
    let reset = |stream| {
        [
            frame(HEADERS, END_HEADERS, stream, &headers),
            frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]),
        ]
        .concat()
    };
    fortress.suffers(odd(20_000).map(reset)).await;
    fortress.stands("floods").await;

    // Headers without end: in one block, in continuations, and by references to one that is long.
    let huge = [headers.clone(), header("x-huge", &"x".repeat(15_000))].concat();
    fortress
        .suffers(odd(300).map(|stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &huge)))
        .await;
    let endless = (0..5_000).map(|number| match number {
        0 => frame(HEADERS, 0, 1, &headers),
        _ => frame(CONTINUATION, 0, 1, &header(&name, &"y".repeat(1_000))),
    });
    fortress.suffers(endless).await;
    let indexed = [&[0x40][..], &header("x-long", &"z".repeat(3_900))[1..], &[0xbe; 8_000]].concat();
    fortress
        .suffers(odd(200).map(|stream| {
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                stream,
                &[headers.clone(), indexed.clone()].concat(),
            )
        }))
        .await;
    fortress.stands("headers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_promise_too_much_are_refused_before_they_are_there() {
    let fortress = Fortress::build().await;
    let headers = frame(HEADERS, END_HEADERS, 1, &call(RECORD_SALE, &[]));
    let gzip = frame(
        HEADERS,
        END_HEADERS,
        1,
        &call(RECORD_SALE, &[("grpc-encoding", "gzip")]),
    );
    let bomb = message(true, 1_000, &[0x1f; 1_000]);

    let promised = fortress
        .suffers([headers.clone(), frame(DATA, 0, 1, &message(false, u32::MAX, &[0; 100]))].into_iter())
        .await;
    let compressed = fortress
        .suffers([gzip, frame(DATA, END_STREAM, 1, &bomb)].into_iter())
        .await;
    let unannounced = fortress
        .suffers([headers.clone(), frame(DATA, END_STREAM, 1, &bomb)].into_iter())
        .await;
    let nothing = fortress
        .suffers([headers, frame(DATA, END_STREAM, 1, &[])].into_iter())
        .await;

    for (what, answer) in [
        ("promised", promised),
        ("compressed", compressed),
        ("unannounced", unannounced),
        ("nothing", nothing),
    ] {
        assert!(answer.len() > 100, "{what}: the server says why: {answer:?}");
    }
    fortress.stands("promises").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_silent_the_slow_and_the_many_keep_nobody_waiting() {
    let fortress = Fortress::build().await;

    // More connections than there are places: of those who say nothing, hello, or begin a call and stop.
    let mut crowd = Vec::new();
    for number in 0..1_200 {
        let stream = match number % 3 {
            0 => TcpStream::connect(&fortress.address).await,
            _ => connect(&fortress.address).await,
        };
        let mut stream = stream.expect("a connection");
        if number % 3 == 2 {
            let begun = frame(HEADERS, END_HEADERS, 1, &call(RECORD_SALE, &[("grpc-timeout", "1H")]));
            drop(stream.write_all(&begun).await);
            drop(
                stream
                    .write_all(&frame(DATA, 0, 1, &message(false, 100_000, b"x")))
                    .await,
            );
        }
        crowd.push(stream);
    }
    fortress.stands("a crowd").await;

    // Who asks for much and takes nothing of it.
    let mut greedy = connect(&fortress.address).await.expect("a connection");
    let list = call("/loyalty.v1.ProgramService/ListPrograms", &[]);
    for stream in odd(1_000) {
        let asked = [
            frame(HEADERS, END_HEADERS, stream, &list),
            frame(DATA, END_STREAM, stream, &message(false, 0, &[])),
        ];
        if greedy.write_all(&asked.concat()).await.is_err() {
            break;
        }
    }
    fortress.stands("the greedy").await;

    // One byte at a time.
    let mut slow = TcpStream::connect(&fortress.address).await.expect("a connection");
    for byte in b"PRI * HTTP/2" {
        drop(slow.write_all(&[*byte]).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    fortress.stands("the slow").await;
    drop(crowd);
    drop(greedy);
}
