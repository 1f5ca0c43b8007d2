//! Who may make which call, and which of its fields say where it takes place: one row for each call of the contract.
//! `docs/access.md` shows this table to people; tests hold both against the contract.

use std::collections::HashMap;

use loyalty_api::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::domain::access::Role;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Service and method, without the package.
    call: &'static str,
    pub(super) roles: &'static [Role],
    /// Fields that say where the act takes place: they come from the caller's key, or must not contradict it.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "handlers name the fields themselves; tests compare")
    )]
    acts_at: &'static [&'static str],
    /// Fields in which operations of a stream say where they take place: each is refused on its own.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the operations' own calls name the fields; tests compare")
    )]
    each_at: &'static [&'static str],
    /// Fields that name a store or terminal of which something is told: any of the merchant.
    #[cfg_attr(not(test), expect(dead_code, reason = "shows that somebody decided"))]
    tells_of: &'static [&'static str],
}

impl Rule {
    const fn acts_at(self, acts_at: &'static [&'static str]) -> Self {
        Self { acts_at, ..self }
    }

    const fn each_at(self, each_at: &'static [&'static str]) -> Self {
        Self { each_at, ..self }
    }

    const fn tells_of(self, tells_of: &'static [&'static str]) -> Self {
        Self { tells_of, ..self }
    }
}

const fn call(call: &'static str, roles: &'static [Role]) -> Rule {
    Rule {
        call,
        roles,
        acts_at: &[],
        each_at: &[],
        tells_of: &[],
    }
}

/// What changes nothing and a till shows.
const ALL: &[Role] = &Role::ALL;
/// What a till does.
const SELL: &[Role] = &[Role::Terminal, Role::BackOffice, Role::Operator];
/// What is looked at in the office.
const LOOK: &[Role] = &[Role::BackOffice, Role::ReadOnly, Role::Operator];
/// What the office does for single members.
const CARE: &[Role] = &[Role::BackOffice, Role::Operator];
/// What changes the terms for everybody.
const CONFIGURE: &[Role] = &[Role::Operator];

/// The place of a sale.
const OF_SALE: &[&str] = &["sale.store_id", "sale.terminal_id"];

/// The place of a return.
const OF_RETURN: &[&str] = &["sale_return.store_id", "sale_return.terminal_id"];
/// The place of what is no sale.
const HERE: &[&str] = &["store_id", "terminal_id"];

/// Where a rule of earning applies.
const OF_RULE: &[&str] = &["rule.selector.store_ids", "rule.selector.terminal_ids"];

