//! The reasons of the contract that take an outage, a crowd, a broken message or astronomic numbers, provoked once each.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::api::{self as wire, ErrorReason};
use loyalty_sdk::{EarnRate, MemberKey, NewMember, NewProgram, NewRule, RedemptionPolicy, Sale};
use loyalty_server::serve::ServeOptions;
use prost::bytes::Bytes;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::harness::Shop;
use crate::harness::any_call::{call, path_with};
use crate::harness::books::Stall;
use crate::harness::database::TestDatabase;
use crate::harness::proxy::{Line, Proxy};
use crate::harness::raw::{customer, number, request_id};

type Provoked<'a> = Pin<Box<dyn Future<Output = Option<Status>> + Send + 'a>>;
type Provoke = for<'a> fn(&'a Scene) -> Provoked<'a>;

/// A reason, its code and metadata, whether callers are told when to come back, and how it comes about.
#[rustfmt::skip]
pub(crate) const REASONS: &[(ErrorReason, Code, &[&str], bool, Provoke)] = &[
    (ErrorReason::Unimplemented, Code::Unimplemented, &[], false, |scene| Box::pin(async {
        let request = Request::new(tokio_stream::once(Bytes::new()));
        path_with(&scene.shop.client.channel(), "/loyalty.v1.LedgerService/Steal", request).await.err()
    })),
    (ErrorReason::RequestTooLarge, Code::OutOfRange, &["limit_bytes"], false, |scene| Box::pin(async {
        let request = wire::GetOperationRequest { request_id: "x".repeat(3 << 20) };
        scene.shop.client.raw_ledger().get_operation(request).await.err()
    })),
    (ErrorReason::MalformedRequest, Code::InvalidArgument, &[], false, |scene| Box::pin(async {
        call(&scene.shop.client.channel(), None, "LedgerService/RecordSale", vec![vec![0xff; 9]]).await.err()
    })),
    (ErrorReason::Overloaded, Code::ResourceExhausted, &[], true, |scene| Box::pin(async {
        let lasting = (scene.lasts().await, scene.lasts().await);
        let status = scene.asks().await;
        drop(lasting);
        while scene.asks().await.is_some() {}
        status
    })),
    (ErrorReason::DatabaseUnavailable, Code::Unavailable, &[], true, |scene| Box::pin(async {
        scene.line.becomes(Line::Cut);
        let status = scene.asks().await;
        scene.line.becomes(Line::Works(Duration::ZERO));
        status
    })),
    (ErrorReason::Internal, Code::Internal, &[], false, |scene| Box::pin(async {
        let meddle = "UPDATE sale SET outcome = 'x'";
        scene.shop.database().await.batch_execute(meddle).await.expect("somebody meddles");
        let request_id = "recorded".to_owned();
        scene.shop.client.raw_ledger().get_operation(wire::GetOperationRequest { request_id }).await.err()
    })),
    (ErrorReason::DeadlineExceeded, Code::DeadlineExceeded, &[], false, |scene| Box::pin(async {
        let stall = Stall::of(&scene.shop, &scene.member_id).await;
        let mut request = Request::new(scene.sells("1"));
        request.set_timeout(Duration::from_millis(300));
        let status = scene.shop.client.raw_ledger().record_sale(request).await.err();
        stall.release().await;
        status
    })),
    (ErrorReason::TooManyHolds, Code::FailedPrecondition, &["max_holds"], false, |scene| Box::pin(async {
        for _ in 0..100 {
            scene.holds().await.expect("a hold");
        }
        scene.holds().await.err()
    })),
    (ErrorReason::LedgerRange, Code::FailedPrecondition, &["field"], false, |scene| Box::pin(async {
        scene.shop.client.raw_ledger().record_sale(scene.sells("90000000000")).await.err()
    })),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_of_the_contract_comes_with_its_code_and_tells_when_to_come_back() {
    let scene = Scene::set().await;

    for (reason, code, metadata, comes_back, provoke) in REASONS {
        let name = reason.as_str_name();
        let status = provoke(&scene).await;
        let status = status.unwrap_or_else(|| panic!("{name} was not provoked"));

        let details = status.get_error_details();
        let info = details.error_info();
        let info = info.unwrap_or_else(|| panic!("{name} came without ErrorInfo: {status:?}"));
        assert_eq!(format!("ERROR_REASON_{}", info.reason), name, "{status:?}");
        assert_eq!((info.domain.as_str(), status.code()), ("loyalty.v1", *code), "{name}");
        let given: BTreeMap<_, _> = info.metadata.iter().collect();
        assert_eq!(
            given.keys().collect::<Vec<_>>(),
            metadata.iter().collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(details.retry_info().is_some(), *comes_back, "{name}");
        assert_eq!(
            status.metadata().contains_key("grpc-retry-pushback-ms"),
            *comes_back,
            "{name}"
        );
    }
}

/// A shop that takes two calls at once and gives a million points per euro, over a line that can be cut.
pub(crate) struct Scene {
    shop: Shop,
    line: Proxy,
    member_id: String,
}

impl Scene {
    async fn set() -> Self {
        let database = TestDatabase::create().await;
        let line = Proxy::to(&database.url).await;
        let database_url = line.url.clone();
        let shop = Shop::on(database, |options| ServeOptions {
            database_url,
            calls: 2,
            ..options
        })
        .await;
        let program = NewProgram::new("Club", "EUR").program_id("club");
        let program = program.redemption(RedemptionPolicy::new(1));
        shop.client.create_program(&program).await.expect("a program");
        let rule = NewRule::new("club", "Default", EarnRate::new(1, 1_000_000));
        shop.client.create_rule(&rule).await.expect("a rule");
        let ada = NewMember::new("club").customer_id("ada");
        let ada = shop.client.enroll_member(&ada).await.expect("a member");
        let sale = Sale::new("recorded", "store-1", MemberKey::from(&ada), "EUR", 1);
        shop.client
            .with_request_id("recorded")
            .record_sale(&sale)
            .await
            .expect("a receipt");
        let member_id = ada.member_id.to_string();
        Self { shop, line, member_id }
    }

    fn sells(&self, total: &str) -> wire::RecordSaleRequest {
        let sale = wire::Sale {
            sale_id: self.shop.next_sale_id(),
            store_id: "store-1".to_owned(),
            member: customer("ada"),
            currency_code: "EUR".to_owned(),
            total: number(total),
            ..wire::Sale::default()
        };
        wire::RecordSaleRequest {
            request_id: request_id(),
            sale: Some(sale),
            ..wire::RecordSaleRequest::default()
        }
    }

    async fn asks(&self) -> Option<Status> {
        let request = wire::GetBalanceRequest {
            member: customer("ada"),
            ..wire::GetBalanceRequest::default()
        };
        self.shop.client.raw_ledger().get_balance(request).await.err()
    }

    async fn holds(&self) -> Result<(), Status> {
        let ask = number("1").map(wire::sale_redemption::Ask::Points);
        let request = wire::PlaceHoldRequest {
            request_id: request_id(),
            member: customer("ada"),
            redemptions: vec![wire::SaleRedemption {
                ask,
                ..wire::SaleRedemption::default()
            }],
            store_id: "store-1".to_owned(),
            ..wire::PlaceHoldRequest::default()
        };
        self.shop.client.raw_redemptions().place_hold(request).await.map(drop)
    }

    /// A call that lasts until it is dropped.
    async fn lasts(&self) -> tokio::sync::mpsc::Sender<wire::UpsertProductsRequest> {
        let (sender, messages) = tokio::sync::mpsc::channel(1);
        let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
        let mut client = self.shop.client.raw_programs();
        tokio::spawn(async move { client.upsert_products(messages).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        sender
    }
}
