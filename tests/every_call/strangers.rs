//! S4: no call sees or touches anything of another merchant, by any id, token or filter.

use std::collections::BTreeMap;

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncMysqlConnection, RunQueryDsl};
use loyalty_sdk::{Error, FeedRequest};
use loyalty_server::tenants::Role;
use prost::Message as _;
use prost::bytes::Bytes;
use prost_reflect::{DynamicMessage, Value};
use tonic::{Code, Status};

use super::world::furnish;
use super::{World, scenarios};
use crate::harness::any_call::{call, message_of, methods};
use crate::harness::keys::Keys as _;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

async fn ask(database: &mut AsyncMysqlConnection, question: &str) -> Vec<String> {
    let rows: Vec<Row> = diesel::sql_query(question).load(database).await.expect(question);
    rows.into_iter().map(|row| row.value).collect()
}

/// All rows of a merchant, by table; not those that the sealer moves on its own.
async fn rows_of(database: &mut AsyncMysqlConnection, merchant: &str) -> BTreeMap<String, Vec<String>> {
    let tables = ask(
        database,
        "SELECT table_name AS value FROM information_schema.columns WHERE table_schema = DATABASE() \
         AND column_name = 'merchant_id' AND table_name NOT IN ('merchant', 'feed', 'feed_head', 'posting_batch') ORDER BY table_name",
    )
    .await;
    let mut rows = BTreeMap::new();
    for table in tables {
        let columns = ask(
            database,
            &format!(
                "SELECT column_name AS value FROM information_schema.columns WHERE table_schema = DATABASE() \
                 AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        )
        .await;
        let columns: Vec<String> = columns
            .iter()
            .map(|column| format!("COALESCE(HEX(`{column}`), '-')"))
            .collect();
        let question = format!(
            "SELECT CONCAT_WS(' ', {}) AS value FROM `{table}` WHERE merchant_id = (SELECT merchant_id FROM merchant \
             WHERE code = '{merchant}') ORDER BY 1",
            columns.join(", ")
        );
        rows.insert(table, ask(database, &question).await);
    }
    rows
}

/// All that a caller gets to see of an answer.
fn seen(answer: &Result<Vec<Bytes>, Status>) -> String {
    match answer {
        Ok(messages) => messages
            .iter()
            .map(|message| String::from_utf8_lossy(message).into_owned())
            .collect(),
        Err(status) => format!("{status:?} {}", String::from_utf8_lossy(status.details())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_sees_or_touches_anything_of_another_merchant() {
    let world = World::make().await;
    let mut tenants = world.shop.tenants().await;
    let mut strangers = Vec::new();
    // One has nothing; the other has the same ids of programs, rules and stores.
    for merchant in ["empty", "twin"] {
        tenants.create_merchant(merchant).await.expect("a merchant");
        strangers.push(tenants.key(merchant, Role::Operator).await);
    }
    furnish(&world.shop.client_with(&strangers[1]).await, "twin").await;
    let channel = world.shop.client.channel();
    let mut database = world.shop.database().await;
    let own = ["alpha", &world.member_id];

    for scenario in scenarios() {
        let messages = (scenario.messages)(&world).await;
        let before = rows_of(&mut database, "alpha").await;
        for key in &strangers {
            let answer = call(&channel, Some(key), scenario.call, messages.clone()).await;

            let (seen, sent) = (seen(&answer), messages.concat());
            let sent = String::from_utf8_lossy(&sent);
            for own in own.iter().filter(|own| !sent.contains(**own)) {
                assert!(!seen.contains(own), "{} shows {own}: {seen}", scenario.call);
            }
            if let Err(status) = &answer {
                let expected = [
                    Code::NotFound,
                    Code::Aborted,
                    Code::AlreadyExists,
                    Code::FailedPrecondition,
                ];
                assert!(expected.contains(&status.code()), "{}: {status:?}", scenario.call);
            }
        }
        assert_eq!(
            rows_of(&mut database, "alpha").await,
            before,
            "{} touched another's rows",
            scenario.call
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_what_its_merchant_may_do() {
    let world = World::make().await;
    let channel = world.shop.client.channel();

    for scenario in scenarios() {
        let messages = (scenario.messages)(&world).await;
        let sent = messages.len();
        let answer = call(&channel, Some(&world.key), scenario.call, messages).await;

        let method = methods()
            .into_iter()
            .find(|method| method.call == scenario.call)
            .expect("a method");
        assert!(answer.is_ok(), "{}: {answer:?}", scenario.call);
        assert!(sent == 1 || method.descriptor.client_streaming(), "{}", scenario.call);
        assert!(
            answer.is_ok_and(|answer| !answer.is_empty()),
            "{} answers nothing",
            scenario.call
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_token_of_another_merchant_shows_nothing_of_it() {
    let world = World::make().await;
    let mut tenants = world.shop.tenants().await;
    tenants.create_merchant("twin").await.expect("a merchant");
    let twin = tenants.key("twin", Role::Operator).await;
    furnish(&world.shop.client_with(&twin).await, "twin").await;
    let channel = world.shop.client.channel();
    let own = ["alpha", &world.member_id];
    let mut tried = 0;

    for scenario in scenarios() {
        let Some(mut request) = paged(scenario.call, &(scenario.messages)(&world).await) else {
            continue;
        };
        let first = call(&channel, Some(&world.key), scenario.call, vec![request.encode_to_vec()]).await;
        let token = next_page_token(scenario.call, &first.expect("a page")[0]);
        if token.is_empty() {
            continue;
        }
        request.set_field_by_name("page_token", Value::String(token));
        let message = request.encode_to_vec();
        let answer = call(&channel, Some(&twin), scenario.call, vec![message.clone()]).await;

        let (seen, sent) = (seen(&answer), String::from_utf8_lossy(&message));
        for own in own.iter().filter(|own| !sent.contains(**own)) {
            assert!(!seen.contains(own), "{} shows {own}: {seen}", scenario.call);
        }
        tried += 1;
    }
    assert!(tried >= 5, "{tried}");
}

/// A request for a page of one, when the call has pages.
fn paged(call: &str, messages: &[Vec<u8>]) -> Option<DynamicMessage> {
    let input = message_of(call).0;
    input.get_field_by_name("page_token")?;
    let mut request = DynamicMessage::decode(input, messages[0].as_slice()).expect("a request");
    request.set_field_by_name("page_size", Value::U32(1));
    Some(request)
}

fn next_page_token(call: &str, answer: &[u8]) -> String {
    let answer = DynamicMessage::decode(message_of(call).1, answer).expect("an answer");
    let token = answer
        .get_field_by_name("next_page_token")
        .expect("a token")
        .into_owned();
    token.as_str().expect("a text").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_of_another_merchant_is_none() {
    let world = World::make().await;
    let mut tenants = world.shop.tenants().await;
    tenants.create_merchant("twin").await.expect("a merchant");
    let twin = tenants.key("twin", Role::Operator).await;
    let twin = world.shop.client_with(&twin).await;
    furnish(&twin, "twin").await;
    let mut feed = world.client.stream_entries(&FeedRequest::default().follow());
    let batch = feed.next().await.expect("a batch").expect("a batch");

    let stolen = twin
        .stream_entries(&FeedRequest::after(batch.cursor.clone()))
        .next()
        .await;
    let own = world
        .client
        .stream_entries(&FeedRequest::after(batch.cursor))
        .next()
        .await;

    assert!(matches!(stolen, Err(Error::InvalidFields(_))), "{stolen:?}");
    assert!(own.is_ok(), "{own:?}");
}