const RULES: &[Rule] = &[
    call("ProgramService/CreateProgram", CONFIGURE),
    call("ProgramService/GetProgram", ALL),
    call("ProgramService/ListPrograms", ALL),
    call("ProgramService/UpdateProgram", CONFIGURE),
    call("ProgramService/ArchiveProgram", CONFIGURE),
    call("ProgramService/UpsertProducts", CONFIGURE),
    call("ProgramService/GetProduct", ALL),
    call("ProgramService/ListProducts", ALL),
    call("ProgramService/PreviewExpiryPolicy", LOOK),
    call("ProgramService/ApplyExpiryPolicy", CONFIGURE),
    call("ProgramService/ListConfigurationChanges", LOOK),
    call("ProgramService/ListProductChanges", LOOK),
    call("ProgramService/EnrollMember", SELL),
    call("ProgramService/ImportMembers", CONFIGURE),
    call("ProgramService/LookupMember", ALL),
    call("ProgramService/GetMember", LOOK),
    call("ProgramService/ListMembers", LOOK),
    call("ProgramService/UpdateMember", CARE),
    call("ProgramService/BlockMember", CARE),
    call("ProgramService/UnblockMember", CARE),
    call("ProgramService/OptOutMember", CARE),
    call("ProgramService/OptInMember", CARE),
    call("ProgramService/ReplaceIdentifier", CARE),
    call("ProgramService/MergeMembers", CARE),
    call("ProgramService/EraseMember", CARE),
    call("ProgramService/ListMemberChanges", LOOK),
    call("RuleService/CreateRule", CONFIGURE).tells_of(OF_RULE),
    call("RuleService/GetRule", LOOK),
    call("RuleService/ListRules", LOOK),
    call("RuleService/UpdateRule", CONFIGURE).tells_of(OF_RULE),
    call("RuleService/ArchiveRule", CONFIGURE),
    call("RuleService/ListRuleVersions", LOOK),
    call("LedgerService/QuoteSale", ALL).acts_at(OF_SALE),
    call("LedgerService/RecordSale", SELL).acts_at(OF_SALE),
    call("LedgerService/QuoteReturn", ALL)
        .acts_at(OF_RETURN)
        .tells_of(&["sale_return.sale_store_id"]),
    call("LedgerService/ReturnSale", SELL)
        .acts_at(OF_RETURN)
        .tells_of(&["sale_return.sale_store_id"]),
    call("LedgerService/CancelSale", SELL)
        .acts_at(&["store_id", "terminal_id"])
        .tells_of(&["sale_store_id"]),
    call("LedgerService/SyncSales", SELL)
        .each_at(&[
            "record_sale.sale.store_id",
            "record_sale.sale.terminal_id",
            "return_sale.sale_return.store_id",
            "return_sale.sale_return.terminal_id",
            "cancel_sale.store_id",
            "cancel_sale.terminal_id",
            "capture_hold.store_id",
            "capture_hold.terminal_id",
        ])
        .tells_of(&["return_sale.sale_return.sale_store_id", "cancel_sale.sale_store_id"]),
    call("LedgerService/GetOfflinePolicy", ALL),
    call("LedgerService/SetOfflinePolicy", CONFIGURE),
    call("LedgerService/GetReceiptTemplates", ALL),
    call("LedgerService/SetReceiptTemplates", CONFIGURE),
    call("LedgerService/AdjustPoints", SELL).acts_at(&["store_id", "terminal_id"]),
    call("LedgerService/CreateReason", CONFIGURE),
    call("LedgerService/ListReasons", ALL),
    call("LedgerService/UpdateReason", CONFIGURE),
    call("LedgerService/GetBalance", ALL),
    call("LedgerService/GetSale", ALL).tells_of(&["store_id"]),
    call("LedgerService/ListSales", LOOK).tells_of(&["store_id"]),
    call("LedgerService/ListEntries", LOOK).tells_of(&["store_id", "terminal_id", "sale_store_id"]),
    call("LedgerService/StreamEntries", LOOK),
    call("LedgerService/ReportMembers", LOOK),
    call("LedgerService/GetRollForward", LOOK),
    call("LedgerService/GetLiability", LOOK),
    call("LedgerService/VerifyLedger", LOOK),
    call("LedgerService/GetExpirySchedule", LOOK),
    call("LedgerService/SetExpirySchedule", CONFIGURE),
    call("LedgerService/RunExpiry", CARE),
    call("LedgerService/GetOperation", ALL),
    call("RedemptionService/CreateReward", CONFIGURE),
    call("RedemptionService/GetReward", ALL),
    call("RedemptionService/ListRewards", ALL),
    call("RedemptionService/UpdateReward", CONFIGURE),
    call("RedemptionService/ArchiveReward", CONFIGURE),
    call("RedemptionService/QuoteRedemption", ALL),
    call("RedemptionService/Redeem", SELL).acts_at(HERE),
    call("RedemptionService/PlaceHold", SELL).acts_at(HERE),
    call("RedemptionService/CaptureHold", SELL).acts_at(HERE),
    call("RedemptionService/ReleaseHold", SELL),
    call("RedemptionService/ReverseRedemption", SELL).acts_at(HERE),
    call("RedemptionService/GetRedemption", ALL),
    call("RedemptionService/ListRedemptions", LOOK).tells_of(&["store_id"]),
    call("RedemptionService/ListHolds", LOOK).tells_of(&["store_id"]),
];

/// Services of other packages that answer anybody: they tell whether the server is well and what the contract is,
/// nothing of a merchant.
const OPEN: [&str; 3] = [
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
    "/grpc.reflection.v1alpha.ServerReflection/",
];

/// What is asked of the caller of a path.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// Nothing.
    Nothing,
    /// A key of one of these roles, and whether answers stream.
    Role(&'static [Role], bool),
    /// A key: there is no such call, which is nobody else's business.
    Key,
}

/// The table by path.
#[derive(Debug)]
pub(super) struct AccessTable(HashMap<String, (Rule, bool)>);

impl AccessTable {
    pub(super) fn new() -> Self {
        let streams = streaming_calls();
        let row = |rule: &Rule| {
            let path = format!("/loyalty.v1.{}", rule.call);
            let is_stream = streams.contains(&path);
            (path, (*rule, is_stream))
        };
        Self(RULES.iter().map(row).collect())
    }

    /// What the call of this path is called where calls are counted, and whether answers stream.
    pub(super) fn name(&self, path: &str) -> (&'static str, bool) {
        match self.0.get(path) {
            Some((rule, is_stream)) => (rule.call, *is_stream),
            None if path.starts_with(OPEN[0]) => ("Health", true),
            None if OPEN.iter().any(|open| path.starts_with(open)) => ("ServerReflection", true),
            // Whatever a stranger makes up is one name.
            None => ("unknown", false),
        }
    }

    /// What is asked of the caller of this path.
    pub(super) fn asked(&self, path: &str) -> Asked {
        match self.0.get(path) {
            Some((rule, is_stream)) => Asked::Role(rule.roles, *is_stream),
            None if OPEN.iter().any(|open| path.starts_with(open)) => Asked::Nothing,
            None => Asked::Key,
        }
    }
}

/// Paths of the calls that are answered with many messages.
fn streaming_calls() -> Vec<String> {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default();
    let mut paths = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let streams = service.method.iter().filter(|method| method.server_streaming());
            paths.extend(streams.map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())));
        }
    }
    paths
}

#[cfg(test)]
mod tests;
