//! T8: what members bring along beside points that can be spent: debts, points that wait, blocks, and who they are.

use loyalty_sdk::{
    EarnRate, EarnReason, EntryKind, Error, ImportedMember, MarketingConsent, MemberKey, NewMember, NewProgram,
    NewRule, OpeningLot, RedemptionPolicy, ReportGrouping, ReportPeriod,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, day, dec, instant};
use crate::imports::row;

/// A point per euro, worth a euro. It is 15 January.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR").redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// The member of row 1.
async fn imported(shop: &Shop, row: ImportedMember) -> ShopMember<'_> {
    let counts = shop.client.import_members(PROGRAM, "erp", vec![row], |_| {}).await;
    assert_eq!(counts.map(|counts| counts.imported), Ok(1));
    let key = MemberKey::customer_id("customer-1");
    let (member, _) = shop.client.lookup_member(key.clone()).await.expect("a member");
    ShopMember::new(shop, key, member)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_who_owes_goes_on_owing_and_points_repay_it() {
    let shop = shop().await;
    let rows = [("50", None), ("50", Some(30)), ("50", Some(70))];

    let mut stand = Vec::new();
    for (number, (debt, points)) in (1..).zip(rows) {
        let row = row(number).debt(dec(debt)).lifetime(200, 250, 0);
        let row = points
            .into_iter()
            .fold(row, |row, points: i64| row.lot(OpeningLot::new(points)));
        let counts = shop.client.import_members(PROGRAM, "erp", vec![row], |_| {}).await;
        assert_eq!(counts.map(|counts| counts.imported), Ok(1));
        let key = MemberKey::customer_id(format!("customer-{number}"));
        let summary = shop.client.summarize_balance(&key, None, 0).await.expect("a balance");
        stand.push((summary.balance, summary.debt, summary.lifetime_earned));
    }

    let expected = [("-50", "50", "200"), ("-20", "20", "200"), ("20", "0", "200")];
    assert_eq!(
        stand,
        expected.map(|(balance, debt, earned)| (dec(balance), dec(debt), dec(earned)))
    );
    let key = MemberKey::customer_id("customer-1");
    let (member, _) = shop.client.lookup_member(key.clone()).await.expect("a member");
    let ada = ShopMember::new(&shop, key, member);
    ada.buys("60.00").await;
    assert_eq!(ada.points().await, dec("10"));
    let history = ada.history().await;
    let opening = history.last().expect("an entry");
    assert_eq!((opening.kind, opening.points), (EntryKind::Opening, dec("-50")));
    assert_eq!(opening.reference.as_deref(), Some("erp"));
    let period = ReportPeriod::of_program(PROGRAM);
    let rolled = shop
        .client
        .get_roll_forward(&period, ReportGrouping::Unspecified, |_| {})
        .await
        .expect("a report");
    assert_eq!(rolled.movement.imported, dec("-50"), "-50, -20 and 20");
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_wait_go_on_waiting() {
    let shop = shop().await;
    let waits = OpeningLot::new(40).pending_until(instant("2026-01-29T00:00:00Z"));
    let over = OpeningLot::new(5).pending_until(instant("2026-01-15T10:00:00Z"));

    let ada = imported(&shop, row(1).lot(waits).lot(over).lot(OpeningLot::new(7))).await;

    let balance = ada.balance().await;
    assert_eq!((balance.available, balance.pending), (dec("12"), dec("40")));
    assert_eq!(balance.next_pending_until, Some(instant("2026-01-29T00:00:00Z")));
    assert_books_agree(&shop).await;
    shop.it_is("2026-01-29T00:00:00Z");
    let receipt = ada.records(&ada.sale("60.00").redeem_points(52)).await;
    assert_eq!(receipt.points_redeemed, dec("52"));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_blocked_or_had_opted_out_still_is() {
    let shop = shop().await;
    let blocked = imported(&shop, row(1).lot(OpeningLot::new(50)).blocked("stolen card")).await;
    let counts = shop
        .client
        .import_members(PROGRAM, "erp", vec![row(2).lot(OpeningLot::new(9)).opted_out()], |_| {})
        .await;
    assert_eq!(counts.map(|counts| counts.imported), Ok(1));
    let key = MemberKey::customer_id("customer-2");
    let (member, _) = shop.client.lookup_member(key.clone()).await.expect("a member");
    let out = ShopMember::new(&shop, key, member);

    let refused = blocked.tries(&blocked.sale("10.00").redeem_points(5)).await;
    let earned = blocked.buys("10.00").await;
    let nothing = out.records(&out.sale("10.00").redeem_points(4)).await;
    shop.client.unblock_member(&blocked.member, "").await.expect("a member");
    let redeemed = blocked.records(&blocked.sale("10.00").redeem_points(10)).await;
    shop.client.opt_in_member(&out.member, "").await.expect("a member");
    let again = out.buys("10.00").await;

    let block = blocked.member.block.as_ref().expect("a block");
    assert_eq!((block.reason.as_str(), block.blocked_at), ("stolen card", shop.now()));
    assert!(matches!(refused, Err(Error::MemberBlocked { .. })), "{refused:?}");
    assert_eq!((earned.points_earned, redeemed.points_redeemed), (dec("10"), dec("10")));
    assert_eq!(out.member.opted_out_at, Some(shop.now()));
    assert_eq!(nothing.lines[0].reason, EarnReason::OptedOut);
    assert_eq!((nothing.points_redeemed, again.points_earned), (dec("4"), dec("10")));
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_known_of_a_customer_comes_along() {
    let shop = shop().await;
    let vip = NewRule::new(PROGRAM, "VIP", EarnRate::new(1, 5))
        .rule_id("vip")
        .assigned();
    shop.creates(&vip).await;
    let consent = MarketingConsent {
        decided_at: Some(instant("2024-02-03T04:05:06Z")),
        ..MarketingConsent::granted()
    };
    let new = NewMember::new(PROGRAM)
        .customer_id("customer-1")
        .phone("+51 999 888 777")
        .email("ada@example.com")
        .card("7700123")
        .qr_code("QR-1")
        .name("Ada")
        .birth_date(day("1990-12-10"))
        .language("es-PE")
        .customer_group("retail/vip")
        .territory("south/lima")
        .assigned_rule("vip")
        .marketing_consent(consent);

    let ada = imported(&shop, ImportedMember::new(1, new)).await;
    let earned = ada.buys("10.00").await.points_earned;

    let member = &ada.member;
    assert_eq!(member.identifiers.len(), 5);
    let keys = [
        MemberKey::phone("+51999888777"),
        MemberKey::card("7700123"),
        MemberKey::qr_code("QR-1"),
    ];
    for key in keys {
        let found = shop.client.lookup_member(key).await;
        assert_eq!(found.map(|(found, _)| found.member_id).as_ref(), Ok(&member.member_id));
    }
    assert_eq!(
        (member.name.as_str(), member.birth_date),
        ("Ada", Some(day("1990-12-10")))
    );
    assert_eq!(
        (member.language.as_deref(), member.marketing_consent),
        (Some("es-PE"), Some(consent))
    );
    let tree = (member.customer_group.as_deref(), member.territory.as_deref());
    assert_eq!(tree, (Some("retail/vip"), Some("south/lima")));
    assert_eq!(earned, dec("50"), "by the rule that the record names");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_of_it_is_refused_by_the_name_of_its_field() {
    let shop = shop().await;
    let far = instant("2200-01-01T00:00:00Z");
    let rows = [
        ("debt", row(1).debt(-1)),
        ("debt", row(1).debt(dec("0.5"))),
        ("debt", row(1).debt(1_000_000_001)),
        ("block_reason", row(1).blocked("r".repeat(201))),
        (
            "lots[0].pending_until",
            row(1).lot(OpeningLot::new(1).pending_until(far)),
        ),
    ];

    for (field, row) in rows {
        let mut refused = Vec::new();
        let told = |part: &loyalty_sdk::ImportProgress| refused.extend(part.refused.clone());
        let counts = shop.client.import_members(PROGRAM, "erp", vec![row], told).await;
        assert_eq!(counts.map(|counts| counts.imported), Ok(0), "{field}");
        assert_eq!(refused[0].field.as_deref(), Some(field), "{refused:?}");
    }
}
