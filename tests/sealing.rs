//! L13: what is posted gets its place in the feed, whatever the order of commits, the server that posts or seals, and
//! whatever happens to it meanwhile.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use loyalty_sdk::{Client, FeedRequest, Sale};

use crate::harness::books::{Stall, count, texts};
use crate::harness::feed::{
    all, assert_tells_history, by_member, entries, first, hold_sealer, quick, rush, shop, shop_with,
};
use crate::harness::{Shop, ShopMember};

async fn crowd(shop: &Shop, count: usize) -> Vec<ShopMember<'_>> {
    let mut members = Vec::new();
    for number in 0..count {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }
    members
}

/// The shard of a member: the last digit of its id.
fn shard(member: &ShopMember<'_>) -> char {
    member.member.member_id.as_str().chars().last().expect("a digit")
}

/// Members of one shard, so many.
async fn of_one_shard(shop: &Shop, count: usize) -> Vec<ShopMember<'_>> {
    let mut members = crowd(shop, 16 * count).await;
    members.sort_by_key(shard);
    let mut groups = members.chunk_by(|one, other| shard(one) == shard(other));
    let group = groups.find(|group| group.len() >= count).expect("a shard with so many");
    let chosen: Vec<String> = group
        .iter()
        .take(count)
        .map(|member| member.member.member_id.to_string())
        .collect();
    members.retain(|member| chosen.iter().any(|id| member.member.member_id == *id.as_str()));
    members
}

/// Sends a sale that will not be answered for a while.
fn sends(client: &Client, sale: Sale) -> tokio::task::JoinHandle<()> {
    let client = client.clone();
    tokio::spawn(async move {
        client.record_sale(&sale).await.expect("a receipt");
    })
}

