use std::{cell::RefCell, sync::Arc, time::Duration};

use tonic::metadata::MetadataValue;
use tonic_types::ErrorDetails;

use super::*;

/// One server, which nobody calls.
fn lines() -> Arc<Lines> {
    let nobody = tonic::transport::Endpoint::from_static("http://127.0.0.1:9");
    Lines::new((String::new(), nobody.connect_lazy()), Vec::new())
}

const ASKED: Duration = Duration::from_secs(7);

fn with_pushback(text: &'static str) -> Status {
    let mut status = Status::unavailable("down");
    status
        .metadata_mut()
        .insert(PUSHBACK_TRAILER, MetadataValue::from_static(text));
    status
}

fn with_retry_info() -> Status {
    Status::with_error_details(
        Code::ResourceExhausted,
        "full",
        ErrorDetails::with_retry_info(Some(ASKED)),
    )
}

fn from_broken_connection(code: Code) -> Status {
    let mut status = Status::new(code, "transport error");
    status.set_source(Arc::new(std::io::Error::other("connection reset")));
    status
}

#[test]
fn the_backoff_doubles_up_to_its_limit() {
    let policy = RetryPolicy::default();
    let longest = |retry| {
        (0..5_000)
            .map(|step| policy.backoff_before_retry(retry, step * 1_000))
            .max()
            .unwrap()
    };

    assert_eq!(longest(1), Duration::from_millis(100));
    assert_eq!(longest(2), Duration::from_millis(200));
    assert_eq!(longest(4), Duration::from_millis(800));
    assert_eq!(longest(6), Duration::from_secs(2));
    assert_eq!(longest(u32::MAX), Duration::from_secs(2));
    assert_eq!(policy.backoff_before_retry(3, 0), Duration::ZERO);
}

#[test]
fn the_longest_possible_backoff_does_not_overflow() {
    let policy = RetryPolicy::default().backoff(Duration::MAX, Duration::MAX);

    assert_eq!(
        policy.backoff_before_retry(40, u64::MAX - 1),
        Duration::from_micros(u64::MAX - 1)
    );
}

#[test]
fn only_what_passes_by_itself_is_tried_again() {
    let policy = RetryPolicy::default();
    let again = |status: Status| policy.pause(1, &status, 0).is_some();

    assert!(again(Status::unavailable("")));
    assert!(again(Status::resource_exhausted("")));
    assert!(again(Status::deadline_exceeded("")));
    assert!(again(Status::cancelled("Timeout expired")));
    assert!(again(from_broken_connection(Code::Unknown)));
    assert!(again(from_broken_connection(Code::Cancelled)));

    assert!(!again(Status::unknown("")));
    assert!(!again(Status::internal("")));
    assert!(!again(Status::failed_precondition("")));
    assert!(!again(Status::aborted("")));
}

#[test]
fn attempts_have_a_limit() {
    let policy = RetryPolicy::default().attempts(3);

    assert!(policy.pause(2, &Status::unavailable(""), 0).is_some());
    assert_eq!(policy.pause(3, &Status::unavailable(""), 0), None);
}

#[test]
fn the_server_can_delay_or_forbid_the_next_attempt() {
    assert_eq!(asked_delay(&Status::unavailable("")), AskedDelay::Unsaid);
    assert_eq!(asked_delay(&with_retry_info()), AskedDelay::AtLeast(ASKED));
    assert_eq!(
        asked_delay(&with_pushback("250")),
        AskedDelay::AtLeast(Duration::from_millis(250))
    );
    assert_eq!(asked_delay(&with_pushback("-1")), AskedDelay::Never);
    assert_eq!(asked_delay(&with_pushback("soon")), AskedDelay::Never);

    let policy = RetryPolicy::default();
    assert_eq!(policy.pause(1, &with_retry_info(), 0), Some(ASKED));
    assert_eq!(policy.pause(1, &with_pushback("-1"), 0), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_unchanged_until_it_is_answered() {
    let seen = RefCell::new(Vec::new());

    let answer = run(
        &lines(),
        &RetryPolicy::default(),
        Duration::from_secs(10),
        "message",
        async |request| {
            seen.borrow_mut().push(*request.get_ref());
            match seen.borrow().len() {
                1 => Err(Status::unavailable("")),
                2 => Err(from_broken_connection(Code::Unknown)),
                _ => Ok(Response::new("answer")),
            }
        },
    )
    .await;

    assert_eq!(answer.unwrap(), "answer");
    assert_eq!(*seen.borrow(), ["message"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_a_call_at_once() {
    let gave_up = run(
        &lines(),
        &RetryPolicy::default(),
        Duration::from_secs(10),
        (),
        async |_| Err::<Response<()>, _>(Status::failed_precondition("no")),
    )
    .await
    .unwrap_err();

    assert_eq!(gave_up.attempts, 1);
    assert_eq!(gave_up.status.code(), Code::FailedPrecondition);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_hangs_is_given_up_for_another_one() {
    let started = Instant::now();
    let timeouts = RefCell::new(Vec::new());

    let gave_up = run(
        &lines(),
        &RetryPolicy::default(),
        Duration::from_secs(8),
        (),
        async |request| {
            let timeout = request.metadata().get("grpc-timeout").unwrap();
            timeouts.borrow_mut().push(timeout.to_str().unwrap().to_owned());
            std::future::pending::<Result<Response<()>, Status>>().await
        },
    )
    .await
    .unwrap_err();

    assert_eq!(gave_up.status.code(), Code::DeadlineExceeded);
    assert_eq!(gave_up.attempts, 2);
    assert_eq!(timeouts.borrow()[0], "5000000u");
    assert_eq!(
        started.elapsed().as_secs(),
        8,
        "the deadline of the operation holds for all attempts"
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_longer_than_the_deadline_is_not_waited_for() {
    let started = Instant::now();

    let gave_up = run(
        &lines(),
        &RetryPolicy::default(),
        Duration::from_secs(5),
        (),
        async |_| Err::<Response<()>, _>(with_retry_info()),
    )
    .await
    .unwrap_err();

    assert_eq!(gave_up.attempts, 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_endless_deadline_is_cut_to_a_day() {
    let answer = run(&lines(), &RetryPolicy::never(), Duration::MAX, (), async |_| {
        Ok(Response::new(1))
    })
    .await;

    assert_eq!(answer.unwrap(), 1);
}

#[test]
fn random_numbers_differ() {
    let first = random();

    assert!((0..100).any(|_| random() != first));
    assert!(first <= u64::from(u32::MAX));
}
