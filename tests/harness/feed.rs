//! Follows the feed.

use std::collections::BTreeMap;
use std::time::Duration;

use loyalty_sdk::{Client, Entry, EntryFeed, FeedRequest, MemberId};
use loyalty_server::FeedOptions;
use loyalty_server::serve::ServeOptions;

use super::{Shop, ShopMember};

/// Longer than anything takes here; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A feed that a test need not wait for.
pub(crate) fn quick(options: ServeOptions) -> ServeOptions {
    ServeOptions {
        feed: FeedOptions {
            delay: Duration::from_millis(20),
            lease: Duration::from_millis(400),
            heartbeat: Duration::from_millis(50),
        },
        ..options
    }
}

/// A shop whose members earn a point per euro, with a feed that a test need not wait for.
pub(crate) async fn shop() -> Shop {
    shop_with(quick).await
}

/// The same with a server that is set up in another way.
pub(crate) async fn shop_with(set_up: impl FnOnce(ServeOptions) -> ServeOptions) -> Shop {
    let shop = Shop::serving(set_up).await;
    opens(&shop).await;
    shop
}

/// Gives a shop the program of `shop`.
pub(crate) async fn opens(shop: &Shop) {
    use loyalty_sdk::{EarnRate, NewProgram, NewRule, RedemptionPolicy};
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    let program = program.program_id(super::PROGRAM);
    shop.client.create_program(&program).await.expect("a program");
    let rate = EarnRate::new(super::dec("1"), super::dec("1"));
    shop.creates(&NewRule::new(super::PROGRAM, "Default", rate)).await;
}

/// The entries of a feed until there are so many.
pub(crate) async fn entries(feed: &mut EntryFeed, count: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    while entries.len() < count {
        let batch = tokio::time::timeout(PATIENCE, feed.next()).await;
        let batch = batch.unwrap_or_else(|_| panic!("{} of {count} entries came", entries.len()));
        match batch.expect("a batch") {
            Some(batch) => entries.extend(batch.entries),
            None => panic!("the feed ended after {} of {count} entries", entries.len()),
        }
    }
    assert_eq!(entries.len(), count, "more came than was written");
    entries
}

/// The first entries of a client's feed, waiting until there are so many.
pub(crate) async fn first(client: &Client, count: usize) -> Vec<Entry> {
    entries(&mut client.stream_entries(&FeedRequest::default().follow()), count).await
}

/// All that a client's feed tells now.
pub(crate) async fn all(client: &Client, request: &FeedRequest) -> Vec<Entry> {
    let mut feed = client.stream_entries(request);
    let mut entries = Vec::new();
    while let Some(batch) = feed.next().await.expect("a batch") {
        assert!(
            !batch.entries.is_empty(),
            "a feed that does not follow tells entries only"
        );
        entries.extend(batch.entries);
    }
    entries
}

/// Entries by member, as they came.
pub(crate) fn by_member(entries: &[Entry]) -> BTreeMap<MemberId, Vec<Entry>> {
    let mut members: BTreeMap<MemberId, Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        members.entry(entry.member_id.clone()).or_default().push(entry.clone());
    }
    members
}

/// What was told of each member is the member's history, whole and in order.
pub(crate) async fn assert_tells_history(entries: &[Entry], members: &[ShopMember<'_>]) {
    let mut told = by_member(entries);
    for member in members {
        let mut history = member.history().await;
        history.reverse();
        let told = told.remove(&member.member.member_id).unwrap_or_default();
        assert_eq!(told, history);
    }
    assert!(told.is_empty(), "entries of nobody: {told:?}");
}

/// Keeps the sealer from sealing until it is released.
pub(crate) async fn hold_sealer(shop: &Shop) -> super::books::Stall {
    let mut stall = super::books::Stall::begin(shop).await;
    stall
        .executes("SELECT token FROM job_lease WHERE job = 'sealer' FOR UPDATE")
        .await;
    stall
}

/// So many sales at once, each an entry.
pub(crate) async fn rush(members: &[ShopMember<'_>], count: usize) {
    let mut sales = tokio::task::JoinSet::new();
    for member in members.iter().cycle().take(count) {
        let (client, sale) = (member.shop.client.clone(), member.sale("1.00"));
        sales.spawn(async move { client.record_sale(&sale).await });
    }
    for receipt in sales.join_all().await {
        receipt.expect("a receipt");
    }
}
