//! Refusals and failures as gRPC statuses: a code, `google.rpc` details, and a neutral sentence. What the database said
//! goes to the log, never to a caller.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use loyalty_api::v1::ErrorReason;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use crate::domain::access::Role;
use crate::domain::answer::Refusal;
use crate::domain::rejection::Rejection;
use crate::jobs::JobError;
use crate::posting::PostingError;
use crate::storage::error::StorageError;

/// `domain` of every ErrorInfo.
const DOMAIN: &str = "loyalty.v1";
/// After which time a caller may come back when the server is overloaded or the database away.
const RETRY_DELAY: Duration = Duration::from_millis(250);

/// Fields that are missing, malformed or out of bounds.
pub(super) fn invalid_fields(violations: Vec<FieldViolation>) -> Status {
    let message = match violations.first() {
        Some(first) if violations.len() == 1 => format!("{}: {}", first.field, first.description),
        Some(first) => format!(
            "{}: {} (and {} more)",
            first.field,
            first.description,
            violations.len() - 1
        ),
        None => "invalid request".to_owned(),
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(name(ErrorReason::InvalidField), DOMAIN, HashMap::new());
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// A refusal of the business, new or remembered.
pub(super) fn refusal(refusal: &Refusal) -> Status {
    let reason = ErrorReason::from_str_name(&format!("ERROR_REASON_{}", refusal.reason)).unwrap_or_default();
    let code = code(reason);
    let mut details = ErrorDetails::new();
    details.set_error_info(
        &refusal.reason,
        DOMAIN,
        refusal.metadata.clone().into_iter().collect::<HashMap<_, _>>(),
    );
    match (code, refusal.metadata.get("field")) {
        (Code::InvalidArgument, Some(field)) => {
            let description = refusal.metadata.get("description").unwrap_or(&refusal.message);
            details.set_bad_request(vec![FieldViolation::new(field, description)]);
        }
        (Code::FailedPrecondition, _) => {
            let subject = refusal.metadata.values().next().cloned().unwrap_or_default();
            let violation = PreconditionViolation::new(&refusal.reason, subject, &refusal.message);
            details.set_precondition_failure(vec![violation]);
        }
        _ => {}
    }
    Status::with_error_details(code, &refusal.message, details)
}

/// The caller is not known.
pub(super) fn unauthenticated(message: &str) -> Status {
    refusal(&Refusal {
        reason: name(ErrorReason::Unauthenticated),
        message: message.to_owned(),
        metadata: BTreeMap::new(),
    })
}

/// The caller is known, and may not `act`.
pub(super) fn role_not_allowed(role: Role, call: &str, act: &str) -> Status {
    let metadata = [("role", role.name()), ("call", call)];
    refusal(&Refusal {
        reason: name(ErrorReason::RoleNotAllowed),
        message: format!("a caller of the role {} may not {act}", role.name()),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    })
}

/// The act takes place where the caller's key does not act.
pub(super) fn place_mismatch(field: &str, allowed: &str) -> Status {
    let metadata = [("field", field), ("allowed", allowed)];
    refusal(&Refusal {
        reason: name(ErrorReason::PlaceMismatch),
        message: format!("{field} is not the one of the caller's key, {allowed:?}"),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    })
}

/// The bytes of the request are no message of this call.
pub(super) fn malformed_request() -> Status {
    let message = "the request is no message of this call";
    let mut details = ErrorDetails::new();
    details.set_error_info(name(ErrorReason::MalformedRequest), DOMAIN, HashMap::new());
    details.set_bad_request(vec![FieldViolation::new("", message)]);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// A message of the request is larger than the server takes.
pub(super) fn request_too_large(limit_bytes: usize) -> Status {
    refusal(&Refusal {
        reason: name(ErrorReason::RequestTooLarge),
        message: format!(
            "a message of the request has more than {limit_bytes} bytes, or many more elements in its lists than any call takes"
        ),
        metadata: std::iter::once(("limit_bytes".to_owned(), limit_bytes.to_string())).collect(),
    })
}

/// There is no such call, or not in this form.
pub(super) fn unimplemented() -> Status {
    refusal(&Refusal {
        reason: name(ErrorReason::Unimplemented),
        message: "the server has no such call, or does not take compressed messages".to_owned(),
        metadata: BTreeMap::new(),
    })
}

/// The caller fell silent in the middle of its request.
pub(super) fn request_stalled() -> Status {
    failure(
        Code::DeadlineExceeded,
        ErrorReason::DeadlineExceeded,
        "the request did not arrive in time",
    )
}

/// The server has no room for one more now.
pub(super) fn overloaded(message: &str) -> Status {
    failure(Code::ResourceExhausted, ErrorReason::Overloaded, message)
}

/// A refusal found before posting.
pub(super) fn rejection(rejection: &Rejection) -> Status {
    refusal(&Refusal::from(rejection))
}

/// No write with this request id.
pub(super) fn operation_not_found(request_id: &str) -> Status {
    refusal(&Refusal {
        reason: name(ErrorReason::OperationNotFound),
        message: "no write with this request id was carried out or refused".to_owned(),
        metadata: std::iter::once(("request_id".to_owned(), request_id.to_owned())).collect(),
    })
}

/// Posting came to no decision; it has logged why.
pub(super) fn posting(error: &PostingError) -> Status {
    match error {
        PostingError::Overloaded => overloaded("more writes are waiting than the server takes"),
        PostingError::Unavailable(_) => unavailable(),
        PostingError::Internal(_) => internal(),
    }
}

/// A job did not come to its end.
pub(super) fn job(error: &JobError) -> Status {
    match error {
        JobError::Storage(error) => storage(error),
        JobError::Posting(error) => posting(error),
        JobError::LeaseLost => unavailable(),
        JobError::Fault(error) => {
            tracing::error!(%error, "a job failed");
            internal()
        }
    }
}

/// A read failed.
pub(super) fn storage(error: &StorageError) -> Status {
    if error.is_transient() {
        tracing::warn!(%error, "a read failed");
        unavailable()
    } else {
        tracing::error!(%error, "a read failed");
        internal()
    }
}

/// The caller's time is up.
pub(super) fn deadline_exceeded() -> Status {
    let message = "the deadline passed before the outcome was known; ask again with the same request id";
    failure(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, message)
}

/// The server holds as many streams as it can.
pub(super) fn too_many_streams() -> Status {
    let message = "more streams are open than the server holds";
    failure(Code::ResourceExhausted, ErrorReason::Overloaded, message)
}

/// The server stops before the end of a stream; another server, or this one again, goes on with it.
pub(super) fn stopping() -> Status {
    let message = "the server is stopping";
    failure(Code::Unavailable, ErrorReason::DatabaseUnavailable, message)
}

/// A fault of this program, already logged.
pub(super) fn internal() -> Status {
    failure(
        Code::Internal,
        ErrorReason::Internal,
        "internal fault; the server's log has it",
    )
}

/// The database does not answer.
pub(super) fn unavailable() -> Status {
    failure(
        Code::Unavailable,
        ErrorReason::DatabaseUnavailable,
        "the database cannot be reached, or takes no work now",
    )
}

fn failure(code: Code, reason: ErrorReason, message: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(name(reason), DOMAIN, HashMap::new());
    let mut metadata = MetadataMap::new();
    if matches!(code, Code::ResourceExhausted | Code::Unavailable) {
        details.set_retry_info(Some(RETRY_DELAY));
        // What gRPC libraries obey, where RetryInfo is what people read.
        let delay = u64::try_from(RETRY_DELAY.as_millis()).unwrap_or(u64::MAX);
        metadata.insert("grpc-retry-pushback-ms", MetadataValue::from(delay));
    }
    Status::with_error_details_and_metadata(code, message, details, metadata)
}

fn name(reason: ErrorReason) -> String {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name).to_owned()
}

fn code(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::InvalidField
        | ErrorReason::CurrencyMismatch
        | ErrorReason::TimeOutOfRange
        | ErrorReason::QuoteTokenInvalid
        | ErrorReason::TooManyDecimals => Code::InvalidArgument,
        ErrorReason::Unauthenticated => Code::Unauthenticated,
        ErrorReason::RoleNotAllowed | ErrorReason::PlaceMismatch => Code::PermissionDenied,
        ErrorReason::MalformedRequest => Code::InvalidArgument,
        ErrorReason::RequestTooLarge => Code::OutOfRange,
        ErrorReason::Unimplemented => Code::Unimplemented,
        ErrorReason::Overloaded => Code::ResourceExhausted,
        ErrorReason::DatabaseUnavailable => Code::Unavailable,
        ErrorReason::Unspecified | ErrorReason::Internal => Code::Internal,
        ErrorReason::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorReason::RequestIdReused
        | ErrorReason::ProgramExists
        | ErrorReason::RuleExists
        | ErrorReason::RewardExists
        | ErrorReason::IdentifierTaken
        | ErrorReason::SaleIdConflict
        | ErrorReason::ReturnIdConflict
        | ErrorReason::ImportRowConflict
        | ErrorReason::ReasonExists => Code::AlreadyExists,
        ErrorReason::OperationNotFound
        | ErrorReason::ProgramNotFound
        | ErrorReason::RuleNotFound
        | ErrorReason::RewardNotFound
        | ErrorReason::ProductNotFound
        | ErrorReason::HoldNotFound
        | ErrorReason::RedemptionNotFound
        | ErrorReason::MemberNotFound
        | ErrorReason::IdentifierNotFound
        | ErrorReason::SaleNotFound
        | ErrorReason::ReasonNotFound => Code::NotFound,
        ErrorReason::EtagMismatch => Code::Aborted,
        ErrorReason::AmbiguousMember
        | ErrorReason::AmbiguousOptIn
        | ErrorReason::NotEligible
        | ErrorReason::ProgramArchived
        | ErrorReason::RuleArchived
        | ErrorReason::RewardArchived
        | ErrorReason::RuleTie
        | ErrorReason::SaleCancelled
        | ErrorReason::QuoteOfOtherMerchant
        | ErrorReason::QuoteOfOtherBasket
        | ErrorReason::QuoteOfOtherMember
        | ErrorReason::QuoteExpired
        | ErrorReason::DocumentTypeRefused
        | ErrorReason::HoldOfOtherMember
        | ErrorReason::HoldCaptured
        | ErrorReason::HoldReleased
        | ErrorReason::ExceedsRedeemed
        | ErrorReason::HoldLapsed
        | ErrorReason::ExceedsHold
        | ErrorReason::TooManyHolds
        | ErrorReason::NothingToReturn
        | ErrorReason::ReturnExceedsSold
        | ErrorReason::RedemptionClosed
        | ErrorReason::MemberBlocked
        | ErrorReason::IdentifierLimit
        | ErrorReason::MemberMerged
        | ErrorReason::MemberErased
        | ErrorReason::MergeAcrossPrograms
        | ErrorReason::RedemptionNotOffered
        | ErrorReason::ProductNotRedeemable
        | ErrorReason::ExceedsSaleLines
        | ErrorReason::ExceedsDue
        | ErrorReason::ExceedsSaleShare
        | ErrorReason::NothingToRedeem
        | ErrorReason::BelowMinimumPoints
        | ErrorReason::NotInSteps
        | ErrorReason::ExceedsMaximumPoints
        | ErrorReason::ReasonArchived
        | ErrorReason::ApprovalLimitExceeded
        | ErrorReason::InsufficientPoints
        | ErrorReason::LedgerRange => Code::FailedPrecondition,
    }
}
