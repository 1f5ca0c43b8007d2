//! L9: history across members, by what is asked of it; and the sales themselves.

use std::collections::BTreeSet;

use loyalty_sdk::{
    Adjustment, Cancellation, EarnRate, Entry, EntryFilter, EntryKind, Error, ExpiryPolicy, MemberKey, NewMember,
    NewProgram, NewReason, NewRule, Page, PageRequest, RedemptionPolicy, SaleFilter, SaleLine, SaleReturn, SaleSummary,
    Tender,
};

use crate::harness::books::assert_books_agree;
use crate::harness::{PROGRAM, Shop, ShopMember, dec, instant, wrong_fields};

/// A point per euro, worth a euro, that lapses after 30 days.
async fn shop() -> Shop {
    let program = NewProgram::new("Club", "EUR")
        .expiry(ExpiryPolicy::days(30))
        .redemption(RedemptionPolicy::new(1));
    Shop::with_rule(program, EarnRate::new(1, 1)).await
}

async fn all(shop: &Shop, filter: &EntryFilter, size: u32) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut next = Some(PageRequest::of(size));
    while let Some(page) = next {
        let page: Page<Entry> = shop.client.list_entries(filter.clone(), &page).await.expect("a page");
        entries.extend(page.items);
        next = page.next;
    }
    entries
}

async fn sales(shop: &Shop, filter: &SaleFilter, size: u32) -> Vec<SaleSummary> {
    let mut sales = Vec::new();
    let mut next = Some(PageRequest::of(size));
    while let Some(page) = next {
        let page = shop.client.list_sales(filter, &page).await.expect("a page");
        sales.extend(page.items);
        next = page.next;
    }
    sales
}

fn names(entries: &[Entry]) -> Vec<(EntryKind, String)> {
    entries
        .iter()
        .map(|entry| (entry.kind, entry.points.normalize().to_string()))
        .collect()
}

