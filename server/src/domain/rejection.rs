//! Refusals of the business: answers, not failures. A command that is refused writes nothing but the memory of it.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;

/// Why a command is refused, with its numbers. The names are those of `ErrorReason` in the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    #[error("the request id was used with other content")]
    RequestIdReused { request_id: String },
    #[error("there is no program `{program_id}`")]
    ProgramNotFound { program_id: String },
    #[error("the program has no rule `{rule_id}`")]
    RuleNotFound { program_id: String, rule_id: String },
    #[error("the program has no reward `{reward_id}`")]
    RewardNotFound { program_id: String, reward_id: String },
    #[error("the program says nothing about the product `{product_id}`")]
    ProductNotFound { program_id: String, product_id: String },
    #[error("there is no such member")]
    MemberNotFound { field: String },
    #[error("the member is not known by this")]
    IdentifierNotFound { field: String },
    #[error("the store `{store_id}` has recorded no sale `{sale_id}`")]
    SaleNotFound { store_id: String, sale_id: String },
    #[error("several programs have this member; say which")]
    AmbiguousMember { program_ids: Vec<String> },
    #[error("there is no reason `{reason_id}`")]
    ReasonNotFound { reason_id: String },
    #[error("several programs would enrol this customer with the same priority")]
    AmbiguousOptIn { program_ids: Vec<String> },
    #[error("the program id `{program_id}` is taken")]
    ProgramExists { program_id: String },
    #[error("the rule id `{rule_id}` is taken")]
    RuleExists { program_id: String, rule_id: String },
    #[error("the reward id `{reward_id}` is taken")]
    RewardExists { program_id: String, reward_id: String },
    #[error("there is no hold `{hold_id}`")]
    HoldNotFound { hold_id: String },
    #[error("there is no redemption `{redemption_id}`")]
    RedemptionNotFound { redemption_id: String },
    #[error("the reason id `{reason_id}` is taken")]
    ReasonExists { reason_id: String },
    #[error("it has changed since it was read; read it again")]
    EtagMismatch { etag: String },
    #[error("the program `{program_id}` is archived")]
    ProgramArchived { program_id: String },
    #[error("the rule `{rule_id}` is archived")]
    RuleArchived { rule_id: String },
    #[error("the reward `{reward_id}` is archived")]
    RewardArchived { reward_id: String },
    #[error("the reason `{reason_id}` is archived")]
    ReasonArchived { reason_id: String },
    #[error("the rule `{rule_id}` rates the same lines with the same precedence")]
    RuleTie { rule_id: String },
    #[error("another member of the program has this identifier")]
    IdentifierTaken { field: String, member_id: String },
    #[error("{field}: {description}")]
    IdentifierLimit { field: String, description: &'static str },
    #[error("the member `{member_id}` was merged into `{merged_into}`")]
    MemberMerged { member_id: String, merged_into: String },
    #[error("the members are of the programs `{program_id}` and `{merged_program_id}`")]
    MergeAcrossPrograms {
        program_id: String,
        merged_program_id: String,
    },
    #[error("the program `{program_id}` is not for this {field}")]
    NotEligible { program_id: String, field: &'static str },
    #[error("the store has recorded another sale with the id `{sale_id}`")]
    SaleIdConflict { store_id: String, sale_id: String },
    #[error("the import `{import_id}` has brought another member in its row {row_number}")]
    ImportRowConflict { import_id: String, row_number: u64 },
    #[error("the store has recorded another return with the id `{return_id}`")]
    ReturnIdConflict { store_id: String, return_id: String },
    #[error("the sale `{sale_id}` was cancelled")]
    SaleCancelled { store_id: String, sale_id: String },
    #[error("the quote token is not one that was given out here")]
    QuoteTokenInvalid,
    #[error("the quote was given to another merchant")]
    QuoteOfOtherMerchant,
    #[error("another sale was quoted: lines, redemptions, total and place must be the same")]
    QuoteOfOtherBasket,
    #[error("the quote was given for another member")]
    QuoteOfOtherMember,
    #[error("the quote was held until {}", instant(expires_at))]
    QuoteExpired { expires_at: DateTime<Utc> },
    #[error("the member was erased")]
    MemberErased { erased_at: DateTime<Utc> },
    #[error("the program's currency is {currency_code}")]
    CurrencyMismatch { field: &'static str, currency_code: String },
    #[error("the time must lie between {} and {}", instant(earliest), instant(latest))]
    TimeOutOfRange {
        field: &'static str,
        earliest: DateTime<Utc>,
        latest: DateTime<Utc>,
    },
    #[error("documents of the type `{document_type}` cannot be recorded like this")]
    DocumentTypeRefused { document_type: String },
    #[error("the hold `{hold_id}` is another member's")]
    HoldOfOtherMember { hold_id: String },
    #[error("`{field}` asks for more than is left to come back, or not in the terms of what was redeemed")]
    ExceedsRedeemed { field: String, left: Decimal },
    #[error("the hold `{hold_id}` was captured before")]
    HoldCaptured { hold_id: String, redemption_id: String },
    #[error("the hold `{hold_id}` was released before")]
    HoldReleased { hold_id: String },
    #[error("the hold `{hold_id}` lapsed at {}", instant(lapses_at))]
    HoldLapsed { hold_id: String, lapses_at: DateTime<Utc> },
    #[error("{field}: more is asked than the hold has left for it; {held} points are")]
    ExceedsHold { field: String, held: Decimal },
    #[error("the member has {max_holds} holds; capture or release one first")]
    TooManyHolds { max_holds: usize },
    #[error("nothing is left to return of the sale `{sale_id}`")]
    NothingToReturn { store_id: String, sale_id: String },
    #[error("{requested} cannot come back: {left} is left")]
    ReturnExceedsSold {
        field: String,
        requested: Decimal,
        left: Decimal,
    },
    #[error("points of the program cannot be redeemed now: {state}")]
    RedemptionClosed { program_id: String, state: &'static str },
    #[error("the member is blocked: {block_reason}")]
    MemberBlocked { block_reason: String },
    #[error("the program has no redeem rate")]
    RedemptionNotOffered { program_id: String },
    #[error("at most {decimals} decimals are allowed")]
    TooManyDecimals { field: String, decimals: u32 },
    #[error("the product `{product_id}` has no price in points")]
    ProductNotRedeemable { program_id: String, product_id: String },
    #[error("{quantity} of `{product_id}` were asked, and the lines have {available} more")]
    ExceedsSaleLines {
        product_id: String,
        quantity: Decimal,
        available: Decimal,
    },
    #[error("the points are worth {amount}, and {due} is due")]
    ExceedsDue { amount: Decimal, due: Decimal },
    #[error("points would pay {amount} of the sale, and at most {max_amount} of it may be paid with points")]
    ExceedsSaleShare { amount: Decimal, max_amount: Decimal },
    #[error("what was asked comes to {points} points for {amount}")]
    NothingToRedeem { points: Decimal, amount: Decimal },
    #[error("{points} points were asked, and at least {minimum_points} are redeemed at once")]
    BelowMinimumPoints { points: Decimal, minimum_points: Decimal },
    #[error("{points} points were asked, which is no multiple of {points_step}")]
    NotInSteps { points: Decimal, points_step: Decimal },
    #[error("{points} points were asked, and {max_points} more may be redeemed here")]
    ExceedsMaximumPoints { points: Decimal, max_points: Decimal },
    #[error("{points} points were asked, and a {role} may adjust at most {max_points} for this reason")]
    ApprovalLimitExceeded {
        role: &'static str,
        points: Decimal,
        max_points: Decimal,
    },
    #[error("{requested} points were asked and {available} are available")]
    InsufficientPoints { available: Decimal, requested: Decimal },
    #[error("the member's {field} would leave the range of the ledger")]
    LedgerRange { field: &'static str },
    #[error("{field}: {description}")]
    InvalidField { field: String, description: String },
}

impl Rejection {
    /// Name of the `ErrorReason`, without its prefix.
    pub(crate) fn reason(&self) -> &'static str {
        self.parts().0
    }

    /// The numbers behind the refusal, by name.
    pub(crate) fn metadata(&self) -> Vec<(&'static str, String)> {
        self.parts().1
    }

    /// Whether a repetition of the call is answered with this refusal although the world has changed.
    pub(crate) fn is_remembered(&self) -> bool {
        !matches!(
            self,
            Self::InvalidField { .. }
                | Self::RequestIdReused { .. }
                | Self::ProgramNotFound { .. }
                | Self::RuleNotFound { .. }
                | Self::RewardNotFound { .. }
                | Self::HoldNotFound { .. }
                | Self::RedemptionNotFound { .. }
                | Self::ProductNotFound { .. }
                | Self::MemberNotFound { .. }
                | Self::IdentifierNotFound { .. }
                | Self::SaleNotFound { .. }
                | Self::AmbiguousMember { .. }
                | Self::ReasonNotFound { .. }
                | Self::AmbiguousOptIn { .. }
        )
    }

    /// The points that were asked, where the refusal is about them.
    pub(crate) fn points(&self) -> Option<Decimal> {
        match self {
            Self::BelowMinimumPoints { points, .. }
            | Self::NotInSteps { points, .. }
            | Self::ExceedsMaximumPoints { points, .. }
            | Self::InsufficientPoints { requested: points, .. } => Some(*points),
            _ => None,
        }
    }

    fn parts(&self) -> (&'static str, Vec<(&'static str, String)>) {
        match self {
            Self::RequestIdReused { request_id } => ("REQUEST_ID_REUSED", vec![("request_id", request_id.clone())]),
            Self::ProgramNotFound { program_id } => ("PROGRAM_NOT_FOUND", vec![("program_id", program_id.clone())]),
            Self::RuleNotFound { program_id, rule_id } => (
                "RULE_NOT_FOUND",
                vec![("program_id", program_id.clone()), ("rule_id", rule_id.clone())],
            ),
            Self::RewardNotFound { program_id, reward_id } => (
                "REWARD_NOT_FOUND",
                vec![("program_id", program_id.clone()), ("reward_id", reward_id.clone())],
            ),
            Self::ProductNotFound { program_id, product_id } => (
                "PRODUCT_NOT_FOUND",
                vec![("program_id", program_id.clone()), ("product_id", product_id.clone())],
            ),
            Self::MemberNotFound { field } => ("MEMBER_NOT_FOUND", vec![("field", field.clone())]),
            Self::IdentifierNotFound { field } => ("IDENTIFIER_NOT_FOUND", vec![("field", field.clone())]),
            Self::SaleNotFound { store_id, sale_id } => ("SALE_NOT_FOUND", sale(store_id, sale_id)),
            Self::AmbiguousMember { program_ids } => ("AMBIGUOUS_MEMBER", vec![("program_ids", program_ids.join(","))]),
            Self::ReasonNotFound { reason_id } => ("REASON_NOT_FOUND", vec![("reason_id", reason_id.clone())]),
            Self::AmbiguousOptIn { program_ids } => ("AMBIGUOUS_OPT_IN", vec![("program_ids", program_ids.join(","))]),
            Self::NotEligible { program_id, field } => (
                "NOT_ELIGIBLE",
                vec![("program_id", program_id.clone()), ("field", (*field).to_owned())],
            ),
            Self::ProgramExists { program_id } => ("PROGRAM_EXISTS", vec![("program_id", program_id.clone())]),
            Self::RuleExists { program_id, rule_id } => (
                "RULE_EXISTS",
                vec![("program_id", program_id.clone()), ("rule_id", rule_id.clone())],
            ),
            Self::RewardExists { program_id, reward_id } => (
                "REWARD_EXISTS",
                vec![("program_id", program_id.clone()), ("reward_id", reward_id.clone())],
            ),
            Self::HoldNotFound { hold_id } => ("HOLD_NOT_FOUND", vec![("hold_id", hold_id.clone())]),
            Self::RedemptionNotFound { redemption_id } => {
                ("REDEMPTION_NOT_FOUND", vec![("redemption_id", redemption_id.clone())])
            }
            Self::HoldOfOtherMember { hold_id } => ("HOLD_OF_OTHER_MEMBER", vec![("hold_id", hold_id.clone())]),
            Self::HoldCaptured { hold_id, redemption_id } => (
                "HOLD_CAPTURED",
                vec![("hold_id", hold_id.clone()), ("redemption_id", redemption_id.clone())],
            ),
            Self::HoldReleased { hold_id } => ("HOLD_RELEASED", vec![("hold_id", hold_id.clone())]),
            Self::HoldLapsed { hold_id, lapses_at } => (
                "HOLD_LAPSED",
                vec![("hold_id", hold_id.clone()), ("lapses_at", instant(lapses_at))],
            ),
            Self::ExceedsHold { field, held } => (
                "EXCEEDS_HOLD",
                vec![("field", field.clone()), ("held", held.to_string())],
            ),
            Self::ExceedsRedeemed { field, left } => (
                "EXCEEDS_REDEEMED",
                vec![("field", field.clone()), ("left", left.to_string())],
            ),
            Self::TooManyHolds { max_holds } => ("TOO_MANY_HOLDS", vec![("max_holds", max_holds.to_string())]),
            Self::ReasonExists { reason_id } => ("REASON_EXISTS", vec![("reason_id", reason_id.clone())]),
            Self::EtagMismatch { etag } => ("ETAG_MISMATCH", vec![("etag", etag.clone())]),
            Self::ProgramArchived { program_id } => ("PROGRAM_ARCHIVED", vec![("program_id", program_id.clone())]),
            Self::RuleArchived { rule_id } => ("RULE_ARCHIVED", vec![("rule_id", rule_id.clone())]),
            Self::RewardArchived { reward_id } => ("REWARD_ARCHIVED", vec![("reward_id", reward_id.clone())]),
            Self::ReasonArchived { reason_id } => ("REASON_ARCHIVED", vec![("reason_id", reason_id.clone())]),
            Self::RuleTie { rule_id } => ("RULE_TIE", vec![("rule_id", rule_id.clone())]),
            Self::IdentifierTaken { field, member_id } => (
                "IDENTIFIER_TAKEN",
                vec![("field", field.clone()), ("member_id", member_id.clone())],
            ),
            Self::IdentifierLimit { field, .. } => ("IDENTIFIER_LIMIT", vec![("field", field.clone())]),
            Self::MemberMerged { member_id, merged_into } => (
                "MEMBER_MERGED",
                vec![("member_id", member_id.clone()), ("merged_into", merged_into.clone())],
            ),
            Self::MergeAcrossPrograms {
                program_id,
                merged_program_id,
            } => (
                "MERGE_ACROSS_PROGRAMS",
                vec![
                    ("program_id", program_id.clone()),
                    ("merged_program_id", merged_program_id.clone()),
                ],
            ),
            Self::SaleIdConflict { store_id, sale_id } => ("SALE_ID_CONFLICT", sale(store_id, sale_id)),
            Self::ImportRowConflict { import_id, row_number } => (
                "IMPORT_ROW_CONFLICT",
                vec![("import_id", import_id.clone()), ("row_number", row_number.to_string())],
            ),
            Self::ReturnIdConflict { store_id, return_id } => (
                "RETURN_ID_CONFLICT",
                vec![("store_id", store_id.clone()), ("return_id", return_id.clone())],
            ),
            Self::SaleCancelled { store_id, sale_id } => ("SALE_CANCELLED", sale(store_id, sale_id)),
            Self::MemberErased { erased_at } => ("MEMBER_ERASED", vec![("erased_at", instant(erased_at))]),
            Self::CurrencyMismatch { field, currency_code } => (
                "CURRENCY_MISMATCH",
                vec![("field", (*field).to_owned()), ("currency_code", currency_code.clone())],
            ),
            Self::TimeOutOfRange {
                field,
                earliest,
                latest,
            } => (
                "TIME_OUT_OF_RANGE",
                vec![
                    ("field", (*field).to_owned()),
                    ("earliest", instant(earliest)),
                    ("latest", instant(latest)),
                ],
            ),
            Self::DocumentTypeRefused { document_type } => {
                ("DOCUMENT_TYPE_REFUSED", vec![("document_type", document_type.clone())])
            }
            Self::NothingToReturn { store_id, sale_id } => ("NOTHING_TO_RETURN", sale(store_id, sale_id)),
            Self::ReturnExceedsSold { field, requested, left } => (
                "RETURN_EXCEEDS_SOLD",
                vec![
                    ("field", field.clone()),
                    ("requested", requested.to_string()),
                    ("left", left.to_string()),
                ],
            ),
            Self::RedemptionClosed { program_id, state } => (
                "REDEMPTION_CLOSED",
                vec![("program_id", program_id.clone()), ("state", (*state).to_owned())],
            ),
            Self::MemberBlocked { block_reason } => ("MEMBER_BLOCKED", vec![("block_reason", block_reason.clone())]),
            Self::RedemptionNotOffered { program_id } => {
                ("REDEMPTION_NOT_OFFERED", vec![("program_id", program_id.clone())])
            }
            Self::TooManyDecimals { field, decimals } => (
                "TOO_MANY_DECIMALS",
                vec![("field", field.clone()), ("decimals", decimals.to_string())],
            ),
            Self::ProductNotRedeemable { program_id, product_id } => (
                "PRODUCT_NOT_REDEEMABLE",
                vec![("program_id", program_id.clone()), ("product_id", product_id.clone())],
            ),
            Self::ExceedsSaleLines {
                product_id,
                quantity,
                available,
            } => (
                "EXCEEDS_SALE_LINES",
                vec![
                    ("product_id", product_id.clone()),
                    ("quantity", quantity.to_string()),
                    ("available", available.to_string()),
                ],
            ),
            Self::ExceedsDue { amount, due } => (
                "EXCEEDS_DUE",
                vec![("amount", amount.to_string()), ("due", due.to_string())],
            ),
            Self::ExceedsSaleShare { amount, max_amount } => (
                "EXCEEDS_SALE_SHARE",
                vec![("amount", amount.to_string()), ("max_amount", max_amount.to_string())],
            ),
            Self::NothingToRedeem { points, amount } => (
                "NOTHING_TO_REDEEM",
                vec![("points", points.to_string()), ("amount", amount.to_string())],
            ),
            Self::BelowMinimumPoints { points, minimum_points } => (
                "BELOW_MINIMUM_POINTS",
                vec![
                    ("points", points.to_string()),
                    ("minimum_points", minimum_points.to_string()),
                ],
            ),
            Self::NotInSteps { points, points_step } => (
                "NOT_IN_STEPS",
                vec![("points", points.to_string()), ("points_step", points_step.to_string())],
            ),
            Self::ExceedsMaximumPoints { points, max_points } => (
                "EXCEEDS_MAXIMUM_POINTS",
                vec![("points", points.to_string()), ("max_points", max_points.to_string())],
            ),
            Self::ApprovalLimitExceeded {
                role,
                points,
                max_points,
            } => (
                "APPROVAL_LIMIT_EXCEEDED",
                vec![
                    ("role", (*role).to_owned()),
                    ("points", points.to_string()),
                    ("max_points", max_points.to_string()),
                ],
            ),
            Self::InsufficientPoints { available, requested } => (
                "INSUFFICIENT_POINTS",
                vec![
                    ("available", available.to_string()),
                    ("requested", requested.to_string()),
                ],
            ),
            Self::QuoteTokenInvalid => ("QUOTE_TOKEN_INVALID", vec![("field", QUOTE_TOKEN.to_owned())]),
            Self::QuoteOfOtherMerchant => ("QUOTE_OF_OTHER_MERCHANT", vec![("field", QUOTE_TOKEN.to_owned())]),
            Self::QuoteOfOtherBasket => ("QUOTE_OF_OTHER_BASKET", vec![("field", QUOTE_TOKEN.to_owned())]),
            Self::QuoteOfOtherMember => ("QUOTE_OF_OTHER_MEMBER", vec![("field", QUOTE_TOKEN.to_owned())]),
            Self::QuoteExpired { expires_at } => ("QUOTE_EXPIRED", vec![("expires_at", instant(expires_at))]),
            Self::LedgerRange { field } => ("LEDGER_RANGE", vec![("field", (*field).to_owned())]),
            Self::InvalidField { field, description } => (
                "INVALID_FIELD",
                vec![("field", field.clone()), ("description", description.clone())],
            ),
        }
    }
}

/// The field of a request that brings a quote.
const QUOTE_TOKEN: &str = "sale.quote_token";

fn sale(store_id: &str, sale_id: &str) -> Vec<(&'static str, String)> {
    vec![("store_id", store_id.to_owned()), ("sale_id", sale_id.to_owned())]
}

fn instant(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
