//! The hash chain, and entries that nobody announced.

use loyalty_sdk::{DriftKind, FeedRequest, VerifyRequest};

use super::{ada, meddles, named, newest_link, shop, until_sealed};
use crate::harness::books::drifts;
use crate::harness::dec;
use crate::harness::feed::hold_sealer;

/// Gives a member 1,000 points so that all the books agree.
const FORGED: &str = "INSERT INTO entry (merchant_id, member_id, sequence, kind, points, balance_after, tier_spend, \
    store_id, sale_id, program_version, lot_expires_at, occurred_at, recorded_at) SELECT merchant_id, member_id, 6, kind, \
    1000, 1080, 0, store_id, 'forged', program_version, lot_expires_at, occurred_at, recorded_at FROM entry WHERE sequence = 5; \
    INSERT INTO lot (merchant_id, member_id, expires_at, sequence, points, remaining) \
    SELECT merchant_id, member_id, expires_at, 6, 1000, 1000 FROM lot WHERE sequence = 5; \
    UPDATE account SET points = 1080, last_sequence = 6, lifetime_earned = 1140";

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_the_server_did_not_post_is_named_for_good() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    meddles(&shop, FORGED).await;
    assert_eq!(ada.points().await, dec("1080"));

    let at_once = drifts(&shop.client, &VerifyRequest::member(&ada.member)).await;
    let among_all = drifts(&shop.client, &VerifyRequest::default()).await;
    ada.buys("10.00").await;
    until_sealed(&shop).await;
    let later = drifts(&shop.client, &VerifyRequest::member(&ada.member)).await;
    let later_among_all = drifts(&shop.client, &VerifyRequest::default()).await;

    for drifts in [at_once, among_all, later, later_among_all] {
        assert_eq!(named(&drifts), [(DriftKind::Unannounced, 6, "sequence")]);
    }
    let told = crate::harness::feed::all(&shop.client, &FeedRequest::default()).await;
    assert_eq!(told.len(), 7, "the feed leaves nothing out");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_were_changed_or_cut_off_are_missed() {
    use DriftKind::*;
    let shop = shop().await;
    ada(&shop).await;
    let known = newest_link(&shop).await;
    assert_eq!(known.position, 5);
    let all = VerifyRequest::default();
    let with_known = VerifyRequest::default().known_links([known.clone()]);
    assert_eq!(drifts(&shop.client, &with_known).await, []);

    let head = "UPDATE feed_head SET hash = REPEAT('x', 32)";
    let cases = [
        (
            "UPDATE feed SET hash = REPEAT('x', 32) WHERE position = 2",
            vec![(HashChain, 2, "entry"), (HashChain, 3, "entry")],
        ),
        (
            "UPDATE feed SET source = 2 WHERE position = 2",
            vec![(Unannounced, 2, "sequence"), (HashChain, 2, "entry")],
        ),
        (
            "UPDATE feed SET source = 9 WHERE position = 2",
            vec![(HashChain, 2, "source")],
        ),
        (
            "UPDATE feed SET form = 9 WHERE position = 2",
            vec![(HashChain, 2, "form")],
        ),
        (
            "UPDATE feed SET position = 9 WHERE position = 5",
            vec![(HashChain, 0, "position"), (HashChain, 0, "head")],
        ),
        ("DELETE FROM feed WHERE position = 2", vec![(HashChain, 0, "position")]),
        (
            "DELETE FROM feed WHERE position = 5",
            vec![(Unannounced, 5, "sequence"), (HashChain, 0, "head")],
        ),
        (head, vec![(HashChain, 0, "head")]),
    ];
    meddles(
        &shop,
        "CREATE TABLE kept AS SELECT * FROM feed; CREATE TABLE kept_head AS SELECT * FROM feed_head",
    )
    .await;
    let restore = "DELETE FROM feed; INSERT INTO feed SELECT * FROM kept; DELETE FROM feed_head; INSERT INTO feed_head SELECT * FROM kept_head";
    for (meddle, expected) in cases {
        meddles(&shop, meddle).await;

        let found = drifts(&shop.client, &all).await;

        assert_eq!(named(&found), expected, "{meddle}: {found:#?}");
        meddles(&shop, restore).await;
    }

    // Somebody takes the last sale back altogether, and makes the chain end before it.
    let rewrite = "DELETE FROM entry WHERE sequence = 5; DELETE FROM lot WHERE sequence = 5; DELETE FROM feed WHERE position = 5; \
        UPDATE account SET points = 60, last_sequence = 4, lifetime_earned = 120, tier_spend = 180; UPDATE feed_head SET position = 4, \
        hash = (SELECT hash FROM feed WHERE position = 4)";
    meddles(&shop, rewrite).await;
    let without = drifts(&shop.client, &all).await;
    let with = drifts(&shop.client, &with_known).await;

    assert_eq!(without, [], "nothing in the database shows it");
    assert_eq!(named(&with), [(HashChain, 0, "known_link")]);
    let shard = known.shard;
    assert_eq!(
        with[0].to_string().split(" is ").next(),
        Some(format!("HashChain position 5 of shard {shard}: known_link").as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_deleted_before_it_was_sealed_is_named() {
    use DriftKind::*;
    let shop = shop().await;
    let ada = ada(&shop).await;

    let held = hold_sealer(&shop).await;
    ada.buys("10.00").await;
    ada.buys("20.00").await;
    meddles(
        &shop,
        "UPDATE entry SET occurred_at = '2020-01-01 00:00:00', cashier_id = 'mallory' WHERE sequence = 6; \
         DELETE FROM entry WHERE sequence = 7",
    )
    .await;
    held.release().await;
    until_sealed(&shop).await;

    let drifts = drifts(&shop.client, &VerifyRequest::default()).await;
    let found = named(&drifts);
    for drift in [(HashChain, 6, "entry"), (HashChain, 7, "entry")] {
        assert!(found.contains(&drift), "{drift:?} in {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_claims_to_be_of_an_older_form_is_held_against_that_form() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    assert_eq!(drifts(&shop.client, &VerifyRequest::default()).await, []);

    meddles(&shop, "UPDATE feed SET form = 1 WHERE sequence = 5").await;

    let drifts = drifts(&shop.client, &VerifyRequest::member(&ada.member)).await;
    assert_eq!(named(&drifts), [(DriftKind::HashChain, 5, "entry")]);
}
