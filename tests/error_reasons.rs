//! Every reason of the contract, provoked once: its gRPC code and the names of its metadata.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use loyalty_sdk::api::{self as wire, ErrorReason, sale_redemption::Ask};
use loyalty_sdk::{
    DocumentTreatment, EarnRate, EnrolmentPolicy, HoldCapture, MemberKey, NewHold, NewMember, NewProgram, NewReward,
    NewRule, ProductUpdate, ProgramState, ProgramUpdate, RedemptionPolicy, RedemptionRequest,
};
use loyalty_server::tenants::Role;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::failure_reasons;
use crate::harness::keys::Keys as _;
use crate::harness::raw::{customer, number, request_id};
use crate::harness::{Shop, dec};

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
        till.raw_ledger().quote_sale(wire::QuoteSaleRequest { sale: Some(sale) }).await.err()
    })),
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
    (ErrorReason::AmbiguousMember, Code::FailedPrecondition, &["program_ids"], |scene| scene.sells(|sale| sale.member = customer("everywhere"))),
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
    (ErrorReason::EtagMismatch, Code::Aborted, &["etag"], |scene| scene.archives_rule("base", "99")),
    (ErrorReason::ProgramArchived, Code::FailedPrecondition, &["program_id"], |scene| scene.rules("archived", "new")),
    (ErrorReason::RuleArchived, Code::FailedPrecondition, &["rule_id"], |scene| scene.archives_rule("old", "1")),
    (ErrorReason::RewardArchived, Code::FailedPrecondition, &["reward_id"], |scene| Box::pin(async {
        let call = wire::ArchiveRewardRequest {
            request_id: request_id(), program_id: "club".to_owned(), reward_id: "old".to_owned(), etag: "1".to_owned(),
        };
        scene.shop.client.raw_redemptions().archive_reward(call).await.err()
    })),
    (ErrorReason::RuleTie, Code::FailedPrecondition, &["rule_id"], |scene| scene.rules("club", "second")),
    (ErrorReason::IdentifierTaken, Code::AlreadyExists, &["field", "member_id"], |scene| Box::pin(async {
        let identifier = Some(wire::identifier::Identifier::CustomerId("ada".to_owned()));
        let call = wire::EnrollMemberRequest {
            request_id: request_id(), program_id: "club".to_owned(), identifiers: vec![wire::Identifier { identifier }], name: String::new(),
        ..wire::EnrollMemberRequest::default()
        };
        scene.shop.client.raw_programs().enroll_member(call).await.err()
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

/// A shop in which each reason is one call away.
struct Scene {
    shop: Shop,
    /// Key of a till in `store-1`.
    till: String,
    /// A hold of ada that was captured, one that was released, one that lapsed, and one of 2 points that lives.
    captured: String,
    released: String,
    lapsed: String,
    live: String,
}

impl Scene {
    async fn set() -> Self {
        let club = NewProgram::new("Club", "EUR")
            .redemption(RedemptionPolicy::new(dec("0.001")))
            .document_type("RETURN", DocumentTreatment::Returning)
            .document_type("IGNORED", DocumentTreatment::Ignored);
        let shop = Shop::with_program(club).await;
        let client = &shop.client;
        let old = NewRule::new("club", "Old", EarnRate::new(1, 1)).rule_id("old");
        let old = client.create_rule(&old).await.expect("a rule");
        client
            .archive_rule("club", "old", old.etag)
            .await
            .expect("an archived rule");
        let base = NewRule::new("club", "Base", EarnRate::new(1, 1)).rule_id("base");
        client.create_rule(&base).await.expect("a rule");
        let cake = ProductUpdate::new("cake").redeem_points(1);
        client.upsert_products("club", &[cake]).await.expect("a product");
        let reward = NewReward::product("club", "Old", 1, "cake").reward_id("old");
        let reward = client.create_reward(&reward).await.expect("a reward");
        client
            .archive_reward("club", "old", reward.etag)
            .await
            .expect("an archived reward");
        for id in ["archived", "paused", "plain", "limited"] {
            let program = NewProgram::new(id, "EUR").program_id(id);
            let limits = RedemptionPolicy::new(1)
                .minimum_points(2)
                .points_step(2)
                .max_points_per_sale(6);
            let program = match id {
                "limited" => program.redemption(limits.max_percent_of_sale(10)),
                "paused" => program
                    .redemption(RedemptionPolicy::new(1))
                    .document_type("IGNORED", DocumentTreatment::Ignored),
                _ => program,
            };
            let program = client.create_program(&program).await.expect("a program");
            for customer_id in [format!("of-{id}"), "everywhere".to_owned()] {
                let member = NewMember::new(id).customer_id(customer_id);
                client.enroll_member(&member).await.expect("a member");
            }
            match id {
                "archived" => drop(
                    client
                        .archive_program(id, program.etag)
                        .await
                        .expect("an archived program"),
                ),
                "paused" => {
                    let pause = ProgramUpdate::of(&program).state(ProgramState::Paused);
                    client.update_program(&pause).await.expect("a paused program");
                }
                _ => {}
            }
        }
        for id in ["swiss-1", "swiss-2"] {
            let program = NewProgram::new(id, "CHF").program_id(id);
            let program = program.enrolment(EnrolmentPolicy::auto_opt_in());
            client.create_program(&program).await.expect("a program");
        }
        let local = NewProgram::new("Local", "EUR").program_id("local");
        let local = local.enrolment(EnrolmentPolicy::default().territory("here"));
        client.create_program(&local).await.expect("a program");
        shop.enrols("eve").await;
        let ada = shop.enrols("ada").await;
        let recorded = loyalty_sdk::Sale::new("recorded", "store-1", MemberKey::customer_id("ada"), "EUR", 100);
        client
            .with_request_id("used")
            .record_sale(&recorded)
            .await
            .expect("a receipt");
        assert_eq!(ada.points().await, dec("100"));
        let blocked = shop.enrols("blocked").await;
        let blocked = client.block_member(&blocked.member, "stolen card").await;
        blocked.expect("a blocked member");
        let till = shop.tenants().await.key("default", Role::Terminal).await;
        let [captured, released, live, lapsed] = [60, 60, 60, 1].map(|seconds| {
            let two_cakes = RedemptionRequest::new("store-1", MemberKey::customer_id("ada")).redeem_product("cake", 2);
            NewHold::of(two_cakes).time_limit(Duration::from_secs(seconds))
        });
        let mut hold_ids = Vec::new();
        for hold in [captured, released, live, lapsed] {
            hold_ids.push(client.place_hold(&hold).await.expect("a hold").hold.hold_id);
        }
        let capture = HoldCapture::of(&hold_ids[0], "store-1");
        client.capture_hold(&capture).await.expect("a capture");
        client.release_hold(&hold_ids[1], None).await.expect("a release");
        shop.it_is("2026-01-15T10:00:01Z");
        let [captured, released, live, lapsed] = [0, 1, 2, 3].map(|place: usize| hold_ids[place].to_string());
        Self {
            shop,
            till,
            captured,
            released,
            lapsed,
            live,
        }
    }

    /// What a till may not ask, with a key.
    fn asks_as<'a>(&'a self, key: &'a str) -> Provoked<'a> {
        Box::pin(async {
            let client = self.shop.client_with(key).await;
            let request = wire::ListMembersRequest::default();
            client.raw_programs().list_members(request).await.err()
        })
    }

    /// A thousand euro to ada, who has a hundred points worth ten cents.
    fn sale(&self) -> wire::Sale {
        wire::Sale {
            sale_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            member: customer("ada"),
            currency_code: "EUR".to_owned(),
            total: number("1000"),
            ..wire::Sale::default()
        }
    }

    async fn records(&self, request_id: String, sale: wire::Sale) -> Option<Status> {
        let sale = Some(sale);
        let call = wire::RecordSaleRequest { request_id, sale };
        self.shop.client.raw_ledger().record_sale(call).await.err()
    }

    fn sells(&self, spoil: fn(&mut wire::Sale)) -> Provoked<'_> {
        let mut sale = self.sale();
        spoil(&mut sale);
        Box::pin(self.records(request_id(), sale))
    }

    /// A sale of a program with limits: at least 2 points, in steps of 2, at most 6 points and 10 % of it.
    fn limited(&self, asked: &str) -> Provoked<'_> {
        let mut sale = self.sale();
        sale.member = customer("of-limited");
        sale.total = number("100");
        sale.redemptions.push(points(asked));
        Box::pin(self.records(request_id(), sale))
    }

    fn sells_as(&self, request_id: &str) -> Provoked<'_> {
        Box::pin(self.records(request_id.to_owned(), self.sale()))
    }

    fn captures(&self, hold_id: &str, customer_id: &str) -> Provoked<'_> {
        self.captures_asks(hold_id, customer(customer_id), Vec::new())
    }

    fn captures_more(&self, hold_id: &str) -> Provoked<'_> {
        let mut three_cakes = product("cake");
        if let Some(Ask::Product(asked)) = &mut three_cakes.ask {
            asked.quantity = number("3");
        }
        self.captures_asks(hold_id, None, vec![three_cakes])
    }

    fn captures_asks(
        &self,
        hold_id: &str,
        member: Option<wire::MemberKey>,
        redemptions: Vec<wire::SaleRedemption>,
    ) -> Provoked<'_> {
        let call = wire::CaptureHoldRequest {
            request_id: request_id(),
            hold_id: hold_id.to_owned(),
            member,
            redemptions,
            store_id: "store-1".to_owned(),
            ..wire::CaptureHoldRequest::default()
        };
        Box::pin(async { self.shop.client.raw_redemptions().capture_hold(call).await.err() })
    }

    fn rules(&self, program_id: &str, rule_id: &str) -> Provoked<'_> {
        let earn_rate = wire::EarnRate {
            amount: number("1"),
            points: number("1"),
            ..wire::EarnRate::default()
        };
        let rule = wire::Rule {
            program_id: program_id.to_owned(),
            rule_id: rule_id.to_owned(),
            name: "Rule".to_owned(),
            effect: Some(wire::rule::Effect::EarnRate(earn_rate)),
            ..wire::Rule::default()
        };
        let rule = Some(rule);
        let request_id = request_id();
        let call = wire::CreateRuleRequest { request_id, rule };
        Box::pin(async { self.shop.client.raw_rules().create_rule(call).await.err() })
    }

    fn archives_rule(&self, rule_id: &str, etag: &str) -> Provoked<'_> {
        let call = wire::ArchiveRuleRequest {
            request_id: request_id(),
            program_id: "club".to_owned(),
            rule_id: rule_id.to_owned(),
            etag: etag.to_owned(),
        };
        Box::pin(async { self.shop.client.raw_rules().archive_rule(call).await.err() })
    }
}

/// One of a product.
fn product(product_id: &str) -> wire::SaleRedemption {
    let ask = Ask::Product(wire::ProductRedemption {
        product_id: product_id.to_owned(),
        quantity: None,
    });
    wire::SaleRedemption {
        ask: Some(ask),
        ..wire::SaleRedemption::default()
    }
}

fn points(value: &str) -> wire::SaleRedemption {
    let ask = number(value).map(Ask::Points);
    wire::SaleRedemption {
        ask,
        ..wire::SaleRedemption::default()
    }
}
