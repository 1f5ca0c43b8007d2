//! T5: two members who turn out to be one customer are merged.

use loyalty_sdk::{
    EarnRate, Entry, EntryKind, Error, ExpiryPolicy, HoldCapture, Identifier, MemberChangeKind, MemberFilter,
    MemberKey, NewHold, NewMember, NewProgram, PageRequest, RedemptionPolicy, RedemptionRequest, RedemptionReversal,
    RequestId, Sale, Tier, TierSpendWindow,
};
use rust_decimal::Decimal;
use tokio::task::JoinSet;

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth ten cents, that lapses after 90 days.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .redemption(RedemptionPolicy::new(dec("0.10")))
        .expiry(ExpiryPolicy::days(90));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

impl ShopMember<'_> {
    /// The other is merged into this one.
    pub(crate) async fn takes_in(&self, other: &ShopMember<'_>) {
        let merged = self.shop.client.merge_members(&self.member, &other.member, "").await;
        merged.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Comes to owe so many points: spends what a sale earned that is cancelled afterwards.
    async fn owes(&self, points: &str) {
        let sale = self.sale(points);
        self.records(&sale).await;
        let spends = self.sale("50").do_not_earn().redeem_points(dec(points));
        self.records(&spends).await;
        self.cancels(&sale).await;
    }

    /// This one by the id that the member had when it was enrolled.
    fn by_id(&self) -> MemberKey {
        MemberKey::from(&self.member)
    }

    async fn own_entries(&self) -> Vec<Entry> {
        let page = self.shop.client.list_entries(self.by_id(), &PageRequest::of(100)).await;
        page.expect("a page").items
    }
}

