//! What strangers put into messages: bytes without sense, bombs, lists of millions, and as much of it at once as they can.
//! The server goes on serving, and its memory stays small.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::Frame;
use prost::bytes::{BufMut as _, Bytes};
use prost_reflect::{Kind, MessageDescriptor};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::Service as _;
use tonic::codegen::http::{HeaderMap, Method, Request};
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use crate::every_call::Numbers;
use crate::harness::any_call::{call, message_of, methods};
use crate::harness::frames::connect;
use crate::hostile::{Fortress, ORIGIN, RECORD_SALE, message};

/// Messages of each call.
const OF_A_CALL: usize = 40;
/// The longest message that is read.
const LONGEST: usize = 2 << 20;

/// Bytes that could be a message: fields of any number and kind, in one another, some of which lie about their length.
fn fields(numbers: &mut Numbers, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..numbers.below(8) {
        let number = 1 + numbers.below(24);
        match numbers.below(6) {
            0 => {
                prost::encoding::encode_varint((number << 3) as u64, &mut bytes);
                prost::encoding::encode_varint(numbers.next() << numbers.below(33), &mut bytes);
            }
            1 => {
                prost::encoding::encode_varint((number << 3 | 1) as u64, &mut bytes);
                bytes.put_u64(numbers.next());
            }
            2 => bytes.push(numbers.byte()),
            _ => {
                prost::encoding::encode_varint((number << 3 | 2) as u64, &mut bytes);
                let inside = match depth {
                    0 => (0..numbers.below(20)).map(|_| numbers.byte()).collect(),
                    _ => fields(numbers, depth - 1),
                };
                let lie = if numbers.below(20) == 0 {
                    numbers.below(1 << 30)
                } else {
                    0
                };
                prost::encoding::encode_varint((inside.len() + lie) as u64, &mut bytes);
                bytes.extend(inside);
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_in_every_message_are_refused_for_a_reason() {
    let fortress = Fortress::build().await;
    let mut under_way = JoinSet::new();

    for (seed, method) in (1..).zip(methods()) {
        let channel = fortress.client.channel();
        under_way.spawn(async move {
            let (mut numbers, mut refused) = (Numbers(seed), 0);
            for _ in 0..OF_A_CALL {
                let sent = match numbers.below(3) {
                    0 => (0..numbers.below(2_000)).map(|_| numbers.byte()).collect(),
                    _ => fields(&mut numbers, 4),
                };
                let Err(status) = call(&channel, None, &method.call, vec![sent.clone()]).await else {
                    continue;
                };
                let faults = [Code::Internal, Code::Unknown, Code::DataLoss, Code::Unavailable];
                assert!(
                    !faults.contains(&status.code()),
                    "{}: {status:?} for {sent:?}",
                    method.call
                );
                assert!(
                    status.get_details_error_info().is_some(),
                    "{}: {status:?} for {sent:?}",
                    method.call
                );
                refused += 1;
            }
            refused
        });
    }
    let refused: usize = under_way.join_all().await.into_iter().sum();

    assert!(refused > 20 * OF_A_CALL, "{refused}");
    fortress.stands("random bytes").await;
    let log = fortress.program.log();
    let faults: Vec<_> = log
        .iter()
        .filter(|line| line.contains(" ERROR ") || line.contains("panicked"))
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

/// Ways through a message to each list in it: numbers of fields, the last one the list's.
fn lists(of: &MessageDescriptor, way: &[u32], found: &mut Vec<Vec<u32>>) {
    for field in of.fields() {
        let Kind::Message(inside) = field.kind() else {
            continue;
        };
        let way = [way, &[field.number()]].concat();
        if field.is_list() {
            found.push(way.clone());
        }
        if way.len() < 4 {
            lists(&inside, &way, found);
        }
    }
}

/// A message as long as can be, whose list, at the end of this way, has nothing but empty elements.
fn of_empty_elements(way: &[u32]) -> Vec<u8> {
    let (list, around) = way.split_last().expect("a list");
    let mut element = Vec::new();
    prost::encoding::encode_varint(u64::from(list << 3 | 2), &mut element);
    element.push(0);
    let mut bytes = element.repeat((LONGEST - 100) / element.len());
    for number in around.iter().rev() {
        let mut outer = Vec::new();
        prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut outer);
        prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend(bytes);
        bytes = outer;
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_a_million_nothings_are_refused_before_they_are_made() {
    let fortress = Fortress::build().await;
    let channel = fortress.client.channel();
    let mut tried = 0;

    for method in methods() {
        let mut found = Vec::new();
        lists(&message_of(&method.call).0, &[], &mut found);
        for way in found {
            let answer = call(&channel, None, &method.call, vec![of_empty_elements(&way)]).await;

            match answer {
                Err(status) => assert_eq!(status.code(), Code::OutOfRange, "{} {way:?}: {status:?}", method.call),
                // A stream, whose end comes later than the test waits for it.
                Ok(answers) => assert!(
                    method.descriptor.client_streaming() && answers.is_empty(),
                    "{}",
                    method.call
                ),
            }
            tried += 1;
        }
    }

    assert!(tried > 20, "{tried}");
    fortress.stands("lists").await;
}

/// A request that sends pieces and then nothing more, as long as somebody waits for it.
struct Unfinished(VecDeque<Bytes>);

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Pending,
        }
    }
}

/// Makes a call of these bytes that does not end; the headers of the answer, as soon as there is one.
async fn begins(channel: &Channel, path: &str, headers: &[(&'static str, &str)], bytes: &[u8]) -> Option<HeaderMap> {
    let pieces = bytes.chunks(16 << 10).map(Bytes::copy_from_slice).collect();
    let mut request = Request::new(Body::new(Unfinished(pieces)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().expect("a path");
    let usual = [("content-type", "application/grpc"), ("te", "trailers")];
    for (name, value) in usual.iter().chain(headers) {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    let mut channel = channel.clone();
    std::future::poll_fn(|task| channel.poll_ready(task)).await.ok()?;
    let answer = channel.call(request).await.ok()?;
    Some(answer.into_parts().0.headers)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_long_messages_at_once_are_not_all_kept() {
    let fortress = Fortress::build().await;
    let begun = message(false, LONGEST as u32, &vec![0x0a; LONGEST - 1]);

    let mut crowd = JoinSet::new();
    for _ in 0..8 {
        // Each over a connection of its own.
        let channel = fortress.program.client().await.channel();
        for _ in 0..32 {
            let (channel, begun) = (channel.clone(), begun.clone());
            crowd.spawn(async move { begins(&channel, RECORD_SALE, &[], &begun).await });
        }
    }
    let mut turned_away = 0;
    while let Ok(Some(ended)) = tokio::time::timeout(Duration::from_secs(3), crowd.join_next()).await {
        let headers = ended.expect("a task").expect("an answer");
        assert_eq!(headers["grpc-status"], "8", "{headers:?}");
        assert!(headers.contains_key("grpc-retry-pushback-ms"), "{headers:?}");
        turned_away += 1;
    }

    assert!(turned_away > 100, "{turned_away}");
    fortress.stands("long messages").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_key_keeps_little_of_what_strangers_send() {
    let fortress = Fortress::build().await;
    let long = message(false, LONGEST as u32, &vec![0x0a; LONGEST - 1]);
    let paths = [
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ];

    let mut crowd = JoinSet::new();
    for number in 0..128 {
        let (channel, long) = (fortress.client.channel(), long.clone());
        crowd.spawn(async move { begins(&channel, paths[number % 4], &[], &long).await });
    }
    while let Ok(Some(ended)) = tokio::time::timeout(Duration::from_secs(3), crowd.join_next()).await {
        ended.expect("a task").expect("an answer");
    }

    fortress.stands("long questions").await;
}

/// Bits from the lowest on, as deflate writes them.
#[derive(Default)]
struct Bits(Vec<u8>, u32);

impl Bits {
    fn push(&mut self, bits: &[u8]) {
        for bit in bits {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            let last = self.0.len() - 1;
            self.0[last] |= (bit - b'0') << (self.1 % 8);
            self.1 += 1;
        }
    }
}

/// So many times 258 zeros, by gzip: the code of a zero, and then the code of "258 times the one before".
fn bomb(times: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.push(b"110");
    bits.push(b"00110000");
    for _ in 0..times {
        bits.push(b"1100010100000");
    }
    bits.push(b"0000000");
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [&head[..], &bits.0, &[0; 8]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_bombs_do_not_go_off() {
    let fortress = Fortress::build().await;
    // A megabyte that would be 160.
    let bomb = bomb(640_000);
    let length = u32::try_from(bomb.len()).expect("short");

    let sent = message(true, length, &bomb);
    for encoding in ["gzip", "deflate", "zstd", "identity"] {
        let channel = fortress.client.channel();
        let headers = [("grpc-encoding", encoding), ("content-encoding", encoding)];
        let answer =
            tokio::time::timeout(Duration::from_secs(10), begins(&channel, RECORD_SALE, &headers, &sent)).await;
        let headers = answer.expect("in time").expect("an answer");
        assert!(
            ["3", "12"].contains(&headers["grpc-status"].to_str().expect("text")),
            "{encoding}: {headers:?}"
        );
    }

    fortress.stands("bombs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_send_without_end_are_given_up() {
    let fortress = Fortress::build().await;
    let kinds = [
        // Of a frame that never ends, of frames of nothing, and of what is no base64.
        ("application/grpc-web-text", "f////wAA".repeat(8 << 10)),
        ("application/grpc-web-text", "AAAAAAAA".repeat(8 << 10)),
        ("application/grpc-web-text", "%%%%".repeat(16 << 10)),
        ("application/grpc-web+proto", "\0\0\x7f\u{7f}\u{7f}".repeat(13 << 10)),
    ];

    let mut crowd = JoinSet::new();
    for (kind, piece) in kinds {
        for _ in 0..4 {
            let (address, piece) = (fortress.address.clone(), piece.clone());
            crowd.spawn(async move {
                let mut stream = TcpStream::connect(&address).await.expect("a connection");
                let head = format!(
                    "POST {RECORD_SALE} HTTP/1.1\r\nhost: {address}\r\norigin: {ORIGIN}\r\ncontent-type: {kind}\r\n\
                     content-length: 999999999\r\n\r\n"
                );
                drop(stream.write_all(head.as_bytes()).await);
                for _ in 0..100 {
                    let sent =
                        tokio::time::timeout(Duration::from_millis(300), stream.write_all(piece.as_bytes())).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        break;
                    }
                }
            });
        }
    }
    crowd.join_all().await;

    fortress.stands("pages").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_who_say_hello_and_nothing_more_take_little() {
    let fortress = Fortress::build().await;
    let mut crowd = Vec::new();

    for number in 0..4_000 {
        let stream = match number % 4 {
            0 => TcpStream::connect(&fortress.address).await,
            _ => connect(&fortress.address).await,
        };
        crowd.push(stream.expect("a connection"));
    }

    fortress.stands("thousands").await;
    drop(crowd);
}
