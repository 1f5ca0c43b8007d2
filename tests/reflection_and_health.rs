//! S3: what grpcurl and load balancers ask: health of each service, and descriptors without proto files.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::Shop;

const SERVICES: [&str; 4] = [
    "loyalty.v1.LedgerService",
    "loyalty.v1.ProgramService",
    "loyalty.v1.RedemptionService",
    "loyalty.v1.RuleService",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_serves_is_healthy_as_a_whole_and_for_each_service() {
    let shop = Shop::empty().await;
    let mut health = HealthClient::new(shop.client.channel());
    let mut ask = async |service: &str| {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        health.check(request).await.map(|answer| answer.into_inner().status())
    };

    for service in SERVICES.into_iter().chain([""]) {
        let status = ask(service).await.expect("a status");

        assert_eq!(status, ServingStatus::Serving, "{service:?}");
    }
    let unknown = ask("loyalty.v1.NoService").await.expect_err("no such service");
    assert_eq!(unknown.code(), tonic::Code::NotFound);
}

/// One version of the reflection service: they differ in their package only.
macro_rules! reflection {
    ($module:ident, $version:ident) => {
        mod $module {
            use tonic::Code;
            use tonic::transport::Channel;
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
            };

            async fn ask(channel: &Channel, question: MessageRequest) -> Result<MessageResponse, tonic::Status> {
                let request = ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(question),
                };
                let mut client = ServerReflectionClient::new(channel.clone());
                let answers = client.server_reflection_info(tokio_stream::once(request)).await;
                let answer = answers.expect("answers").into_inner().message().await?;
                Ok(answer
                    .and_then(|answer| answer.message_response)
                    .expect("an answer"))
            }

            pub(super) async fn services(channel: &Channel) -> Vec<String> {
                match ask(channel, MessageRequest::ListServices(String::new())).await {
                    Ok(MessageResponse::ListServicesResponse(list)) => {
                        list.service.into_iter().map(|service| service.name).collect()
                    }
                    other => panic!("{other:?}"),
                }
            }

            /// The file with a symbol, encoded.
            pub(super) async fn file_with(channel: &Channel, symbol: &str) -> Result<Vec<u8>, Code> {
                file(ask(channel, MessageRequest::FileContainingSymbol(symbol.to_owned())).await)
            }

            /// The file with a name, encoded.
            pub(super) async fn file_named(channel: &Channel, name: &str) -> Result<Vec<u8>, Code> {
                file(ask(channel, MessageRequest::FileByFilename(name.to_owned())).await)
            }

            fn file(answer: Result<MessageResponse, tonic::Status>) -> Result<Vec<u8>, Code> {
                match answer.map_err(|status| status.code())? {
                    MessageResponse::FileDescriptorResponse(mut files) => Ok(files.file_descriptor_proto.remove(0)),
                    other => panic!("{other:?}"),
                }
            }
        }
    };
}
reflection!(reflection_v1, v1);
reflection!(reflection_v1alpha, v1alpha);

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_reflection_list_the_services() {
    let shop = Shop::empty().await;
    let channel = shop.client.channel();

    for services in [
        reflection_v1::services(&channel).await,
        reflection_v1alpha::services(&channel).await,
    ] {
        for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
            assert!(
                services.iter().any(|listed| listed == service),
                "{service} in {services:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_knows_the_messages_of_the_contract_and_of_its_errors() {
    let shop = Shop::empty().await;
    let channel = shop.client.channel();
    let symbols = [
        "loyalty.v1.LedgerService",
        "loyalty.v1.Sale",
        "loyalty.v1.ErrorReason",
        "google.rpc.Status",
        "google.rpc.BadRequest",
        "google.rpc.ErrorInfo",
        "google.rpc.RetryInfo",
        "google.rpc.PreconditionFailure",
        "google.protobuf.Timestamp",
    ];

    for symbol in symbols {
        let v1 = reflection_v1::file_with(&channel, symbol).await;
        let v1alpha = reflection_v1alpha::file_with(&channel, symbol).await;

        assert!(v1.is_ok(), "{symbol}: {v1:?}");
        assert_eq!(v1, v1alpha, "{symbol}");
    }
    let nothing = reflection_v1::file_with(&channel, "loyalty.v1.Nothing").await;
    assert_eq!(nothing, Err(tonic::Code::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file_that_reflection_names_can_be_had() {
    let shop = Shop::empty().await;
    let channel = shop.client.channel();

    let mut wanted: Vec<String> = Vec::new();
    for service in SERVICES {
        wanted.push(described(&channel, service).await);
    }
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if seen.insert(name.clone()) {
            let file = reflection_v1::file_named(&channel, &name).await;
            assert_eq!(file, reflection_v1alpha::file_named(&channel, &name).await, "{name}");
            let file = file.unwrap_or_else(|code| panic!("{name} is imported and not there: {code}"));
            wanted.extend(decode(&file).dependency);
        }
    }

    assert!(
        seen.contains("loyalty/v1/sale.proto") && seen.contains("google/protobuf/timestamp.proto"),
        "{seen:?}"
    );
}

/// Name of the file with a symbol.
async fn described(channel: &Channel, symbol: &str) -> String {
    let file = reflection_v1::file_with(channel, symbol).await.expect(symbol);
    decode(&file).name().to_owned()
}

fn decode(file: &[u8]) -> FileDescriptorProto {
    FileDescriptorProto::decode(file).expect("a descriptor")
}
