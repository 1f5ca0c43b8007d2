//! L12, L13: the books are verified against the ledger, and the ledger against what was sealed; what was changed behind
//! the server's back is named.

mod asking;
mod books;
mod chain;
mod moves;

use diesel_async::SimpleAsyncConnection as _;
use loyalty_sdk::{
    ChainLink, Drift, DriftKind, EarnRate, ExpiryPolicy, FeedRequest, NewProgram, NewRule, RedemptionPolicy,
    VerifyRequest,
};

use crate::harness::books::{assert_books_agree, count};
use crate::harness::feed::quick;
use crate::harness::{PROGRAM, Shop, ShopMember, dec};

/// A shop whose points lapse after 30 days; those of the `late` program wait 5 days as well.
pub(super) async fn shop() -> Shop {
    let shop = Shop::serving(quick).await;
    for (program_id, pending_days) in [(PROGRAM, 0), ("late", 5)] {
        let program = waiting(pending_days)
            .program_id(program_id)
            .expiry(ExpiryPolicy::days(30));
        shop.client.create_program(&program).await.expect("a program");
        let rule = NewRule::new(program_id, "Default", EarnRate::new(dec("1"), dec("1")));
        shop.creates(&rule).await;
    }
    shop
}

/// A program whose points can be spent after so many days.
pub(super) fn waiting(pending_days: u32) -> NewProgram {
    let mut program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    program.pending_days = pending_days;
    program
}

/// Earns 50 and 70, spends 60, which earns nothing, and earns 20: entries 1 to 5, lots of
/// entries 1 (empty), 2 and 5.
pub(super) async fn ada(shop: &Shop) -> ShopMember<'_> {
    let ada = shop.enrols("ada").await;
    ada.buys("50.00").await;
    shop.days_pass(1);
    ada.buys("70.00").await;
    let pays = ada.sale("60.00").redeem_points(60);
    ada.records(&pays).await;
    shop.days_pass(1);
    ada.buys("20.00").await;
    until_sealed(shop).await;
    ada
}

pub(super) async fn until_sealed(shop: &Shop) {
    let mut database = shop.database().await;
    while count(&mut database, "SELECT COUNT(*) AS n FROM posting_batch").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

pub(super) async fn meddles(shop: &Shop, statement: &str) {
    let mut database = shop.database().await;
    database.batch_execute(statement).await.expect(statement);
}

/// Kind, entry and field of each.
pub(super) fn named(drifts: &[Drift]) -> Vec<(DriftKind, u64, &str)> {
    let name = |drift: &Drift| drift.sequence.unwrap_or_default();
    drifts
        .iter()
        .map(|drift| (drift.kind, name(drift), drift.field.as_str()))
        .collect()
}

/// The newest link of the feed.
pub(super) async fn newest_link(shop: &Shop) -> ChainLink {
    let mut feed = shop.client.stream_entries(&FeedRequest::default());
    let mut link = None;
    while let Some(batch) = feed.next().await.expect("a batch") {
        link = batch.link;
    }
    link.expect("a link")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_ledger_that_nobody_touched_verifies_clean() {
    let shop = shop().await;
    let mut members = Vec::new();
    for number in 0..70 {
        members.push(shop.enrols(&format!("customer-{number}")).await);
    }
    for _ in 0..5 {
        members.push(shop.member_of(waiting(9), EarnRate::new(dec("1"), dec("1"))).await);
    }
    for week in 0..8 {
        for (number, member) in members.iter().enumerate().filter(|(number, _)| number % 4 == week % 4) {
            member.buys("17.50").await;
            let spends = member
                .sale("9.00")
                .redeem_points(u32::try_from(number % 5).expect("small") + 1)
                .clamped();
            member.records(&spends).await;
        }
        shop.days_pass(11);
    }

    let everything = shop
        .client
        .verify_ledger(&VerifyRequest::default())
        .finish()
        .await
        .expect("an end");
    let club = shop
        .client
        .verify_ledger(&VerifyRequest::program(PROGRAM))
        .finish()
        .await
        .expect("an end");
    let one = VerifyRequest::member(&members[3].member);
    let one = shop.client.verify_ledger(&one).finish().await.expect("an end");

    assert_eq!((everything.drifts, club.drifts, one.drifts), (vec![], vec![], vec![]));
    assert_eq!((everything.members, club.members, one.members), (75, 70, 1));
    let mut database = shop.database().await;
    let sealed = count(&mut database, "SELECT COUNT(*) AS n FROM feed").await;
    let written = count(&mut database, "SELECT COUNT(*) AS n FROM entry").await;
    assert!(written > 300, "{written}");
    assert_eq!(
        everything.entries,
        u64::try_from(written + sealed).expect("small"),
        "each replayed, each held against its link"
    );
    assert_eq!(one.entries, members[3].history().await.len() as u64);
    assert_books_agree(&shop).await;
}
