//! What an error is in the words of the contract and of gRPC.

use loyalty_api::v1::ErrorReason;
use tonic::Code;

use super::{Error, parse};

impl Error {
    /// The reason as the contract numbers it; unspecified when there is none, or one that this version does not know.
    pub fn reason(&self) -> ErrorReason {
        use ErrorReason as Reason;
        match self {
            Self::Unauthenticated { .. } => Reason::Unauthenticated,
            Self::RoleNotAllowed { .. } => Reason::RoleNotAllowed,
            Self::PlaceMismatch { .. } => Reason::PlaceMismatch,
            Self::Unimplemented => Reason::Unimplemented,
            Self::RequestTooLarge { .. } => Reason::RequestTooLarge,
            Self::MalformedRequest => Reason::MalformedRequest,
            Self::InvalidFields(_) => Reason::InvalidField,
            Self::Overloaded(failure)
            | Self::Unavailable(failure)
            | Self::DeadlineExceeded(failure)
            | Self::Internal(failure) => failure.reason,
            Self::RequestIdReused { .. } => Reason::RequestIdReused,
            Self::OperationNotFound { .. } => Reason::OperationNotFound,
            Self::ProgramNotFound { .. } => Reason::ProgramNotFound,
            Self::RuleNotFound { .. } => Reason::RuleNotFound,
            Self::RewardNotFound { .. } => Reason::RewardNotFound,
            Self::ProductNotFound { .. } => Reason::ProductNotFound,
            Self::HoldNotFound { .. } => Reason::HoldNotFound,
            Self::RedemptionNotFound { .. } => Reason::RedemptionNotFound,
            Self::MemberNotFound { .. } => Reason::MemberNotFound,
            Self::IdentifierNotFound { .. } => Reason::IdentifierNotFound,
            Self::IdentifierLimit { .. } => Reason::IdentifierLimit,
            Self::MemberMerged { .. } => Reason::MemberMerged,
            Self::MergeAcrossPrograms { .. } => Reason::MergeAcrossPrograms,
            Self::MemberErased { .. } => Reason::MemberErased,
            Self::SaleNotFound { .. } => Reason::SaleNotFound,
            Self::AmbiguousMember { .. } => Reason::AmbiguousMember,
            Self::ReasonNotFound { .. } => Reason::ReasonNotFound,
            Self::AmbiguousOptIn { .. } => Reason::AmbiguousOptIn,
            Self::NotEligible { .. } => Reason::NotEligible,
            Self::ProgramExists { .. } => Reason::ProgramExists,
            Self::RuleExists { .. } => Reason::RuleExists,
            Self::RewardExists { .. } => Reason::RewardExists,
            Self::ReasonExists { .. } => Reason::ReasonExists,
            Self::EtagMismatch { .. } => Reason::EtagMismatch,
            Self::ProgramArchived { .. } => Reason::ProgramArchived,
            Self::RuleArchived { .. } => Reason::RuleArchived,
            Self::RewardArchived { .. } => Reason::RewardArchived,
            Self::ReasonArchived { .. } => Reason::ReasonArchived,
            Self::RuleTie { .. } => Reason::RuleTie,
            Self::IdentifierTaken { .. } => Reason::IdentifierTaken,
            Self::SaleIdConflict { .. } => Reason::SaleIdConflict,
            Self::ImportRowConflict { .. } => Reason::ImportRowConflict,
            Self::ReturnIdConflict { .. } => Reason::ReturnIdConflict,
            Self::SaleCancelled { .. } => Reason::SaleCancelled,
            Self::CurrencyMismatch { .. } => Reason::CurrencyMismatch,
            Self::TimeOutOfRange { .. } => Reason::TimeOutOfRange,
            Self::DocumentTypeRefused { .. } => Reason::DocumentTypeRefused,
            Self::QuoteTokenInvalid { .. } => Reason::QuoteTokenInvalid,
            Self::QuoteOfOtherMerchant { .. } => Reason::QuoteOfOtherMerchant,
            Self::QuoteOfOtherBasket { .. } => Reason::QuoteOfOtherBasket,
            Self::QuoteOfOtherMember { .. } => Reason::QuoteOfOtherMember,
            Self::QuoteExpired { .. } => Reason::QuoteExpired,
            Self::NothingToReturn { .. } => Reason::NothingToReturn,
            Self::ReturnExceedsSold { .. } => Reason::ReturnExceedsSold,
            Self::HoldOfOtherMember { .. } => Reason::HoldOfOtherMember,
            Self::HoldCaptured { .. } => Reason::HoldCaptured,
            Self::HoldReleased { .. } => Reason::HoldReleased,
            Self::HoldLapsed { .. } => Reason::HoldLapsed,
            Self::ExceedsHold { .. } => Reason::ExceedsHold,
            Self::ExceedsRedeemed { .. } => Reason::ExceedsRedeemed,
            Self::TooManyHolds { .. } => Reason::TooManyHolds,
            Self::RedemptionClosed { .. } => Reason::RedemptionClosed,
            Self::MemberBlocked { .. } => Reason::MemberBlocked,
            Self::RedemptionNotOffered { .. } => Reason::RedemptionNotOffered,
            Self::TooManyDecimals { .. } => Reason::TooManyDecimals,
            Self::ProductNotRedeemable { .. } => Reason::ProductNotRedeemable,
            Self::ExceedsSaleLines { .. } => Reason::ExceedsSaleLines,
            Self::ExceedsDue { .. } => Reason::ExceedsDue,
            Self::ExceedsSaleShare { .. } => Reason::ExceedsSaleShare,
            Self::NothingToRedeem { .. } => Reason::NothingToRedeem,
            Self::BelowMinimumPoints { .. } => Reason::BelowMinimumPoints,
            Self::NotInSteps { .. } => Reason::NotInSteps,
            Self::ExceedsMaximumPoints { .. } => Reason::ExceedsMaximumPoints,
            Self::ApprovalLimitExceeded { .. } => Reason::ApprovalLimitExceeded,
            Self::InsufficientPoints { .. } => Reason::InsufficientPoints,
            Self::LedgerRange { .. } => Reason::LedgerRange,
            Self::Refused { reason, .. } => parse::known_reason(reason),
            Self::InvalidAnswer { .. }
            | Self::InvalidEndpoint { .. }
            | Self::NoRuntime { .. }
            | Self::InvalidApiKey => Reason::Unspecified,
        }
    }

    /// The gRPC status code. Of a typed refusal it is the one the contract gives to its reason, which is the one that
    /// was received: a refusal that came with another code is [`Error::Refused`].
    pub fn code(&self) -> Code {
        match self {
            Self::Refused { code, .. } => *code,
            Self::InvalidAnswer { .. } => Code::Internal,
            Self::NoRuntime { .. } => Code::ResourceExhausted,
            Self::InvalidEndpoint { .. } | Self::InvalidApiKey => Code::InvalidArgument,
            other => match other.failure() {
                Some(failure) => failure.code,
                None => parse::contract_code(other.reason()),
            },
        }
    }
}
