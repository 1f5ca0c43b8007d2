//! The stored books of members.

use std::collections::BTreeSet;

use loyalty_sdk::{DriftKind, EarnRate, NewHold, RedemptionRequest, VerifyRequest};

use super::{ada, meddles, named, shop, until_sealed, waiting};
use crate::harness::books::{drifts, texts};
use crate::harness::feed::rush;
use crate::harness::{ShopMember, dec};

/// What somebody does, what undoes it, and what is named.
type Case = (&'static str, &'static str, &'static [(DriftKind, u64, &'static str)]);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_behind_the_servers_back_is_named() {
    use DriftKind::*;
    let shop = shop().await;
    let ada = ada(&shop).await;
    let late = shop.member_of(waiting(9), EarnRate::new(dec("1"), dec("1"))).await;
    late.buys("30.00").await;
    let hold = NewHold::of(RedemptionRequest::new("store-1", ada.key.clone()).redeem_points(12));
    shop.client.place_hold(&hold).await.expect("a hold");
    until_sealed(&shop).await;
    let cases: [Case; 25] = [
        (
            "UPDATE account SET points = points + 5 WHERE points = 80",
            "UPDATE account SET points = 80 WHERE points = 85",
            &[(Balance, 0, "points")],
        ),
        (
            "UPDATE account SET debt = 5 WHERE points = 80",
            "UPDATE account SET debt = 0",
            &[(Debt, 0, "debt")],
        ),
        (
            "UPDATE account SET tier_spend = 1 WHERE points = 80",
            "UPDATE account SET tier_spend = 200 WHERE tier_spend = 1",
            &[(TierSpend, 0, "tier_spend")],
        ),
        (
            "UPDATE account SET lifetime_earned = 1 WHERE points = 80",
            "UPDATE account SET lifetime_earned = 140 WHERE lifetime_earned = 1",
            &[(LifetimeTotals, 0, "lifetime_earned")],
        ),
        (
            "UPDATE account SET lifetime_redeemed = 1 WHERE points = 80",
            "UPDATE account SET lifetime_redeemed = 60 WHERE lifetime_redeemed = 1",
            &[(LifetimeTotals, 0, "lifetime_redeemed")],
        ),
        (
            "UPDATE account SET lifetime_expired = 1 WHERE points = 80",
            "UPDATE account SET lifetime_expired = 0",
            &[(LifetimeTotals, 0, "lifetime_expired")],
        ),
        (
            "UPDATE account SET first_open_lot_sequence = 5 WHERE points = 80",
            "UPDATE account SET first_open_lot_sequence = 2 WHERE points = 80",
            &[(FirstOpenLot, 0, "first_open_lot")],
        ),
        (
            "UPDATE account SET last_sequence = 6 WHERE points = 80",
            "UPDATE account SET last_sequence = 5 WHERE points = 80",
            &[(Sequence, 6, "sequence")],
        ),
        (
            "UPDATE account SET pending = 7 WHERE points = 30",
            "UPDATE account SET pending = 30 WHERE pending = 7",
            &[(Pending, 0, "pending")],
        ),
        (
            "UPDATE pending SET points = 31",
            "UPDATE pending SET points = 30",
            &[(Pending, 0, "pending"), (Pending, 0, "points")],
        ),
        (
            "UPDATE account SET held = 7 WHERE held = 12",
            "UPDATE account SET held = 12 WHERE held = 7",
            &[(Held, 0, "held")],
        ),
        (
            "UPDATE hold SET state = 2",
            "UPDATE hold SET state = 0",
            &[(Held, 0, "held"), (Held, 0, "hold_lapses_at")],
        ),
        (
            "UPDATE hold SET document = CONCAT('meddled', document)",
            "UPDATE hold SET document = SUBSTRING(document, 8)",
            &[(Held, 0, "document")],
        ),
        (
            "UPDATE lot SET remaining = 3 WHERE sequence = 5",
            "UPDATE lot SET remaining = 20 WHERE sequence = 5",
            &[(Lot, 5, "remaining")],
        ),
        (
            "UPDATE lot SET points = 99 WHERE sequence = 5",
            "UPDATE lot SET points = 20 WHERE sequence = 5",
            &[(Lot, 5, "points")],
        ),
        (
            "UPDATE allocation SET points = -9 WHERE lot_sequence = 2",
            "UPDATE allocation SET points = -10 WHERE lot_sequence = 2",
            &[(HashChain, 3, "entry"), (Allocation, 3, "points")],
        ),
        (
            "UPDATE allocation SET sequence = 9 WHERE lot_sequence = 2",
            "UPDATE allocation SET sequence = 3 WHERE lot_sequence = 2",
            &[
                (HashChain, 3, "entry"),
                (Allocation, 9, "sequence"),
                (Allocation, 3, "points"),
            ],
        ),
        (
            "UPDATE entry SET points = 700 WHERE sequence = 2",
            "UPDATE entry SET points = 70 WHERE sequence = 2",
            &[(HashChain, 2, "entry"), (Entry, 2, "points")],
        ),
        (
            "UPDATE entry SET balance_after = 7 WHERE sequence = 3",
            "UPDATE entry SET balance_after = 60 WHERE sequence = 3",
            &[(HashChain, 3, "entry"), (Entry, 3, "balance_after")],
        ),
        (
            "UPDATE entry SET kind = 77 WHERE sequence = 3",
            "UPDATE entry SET kind = 2 WHERE sequence = 3",
            &[
                (HashChain, 3, "entry"),
                (Entry, 3, "kind"),
                (LifetimeTotals, 0, "lifetime_redeemed"),
            ],
        ),
        (
            "UPDATE entry SET tier_spend = 0 WHERE sequence = 5",
            "UPDATE entry SET tier_spend = 20 WHERE sequence = 5",
            &[(HashChain, 5, "entry"), (TierSpend, 0, "tier_spend")],
        ),
        (
            "UPDATE entry SET store_id = 'elsewhere' WHERE sequence = 5",
            "UPDATE entry SET store_id = 'store-1' WHERE sequence = 5",
            &[(HashChain, 5, "entry")],
        ),
        (
            "UPDATE entry SET note = '' WHERE sequence = 5",
            "UPDATE entry SET note = NULL WHERE sequence = 5",
            &[(HashChain, 5, "entry")],
        ),
        (
            "UPDATE entry SET sequence = 40 WHERE sequence = 5",
            "UPDATE entry SET sequence = 5 WHERE sequence = 40",
            &[
                (HashChain, 5, "entry"),
                (Sequence, 5, "sequence"),
                (Sequence, 40, "last_sequence"),
                (Lot, 40, "remaining"),
                (Balance, 0, "points"),
                (Unannounced, 40, "sequence"),
            ],
        ),
        (
            "UPDATE feed SET hash = REPEAT('x', 32) WHERE sequence = 3",
            "",
            &[(HashChain, 3, "entry"), (HashChain, 4, "entry")],
        ),
    ];
    let member = async |member: &ShopMember<'_>| drifts(&shop.client, &VerifyRequest::member(&member.member)).await;
    let clean = (member(&ada).await, member(&late).await);
    assert_eq!(clean, (vec![], vec![]));

    for (meddle, undo, expected) in cases {
        meddles(&shop, meddle).await;
        let of_members = [member(&ada).await, member(&late).await].concat();
        let of_all = drifts(&shop.client, &VerifyRequest::default()).await;
        if !undo.is_empty() {
            meddles(&shop, undo).await;
        }

        let mut expected = expected.to_vec();
        assert_eq!(named(&of_members), expected, "{meddle}: {of_members:#?}");
        // The chain comes last there, and what is tied to a link that was changed is not in order either.
        let all: BTreeSet<_> = named(&of_all).into_iter().map(|drift| format!("{drift:?}")).collect();
        expected.retain(|drift| !all.contains(&format!("{drift:?}")));
        assert_eq!(expected, [], "{meddle}: {of_all:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drift_tells_what_should_be_and_what_is() {
    let shop = shop().await;
    let ada = ada(&shop).await;
    meddles(
        &shop,
        "UPDATE lot SET remaining = 3.5 WHERE sequence = 5; UPDATE account SET pending_until = '2026-02-03 04:05:06'",
    )
    .await;

    let drifts = drifts(&shop.client, &VerifyRequest::member(&ada.member)).await;

    let member_id = &ada.member.member_id;
    let lines: Vec<String> = drifts.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            format!("Lot of member {member_id} entry 5 lot 5: remaining is 3.5, not 20"),
            format!("Pending of member {member_id}: pending_until is 2026-02-03T04:05:06Z, not nothing"),
        ]
    );
    let lot = drifts[0].lot.expect("a lot");
    assert_eq!(
        (lot.lot_sequence, lot.expires_at),
        (5, Some("2026-02-17T00:00:00Z".parse().expect("an instant")))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_the_ledger_that_are_gone_are_missed() {
    use DriftKind::*;
    let shop = shop().await;
    let ada = ada(&shop).await;
    let of_ada = VerifyRequest::member(&ada.member);

    meddles(&shop, "DELETE FROM entry WHERE sequence = 2").await;
    let entry = drifts(&shop.client, &of_ada).await;
    meddles(&shop, "DELETE FROM lot WHERE sequence = 5").await;
    let lot = drifts(&shop.client, &of_ada).await;
    meddles(&shop, "DELETE FROM account").await;
    let account = drifts(&shop.client, &of_ada).await;
    let among_all = drifts(&shop.client, &VerifyRequest::default()).await;

    assert_eq!(named(&entry), [(HashChain, 2, "entry"), (Sequence, 2, "sequence")]);
    assert_eq!(
        named(&lot),
        [
            (HashChain, 2, "entry"),
            (Sequence, 2, "sequence"),
            (Lot, 5, "remaining")
        ]
    );
    assert_eq!(named(&account), [(Account, 0, "account")]);
    assert_eq!(named(&among_all), [(HashChain, 2, "entry"), (Account, 0, "account")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_more_entries_than_are_replayed_at_once_is_verified_whole() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    rush(std::slice::from_ref(&ada), 5_100).await;
    ada.records(&ada.sale("5100.00").redeem_points(5_050)).await;
    until_sealed(&shop).await;
    let of_ada = VerifyRequest::member(&ada.member);

    let whole = shop.client.verify_ledger(&of_ada).finish().await.expect("an end");
    let everything = shop
        .client
        .verify_ledger(&VerifyRequest::default())
        .finish()
        .await
        .expect("an end");
    meddles(
        &shop,
        "UPDATE lot SET remaining = 0 WHERE sequence = 5090; UPDATE account SET last_sequence = 1000000000000000000",
    )
    .await;
    let meddled = drifts(&shop.client, &of_ada).await;

    assert_eq!((whole.drifts, whole.entries), (vec![], 5_102));
    assert_eq!((everything.drifts, everything.entries), (vec![], 2 * 5_102));
    assert_eq!(
        named(&meddled),
        [
            (DriftKind::Sequence, 5_103, "sequence"),
            (DriftKind::Lot, 5_090, "remaining")
        ]
    );
    let mut database = shop.database().await;
    assert_eq!(
        texts(&mut database, "SELECT CAST(COUNT(*) AS CHAR) AS value FROM feed").await,
        ["5102"]
    );
}
