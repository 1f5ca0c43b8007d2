//! Why a call was not carried out.

mod failure;
mod parse;
mod reason;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use tonic::Code;

pub use failure::{Failure, FieldViolation};
pub(crate) use parse::{from_status, refusal};

use crate::id::{HoldId, MemberId, ProductId, ProgramId, ReasonId, RedemptionId, RequestId, RewardId, RuleId};

/// Why a call was not carried out: a *refusal*, which stays the same when the call is repeated, or a *failure*
/// ([`Failure`]), after which it may succeed. More variants will come with more reasons.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system has no thread left for a client whose calls wait.
    #[error("no thread for the client: {message}")]
    NoRuntime {
        /// What the system said.
        message: String,
    },
    /// The client has no API key, or one that is not valid, has expired or was revoked.
    #[error("not authenticated: {message}")]
    Unauthenticated {
        /// What is wrong with the key.
        message: String,
    },
    /// The role of the client's key may not do this.
    #[error("the role {role} may not do this ({call})")]
    RoleNotAllowed {
        /// The role of the key: `TERMINAL`, `BACK_OFFICE`, `READ_ONLY` or `OPERATOR`.
        role: String,
        /// The call.
        call: String,
    },
    /// The client's key is for another store or terminal.
    #[error("{field}: the key is for {allowed}")]
    PlaceMismatch {
        /// The field of the request that names the store or terminal.
        field: String,
        /// The one of the key.
        allowed: String,
    },
    /// The server has no such call: it is older than this client.
    #[error("the server has no such call")]
    Unimplemented,
    /// A message of the request is larger than the server takes; of products, send fewer at once.
    #[error("a message of the request has more than {limit_bytes} bytes")]
    RequestTooLarge {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The server could not read the request: it is newer or older than this client.
    #[error("the server could not read the request")]
    MalformedRequest,
    /// Fields are missing, malformed or out of their bounds. Nothing was looked up or written.
    #[error("invalid fields: {}", list(.0))]
    InvalidFields(Vec<FieldViolation>),

    /// The server turned the call away because too many are waiting.
    #[error("the server is overloaded: {0}")]
    Overloaded(Failure),
    /// The server, or its database, cannot be reached.
    #[error("the service is unavailable: {0}")]
    Unavailable(Failure),
    /// The deadline passed before an answer.
    #[error("no answer in time: {0}")]
    DeadlineExceeded(Failure),
    /// A fault of the server; its log has the cause.
    #[error("the server failed: {0}")]
    Internal(Failure),

    /// The request id was used for something else.
    #[error("request id {request_id} was used with other content")]
    RequestIdReused {
        /// The request id.
        request_id: RequestId,
    },
    /// No write with this request id was carried out, nor refused for a business reason.
    #[error("no operation {request_id}")]
    OperationNotFound {
        /// The request id.
        request_id: RequestId,
    },
    /// No such program.
    #[error("no program {program_id}")]
    ProgramNotFound {
        /// The program asked for.
        program_id: ProgramId,
    },
    /// No such rule.
    #[error("no rule {rule_id} in program {program_id}")]
    RuleNotFound {
        /// The program.
        program_id: ProgramId,
        /// The rule asked for.
        rule_id: RuleId,
    },
    /// No such reward.
    #[error("no reward {reward_id} in program {program_id}")]
    RewardNotFound {
        /// The program.
        program_id: ProgramId,
        /// The reward asked for.
        reward_id: RewardId,
    },
    /// The program says nothing about this product.
    #[error("no product {product_id} in program {program_id}")]
    ProductNotFound {
        /// The program.
        program_id: ProgramId,
        /// The product asked for.
        product_id: ProductId,
    },
    /// No such hold.
    #[error("no hold {hold_id}")]
    HoldNotFound {
        /// The hold asked for.
        hold_id: HoldId,
    },
    /// No such redemption.
    #[error("no redemption {redemption_id}")]
    RedemptionNotFound {
        /// The redemption asked for.
        redemption_id: RedemptionId,
    },
    /// No such member.
    #[error("no such member ({field})")]
    MemberNotFound {
        /// The field of the request that names the member.
        field: String,
    },
    /// The member is not known by this identifier.
    #[error("the member is not known by {field}")]
    IdentifierNotFound {
        /// The field of the request with the identifier.
        field: String,
    },
    /// The store has recorded no such sale.
    #[error("store {store_id} has recorded no sale {sale_id}")]
    SaleNotFound {
        /// The store.
        store_id: String,
        /// The sale asked for.
        sale_id: String,
    },
    /// No such reason for adjustments.
    #[error("no reason {reason_id}")]
    ReasonNotFound {
        /// The reason asked for.
        reason_id: ReasonId,
    },
    /// Several programs would enrol the customer of the sale, with the same priority.
    #[error("several programs would enrol this customer: {}", joined(.program_ids))]
    AmbiguousOptIn {
        /// The programs.
        program_ids: Vec<ProgramId>,
    },
    /// The program is not for this customer group or territory.
    #[error("program {program_id} is not for this {field}")]
    NotEligible {
        /// The program.
        program_id: ProgramId,
        /// `customer_group` or `territory`.
        field: String,
    },
    /// Several programs have this member; say which.
    #[error("several programs have this member: {}", joined(.program_ids))]
    AmbiguousMember {
        /// The programs.
        program_ids: Vec<ProgramId>,
    },
    /// The program id is taken.
    #[error("program {program_id} exists")]
    ProgramExists {
        /// The program.
        program_id: ProgramId,
    },
    /// The rule id is taken.
    #[error("rule {rule_id} of program {program_id} exists")]
    RuleExists {
        /// The program.
        program_id: ProgramId,
        /// The rule.
        rule_id: RuleId,
    },
    /// The reward id is taken.
    #[error("reward {reward_id} of program {program_id} exists")]
    RewardExists {
        /// The program.
        program_id: ProgramId,
        /// The reward.
        reward_id: RewardId,
    },
    /// The reason id is taken.
    #[error("reason {reason_id} exists")]
    ReasonExists {
        /// The reason.
        reason_id: ReasonId,
    },
    /// The program, rule, reward or reason changed since it was read; read it again.
    #[error("changed since it was read: the etag is now {etag}")]
    EtagMismatch {
        /// The current etag.
        etag: String,
    },
    /// The program is archived.
    #[error("program {program_id} is archived")]
    ProgramArchived {
        /// The program.
        program_id: ProgramId,
    },
    /// The rule is archived.
    #[error("rule {rule_id} is archived")]
    RuleArchived {
        /// The rule.
        rule_id: RuleId,
    },
    /// The reward is archived.
    #[error("reward {reward_id} is archived")]
    RewardArchived {
        /// The reward.
        reward_id: RewardId,
    },
    /// The reason is archived.
    #[error("reason {reason_id} is archived")]
    ReasonArchived {
        /// The reason.
        reason_id: ReasonId,
    },
    /// Another rule rates the same lines with the same precedence.
    #[error("rule {rule_id} rates the same lines with the same precedence")]
    RuleTie {
        /// The other rule.
        rule_id: RuleId,
    },
    /// Another member of the program has this identifier.
    #[error("{field} belongs to member {member_id}")]
    IdentifierTaken {
        /// The field of the request with the identifier.
        field: String,
        /// The member that has it.
        member_id: MemberId,
    },
    /// The member would have no identifier, more than 10, or a second customer id.
    #[error("{field} would leave the member with none, too many or a second customer id")]
    IdentifierLimit {
        /// The field of the request with the identifier.
        field: String,
    },
    /// One of the members to be merged was merged before.
    #[error("member {member_id} was merged into {merged_into}")]
    MemberMerged {
        /// The one that was merged.
        member_id: MemberId,
        /// The member who is meant in its place.
        merged_into: MemberId,
    },
    /// The members to be merged are of different programs.
    #[error("the members are of the programs {program_id} and {merged_program_id}")]
    MergeAcrossPrograms {
        /// That of the member who was to stay.
        program_id: ProgramId,
        /// That of the other.
        merged_program_id: ProgramId,
    },
    /// The store has recorded another sale with this id.
    #[error("store {store_id} has recorded another sale {sale_id}")]
    SaleIdConflict {
        /// The store.
        store_id: String,
        /// The sale.
        sale_id: String,
    },
    /// The import has brought another member under this row number.
    #[error("the import {import_id} has brought another member in its row {row_number}")]
    ImportRowConflict {
        /// The import.
        import_id: String,
        /// The row.
        row_number: u64,
    },
    /// The store has recorded another return with this id.
    #[error("store {store_id} has recorded another return {return_id}")]
    ReturnIdConflict {
        /// The store.
        store_id: String,
        /// The return.
        return_id: String,
    },
    /// The sale was cancelled.
    #[error("sale {sale_id} of store {store_id} was cancelled")]
    SaleCancelled {
        /// The store.
        store_id: String,
        /// The sale.
        sale_id: String,
    },
    /// The person behind the member was erased: the books are closed but for what comes back.
    #[error("the member was erased")]
    MemberErased {
        /// When.
        erased_at: DateTime<Utc>,
    },
    /// The sale is not in the program's currency.
    #[error("{field}: the program's currency is {currency_code}")]
    CurrencyMismatch {
        /// The field of the request with the currency.
        field: String,
        /// The program's currency.
        currency_code: String,
    },
    /// The time of the sale is too far ahead or back, or that of a return before its sale.
    #[error("{field} must lie between {earliest} and {latest}")]
    TimeOutOfRange {
        /// The field of the request with the time.
        field: String,
        /// The earliest time that would have been taken.
        earliest: DateTime<Utc>,
        /// The latest time that would have been taken.
        latest: DateTime<Utc>,
    },
    /// A document of this type is a return, or is ignored and cannot redeem, or is none of a return.
    #[error("documents of type {document_type} are not taken here")]
    DocumentTypeRefused {
        /// The shop's type of document.
        document_type: String,
    },
    /// The hold is another member's.
    #[error("hold {hold_id} is another member's")]
    HoldOfOtherMember {
        /// The hold.
        hold_id: HoldId,
    },
    /// The hold was captured before.
    #[error("hold {hold_id} was captured by redemption {redemption_id}")]
    HoldCaptured {
        /// The hold.
        hold_id: HoldId,
        /// The redemption that captured it.
        redemption_id: RedemptionId,
    },
    /// The hold was released before.
    #[error("hold {hold_id} was released")]
    HoldReleased {
        /// The hold.
        hold_id: HoldId,
    },
    /// The quote token is not one that a server of this database gave out, or was changed.
    #[error("{field} is not one that was given out here")]
    QuoteTokenInvalid {
        /// The field that brought it.
        field: String,
    },
    /// The quote was given to another merchant.
    #[error("{field} was given to another merchant")]
    QuoteOfOtherMerchant {
        /// The field that brought it.
        field: String,
    },
    /// Another sale was quoted: see [`Sale::with_quote`](crate::Sale::with_quote).
    #[error("{field} was given for another basket")]
    QuoteOfOtherBasket {
        /// The field that brought it.
        field: String,
    },
    /// The quote was given for another member.
    #[error("{field} was given for another member")]
    QuoteOfOtherMember {
        /// The field that brought it.
        field: String,
    },
    /// The quote is not held any more.
    #[error("the quote was held until {expires_at}")]
    QuoteExpired {
        /// Until when it was.
        expires_at: DateTime<Utc>,
    },
    /// The time limit of the hold has passed.
    #[error("hold {hold_id} lapsed at {lapses_at}")]
    HoldLapsed {
        /// The hold.
        hold_id: HoldId,
        /// When it did.
        lapses_at: DateTime<Utc>,
    },
    /// More is asked than the hold has left for it.
    #[error("{field} is more than the hold has left for it; {held} points are")]
    ExceedsHold {
        /// The field of the request that asks it.
        field: String,
        /// Points of the hold that are left.
        held: Decimal,
    },
    /// More of a redemption would come back than is left of it, or it is not told in the terms of what was redeemed.
    #[error("{field} is more than is left to come back, or not what was redeemed; {left} points are left")]
    ExceedsRedeemed {
        /// The field of the request that asks it.
        field: String,
        /// Points that are left to come back.
        left: Decimal,
    },
    /// The member has as many holds as may be at once.
    #[error("the member has {max_holds} holds")]
    TooManyHolds {
        /// The most at once.
        max_holds: u32,
    },
    /// Everything that was sold has come back.
    #[error("nothing is left of sale {sale_id} of store {store_id}")]
    NothingToReturn {
        /// The store.
        store_id: String,
        /// The sale.
        sale_id: String,
    },
    /// More would come back than is left of the line, or of the sale.
    #[error("{field}: {requested} cannot come back, {left} is left")]
    ReturnExceedsSold {
        /// The field of the request with the quantity or the amount.
        field: String,
        /// What was asked.
        requested: Decimal,
        /// What is left.
        left: Decimal,
    },
    /// Points of the program cannot be redeemed now.
    #[error("points of program {program_id} cannot be redeemed now: {state}")]
    RedemptionClosed {
        /// The program.
        program_id: ProgramId,
        /// Its state, as the server named it.
        state: String,
    },
    /// Points of the member cannot be redeemed.
    #[error("the member is blocked: {block_reason}")]
    MemberBlocked {
        /// Why, as whoever blocked the member said.
        block_reason: String,
    },
    /// The program has no redeem rate.
    #[error("points of program {program_id} cannot pay")]
    RedemptionNotOffered {
        /// The program.
        program_id: ProgramId,
    },
    /// More decimals of points than the program has, or of an amount than its currency.
    #[error("{field} has more than {decimals} decimals")]
    TooManyDecimals {
        /// The field of the request with the points or the amount.
        field: String,
        /// The decimals that it may have.
        decimals: u32,
    },
    /// The product has no price in points.
    #[error("product {product_id} cannot be bought with points in program {program_id}")]
    ProductNotRedeemable {
        /// The program.
        program_id: ProgramId,
        /// The product.
        product_id: ProductId,
    },
    /// Points would buy more units of a product than the lines of the sale have.
    #[error("{quantity} of {product_id} asked, the lines have {available} more")]
    ExceedsSaleLines {
        /// The product.
        product_id: ProductId,
        /// Units asked.
        quantity: Decimal,
        /// What of the lines is left.
        available: Decimal,
    },
    /// The points are worth more than is due.
    #[error("the points are worth {amount}, due is {due}")]
    ExceedsDue {
        /// Money the points are worth.
        amount: Decimal,
        /// Money that is due.
        due: Decimal,
    },
    /// Points would pay more of the sale than the program lets them.
    #[error("points would pay {amount} of the sale, at most {max_amount} may be paid with points")]
    ExceedsSaleShare {
        /// Money they would pay.
        amount: Decimal,
        /// Money they may still pay.
        max_amount: Decimal,
    },
    /// What was asked comes to no points or to no money.
    #[error("nothing to redeem: {points} points for {amount}")]
    NothingToRedeem {
        /// Points it comes to.
        points: Decimal,
        /// Money it comes to.
        amount: Decimal,
    },
    /// Fewer points were asked than the program redeems at once.
    #[error("{points} points are below the minimum of {minimum_points}")]
    BelowMinimumPoints {
        /// Points asked.
        points: Decimal,
        /// The fewest at once.
        minimum_points: Decimal,
    },
    /// The points asked are no multiple of the program's step.
    #[error("{points} points are no multiple of {points_step}")]
    NotInSteps {
        /// Points asked.
        points: Decimal,
        /// The step.
        points_step: Decimal,
    },
    /// More points were asked than the program redeems in one sale.
    #[error("{points} points are more than the {max_points} that may still be redeemed here")]
    ExceedsMaximumPoints {
        /// Points asked.
        points: Decimal,
        /// What is left of the most.
        max_points: Decimal,
    },
    /// The reason allows callers of this role fewer points at once.
    #[error("a {role} may adjust at most {max_points} points for this reason, {points} requested")]
    ApprovalLimitExceeded {
        /// The caller's role, as the server named it.
        role: String,
        /// Points asked.
        points: Decimal,
        /// Most points that would have been taken.
        max_points: Decimal,
    },
    /// Fewer points are available than asked.
    #[error("not enough points: {available} available, {requested} requested")]
    InsufficientPoints {
        /// Points available.
        available: Decimal,
        /// Points asked.
        requested: Decimal,
    },
    /// The member's books would leave the range of the ledger (15 digits before the point), or the sale has the most returns
    /// that one may have.
    #[error("{field} would leave the range of the ledger")]
    LedgerRange {
        /// What would leave it.
        field: String,
    },

    /// Refused for a reason that this version of the SDK has no type for, or without one.
    #[error("refused ({reason}): {message}")]
    Refused {
        /// The gRPC status code.
        code: Code,
        /// Name of the reason; empty when the server named none.
        reason: String,
        /// The server's sentence for people.
        message: String,
        /// The numbers, by name.
        metadata: HashMap<String, String>,
    },

    /// The call was carried out, and its answer breaks the contract: client and server do not fit together.
    #[error("the server's answer is not valid: {field} is {value:?}")]
    InvalidAnswer {
        /// The field of the answer.
        field: &'static str,
        /// What it holds; empty when it is missing.
        value: String,
    },
    /// The client cannot be made: its API key has characters that no key has.
    #[error("the API key is malformed")]
    InvalidApiKey,
    /// The client cannot be made: the endpoint is none, or does not go with the other options.
    #[error("{endpoint:?} is no endpoint: {message}")]
    InvalidEndpoint {
        /// The endpoint given.
        endpoint: String,
        /// What is wrong with it.
        message: String,
    },
}

fn list(violations: &[FieldViolation]) -> String {
    let sentences: Vec<String> = violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.description))
        .collect();
    sentences.join("; ")
}

fn joined(program_ids: &[ProgramId]) -> String {
    let names: Vec<&str> = program_ids.iter().map(ProgramId::as_str).collect();
    names.join(", ")
}
