//! Every reason of the contract, provoked once: its gRPC code and the names of its metadata.

mod quotes;
mod scene;

use std::collections::BTreeMap;
use std::pin::Pin;

use loyalty_sdk::MemberKey;
use loyalty_sdk::api::{self as wire, ErrorReason, sale_return::Returned};
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use self::scene::{Scene, points, product};
use crate::failure_reasons;
use crate::harness::raw::{customer, number, request_id};

type Provoked<'a> = Pin<Box<dyn Future<Output = Option<Status>> + Send + 'a>>;
type Provoke = for<'a> fn(&'a Scene) -> Provoked<'a>;

/// A reason, the code and the metadata that the contract gives it, and how it comes about.
#[rustfmt::skip]
const REASONS: &[(ErrorReason, Code, &[&str], Provoke)] = &[
    (ErrorReason::Unauthenticated, Code::Unauthenticated, &[], |scene| scene.asks_as("nobody")),
    (ErrorReason::RoleNotAllowed, Code::PermissionDenied, &["role", "call"], |scene| scene.asks_as(&scene.till)),
    (ErrorReason::InvalidField, Code::InvalidArgument, &[], |scene| scene.sells(|sale| sale.total = None)),
    (ErrorReason::PlaceMismatch, Code::PermissionDenied, &["field", "allowed"], |scene| Box::pin(async {
        let till = scene.shop.client_with(&scene.till).await;
        let sale = wire::Sale { store_id: "store-2".to_owned(), ..scene.sale() };
        till.raw_ledger().quote_sale(wire::QuoteSaleRequest { sale: Some(sale), ..wire::QuoteSaleRequest::default() }).await.err()
    })),
    (ErrorReason::QuoteTokenInvalid, Code::InvalidArgument, &["field"], |scene| scene.sells_quoted(|sale| sale.quote_token = "00".to_owned())),
    (ErrorReason::QuoteOfOtherMerchant, Code::FailedPrecondition, &["field"], Scene::sells_as_quoted_elsewhere),
    (ErrorReason::QuoteOfOtherBasket, Code::FailedPrecondition, &["field"], |scene| scene.sells_quoted(|sale| sale.total = number("999"))),
    (ErrorReason::RequestIdReused, Code::AlreadyExists, &["request_id"], |scene| scene.sells_as("used")),
    (ErrorReason::OperationNotFound, Code::NotFound, &["request_id"], |scene| Box::pin(async {
        let request_id = "never-used".to_owned();
        scene.shop.client.raw_ledger().get_operation(wire::GetOperationRequest { request_id }).await.err()
    })),
    (ErrorReason::ProgramNotFound, Code::NotFound, &["program_id"], |scene| scene.sells(|sale| sale.program_id = "nowhere".to_owned())),
    (ErrorReason::RuleNotFound, Code::NotFound, &["program_id", "rule_id"], |scene| Box::pin(async {
        let (program_id, rule_id) = ("club".to_owned(), "nothing".to_owned());
        scene.shop.client.raw_rules().get_rule(wire::GetRuleRequest { program_id, rule_id }).await.err()
    })),
    (ErrorReason::RewardNotFound, Code::NotFound, &["program_id", "reward_id"], |scene| Box::pin(async {
        let (program_id, reward_id) = ("club".to_owned(), "nothing".to_owned());
        scene.shop.client.raw_redemptions().get_reward(wire::GetRewardRequest { program_id, reward_id }).await.err()
    })),
    (ErrorReason::ProductNotFound, Code::NotFound, &["program_id", "product_id"], |scene| Box::pin(async {
        let (program_id, product_id) = ("club".to_owned(), "nothing".to_owned());
        scene.shop.client.raw_programs().get_product(wire::GetProductRequest { program_id, product_id }).await.err()
    })),
    (ErrorReason::HoldNotFound, Code::NotFound, &["hold_id"], |scene| scene.captures("no hold", "ada")),
    (ErrorReason::RedemptionNotFound, Code::NotFound, &["redemption_id"], |scene| Box::pin(async {
        let redemption_id = "no redemption".to_owned();
        scene.shop.client.raw_redemptions().get_redemption(wire::GetRedemptionRequest { redemption_id }).await.err()
    })),
    (ErrorReason::MemberNotFound, Code::NotFound, &["field"], |scene| scene.sells(|sale| sale.member = customer("nobody"))),
    (ErrorReason::IdentifierNotFound, Code::NotFound, &["field"], |scene| scene.replaces(Some("nothing"), Some("new"))),
    (ErrorReason::SaleNotFound, Code::NotFound, &["store_id", "sale_id"], |scene| scene.returns(|sale_return| sale_return.sale_id = "unknown".to_owned())),
    (ErrorReason::AmbiguousMember, Code::FailedPrecondition, &["program_ids"], |scene| scene.sells(|sale| sale.member = customer("everywhere"))),
    (ErrorReason::ReasonNotFound, Code::NotFound, &["reason_id"], |scene| scene.adjusts("nothing", "1")),
    (ErrorReason::AmbiguousOptIn, Code::FailedPrecondition, &["program_ids"], |scene| scene.sells(|sale| {
        sale.member = customer("newcomer");
        sale.currency_code = "CHF".to_owned();
    })),
    (ErrorReason::ProgramExists, Code::AlreadyExists, &["program_id"], |scene| Box::pin(async {
        let program = wire::Program {
            program_id: "club".to_owned(), name: "Club".to_owned(), currency_code: "EUR".to_owned(), ..Default::default()
        };
        let call = wire::CreateProgramRequest { request_id: request_id(), program: Some(program) };
        scene.shop.client.raw_programs().create_program(call).await.err()
    })),
    (ErrorReason::RuleExists, Code::AlreadyExists, &["program_id", "rule_id"], |scene| scene.rules("club", "base")),
    (ErrorReason::RewardExists, Code::AlreadyExists, &["program_id", "reward_id"], |scene| Box::pin(async {
        let reward = wire::Reward {
            program_id: "club".to_owned(), reward_id: "old".to_owned(), name: "Old".to_owned(), points: number("1"),
            gives: Some(wire::reward::Gives::ProductId("cake".to_owned())), ..wire::Reward::default()
        };
        let call = wire::CreateRewardRequest { request_id: request_id(), reward: Some(reward) };
        scene.shop.client.raw_redemptions().create_reward(call).await.err()
    })),
    (ErrorReason::ReasonExists, Code::AlreadyExists, &["reason_id"], |scene| Box::pin(async {
        let reason = wire::Reason {
            reason_id: "gift".to_owned(), name: "Gift".to_owned(), direction: wire::ReasonDirection::Adds.into(), ..wire::Reason::default()
        };
        let call = wire::CreateReasonRequest { request_id: request_id(), reason: Some(reason) };
        scene.shop.client.raw_ledger().create_reason(call).await.err()
    })),
    (ErrorReason::EtagMismatch, Code::Aborted, &["etag"], |scene| scene.archives_rule("base", "99")),
    (ErrorReason::ProgramArchived, Code::FailedPrecondition, &["program_id"], |scene| scene.rules("archived", "new")),
    (ErrorReason::RuleArchived, Code::FailedPrecondition, &["rule_id"], |scene| scene.archives_rule("old", "1")),
    (ErrorReason::RewardArchived, Code::FailedPrecondition, &["reward_id"], |scene| Box::pin(async {
        let call = wire::ArchiveRewardRequest {
            request_id: request_id(), program_id: "club".to_owned(), reward_id: "old".to_owned(), etag: "1".to_owned(),
        };
        scene.shop.client.raw_redemptions().archive_reward(call).await.err()
    })),
    (ErrorReason::ReasonArchived, Code::FailedPrecondition, &["reason_id"], |scene| scene.adjusts("former", "1")),
    (ErrorReason::RuleTie, Code::FailedPrecondition, &["rule_id"], |scene| scene.rules("club", "second")),
    (ErrorReason::IdentifierTaken, Code::AlreadyExists, &["field", "member_id"], |scene| Box::pin(async {
        let identifier = Some(wire::identifier::Identifier::CustomerId("ada".to_owned()));
        let call = wire::EnrollMemberRequest {
            request_id: request_id(), program_id: "club".to_owned(), identifiers: vec![wire::Identifier { identifier }], name: String::new(),
        ..wire::EnrollMemberRequest::default()
        };
        scene.shop.client.raw_programs().enroll_member(call).await.err()
    })),
    (ErrorReason::IdentifierLimit, Code::FailedPrecondition, &["field"], |scene| scene.replaces(Some("blocked"), None)),
    (ErrorReason::MemberMerged, Code::FailedPrecondition, &["member_id", "merged_into"], |scene| Box::pin(async {
        let gone = scene.shop.enrols("gone").await.member.member_id;
        assert_eq!(scene.merges(&gone).await.err().map(|status| status.code()), None);
        scene.merges(&gone).await.err()
    })),
    (ErrorReason::MergeAcrossPrograms, Code::FailedPrecondition, &["program_id", "merged_program_id"], |scene| Box::pin(async {
        let (other, _) = scene.shop.client.lookup_member(MemberKey::customer_id("of-paused")).await.ok()?;
        scene.merges(&other.member_id).await.err()
    })),
    (ErrorReason::NotEligible, Code::FailedPrecondition, &["program_id", "field"], |scene| Box::pin(async {
        let identifier = Some(wire::identifier::Identifier::CustomerId("outsider".to_owned()));
        let call = wire::EnrollMemberRequest {
            request_id: request_id(), program_id: "local".to_owned(), identifiers: vec![wire::Identifier { identifier }],
            territory: "abroad".to_owned(), ..wire::EnrollMemberRequest::default()
        };
        scene.shop.client.raw_programs().enroll_member(call).await.err()
    })),
    (ErrorReason::SaleIdConflict, Code::AlreadyExists, &["store_id", "sale_id"], |scene| scene.sells(|sale| sale.sale_id = "recorded".to_owned())),
    (ErrorReason::ImportRowConflict, Code::AlreadyExists, &["import_id", "row_number"], |scene| scene.imports_twice()),
    (ErrorReason::ReturnIdConflict, Code::AlreadyExists, &["store_id", "return_id"], |scene| scene.returns(|sale_return| {
        sale_return.return_id = "returned".to_owned();
        sale_return.returned = Some(Returned::Rest(true));
    })),
    (ErrorReason::SaleCancelled, Code::FailedPrecondition, &["store_id", "sale_id"], |scene| scene.returns(|sale_return| sale_return.sale_id = "cancelled".to_owned())),
    (ErrorReason::QuoteOfOtherMember, Code::FailedPrecondition, &["field"], |scene| scene.sells_quoted(|sale| sale.member = customer("eve"))),
    (ErrorReason::QuoteExpired, Code::FailedPrecondition, &["expires_at"], Scene::sells_quoted_too_late),
    (ErrorReason::MemberErased, Code::FailedPrecondition, &["erased_at"], |scene| Box::pin(async {
        let nobody = scene.shop.enrols("forgotten").await.member.member_id;
        scene.shop.client.erase_member(&nobody).await.ok()?;
        scene.merges(&nobody).await.err()
    })),
    (ErrorReason::CurrencyMismatch, Code::InvalidArgument, &["field", "currency_code"], |scene| scene.sells(|sale| sale.currency_code = "USD".to_owned())),
    (ErrorReason::TimeOutOfRange, Code::InvalidArgument, &["field", "earliest", "latest"], |scene| scene.sells(|sale| {
        sale.occurred_at = Some(prost_types::Timestamp { seconds: 0, nanos: 0 });
    })),
    (ErrorReason::DocumentTypeRefused, Code::FailedPrecondition, &["document_type"], |scene| scene.sells(|sale| sale.document_type = "RETURN".to_owned())),
    (ErrorReason::HoldOfOtherMember, Code::FailedPrecondition, &["hold_id"], |scene| scene.captures(&scene.captured, "eve")),
    (ErrorReason::HoldCaptured, Code::FailedPrecondition, &["hold_id", "redemption_id"], |scene| scene.captures(&scene.captured, "ada")),
    (ErrorReason::HoldReleased, Code::FailedPrecondition, &["hold_id"], |scene| scene.captures(&scene.released, "ada")),
    (ErrorReason::HoldLapsed, Code::FailedPrecondition, &["hold_id", "lapses_at"], |scene| scene.captures(&scene.lapsed, "ada")),
    (ErrorReason::ExceedsHold, Code::FailedPrecondition, &["field", "held"], |scene| scene.captures_more(&scene.live)),
    (ErrorReason::ExceedsRedeemed, Code::FailedPrecondition, &["field", "left"], Scene::reverses_more),
    (ErrorReason::NothingToReturn, Code::FailedPrecondition, &["store_id", "sale_id"], |scene| scene.returns(|sale_return| sale_return.sale_id = "returned".to_owned())),
    (ErrorReason::ReturnExceedsSold, Code::FailedPrecondition, &["field", "requested", "left"], |scene| scene.returns(|sale_return| {
        sale_return.returned = number("100.01").map(Returned::Amount);
    })),
    (ErrorReason::RedemptionClosed, Code::FailedPrecondition, &["program_id", "state"], |scene| scene.sells(|sale| {
        sale.member = customer("of-paused");
        sale.redemptions.push(points("1"));
    })),
    (ErrorReason::MemberBlocked, Code::FailedPrecondition, &["block_reason"], |scene| scene.sells(|sale| {
        sale.member = customer("blocked");
        sale.redemptions.push(points("1"));
    })),
    (ErrorReason::RedemptionNotOffered, Code::FailedPrecondition, &["program_id"], |scene| scene.sells(|sale| {
        sale.member = customer("of-plain");
        sale.redemptions.push(points("1"));
    })),
    (ErrorReason::TooManyDecimals, Code::InvalidArgument, &["field", "decimals"], |scene| scene.sells(|sale| sale.redemptions.push(points("1.5")))),
    (ErrorReason::ProductNotRedeemable, Code::FailedPrecondition, &["program_id", "product_id"], |scene| scene.sells(|sale| {
        sale.redemptions.push(product("tea"));
    })),
    (ErrorReason::ExceedsSaleLines, Code::FailedPrecondition, &["product_id", "quantity", "available"], |scene| scene.sells(|sale| {
        let line = wire::SaleLine { product_id: "cake".to_owned(), quantity: number("0.5"), amount: number("1000"), ..wire::SaleLine::default() };
        sale.lines.push(line);
        sale.redemptions.push(product("cake"));
    })),
    (ErrorReason::ExceedsDue, Code::FailedPrecondition, &["amount", "due"], |scene| scene.sells(|sale| sale.redemptions.push(points("5000000")))),
    (ErrorReason::ExceedsSaleShare, Code::FailedPrecondition, &["amount", "max_amount"], |scene| scene.limited("11")),
    (ErrorReason::NothingToRedeem, Code::FailedPrecondition, &["points", "amount"], |scene| scene.sells(|sale| sale.redemptions.push(points("1")))),
    (ErrorReason::BelowMinimumPoints, Code::FailedPrecondition, &["points", "minimum_points"], |scene| scene.limited("1")),
    (ErrorReason::NotInSteps, Code::FailedPrecondition, &["points", "points_step"], |scene| scene.limited("3")),
    (ErrorReason::ExceedsMaximumPoints, Code::FailedPrecondition, &["points", "max_points"], |scene| scene.limited("8")),
    (ErrorReason::ApprovalLimitExceeded, Code::FailedPrecondition, &["role", "points", "max_points"], |scene| scene.adjusts("gift", "6")),
    (ErrorReason::InsufficientPoints, Code::FailedPrecondition, &["available", "requested"], |scene| scene.sells(|sale| sale.redemptions.push(points("50000")))),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_of_the_contract_comes_with_its_code_and_its_metadata() {
    let scene = Scene::set().await;

    for (reason, code, metadata, provoke) in REASONS {
        let name = reason.as_str_name();
        let status = provoke(&scene)
            .await
            .unwrap_or_else(|| panic!("{name} was not provoked"));

        let details = status.get_error_details();
        let info = details
            .error_info()
            .unwrap_or_else(|| panic!("{name} came without ErrorInfo: {status:?}"));
        assert_eq!(format!("ERROR_REASON_{}", info.reason), name, "{status:?}");
        assert_eq!(info.domain, "loyalty.v1", "{name}");
        assert_eq!(status.code(), *code, "{name}");
        let given: BTreeMap<_, _> = info.metadata.iter().collect();
        let mut expected = metadata.to_vec();
        expected.sort_unstable();
        assert_eq!(
            given.keys().collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>(),
            "{name}: {given:?}"
        );
        assert!(given.values().all(|value| !value.is_empty()), "{name}: {given:?}");
        assert_eq!(
            details.bad_request().is_some(),
            *code == Code::InvalidArgument,
            "{name}"
        );
        assert_eq!(
            details.precondition_failure().is_some(),
            *code == Code::FailedPrecondition,
            "{name}"
        );
    }
}

#[test]
fn every_reason_of_the_contract_is_provoked_the_refusals_in_the_order_of_precedence() {
    let set = FileDescriptorSet::decode(loyalty_api::FILE_DESCRIPTOR_SET).expect("the contract");
    let declared = set.file.iter().flat_map(|file| &file.enum_type);
    let declared = declared.filter(|declared| declared.name() == "ErrorReason");
    let in_contract: Vec<ErrorReason> = declared
        .flat_map(|declared| &declared.value)
        .filter_map(|value| ErrorReason::try_from(value.number()).ok())
        .collect();

    let told: Vec<ErrorReason> = REASONS.iter().map(|(reason, ..)| *reason).collect();
    let to_be_told: Vec<ErrorReason> = in_contract
        .into_iter()
        .filter(|reason| *reason != ErrorReason::Unspecified)
        .filter(|reason| failure_reasons::REASONS.iter().all(|(failure, ..)| failure != reason))
        .collect();

    assert_eq!(told, to_be_told);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_reasons_the_first_of_the_contract_is_answered() {
    let scene = Scene::set().await;
    type Spoil = fn(&mut wire::Sale);
    let spoils: [(ErrorReason, Spoil); 9] = [
        (ErrorReason::ProgramNotFound, |sale| {
            sale.program_id = "nowhere".to_owned()
        }),
        (ErrorReason::SaleIdConflict, |sale| sale.sale_id = "recorded".to_owned()),
        (ErrorReason::CurrencyMismatch, |sale| {
            sale.currency_code = "USD".to_owned()
        }),
        (ErrorReason::TimeOutOfRange, |sale| {
            sale.occurred_at = Some(prost_types::Timestamp::default());
        }),
        (ErrorReason::DocumentTypeRefused, |sale| {
            sale.document_type = "IGNORED".to_owned()
        }),
        (ErrorReason::RedemptionClosed, |sale| {
            sale.member = customer("of-paused")
        }),
        (ErrorReason::MemberBlocked, |sale| sale.member = customer("blocked")),
        (ErrorReason::TooManyDecimals, |sale| {
            sale.redemptions.push(points("0.5"))
        }),
        (ErrorReason::ExceedsDue, |sale| {
            sale.redemptions.insert(0, points("5000000"))
        }),
    ];

    for first in 0..spoils.len() {
        let mut sale = scene.sale();
        for (_, spoil) in spoils[first..].iter().rev() {
            spoil(&mut sale);
        }
        let status = scene.records(request_id(), sale).await.expect("a refusal");

        let reason = status
            .get_error_details()
            .error_info()
            .map(|info| format!("ERROR_REASON_{}", info.reason));
        assert_eq!(reason.as_deref(), Some(spoils[first].0.as_str_name()));
    }
}
