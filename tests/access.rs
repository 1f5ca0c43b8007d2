//! S4: which role may make which call, as the page `access.md` tells people.

use std::collections::BTreeMap;

use loyalty_sdk::{Client, Error};
use loyalty_server::tenants::Role;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::harness::any_call::{call, methods, path_with};
use crate::harness::keys::Keys as _;
use crate::harness::{MERCHANT, Shop};

const PAGE: &str = include_str!("../server/docs/access.md");

/// The table of the page: for each call, who may make it.
fn table() -> BTreeMap<&'static str, [bool; 4]> {
    let rows = PAGE
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("Service/"));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        (cells[1], [2, 3, 4, 5].map(|column| cells[column] == "✓"))
    };
    rows.map(row).collect()
}

fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_make_the_calls_of_the_page_and_no_others() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    let channel = shop.client.channel();
    let table = table();

    for (column, role) in Role::ALL.into_iter().enumerate() {
        let key = tenants.key(MERCHANT, role).await;
        for method in methods() {
            let may = table
                .get(method.call.as_str())
                .unwrap_or_else(|| panic!("{} is not on the page", method.call));

            let answer = call(&channel, Some(&key), &method.call, vec![Vec::new()]).await;

            let refused = answer
                .as_ref()
                .is_err_and(|status| reason(status) == "ROLE_NOT_ALLOWED");
            assert_eq!(refused, !may[column], "{} as {role:?}: {answer:?}", method.call);
            if let (true, Err(status)) = (refused, &answer) {
                let metadata = status.get_details_error_info().expect("a reason").metadata;
                assert_eq!(status.code(), Code::PermissionDenied);
                assert_eq!(metadata["role"], role.name());
                assert_eq!(metadata["call"], format!("loyalty.v1.{}", method.call));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_every_call_is_refused_the_unknown_ones_too() {
    let shop = Shop::with_keys().await;
    let channel = shop.client.channel();
    let real = methods()
        .into_iter()
        .map(|method| format!("/loyalty.v1.{}", method.call));
    let unknown = [
        "/loyalty.v1.LedgerService/Steal",
        "/loyalty.v2.LedgerService/RecordSale",
        "/metrics",
        "/",
    ];

    for path in real.chain(unknown.map(str::to_owned)) {
        let request = Request::new(tokio_stream::once(prost::bytes::Bytes::new()));
        let status = path_with(&channel, &path, request).await.expect_err(&path);

        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::Unauthenticated, "UNAUTHENTICATED"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_everybody() {
    let shop = Shop::with_keys().await;
    let channel = shop.client.channel();

    let health = HealthClient::new(channel.clone())
        .check(HealthCheckRequest::default())
        .await;
    let reflection = tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::empty())
        .await;

    assert!(health.is_ok(), "{health:?}");
    assert!(reflection.is_ok(), "{reflection:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_development_mode_a_key_counts_and_a_wrong_one_is_refused() {
    let shop = Shop::earning("10", "1").await;
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("a merchant");
    let key = tenants.key("other", Role::Operator).await;
    let other = shop.client_with(&key).await;
    let wrong: String = key.chars().rev().collect();

    let own = shop.client.get_program("club").await;
    let of_other = other.get_program("club").await;
    let of_wrong = shop.client_with(&wrong).await.get_program("club").await;

    assert!(own.is_ok());
    assert!(matches!(of_other, Err(Error::ProgramNotFound { .. })), "{of_other:?}");
    assert!(matches!(of_wrong, Err(Error::Unauthenticated { .. })), "{of_wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_is_the_name_of_the_key_or_whom_the_office_names() {
    let shop = Shop::with_keys().await;
    let mut tenants = shop.tenants().await;
    let program = loyalty_sdk::NewProgram::new("Club", "EUR");
    let named = shop.client.with_actor("ana");
    let till = tenants.key(MERCHANT, Role::Terminal).await;
    let till = shop.client_with(&till).await.with_actor("the boss");
    let member = loyalty_sdk::NewMember::new("one").customer_id("ada");

    shop.client
        .create_program(&program.clone().program_id("one"))
        .await
        .expect("a program");
    named
        .create_program(&program.program_id("two"))
        .await
        .expect("a program");
    let refused = till.enroll_member(&member).await;

    assert_eq!(actors(&shop.client).await, ["ana", "operator"]);
    assert!(
        matches!(&refused, Err(Error::RoleNotAllowed { role, .. }) if role == "TERMINAL"),
        "{refused:?}"
    );
}

/// Who changed the configuration, newest first.
async fn actors(client: &Client) -> Vec<String> {
    let filter = loyalty_sdk::ConfigurationFilter::default();
    let page = client
        .list_configuration_changes(&filter, &loyalty_sdk::PageRequest::default())
        .await
        .expect("a page");
    page.items.into_iter().map(|change| change.actor).collect()
}
