//! From what came over the wire to a typed error.

use std::{collections::HashMap, str::FromStr};

use chrono::{DateTime, Utc};
use loyalty_api::v1::ErrorReason;
use rust_decimal::Decimal;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{Error, Failure, FieldViolation};
use crate::{
    id::RequestId,
    retry::{is_timeout, is_transport_failure, retry_delay},
};

/// `domain` of every `google.rpc.ErrorInfo` of the contract.
const ERROR_DOMAIN: &str = "loyalty.v1";

/// The error that ended a call after `attempts`; `request_id` of a write.
pub(crate) fn from_status(status: &Status, attempts: u32, request_id: Option<RequestId>) -> Error {
    let info = status
        .get_details_error_info()
        .filter(|info| info.domain == ERROR_DOMAIN);
    let (reason, metadata) = info.map_or_else(Default::default, |info| (info.reason, info.metadata));
    let failure = Failure {
        code: status.code(),
        reason: known_reason(&reason),
        message: status.message().to_owned(),
        attempts,
        retry_delay: retry_delay(status),
        request_id,
    };

    match status.code() {
        _ if is_transport_failure(status) => Error::Unavailable(failure),
        _ if is_timeout(status) => Error::DeadlineExceeded(failure),
        Code::Unavailable => Error::Unavailable(failure),
        Code::ResourceExhausted => Error::Overloaded(failure),
        Code::Internal | Code::Unknown | Code::DataLoss => Error::Internal(failure),
        Code::Unauthenticated if failure.reason == ErrorReason::Unauthenticated => Error::Unauthenticated {
            message: failure.message,
        },
        code if failure.reason != ErrorReason::Unspecified && code != contract_code(failure.reason) => {
            untyped(code, reason, failure.message, metadata)
        }
        code => invalid_fields(failure.reason, status)
            .or_else(|| typed(failure.reason, &Facts(&metadata)))
            .unwrap_or_else(|| untyped(code, reason, failure.message, metadata)),
    }
}

/// The error that a remembered refusal was answered with.
pub(crate) fn refusal(reason: String, message: String, metadata: HashMap<String, String>) -> Error {
    let known = known_reason(&reason);
    typed(known, &Facts(&metadata)).unwrap_or_else(|| untyped(contract_code(known), reason, message, metadata))
}

/// The reason of this name, without prefix; unspecified when it is not known here.
pub(super) fn known_reason(name: &str) -> ErrorReason {
    ErrorReason::from_str_name(&format!("ERROR_REASON_{name}")).unwrap_or(ErrorReason::Unspecified)
}

/// The status code that the contract gives to a reason.
pub(super) fn contract_code(reason: ErrorReason) -> Code {
    use ErrorReason as Reason;
    match reason {
        Reason::Unspecified => Code::Unknown,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::RoleNotAllowed | Reason::PlaceMismatch => Code::PermissionDenied,
        Reason::Unimplemented => Code::Unimplemented,
        Reason::RequestTooLarge => Code::OutOfRange,
        Reason::MalformedRequest => Code::InvalidArgument,
        Reason::Overloaded => Code::ResourceExhausted,
        Reason::DatabaseUnavailable => Code::Unavailable,
        Reason::Internal => Code::Internal,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::InvalidField
        | Reason::CurrencyMismatch
        | Reason::TimeOutOfRange
        | Reason::TooManyDecimals
        | Reason::QuoteTokenInvalid => Code::InvalidArgument,
        Reason::RequestIdReused
        | Reason::ProgramExists
        | Reason::RuleExists
        | Reason::RewardExists
        | Reason::IdentifierTaken
        | Reason::SaleIdConflict
        | Reason::ReturnIdConflict
        | Reason::ImportRowConflict
        | Reason::ReasonExists => Code::AlreadyExists,
        Reason::OperationNotFound
        | Reason::ProgramNotFound
        | Reason::RuleNotFound
        | Reason::RewardNotFound
        | Reason::ProductNotFound
        | Reason::HoldNotFound
        | Reason::RedemptionNotFound
        | Reason::MemberNotFound
        | Reason::IdentifierNotFound
        | Reason::SaleNotFound
        | Reason::ReasonNotFound => Code::NotFound,
        Reason::EtagMismatch => Code::Aborted,
        Reason::AmbiguousMember
        | Reason::AmbiguousOptIn
        | Reason::NotEligible
        | Reason::ProgramArchived
        | Reason::RuleArchived
        | Reason::RewardArchived
        | Reason::RuleTie
        | Reason::SaleCancelled
        | Reason::QuoteOfOtherMerchant
        | Reason::QuoteOfOtherBasket
        | Reason::QuoteOfOtherMember
        | Reason::QuoteExpired
        | Reason::DocumentTypeRefused
        | Reason::HoldOfOtherMember
        | Reason::HoldCaptured
        | Reason::HoldReleased
        | Reason::HoldLapsed
        | Reason::ExceedsHold
        | Reason::ExceedsRedeemed
        | Reason::TooManyHolds
        | Reason::NothingToReturn
        | Reason::ReturnExceedsSold
        | Reason::RedemptionClosed
        | Reason::IdentifierLimit
        | Reason::MemberMerged
        | Reason::MergeAcrossPrograms
        | Reason::MemberErased
        | Reason::MemberBlocked
        | Reason::RedemptionNotOffered
        | Reason::ProductNotRedeemable
        | Reason::ExceedsSaleLines
        | Reason::ExceedsDue
        | Reason::ExceedsSaleShare
        | Reason::NothingToRedeem
        | Reason::BelowMinimumPoints
        | Reason::NotInSteps
        | Reason::ExceedsMaximumPoints
        | Reason::ReasonArchived
        | Reason::ApprovalLimitExceeded
        | Reason::InsufficientPoints
        | Reason::LedgerRange => Code::FailedPrecondition,
    }
}

