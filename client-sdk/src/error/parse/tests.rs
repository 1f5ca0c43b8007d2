use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::*;

/// Every fact that a reason of the contract may bring.
fn all_facts() -> HashMap<String, String> {
    [
        ("role", "TERMINAL"),
        ("limit_bytes", "2097152"),
        ("call", "loyalty.v1.LedgerService/RecordSale"),
        ("allowed", "store-1"),
        ("request_id", "r"),
        ("program_id", "p"),
        ("program_ids", "p, q"),
        ("rule_id", "u"),
        ("reward_id", "w"),
        ("hold_id", "h"),
        ("redemption_id", "d"),
        ("lapses_at", "2026-01-02T00:15:00Z"),
        ("held", "25"),
        ("max_holds", "100"),
        ("reason_id", "gift"),
        ("max_points", "50"),
        ("max_amount", "5.00"),
        ("minimum_points", "10"),
        ("points_step", "5"),
        ("quantity", "2"),
        ("product_id", "cake"),
        ("member_id", "m"),
        ("merged_into", "n"),
        ("merged_program_id", "q"),
        ("erased_at", "2025-01-01T00:00:00Z"),
        ("expires_at", "2026-01-02T00:15:00Z"),
        ("store_id", "s"),
        ("sale_id", "t"),
        ("field", "sale.total"),
        ("etag", "e"),
        ("currency_code", "EUR"),
        ("earliest", "2025-01-01T00:00:00Z"),
        ("latest", "2026-01-02T00:00:00.5Z"),
        ("document_type", "RETURN"),
        ("state", "PAUSED"),
        ("block_reason", "stolen"),
        ("decimals", "2"),
        ("points", "0"),
        ("amount", "110.00"),
        ("due", "100.00"),
        ("available", "10"),
        ("requested", "11.5"),
        ("return_id", "w"),
        ("import_id", "erp"),
        ("row_number", "17"),
        ("left", "3"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn status(code: Code, reason: &str, metadata: HashMap<String, String>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, metadata);
    details.add_bad_request_violation("sale.total", "must be positive");
    Status::with_error_details(code, "for people", details)
}

fn reasons() -> impl Iterator<Item = ErrorReason> {
    (1..1_000).filter_map(|number| ErrorReason::try_from(number).ok())
}

fn name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().strip_prefix("ERROR_REASON_").unwrap()
}

#[test]
fn every_reason_of_the_contract_has_a_variant_that_keeps_reason_and_code() {
    assert!(reasons().any(|reason| reason == ErrorReason::LedgerRange));
    for reason in reasons() {
        let code = contract_code(reason);

        let error = from_status(&status(code, name(reason), all_facts()), 1, None);

        assert!(!matches!(error, Error::Refused { .. }), "{reason:?}: {error:?}");
        assert_eq!(error.reason(), reason);
        assert_eq!(error.code(), code, "{reason:?}");
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn refusals_carry_their_numbers() {
    let parse = |reason| {
        let code = contract_code(known_reason(reason));
        from_status(&status(code, reason, all_facts()), 1, None)
    };

    assert_eq!(
        parse("INSUFFICIENT_POINTS"),
        Error::InsufficientPoints {
            available: 10.into(),
            requested: Decimal::new(115, 1),
        }
    );
    assert_eq!(
        parse("EXCEEDS_DUE"),
        Error::ExceedsDue {
            amount: 110.into(),
            due: 100.into(),
        }
    );
    assert_eq!(
        parse("AMBIGUOUS_MEMBER"),
        Error::AmbiguousMember {
            program_ids: vec!["p".into(), "q".into()],
        }
    );
    assert_eq!(
        parse("INVALID_FIELD"),
        Error::InvalidFields(vec![FieldViolation {
            field: "sale.total".to_owned(),
            description: "must be positive".to_owned(),
        }])
    );
    assert_eq!(
        parse("TIME_OUT_OF_RANGE").to_string(),
        "sale.total must lie between 2025-01-01 00:00:00 UTC and 2026-01-02 00:00:00.500 UTC"
    );
}

#[test]
fn a_refusal_of_a_later_version_keeps_its_words() {
    let metadata = HashMap::from([("phase".to_owned(), "full".to_owned())]);

    let error = from_status(
        &status(Code::FailedPrecondition, "MOON_PHASE", metadata.clone()),
        1,
        None,
    );

    assert_eq!(
        error,
        Error::Refused {
            code: Code::FailedPrecondition,
            reason: "MOON_PHASE".to_owned(),
            message: "for people".to_owned(),
            metadata,
        }
    );
    assert_eq!(error.reason(), ErrorReason::Unspecified);
}

#[test]
fn a_refusal_that_breaks_the_contract_stays_untyped() {
    let without_numbers = status(Code::FailedPrecondition, "INSUFFICIENT_POINTS", HashMap::new());
    let with_other_code = status(Code::Aborted, "INSUFFICIENT_POINTS", all_facts());

    for status in [without_numbers, with_other_code] {
        let error = from_status(&status, 1, None);

        assert!(matches!(error, Error::Refused { .. }), "{error:?}");
        assert_eq!(error.reason(), ErrorReason::InsufficientPoints);
        assert_eq!(error.code(), status.code());
    }
}

#[test]
fn reasons_of_other_domains_are_not_ours() {
    let details = ErrorDetails::with_error_info("INSUFFICIENT_POINTS", "other.example", all_facts());

    let error = from_status(
        &Status::with_error_details(Code::FailedPrecondition, "", details),
        1,
        None,
    );

    assert!(matches!(error, Error::Refused { reason, .. } if reason.is_empty()));
}

#[test]
fn failures_tell_apart_what_was_met() {
    let parse = |status: Status| from_status(&status, 3, Some("r".into()));
    let mut reset = Status::unknown("transport error");
    reset.set_source(std::sync::Arc::new(std::io::Error::other("connection reset")));

    assert!(matches!(parse(reset), Error::Unavailable(_)));
    assert!(matches!(parse(Status::unavailable("")), Error::Unavailable(_)));
    assert!(matches!(parse(Status::resource_exhausted("")), Error::Overloaded(_)));
    assert!(matches!(parse(Status::cancelled("")), Error::DeadlineExceeded(_)));
    assert!(matches!(parse(Status::unknown("")), Error::Internal(_)));
    assert!(matches!(parse(Status::unimplemented("")), Error::Refused { .. }));

    let error = parse(Status::deadline_exceeded("too late"));
    assert_eq!(
        error.to_string(),
        "no answer in time: too late (DeadlineExceeded, attempts: 3)"
    );
    assert_eq!(error.unsettled_request_id(), Some(&"r".into()));
}

#[test]
fn a_remembered_refusal_is_the_error_that_the_call_answered() {
    let answered = from_status(
        &status(Code::FailedPrecondition, "INSUFFICIENT_POINTS", all_facts()),
        1,
        None,
    );

    let remembered = refusal("INSUFFICIENT_POINTS".to_owned(), "for people".to_owned(), all_facts());

    assert_eq!(remembered, answered);
}

#[test]
fn a_remembered_invalid_field_is_read_from_the_metadata() {
    let metadata = [("field", "program.state"), ("description", "cannot be archived here")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();

    let remembered = refusal("INVALID_FIELD".to_owned(), "for people".to_owned(), metadata);

    assert_eq!(
        remembered.to_string(),
        "invalid fields: program.state: cannot be archived here"
    );
}
