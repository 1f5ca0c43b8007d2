//! The program and its members.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loyalty_api::v1 as wire;
use loyalty_api::v1::program_service_client::ProgramServiceClient;
use loyalty_api::v1::rule_service_client::RuleServiceClient;
use mysql_async::prelude::Queryable as _;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::Failure;
use crate::server::Server;
use crate::till::{PROGRAM, customer_id};

/// Enrolments in flight.
const CALLERS: u64 = 512;
/// Enrolments in flight on one connection.
const CALLERS_PER_CONNECTION: u64 = 64;

/// A program with three tiers and a default rule, whose points lapse after a year, and its members.
pub(crate) async fn enrol(server: &Server, members: u64) -> Result<(), Failure> {
    let channel = server.connect().await?;
    let program = wire::CreateProgramRequest {
        request_id: Uuid::now_v7().to_string(),
        program: Some(program()),
    };
    ProgramServiceClient::new(channel.clone())
        .create_program(program)
        .await?;
    let rule = wire::Rule {
        rule_id: "base".to_owned(),
        program_id: PROGRAM.to_owned(),
        name: "One point per euro".to_owned(),
        effect: rate("1", "1").map(wire::rule::Effect::EarnRate),
        ..wire::Rule::default()
    };
    let rule = wire::CreateRuleRequest {
        request_id: Uuid::now_v7().to_string(),
        rule: Some(rule),
    };
    RuleServiceClient::new(channel).create_rule(rule).await?;

    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS.div_ceil(CALLERS_PER_CONNECTION) {
        let client = ProgramServiceClient::new(server.connect().await?);
        for _ in 0..CALLERS_PER_CONNECTION {
            callers.spawn(enrol_next(client.clone(), Arc::clone(&next), members));
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    count_rows(server).await
}

/// Some seconds after so many new rows the database counts them by itself; until then it plans for empty tables, and the
/// first measurements would be of that.
async fn count_rows(server: &Server) -> Result<(), Failure> {
    let mut connection = server.connect_to_database().await?;
    connection
        .query_drop("ANALYZE TABLE account, identifier, member")
        .await?;
    Ok(connection.disconnect().await?)
}

async fn enrol_next(
    mut client: ProgramServiceClient<Channel>,
    next: Arc<AtomicU64>,
    members: u64,
) -> Result<(), Failure> {
    loop {
        let member = next.fetch_add(1, Ordering::Relaxed);
        if member >= members {
            return Ok(());
        }
        let identifier = wire::identifier::Identifier::CustomerId(customer_id(member));
        let request = wire::EnrollMemberRequest {
            request_id: Uuid::now_v7().to_string(),
            program_id: PROGRAM.to_owned(),
            identifiers: vec![wire::Identifier {
                identifier: Some(identifier),
            }],
            name: format!("Customer {member}"),
            ..wire::EnrollMemberRequest::default()
        };
        client.enroll_member(request).await?;
    }
}

fn program() -> wire::Program {
    wire::Program {
        program_id: PROGRAM.to_owned(),
        name: "Benchmark".to_owned(),
        currency_code: "EUR".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        tiers: vec![
            tier("basic", "0", None),
            tier("silver", "500", rate("2", "3")),
            tier("gold", "2000", rate("1", "2")),
        ],
        expiry: Some(wire::ExpiryPolicy {
            period: Some(wire::expiry_policy::Period::Months(12)),
            end: 0,
        }),
        redemption: Some(wire::RedemptionPolicy {
            value_per_point: decimal("0.01"),
            ..wire::RedemptionPolicy::default()
        }),
        ..wire::Program::default()
    }
}

fn tier(tier_id: &str, minimum_spend: &str, earn_rate: Option<wire::EarnRate>) -> wire::Tier {
    wire::Tier {
        tier_id: tier_id.to_owned(),
        name: tier_id.to_owned(),
        minimum_spend: decimal(minimum_spend),
        earn_rate,
        value_per_point: None,
    }
}

fn rate(amount: &str, points: &str) -> Option<wire::EarnRate> {
    Some(wire::EarnRate {
        amount: decimal(amount),
        points: decimal(points),
        ..wire::EarnRate::default()
    })
}

fn decimal(text: &str) -> Option<wire::Decimal> {
    let value = text.to_owned();
    Some(wire::Decimal { value })
}
