//! The only room that knows protobuf: a file per service, conversions at the edge, errors as `google.rpc` details.

mod access;
mod adjustment_calls;
mod auth;
mod balance_calls;
mod browsers;
mod convert;
mod deadline;
mod entry_calls;
mod evaluation;
mod expiry_calls;
mod expiry_change_calls;
mod feed_calls;
mod feed_cursor;
mod fields;
mod foreign;
mod gate;
mod history_calls;
mod hold_calls;
mod import_calls;
mod keys;
mod ledger_service;
mod limits;
mod made_list;
mod member_calls;
mod member_changes;
mod member_list;
mod member_lookup;
mod merge_calls;
mod offline_calls;
mod page_token;
mod product_calls;
mod program_service;
mod quote_calls;
mod receipt_calls;
mod recorded_sale_calls;
mod redemption_calls;
mod redemption_service;
mod report_calls;
mod return_calls;
mod rule_service;
mod sale_calls;
mod status;
mod streaming;
mod sync_calls;
mod verify_calls;
mod watched;

use std::sync::Arc;

use loyalty_api::v1::ledger_service_server::LedgerServiceServer;
use loyalty_api::v1::program_service_server::ProgramServiceServer;
use loyalty_api::v1::redemption_service_server::RedemptionServiceServer;
use loyalty_api::v1::rule_service_server::RuleServiceServer;

pub(crate) use browsers::Browsers;
pub use evaluation::{EvaluatedSale, Evaluation};
pub(crate) use gate::Gate;
pub(crate) use quote_calls::Quotes;
pub(crate) use streaming::Streams;

use crate::jobs::{Clock, Jobs};
use crate::posting::Posting;
use crate::storage::connection::Database;
use crate::storage::program_cache::ProgramCache;

/// Largest request: a sale of 1,000 lines with every text as long as it may be takes 0.6 MB.
const REQUEST_LIMIT_BYTES: usize = 2 << 20;

/// What every handler needs.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) database: Database,
    pub(crate) posting: Arc<Posting>,
    pub(crate) programs: ProgramCache,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) streams: Streams,
    pub(crate) quotes: Quotes,
}

/// The program service on its context.
pub(crate) fn program_service(context: &Arc<Context>) -> ProgramServiceServer<program_service::Programs> {
    ProgramServiceServer::new(program_service::Programs(Arc::clone(context)))
        .max_decoding_message_size(REQUEST_LIMIT_BYTES)
}

/// The rule service on its context.
pub(crate) fn rule_service(context: &Arc<Context>) -> RuleServiceServer<rule_service::Rules> {
    RuleServiceServer::new(rule_service::Rules(Arc::clone(context))).max_decoding_message_size(REQUEST_LIMIT_BYTES)
}

/// The redemption service on its context.
pub(crate) fn redemption_service(context: &Arc<Context>) -> RedemptionServiceServer<redemption_service::Redemptions> {
    RedemptionServiceServer::new(redemption_service::Redemptions(Arc::clone(context)))
        .max_decoding_message_size(REQUEST_LIMIT_BYTES)
}

/// The ledger service on its context.
pub(crate) fn ledger_service(context: &Arc<Context>) -> LedgerServiceServer<ledger_service::Ledger> {
    LedgerServiceServer::new(ledger_service::Ledger(Arc::clone(context))).max_decoding_message_size(REQUEST_LIMIT_BYTES)
}
