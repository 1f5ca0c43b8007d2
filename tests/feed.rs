//! L10: the feed tells every entry once, each member's in order, to whoever follows it.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection as _;
use loyalty_sdk::{Entry, Error, FeedBatch, FeedCursor, FeedRequest};
use loyalty_server::tenants::Role;

use crate::harness::feed::{
    all, assert_tells_history, by_member, entries, first, hold_sealer, quick, rush, shop, shop_with,
};
use crate::harness::keys::Keys as _;
use crate::harness::{Shop, ShopMember, wrong_fields};

/// Members enough that several shards have some.
async fn crowd(shop: &Shop, count: usize) -> Vec<ShopMember<'_>> {
    let mut members = Vec::new();
    for number in 0..count {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }
    members
}

/// Every member buys, some pay with points; how many entries that makes.
async fn busy_day(members: &[ShopMember<'_>]) -> usize {
    let mut count = 0;
    for (number, member) in members.iter().enumerate() {
        member.buys("10.00").await;
        member.records(&member.sale("20.00").redeem_points(3)).await;
        count += 3;
        for _ in 0..number % 3 {
            member.buys("1.00").await;
            count += 1;
        }
    }
    count
}

async fn batches(shop: &Shop, request: &FeedRequest) -> Vec<FeedBatch> {
    let mut feed = shop.client.stream_entries(request);
    let mut batches = Vec::new();
    while let Some(batch) = feed.next().await.expect("a batch") {
        batches.push(batch);
    }
    batches
}

fn keys(entries: &[Entry]) -> Vec<(String, u64)> {
    let key = |entry: &Entry| (entry.member_id.to_string(), entry.sequence);
    entries.iter().map(key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_the_history_of_everybody_once_and_in_order() {
    let shop = shop().await;
    let members = crowd(&shop, 20).await;
    let count = busy_day(&members).await;

    let followed = first(&shop.client, count).await;
    let told = all(&shop.client, &FeedRequest::default()).await;

    assert_tells_history(&told, &members).await;
    assert_eq!(keys(&followed).into_iter().collect::<BTreeSet<_>>().len(), count);
    assert_eq!(by_member(&followed), by_member(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cursor_goes_on_exactly_behind_its_batch() {
    let shop = shop().await;
    let members = crowd(&shop, 12).await;
    let count = busy_day(&members).await;
    first(&shop.client, count).await;

    let batches = batches(&shop, &FeedRequest::default()).await;

    assert!(batches.len() > 3, "{} batches", batches.len());
    for place in 0..batches.len() {
        let cursor = FeedCursor::new(batches[place].cursor.as_str());
        let rest = all(&shop.client, &FeedRequest::after(cursor)).await;

        let expected = batches[place + 1..].iter().flat_map(|batch| batch.entries.clone());
        assert_eq!(keys(&rest), keys(&expected.collect::<Vec<_>>()));
    }
    let links: HashSet<_> = batches.iter().filter_map(|batch| batch.link.clone()).collect();
    assert_eq!(
        links.len(),
        batches.len(),
        "every batch is a link of a chain of its own"
    );
    let entries: u64 = links.iter().map(|link| link.position).sum();
    assert_eq!(entries, count as u64);
    assert!(links.iter().all(|link| link.hash.len() == 32));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_is_told_what_comes_and_that_nothing_came() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
    let before = entries(&mut feed, 1).await;

    let silence = feed.next().await.expect("a batch").expect("a sign of life");
    ada.buys("20.00").await;
    let after = loop {
        let batch = feed.next().await.expect("a batch").expect("a batch");
        if !batch.entries.is_empty() {
            break batch;
        }
        assert_eq!((&batch.cursor, &batch.link), (&silence.cursor, &None));
    };

    assert_eq!(keys(&before), [(ada.member.member_id.to_string(), 1)]);
    assert_eq!(keys(&after.entries), [(ada.member.member_id.to_string(), 2)]);
    assert_ne!(after.cursor, silence.cursor);
    assert_eq!(feed.position().cursor, Some(after.cursor));
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_divide_the_shards_and_a_cursor_covers_them_all() {
    let shop = shop().await;
    let members = crowd(&shop, 40).await;
    let count = busy_day(&members).await;
    let everything = first(&shop.client, count).await;

    let parts = [vec![0, 1, 2, 3, 4], vec![15, 5, 6, 7], (8..15).collect()];
    let (mut told, mut cursor) = (Vec::new(), None);
    for part in &parts {
        told.push(all(&shop.client, &FeedRequest::default().shards(part.clone())).await);
        // And one after the other, with one cursor.
        let request = cursor.take().map_or(FeedRequest::default(), FeedRequest::after);
        let batches = batches(&shop, &request.shards(part.clone())).await;
        cursor = batches.last().map(|batch| batch.cursor.clone());
    }
    let rest = all(&shop.client, &FeedRequest::after(cursor.expect("a cursor"))).await;

    assert!(told.iter().all(|part| !part.is_empty()));
    let members: Vec<BTreeSet<_>> = told.iter().map(|part| by_member(part).into_keys().collect()).collect();
    assert!(members[0].is_disjoint(&members[1]) && members[1].is_disjoint(&members[2]));
    assert_eq!(by_member(&told.concat()), by_member(&everything));
    assert_eq!(rest, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_does_not_follow_ends_with_what_was_there_when_it_began() {
    let shop = shop().await;
    let none = all(&shop.client, &FeedRequest::default()).await;
    let members = crowd(&shop, 8).await;
    let count = busy_day(&members).await;
    first(&shop.client, count).await;

    let mut feed = shop.client.stream_entries(&FeedRequest::default());
    let mut told = feed.next().await.expect("a batch").expect("a batch").entries;
    let more = busy_day(&members).await;
    first(&shop.client, count + more).await;
    while let Some(batch) = feed.next().await.expect("a batch") {
        told.extend(batch.entries);
    }

    assert_eq!(none, []);
    assert_eq!(told.len(), count);
    assert_eq!(feed.next().await, Ok(None), "it stays ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_who_do_not_read_hold_no_connection() {
    let shop = shop_with(|options| {
        let mut options = quick(options);
        options.read_connections = 1;
        options
    })
    .await;
    let members = crowd(&shop, 30).await;
    // Some 300 KB: more than fits on the way to a caller who does not read.
    let count = 1_500;
    rush(&members, count).await;
    first(&shop.client, count).await;

    let mut slow = Vec::new();
    for _ in 0..12 {
        let mut feed = shop.client.stream_entries(&FeedRequest::default());
        let batch = feed.next().await.expect("a batch").expect("a batch");
        slow.push((feed, batch.entries));
    }
    let balance = tokio::time::timeout(Duration::from_secs(10), members[0].balance()).await;
    let gone = slow.split_off(6);
    drop(gone);
    let mut told = Vec::new();
    for (mut feed, mut entries) in slow {
        while let Some(batch) = feed.next().await.expect("a batch") {
            entries.extend(batch.entries);
        }
        told.push(entries);
    }

    balance.expect("a call beside them is answered");
    for entries in told {
        assert_eq!(entries.len(), count);
        assert_tells_history(&entries, &members).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_who_hang_up_leave_no_stream_behind() {
    let shop = shop().await;
    let members = crowd(&shop, 4).await;
    let count = busy_day(&members).await;
    first(&shop.client, count).await;

    // Far more than the server holds at once.
    for round in 0..200 {
        let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
        if round % 2 == 0 {
            feed.next().await.expect("a batch");
        } else {
            drop(tokio::time::timeout(Duration::from_micros(round * 20), feed.next()).await);
        }
    }
    let mut held = Vec::new();
    let refused = loop {
        let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
        match feed.next().await {
            Ok(_) => held.push(feed),
            Err(error) => break error,
        }
        assert!(held.len() < 100, "there is a limit");
    };

    assert!(matches!(refused, Error::Overloaded(_)), "{refused}");
    assert!(held.len() > 50, "those who hung up do not count: {}", held.len());
    held.truncate(10);
    // The server learns of it within moments.
    let mut feed = shop.client.stream_entries(&FeedRequest::default());
    while let Err(error) = feed.next().await {
        assert!(matches!(error, Error::Overloaded(_)), "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_through_a_restart_of_the_server() {
    let mut shop = shop().await;
    let patient = loyalty_sdk::Client::connect(&shop.endpoint).await.expect("a client");
    let ada = shop.enrols("ada").await.member;
    let buys = async |shop: &Shop, count: usize| {
        for _ in 0..count {
            let sale = loyalty_sdk::Sale::new(shop.next_sale_id(), "store-1", &ada, "EUR", 7);
            shop.client.record_sale(&sale).await.expect("a receipt");
        }
    };
    buys(&shop, 5).await;
    let mut feed = patient.stream_entries(&FeedRequest::default().follow());
    let mut told = entries(&mut feed, 5).await;
    buys(&shop, 3).await;

    let began = std::time::Instant::now();
    shop.begins_to_close().await.expect("the server ends");
    let took = began.elapsed();
    let opens = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        shop.opens_again().await;
        buys(&shop, 4).await;
    };
    let (more, ()) = tokio::join!(entries(&mut feed, 7), opens);
    told.extend(more);

    assert!(
        took < Duration::from_secs(10),
        "a follower does not hold the server up: {took:?}"
    );
    let sequences: Vec<u64> = told.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, (1..=12).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_does_not_let_a_stream_look_whole() {
    let mut shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
    entries(&mut feed, 1).await;

    shop.begins_to_close().await.expect("the server ends");
    let end = loop {
        match feed.next().await {
            Ok(Some(batch)) => assert_eq!(batch.entries, []),
            end => break end,
        }
    };

    assert!(matches!(end, Err(Error::Unavailable(_))), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_cursor_of_this_feed_is_refused() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
    entries(&mut feed, 1).await;
    let cursor = feed.position().cursor.clone().expect("a cursor");
    let mut tenants = shop.tenants().await;
    tenants.create_merchant("other").await.expect("another merchant");
    let key = tenants.key("other", Role::ReadOnly).await;
    let other_merchant = shop.client_with(&key).await;
    let refused = async |client: &loyalty_sdk::Client, request: FeedRequest| {
        let error = client.stream_entries(&request).next().await.expect_err("refused");
        wrong_fields(&error).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };

    let other = refused(&other_merchant, FeedRequest::after(cursor.clone())).await;
    let none_of_others = all(&other_merchant, &FeedRequest::default()).await;
    let cases = [
        (vec!["cursor"], FeedRequest::after(FeedCursor::new("x"))),
        (
            vec!["cursor"],
            FeedRequest::after(FeedCursor::new(&cursor.as_str()[2..])),
        ),
        (vec!["shards[1]"], FeedRequest::default().shards([0, 16])),
        (vec!["shards[2]"], FeedRequest::default().shards([3, 4, 3])),
        (vec!["shards"], FeedRequest::default().shards(0..17)),
    ];
    for (fields, request) in cases {
        assert_eq!(refused(&shop.client, request).await, fields);
    }
    // The ledger is restored from a copy that is older than the cursor.
    let restore = "DELETE FROM feed; DELETE FROM feed_head";
    let mut database = shop.database().await;
    database.batch_execute(restore).await.expect("an older copy");
    let ahead = refused(&shop.client, FeedRequest::after(cursor)).await;

    assert_eq!(
        (other, none_of_others, ahead),
        (vec!["cursor".to_owned()], vec![], vec!["cursor".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_told_only_when_it_has_its_place() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("10.00").await;
    first(&shop.client, 1).await;

    let held = hold_sealer(&shop).await;
    ada.buys("20.00").await;
    let before = all(&shop.client, &FeedRequest::default()).await;
    held.release().await;
    let after = first(&shop.client, 2).await;

    assert_eq!((before.len(), after.len()), (1, 2));
}
