//! The loyalty-points service for point-of-sale software: connect, send the sale, print the receipt.
//!
//! ```no_run
//! use loyalty_sdk::{Client, Error, MemberKey, Sale, SaleLine};
//!
//! # async fn till() -> Result<(), Error> {
//! let client = Client::connect("http://127.0.0.1:50051").await?;
//!
//! let sale = Sale::new("ticket-1042", "store-1", MemberKey::card("7700123"), "EUR", 3000)
//!     .line(SaleLine::new(2990).product("espresso-machine"))
//!     .line(SaleLine::new(10).product("beans-250g").quantity(2))
//!     .redeem_points(10);
//!
//! match client.record_sale(&sale).await {
//!     Ok(receipt) => println!("{receipt}"),
//!     Err(Error::InsufficientPoints { available, .. }) => println!("only {available} points are left"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - **Numbers are exact.** Points, money and quantities are [`Decimal`]; the server alone computes with them.
//! - **Writes are safe to repeat.** Each takes place under a [`RequestId`] that stays the same through all retries; bring
//!   your own with [`Client::with_request_id`] when the till must settle the outcome after a crash.
//! - **Calls end.** Each has a deadline (10 s unless told), and what can be tried again is tried again inside it.
//! - **Tills may lose the line.** An [`Outbox`] keeps what a till does on its own disk, and delivers it once, in order.
//! - **Refusals are types.** [`Error`] has a variant with numbers for each reason of the contract.
//! - **Programs are data.** [`Preset`] reads one from a JSON file and [`Client::apply_preset`] sets it up; six that work
//!   as the points modules of well-known retail software do are part of the crate (feature `presets`, on by default).
//! - **No runtime is needed.** With the feature `blocking`, the module of that name has a client whose calls wait.
//! - **Nothing is hidden.** [`Client::raw_ledger`] and its siblings give the generated clients of [`api`].

#![forbid(unsafe_code)]

/// What the README shows is compiled with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod adjustment;
mod birthday_bonus;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod configuration_change;
mod csv;
mod entry;
mod error;
mod expiry;
mod expiry_change;
mod feed;
mod id;
mod import;
mod inactivity;
mod member;
mod member_change;
mod member_update;
mod money;
mod new_member;
mod offline;
mod operation;
mod outbox;
mod page;
#[cfg(feature = "presets")]
mod preset;
mod product;
mod program;
mod program_update;
mod reason;
mod receipt;
mod receipt_templates;
mod receipt_text;
mod redemption;
mod redemption_policy;
mod redemption_quote;
mod redemption_reversal;
mod report;
mod retry;
mod reward;
mod rule;
mod sale;
mod sale_record;
mod sale_return;
mod stand_alone;
mod sync;
mod tier;
mod verification;
mod wire;

pub use adjustment::{Adjustment, AdjustmentReceipt};
pub use birthday_bonus::BirthdayBonus;
pub use client::{Client, ClientBuilder, Connection, Credentials, EntryFeed, MemberReports, Verification};
pub use configuration_change::{
    ConfigurationChange, ConfigurationFilter, ConfigurationResource, FieldChange, ProductChange, RuleVersion,
};
pub use csv::CsvWriter;
pub use entry::{Entry, EntryFilter, EntryKind, LotMovement};
pub use error::{Error, Failure, FieldViolation};
pub use expiry::{ExpiryCounts, ExpiryRun, ExpirySchedule};
pub use expiry_change::{ExpiryChange, ExpiryChangeCounts, ExpiryForecast};
pub use feed::{ChainLink, FeedBatch, FeedCursor, FeedRequest};
pub use id::{
    AdjustmentId, HoldId, MemberId, ProductId, ProgramId, ReasonId, RedemptionId, RequestId, RewardId, RuleId,
};
pub use import::{ImportCounts, ImportProgress, ImportedMember, OpeningExpiry, OpeningLot, RefusedRow};
pub use inactivity::{Activity, InactivityPolicy};
pub use member::{
    AffordableReward, Balance, BalanceSummary, Identifier, MarketingConsent, Member, MemberBalance, MemberBlock,
    MemberFilter, MemberKey, MemberQuery, NextTier,
};
pub use member_change::{MemberChange, MemberChangeKind};
pub use member_update::MemberUpdate;
pub use money::Money;
pub use new_member::NewMember;
pub use offline::OfflinePolicy;
pub use operation::{Operation, OperationResult};
pub use outbox::{
    CutOff, Delivered, Outbox, OutboxContents, OutboxEntry, OutboxError, OutboxOptions, OutboxState, Put, RefusedEntry,
    SetAside,
};
pub use page::{Page, PageRequest};
#[cfg(feature = "presets")]
pub use preset::{AppliedPreset, Preset, PresetError};
pub use product::{Product, ProductLoad, ProductUpdate};
pub use program::{
    DocumentTreatment, DocumentType, EnrolmentPolicy, ExpiryEnd, ExpiryPeriod, ExpiryPolicy, NewProgram, Program,
    ProgramState, ProgramUnit, RatedBasis, ShortfallPolicy,
};
pub use program_update::ProgramUpdate;
pub use reason::{ApprovalLimit, NewReason, Reason, ReasonDirection, ReasonState, ReasonUpdate, Role};
pub use receipt::{
    CampaignShare, EarnReason, LineOutcome, PointsTender, QuoteToken, RateOutcome, RateSource, Receipt, RedeemedItem,
};
pub use receipt_templates::{ReceiptDocument, ReceiptTemplate, ReceiptTemplates};
pub use redemption::Redemption;
pub use redemption_policy::RedemptionPolicy;
pub use redemption_quote::{AmountCost, QuotedReward, RedemptionQuestion, RedemptionQuote};
pub use redemption_reversal::{
    PartMeasure, RedemptionPart, RedemptionReversal, ReversalReceipt, ReversedRedemption, TenderGivenBack,
};
pub use report::{Breakage, Liability, MemberReport, PointsMovement, ReportGrouping, ReportPeriod, RollForward};
pub use retry::RetryPolicy;
pub use reward::{NewReward, Reward, RewardGives, RewardTerms, RewardUpdate};
pub use rule::{Audience, Exclusion, NewRule, Rule, RuleEffect, RuleTerms, RuleUpdate, Schedule, Selector, Weekday};
pub use sale::{Customer, ReceiptLanguage, Sale, SaleLine, SaleLineFlag, Tender};
pub use sale_record::{RecordedSale, SaleFilter, SaleSummary};
pub use sale_return::{Cancellation, KeptLine, ReturnReceipt, Returned, ReturnedLine, SaleReturn};
pub use stand_alone::{
    Hold, HoldCapture, HoldReceipt, HoldRelease, HoldState, NewHold, RedemptionFilter, RedemptionPlace,
    RedemptionReceipt, RedemptionRecord, RedemptionRequest,
};
pub use sync::{QueuedOperation, SyncAnswer, SyncOutcome, SyncStatus, TillOperation};
pub use tier::{EarnRate, Rounding, SpendPeriod, Tier, TierDowngrade, TierSpendBasis, TierSpendWindow};
pub use verification::{Drift, DriftKind, DriftLot, Verified, VerifyRequest};

pub use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
/// The generated contract, for calls and fields that the typed client does not cover.
pub use loyalty_api::v1 as api;
pub use rust_decimal::Decimal;
pub use tonic::Code;
