//! HTTP/2 by hand, for what no library would send.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What HTTP/2 begins with.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A header, literal and not indexed.
pub(crate) fn header(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        bytes.extend(length(text.len()));
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// A length of HPACK, in a prefix of seven bits.
fn length(length: usize) -> Vec<u8> {
    if length < 127 {
        return vec![u8::try_from(length).expect("short")];
    }
    let (mut rest, mut bytes) = (length - 127, vec![127]);
    while rest >= 128 {
        bytes.push(u8::try_from(rest % 128).expect("short") | 128);
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).expect("short"));
    bytes
}

/// The headers of a call, and further ones.
pub(crate) fn call(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "127.0.0.1"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    usual
        .iter()
        .chain(more)
        .flat_map(|(name, value)| header(name, value))
        .collect()
}

/// A connection that has said hello.
pub(crate) async fn connect(address: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(PREFACE).await?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    Ok(stream)
}

/// All that the other side says until it closes, is silent for so long, or a megabyte.
pub(crate) async fn listen(stream: &mut TcpStream, silence: Duration) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut piece = vec![0; 16 << 10];
    while heard.len() < 1 << 20 {
        match tokio::time::timeout(silence, stream.read(&mut piece)).await {
            Ok(Ok(length)) if length > 0 => heard.extend(&piece[..length]),
            _ => break,
        }
    }
    heard
}
