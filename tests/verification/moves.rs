//! Where lots went whose points were moved: to another expiry, or to another member.

use loyalty_sdk::{DriftKind, ExpiryPolicy, VerifyRequest};

use super::{meddles, named, shop, until_sealed};
use crate::harness::books::{assert_books_agree, drifts};

/// What somebody does, and what of the lot is named.
type Case = (&'static str, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_that_says_it_went_elsewhere_than_it_did_is_named() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("50.00").await;
    shop.moves_lots_to(ExpiryPolicy::days(60)).await;
    ada.buys("20.00").await;
    ada.takes_in(&old).await;
    until_sealed(&shop).await;
    // Entries of the merged one: 1 earns, 2 moves its lot, 3 leaves; of the other: 1 earns, 2 is the lot that came.
    let there = "member_id IN (SELECT member_id FROM account WHERE merged_into IS NOT NULL)";
    let here = "member_id NOT IN (SELECT member_id FROM account WHERE merged_into IS NOT NULL)";
    let moved = |set: &str, lot: u64| format!("UPDATE lot SET {set} WHERE sequence = {lot} AND {there}");
    let cases: [(u64, Case); 8] = [
        (1, ("moved_sequence = 3", "moved_sequence")),
        (1, ("moved_expires_at = expires_at", "moved_expires_at")),
        (1, ("moved_member_id = REPEAT('x', 16)", "moved_member_id")),
        (
            1,
            ("moved_sequence = NULL, moved_expires_at = NULL", "moved_expires_at"),
        ),
        (2, ("moved_sequence = 1", "moved_sequence")),
        (2, ("moved_expires_at = '2027-01-01'", "moved_expires_at")),
        (2, ("moved_member_id = member_id", "moved_member_id")),
        (2, ("moved_member_id = NULL", "moved_member_id")),
    ];
    let of_old = VerifyRequest::member(old.member.member_id.clone());
    assert_eq!(drifts(&shop.client, &of_old).await, []);
    assert_books_agree(&shop).await;

    meddles(&shop, "CREATE TABLE kept AS SELECT * FROM lot").await;
    let undo = "UPDATE lot l JOIN kept k USING (merchant_id, member_id, expires_at, sequence) SET \
        l.moved_member_id = k.moved_member_id, l.moved_expires_at = k.moved_expires_at, l.moved_sequence = k.moved_sequence";
    for (lot, (set, field)) in cases {
        meddles(&shop, &moved(set, lot)).await;
        let of_member = drifts(&shop.client, &of_old).await;
        let of_all = drifts(&shop.client, &VerifyRequest::default()).await;
        meddles(&shop, undo).await;

        assert_eq!(
            named(&of_member),
            [(DriftKind::Lot, lot, field)],
            "{set}: {of_member:#?}"
        );
        assert_eq!(named(&of_all), [(DriftKind::Lot, lot, field)], "{set}: {of_all:#?}");
    }
    let never_moved =
        format!("UPDATE lot SET moved_sequence = 2, moved_expires_at = expires_at WHERE sequence = 1 AND {here}");
    meddles(&shop, &never_moved).await;
    let of_ada = drifts(&shop.client, &VerifyRequest::member(&ada.member)).await;
    meddles(&shop, undo).await;

    assert_eq!(named(&of_ada), [(DriftKind::Lot, 1, "moved_expires_at")], "{of_ada:#?}");
    assert_eq!(drifts(&shop.client, &VerifyRequest::default()).await, []);
}
