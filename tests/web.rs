//! Pages in browsers call over HTTP/1 and grpc-web, from the origins that were named and no others; keys, limits and
//! refusals are those of every caller.

use std::time::Duration;

use loyalty_sdk::api as wire;
use loyalty_server::serve::ServeOptions;
use loyalty_server::tenants::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::books::Stall;
use crate::harness::guarded::Guarded;
use crate::harness::keys::Keys as _;
use crate::harness::raw::{customer, number, request_id};
use crate::harness::web::{WebAnswer, asks, framed};
use crate::harness::{MERCHANT, PROGRAM, Shop, dec};

const OFFICE: &str = "https://office.example.com";
const GET_PROGRAM: &str = "POST /loyalty.v1.ProgramService/GetProgram";
const RECORD_SALE: &str = "POST /loyalty.v1.LedgerService/RecordSale";

fn for_the_office(options: ServeOptions) -> ServeOptions {
    ServeOptions {
        web_origins: vec![OFFICE.parse().expect("an origin")],
        ..options
    }
}

fn address(shop: &Shop) -> &str {
    shop.endpoint.trim_start_matches("http://")
}

fn program() -> Vec<u8> {
    framed(&wire::GetProgramRequest {
        program_id: PROGRAM.to_owned(),
    })
}

fn sale(sale_id: &str) -> Vec<u8> {
    framed(&wire::RecordSaleRequest {
        request_id: request_id(),
        sale: Some(wire::Sale {
            sale_id: sale_id.to_owned(),
            store_id: "store-1".to_owned(),
            member: customer("ada"),
            currency_code: "EUR".to_owned(),
            total: number("30"),
            ..Default::default()
        }),
        ..Default::default()
    })
}