async fn until_taken(shop: &Shop, commands: u64) {
    while shop.statistics.taken() < commands {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until everything that is posted has its place.
async fn until_sealed(shop: &Shop) {
    let mut database = shop.database().await;
    while count(&mut database, "SELECT COUNT(*) AS n FROM posting_batch").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Positions are without gaps, and the heads are the last ones.
async fn assert_whole(shop: &Shop, entries: i64) {
    let mut database = shop.database().await;
    let whole = "SELECT COUNT(*) AS n FROM feed_head h WHERE h.position <> (SELECT COUNT(*) FROM feed f \
        WHERE f.merchant_id = h.merchant_id AND f.shard = h.shard) OR h.hash <> (SELECT f.hash FROM feed f \
        WHERE f.merchant_id = h.merchant_id AND f.shard = h.shard ORDER BY f.position DESC LIMIT 1)";
    assert_eq!(count(&mut database, whole).await, 0, "a shard with a gap");
    assert_eq!(count(&mut database, "SELECT COUNT(*) AS n FROM feed").await, entries);
    let found = "SELECT COUNT(*) AS n FROM feed WHERE source <> 1";
    assert_eq!(count(&mut database, found).await, 0, "an entry that nobody announced");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_commits_late_is_not_passed_over() {
    let shop = shop_with(|options| {
        let mut options = quick(options);
        options.posting.writers = 1;
        options
    })
    .await;
    let members = of_one_shard(&shop, 3).await;
    let [slow, swift, third] = members.as_slice() else {
        panic!("three")
    };
    let second = shop.second_server().await;
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());

    // Its batch begins first, and the sale of a third member waits behind it.
    let stall = Stall::of(&shop, slow.member.member_id.as_str()).await;
    let taken = shop.statistics.taken();
    let mut late = vec![sends(&shop.client, slow.sale("10.00"))];
    until_taken(&shop, taken + 1).await;
    late.push(sends(&shop.client, third.sale("20.00")));
    let accepted = shop.statistics.taken() + 1;
    while shop.statistics.accepted() < accepted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Others pass: later in time, earlier in commit.
    shop.it_is("2026-01-15T10:00:05Z");
    for _ in 0..3 {
        second.record_sale(&swift.sale("30.00")).await.expect("a receipt");
    }
    let mut told = entries(&mut feed, 3).await;
    let before = told.len();
    stall.release().await;
    for sale in late {
        sale.await.expect("a receipt");
    }
    third.buys("40.00").await;
    told.extend(entries(&mut feed, 3).await);

    let late_ones = by_member(&told[before..]);
    assert_eq!(late_ones[&slow.member.member_id].len(), 1);
    assert_eq!(late_ones[&third.member.member_id].len(), 2);
    assert_tells_history(&told, &members).await;
    let mut database = shop.database().await;
    let order = "SELECT CAST(recorded_at AS CHAR) AS value FROM entry JOIN feed USING (merchant_id, member_id, sequence) \
        ORDER BY position";
    let times = texts(&mut database, order).await;
    assert!(!times.is_sorted(), "the order is not that of time: {times:?}");
    assert_whole(&shop, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_whose_names_are_in_another_order_than_their_commits_are_sealed_by_sequence() {
    let shop = shop().await;
    let members = crowd(&shop, 3).await;
    until_sealed(&shop).await;

    // Every batch is named by an earlier time than the one before, and all are there when the sealer comes.
    let held = hold_sealer(&shop).await;
    for minute in (10..40).rev() {
        shop.it_is(&format!("2026-01-15T10:{minute}:00Z"));
        members[minute % 3].buys("10.00").await;
        members[(minute + 1) % 3].buys("10.00").await;
    }
    held.release().await;
    let told = first(&shop.client, 60).await;

    assert_tells_history(&told, &members).await;
    assert_whole(&shop, 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_servers_post_at_once_is_one_feed() {
    let shop = shop().await;
    let members = crowd(&shop, 12).await;
    let servers = [
        shop.client.clone(),
        shop.second_server().await,
        shop.second_server().await,
    ];
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());

    let mut sales = tokio::task::JoinSet::new();
    for number in 0..600_usize {
        let (client, sale) = (servers[number % 3].clone(), members[number * 7 % 12].sale("3.00"));
        let sale = if number % 5 == 4 { sale.redeem_points(1) } else { sale };
        sales.spawn(async move { client.record_sale(&sale).await.is_ok() });
    }
    let recorded = sales.join_all().await;
    until_sealed(&shop).await;

    assert!(recorded.iter().filter(|recorded| **recorded).count() > 480);
    let mut database = shop.database().await;
    let written = count(&mut database, "SELECT COUNT(*) AS n FROM entry").await;
    let told = entries(&mut feed, usize::try_from(written).expect("small")).await;
    assert_tells_history(&told, &members).await;
    for server in &servers {
        assert_eq!(by_member(&all(server, &FeedRequest::default()).await), by_member(&told));
    }
    assert_whole(&shop, written).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_piled_up_is_sealed_in_steps() {
    let shop = shop().await;
    let members = crowd(&shop, 40).await;
    until_sealed(&shop).await;
    let held = hold_sealer(&shop).await;
    // More than two steps.
    rush(&members, 4_500).await;
    assert_eq!(all(&shop.client, &FeedRequest::default()).await, []);

    held.release().await;
    let told = first(&shop.client, 4_500).await;

    assert_tells_history(&told, &members).await;
    assert_whole(&shop, 4_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_costs_the_sealer_nothing() {
    let shop = shop().await;
    let members = crowd(&shop, 5).await;
    let mut database = shop.database().await;

    let mut written = 0;
    for _ in 0..8 {
        rush(&members, 40).await;
        written += 40;
        for id in crate::harness::books::connections(&mut database).await {
            // It may have ended by itself.
            drop(database.batch_execute(&format!("KILL {id}")).await);
        }
        // A call over a pooled connection that was cut is answered UNAVAILABLE, once.
        for member in &members {
            while shop.client.get_balance(&member.member).await.is_err() {}
        }
    }
    until_sealed(&shop).await;

    let told = first(&shop.client, written).await;
    assert_tells_history(&told, &members).await;
    assert_whole(&shop, i64::try_from(written).expect("small")).await;
}

/// A server in a process of its own on the shop's database.
struct OtherServer(Child);

impl OtherServer {
    /// Started; it seals when this returns.
    async fn sealing(shop: &Shop) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server-process"));
        command
            .env("DATABASE_URL", shop.database_url())
            .env("LOYALTY_LISTEN", "127.0.0.1:0")
            .env("LOYALTY_FEED_DELAY_MS", "20")
            .env("LOYALTY_FEED_LEASE_MS", "400")
            .stderr(Stdio::null());
        let server = Self(command.spawn().expect("the program starts"));
        let mut database = shop.database().await;
        while count(&mut database, "SELECT COUNT(*) AS n FROM job_lease WHERE holder <> ''").await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    fn signal(&self, signal: &str) {
        let kill = format!("kill {signal} {}", self.0.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("sh runs");
        assert!(status.success());
    }
}

impl Drop for OtherServer {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The number of the newest holder of the lease.
async fn token(shop: &Shop) -> i64 {
    count(
        &mut shop.database().await,
        "SELECT CAST(COALESCE(MAX(token), 0) AS SIGNED) AS n FROM job_lease",
    )
    .await
}

/// A shop whose own server does not seal because another process does.
async fn sealed_by_another() -> (Shop, OtherServer) {
    let mut shop = shop().await;
    shop.begins_to_close().await.expect("the server ends");
    let other = OtherServer::sealing(&shop).await;
    shop.opens_again().await;
    (shop, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_sealing_server_is_killed_another_takes_over() {
    let (shop, other) = sealed_by_another().await;
    let members = crowd(&shop, 10).await;
    let holder = token(&shop).await;
    rush(&members, 100).await;
    let mut feed = shop.client.stream_entries(&FeedRequest::default().follow());
    let mut told = entries(&mut feed, 100).await;

    let before = token(&shop).await;
    let rushing = rush(&members, 400);
    let kills = async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        other.signal("-KILL");
    };
    tokio::join!(rushing, kills);
    rush(&members, 50).await;
    told.extend(entries(&mut feed, 450).await);

    assert_eq!(before, holder, "the other one sealed until it died");
    assert_eq!(token(&shop).await, holder + 1);
    assert_tells_history(&told, &members).await;
    assert_whole(&shop, 550).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealing_server_that_was_frozen_writes_nothing_when_it_wakes_up() {
    let (shop, other) = sealed_by_another().await;
    let members = crowd(&shop, 10).await;
    let holder = token(&shop).await;
    let mut written = 0;

    for _ in 0..3 {
        // Frozen in the middle of whatever it does.
        let freezes = async {
            tokio::time::sleep(Duration::from_millis(25)).await;
            other.signal("-STOP");
        };
        tokio::join!(rush(&members, 200), freezes);
        written += 200;
        first(&shop.client, written).await;
        assert!(token(&shop).await > holder, "another one seals meanwhile");
        let wakes = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            other.signal("-CONT");
        };
        tokio::join!(rush(&members, 200), wakes);
        written += 200;
        first(&shop.client, written).await;
    }

    let told = first(&shop.client, written).await;
    assert_tells_history(&told, &members).await;
    assert_whole(&shop, i64::try_from(written).expect("small")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_gives_its_lease_back() {
    let mut shop = Shop::serving(|options| {
        let mut options = quick(options);
        options.feed.lease = Duration::from_secs(600);
        options
    })
    .await;
    let mut database = shop.database().await;
    while token(&shop).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }

    shop.begins_to_close().await.expect("the server ends");
    let holders = texts(&mut database, "SELECT holder AS value FROM job_lease").await;
    shop.opens_again().await;

    // The sealer gives its own back, and so does every other job.
    assert!(!holders.is_empty(), "nothing was held");
    assert!(holders.iter().all(String::is_empty), "{holders:?}");
    while token(&shop).await == 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(token(&shop).await, 2, "it need not wait for silence");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_older_servers_post_is_sealed_too_and_an_entry_of_theirs_that_vanished_stops_its_member_only() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let ben = shop.enrols("ben").await;
    ada.buys("1.00").await;
    until_sealed(&shop).await;

    let mut database = shop.database().await;
    // They do not say what is in the entries.
    let older = "CREATE TRIGGER older BEFORE INSERT ON posting_batch FOR EACH ROW SET NEW.hashes = NULL";
    database.batch_execute(older).await.expect("as an older server posts");
    let held = hold_sealer(&shop).await;
    ada.buys("2.00").await;
    ada.buys("3.00").await;
    ben.buys("4.00").await;
    let vanishes = "DELETE FROM entry WHERE points = 2";
    database.batch_execute(vanishes).await.expect("somebody meddles");
    held.release().await;
    let told = first(&shop.client, 2).await;
    ben.buys("5.00").await;
    let more = first(&shop.client, 3).await;

    let told = by_member(&[told, more].concat());
    assert_eq!(
        told[&ada.member.member_id]
            .iter()
            .map(|entry| entry.sequence)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(
        told[&ben.member.member_id]
            .iter()
            .map(|entry| entry.sequence)
            .collect::<Vec<_>>(),
        [1, 1, 2]
    );
}
