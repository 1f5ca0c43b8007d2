//! L8, L9: balances and histories, and that they tell the same.

use loyalty_sdk::{
    Decimal, EarnRate, Entry, EntryKind, Error, ExpiryPolicy, MemberKey, NewProgram, PageRequest, RedemptionPolicy,
};
use tokio::task::JoinSet;

use crate::harness::{PROGRAM, Shop, dec, instant, wrong_fields};

/// Points are worth half a euro each, one is earned per euro, and they lapse after a year.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::months(12))
        .redemption(RedemptionPolicy::new(dec("0.5")));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

/// Sequences without gaps, balances that are running sums, and clocks that never go back; newest first.
fn assert_adds_up(history: &[Entry], available: Decimal) {
    let mut balance = Decimal::ZERO;
    let mut recorded_at = instant("2000-01-01T00:00:00Z");
    for (sequence, entry) in (1..).zip(history.iter().rev()) {
        balance += entry.points;
        assert_eq!((entry.sequence, entry.balance_after), (sequence, balance), "{entry:?}");
        assert!(entry.recorded_at >= recorded_at, "{entry:?}");
        let lots: Decimal = entry.lots.iter().map(|lot| lot.points).sum();
        assert_eq!(lots, entry.points, "{entry:?}");
        recorded_at = entry.recorded_at;
    }
    assert_eq!(balance, available);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_says_what_happened_where_and_to_which_lots() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let earning = ada.sale("10.00").occurred_at(instant("2026-01-14T20:00:00Z"));
    ada.records(&earning).await;
    shop.changes(|club| club.name("Klub")).await;
    let paying = ada.sale("2.00").redeem_points(4);

    ada.records(&paying).await;

    let history = ada.history().await;
    let [nothing, redeem, earn] = history.as_slice() else {
        panic!("three entries: {history:?}");
    };
    assert_eq!(
        (earn.kind, earn.points, earn.balance_after),
        (EntryKind::Earn, dec("10"), dec("10"))
    );
    assert_eq!(
        (redeem.kind, redeem.points, redeem.balance_after),
        (EntryKind::Redeem, dec("-4"), dec("6"))
    );
    assert_eq!(
        (nothing.kind, nothing.points, nothing.balance_after),
        (EntryKind::Earn, dec("0"), dec("6"))
    );
    assert_eq!([earn, redeem, nothing].map(|entry| entry.program_version), [2, 3, 3]);
    for (entry, sale) in [(earn, &earning), (redeem, &paying), (nothing, &paying)] {
        assert_eq!(entry.member_id, ada.member.member_id);
        assert_eq!(entry.store_id.as_deref(), Some("store-1"));
        assert_eq!(entry.sale_id.as_ref(), Some(&sale.sale_id));
        assert_eq!(entry.recorded_at, shop.now());
    }
    assert_eq!(earn.occurred_at, instant("2026-01-14T20:00:00Z"));
    assert_eq!(redeem.occurred_at, shop.now());
    let lots = |entry: &Entry| -> Vec<(u64, Decimal)> {
        entry.lots.iter().map(|lot| (lot.lot_sequence, lot.points)).collect()
    };
    assert_eq!(lots(earn), [(1, dec("10"))]);
    assert_eq!(lots(redeem), [(1, dec("-4"))]);
    assert_eq!(lots(nothing), []);
    for lot in earn.lots.iter().chain(&redeem.lots) {
        assert_eq!(lot.expires_at, Some(instant("2027-01-14T00:00:00Z")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_tells_the_points_their_worth_and_their_next_lapse() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let before = ada.balance().await;

    let receipt = ada.buys("11.99").await;

    assert_eq!(
        (before.available, &before.value, before.next_expiry_at),
        (dec("0"), &None, None)
    );
    let answer = shop.client.get_balance(&ada.member).await.expect("a balance");
    assert_eq!(
        (answer.member_id, answer.program_id.as_str()),
        (ada.member.member_id.clone(), PROGRAM)
    );
    assert_eq!(answer.balance, receipt.balance);
    assert_eq!(answer.balance.available, dec("11"));
    assert_eq!(
        answer.balance.value.map(|value| value.to_string()),
        Some("5.50 EUR".to_owned())
    );
    assert_eq!(answer.balance.next_expiry_at, Some(instant("2027-01-15T00:00:00Z")));
    assert_eq!((answer.balance.tier_id, answer.balance.next_tier), (None, None));
    assert_eq!(answer.balance.tier_spend.to_string(), "11.99 EUR");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_newest_first_and_entries_written_meanwhile_do_not_shift_them() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    for _ in 0..7 {
        ada.buys("1.00").await;
    }

    let mut sequences = Vec::new();
    let mut next = Some(PageRequest::of(3));
    while let Some(page) = next {
        let page = shop.client.list_entries(&ada.key, &page).await.expect("a page");
        sequences.push(page.items.iter().map(|entry| entry.sequence).collect::<Vec<_>>());
        next = page.next;
        ada.buys("1.00").await;
    }

    assert_eq!(sequences, [vec![7, 6, 5], vec![4, 3, 2], vec![1]]);
    assert_eq!(ada.history().await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_exactly_full_is_the_last() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let none = shop
        .client
        .list_entries(&ada.key, &PageRequest::of(1))
        .await
        .expect("a page");
    ada.buys("1.00").await;
    ada.buys("1.00").await;

    let full = shop
        .client
        .list_entries(&ada.key, &PageRequest::of(2))
        .await
        .expect("a page");

    assert_eq!((none.items.len(), none.next), (0, None));
    assert_eq!((full.items.len(), full.next), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_this_list_did_not_give_is_refused() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    let token = |text: &str| PageRequest {
        page_token: text.to_owned(),
        ..PageRequest::default()
    };
    let cases = [
        ("page_size", PageRequest::of(201)),
        ("page_token", token("not hexadecimal")),
        ("page_token", token("636c7562")),
        ("page_token", token("2d31")),
        ("page_token", token("393939393939393939393939393939393939393939")),
    ];

    for (field, page) in cases {
        let error = shop.client.list_entries(&ada.key, &page).await.expect_err(field);

        assert_eq!(wrong_fields(&error), [field], "{page:?}");
    }
    let nobody = shop
        .client
        .list_entries(MemberKey::customer_id("bob"), &PageRequest::default())
        .await;
    assert_eq!(
        nobody,
        Err(Error::MemberNotFound {
            field: "member".to_owned()
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorded_time_never_goes_back_though_the_clock_does() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    shop.it_is("2026-01-15T12:00:00Z");
    ada.buys("5.00").await;

    shop.it_is("2026-01-15T11:00:00Z");
    ada.buys("1.00").await;
    ada.records(&ada.sale("1.00").redeem_points(2)).await;
    let in_between = ada.points().await;
    shop.it_is("2026-01-15T13:00:00Z");
    ada.buys("1.00").await;

    let history = ada.history().await;
    let times = |time: fn(&Entry) -> loyalty_sdk::DateTime<loyalty_sdk::Utc>| -> Vec<String> {
        history
            .iter()
            .rev()
            .map(|entry| time(entry).format("%H:%M").to_string())
            .collect()
    };
    assert_eq!(
        times(|entry| entry.recorded_at),
        ["12:00", "12:00", "12:00", "12:00", "13:00"]
    );
    assert_eq!(
        times(|entry| entry.occurred_at),
        ["12:00", "11:00", "11:00", "11:00", "13:00"]
    );
    assert_eq!(in_between, dec("4"));
    assert_adds_up(&history, dec("5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_adds_up_through_a_year_of_earning_spending_and_lapsing() {
    let shop = shop().await;
    shop.changes(|club| club.expiry(Some(ExpiryPolicy::days(45)))).await;
    let ada = shop.enrols("ada").await;

    for week in 0..52_i64 {
        let sale = ada.sale("7.00");
        let redeems = week % 3 == 2 && week != 26;
        let sale = if redeems {
            sale.redeem_points(5 + week % 8)
        } else {
            sale
        };
        ada.records(&sale).await;
        // A gap of two months after half a year: everything lapses.
        shop.days_pass(if week == 25 { 60 } else { 7 });
    }
    ada.buys("1.00").await;

    let history = ada.history().await;
    assert_adds_up(&history, ada.points().await);
    let of_kind = |kind| history.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!((of_kind(EntryKind::Earn), of_kind(EntryKind::Redeem)), (53, 16));
    assert!(of_kind(EntryKind::Expire) > 10, "{}", of_kind(EntryKind::Expire));
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_at_many_tills_through_two_servers_make_one_history() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("40.00").await;
    let tills = [shop.client.clone(), shop.second_server().await];

    let mut sales = JoinSet::new();
    for till in 0..40 {
        let (client, sale) = (tills[till % 2].clone(), ada.sale("1.00"));
        let sale = if till % 4 < 2 { sale } else { sale.redeem_points(2) };
        sales.spawn(async move { client.record_sale(&sale).await });
    }
    let receipts = sales.join_all().await;

    for receipt in receipts {
        receipt.expect("a sale");
    }
    // 40 and 20 are earned, 40 spent; what points paid whole earns nothing.
    assert_eq!(ada.points().await, dec("20"));
    let history = ada.history().await;
    assert_eq!(history.len(), 1 + 20 + 20 * 2);
    assert_adds_up(&history, dec("20"));
}