/// A call from a page of this origin.
async fn calls(address: &str, line: &str, origin: &str, more: &[(&str, &str)], body: &[u8]) -> WebAnswer {
    let usual = [
        ("origin", origin),
        ("content-type", "application/grpc-web+proto"),
        ("accept", "application/grpc-web+proto"),
        ("x-grpc-web", "1"),
    ];
    asks(address, line, &[&usual, more].concat(), body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_sells_and_its_browser_lets_it_see_the_answer() {
    let shop = Shop::serving(for_the_office).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;

    let id = ("loyalty-call-id", "page-1");
    let sold = calls(address(&shop), RECORD_SALE, OFFICE, &[id], &sale("ticket-1")).await;
    let refused = calls(
        address(&shop),
        GET_PROGRAM,
        OFFICE,
        &[],
        &framed(&wire::GetProgramRequest::default()),
    )
    .await;

    let receipt: wire::RecordSaleResponse = sold.message();
    assert_eq!((sold.status, sold.code()), (200, 0));
    assert_eq!(sold.headers["access-control-allow-origin"], OFFICE);
    assert_eq!(sold.headers["loyalty-call-id"], "page-1");
    let shown = &sold.headers["access-control-expose-headers"];
    for header in [
        "grpc-status",
        "grpc-message",
        "grpc-status-details-bin",
        "loyalty-call-id",
    ] {
        assert!(shown.contains(header), "{shown}");
    }
    assert!(receipt.outcome.is_some(), "{receipt:?}");
    assert_eq!(ada.points().await, dec("30"));
    assert_eq!(refused.code(), 3, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_learns_beforehand_what_it_may_send() {
    let shop = Shop::serving(for_the_office).await;
    let preflight = "OPTIONS /loyalty.v1.LedgerService/RecordSale";
    let asked = [
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "authorization,content-type,x-grpc-web",
        ),
    ];

    let office = asks(
        address(&shop),
        preflight,
        &[&asked[..], &[("origin", OFFICE)]].concat(),
        &[],
    )
    .await;
    let other = asks(
        address(&shop),
        preflight,
        &[&asked[..], &[("origin", "https://evil.example.com")]].concat(),
        &[],
    )
    .await;

    assert_eq!(office.status, 200);
    assert_eq!(office.headers["access-control-allow-origin"], OFFICE);
    assert_eq!(office.headers["access-control-allow-methods"], "POST");
    let allowed = &office.headers["access-control-allow-headers"];
    for header in [
        "authorization",
        "content-type",
        "x-grpc-web",
        "grpc-timeout",
        "loyalty-actor",
    ] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(!office.headers.contains_key("access-control-allow-credentials"));
    assert_eq!(other.status, 403);
    assert!(!other.headers.contains_key("access-control-allow-origin"), "{other:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_does_nothing() {
    let shop = Shop::serving(for_the_office).await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;

    for (number, origin) in [
        "https://evil.example.com",
        "http://office.example.com",
        "null",
        "https://office.example.com.evil.example",
    ]
    .iter()
    .enumerate()
    {
        let answer = calls(
            address(&shop),
            RECORD_SALE,
            origin,
            &[],
            &sale(&format!("ticket-{number}")),
        )
        .await;
        assert_eq!(answer.status, 403, "{origin}: {answer:?}");
    }
    let two = [("origin", "https://evil.example.com")];
    let answer = calls(address(&shop), RECORD_SALE, OFFICE, &two, &sale("ticket-9")).await;

    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(ada.points().await, dec("0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_origin_to_serve_nobody_speaks_http_1() {
    let shop = Shop::empty().await;
    let mut stream = TcpStream::connect(address(&shop)).await.expect("a connection");

    let request = b"POST /loyalty.v1.ProgramService/GetProgram HTTP/1.1\r\nhost: shop\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;

    drop(read.expect("the connection is closed"));
    assert!(!answer.starts_with(b"HTTP/1"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_of_a_page_is_refused() {
    let shop = Shop::serving(for_the_office).await;
    shop.opens().await;

    let page = asks(address(&shop), "GET /", &[("origin", OFFICE)], &[]).await;
    let plain = asks(
        address(&shop),
        GET_PROGRAM,
        &[("content-type", "application/grpc")],
        &program(),
    )
    .await;
    let read = calls(
        address(&shop),
        "GET /loyalty.v1.ProgramService/GetProgram",
        OFFICE,
        &[],
        &[],
    )
    .await;
    let noise = calls(
        address(&shop),
        GET_PROGRAM,
        OFFICE,
        &[],
        b"\x00\x00\x00\x00\x05\xff\xff\xff\xff\xff",
    )
    .await;
    let cut = calls(address(&shop), GET_PROGRAM, OFFICE, &[], b"\x00\x00\x00\x01\x05abc").await;
    let text = [("content-type", "application/grpc-web-text")];
    let garbled = asks(address(&shop), GET_PROGRAM, &text, b"*** no base64 ***").await;

    assert_eq!((page.status, plain.status, read.status), (400, 400, 405));
    for answer in [noise, cut, garbled] {
        assert_ne!(answer.code(), 0, "{answer:?}");
    }
    shop.client.get_program(PROGRAM).await.expect("a program");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_needs_a_key_and_may_what_its_role_may() {
    let shop = Shop::serving(|options| ServeOptions {
        development: false,
        ..for_the_office(options)
    })
    .await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant(MERCHANT).await.expect("a merchant");
    let reader = format!("Bearer {}", tenants.key(MERCHANT, Role::ReadOnly).await);

    let nobody = calls(address(&shop), GET_PROGRAM, OFFICE, &[], &program()).await;
    let wrong = calls(
        address(&shop),
        GET_PROGRAM,
        OFFICE,
        &[("authorization", "Bearer lk_1-x")],
        &program(),
    )
    .await;
    let key = ("authorization", reader.as_str());
    let reads = calls(address(&shop), GET_PROGRAM, OFFICE, &[key], &program()).await;
    let sells = calls(address(&shop), RECORD_SALE, OFFICE, &[key], &sale("ticket-1")).await;

    assert_eq!((nobody.code(), wrong.code()), (16, 16));
    // There is no such program, which is told to those who may ask.
    assert_eq!((reads.code(), sells.code()), (5, 7));
    assert_eq!(nobody.headers["access-control-allow-origin"], OFFICE, "a page sees why");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pages_calls_are_held_to_the_same_limits() {
    let shop = Shop::serving(|options| ServeOptions {
        calls: 2,
        ..for_the_office(options)
    })
    .await;
    shop.opens().await;
    let ada = shop.enrols("ada").await;

    let huge = framed(&wire::GetProgramRequest {
        program_id: "x".repeat(3 << 20),
    });
    let too_large = calls(address(&shop), GET_PROGRAM, OFFICE, &[], &huge).await;
    let stall = Stall::of(&shop, ada.member.member_id.as_ref()).await;
    let in_time = [("grpc-timeout", "300m")];
    let late = calls(address(&shop), RECORD_SALE, OFFICE, &in_time, &sale("ticket-1")).await;
    let waiting: Vec<_> = (2..4)
        .map(|number| {
            let (address, body) = (address(&shop).to_owned(), sale(&format!("ticket-{number}")));
            tokio::spawn(async move { calls(&address, RECORD_SALE, OFFICE, &[], &body).await })
        })
        .collect();
    while shop.statistics.accepted() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let one_more = calls(address(&shop), GET_PROGRAM, OFFICE, &[], &program()).await;
    stall.release().await;

    assert_eq!(too_large.code(), 11, "{too_large:?}");
    assert_eq!((late.code(), one_more.code()), (4, 8));
    assert!(one_more.headers.contains_key("grpc-retry-pushback-ms"), "{one_more:?}");
    for call in waiting {
        assert_eq!(call.await.expect("a task").code(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_speak_http_1_are_few_and_take_no_place_of_the_tills() {
    let server = Guarded::start(&[("LOYALTY_WEB_ORIGINS", OFFICE)]).await;
    let address = server.endpoint.trim_start_matches("http://");

    // Heads without end, each of which the server keeps.
    let endless = format!("POST / HTTP/1.1\r\nx: {}", "x".repeat(300_000));
    let mut crowd = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        // The server may close in the middle.
        drop(stream.write_all(endless.as_bytes()).await);
        crowd.push(stream);
    }
    let mut closed = 0;
    for stream in &mut crowd {
        let mut byte = [0];
        let heard = tokio::time::timeout(Duration::from_millis(2), stream.read(&mut byte)).await;
        closed += usize::from(matches!(heard, Ok(Ok(0) | Err(_))));
    }

    assert_eq!(closed, 300 - 128);
    let till = server.client(&server.key).await;
    till.get_program(PROGRAM)
        .await
        .expect_err("no such program, as was asked of the server");
    let memory = server.program.memory();
    assert!(memory < crate::hostile::MEMORY, "{memory} bytes");
    drop(crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_the_pages_that_its_settings_name() {
    let origins = format!("{OFFICE},http://localhost:3000");
    let server = Guarded::start(&[("LOYALTY_WEB_ORIGINS", &origins)]).await;
    let (address, key) = (
        server.endpoint.trim_start_matches("http://"),
        format!("Bearer {}", server.key),
    );

    let answer = calls(
        address,
        GET_PROGRAM,
        "http://localhost:3000",
        &[("authorization", &key)],
        &program(),
    )
    .await;

    assert_eq!((answer.status, answer.code()), (200, 5));
}