/// The variant of a reason. `None` for reasons without one, and when a number of it is missing or unreadable: the
/// caller then gets the words as they came.
fn typed(reason: ErrorReason, facts: &Facts<'_>) -> Option<Error> {
    use ErrorReason as Reason;
    let error = match reason {
        Reason::Unspecified
        | Reason::Unauthenticated
        | Reason::Overloaded
        | Reason::DatabaseUnavailable
        | Reason::Internal
        | Reason::DeadlineExceeded => return None,
        Reason::RoleNotAllowed => Error::RoleNotAllowed {
            role: facts.text("role")?,
            call: facts.text("call")?,
        },
        Reason::PlaceMismatch => Error::PlaceMismatch {
            field: facts.text("field")?,
            allowed: facts.text("allowed")?,
        },
        Reason::Unimplemented => Error::Unimplemented,
        Reason::RequestTooLarge => Error::RequestTooLarge {
            limit_bytes: facts.parsed("limit_bytes")?,
        },
        Reason::MalformedRequest => Error::MalformedRequest,
        Reason::InvalidField => Error::InvalidFields(vec![FieldViolation {
            field: facts.text("field")?,
            description: facts.text("description")?,
        }]),
        Reason::RequestIdReused => Error::RequestIdReused {
            request_id: facts.text("request_id")?.into(),
        },
        Reason::OperationNotFound => Error::OperationNotFound {
            request_id: facts.text("request_id")?.into(),
        },
        Reason::ProgramNotFound => Error::ProgramNotFound {
            program_id: facts.text("program_id")?.into(),
        },
        Reason::RuleNotFound => Error::RuleNotFound {
            program_id: facts.text("program_id")?.into(),
            rule_id: facts.text("rule_id")?.into(),
        },
        Reason::RewardNotFound => Error::RewardNotFound {
            program_id: facts.text("program_id")?.into(),
            reward_id: facts.text("reward_id")?.into(),
        },
        Reason::ProductNotFound => Error::ProductNotFound {
            program_id: facts.text("program_id")?.into(),
            product_id: facts.text("product_id")?.into(),
        },
        Reason::HoldNotFound => Error::HoldNotFound {
            hold_id: facts.text("hold_id")?.into(),
        },
        Reason::RedemptionNotFound => Error::RedemptionNotFound {
            redemption_id: facts.text("redemption_id")?.into(),
        },
        Reason::MemberNotFound => Error::MemberNotFound {
            field: facts.text("field")?,
        },
        Reason::IdentifierNotFound => Error::IdentifierNotFound {
            field: facts.text("field")?,
        },
        Reason::IdentifierLimit => Error::IdentifierLimit {
            field: facts.text("field")?,
        },
        Reason::MemberMerged => Error::MemberMerged {
            member_id: facts.text("member_id")?.into(),
            merged_into: facts.text("merged_into")?.into(),
        },
        Reason::MergeAcrossPrograms => Error::MergeAcrossPrograms {
            program_id: facts.text("program_id")?.into(),
            merged_program_id: facts.text("merged_program_id")?.into(),
        },
        Reason::MemberErased => Error::MemberErased {
            erased_at: facts.parsed::<DateTime<Utc>>("erased_at")?,
        },
        Reason::SaleNotFound => Error::SaleNotFound {
            store_id: facts.text("store_id")?,
            sale_id: facts.text("sale_id")?,
        },
        Reason::AmbiguousMember => Error::AmbiguousMember {
            program_ids: facts
                .text("program_ids")?
                .split(',')
                .map(|program_id| program_id.trim().into())
                .collect(),
        },
        Reason::ReasonNotFound => Error::ReasonNotFound {
            reason_id: facts.text("reason_id")?.into(),
        },
        Reason::AmbiguousOptIn => Error::AmbiguousOptIn {
            program_ids: facts
                .text("program_ids")?
                .split(',')
                .map(|program_id| program_id.trim().into())
                .collect(),
        },
        Reason::NotEligible => Error::NotEligible {
            program_id: facts.text("program_id")?.into(),
            field: facts.text("field")?,
        },
        Reason::ProgramExists => Error::ProgramExists {
            program_id: facts.text("program_id")?.into(),
        },
        Reason::RuleExists => Error::RuleExists {
            program_id: facts.text("program_id")?.into(),
            rule_id: facts.text("rule_id")?.into(),
        },
        Reason::RewardExists => Error::RewardExists {
            program_id: facts.text("program_id")?.into(),
            reward_id: facts.text("reward_id")?.into(),
        },
        Reason::ReasonExists => Error::ReasonExists {
            reason_id: facts.text("reason_id")?.into(),
        },
        Reason::EtagMismatch => Error::EtagMismatch {
            etag: facts.text("etag")?,
        },
        Reason::ProgramArchived => Error::ProgramArchived {
            program_id: facts.text("program_id")?.into(),
        },
        Reason::RuleArchived => Error::RuleArchived {
            rule_id: facts.text("rule_id")?.into(),
        },
        Reason::RewardArchived => Error::RewardArchived {
            reward_id: facts.text("reward_id")?.into(),
        },
        Reason::ReasonArchived => Error::ReasonArchived {
            reason_id: facts.text("reason_id")?.into(),
        },
        Reason::RuleTie => Error::RuleTie {
            rule_id: facts.text("rule_id")?.into(),
        },
        Reason::IdentifierTaken => Error::IdentifierTaken {
            field: facts.text("field")?,
            member_id: facts.text("member_id")?.into(),
        },
        Reason::SaleIdConflict => Error::SaleIdConflict {
            store_id: facts.text("store_id")?,
            sale_id: facts.text("sale_id")?,
        },
        Reason::ImportRowConflict => Error::ImportRowConflict {
            import_id: facts.text("import_id")?,
            row_number: facts.text("row_number")?.parse().ok()?,
        },
        Reason::ReturnIdConflict => Error::ReturnIdConflict {
            store_id: facts.text("store_id")?,
            return_id: facts.text("return_id")?,
        },
        Reason::SaleCancelled => Error::SaleCancelled {
            store_id: facts.text("store_id")?,
            sale_id: facts.text("sale_id")?,
        },
        Reason::CurrencyMismatch => Error::CurrencyMismatch {
            field: facts.text("field")?,
            currency_code: facts.text("currency_code")?,
        },
        Reason::TimeOutOfRange => Error::TimeOutOfRange {
            field: facts.text("field")?,
            earliest: facts.parsed::<DateTime<Utc>>("earliest")?,
            latest: facts.parsed::<DateTime<Utc>>("latest")?,
        },
        Reason::DocumentTypeRefused => Error::DocumentTypeRefused {
            document_type: facts.text("document_type")?,
        },
        Reason::HoldOfOtherMember => Error::HoldOfOtherMember {
            hold_id: facts.text("hold_id")?.into(),
        },
        Reason::HoldCaptured => Error::HoldCaptured {
            hold_id: facts.text("hold_id")?.into(),
            redemption_id: facts.text("redemption_id")?.into(),
        },
        Reason::HoldReleased => Error::HoldReleased {
            hold_id: facts.text("hold_id")?.into(),
        },
        Reason::QuoteTokenInvalid => Error::QuoteTokenInvalid {
            field: facts.text("field")?,
        },
        Reason::QuoteOfOtherMerchant => Error::QuoteOfOtherMerchant {
            field: facts.text("field")?,
        },
        Reason::QuoteOfOtherBasket => Error::QuoteOfOtherBasket {
            field: facts.text("field")?,
        },
        Reason::QuoteOfOtherMember => Error::QuoteOfOtherMember {
            field: facts.text("field")?,
        },
        Reason::QuoteExpired => Error::QuoteExpired {
            expires_at: facts.parsed::<DateTime<Utc>>("expires_at")?,
        },
        Reason::HoldLapsed => Error::HoldLapsed {
            hold_id: facts.text("hold_id")?.into(),
            lapses_at: facts.parsed::<DateTime<Utc>>("lapses_at")?,
        },
        Reason::ExceedsHold => Error::ExceedsHold {
            field: facts.text("field")?,
            held: facts.parsed("held")?,
        },
        Reason::ExceedsRedeemed => Error::ExceedsRedeemed {
            field: facts.text("field")?,
            left: facts.parsed("left")?,
        },
        Reason::TooManyHolds => Error::TooManyHolds {
            max_holds: facts.parsed("max_holds")?,
        },
        Reason::NothingToReturn => Error::NothingToReturn {
            store_id: facts.text("store_id")?,
            sale_id: facts.text("sale_id")?,
        },
        Reason::ReturnExceedsSold => Error::ReturnExceedsSold {
            field: facts.text("field")?,
            requested: facts.parsed::<Decimal>("requested")?,
            left: facts.parsed::<Decimal>("left")?,
        },
        Reason::RedemptionClosed => Error::RedemptionClosed {
            program_id: facts.text("program_id")?.into(),
            state: facts.text("state")?,
        },
        Reason::MemberBlocked => Error::MemberBlocked {
            block_reason: facts.text("block_reason")?,
        },
        Reason::RedemptionNotOffered => Error::RedemptionNotOffered {
            program_id: facts.text("program_id")?.into(),
        },
        Reason::TooManyDecimals => Error::TooManyDecimals {
            field: facts.text("field")?,
            decimals: facts.parsed("decimals")?,
        },
        Reason::ProductNotRedeemable => Error::ProductNotRedeemable {
            program_id: facts.text("program_id")?.into(),
            product_id: facts.text("product_id")?.into(),
        },
        Reason::ExceedsSaleLines => Error::ExceedsSaleLines {
            product_id: facts.text("product_id")?.into(),
            quantity: facts.parsed("quantity")?,
            available: facts.parsed("available")?,
        },
        Reason::ExceedsDue => Error::ExceedsDue {
            amount: facts.parsed::<Decimal>("amount")?,
            due: facts.parsed::<Decimal>("due")?,
        },
        Reason::ExceedsSaleShare => Error::ExceedsSaleShare {
            amount: facts.parsed("amount")?,
            max_amount: facts.parsed("max_amount")?,
        },
        Reason::NothingToRedeem => Error::NothingToRedeem {
            points: facts.parsed::<Decimal>("points")?,
            amount: facts.parsed::<Decimal>("amount")?,
        },
        Reason::BelowMinimumPoints => Error::BelowMinimumPoints {
            points: facts.parsed("points")?,
            minimum_points: facts.parsed("minimum_points")?,
        },
        Reason::NotInSteps => Error::NotInSteps {
            points: facts.parsed("points")?,
            points_step: facts.parsed("points_step")?,
        },
        Reason::ExceedsMaximumPoints => Error::ExceedsMaximumPoints {
            points: facts.parsed("points")?,
            max_points: facts.parsed("max_points")?,
        },
        Reason::ApprovalLimitExceeded => Error::ApprovalLimitExceeded {
            role: facts.text("role")?,
            points: facts.parsed("points")?,
            max_points: facts.parsed("max_points")?,
        },
        Reason::InsufficientPoints => Error::InsufficientPoints {
            available: facts.parsed::<Decimal>("available")?,
            requested: facts.parsed::<Decimal>("requested")?,
        },
        Reason::LedgerRange => Error::LedgerRange {
            field: facts.text("field")?,
        },
    };
    Some(error)
}

fn untyped(code: Code, reason: String, message: String, metadata: HashMap<String, String>) -> Error {
    Error::Refused {
        code,
        reason,
        message,
        metadata,
    }
}

/// What `google.rpc.BadRequest` names, which a remembered refusal does not bring.
fn invalid_fields(reason: ErrorReason, status: &Status) -> Option<Error> {
    if reason != ErrorReason::InvalidField {
        return None;
    }
    let violations = status.get_details_bad_request()?.field_violations.into_iter();
    Some(Error::InvalidFields(
        violations
            .map(|violation| FieldViolation {
                field: violation.field,
                description: violation.description,
            })
            .collect(),
    ))
}

/// The metadata of a refusal.
struct Facts<'a>(&'a HashMap<String, String>);

impl Facts<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests;
