//! What strangers try with names, headers and tokens: to look like somebody else, to write into the log, to be answered what
//! is not theirs, to break what reads them.

use std::time::{Duration, Instant};

use loyalty_sdk::{MemberKey, NewMember, Sale};
use prost_reflect::{DynamicMessage, Kind, Value};
use tokio::io::AsyncWriteExt as _;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::every_call::{World, scenarios};
use crate::harness::any_call::{call, message_of};
use crate::harness::frames::{END_HEADERS, END_STREAM, HEADERS, call as head, connect, frame, header, listen};
use crate::harness::guarded::Guarded;
use crate::harness::{PROGRAM, Shop, wrong_fields};
use crate::hostile::{Fortress, RECORD_SALE, odd};

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_that_only_looks_like_another_is_refused() {
    let shop = Shop::empty().await;
    shop.opens().await;
    let new = || NewMember::new(PROGRAM);
    let cases = [
        ("identifiers[0].customer_id", new().customer_id("ad\u{200b}a")),
        ("identifiers[0].customer_id", new().customer_id("ada\u{fe0f}")),
        ("identifiers[0].customer_id", new().customer_id("\u{202e}ada")),
        ("identifiers[0].customer_id", new().customer_id("ada\u{a0}")),
        ("identifiers[0].customer_id", new().customer_id("ada\0")),
        ("identifiers[0].card", new().card("77\u{e0037}00")),
        ("identifiers[0].card", new().card("77\u{feff}00")),
        ("identifiers[0].qr_code", new().qr_code("a\nb")),
        ("identifiers[0].qr_code", new().qr_code("a\u{2028}b")),
        ("identifiers[0].email", new().email("a\u{ad}da@example.org")),
        // Small letters of this one are two each.
        (
            "identifiers[0].email",
            new().email(format!("{}@example.org", "İ".repeat(110))),
        ),
        ("identifiers[0].phone", new().phone("٣٤٦٠٠١٢٣")),
        ("name", new().card("1").name("Ada \u{202e}ecalevoL")),
        ("name", new().card("1").name("Ada\r\nPAID 100.00")),
    ];

    for (field, member) in cases {
        let error = shop.client.enroll_member(&member).await.expect_err(field);
        assert_eq!(wrong_fields(&error), [field], "{member:?}");
    }
    // What people are called is theirs, joiners and marks of direction included.
    let named = new().card("2").name("محمد\u{200f} नमस्ते क्\u{200d}ष 👩\u{200d}💻 Zoë");
    shop.client.enroll_member(&named).await.expect("a member");
    let sale = Sale::new("1\u{202e}2", "store-1", MemberKey::card("2"), "EUR", 1);
    let error = shop.client.record_sale(&sale).await.expect_err("a sale");
    assert_eq!(wrong_fields(&error), ["sale.sale_id"]);
}