/// Kind and points of entries, oldest first.
fn told(entries: &[Entry]) -> Vec<(EntryKind, Decimal)> {
    entries.iter().rev().map(|entry| (entry.kind, entry.points)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn points_move_and_keep_their_expiry() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("30").await;
    old.buys("20").await;
    shop.days_pass(10);
    old.buys("7").await;
    ada.buys("5").await;

    ada.takes_in(&old).await;
    let merged = ada.balance().await;
    let (out, into) = (old.own_entries().await, ada.history().await);
    // Through the 90th day after 15 January.
    shop.it_is("2026-04-15T23:59:59Z");
    let last_day = ada.points().await;
    shop.it_is("2026-04-16T00:00:00Z");
    let day_after = ada.points().await;

    assert_eq!((merged.available, merged.tier_spend.amount), (dec("62"), dec("62")));
    assert_eq!(merged.next_expiry_at, Some(instant("2026-04-16T00:00:00Z")));
    assert_eq!((last_day, day_after), (dec("62"), dec("12")));
    assert_eq!(told(&out).last(), Some(&(EntryKind::MergeOut, dec("-57"))));
    let came: Vec<_> = told(&into).split_off(1);
    let zero = (EntryKind::MergeIn, dec("0"));
    let [first, second, third] = ["30", "20", "7"].map(|points| (EntryKind::MergeIn, dec(points)));
    assert_eq!(came, [first, second, third, zero, zero], "lots, then spend by day");
    assert_eq!(into[0].reference, Some(old.member.member_id.to_string()));
    assert_eq!(out[0].reference, Some(ada.member.member_id.to_string()));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_names_the_merged_member_means_the_other() {
    let shop = shop().await;
    let second_server = shop.second_server().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("100").await;

    ada.takes_in(&old).await;

    let known = second_server.lookup_member(MemberKey::customer_id("old")).await;
    let by_id = second_server.get_member(&old.member).await.expect("the member");
    assert_eq!(known.expect("the member"), by_id);
    let (member, balance) = by_id;
    assert_eq!(
        (&member.member_id, balance.available),
        (&ada.member.member_id, dec("100"))
    );
    let known_by = ["ada", "old"].map(|id| Identifier::CustomerId(id.to_owned()));
    assert_eq!(member.identifiers, known_by);
    for key in [old.by_id(), old.key.clone(), ada.key.clone()] {
        let sale = Sale::new(shop.next_sale_id(), "store-1", key.clone(), "EUR", 10).redeem_points(1);
        let quote = second_server.quote_sale(&sale).await.expect("a quote");
        let receipt = second_server.record_sale(&sale).await.expect("a sale");
        let redeemed = second_server
            .redeem(&RedemptionRequest::new("store-1", key).redeem_points(1))
            .await
            .expect("a redemption");
        assert_eq!(
            (quote.member_id, receipt.member_id),
            (ada.member.member_id.clone(), ada.member.member_id.clone())
        );
        assert_eq!(redeemed.redemption.member_id, ada.member.member_id);
    }
    let blocked = shop.client.block_member(&old.member, "lost").await.expect("a member");
    assert_eq!(blocked.member_id, ada.member.member_id);
    let all = shop
        .client
        .list_members(&MemberFilter::of(PROGRAM), &PageRequest::default())
        .await;
    assert_eq!(all.expect("a page").items.len(), 1, "the merged one is in no list");
    let taken = shop
        .client
        .enroll_member(&NewMember::new(PROGRAM).customer_id("old"))
        .await;
    assert!(matches!(taken, Err(Error::IdentifierTaken { member_id, .. }) if member_id == ada.member.member_id));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_and_redemptions_of_before_come_back_to_the_other() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    let first = old.sale("100");
    old.records(&first).await;
    shop.days_pass(1);
    let paid = old.sale("50").redeem_points(40);
    old.records(&paid).await;
    let redeemed = shop
        .client
        .redeem(&RedemptionRequest::new("store-1", old.key.clone()).redeem_points(20))
        .await
        .expect("a redemption");
    ada.takes_in(&old).await;

    let quote = shop
        .client
        .quote_return(&ada.return_of(&first).amount(50))
        .await
        .expect("a quote");
    let half = ada.returns_amount(&first, "50").await;
    let all = ada.cancels(&paid).await;
    let reversal = RedemptionReversal::of(&redeemed.redemption.redemption_id, "store-1");
    let reversed = shop.client.reverse_redemption(&reversal).await.expect("a reversal");
    let balance = ada.balance().await;

    assert_eq!(
        (quote.points_taken_back, half.points_taken_back),
        (dec("50"), dec("50"))
    );
    assert_eq!(half.member_id, ada.member.member_id);
    assert_eq!((all.points_given_back, all.points_taken_back), (dec("40"), dec("46")));
    assert_eq!(reversed.reversed.points, dec("20"));
    // 100 + 46 - 40 - 20, less 50 and 46, and 40 and 20 again.
    assert_eq!((balance.available, balance.tier_spend.amount), (dec("50"), dec("50")));
    // All that is left came by the first sale: its lot, and what came back to it, lapse a day before the other's would have.
    shop.it_is("2026-04-15T23:59:59Z");
    assert_eq!(ada.points().await, dec("50"));
    shop.it_is("2026-04-16T00:00:00Z");
    assert_eq!(ada.points().await, dec("0"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_is_paid_by_the_points_of_whoever_has_some() {
    let shop = shop().await;
    let (rich, poor, debtor) = ("70", "-20", "-30");
    for (place, (points, left)) in [("100", rich), ("10", poor), ("0", debtor)].into_iter().enumerate() {
        for owes_stays in [true, false] {
            let owing = shop.enrols(&format!("owing-{place}-{owes_stays}")).await;
            owing.owes("30").await;
            let other = shop.enrols(&format!("other-{place}-{owes_stays}")).await;
            other.buys(points).await;

            let (stays, goes) = match owes_stays {
                true => (&owing, &other),
                false => (&other, &owing),
            };
            stays.takes_in(goes).await;

            assert_eq!(
                stays.points().await,
                dec(left),
                "{points} points, the debtor stays: {owes_stays}"
            );
        }
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pending_stays_pending_and_what_is_held_is_free() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("100").await;
    shop.changes(|club| club.pending_days(14)).await;
    old.buys("40").await;
    let hold = shop
        .client
        .place_hold(&NewHold::of(
            RedemptionRequest::new("store-1", old.key.clone()).redeem_points(60),
        ))
        .await
        .expect("a hold")
        .hold;

    ada.takes_in(&old).await;
    let balance = ada.balance().await;
    let capture = HoldCapture::of(&hold.hold_id, "store-1");
    let captured = shop.client.capture_hold(&capture).await;
    let captured_as_old = shop.client.capture_hold(&capture.clone().member(old.by_id())).await;
    shop.it_is("2026-01-30T00:00:00Z");
    let vested = ada.balance().await;

    assert_eq!(
        (balance.available, balance.pending, balance.held),
        (dec("100"), dec("40"), dec("0"))
    );
    assert_eq!(balance.next_pending_until, Some(instant("2026-01-30T00:00:00Z")));
    let released = Err(Error::HoldReleased { hold_id: hold.hold_id });
    assert_eq!(
        (captured.map(drop), captured_as_old.map(drop)),
        (released.clone(), released)
    );
    assert_eq!((vested.available, vested.pending), (dec("140"), dec("0")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spend_moves_day_by_day_and_the_tier_is_counted_anew() {
    let windows = [
        (
            TierSpendWindow::rolling_days(30).downgrade_after(0),
            ["silver 110", "silver 100", "bronze 40"],
        ),
        (
            TierSpendWindow::rolling_days(30),
            ["silver 110", "silver 100", "silver 40"],
        ),
    ];
    for (window, expected) in windows {
        let tier = |id: &str, minimum: i64| Tier::new(id, id, minimum).earn_rate(EarnRate::new(1, 1));
        let mut program = NewProgram::new("Club", "EUR")
            .tier(tier("bronze", 0))
            .tier(tier("silver", 100));
        program.tier_spend_window = Some(window);
        let shop = Shop::with_program(program).await;
        let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
        ada.buys("10").await;
        shop.days_pass(2);
        old.buys("60").await;
        shop.days_pass(10);
        old.buys("40").await;

        ada.takes_in(&old).await;
        let mut stands = Vec::new();
        for day in ["2026-01-27", "2026-02-14", "2026-02-16"] {
            shop.it_is(&format!("{day}T12:00:00Z"));
            let balance = ada.balance().await;
            let tier = balance.tier_id.unwrap_or_default();
            stands.push(format!("{tier} {}", balance.tier_spend.amount.normalize()));
        }

        assert_eq!(stands, expected);
        assert_books_agree(&shop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fractions_add_up() {
    let mut program = NewProgram::new("Club", "EUR");
    program.carry_fractions = true;
    let shop = Shop::with_rule(program, EarnRate::new(10, 1)).await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    ada.buys("6").await;
    old.buys("7").await;

    ada.takes_in(&old).await;
    let receipt = ada.buys("7").await;

    assert_eq!(receipt.points_earned, dec("2"), "0.6 + 0.7 + 0.7");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_merged_one_after_the_other() {
    let shop = shop().await;
    let (ada, old, older) = (
        shop.enrols("ada").await,
        shop.enrols("old").await,
        shop.enrols("older").await,
    );
    for member in [&ada, &old, &older] {
        member.buys("10").await;
    }

    old.takes_in(&older).await;
    ada.takes_in(&old).await;
    let receipt = shop
        .client
        .record_sale(&Sale::new("s", "store-1", older.by_id(), "EUR", 1))
        .await;

    let receipt = receipt.expect("a sale");
    assert_eq!(
        (receipt.member_id, receipt.balance.available),
        (ada.member.member_id.clone(), dec("31"))
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merger_is_made_once_and_told_of_both() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("10").await;
    let once = shop.client.with_request_id(RequestId::generate()).with_actor("ana");

    let first = once.merge_members(&ada.member, &old.member, "one person").await;
    let repeated = once.merge_members(&ada.member, &old.member, "one person").await;

    assert!(first.is_ok(), "{first:?}");
    assert_eq!(repeated, first);
    assert_eq!(ada.points().await, dec("10"));
    for (member, kind) in [(&ada, MemberChangeKind::TookIn), (&old, MemberChangeKind::Merged)] {
        let changes = shop
            .client
            .list_member_changes(&member.member, &PageRequest::default())
            .await;
        let change = changes.expect("a page").items.remove(0);
        assert_eq!(
            (change.kind, &*change.actor, &*change.reason),
            (kind, "ana", "one person")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_merged_is_told_why() {
    let shop = shop().await;
    let (ada, old) = (shop.enrols("ada").await.member, shop.enrols("old").await.member);
    let late = shop.enrols("late").await.member;
    let other = NewProgram::new("Other", "EUR").program_id("other");
    let stranger = shop.member_of(other, EarnRate::new(1, 1)).await.member;
    let nobody = "0a1b2c3d-0000-4000-8000-000000000000";
    shop.client.merge_members(&ada, &old, "").await.expect("a merger");

    let itself = shop.client.merge_members(&ada, &ada, "").await;
    let across = shop.client.merge_members(&ada, &stranger, "").await;
    let again = shop.client.merge_members(&ada, &old, "").await;
    let into_merged = shop.client.merge_members(&old, &late, "").await;
    let into_nobody = shop.client.merge_members(nobody, &late, "").await;
    let of_nobody = shop.client.merge_members(&late, nobody, "").await;

    assert_eq!(wrong_fields(&itself.expect_err("itself")), ["merged_member_id"]);
    let (program_id, merged_program_id) = (PROGRAM.into(), "other".into());
    assert_eq!(
        across,
        Err(Error::MergeAcrossPrograms {
            program_id,
            merged_program_id
        })
    );
    let merged = Err(Error::MemberMerged {
        member_id: old.member_id.clone(),
        merged_into: ada.member_id.clone(),
    });
    assert_eq!((&again, &into_merged), (&merged, &merged));
    let not_found = |field: &str| {
        Err(Error::MemberNotFound {
            field: field.to_owned(),
        })
    };
    assert_eq!(
        (into_nobody, of_nobody),
        (not_found("member_id"), not_found("merged_member_id"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_of_sales_that_race_with_a_merger() {
    let shop = shop().await;
    let servers = [shop.client.clone(), shop.second_server().await];
    let (ada, old) = (shop.enrols("ada").await, shop.enrols("old").await);
    old.buys("10").await;
    let mut racing = JoinSet::new();
    for number in 0..60 {
        let key = [old.by_id(), old.key.clone(), ada.key.clone()][number % 3].clone();
        let (client, sale) = (
            servers[number % 2].clone(),
            Sale::new(shop.next_sale_id(), "store-1", key, "EUR", 1),
        );
        racing.spawn(async move { client.record_sale(&sale).await.expect("a sale").points_earned });
    }

    ada.takes_in(&old).await;
    let earned: Decimal = racing.join_all().await.into_iter().sum();

    assert_eq!(earned, dec("60"));
    assert_eq!(ada.points().await, dec("70"));
    assert_eq!(
        old.own_entries().await[0].balance_after,
        dec("0"),
        "nothing is written to the merged one"
    );
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_member_who_stays_takes_what_is_not_known_and_a_block() {
    let shop = shop().await;
    let ada = NewMember::new(PROGRAM).customer_id("ada").name("Ada");
    let ada = shop.client.enroll_member(&ada).await.expect("a member");
    let old = NewMember::new(PROGRAM).card("card").name("A. Lovelace").language("es");
    let old = shop.client.enroll_member(&old).await.expect("a member");
    shop.client.block_member(&old, "stolen card").await.expect("a member");

    let merged = shop.client.merge_members(&ada, &old, "").await.expect("a member");
    let (read, _) = shop.client.get_member(&ada).await.expect("the member");

    assert_eq!((&*merged.name, merged.language.as_deref()), ("Ada", Some("es")));
    assert_eq!(merged.block.as_ref().map(|block| &*block.reason), Some("stolen card"));
    assert_eq!(read, merged);
}
