use std::cell::RefCell;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tonic::Code;

use super::*;
use crate::{MemberKey, Sale};

/// A port that nothing listens on: the discard service's.
const NOBODY: &str = "http://127.0.0.1:9";

async fn client_of_nobody() -> Client {
    let once = RetryPolicy::default()
        .attempts(2)
        .backoff(Duration::ZERO, Duration::ZERO);
    Client::builder(NOBODY).retry(once).connect().await.unwrap()
}

#[tokio::test]
async fn an_endpoint_must_be_an_address() {
    for endpoint in [
        "127.0.0.1:50051",
        "ftp://loyalty.example:50051",
        "http://",
        "",
        "no address",
    ] {
        let error = Client::connect(endpoint).await.unwrap_err();

        assert!(matches!(error, Error::InvalidEndpoint { .. }), "{endpoint}: {error:?}");
    }
}

#[tokio::test]
async fn a_key_does_not_leave_the_machine_in_the_open_unless_that_is_allowed() {
    let with_key = |endpoint: &str| Client::builder(endpoint).api_key("lk_1-000000000000_0");

    for endpoint in ["http://127.0.0.1:50051", "http://[::1]:50051", "http://localhost:50051"] {
        assert!(with_key(endpoint).connect().await.is_ok(), "{endpoint}");
    }
    for endpoint in [
        "http://10.0.0.1:50051",
        "http://127.0.0.1.example:50051",
        "http://loyalty.example",
    ] {
        let refused = with_key(endpoint).connect().await;
        assert!(
            matches!(&refused, Err(Error::InvalidEndpoint { message, .. }) if message.contains("in the open")),
            "{endpoint}: {refused:?}"
        );
        assert!(
            with_key(endpoint).allow_plaintext_key().connect().await.is_ok(),
            "{endpoint}"
        );
    }
    let unwritable = with_key("http://localhost:50051").api_key("lk\n").connect().await;
    assert!(matches!(unwritable, Err(Error::InvalidApiKey)), "{unwritable:?}");
}

#[tokio::test]
async fn certificates_must_be_some_and_go_with_https() {
    let https = || Client::builder("https://127.0.0.1:50051");

    for wrong in [
        https().ca_certificate("none"),
        https().client_certificate("none", "none"),
        Client::builder("http://127.0.0.1:50051").ca_certificate("none"),
        Client::builder("http://127.0.0.1:50051").client_certificate("none", "none"),
    ] {
        let refused = wrong.connect().await;
        assert!(matches!(refused, Err(Error::InvalidEndpoint { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_write_that_reaches_nobody_says_with_which_id_to_repeat_it() {
    let client = client_of_nobody().await;
    let sale = Sale::new("ticket-1", "store-1", MemberKey::card("1"), "EUR", 10);

    let error = client.with_request_id("mine").record_sale(&sale).await.unwrap_err();

    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.code(), Code::Unavailable);
    assert_eq!(error.failure().unwrap().attempts, 2);
    assert_eq!(error.unsettled_request_id(), Some(&"mine".into()));
}

#[tokio::test]
async fn a_read_that_reaches_nobody_leaves_nothing_to_settle() {
    let client = client_of_nobody().await;

    let error = client.get_balance(MemberKey::card("1")).await.unwrap_err();

    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.unsettled_request_id(), None);
}

/// How a connection with a broken server goes on after both sides have said hello.
#[derive(Clone, Copy)]
enum Broken {
    HangsUp,
    StaysSilent,
}

/// A server that takes calls and answers none, and a client of it that tries twice.
async fn client_of_broken_server(broken: Broken) -> Client {
    const EMPTY_SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                connection.write_all(&EMPTY_SETTINGS).await.unwrap();
                let mut received = [0; 4096];
                while connection.read(&mut received).await.is_ok_and(|length| length > 0) {
                    // The sale's id stands in the message as it is: the call has arrived.
                    if matches!(broken, Broken::HangsUp) && received.windows(4).any(|bytes| bytes == b"till") {
                        return;
                    }
                }
            });
        }
    });
    let twice = RetryPolicy::default()
        .attempts(2)
        .attempt_timeout(Duration::from_millis(300))
        .backoff(Duration::ZERO, Duration::ZERO);
    let client = Client::builder(format!("http://{address}")).retry(twice);
    client.connect().await.unwrap()
}

#[tokio::test]
async fn a_server_that_dies_before_its_answer_is_tried_again_and_then_called_unavailable() {
    let client = client_of_broken_server(Broken::HangsUp).await;
    let sale = Sale::new("till", "store-1", MemberKey::card("1"), "EUR", 10);

    let error = client.record_sale(&sale).await.unwrap_err();

    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.failure().unwrap().attempts, 2);
    assert!(error.unsettled_request_id().is_some());
}

#[tokio::test]
async fn a_silent_server_is_tried_again_and_then_runs_out_of_time() {
    let client = client_of_broken_server(Broken::StaysSilent).await;
    let sale = Sale::new("till", "store-1", MemberKey::card("1"), "EUR", 10);

    let error = client.record_sale(&sale).await.unwrap_err();

    assert!(matches!(error, Error::DeadlineExceeded(_)), "{error:?}");
    assert_eq!(error.failure().unwrap().attempts, 2);
    assert!(error.unsettled_request_id().is_some());
}

#[tokio::test]
async fn every_attempt_of_a_write_has_the_same_id_and_every_write_another() {
    let client = client_of_nobody().await;
    let sent = RefCell::new(Vec::new());
    let send = async |request: Request<String>| {
        sent.borrow_mut().push(request.into_inner());
        Err::<Response<()>, _>(Status::unavailable(""))
    };

    client.write(|request_id| request_id, send).await.unwrap_err();
    client.write(|request_id| request_id, send).await.unwrap_err();

    let sent = sent.borrow();
    assert_eq!(sent.len(), 4);
    assert_eq!(sent[0], sent[1]);
    assert_eq!(sent[2], sent[3]);
    assert!(sent[0] < sent[2], "ids sort by time: {sent:?}");
}

#[tokio::test]
async fn calls_can_run_in_tasks_of_their_own() {
    fn assert_send<T: Send>(call: T) -> T {
        call
    }
    let client = client_of_nobody().await;
    let sale = Sale::new("ticket-1", "store-1", MemberKey::card("1"), "EUR", 10);

    let answer = assert_send(client.record_sale(&sale)).await;

    assert!(answer.is_err());
}
