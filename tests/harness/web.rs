//! A browser: HTTP/1 and grpc-web by hand, as a page's script makes them.

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct WebAnswer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl WebAnswer {
    fn of(text: &[u8]) -> Self {
        let end = text.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&text[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let status = status.parse().expect("a number");
        let headers = header_lines(lines);
        let body = text[end + 4..].to_vec();
        let is_chunked = headers
            .get("transfer-encoding")
            .is_some_and(|coding| coding == "chunked");
        let body = if is_chunked { of_chunks(&body) } else { body };
        Self { status, headers, body }
    }

    /// The frames of the body: its messages, and its trailers, which grpc-web puts there.
    fn frames(&self) -> (Vec<&[u8]>, BTreeMap<String, String>) {
        let (mut messages, mut trailers, mut rest) = (Vec::new(), BTreeMap::new(), &self.body[..]);
        while let [kind, a, b, c, d, behind @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let (frame, behind) = behind.split_at(length);
            match kind {
                0 => messages.push(frame),
                0x80 => trailers = header_lines(std::str::from_utf8(frame).expect("text").lines()),
                other => panic!("a frame of kind {other}"),
            }
            rest = behind;
        }
        (messages, trailers)
    }

    /// The code of gRPC, from the trailers or, of an answer without messages, from the head.
    pub(crate) fn code(&self) -> i32 {
        let (_, trailers) = self.frames();
        let code = trailers.get("grpc-status").or_else(|| self.headers.get("grpc-status"));
        let code = code.unwrap_or_else(|| panic!("no code: {self:?}"));
        code.parse().expect("a number")
    }

    /// The only message.
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        let (messages, _) = self.frames();
        assert_eq!(messages.len(), 1, "{self:?}");
        M::decode(messages[0]).expect("a message")
    }
}

fn header_lines<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect()
}

fn of_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a length");
        let length = std::str::from_utf8(&rest[..end]).expect("text");
        let length = usize::from_str_radix(length, 16).expect("a length");
        if length == 0 {
            return whole;
        }
        whole.extend(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}

/// A message in the frame of gRPC.
pub(crate) fn framed(message: &impl Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(bytes.len()).expect("short").to_be_bytes());
    frame.extend(bytes);
    frame
}

/// Asks over a connection of its own.
pub(crate) async fn asks(address: &str, line: &str, headers: &[(&str, &str)], body: &[u8]) -> WebAnswer {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let mut head = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).await.expect("a request");
    // The server may answer before it has read everything.
    drop(stream.write_all(body).await);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    drop(read.expect("an answer in time"));
    WebAnswer::of(&answer)
}