/// Three members in two stores over three days; what happened, newest last.
async fn lively(shop: &Shop) -> [ShopMember<'_>; 3] {
    let members = [
        shop.enrols("ada").await,
        shop.enrols("bob").await,
        shop.enrols("cem").await,
    ];
    let [ada, bob, cem] = &members;
    ada.buys("10").await;
    bob.buys("20").await;
    shop.it_is("2026-01-16T10:00:00Z");
    let mut elsewhere = ada.sale("30").redeem_points(4);
    elsewhere.store_id = "store-2".to_owned();
    elsewhere.terminal_id = "till-7".to_owned();
    elsewhere.cashier_id = "eva".to_owned();
    ada.records(&elsewhere).await;
    shop.it_is("2026-01-17T10:00:00Z");
    let reason = NewReason::adding("Gift").reason_id("gift");
    shop.client.create_reason(&reason).await.expect("a reason");
    let gift = Adjustment::new(cem.key.clone(), "gift", dec("5"));
    shop.client.adjust_points(&gift).await.expect("an adjustment");
    members
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_all_members_come_newest_first_in_pages_that_nothing_shifts() {
    let shop = shop().await;
    let [ada, ..] = lively(&shop).await;

    let whole = all(&shop, &EntryFilter::all(), 200).await;
    let first = shop.client.list_entries(EntryFilter::all(), &PageRequest::of(2)).await;
    let first = first.expect("a page");
    ada.buys("1").await;
    let mut rest = Vec::new();
    let mut next = first.next.clone();
    while let Some(page) = next {
        let page = shop
            .client
            .list_entries(EntryFilter::all(), &page)
            .await
            .expect("a page");
        rest.extend(page.items);
        next = page.next;
    }

    let in_pages: Vec<Entry> = first.items.into_iter().chain(rest).collect();
    assert_eq!(whole.len(), 5);
    assert_eq!(in_pages, whole);
    assert!(whole.is_sorted_by(|newer, older| newer.recorded_at >= older.recorded_at));
    assert_eq!(names(&whole[..1]), [(EntryKind::Adjust, "5".to_owned())]);
    let lots: Vec<usize> = whole.iter().map(|entry| entry.lots.len()).collect();
    assert_eq!(lots, [1, 1, 1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_condition_that_is_given_holds_and_pages_of_any_size_hold_the_same() {
    let shop = shop().await;
    let [ada, bob, cem] = lively(&shop).await;
    let in_store_2 = &ada.history().await[0];
    let (sale_store, sale_id) = (in_store_2.store_id.clone(), in_store_2.sale_id.clone());
    let (sale_store, sale_id) = (sale_store.expect("a store"), sale_id.expect("a sale"));
    let day = instant("2026-01-16T00:00:00Z");
    let earn = |points: &str| (EntryKind::Earn, points.to_owned());
    let used = (EntryKind::Redeem, "-4".to_owned());
    let given = (EntryKind::Adjust, "5".to_owned());
    let cases = [
        (EntryFilter::of_program(PROGRAM), 5, vec![]),
        (EntryFilter::all().kind(EntryKind::Redeem), 1, vec![used.clone()]),
        (
            EntryFilter::all().kind(EntryKind::Redeem).kind(EntryKind::Adjust),
            2,
            vec![given.clone(), used.clone()],
        ),
        (EntryFilter::all().store("store-2"), 2, vec![earn("26"), used.clone()]),
        (
            EntryFilter::all().terminal("till-7").cashier("eva"),
            2,
            vec![earn("26"), used.clone()],
        ),
        (EntryFilter::all().cashier("eva"), 2, vec![earn("26"), used.clone()]),
        (EntryFilter::all().cashier("nobody"), 0, vec![]),
        (EntryFilter::all().terminal("till-7"), 2, vec![earn("26"), used.clone()]),
        (EntryFilter::all().terminal("till-8"), 0, vec![]),
        (EntryFilter::of_member(&ada.key).terminal("till-7"), 2, vec![]),
        (EntryFilter::of_member(&ada.key).terminal("till-8"), 0, vec![]),
        (
            EntryFilter::of_member(&ada.key).cashier("eva").recorded_from(day),
            2,
            vec![],
        ),
        (EntryFilter::of_member(&ada.key).cashier("nobody"), 0, vec![]),
        (EntryFilter::of_member(&ada.key).recorded_from(day), 2, vec![]),
        (
            EntryFilter::all().recorded_from(day).kind(EntryKind::Earn),
            1,
            vec![earn("26")],
        ),
        (EntryFilter::all().recorded_until(day), 2, vec![]),
        (
            EntryFilter::of_sale(&sale_store, &sale_id),
            2,
            vec![earn("26"), used.clone()],
        ),
        (EntryFilter::of_sale(&sale_store, "no such sale"), 0, vec![]),
        (
            EntryFilter::of_member(&ada.key).recorded_until(day),
            1,
            vec![earn("10")],
        ),
        (EntryFilter::of_member(&ada.key).kind(EntryKind::Redeem), 1, vec![used]),
        (EntryFilter::of_member(&bob.key).store("store-1"), 1, vec![earn("20")]),
        (EntryFilter::of_member(&cem.key).kind(EntryKind::Earn), 0, vec![]),
        (EntryFilter::from(&cem.key), 1, vec![given]),
    ];

    for (filter, count, expected) in cases {
        let found = all(&shop, &filter, 200).await;
        let one_by_one = all(&shop, &filter, 1).await;

        assert_eq!(found.len(), count, "{filter:?}");
        assert_eq!(one_by_one, found, "{filter:?}");
        assert!(
            expected.is_empty() || names(&found) == expected,
            "{filter:?}: {found:?}"
        );
    }
    assert_books_agree(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rare_is_found_among_very_much_else() {
    let shop = shop().await;
    let [.., cem] = lively(&shop).await;
    let dan = shop.enrols("dan").await;
    shop.it_is("2026-01-18T10:00:00Z");
    crate::harness::feed::rush(std::slice::from_ref(&dan), 1_200).await;

    let gifts = all(&shop, &EntryFilter::all().kind(EntryKind::Adjust), 10).await;
    let earned = all(&shop, &EntryFilter::all().kind(EntryKind::Earn), 200).await;

    assert_eq!(names(&gifts), [(EntryKind::Adjust, "5".to_owned())]);
    assert_eq!(gifts[0].member_id, cem.member.member_id);
    let distinct: BTreeSet<_> = earned.iter().map(|entry| (&entry.member_id, entry.sequence)).collect();
    assert_eq!((earned.len(), distinct.len()), (1_203, 1_203));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_members_of_a_program_are_asked_for_by_its_name() {
    let shop = shop().await;
    lively(&shop).await;
    let other = NewProgram::new("Other", "EUR").program_id("other");
    shop.client.create_program(&other).await.expect("a program");
    shop.creates(&NewRule::new("other", "Default", EarnRate::new(1, 2)))
        .await;
    let dan = NewMember::new("other").customer_id("dan");
    shop.client.enroll_member(&dan).await.expect("a member");
    let sale = loyalty_sdk::Sale::new("other-1", "store-1", MemberKey::customer_id("dan"), "EUR", 7);
    shop.client.record_sale(&sale).await.expect("a receipt");

    let of_other = all(&shop, &EntryFilter::of_program("other"), 1).await;
    let of_club = all(&shop, &EntryFilter::of_program(PROGRAM), 2).await;
    let nothing = shop
        .client
        .list_entries(EntryFilter::of_program("none"), &PageRequest::default())
        .await;

    assert_eq!(names(&of_other), [(EntryKind::Earn, "14".to_owned())]);
    assert_eq!(of_club.len(), 5);
    assert!(matches!(nothing, Err(Error::ProgramNotFound { .. })), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_list_and_half_a_sale_are_refused_by_name() {
    let shop = shop().await;
    let [ada, ..] = lively(&shop).await;
    let first = shop.client.list_entries(EntryFilter::all(), &PageRequest::of(1)).await;
    let of_all = first.expect("a page").next.expect("a next page");
    let first = shop.client.list_entries(&ada.key, &PageRequest::of(1)).await;
    let of_ada = first.expect("a page").next.expect("a next page");

    let mixed = [
        shop.client.list_entries(&ada.key, &of_all).await.err(),
        shop.client.list_entries(EntryFilter::all(), &of_ada).await.err(),
        shop.client.list_sales(&SaleFilter::all(), &of_ada).await.err(),
    ];
    let half = shop
        .client
        .list_entries(EntryFilter::of_sale("", "4711"), &PageRequest::default())
        .await;

    for error in mixed {
        assert_eq!(wrong_fields(&error.expect("a refusal")), ["page_token"]);
    }
    assert_eq!(wrong_fields(&half.expect_err("half a sale")), ["sale_store_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_is_read_as_it_was_recorded_with_all_that_came_back_of_it() {
    let shop = shop().await;
    let ada = shop.enrols("ada").await;
    ada.buys("100").await;
    let mut sale = ada
        .sale("30")
        .redeem_points(4)
        .occurred_at(instant("2026-01-15T09:00:00Z"));
    sale.cashier_id = "eva".to_owned();
    sale.document_number = "F-1".to_owned();
    sale.lines = vec![SaleLine::new(dec("20")), SaleLine::new(dec("10"))];
    sale.lines[0].product_id = "coffee".to_owned();
    sale.tenders = vec![Tender {
        tender_type: "CASH".to_owned(),
        amount: dec("6"),
    }];
    let receipt = ada.records(&sale).await;
    let part = SaleReturn::new("return-1", "store-1", sale.sale_id.as_str()).amount(dec("6"));
    let back = ada.returns(&part).await;
    let rest = shop
        .client
        .cancel_sale(&Cancellation::new("store-1", sale.sale_id.as_str()))
        .await;
    let rest = rest.expect("a cancellation");

    let read = shop
        .client
        .get_sale("store-1", sale.sale_id.as_str())
        .await
        .expect("a sale");
    let unknown = shop.client.get_sale("store-2", sale.sale_id.as_str()).await;

    assert_eq!(read.receipt, receipt);
    assert_eq!(
        (read.occurred_at, read.recorded_at),
        (instant("2026-01-15T09:00:00Z"), shop.now())
    );
    let mut kept = sale.clone();
    kept.member = MemberKey::MemberId(ada.member.member_id.clone());
    for line in &mut kept.lines {
        (line.quantity, line.tax_amount) = (Some(dec("1")), Some(dec("0")));
    }
    assert_eq!(read.sale, kept);
    assert!(read.cancelled);
    let returns: Vec<_> = read
        .returns
        .iter()
        .map(|back| (back.return_id.clone(), back.points_taken_back, back.points_given_back))
        .collect();
    assert_eq!(
        returns,
        [
            (
                Some("return-1".to_owned()),
                back.points_taken_back,
                back.points_given_back
            ),
            (None, rest.points_taken_back, rest.points_given_back),
        ]
    );
    assert!(matches!(unknown, Err(Error::SaleNotFound { .. })), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_are_listed_by_member_store_program_and_date() {
    let shop = shop().await;
    let [ada, bob, cem] = lively(&shop).await;
    let first = &sales(&shop, &SaleFilter::of_member(&ada.key), 200).await[1];
    let part = SaleReturn::new("return-1", "store-1", first.sale_id.as_str()).amount(dec("6"));
    ada.returns(&part).await;
    let day = instant("2026-01-16T00:00:00Z");
    let cases = [
        (SaleFilter::all(), vec!["30", "20", "10"]),
        (SaleFilter::of_program(PROGRAM), vec!["30", "20", "10"]),
        (SaleFilter::all().store("store-2"), vec!["30"]),
        (SaleFilter::all().recorded_until(day).store("store-1"), vec!["20", "10"]),
        (SaleFilter::all().recorded_from(day), vec!["30"]),
        (SaleFilter::of_member(&ada.key), vec!["30", "10"]),
        (SaleFilter::of_member(&bob.key).store("store-1"), vec!["20"]),
        (SaleFilter::of_member(&cem.key), vec![]),
    ];

    for (filter, expected) in cases {
        for size in [1, 2, 200] {
            let found = sales(&shop, &filter, size).await;

            let mut totals: Vec<String> = found
                .iter()
                .map(|sale| sale.total.amount.normalize().to_string())
                .collect();
            // Two that were recorded at the same instant come in the order of their members.
            totals.sort_by_key(|total| std::cmp::Reverse(total.parse::<u32>().expect("a number")));
            assert_eq!(totals, expected, "{filter:?}");
        }
    }
    let of_ada = sales(&shop, &SaleFilter::of_member(&ada.key), 200).await;
    let facts: Vec<_> = of_ada
        .iter()
        .map(|sale| {
            (
                sale.points_earned,
                sale.points_redeemed,
                sale.return_count,
                sale.cancelled,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [(dec("26"), dec("4"), 0, false), (dec("10"), dec("0"), 1, false)]
    );
    assert_eq!(of_ada[0].cashier_id.as_deref(), Some("eva"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_a_persons_stays_together_when_members_are_merged() {
    let shop = shop().await;
    let [ada, bob, ..] = lively(&shop).await;
    let of_bob = &sales(&shop, &SaleFilter::of_member(&bob.key), 200).await[0];
    let merged = shop.client.merge_members(&ada.member, &bob.member, "").await;
    merged.expect("a merger");
    shop.it_is("2026-01-18T10:00:00Z");
    let back = SaleReturn::new("return-1", "store-1", of_bob.sale_id.as_str()).amount(dec("6"));
    ada.returns(&back).await;

    for size in [1, 200] {
        let of_sale = EntryFilter::of_sale("store-1", of_bob.sale_id.as_str());
        let entries = all(&shop, &of_sale, size).await;
        let of_ada = sales(&shop, &SaleFilter::of_member(&ada.key), size).await;

        let expected = [
            (EntryKind::EarnReversal, "-6".to_owned()),
            (EntryKind::Earn, "20".to_owned()),
        ];
        assert_eq!(names(&entries), expected);
        let totals: Vec<String> = of_ada
            .iter()
            .map(|sale| sale.total.amount.normalize().to_string())
            .collect();
        assert_eq!(totals.len(), 3, "{totals:?}");
        assert!(totals.contains(&"20".to_owned()), "{totals:?}");
    }
    assert_books_agree(&shop).await;
}