/// What is no header, or asks to be believed more than the caller.
fn forged() -> Vec<Vec<(&'static str, &'static str)>> {
    vec![
        vec![("loyalty-call-id", "a\nERROR forged")],
        vec![("loyalty-call-id", "a\r\nset-cookie: forged")],
        vec![("loyalty-call-id", "\u{1b}[31mforged")],
        vec![("loyalty-call-id", "forged\u{2028}forged")],
        vec![("loyalty-actor", "a\nERROR forged")],
        vec![("loyalty-actor", "\u{1b}]0;forged")],
        vec![("authorization", "Bearer lk_1-forged\nERROR forged")],
        vec![("authorization", "Bearer forged"), ("authorization", "Bearer forged")],
        vec![("user-agent", "forged \u{1b}[2J forged")],
        vec![("traceparent", "00-forged-forged-01")],
        vec![("grpc-timeout", "99999999999999999999H")],
        vec![("grpc-timeout", "-1S")],
        vec![("grpc-encoding", "forged")],
        vec![("x-forged\nx", "forged")],
        vec![("X-FORGED", "forged")],
        vec![("transfer-encoding", "chunked")],
        vec![("connection", "close")],
        vec![("content-length", "5")],
        vec![(":path", "/forged")],
        vec![(":forged", "forged")],
        vec![("grpc-status-details-bin", "forged====")],
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_put_into_headers_is_neither_obeyed_nor_told() {
    let server = Guarded::start(&[("RUST_LOG", "trace")]).await;
    let address = server.endpoint.trim_start_matches("http://");
    let key = format!("Bearer {}", server.key);
    let paths = [
        RECORD_SALE,
        "/forged\nERROR forged",
        "/loyalty.v1.LedgerService/forged%0aforged",
        "/loyalty.v1.LedgerService/../../forged",
        "//forged",
        "http://forged/loyalty.v1.LedgerService/RecordSale",
    ];
    let lines: Vec<_> = paths
        .map(|path| (path, Vec::new()))
        .into_iter()
        .chain(forged().into_iter().map(|headers| (RECORD_SALE, headers)))
        .collect();

    for (path, headers) in &lines {
        for with_key in [true, false] {
            let mut all: Vec<(&str, &str)> = headers.clone();
            if with_key && !headers.iter().any(|(name, _)| *name == "authorization") {
                all.push(("authorization", &key));
            }
            let mut stream = connect(address).await.expect("a connection");
            let asked = frame(HEADERS, END_HEADERS | END_STREAM, 1, &head(path, &all));
            stream.write_all(&asked).await.expect("a request");
            let answer = listen(&mut stream, Duration::from_millis(100)).await;
            let told = String::from_utf8_lossy(&answer);
            assert!(!told.contains("forged"), "{path:?} {headers:?}: {told}");
        }
    }

    let till = server.client(&server.key).await;
    till.get_program("none").await.expect_err("no such program");
    for line in server.program.log() {
        assert!(!line.contains("forged"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_streams_than_are_allowed_are_refused_and_others_are_served() {
    let fortress = Fortress::build().await;
    let headers = head(RECORD_SALE, &[("grpc-timeout", "1H")]);

    for _ in 0..4 {
        let mut stream = connect(&fortress.address).await.expect("a connection");
        for number in odd(20_000) {
            // The server may close in the middle.
            if stream
                .write_all(&frame(HEADERS, END_HEADERS, number, &headers))
                .await
                .is_err()
            {
                break;
            }
        }
        fortress.stands("streams").await;
    }
    // A megabyte of headers, whole and by references to a table that holds them.
    let metadata: Vec<u8> = (0..16_000)
        .flat_map(|number| header(&format!("x-{number}"), &"y".repeat(60)))
        .collect();
    for _ in 0..4 {
        let mut stream = connect(&fortress.address).await.expect("a connection");
        let all = [head(RECORD_SALE, &[]), metadata.clone()].concat();
        let mut parts = all.chunks(16_000).peekable();
        let mut kind = HEADERS;
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_none() { END_HEADERS } else { 0 };
            if stream.write_all(&frame(kind, flags, 1, part)).await.is_err() {
                break;
            }
            kind = crate::harness::frames::CONTINUATION;
        }
        listen(&mut stream, Duration::from_millis(100)).await;
    }
    fortress.stands("metadata").await;
}

/// Tokens that were never given.
fn tokens() -> Vec<String> {
    let key = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut tokens = vec![
        "x".to_owned(),
        "../../etc/passwd".to_owned(),
        "ff".repeat(500_000),
        "61".repeat(500_000),
        "zz".repeat(900_000),
        "٣".repeat(1_000),
        "\u{202e}".to_owned(),
    ];
    let keys = [
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "99999999999999999999999",
        "1 1",
        "' OR '1'='1",
        "\0",
        "a\nb",
        "club club club",
        "members club 0 00000000-0000-0000-0000-000000000000",
        "2026-01-15T10:00:00Z 1",
        "9999-12-31 23:59:59 x",
        "18446744073709551615",
        "\u{10ffff}",
        "9223372036854775807 1 club",
        "253402300800000000 1 club",
        "1000000000000000 1 \u{10ffff}",
    ];
    tokens.extend(keys.map(key));
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_never_given_get_nothing_and_break_nothing() {
    let world = World::make().await;
    let channel = world.shop.client.channel();
    let mut tried = 0;

    for scenario in scenarios() {
        let input = message_of(scenario.call).0;
        let names = ["page_token", "resume_token", "cursor", "etag"];
        for field in input
            .fields()
            .filter(|field| names.contains(&field.name()) && field.kind() == Kind::String)
        {
            for token in tokens() {
                let good = (scenario.messages)(&world).await;
                let mut request = DynamicMessage::decode(input.clone(), good[0].as_slice()).expect("a request");
                request.set_field(&field, Value::String(token.clone()));
                let began = Instant::now();
                let message = prost::Message::encode_to_vec(&request);
                let answer = call(&channel, Some(&world.key), scenario.call, vec![message]).await;

                let short: String = token.chars().take(40).collect();
                let at = format!("{} {} {short:?}", scenario.call, field.name());
                assert!(began.elapsed() < Duration::from_secs(5), "{at}");
                if let Err(status) = answer {
                    let expected = [Code::InvalidArgument, Code::Aborted, Code::FailedPrecondition];
                    assert!(expected.contains(&status.code()), "{at}: {status:?}");
                    assert!(status.get_details_error_info().is_some(), "{at}: {status:?}");
                    assert!(status.message().len() < 1_000, "{at}: it is told back");
                }
                tried += 1;
            }
        }
    }

    assert!(tried > 200, "{tried}");
}
